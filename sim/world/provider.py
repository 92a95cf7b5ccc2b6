"""What a payment provider has that its ledger has not: moods, and a telephone.

Errors before anything is done, slow refunds, refunds that fail days later, and webhooks that come early, late, twice,
in the wrong order, or never. Whether the shop makes anything of what it is told is the shop's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from orderquake.model.payment import PaymentProvider, Refund, ServerError
from orderquake.sim.nemesis.payment import AtTelephone
from orderquake.sim.services import Webhooks
from orderquake.sim.world.performer import Task
from orderquake.sim.world.tempo import taken
from orderquake.sim.world.wire import Sender

if TYPE_CHECKING:
    from orderquake.sim.world.wire import Sending
    from orderquake.sim.world.world import World


class Provider:
    """Draws, for each ask that reaches the provider, what the provider itself makes of it."""

    def __init__(self, world: World) -> None:
        config = world.scenario.service.payment
        replica = world.wire.replicas["payment"]
        assert isinstance(replica.store, PaymentProvider)
        self.ledger = replica.store
        self.ledger.refund_cap = config.refund_cap
        self.errors = config.errors
        self.error_luck = world.streams.uniform("payment/errors")
        self.delay = world.wire.law("payment/refund_delay", config.refund_delay)
        self.fails_after = world.wire.law("payment/refund_fails_after", config.refund_fails_after)
        if self.errors or self.delay != 0 or config.refund_failures:
            replica.before = self.before
        webhooks = config.webhooks
        if webhooks is None and any(isinstance(fault, AtTelephone) for _, fault in world.scenario.plain_faults()):
            webhooks = Webhooks()
        self.telephone: Telephone | None = None
        # A design that has nobody at the telephone does without.
        if webhooks is not None and hasattr(world.design, "hear"):
            self.telephone = Telephone(world, self.ledger, webhooks)
            replica.after = self.telephone.after

    def before(self, sending: Sending) -> ServerError | None:
        number, visit = sending.task.number, sending.visit
        if self.errors and self.error_luck.draw(number, visit) < self.errors:
            return ServerError()
        if isinstance(sending.ask, Refund):
            self.ledger.refund_delay_us = taken(self.delay, number)
            self.ledger.refund_fails_after_us = taken(self.fails_after, number)
        return None


Told: TypeAlias = Callable[[str, int, int, list[int]], list[int]]
"""Order id, its luck, the how-manieth event, after how long the shop would be told, each time; and is told instead."""


class Telephone:
    """Tells the shop, sooner or later or not at all, what is new in the ledger. Nobody hears what the shop makes of it.

    moved    captures, holds and refunds so far; `failed` refunds so far
    events   order id -> how often something happened to its money
    troubles faults that have a say in it, one after the other
    """

    def __init__(self, world: World, ledger: PaymentProvider, webhooks: Webhooks) -> None:
        self.world = world
        self.ledger = ledger
        self.webhooks = webhooks
        self.sender = Sender("webhook", world.scenario.place[0].name, "webhook/")
        self.delays = world.wire.law("payment/webhook/delay", webhooks.delay)
        self.lost = world.streams.uniform("payment/webhook/lost")
        self.twice = world.streams.uniform("payment/webhook/twice")
        self.moved = 0
        self.failed = 0
        self.events: dict[str, int] = {}
        self.troubles: list[Told] = []

    def after(self, ask: Any, _answer: Any) -> None:
        """An ask was handled: what was new in it? A replay moves nothing, and is no event."""
        ledger = self.ledger
        moved = len(ledger.captures) + len(ledger.holds) + len(ledger.refunds)
        if moved > self.moved:
            self.moved = moved
            self.happened(ask.order_id)
        while self.failed < len(ledger.paid_back.failed):
            self.happened(ledger.paid_back.failed[self.failed].order_id)
            self.failed += 1

    def happened(self, order_id: str) -> None:
        """Something has become of an order's money."""
        number, event = self.world.numbers[order_id], self.events.get(order_id, 0)
        self.events[order_id] = event + 1
        coming: list[int] = []
        if self.lost.draw(number, event) >= self.webhooks.lost:
            times = 2 if self.twice.draw(number, event) < self.webhooks.twice else 1
            coming = [taken(self.delays, number, 2 * event + time) for time in range(times)]
        for told in self.troubles:
            coming = told(order_id, number, event, coming)
        for time, later_us in enumerate(coming):
            self.world.kernel.after(later_us, self.tell, (order_id, number, f"{order_id}.webhook{event}.{time}"))

    def tell(self, what: tuple[str, int, str]) -> None:
        order_id, number, id = what
        row = self.world.history.state(
            self.world.kernel.now,
            "webhook",
            kind="mark",
            op_id=id,
            actor=self.sender.actor,
            place=self.sender.place,
            order=order_id,
        )
        flow = self.world.design.start("hear", (order_id,))
        self.world.performer.start(Task(flow, id, self.sender, number, {}, _nobody_hears, cause=row))


def _nobody_hears(_task: Task, _how: str, _value: Any) -> None:
    """Nor would the provider know what to do about it."""
