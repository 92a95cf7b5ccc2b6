"""What goes wrong with those who do the work."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from orderquake.model.architecture import Architecture
from orderquake.model.verbs import VERBS, understood
from orderquake.sim.nemesis import workers as described
from orderquake.sim.units import SECOND
from orderquake.sim.world.faults.injected import Injected, Site
from orderquake.sim.world.performer import Task
from orderquake.sim.world.wire import Sending


def verbs_of(site: Site) -> tuple[str, ...]:
    """The verbs at which a worker may be struck: those that the design's own service understands."""
    fault = site.fault
    known = VERBS if site.world is None else understood(site.world.stores)
    return tuple(verb for verb in known.get(fault.target, ()) if fault.operation in (None, verb))


class Crash(Injected):
    moment = "asker dies"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        site.replica.is_open = False
        for verb in verbs_of(site):
            site.wire.crashes.setdefault(verb, []).append(self.strikes_worker)

    def strikes_worker(self, task: Task, sending: Sending, when: str) -> bool:
        """Does the asker die here?"""
        return when == self.fault.when and self.hits(sending)


class Pause(Injected):
    moment = "asker sleeps"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.length = site.streams.of(f"fault/{site.label}/length", site.fault.length)
        site.replica.is_open = False
        for verb in verbs_of(site):
            site.wire.pauses.setdefault(verb, []).append(self.freezes)

    def freezes(self, task: Task, verb: str, visit: int, when: str) -> int | None:
        """How long the asker stands still here, at least a microsecond; None where it does not."""
        if when != self.fault.when or not self.picks(verb, task.number, visit):
            return None
        if when == "after":
            assert isinstance(task.waits_for, Sending)
            self.struck(task.waits_for)
        else:
            self.struck_before(task, verb)
        length_us: int = max(1, self.length.draw(task.number, visit))
        if self.fault.outlives_deadline:
            task.frozen_us += length_us
        return length_us

    def struck_before(self, task: Task, verb: str) -> None:
        """Nothing has been sent yet: the witness names the mark that the asker is about to leave."""
        self.strikes += 1
        if verb not in self.steps:
            self.steps.append(verb)
            self.kernel.after(0, self.tell, task)

    def tell(self, task: Task) -> None:
        self.note("witnessed", task.cause)


class KilledAtDeadline(Injected):
    """Who is struck stands still until its deadline has passed. It has struck when the worker was killed."""

    moment = "asker sleeps"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.chosen = 0
        self.deadline_us: int = site.scenario.policy.worker_deadline
        for verb in verbs_of(site):
            site.wire.pauses.setdefault(verb, []).append(self.freezes)

    def freezes(self, task: Task, verb: str, visit: int, when: str) -> int | None:
        """How long it stands still, beyond any deadline; None where it is not struck."""
        world, at_most = self.site.world, self.fault.at_most
        assert world is not None, "only a whole world has workers"
        if when != self.fault.when or all(worker.task is not task for worker in world.workers.all):
            return None
        if (at_most is not None and self.chosen >= at_most) or not self.picks(verb, task.number, visit):
            return None
        self.chosen += 1
        self.kernel.after(self.deadline_us, self.was_killed, (task, verb))
        return self.deadline_us + SECOND

    def was_killed(self, what: tuple[Task, str]) -> None:
        """The last that the dead have left behind is the mark that they stood still."""
        task, verb = what
        if task.waits_for == "killed":
            self.struck_at(verb, task.cause)


class ColdStartStorm(Injected):
    def begin(self, _: Any = None) -> None:
        super().begin()
        world = self.site.world
        assert world is not None, "only a whole world has workers"
        for number, worker in enumerate(world.workers.all):
            if self.fault.target in (None, worker.place.name):
                worker.chill = partial(self.start_us, number)

    def start_us(self, number: int) -> int:
        """How long the start of this worker takes, which has just begun."""
        self.struck()
        return self.draw_of("takes", "start", self.fault.takes, number, 0)


class OldVersion(Injected):
    def begin(self, _: Any = None) -> None:
        from orderquake.sim.run import design_of

        super().begin()
        world = self.site.world
        assert world is not None, "only a whole world has workers"
        self.design: Architecture = design_of(self.fault.design)(world.design.policy)
        theirs = {name: type(store) for name, store in self.design.stores({}).items()}
        ours = {name: type(store) for name, store in world.stores.items()}
        if theirs.keys() == ours.keys() and all(
            issubclass(kind, ours[name]) or issubclass(ours[name], kind) for name, kind in theirs.items()
        ):  # else it is no version of this design
            world.workers.versions.append(self.version)

    def version(self, turn: int, place: str) -> Architecture | None:
        """The other version, if this turn runs it."""
        is_here = self.is_on and self.fault.target in (None, place)
        if not is_here or self.draw("turn", turn, 0) >= self.fault.share:
            return None
        self.struck()
        return self.design


INJECTORS: dict[type, Callable[[Site], Injected]] = {
    described.Crash: Crash,
    described.Pause: Pause,
    described.KilledAtDeadline: KilledAtDeadline,
    described.ColdStartStorm: ColdStartStorm,
    described.OldVersion: OldVersion,
}
