"""Hold the money, reserve the goods, take the one for the other: two that do the last step wrong."""

from __future__ import annotations

from orderquake.model.mutants.other_stores import OnOtherStores
from orderquake.model.order import Order, State
from orderquake.model.payment import Captured, PaymentProvider, Voided


class TakesAHoldForMoney(OnOtherStores):
    """Breaks: a hold is not the money. Seen in saleor/saleor#6428. Caught by `money_conserved` in `held_money`."""

    name = "takes_a_hold_for_money"

    async def consume(self, order: Order) -> Order:
        after = await super().consume(order)
        return after._replace(state=State.FULFILLED) if after.state is State.CAPTURING else after


class TakingProvider(PaymentProvider):
    def capture_hold(self, auth_id: str, now_us: int) -> Captured | Voided:
        hold = self.holds[auth_id]
        if hold.is_void:
            return Voided()
        captured = self.capture(auth_id, hold.order_id, hold.amount, now_us)
        self.holds[auth_id] = hold._replace(charge_id=captured.charge_id)
        return captured


class CapturesTwice(OnOtherStores):
    """Breaks: a hold is captured once. Seen in medusajs/medusa#13301, #16292. Caught by `charged_once` in
    `held_money`."""

    name = "captures_twice"
    payment_of = TakingProvider
