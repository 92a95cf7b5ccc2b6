"""No answer about the refund? Then it was lost: begin another, under a key of its own."""

from __future__ import annotations

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.flow import Within
from orderquake.model.order import Order


class RefundsAgainUnderANewKeyAfterSilence(HotCold):
    """Breaks: silence proves nothing. Seen in medusajs/medusa#16681. Caught by `money_conserved` in `refunds_fail`."""

    name = "refunds_again_under_a_new_key_after_silence"

    async def refund(self, order: Order) -> Order:
        if await Within(order.refund_sent_at, self.policy.patience_with("payment").timeout_us):
            return await super().refund(order)
        return order._replace(refund_generation=order.refund_generation + 1)
