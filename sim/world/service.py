"""A service as those who ask it see it: a store behind a queue, with so many hands, a throttle, and bad days.

What waits when the service goes down is lost, and what it was working on never finishes: a crashed node does no work.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from orderquake.model.flow import Store
from orderquake.sim.recorder import Recorder
from orderquake.sim.scenario import Service, Throttle
from orderquake.sim.world.kernel import Kernel

if TYPE_CHECKING:
    from orderquake.sim.world.wire import Sending, Wire


class Trouble(Protocol):
    """A fault that is in force at a service; each method says whether, or by how much, it strikes this ask."""

    def loses_ask(self, sending: Sending) -> bool: ...
    def loses_answer(self, sending: Sending) -> bool: ...
    def copies_after(self, sending: Sending) -> int | None: ...
    def slowed(self, sending: Sending, work_us: int) -> int: ...


class Bucket:
    """A token bucket in whole microseconds: `burst` at once, then one every `1e6 / per_s`, rounded up.

    A call passes iff a token is there at that moment; none is ever borrowed.
    """

    __slots__ = ("full_us", "level_us", "price_us", "seen_us")

    def __init__(self, throttle: Throttle) -> None:
        self.price_us = math.ceil(1_000_000 / throttle.per_s)
        self.full_us = self.price_us * throttle.burst
        self.level_us = self.full_us
        self.seen_us = 0

    def holds(self, now_us: int) -> bool:
        """Is a token there?"""
        self.level_us = min(self.full_us, self.level_us + now_us - self.seen_us)
        self.seen_us = now_us
        return self.level_us >= self.price_us

    def take(self) -> None:
        self.level_us -= self.price_us


class Replica:
    """One running copy of a service.

    is_open   no capacity, throttle or fault stands in the way: an ask is one wait
    after     told every ask that was handled, and its answer; for whoever wakes workers
    """

    def __init__(
        self,
        name: str,
        place: str,
        store: Store,
        config: Service,
        kernel: Kernel,
        wire: Wire,
        recorder: Recorder,
    ) -> None:
        self.name = name
        self.place = place
        self.store = store
        self.config = config
        self.kernel = kernel
        self.wire = wire
        self.recorder = recorder
        self.capacity = config.capacity
        self.queue_bound = config.queue_bound
        self.account = None if config.account_throttle is None else Bucket(config.account_throttle)
        self.buckets: dict[str, Bucket] = {}
        self.waiting: deque[Sending] = deque()
        self.busy = 0
        self.busy_us = 0
        self.busy_since = 0
        self.incarnation = 0
        self.is_down = False
        self.troubles: list[Trouble] = []
        self.is_open = self.capacity is None and config.throttle is None and self.account is None and not self.errs
        self.after: Callable[[Any, Any], None] | None = None
        self.before: Callable[[Sending], Any] | None = None
        self.on_down: Callable[[Sending], None] | None = None

    @property
    def errs(self) -> bool:
        """Does this service sometimes answer with an error of its own?"""
        return bool(getattr(self.config, "errors", 0.0))

    # -- an ask comes

    def receive(self, sending: Sending, out_us: int) -> None:
        """An ask was sent to us and takes `out_us` to come."""
        kernel = self.kernel
        if self.is_open:
            work_us: Any = sending.route.service
            if type(work_us) is not int:
                work_us = work_us.draw(sending.task.number, sending.visit)
            if kernel.now + out_us + work_us + sending.back_us > sending.deadline:
                self.wire.guard(sending)
            kernel.after(out_us + work_us, self.finish, sending)
            return
        for trouble in self.troubles:
            if trouble.loses_ask(sending):
                self.wire.guard(sending)
                return
            if (later_us := trouble.copies_after(sending)) is not None:
                self.kernel.after(out_us + later_us, self.arrive, sending)
        self.kernel.after(out_us, self.arrive, sending)

    def arrive(self, sending: Sending) -> None:
        if self.is_down:
            self.lose(sending)
            return
        if (why := self.throttled(sending)) is not None:
            self.wire.refuse(sending, why)
            return
        if self.capacity is not None and self.busy >= self.capacity:
            if self.queue_bound is not None and len(self.waiting) >= self.queue_bound:
                self.wire.refuse(sending, "queue_full")
                return
            self.wire.guard(sending)
            self.waiting.append(sending)
            return
        self.begin(sending)

    def throttled(self, sending: Sending) -> str | None:
        """Why the throttle refuses, or None; a call that passes pays one token of each kind."""
        throttle = self.config.throttle
        if throttle is None and self.account is None:
            return None
        now = self.kernel.now
        bucket = None
        if throttle is not None:
            bucket = self.buckets.get(sending.ask.verb)
            if bucket is None:
                bucket = self.buckets[sending.ask.verb] = Bucket(throttle)
            if not bucket.holds(now):
                return "throttled"
        if self.account is not None:
            if not self.account.holds(now):
                return "account_throttled"
            self.account.take()
        if bucket is not None:
            bucket.take()
        self.recorder.admitted(now, sending.ask.verb, sending.about, sending.op_id, self.name, self.place, sending.row)
        return None

    def begin(self, sending: Sending) -> None:
        if self.capacity is not None:
            self.count(1)
        sending.incarnation = self.incarnation
        work_us = self.work(sending)
        for trouble in self.troubles:
            work_us = trouble.slowed(sending, work_us)
        if self.kernel.now + work_us + sending.back_us > sending.deadline:
            self.wire.guard(sending)
        self.kernel.after(work_us, self.finish, sending)

    def work(self, sending: Sending) -> int:
        service = sending.route.service
        if type(service) is int:
            return service
        drawn: int = service.draw(sending.task.number, sending.visit)  # type: ignore[union-attr]
        return drawn

    def finish(self, sending: Sending) -> None:
        """The moment of effect."""
        if sending.incarnation != self.incarnation:
            self.lose(sending)
            return
        if self.capacity is not None:
            self.count(-1)
            if self.waiting:
                self.begin(self.waiting.popleft())
        now = self.kernel.now
        store = self.store
        answer = None if self.before is None else self.before(sending)
        if answer is None:
            answer = store.handle(sending.ask, now)
        if store.journal:
            self.recorder.changes(
                now, store.journal, sending.op_id, sending.attempt, self.name, self.place, sending.row
            )
            store.journal.clear()
        if self.after is not None:
            self.after(sending.ask, answer)
        for trouble in self.troubles:
            if trouble.loses_answer(sending):
                self.wire.guard(sending)
                return
        self.wire.answer(sending, answer)

    # -- bad days

    def lose(self, sending: Sending) -> None:
        if self.on_down is not None:
            self.on_down(sending)
        self.wire.guard(sending)

    def go_down(self) -> None:
        """Everything waiting and everything under way is lost; what is stored stays."""
        self.is_down = True
        self.incarnation += 1
        self.count(-self.busy)
        while self.waiting:
            self.lose(self.waiting.popleft())

    def come_back(self) -> None:
        self.is_down = False

    # -- how busy

    def count(self, change: int) -> None:
        now = self.kernel.now
        self.busy_us += self.busy * (now - self.busy_since)
        self.busy_since = now
        self.busy += change

    def utilisation_us(self) -> int:
        """Slot-microseconds worked so far."""
        self.count(0)
        return self.busy_us

    def act(self, ask: Any, actor: str) -> Any:
        """Something done at the service itself, by somebody who needs no wire: a delivery, a stock-take, a till."""
        now = self.kernel.now
        answer = self.store.handle(ask, now)
        if self.store.journal:
            self.recorder.changes(now, self.store.journal, actor, 0, actor, self.place, -1)
            self.store.journal.clear()
        return answer
