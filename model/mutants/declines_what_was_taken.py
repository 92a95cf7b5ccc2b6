"""Is a charge off? Only the provider's word says so, or time. Four that believe it sooner.

The sweep over the provider's ledger heals each of them: it finds the money, and sends it back. So these designs have
none; without a bug, inside its contract, hot_cold needs none for charges (see `never_sweeps_the_ledger`).
"""

from __future__ import annotations

from typing import Any, TypeVar

from orderquake.model.flow import Ask, Flow, Send, Silence
from orderquake.model.mutants.other_stores import OnOtherStores
from orderquake.model.order import Order, State
from orderquake.model.payment import Charge, Declined, LookUp, NothingFound

A = TypeVar("A")


class NeverSweepsTheLedger(OnOtherStores):
    """Breaks: what was taken too late goes back. Found in ARCHITECTURE, as a job that may be left out."""

    name = "never_sweeps_the_ledger"

    async def return_surplus(self) -> int | None:
        return None


class ClosesAtTheHorizon(NeverSweepsTheLedger):
    """Breaks: not found proves nothing as long as an ask may be on its way; to stop sending is not to be sure. Found by
    exhaustive search over what a look-up may find. Caught by `money_conserved` in `late_charges`."""

    name = "closes_at_the_horizon"

    async def give_up_on(self, order: Order) -> Order:
        return self.move(order, State.DECLINED)


class CancelsWhileCharging(NeverSweepsTheLedger):
    """Breaks: charging ends only on a definite answer, whatever the customer wants. Seen in
    woocommerce/woocommerce#20928. Caught by `money_conserved` in `bad_answers`."""

    name = "cancels_while_charging"

    async def charge(self, order: Order) -> Order:
        if order.cancel_asked:
            return self.move(order, State.DECLINED)
        return await super().charge(order)


class TakesSilenceForADecline(NeverSweepsTheLedger):
    """Breaks: silence is no answer. Seen in woocommerce/woocommerce#21083. Caught by `money_conserved` in
    `bad_answers`."""

    name = "takes_silence_for_a_decline"

    def patiently(self, ask: Ask[A]) -> Flow[A]:
        return self.once(ask) if isinstance(ask, Charge) else super().patiently(ask)

    async def once(self, ask: Any) -> Any:
        try:
            return await Send(ask, self.policy.patience_with(ask.service).timeout_us, 0)
        except Silence:
            pass
        return await self.after_silence(ask)

    async def after_silence(self, ask: Charge) -> Any:
        return Declined()


class DeclinesWhatIsNotFound(TakesSilenceForADecline):
    """Breaks: not found after silence proves nothing. The ledger is asked at once, has nothing, and the ask that is
    still on its way charges a customer who was told no. Seen in square/square-mcp-server#31. Caught by
    `money_conserved` in `bad_answers`."""

    name = "declines_what_is_not_found"

    async def after_silence(self, ask: Charge) -> Any:
        answer = await self.patiently(LookUp(ask.key, ask.order_id))
        return Declined() if isinstance(answer, NothingFound) else answer
