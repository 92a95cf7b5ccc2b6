"""What goes wrong with a service itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from orderquake.sim.nemesis import services as described
from orderquake.sim.nemesis.services import BATCHES
from orderquake.sim.nemesis.steps import READS
from orderquake.sim.services import Throttle
from orderquake.sim.world.faults import memories
from orderquake.sim.world.faults.injected import Injected, Site
from orderquake.sim.world.throttle import Bucket
from orderquake.sim.world.wire import Sending

PLENTY = 2**40
"""Hands of a service that has no limit to them."""


class Down(Injected):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.replica = site.replica
        self.replica.is_open = False

    def begin(self, _: Any = None) -> None:
        super().begin()
        self.replica.on_down = self.struck
        self.replica.go_down()

    def end(self, _: Any = None) -> None:
        super().end()
        self.replica.on_down = None
        self.replica.come_back()


class Slow(Injected):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        fault = site.fault
        self.more = None if fault.add is None else site.streams.of(f"fault/{site.label}/add", fault.add)
        self.stand_before(site.replica)

    def slowed(self, sending: Sending, work_us: int) -> int:
        if not self.concerns(sending.ask.verb):
            return work_us
        self.struck(sending)
        slow_us = round(work_us * self.fault.factor) if self.fault.factor is not None else work_us
        if self.more is not None:
            slow_us += self.more.draw(sending.task.number, sending.visit)
        return slow_us


class Gray(Injected):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.stand_before(site.replica)

    def is_one_of(self, share: str, sending: Sending) -> bool:
        luck = self.draw(f"{share}/{sending.ask.verb}", sending.task.number, sending.visit)
        return self.is_on and luck < getattr(self.fault, share)

    def loses_ask(self, sending: Sending) -> bool:
        is_lost = self.is_one_of("lost", sending)
        if is_lost:
            self.struck(sending)
        return is_lost

    def slowed(self, sending: Sending, work_us: int) -> int:
        if not self.is_one_of("slow", sending):
            return work_us
        self.struck(sending)
        slow_us: int = round(work_us * self.fault.factor)
        return slow_us


class ReadOnly(Injected):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.stand_before(site.replica)

    def stops(self, sending: Sending, how: str) -> bool:
        is_stopped = self.is_on and self.fault.writes == how and sending.ask.verb not in READS
        if is_stopped:
            self.struck(sending)
        return is_stopped

    def loses_ask(self, sending: Sending) -> bool:
        return self.stops(sending, "lost")

    def turns_away(self, sending: Sending) -> str | None:
        return "read_only" if self.stops(sending, "refused") else None


class Throttled(Injected):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.bucket = Bucket(Throttle(per_s=site.fault.per_s, burst=site.fault.burst))
        self.stand_before(site.replica)

    def turns_away(self, sending: Sending) -> str | None:
        if not self.concerns(sending.ask.verb):
            return None
        if self.bucket.holds(self.kernel.now):
            self.bucket.take()
            return None
        self.struck(sending)
        return "throttled"


class CapacityCut(Injected):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.replica = site.replica
        self.usual = PLENTY if self.replica.capacity is None else self.replica.capacity
        self.replica.capacity = self.usual  # so that hands are counted from the beginning
        self.stand_before(self.replica)

    def begin(self, _: Any = None) -> None:
        super().begin()
        self.replica.capacity = min(self.usual, self.fault.to)

    def end(self, _: Any = None) -> None:
        super().end()
        self.replica.capacity = self.usual
        self.replica.move_up()

    # Simplified: who leaves a bounded line, or finds it full, is not told apart from who waits; the witness is one.
    def turns_away(self, sending: Sending) -> str | None:
        if self.is_on and self.fault.to <= self.replica.busy < self.usual:
            self.struck(sending)
        return None


class AppliedButAnswerLost(Injected):
    moment = "way back"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.stand_before(site.replica)

    def loses_answer(self, sending: Sending) -> bool:
        if not self.concerns(sending.ask.verb):
            return False
        self.asked += 1
        is_hit: bool = self.asked == self.fault.nth
        if is_hit:
            self.take(sending.ask.verb)
            self.struck(sending)
        return is_hit


class PartialBatch(Injected):
    """`cut_off` is the batch of which a part was done; its answer is the next to be asked about."""

    moment = "work"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.replica = site.replica
        self.cut_off: Sending | None = None
        self.stand_before(self.replica)

    def answers(self, sending: Sending) -> Any:
        ask, verb, number, visit = sending.ask, sending.ask.verb, sending.task.number, sending.visit
        items = getattr(ask, BATCHES[verb]) if verb in BATCHES else ()
        if len(items) < 2 or not self.hits(sending):
            return None
        done = 1 + int(self.draw(f"done/{verb}", number, visit) * (len(items) - 1))
        self.cut_off = sending
        part = replace(ask, **{BATCHES[verb]: items[:done]})
        return self.replica.do(part)

    def loses_answer(self, sending: Sending) -> bool:
        is_lost, self.cut_off = sending is self.cut_off, None
        return is_lost


INJECTORS: dict[type, Callable[[Site], Injected]] = {
    described.Down: Down,
    described.Slow: Slow,
    described.Gray: Gray,
    described.ReadOnly: ReadOnly,
    described.Throttled: Throttled,
    described.CapacityCut: CapacityCut,
    described.AppliedButAnswerLost: AppliedButAnswerLost,
    described.PartialBatch: PartialBatch,
    **memories.INJECTORS,
}
