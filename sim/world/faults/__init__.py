"""The nemesis: carries out the faults that a scenario describes, and writes down what it did.

A fault is scheduled, injected when its window opens, witnessed when it has really struck, and recovered when the window
closes. No fault knows a protocol; it knows services, verbs and moments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orderquake.model.payment import ServerError
from orderquake.sim import nemesis as described
from orderquake.sim.recorder import Recorder
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.kernel import Kernel
from orderquake.sim.world.streams import Streams

if TYPE_CHECKING:
    from orderquake.sim.world.performer import Task
    from orderquake.sim.world.service import Replica
    from orderquake.sim.world.wire import Sending, Wire


class Injected:
    """A fault of a run. Subclasses say how it strikes; this class keeps its life and its count.

    label     kind and position in the scenario: names its luck and its rows
    strikes   how often it has really struck
    """

    def __init__(self, label: str, fault: Any, kernel: Kernel, streams: Streams, recorder: Recorder) -> None:
        self.label = label
        self.fault = fault
        self.kernel = kernel
        self.recorder = recorder
        self.streams = streams
        self.asked = 0
        self.strikes = 0
        self.is_on = False

    def note(self, answer: str) -> None:
        self.recorder.history.state(
            self.kernel.now,
            self.fault.kind,
            kind="fault",
            key=self.label,
            actor=self.fault.target,
            answer=answer,
            units=self.strikes,
            witness="outside",
        )

    def begin(self, _: Any = None) -> None:
        self.is_on = True
        self.note("injected")

    def end(self, _: Any = None) -> None:
        if self.is_on:
            self.is_on = False
            self.note("recovered")

    def struck(self) -> None:
        """It had an effect: the first time is its witness."""
        self.strikes += 1
        if self.strikes == 1:
            self.note("witnessed")

    def hits(self, verb: str, number: int, visit: int) -> bool:
        """Does a fault of chance strike this ask?"""
        fault = self.fault
        if not self.is_on or (fault.operation is not None and fault.operation != verb):
            return False
        if fault.at_most is not None and self.strikes >= fault.at_most:
            return False
        self.asked += 1
        if fault.nth is not None:
            is_hit = self.asked == fault.nth
        else:
            is_hit = self.streams.uniform(f"fault/{self.label}/{verb}").draw(number, visit) < fault.probability
        if is_hit:
            self.struck()
        return bool(is_hit)

    # What a fault may do at a service; nothing, unless a subclass says so.

    def loses_ask(self, sending: Sending) -> bool:
        return False

    def loses_answer(self, sending: Sending) -> bool:
        return False

    def copies_after(self, sending: Sending) -> int | None:
        return None

    def slowed(self, sending: Sending, work_us: int) -> int:
        return work_us


class LoseAsk(Injected):
    def loses_ask(self, sending: Sending) -> bool:
        return self.hits(sending.ask.verb, sending.task.number, sending.visit)


class LoseAnswer(Injected):
    def loses_answer(self, sending: Sending) -> bool:
        return self.hits(sending.ask.verb, sending.task.number, sending.visit)


class Duplicate(Injected):
    def __init__(self, label: str, fault: Any, kernel: Kernel, streams: Streams, recorder: Recorder) -> None:
        super().__init__(label, fault, kernel, streams, recorder)
        self.lag = streams.of(f"fault/{label}/after", fault.after)

    def copies_after(self, sending: Sending) -> int | None:
        if self.hits(sending.ask.verb, sending.task.number, sending.visit):
            later_us: int = self.lag.draw(sending.task.number, sending.visit)
            return later_us
        return None


class Slow(Injected):
    def __init__(self, label: str, fault: Any, kernel: Kernel, streams: Streams, recorder: Recorder) -> None:
        super().__init__(label, fault, kernel, streams, recorder)
        self.more = None if fault.add is None else streams.of(f"fault/{label}/add", fault.add)

    def slowed(self, sending: Sending, work_us: int) -> int:
        fault = self.fault
        if not self.is_on or (fault.operation is not None and fault.operation != sending.ask.verb):
            return work_us
        self.struck()
        slow_us = round(work_us * fault.factor) if fault.factor is not None else work_us
        if self.more is not None:
            slow_us += self.more.draw(sending.task.number, sending.visit)
        return slow_us


class BrownOut(Injected):
    def __init__(
        self,
        label: str,
        fault: Any,
        kernel: Kernel,
        streams: Streams,
        recorder: Recorder,
        replica: Replica,
    ) -> None:
        super().__init__(label, fault, kernel, streams, recorder)
        self.usually, replica.before = replica.before, self.before
        replica.troubles.append(self)

    def errs(self, sending: Sending) -> bool:
        """Is this ask one of the share? Asked when the work begins and again when it ends: the same both times."""
        luck = self.streams.uniform(f"fault/{self.label}/{sending.ask.verb}")
        is_hit: bool = self.is_on and luck.draw(sending.task.number, sending.visit) < self.fault.share
        return is_hit

    def slowed(self, sending: Sending, work_us: int) -> int:
        if not self.is_on or self.fault.factor == 1 or self.errs(sending):
            return work_us
        self.struck()
        slow_us: int = round(work_us * self.fault.factor)
        return slow_us

    def before(self, sending: Sending) -> Any:
        if self.errs(sending):
            self.struck()
            return ServerError()
        return None if self.usually is None else self.usually(sending)


class Crash(Injected):
    def strikes_worker(self, task: Task, sending: Sending, when: str) -> bool:
        """Does the asker die here? Only workers and jobs do; customers' front doors are asked again by customers."""
        return when == self.fault.when and self.hits(sending.ask.verb, task.number, sending.visit)


