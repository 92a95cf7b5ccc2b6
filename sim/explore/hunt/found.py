"""What a hunt plays, and what it finds: a case is a day, a seed and the few draws that were overruled; a failure is a
promise that a design broke in it.

Two failures are of one *role* where the same checker says the same sentence, whoever it says it of. Nothing is searched
or made smaller here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from orderquake.model.architecture import Architecture
from orderquake.sim.checkers.fold import Verdict
from orderquake.sim.run import Run, simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.streams import Deviation, Streams

FELT = (
    "never_oversold", "charged_once", "money_conserved", "refunded_right", "posted_once", "notices_sent",
    "every_order_ends",
)  # fmt: skip
"""Promises that somebody outside feels broken, the worst first. Of those that a run breaks, the first is told."""
KEPT_INSIDE = (
    "units_conserved", "reservation_hygiene", "legal_transitions", "books_converge", "fresh_snapshots_only",
    "backpressure_bounded",
)  # fmt: skip
"""Promises whose breach is at first only a wrong book: a hunt goes on for a while, to see whom it hurts."""
ORDER = {name: place for place, name in enumerate((*FELT, *KEPT_INSIDE))}


class Case(NamedTuple):
    """What is played."""

    scenario: Scenario
    seed: int
    deviations: tuple[Deviation, ...] = ()


class Failure(NamedTuple):
    """A broken promise.

    role      the checker's sentence without names and numbers; see `role_of`
    witness   rows that show it
    """

    checker: str
    role: str
    reason: str
    witness: tuple[int, ...]

    @property
    def is_felt(self) -> bool:
        return self.checker in FELT


_NAMES = re.compile(r"o-[0-9a-f]{10}(/\S+)?|sku-\d+|(token|key) \S+|-?\d[\d.,]*( us\b)?")
_LISTS = re.compile(r"#(?:,? (?:and )?#)+")


def role_of(reason: str) -> str:
    """What a violation is, whoever it happens to.

    >>> role_of("sku-1: 2 units fewer than customers were told they get") == role_of("sku-07: 1 units fewer than "
    ... "customers were told they get")
    True
    """
    return _LISTS.sub("#", _NAMES.sub("#", reason.split(" (and ")[0]))


def failures_in(verdicts: Mapping[str, Verdict]) -> list[Failure]:
    """All that is broken, the worst first."""
    broken = [
        Failure(name, role_of(verdict.reason), verdict.reason, verdict.witness)
        for name, verdict in verdicts.items()
        if verdict.status == "invalid"
    ]
    return sorted(broken, key=lambda failure: (ORDER.get(failure.checker, len(ORDER)), failure.role))


def play(case: Case, design: type[Architecture], luck: Streams | None = None) -> Run:
    """Play a case. raises   whatever the harness, the design or a deviation that means nothing raises"""
    return simulate(case.scenario, design, case.seed, luck=luck or Streams(case.seed, case.deviations))


class Spent(BaseException):
    """The budget is over. No `except Exception` on the way out may hold it up."""


@dataclass
class Clock:
    """Seconds of this process's own CPU, so that a busy machine makes nobody's hunt shorter."""

    budget_s: float
    began: float = field(default_factory=time.process_time)

    @property
    def spent_s(self) -> float:
        return time.process_time() - self.began

    @property
    def is_over(self) -> bool:
        return self.spent_s >= self.budget_s


@dataclass(frozen=True)
class Found:
    """A broken promise, as it was met.

    checker, reason   the worst of what the run broke, and the checker's words
    strategy          who found it
    runs, seconds     that it took all strategies together; seconds of CPU
    """

    design: type[Architecture]
    failure: Failure
    case: Case
    strategy: str
    runs: int
    seconds: float
    crashes: int = 0

    @property
    def checker(self) -> str:
        return self.failure.checker

    @property
    def reason(self) -> str:
        return self.failure.reason

    @property
    def scenario(self) -> Scenario:
        return self.case.scenario

    @property
    def seed(self) -> int:
        return self.case.seed

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        return self.case.deviations


@dataclass(frozen=True)
class NotFound:
    """Nothing broke within the budget.

    exercised   checkers that had something to judge in at least one run
    crashes     runs in which the design, or the harness, failed; they count as no runs
    crash       the first of them, in a line
    by_strategy runs of each
    """

    runs: int
    seconds: float
    exercised: frozenset[str]
    crashes: int = 0
    crash: str = ""
    by_strategy: Mapping[str, int] = field(default_factory=dict)

    @property
    def at_most(self) -> float:
        """Upper end of the 95 % interval of the share of runs that break a promise, of runs as these were drawn."""
        from orderquake.sim.study.intervals import share_interval

        return share_interval(0, self.runs)[1]

    def __str__(self) -> str:
        if not self.runs:
            return f"no run came to its end; {self.crashes} failed, the first with {self.crash}"
        return f"0 of {self.runs:,} runs; at most {self.at_most:.2g} at 95 %"


Watch = Callable[[float, int], None]
"""Told seconds of CPU spent and runs made."""
