"""When may a charge be sent again, and under which key? Ten that take the money twice, or not at all."""

from __future__ import annotations

from dataclasses import replace

from orderquake.model.mutants.other_stores import OnOtherStores
from orderquake.model.order import Order, State
from orderquake.model.order_cache import Conflict, WriteOrder, Written
from orderquake.model.payment import Refund
from orderquake.model.policy import HOUR, Policy


class ChargesForEver(OnOtherStores):
    """Breaks: a charge is sent again only while the provider surely remembers its key. Seen in triggerdotdev's review
    note on key retention; Stripe prunes keys after 24 hours. Caught by `charged_once` in `keys_run_out`."""

    name = "charges_for_ever"

    def __init__(self, policy: Policy) -> None:
        super().__init__(replace(policy, send_horizon_us=1_000 * HOUR))


class ForgetsMessageLife(OnOtherStores):
    """Breaks: the horizon leaves time for a message that is on its way. One that was sent just before the key is
    forgotten arrives just after. Found by exhaustive search over the moments of sending and arriving. Caught by
    `charged_once` in `keys_run_out`."""

    name = "forgets_message_life"

    def __init__(self, policy: Policy) -> None:
        super().__init__(replace(policy, send_horizon_us=policy.key_retention_us - policy.worker_deadline_us))


class ForgetsWorkerDeadline(OnOtherStores):
    """Breaks: the horizon leaves time for a worker that has looked at the clock and not sent yet. Found by exhaustive
    search over the moments of looking and sending. Caught by `charged_once` in `keys_run_out`."""

    name = "forgets_worker_deadline"

    def __init__(self, policy: Policy) -> None:
        super().__init__(replace(policy, send_horizon_us=policy.send_horizon_us + policy.worker_deadline_us))


class ChargesAnewAfterAnError(OnOtherStores):
    """Breaks: an error is no proof that nothing was taken; the ledger is asked first. Seen in
    woocommerce/woocommerce-gateway-stripe#3912. Caught by `charged_once` in `bad_answers`."""

    name = "charges_anew_after_an_error"

    async def look_into(self, order: Order) -> Order:
        return order._replace(generation=order.generation + 1)


class ChargesAnewAfterNotFound(OnOtherStores):
    """Breaks: not found after silence proves nothing, for the ask may still be on its way. Seen in
    akash-network/console#3449. Caught by `charged_once` in `late_charges`."""

    name = "charges_anew_after_not_found"

    async def give_up_on(self, order: Order) -> Order:
        return order._replace(generation=order.generation + 1)


class KeepsOneChargeKey(OnOtherStores):
    """Breaks: after a definite end, a new charge has a new key; the old one replays its error for ever. Seen in
    woocommerce/woocommerce-gateway-stripe#541, stripe/stripe-ruby#598. Caught by `every_order_ends` in
    `bad_answers`."""

    name = "keeps_one_charge_key"

    def charge_key(self, order: Order) -> str:
        return f"{order.id}/charge"


class KeysByVersion(OnOtherStores):
    """Breaks: a key is as old as its intent, and survives whoever sends it. One that is made of the row changes when
    the customer cancels. Seen in square/square-mcp-server#31, ProgixDev/incacook-app#36. Caught by `charged_once` in
    `bad_answers`."""

    name = "keys_by_version"

    def charge_key(self, order: Order) -> str:
        return f"{order.id}/charge/{order.version}"


class LoserRefunds(OnOtherStores):
    """Breaks: whoever loses the compare-and-set undoes nothing. Seen in medusajs/medusa#15527. Caught by
    `refunded_right` in `bad_answers`."""

    name = "loser_refunds"

    async def write(self, before: Order, after: Order) -> bool:
        if after == before:
            return False
        match await self.patiently(WriteOrder(after)):
            case Written(order):
                return not order.is_closed
            case Conflict():
                if before.state is State.CHARGING and after.state is State.PAID:
                    await self.patiently(Refund(f"{after.id}/refund/loser", after.id, after.charge_id, after.taken))
                return True


class TakesPartForTheWhole(OnOtherStores):
    """Breaks: less than the price is no payment. Seen in saleor/saleor#6428. Caught by `money_conserved` in
    `bad_answers`."""

    name = "takes_part_for_the_whole"

    def return_part(self, order: Order, charge_id: str, amount: int) -> Order:
        return self.move(order, State.PAID, charge_id=charge_id)


class RefundsThePrice(OnOtherStores):
    """Breaks: what goes back is what came. Seen in saleor/saleor#9504, where the amount is another than was captured.
    Caught by `money_conserved` in `bad_answers`."""

    name = "refunds_the_price"

    def return_part(self, order: Order, charge_id: str, amount: int) -> Order:
        return self.move(order, State.PAID, charge_id=charge_id, cancel_asked=True)
