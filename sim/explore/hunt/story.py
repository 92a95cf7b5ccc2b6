"""A story: the smallest day on which a promise breaks, with its steps, and the certificate that nothing can go."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from orderquake.model.architecture import Architecture
from orderquake.sim.demand import Listed
from orderquake.sim.explore.hunt.found import Case, Failure, Found
from orderquake.sim.explore.hunt.shrinking import BUDGET_S, MOST_STEPS, Tried, shrunk
from orderquake.sim.history import History
from orderquake.sim.report.story_steps import Step, steps_of
from orderquake.sim.run import Run

MOST_ORDERS, MOST_SKUS, MOST_FAULTS, MOST_DEVIATIONS = 3, 2, 2, 2
"""What a story has at most, if it is to be told; see `shrinking.MOST_STEPS`, too."""


@dataclass(frozen=True)
class Story:
    """What a failure was made into.

    found         as it was met
    case          the smallest one that still fails, and `run`, what it comes to
    is_minimal    a whole round of reductions was tried on it, and none still fails; `certificate` names them
    runs, seconds that the shrinking took; seconds of CPU
    """

    found: Found
    case: Case
    failure: Failure
    run: Run
    is_minimal: bool
    certificate: tuple[Tried, ...]
    runs: int
    seconds: float

    @property
    def design(self) -> type[Architecture]:
        return self.found.design

    @property
    def checker(self) -> str:
        return self.failure.checker

    @property
    def reason(self) -> str:
        return self.failure.reason

    @property
    def history(self) -> History:
        return self.run.history

    @property
    def orders(self) -> int:
        workload = self.case.scenario.workload
        return len(workload.order) if isinstance(workload, Listed) else self.run.outcomes()["submitted"]

    @property
    def skus(self) -> int:
        return self.case.scenario.stock.skus

    @property
    def faults(self) -> int:
        return len(self.case.scenario.fault)

    @property
    def deviations(self) -> int:
        return len(self.case.deviations)

    @property
    def breach(self) -> int:
        """The last row that shows it."""
        return max(self.failure.witness, default=len(self.history) - 1)

    @cached_property
    def told(self) -> tuple[Step, ...]:
        """The steps up to the breach."""
        return tuple(steps_of(self.history, self.breach))

    @property
    def steps(self) -> int:
        return len(self.told)

    @property
    def is_short(self) -> bool:
        """Within the bounds of a story that can be told."""
        return (
            self.orders <= MOST_ORDERS and self.skus <= MOST_SKUS and self.faults <= MOST_FAULTS
            and self.deviations <= MOST_DEVIATIONS and self.steps <= MOST_STEPS
        )  # fmt: skip

    def __str__(self) -> str:
        sizes = ", ".join(
            counted(number, what)
            for number, what in (
                (self.orders, "order"), (self.skus, "product"), (self.case.scenario.stock.units_per_sku, "unit"),
                (self.faults, "fault"), (self.deviations, "late event"), (self.steps, "step"),
            )
        )  # fmt: skip
        minimal = "nothing can go" if self.is_minimal else "not shown to be minimal: the time was up"
        return f"{self.checker} on {self.design.name}: {sizes}; {minimal}"


def counted(number: int, what: str) -> str:
    """
    >>> counted(0, "fault"), counted(1, "order"), counted(2, "step")
    ('no fault', '1 order', '2 steps')
    """
    return f"{number or 'no'} {what}{'s' if number > 1 else ''}"


def story_of(found: Found, budget_s: float = BUDGET_S) -> Story:
    """Shrink what was found, and tell its steps."""
    small = shrunk(found, budget_s)
    return Story(
        found, small.case, small.failure, small.run, small.is_minimal, small.certificate, small.runs, small.seconds
    )
