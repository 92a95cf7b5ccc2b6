"""What a payment provider has that its ledger has not: moods. Errors before anything is done, slow refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderquake.model.payment import PaymentProvider, Refund, ServerError
from orderquake.sim.world.tempo import taken

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
        self.errors = config.errors
        self.error_luck = world.streams.uniform("payment/errors")
        self.delay = world.wire.law("payment/refund_delay", config.refund_delay)
        if self.errors or self.delay != 0:
            replica.before = self.before

    def before(self, sending: Sending) -> ServerError | None:
        number, visit = sending.task.number, sending.visit
        if self.errors and self.error_luck.draw(number, visit) < self.errors:
            return ServerError()
        if isinstance(sending.ask, Refund):
            self.ledger.refund_delay_us = taken(self.delay, number)
        return None