class Pause(Injected):
    def __init__(self, label: str, fault: Any, kernel: Kernel, streams: Streams, recorder: Recorder) -> None:
        super().__init__(label, fault, kernel, streams, recorder)
        self.length = streams.of(f"fault/{label}/length", fault.length)

    def freezes(self, task: Task, verb: str, visit: int, when: str) -> int | None:
        """How long the asker stands still here, at least a microsecond; None where it does not."""
        if when != self.fault.when or not self.hits(verb, task.number, visit):
            return None
        length_us: int = max(1, self.length.draw(task.number, visit))
        if self.fault.outlives_deadline:
            task.frozen_us += length_us
        return length_us


class Down(Injected):
    def __init__(
        self,
        label: str,
        fault: Any,
        kernel: Kernel,
        streams: Streams,
        recorder: Recorder,
        replica: Replica,
    ) -> None:
        super().__init__(label, fault, kernel, streams, recorder)
        self.replica = replica

    def begin(self, _: Any = None) -> None:
        super().begin()
        self.replica.on_down = lambda sending: self.struck()
        self.replica.go_down()

    def end(self, _: Any = None) -> None:
        super().end()
        self.replica.on_down = None
        self.replica.come_back()


class Wiped(Injected):
    def __init__(
        self,
        label: str,
        fault: Any,
        kernel: Kernel,
        streams: Streams,
        recorder: Recorder,
        replica: Replica,
    ) -> None:
        super().__init__(label, fault, kernel, streams, recorder)
        self.replica = replica

    def begin(self, _: Any = None) -> None:
        super().begin()
        self.struck()
        store: Any = self.replica.store
        store.lose_everything()
        self.recorder.acted(self.kernel.now, store.journal, self.label, "stock", self.replica.place)
        store.journal.clear()


_WITH_REPLICA: dict[type, Callable[..., Injected]] = {
    described.Down: Down,
    described.BrownOut: BrownOut,
    described.Wiped: Wiped,
}
_AT_SERVICE: dict[type, Callable[..., Injected]] = {
    described.LoseAsk: LoseAsk,
    described.LoseAnswer: LoseAnswer,
    described.Duplicate: Duplicate,
    described.Slow: Slow,
}


def inject(scenario: Scenario, kernel: Kernel, streams: Streams, recorder: Recorder, wire: Wire) -> list[Injected]:
    """Schedule every fault of the scenario; returns them so that a run can ask what was seen."""
    injected: list[Injected] = []
    for number, fault in enumerate(scenario.fault):
        label = f"{fault.kind}-{number + 1}"
        replica = wire.replicas[fault.target]
        replica.is_open = False
        arguments = (label, fault, kernel, streams, recorder)
        if type(fault) in _WITH_REPLICA:
            made = _WITH_REPLICA[type(fault)](*arguments, replica)
        elif type(fault) in _AT_SERVICE:
            made = _AT_SERVICE[type(fault)](*arguments)
            replica.troubles.append(made)
        elif type(fault) is described.Pause:
            made = Pause(*arguments)
            for verb in verbs_of(fault, replica):
                wire.pauses.setdefault(verb, []).append(made.freezes)
        else:
            crash = Crash(*arguments)
            for verb in verbs_of(fault, replica):
                wire.crashes.setdefault(verb, []).append(crash.strikes_worker)
            made = crash
        since_us, until_us = fault.window(scenario.horizon)
        kernel.after(since_us, made.begin)
        kernel.after(min(until_us, scenario.horizon), made.end)
        injected.append(made)
    return injected


def verbs_of(fault: Any, replica: Replica) -> tuple[str, ...]:
    """The verbs at which a crash or a pause may strike."""
    from orderquake.model.verbs import VERBS

    return (fault.operation,) if fault.operation is not None else VERBS[replica.name]
