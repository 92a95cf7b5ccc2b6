"""How agreement is judged, and how hard.

A number agrees with its reference iff |mean - reference| <= 4 standard errors over independent replications, and the
95 % half-width is within the limit that the test names: else a noisy run would always agree. With 30 replications and more a
right number fails the first gate at most once in 2,500 tries (Student's t, 29 degrees), so a sound product fails the
hundred-odd gates of this folder under about 4 % of all choices of seeds. Seeds are 1, 2, 3, ... and stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from orderquake.sim.study.intervals import mean_interval

Agrees = Callable[[str, Sequence[float], float, float], None]


@dataclass(frozen=True)
class Effort:
    """longer   factor on the length of every replication
    tighter  by how much smaller the half-width must be then"""

    longer: int
    tighter: float
    runs: int = 30

    @property
    def seeds(self) -> range:
        return range(1, self.runs + 1)


@pytest.fixture(params=[pytest.param(Effort(1, 1.0), id="small"), pytest.param(Effort(8, 2.7), id="big", marks=pytest.mark.slow)])
def effort(request: pytest.FixtureRequest) -> Effort:
    """Every test has a small form, and a slow one with ninefold patience."""
    made: Effort = request.param
    return made


@pytest.fixture
def agrees(record_property: Callable[[str, object], None], effort: Effort) -> Agrees:
    """`agrees(what, a value a replication, reference, half-width allowed)`."""

    def judge(what: str, values: Sequence[float], reference: float, half_width: float) -> None:
        assert len(values) >= 20, "a gate needs at least 20 replications"
        mean, found, runs = mean_interval(values)
        error = float(np.std(values, ddof=1)) / runs**0.5
        z = abs(mean - reference) / error if error else 0.0 if mean == reference else float("inf")
        allowed = half_width / effort.tighter
        row = f"{what}: reference {reference:.6g}, ours {mean:.6g} ± {found:.2g} (allowed {allowed:.2g}), z {z:.2f}"
        record_property(what, row)
        assert z <= 4, row
        assert found <= allowed, row

    return judge
