"""What a plan knows of a value: the runs that were made there, and on which side of every promise they lie.

The procedure is fixed before the first run. A value is looked at after 4, 8, 16, ... runs, each look at a confidence
that pays for all of them (Bonferroni), and it is decided when one promise is surely missed or all are surely kept. All
values are probed with the same seeds, so that they meet the same luck.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from orderquake.sim.planning.knob import Knob
from orderquake.sim.planning.probe import Probe, Probes
from orderquake.sim.planning.promise import Judged, Promise, Side
from orderquake.sim.scenario import Scenario
from orderquake.sim.study.experiment import Signed, mean_over_runs
from orderquake.sim.study.stopping import Looks

FIRST_LOOK = 4


@dataclass(frozen=True, slots=True)
class Point:
    """One value, as far as it was looked at.

    judged          by promise, in their order
    each            confidence of the intervals that decided
    orders_per_s    sent by customers, a mean over the horizon
    """

    value: float
    side: Side
    promises: tuple[Promise, ...]
    judged: tuple[Judged, ...]
    probes: tuple[Probe, ...]
    each: float
    orders_per_s: float

    @property
    def runs(self) -> int:
        return len(self.probes)

    @property
    def seeds(self) -> tuple[int, int]:
        """The first and the last."""
        return self.probes[0].seed, self.probes[-1].seed

    def measured(self, promise: int) -> Signed:
        """The promise's own measure as each run has it, a mean over runs at 95 %: for reading, not for deciding."""
        return mean_over_runs([probe.seen[promise].value for probe in self.probes])

    def verdicts(self) -> dict[str, int]:
        """Verdict of the runs -> how many."""
        found = Counter(probe.verdict for probe in self.probes)
        return {status: found[status] for status in ("valid", "unknown", "invalid")}

    def binding(self) -> int:
        """The promise that decides here: the first that is missed, else the first that is undecided, else the first."""
        sides = [judged.side for judged in self.judged]
        return next((sides.index(side) for side in ("missed", "undecided") if side in sides), 0)


@dataclass
class Judge:
    """Judges values, and remembers them.

    runs    at most so many a value
    seed    the first; the same at every value
    done    told of each value that was judged
    """

    knob: Knob
    promises: Sequence[Promise]
    probes: Probes
    runs: int
    seed: int
    confidence: float = 0.95
    done: Callable[[Point], None] = lambda _: None

    def __post_init__(self) -> None:
        self.points: dict[float, Point] = {}

    def side(self, value: float) -> Side:
        """Kept, missed or undecided."""
        if value not in self.points:
            self.points[value] = self.judged(self.knob.scenario(value), value, self.seed, self.confidence)
            self.done(self.points[value])
        return self.points[value].side

    def judged(self, scenario: Scenario, value: float, seed: int, confidence: float) -> Point:
        """Look at a scenario until it is decided, or as often as was agreed."""
        looks = Looks.up_to(self.runs, FIRST_LOOK, confidence)
        each = 1 - (1 - looks.each) / len(self.promises)
        point = None
        for number in looks.at:
            made = self.probes.at(scenario, range(seed, seed + number), self.failed(value))
            judged = tuple(
                promise.judged([probe.seen[place] for probe in made], each)
                for place, promise in enumerate(self.promises)
            )
            side = together(self.promises, judged, is_last=number == looks.at[-1])
            rate = sum(probe.orders for probe in made) / len(made) / (scenario.horizon / 1e6)
            point = Point(value, side, tuple(self.promises), judged, tuple(made), each, rate)
            if side != "undecided":
                break
        assert point is not None
        return point

    def failed(self, value: float) -> Callable[[int, str], str]:
        """What tells, by seed and error, how a run at this value is played again."""

        def told(seed: int, error: str) -> str:
            knob = self.knob
            where = f"{knob.asked.scenario.name} on {knob.asked.on} with {knob.path} = {knob.in_words(value)}"
            return f"the harness failed in {where} and seed {seed}: {error}. Again: {knob.command(value, seed)}"

        return told


def together(promises: Sequence[Promise], judged: Sequence[Judged], *, is_last: bool) -> Side:
    """One side for all promises. That something never happens is kept when all runs that were agreed on are made."""
    sides: list[Any] = [
        "undecided" if promise.kind == "never" and one.side == "kept" and not is_last else one.side
        for promise, one in zip(promises, judged, strict=True)
    ]
    if "missed" in sides:
        return "missed"
    return "kept" if all(side == "kept" for side in sides) else "undecided"
