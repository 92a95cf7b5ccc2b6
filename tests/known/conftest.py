"""How agreement is judged, and how hard.

A number agrees with its reference iff |mean - reference| <= 4 standard errors over 30 independent replications (20,
where one is dear), and the 95 % half-width is within the limit that the test names: else a noisy run would always
agree. A right number fails the first gate once in 2,500 tries (Student's t, 29 degrees; more often where the
values of a run are skewed), so a sound product fails the 150 gates of this folder's small form for about 6 % of all
choices of seeds. The seeds of a test follow from its name: nobody chose them, and no two tests share their luck.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from orderquake.sim.study.intervals import mean_interval

Agrees = Callable[[str, Sequence[float], float, float], None]
RUNS = 30


@dataclass(frozen=True)
class Effort:
    """longer   factor on the length of every replication
    tighter  by how much smaller a half-width must be then"""

    longer: int
    tighter: float
    seeds: range


SLOW = pytest.mark.slow
BIG = pytest.param(True, id="big", marks=SLOW)
ONLY_BIG = pytest.mark.parametrize("effort", [BIG], indirect=True)
"""For what cannot be seen with little effort."""


@pytest.fixture(params=[pytest.param(False, id="small"), BIG])
def effort(request: pytest.FixtureRequest) -> Effort:
    """Every test has a small form, and a slow one with five times the patience."""
    first = zlib.crc32(request.node.name.encode())
    seeds = range(first, first + RUNS)
    return Effort(5, 2.1, seeds) if request.param else Effort(1, 1.0, seeds)


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
