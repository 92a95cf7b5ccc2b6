"""Gives the money back and says nothing."""

from __future__ import annotations

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.order import Order, State


class RefundsInSilence(HotCold):
    """Breaks: every customer is told how it ended. Seen in magento/magento2#31000: who hears nothing orders again.
    Caught by `notices_sent` in `scramble`."""

    name = "refunds_in_silence"

    async def finish(self, order: Order) -> Order:
        if order.state is State.REFUNDED:
            return order._replace(is_told=True)
        return await super().finish(order)
