"""A service as those who ask it see it: a store behind a queue, with so many hands, a throttle, and bad days.

What waits when the service goes down is lost, and what it was working on never finishes: a crashed node does no work.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from orderquake.model.flow import Change, Store
from orderquake.sim.recorder import Recorder
from orderquake.sim.scenario import Service
from orderquake.sim.world.kernel import Kernel
from orderquake.sim.world.rhythms import Rhythm
from orderquake.sim.world.tempo import taken
from orderquake.sim.world.throttle import Bucket as Bucket
from orderquake.sim.world.throttle import Gate

if TYPE_CHECKING:
    from orderquake.sim.world.delays import Distribution
    from orderquake.sim.world.wire import Sending, Wire


NO_DEADLINE = -1
MILLION = 1_000_000


class Trouble(Protocol):
    """A fault that is in force at a service; each method says whether, or by how much, it strikes this ask.

    In the order of an ask's journey. What `answers` says is the answer, instead of the store's; a text is a refusal.
    """

    def loses_ask(self, sending: Sending) -> bool: ...
    def delayed(self, sending: Sending, out_us: int) -> int: ...
    def copies_after(self, sending: Sending) -> int | None: ...
    def turns_away(self, sending: Sending) -> str | None: ...
    def slowed(self, sending: Sending, work_us: int) -> int: ...
    def answers(self, sending: Sending) -> Any: ...
    def loses_answer(self, sending: Sending) -> bool: ...
    def loses_refusal(self, sending: Sending) -> bool: ...
    def held_back(self, sending: Sending, back_us: int) -> int: ...


class Replica:
    """One running copy of a service.

    is_open   no capacity, throttle, rhythm, wrong clock or fault stands in the way: an ask is one wait
    after     told every ask that was handled, and its answer; for whoever wakes workers
    sent_back told (ask, answer) when an answer has come back
    ahead_us  what its clock shows beyond the truth, but for what it drifts; see `clock_us`
    followers told every ask that the store itself has handled, and when; never asked where the way is open
    members   all copies of the service; each stands somewhere else
    is_left_when_silent   whoever hears nothing from it turns to the next copy, and stays there
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
        self.sent_back = wire.arrive
        self.recorder = recorder
        self.number = -1  # under which the history knows who makes these changes
        self.capacity = config.capacity
        self.queue_bound = config.queue_bound
        self.gate: Gate | None = None
        if config.throttle is not None or config.account_throttle is not None:
            self.gate = Gate(config, kernel, wire, self.admit)
        self.waiting: OrderedDict[int, Sending] = OrderedDict()  # by ticket: a copy is the same sending, twice in line
        self.tickets = 0
        self.busy = 0
        self.busy_us = 0
        self.busy_since = 0
        self.incarnation = 0
        self.is_down = False
        self.ahead_us = 0
        self.drift_ppm = config.clock_drift_ppm
        self.troubles: list[Trouble] = []
        self.followers: list[Callable[[Any, int], None]] = []
        is_in_the_way = self.errs or self.has_rhythm or self.drift_ppm != 0
        self.is_open = self.capacity is None and self.gate is None and not is_in_the_way
        self.after: Callable[[Any, Any], None] | None = None
        self.before: Callable[[Sending], Any] | None = None
        self.is_left_when_silent = False
        self.members: list[Replica] = [self]
        self.on_down: Callable[[Sending], None] | None = None

    @property
    def errs(self) -> bool:
        """Does this service sometimes answer with an error of its own?"""
        return bool(getattr(self.config, "errors", 0.0))

    @property
    def has_rhythm(self) -> bool:
        """Does how long it takes depend on when it begins?"""
        return any(isinstance(law, Rhythm) for law in (self.config.latency, *self.config.operations.values()))

    # -- an ask comes

    def receive(self, sending: Sending, out_us: int) -> None:
        """An ask was sent to us and takes `out_us` to come; where we are open, the wire makes it one wait instead."""
        for trouble in self.troubles:
            if trouble.loses_ask(sending):
                self.wire.guard(sending)
                return
            out_us = trouble.delayed(sending, out_us)
            if (later_us := trouble.copies_after(sending)) is not None:
                self.kernel.after(out_us + later_us, self.arrive, sending.copy())
        if self.kernel.now + out_us >= sending.deadline:
            self.wire.guard(sending)
        self.kernel.after(out_us, self.arrive, sending)

    def arrive(self, sending: Sending) -> None:
        if self.is_down:
            self.lose(sending)
            return
        for trouble in self.troubles:
            if (why := trouble.turns_away(sending)) is not None:
                self.wire.refuse(sending, why)
                return
        if self.gate is None:
            self.enter(sending)
        else:
            self.gate.arrive(sending)

    def admit(self, sending: Sending) -> None:
        """The throttles let an ask pass."""
        self.recorder.admitted(
            self.kernel.now, sending.ask.verb, sending.ask.about(), sending.op_id, self.name, self.place, sending.row
        )
        self.enter(sending)

    def enter(self, sending: Sending) -> None:
        """To a free hand, or in line for one."""
        if self.capacity is not None and self.busy >= self.capacity:
            if self.queue_bound is not None and len(self.waiting) >= self.queue_bound:
                self.wire.refuse(sending, "queue_full")
                return
            self.wire.guard(sending)
            self.tickets += 1
            self.waiting[self.tickets] = sending
            if self.config.queue_patience is not None:
                self.kernel.after(self.patience_us(sending, self.config.queue_patience), self.renege, self.tickets)
            return
        self.begin(sending)

    def patience_us(self, sending: Sending, law: Distribution) -> int:
        """How long this ask stays in line."""
        task = sending.task
        name = f"{task.sender.role}{self.name}.{sending.ask.verb}/queue_patience"
        return taken(self.wire.law(name, law), task.number, sending.visit)

    def renege(self, ticket: int) -> None:
        """Whoever still waits has waited long enough, and is told that nothing was done."""
        sending = self.waiting.pop(ticket, None)
        if sending is not None:
            self.wire.refuse(sending, "reneged")

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
        service = sending.way.service
        if type(service) is int:
            return service
        drawn: int = service.draw(sending.task.number, sending.visit)  # type: ignore[union-attr]
        return drawn

    def serve(self, sending: Sending) -> None:
        """The moment of effect where nothing stands in the way; `finish` says the same in full."""
        if self.before is not None:
            self.finish(sending)
            return
        now = self.kernel.now
        store = self.store
        answer = store.handle(sending.ask, now)
        if store.journal:
            self.record(now, store.journal, sending.row)
        if self.after is not None:
            self.after(sending.ask, answer)
        back_us = sending.back_us
        if now + back_us > sending.deadline:
            back_us = self.wire.way_back(sending)
        self.kernel.after(back_us, self.sent_back, (sending, answer))

    def finish(self, sending: Sending) -> None:
        """The moment of effect."""
        if sending.incarnation != self.incarnation:
            self.lose(sending)
            return
        if self.capacity is not None:
            self.count(-1)
            self.move_up()
        now = self.kernel.now
        store = self.store
        answer = None if self.before is None else self.before(sending)
        for trouble in self.troubles:
            if answer is None:
                answer = trouble.answers(sending)
        if type(answer) is str:  # who stands before the store turns it away, and says why
            self.wire.refuse(sending, answer)
            return
        if answer is None:
            answer = self.do(sending.ask)
        if store.journal:
            self.record(now, store.journal, sending.row)
        if self.after is not None:
            self.after(sending.ask, answer)
        for trouble in self.troubles:
            if trouble.loses_answer(sending):
                self.wire.guard(sending)
                return
        self.reply(sending, answer)

    def reply(self, sending: Sending, answer: Any) -> None:
        """Say what was done."""
        self.wire.answer(sending, answer)

    def do(self, ask: Any) -> Any:
        """Let the store do it, and whoever follows the store hear of it."""
        now = self.kernel.now
        for hears in self.followers:
            hears(ask, now)
        if not (self.ahead_us or self.drift_ppm):
            return self.store.handle(ask, now)
        answer = self.store.handle(ask, self.clock_us())
        self.tell_in_true_time(self.store.journal)
        return answer

    def move_up(self) -> None:
        """Hands are free: whoever waits, and came first."""
        while self.waiting and (self.capacity is None or self.busy < self.capacity):
            self.begin(self.waiting.popitem(last=False)[1])

    def record(self, now: int, journal: list[Change], cause: int) -> None:
        """Write down what the store did for an ask, and empty its journal."""
        number = self.number
        if number < 0:
            number = self.number = self.recorder.service(self.name, self.place)
        written, put = self.recorder.written, self.recorder.put_change
        row = written.rows
        written.rows = row + len(journal)
        for change in journal:
            put((row, now, number, cause, change))
            row += 1
        journal.clear()

    # -- bad days

    # Simplified: staleness is told by the record's own clock; matters when that clock is wrong.
    def tell_in_true_time(self, journal: list[Change]) -> None:
        """Deadlines are set by this service's own clock; the history says when they really are."""
        for place, change in enumerate(journal):
            if change.deadline != NO_DEADLINE:
                journal[place] = change._replace(deadline=self.true_us(change.deadline))

    def clock_us(self) -> int:
        """What its clock shows."""
        now = self.kernel.now
        return now + self.ahead_us + now * self.drift_ppm // MILLION

    def true_us(self, shown_us: int) -> int:
        """When its clock shows that: the first such moment."""
        return -(-(shown_us - self.ahead_us) * MILLION // (MILLION + self.drift_ppm))

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
            self.lose(self.waiting.popitem(last=False)[1])
        for sending in self.gate.leave() if self.gate is not None else ():
            self.lose(sending)

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
        answer = self.do(ask)
        if self.store.journal:
            self.recorder.acted(now, self.store.journal, actor, actor, self.place)
            self.store.journal.clear()
        return answer
