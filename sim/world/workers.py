"""Workers: each takes an order from the queue, advances it until it rests, hands the lease back, takes the next.

A worker has a deadline for a turn; past it, it is killed where it stands, as functions are. A killed worker comes back
after a moment, empty-handed; the lease of what it was doing runs out by itself. Where starting takes time, whoever was
killed, or idle for too long, starts cold.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orderquake.model.work_queue import Enqueue, Leased, WorkQueue
from orderquake.sim.units import SECOND
from orderquake.sim.world.kernel import Alarms
from orderquake.sim.world.performer import DONE, KILLED, Task
from orderquake.sim.world.tempo import Source
from orderquake.sim.world.tempo import taken as drawn
from orderquake.sim.world.wire import Sender

if TYPE_CHECKING:
    from orderquake.model.architecture import Architecture
    from orderquake.sim.scenario import Place
    from orderquake.sim.world.wire import Sending
    from orderquake.sim.world.world import World

RESTART_US = SECOND
"""From a kill to the next turn where the place says nothing of cold starts; with its imports one takes about a second.
An assumption."""
COLD = -1
"""No moment at all at which it is warm."""
LOOK_EVERY_US = 5 * SECOND
"""How often idle workers look for leases that ran out: the long poll of a queue service."""


class Worker:
    """One worker, busy or parked.

    cold_start      what its cold starts are drawn from; 0 where it has none
    chill           how long its next start takes, where a fault has made it cold; asked when it begins
    warm_until_us   the last moment at which it may begin a turn without starting anew
    """

    __slots__ = (
        "chill",
        "cold_start",
        "leased",
        "number",
        "place",
        "sender",
        "starts",
        "task",
        "turn",
        "warm_until_us",
    )

    def __init__(self, number: int, place: Place, sender: Sender, cold_start: Source) -> None:
        self.number = number
        self.place = place
        self.sender = sender
        self.cold_start = cold_start
        self.warm_until_us = COLD if place.starts_cold else place.keep_warm
        self.chill: Callable[[], int] | None = None
        self.starts = 0
        self.leased: Leased | None = None
        self.task: Task | None = None
        self.turn = 0


def is_over(which: tuple[Worker, int]) -> bool:
    """Has this turn of a worker ended?"""
    worker, turn = which
    return worker.turn != turn or worker.task is None


class Workers:
    """All workers of a run, and who of them has nothing to do.

    versions   told a turn and its place, the design that it runs instead of the world's, or None
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.kernel = world.kernel
        self.performer = world.performer
        self.deadlines = Alarms(self.kernel, world.design.policy.worker_deadline_us, self.deadline, is_over)
        self.turns = 0
        self.versions: list[Callable[[int, str], Architecture | None]] = []
        places = world.scenario.place
        cold = {place.name: world.wire.law(f"workers/{place.name}/cold_start", place.cold_start) for place in places}
        self.all = [
            Worker(number, place, Sender(f"worker-{place.name}-{number}", place.name, ""), cold[place.name])
            for number in range(max(place.workers for place in places))
            for place in places
            if number < place.workers
        ]
        self.parked = deque(self.all)
        self.takers = {place.name: Sender(f"worker-{place.name}", place.name, "worker/") for place in places}
        replica = world.wire.replicas["queue"]
        assert isinstance(replica.store, WorkQueue)
        self.queue: WorkQueue = replica.store
        self.replica = replica
        replica.after = self.on_queue
        self.line_bound = world.scenario.service.queue.line_bound
        if self.line_bound is not None:
            replica.before = self.turns_away
        self.kernel.after(LOOK_EVERY_US, self.look)

    @property
    def busy(self) -> int:
        return len(self.all) - len(self.parked)

    def on_queue(self, ask: Any, _answer: Any) -> None:
        if type(ask) is Enqueue:
            self.wake(len(ask.order_ids))

    # Simplified: a batch that finds room goes in whole; matters when the bound is smaller than recovery's batch.
    def turns_away(self, sending: Sending) -> str | None:
        """A line that is full takes nobody in; who is in it already, or being worked on, stays."""
        ask = sending.ask
        if type(ask) is not Enqueue or self.line_bound is None:
            return None
        self.queue.take_back(self.replica.clock_us())
        if len(self.queue.waiting) < self.line_bound or all(one in self.queue.deliveries for one in ask.order_ids):
            return None
        return "line_full"

    # Simplified: idle workers hear of a new order at once, the longest idle first; matters when polling is slow, and
    # when cold starts are to be few.
    def wake(self, how_many: int) -> None:
        while how_many and self.parked:
            how_many -= 1
            self.take(self.parked.popleft())

    def has_work(self) -> bool:
        """Would somebody who asks the queue now, by its own clock, get an order?"""
        return self.queue.has_work(self.replica.clock_us())

    def look(self, _: Any = None) -> None:
        """Leases may have run out while nobody looked."""
        if self.parked and self.has_work():
            self.wake(len(self.parked))
        self.kernel.after(LOOK_EVERY_US, self.look)

    # -- a turn

    def take(self, worker: Worker) -> None:
        """Take an order; who is cold must start first."""
        worker.turn += 1
        if worker.chill is not None:
            start_us, worker.chill = max(1, worker.chill()), None
        elif worker.cold_start == 0 or self.kernel.now <= worker.warm_until_us:
            self.lease(worker)
            return
        else:
            start_us = max(1, drawn(worker.cold_start, worker.number, worker.starts))
            worker.starts += 1
        sender = worker.sender
        self.world.history.state(
            self.kernel.now,
            "cold_start",
            kind="mark",
            op_id=f"{sender.actor}.{worker.turn}",
            actor=sender.actor,
            place=sender.place,
            deadline=self.kernel.now + start_us,
        )
        self.kernel.after(start_us, self.lease, worker)

    def lease(self, worker: Worker) -> None:
        self.turns += 1
        task = Task(
            self.world.design.take(),
            f"{worker.sender.actor}.{worker.turn}",
            self.takers[worker.sender.place],
            self.turns,
            {},
            lambda task, how, value: self.taken(worker, task.number, how, value),
        )
        self.performer.start(task)

    def version_of(self, turn: int, place: str) -> Architecture:
        """Whose story this turn tells: the design's, unless some older version is still about."""
        design = self.world.design
        for version in self.versions:
            design = version(turn, place) or design
        return design

    def taken(self, worker: Worker, turn: int, how: str, value: Any) -> None:
        if how is not DONE or type(value) is not Leased:
            self.drop(worker, how)
            return
        worker.leased = value
        self.deadlines.set((worker, worker.turn))
        number, visits = self.world.luck_of(value.order_id)
        design = self.version_of(turn, worker.place.name) if self.versions else self.world.design

        def advanced(task: Task, how: str, more: Any) -> None:
            """One step is done; the next one, and the asks of a turn are numbered through."""
            if how is not DONE:
                self.drop(worker, how)
                return
            if more:
                task.flow = design.advance(value.order_id)
            else:
                task.flow = design.hand_back(value)
                task.on_end = handed_back
            self.performer.start(task)

        def handed_back(task: Task, how: str, _: Any) -> None:
            self.handed_back(worker, how)

        worker.task = Task(
            design.advance(value.order_id),
            f"{worker.sender.actor}.{worker.turn}",
            worker.sender,
            number,
            visits,
            advanced,
        )
        self.performer.start(worker.task)

    def handed_back(self, worker: Worker, how: str) -> None:
        if how is DONE and worker.leased is not None:
            self.world.forget_luck_of(worker.leased.order_id)
        self.drop(worker, how)

    def drop(self, worker: Worker, how: str) -> None:
        """The turn is over, one way or another; a killed worker needs a moment."""
        worker.leased = None
        worker.task = None
        worker.turn += 1
        worker.warm_until_us = COLD if how is KILLED else self.kernel.now + worker.place.keep_warm
        if how is KILLED and worker.cold_start == 0:
            self.kernel.after(RESTART_US, self.rest, worker)
        else:
            self.rest(worker)

    def rest(self, worker: Worker) -> None:
        """Take the next order, or park where there is none."""
        self.world.history.pack(spare=2)
        if self.has_work() and not self.replica.is_down:
            self.take(worker)
        else:
            self.parked.append(worker)

    def deadline(self, which: tuple[Worker, int]) -> None:
        worker, _ = which
        if is_over(which) or worker.task is None:
            return
        if worker.task.frozen_us:  # its clock stood still as well
            self.kernel.after(worker.task.frozen_us, self.deadline, which)
            worker.task.frozen_us = 0
        else:
            self.world.mark("worker_killed_at_deadline", worker.sender, worker.task)
            self.performer.kill(worker.task)
