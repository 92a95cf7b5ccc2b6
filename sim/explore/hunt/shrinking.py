"""The smallest day on which the same promise still breaks in the same way.

Greedy, over a typed list of reductions (`reductions.py`), each judged by playing the timed world once more: one is kept
if the same checker still says the same sentence. It ends where a whole round has helped nowhere, and that round is the
certificate: whatever could be left out, or said more simply, was tried on the very story that is told, and then nothing
broke, or something else did.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from orderquake.model.architecture import Architecture
from orderquake.sim.demand import Listed
from orderquake.sim.explore.hunt.changes import is_rested, rested
from orderquake.sim.explore.hunt.found import Case, Clock, Failure, Found, failures_in, play
from orderquake.sim.explore.hunt.listing import narrowed
from orderquake.sim.explore.hunt.reductions import FAMILIES
from orderquake.sim.report.story_steps import steps_of
from orderquake.sim.run import Run
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.streams import BadDeviation

MOST_STEPS = 15
"""Steps that a story may have; a reduction may not make a longer one longer still."""
BUDGET_S = 20.0
"""CPU seconds after which a story is told as small as it has become."""


@dataclass(frozen=True)
class Tried:
    """A reduction of the final story, and why it was not taken.

    came_of_it   "holds", "another breach", "longer" (more steps than can be told) or "does not run"
    """

    name: str
    came_of_it: str


@dataclass
class Shrinking:
    """A failure being made smaller."""

    design: type[Architecture]
    checker: str
    role: str
    clock: Clock
    is_rested: bool
    runs: int = 0
    known: dict[str, str] = field(default_factory=dict)
    most_steps: int = 1 << 30

    def fails(self, case: Case) -> str:
        """ "fails", or what came of it instead; remembered."""
        case = self.at_rest(case)
        key = f"{case.scenario.model_dump_json()} {case.deviations}"
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self._played(case)
        return found

    def at_rest(self, case: Case) -> Case:
        return case._replace(scenario=rested(case.scenario)) if self.is_rested else case

    def _played(self, case: Case) -> str:
        self.runs += 1
        try:
            run = play(case, self.design)
        except (Exception, BadDeviation):
            return "does not run"
        failures = failures_in(run.verdicts)
        for one in failures:
            if (one.checker, one.role) == (self.checker, self.role):
                steps = len(steps_of(run.history, max(one.witness, default=None)))
                if steps > self.most_steps:
                    return "longer"
                self.most_steps = max(MOST_STEPS, steps)
                return "fails"
        return "another breach" if failures else "holds"

    def smallest(self, case: Case) -> tuple[Case, tuple[Tried, ...] | None]:
        """Reduce until nothing helps, or time is up; then there is no certificate."""
        while True:
            tried: list[Tried] = []
            helped = False
            for family in FAMILIES:
                going, most = True, sys.maxsize  # what left out too much a moment ago is for the next round
                while going:
                    going = False
                    for name, smaller, parts in family(case):
                        if parts > most:
                            continue
                        if self.clock.is_over:
                            return case, None
                        came = self.fails(smaller)
                        if came == "fails":
                            case, going, helped, most = smaller, True, True, parts
                            break
                        tried.append(Tried(name, came))
            if not helped:
                return case, tuple(tried)


@dataclass(frozen=True)
class Shrunk:
    """What became of a case.

    is_minimal   the last round of reductions was whole and helped nowhere
    certificate  every reduction of it that was tried, none of which breaks the same promise; empty where time was up
    run          the smallest case, played
    """

    case: Case
    failure: Failure
    is_minimal: bool
    certificate: tuple[Tried, ...]
    runs: int
    seconds: float
    run: Run


def shrunk(found: Found, budget_s: float = BUDGET_S) -> Shrunk:
    """The smallest case that still breaks the same promise in the same way."""
    clock = Clock(budget_s)
    at_work = Shrinking(found.design, found.failure.checker, found.failure.role, clock, is_rested(found.case.scenario))
    case = _begun(found, at_work)
    case, certificate = at_work.smallest(case)
    case = at_work.at_rest(case)
    case = _named(case, found)
    run = play(case, found.design)
    failure = next(
        one for one in failures_in(run.verdicts) if (one.checker, one.role) == (at_work.checker, at_work.role)
    )
    return Shrunk(case, failure, certificate is not None, certificate or (), at_work.runs, clock.spent_s, run)


def _named(case: Case, found: Found) -> Case:
    """Under its own name, put to the test by the checker that convicts, and read back as a file would be."""
    scenario = case.scenario.model_copy(
        update={
            "name": f"{found.design.name}-{found.checker}",
            "question": f"Is {found.checker} kept by {found.design.name} on this day?",
            "must_exercise": (found.checker,), "must_see": (), "expect": {},
        }
    )  # fmt: skip
    read = Scenario.model_validate({**scenario.tables(), "name": scenario.name})
    return case._replace(scenario=read)


def _begun(found: Found, at_work: Shrinking) -> Case:
    """Everybody who came as a list; and then, in great steps, only those whom the witness names."""
    case = found.case
    if isinstance(case.scenario.workload, Listed):
        return case
    for smaller in narrowed(case, play(case, found.design), found.failure):
        if at_work.fails(smaller) == "fails":
            return smaller
    return case
