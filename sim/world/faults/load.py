"""What goes wrong when too much is asked. What it makes of the demand itself is told in `world/rush.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orderquake.model.payment import DECLINED, GOOD, Authorise, Authorised, Captured, Charge
from orderquake.sim.nemesis import load as described
from orderquake.sim.world.faults.injected import Injected, Site
from orderquake.sim.world.faults.payment import AtProvider
from orderquake.sim.world.performer import Task
from orderquake.sim.world.rush import is_of_bot
from orderquake.sim.world.wire import Sending


class FlashCrowd(Injected):
    """Struck by every customer who comes because of it."""


class HotSku(Injected):
    """Struck by every customer who wants something else because of it."""


class RetryStorm(Injected):
    def begin(self, _: Any = None) -> None:
        super().begin()
        if (world := self.site.world) is not None:
            world.performer.hurries.append(self)
            world.customers.hurries.append(self)

    def end(self, _: Any = None) -> None:
        if self.is_on and (world := self.site.world) is not None:
            world.performer.hurries.remove(self)
            world.customers.hurries.remove(self)
        super().end()

    @property
    def patience(self) -> float:
        """The part of the usual time that anybody waits."""
        share: float = self.fault.patience
        return share

    @property
    def more(self) -> int:
        """Tries that a customer adds to the usual ones."""
        times: int = self.fault.more
        return times


class CancellationRace(Injected):
    needs_visits = True

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.after = site.streams.of(f"fault/{site.label}/after", site.fault.after)
        replica = site.wire.replicas["payment"]
        self.usually, replica.after = replica.after, self.hears
        self.asked_of: set[str] = set()

    def hears(self, ask: Any, answer: Any) -> None:
        """The provider has answered somebody; the customer sees the money go as soon as it does."""
        if self.usually is not None:
            self.usually(ask, answer)
        if self.is_on and isinstance(answer, Captured | Authorised) and ask.order_id not in self.asked_of:
            self.asked_of.add(ask.order_id)
            assert self.site.world is not None
            number = self.site.world.numbers[ask.order_id]
            if self.draw("order", number, 0) < self.fault.share:
                self.kernel.after(self.after.draw(number), self.cancel, ask.order_id)

    def cancel(self, order_id: str) -> None:
        assert self.site.world is not None
        if self.site.world.customers.change_of_mind(order_id):
            self.struck()


class PoisonMessage(Injected):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        site.wire.crashes.setdefault("read_order", []).append(self.kills)

    # Simplified: jobs, which read many rows at once, and the front door are not hurt; matters when they share the code.
    def kills(self, task: Task, sending: Sending, when: str) -> bool:
        """Is this a worker that has just read a poisonous order?"""
        if not self.is_on or when != "after" or not task.sender.actor.startswith("worker-"):
            return False
        is_poison: bool = self.draw("order", task.number, 0) < self.fault.share
        if is_poison:
            self.struck(sending)
        return is_poison


class Bot(AtProvider):
    """begun   order id -> when the provider began to wait for the bot"""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        labels = [label for label, _ in site.scenario.plain_faults()]
        self.which = labels.index(site.label) + 1
        self.begun: dict[str, int] = {}

    def answers(self, sending: Sending) -> Any:
        ask, now_us = sending.ask, self.kernel.now
        if not isinstance(ask, Charge | Authorise) or not is_of_bot(sending.task.number, self.which):
            return None
        if self.is_on and now_us - self.begun.setdefault(ask.order_id, now_us) < self.fault.waits:
            return self.drop(sending)
        if ask.card == GOOD:
            self.ledger.meets[ask.key] = DECLINED
        return None


INJECTORS: dict[type, Callable[[Site], Injected]] = {
    described.FlashCrowd: FlashCrowd,
    described.HotSku: HotSku,
    described.RetryStorm: RetryStorm,
    described.CancellationRace: CancellationRace,
    described.PoisonMessage: PoisonMessage,
    described.Bot: Bot,
}
