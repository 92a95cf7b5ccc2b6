"""Sold out? Give the money back at once, and write down later that we meant to."""

from __future__ import annotations

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.order import Order, State
from orderquake.model.payment import Refund


class RefundsBeforeWriting(HotCold):
    """Breaks: decide, then act. A worker that dies in between leaves a refunded order that may still be fulfilled.
    Seen in saleor/saleor#9504. Caught by `refunded_right` in `refunds_fail`."""

    name = "refunds_before_writing"

    async def reserve(self, order: Order) -> Order:
        decided = await super().reserve(order)
        if decided.state is State.REFUND_PENDING:
            await self.patiently(Refund(self.refund_key(decided), order.id, decided.charge_id, decided.taken))
        return decided
