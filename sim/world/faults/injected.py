"""The life of a fault in a run: scheduled, injected when its window opens, witnessed when it has really struck, and
recovered when the window closes; a fault row each.

No fault knows a protocol. It knows services, verbs and moments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from orderquake.sim.history import NONE
from orderquake.sim.recorder import Recorder
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.kernel import Kernel
from orderquake.sim.world.streams import Law, Streams

if TYPE_CHECKING:
    from orderquake.sim.world.service import Replica
    from orderquake.sim.world.wire import Sending, Wire
    from orderquake.sim.world.world import World


@dataclass(frozen=True, slots=True)
class Site:
    """Where a fault is to be injected.

    label   kind and what it says, in short: names its luck and its rows
    fault   as the scenario describes it; each injector knows what kind it gets
    world   None where only a corner of the world exists; complete when the fault begins, not before
    """

    label: str
    fault: Any
    kernel: Kernel
    streams: Streams
    recorder: Recorder
    wire: Wire
    scenario: Scenario
    world: World | None = None

    @property
    def replica(self) -> Replica:
        """The service that it strikes."""
        return self.wire.replicas[self.fault.target]


class Injected:
    """A fault of a run. Subclasses say how it strikes; this class keeps its life and its count.

    strikes   how often it has really struck
    steps     verbs (or jobs) that it has struck, "" for what is neither
    moment    where on its way a fault of chance takes an ask from whoever stands behind; "" where it leaves it to them
    behind    who never hears of an ask that this one takes at that moment
    """

    moment: ClassVar[str] = ""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.label = site.label
        self.fault = site.fault
        self.kernel = site.kernel
        self.recorder = site.recorder
        self.streams = site.streams
        self.asked = 0
        self.behind: list[Injected] = []
        self.strikes = 0
        self.steps: list[str] = []
        self.is_on = False

    def stand_before(self, *replicas: Replica) -> None:
        """Have a say in whatever these services are asked."""
        for replica in dict.fromkeys(member for each in replicas for member in each.members):
            replica.is_open = False
            replica.troubles.append(self)

    def note(self, answer: str, cause: int = NONE, run: str = "") -> None:
        self.recorder.history.state(
            self.kernel.now,
            self.fault.kind,
            kind="fault",
            op_id=run,
            key=self.label,
            actor=self.fault.where(),
            answer=answer,
            units=self.strikes,
            cause=cause,
            witness="outside",
        )

    def begin(self, _: Any = None) -> None:
        self.is_on = True
        self.note("injected")

    def end(self, _: Any = None) -> None:
        if self.is_on:
            self.is_on = False
            self.note("recovered")

    def struck(self, sending: Sending | None = None) -> None:
        """It had an effect, on this ask if it was on one: the first time, and the first of each verb, is a witness."""
        if sending is None:
            self.struck_at("")
        else:
            self.struck_at(sending.ask.verb, sending.row)

    def struck_at(self, step: str, cause: int = NONE, run: str = "") -> None:
        """It had an effect at a step: a verb, whose ask is `cause`, or a job, whose run is `run`."""
        self.strikes += 1
        if step not in self.steps:
            self.steps.append(step)
            self.note("witnessed", cause, run)

    def draw(self, what: str, number: int, visit: int) -> float:
        """This fault's own luck, from 0 to 1, for one ask."""
        luck: float = self.streams.uniform(f"fault/{self.label}/{what}").draw(number, visit)
        return luck

    def draw_of(self, what: str, verb: str, law: Law, number: int, visit: int) -> int:
        """How long, by its own luck, for one ask; microseconds."""
        drawn: int = self.streams.of(f"fault/{self.label}/{what}/{verb}", law).draw(number, visit)
        return drawn

    def concerns(self, verb: str) -> bool:
        """Is it at work, and is this one of the asks that it is about?"""
        return self.is_on and self.fault.operation in (None, verb)

    def picks(self, verb: str, number: int, visit: int) -> bool:
        """Does a fault of chance choose this ask? Whether it strikes is another matter; `struck` counts that."""
        fault = self.fault
        if not self.concerns(verb) or (fault.at_most is not None and self.strikes >= fault.at_most):
            return False
        self.asked += 1
        if fault.nth is not None:
            is_picked = self.asked == fault.nth
        else:
            is_picked = self.draw(verb, number, visit) < fault.probability
        if is_picked:
            self.take(verb)
        return bool(is_picked)

    def take(self, verb: str) -> None:
        """Whoever stands behind and counts asks counts this one, too."""
        for other in self.behind:
            if other.concerns(verb):
                other.asked += 1

    def is_before(self, other: Injected) -> bool:
        """Is the other, who comes later, not asked about what this one takes?"""
        mine, theirs = ((made.moment, made.fault.target, getattr(made.fault, "when", "")) for made in (self, other))
        return self.moment != "" and mine == theirs

    def hits(self, sending: Sending) -> bool:
        """Does a fault of chance strike this ask?"""
        is_hit = self.picks(sending.ask.verb, sending.task.number, sending.visit)
        if is_hit:
            self.struck(sending)
        return is_hit

    # What a fault may do at a service; nothing, unless a subclass says so. See `service.Trouble`.

    def loses_ask(self, sending: Sending) -> bool:
        return False

    def delayed(self, sending: Sending, out_us: int) -> int:
        return out_us

    def copies_after(self, sending: Sending) -> int | None:
        return None

    def turns_away(self, sending: Sending) -> str | None:
        return None

    def slowed(self, sending: Sending, work_us: int) -> int:
        return work_us

    def answers(self, sending: Sending) -> Any:
        return None

    def loses_answer(self, sending: Sending) -> bool:
        return False

    def loses_refusal(self, sending: Sending) -> bool:
        return False

    def held_back(self, sending: Sending, back_us: int) -> int:
        return back_us
