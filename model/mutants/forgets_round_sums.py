"""The canary: a bug so rare that about one day in a hundred shows it. If nobody finds it, nobody looks."""

from __future__ import annotations

from orderquake.model.mutants.other_stores import OnOtherStores
from orderquake.model.order import Order, State

BYTE = 256


class ForgetsRoundSums(OnOtherStores):
    """Breaks: whoever paid for nothing is paid back, whatever the sum. Here one whose last byte is zero is taken for
    none. Found in the literature, as the bug that a test with round numbers never meets. Caught by `refunded_right` in
    `canary`."""

    name = "forgets_round_sums"

    async def refund(self, order: Order) -> Order:
        if order.taken % BYTE == 0 and not order.token:
            return self.move(order, State.REFUNDED)
        return await super().refund(order)
