"""What goes wrong with the system of record and the jobs that talk to it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from orderquake.model.record import Move, Post, Posted, ReadChanges, SystemOfRecord
from orderquake.model.stock import Refresh
from orderquake.sim.nemesis import record as described
from orderquake.sim.world.faults.injected import Injected, Site
from orderquake.sim.world.faults.services import Down, Slow
from orderquake.sim.world.wire import Sending


class Offline(Down):
    """Away, as any service may be."""


class RecordSlow(Slow):
    """Slow, as any service may be."""


class AtRecord(Injected):
    """Stands before the record, and knows its book."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.replica = site.wire.replicas["record"]
        assert isinstance(self.replica.store, SystemOfRecord)
        self.book = self.replica.store
        self.stand_before(self.replica)


class StaleReplica(AtRecord):
    """copy   the record as it was, made when it is first needed: what moves the record moves it, too, so much later"""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.lag_us: int = site.fault.lag
        self.copy = self.book
        since_us, _ = site.fault.window(site.scenario.horizon)
        self.kernel.after(max(0, since_us - self.lag_us), self.follow)

    def follow(self, _: Any) -> None:
        self.copy = deepcopy(self.book)
        self.replica.followers.append(self.hears)

    def hears(self, ask: Any, _now_us: int) -> None:
        if isinstance(ask, Post | Move):
            self.kernel.after(self.lag_us, self.repeat, ask)

    def repeat(self, ask: Any) -> None:
        self.copy.handle(ask, max(0, self.kernel.now - self.lag_us))
        self.copy.journal.clear()

    def answers(self, sending: Sending) -> Any:
        if not (self.is_on and isinstance(sending.ask, ReadChanges)):
            return None
        if self.copy.head != self.book.head:
            self.struck(sending)
        return self.copy.handle(sending.ask, max(0, self.kernel.now - self.lag_us))


class OutOfOrderBatches(Injected):
    """late      rows of refreshes that were kept on the way
    latest    row of the refresh, of those handled so far, that was sent last
    """

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.by = site.streams.of(f"fault/{site.label}/by", site.fault.by)
        self.late: set[int] = set()
        self.latest = -1
        self.stand_before(site.replica)

    def delayed(self, sending: Sending, out_us: int) -> int:
        number, visit = sending.task.number, sending.visit
        if (
            not (self.is_on and isinstance(sending.ask, Refresh))
            or self.draw("page", number, visit) >= self.fault.share
        ):
            return out_us
        self.late.add(sending.row)
        later_us: int = self.by.draw(number, visit)
        return out_us + later_us

    def answers(self, sending: Sending) -> Any:
        if isinstance(sending.ask, Refresh):
            if sending.row in self.late and sending.row < self.latest:
                self.struck(sending)
            self.late.discard(sending.row)
            self.latest = max(self.latest, sending.row)
        return None


class StockTake(AtRecord):
    def begin(self, _: Any = None) -> None:
        super().begin()
        sku = self.fault.sku or next(iter(self.book.on_hand))
        self.replica.act(Move("correction", sku, self.fault.units), "stock_take")
        self.struck()


class ZeroFeed(AtRecord):
    def answers(self, sending: Sending) -> Any:
        if not (self.is_on and isinstance(sending.ask, ReadChanges)):
            return None
        changed = self.book.handle(sending.ask, self.replica.clock_us())
        if any(item.on_hand for item in changed.items):
            self.struck(sending)
        return changed._replace(items=tuple(item._replace(on_hand=0) for item in changed.items))


class Returns(AtRecord):
    def begin(self, _: Any = None) -> None:
        """All that has been shipped by now may come back."""
        super().begin()
        world = self.site.world
        since_us, until_us = self.fault.window(self.site.scenario.horizon)
        for booking, answer in tuple(self.book.book.values()) if world is not None else ():
            number = world.numbers[booking.order_id] if world is not None else 0
            was_shipped = isinstance(answer, Posted) and booking.outcome == "fulfilled"
            if was_shipped and self.draw("order", number, 0) < self.fault.share:
                self.kernel.after(int(self.draw("when", number, 0) * (until_us - since_us)), self.come_back, booking)

    def come_back(self, booking: Any) -> None:
        for sku, units, _ in booking.lines:
            self.replica.act(Move("return", sku, units), "returns")
        self.struck()


INJECTORS: dict[type, Callable[[Site], Injected]] = {
    described.Offline: Offline,
    described.RecordSlow: RecordSlow,
    described.StaleReplica: StaleReplica,
    described.OutOfOrderBatches: OutOfOrderBatches,
    described.StockTake: StockTake,
    described.ZeroFeed: ZeroFeed,
    described.Returns: Returns,
}
