"""Arrivals that are steadier or wilder than Poisson, before one exponential server: GI/M/1."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.sim.units import SECOND
from tests.known import formulas
from tests.known.bench import Pays, constant, exponential, gamma, plays, shop
from tests.known.conftest import SLOW, Agrees, Effort
from tests.known.table import known

WARM_UP = 0.1


def gaps(mean_s: float, cv: float) -> dict[str, Any]:
    """Regular; steadier than Poisson; or of two kinds, either of which brings half of the time."""
    if not cv:
        return constant(mean_s)
    if cv <= 1:
        return gamma(mean_s, cv)
    first = formulas.share_of_the_short(cv)
    parts = [{"weight": p, "of": exponential(mean_s / (2 * p))} for p in (first, 1 - first)]
    return {"kind": "mixture", "parts": parts}


@known("gi_m1", 1, "How does the wait grow with the spread of the gaps between arrivals?", "Kendall (1953)")
@pytest.mark.parametrize(
    ("cv", "rho"),
    [
        (0.0, 0.6),
        pytest.param(0.0, 0.8, marks=SLOW),
        (0.5**0.5, 0.8),
        pytest.param(0.5**0.5, 0.5, marks=SLOW),
        (1.5, 0.5),
        pytest.param(2.0, 0.5, marks=SLOW),
        pytest.param(2.0, 0.8, marks=SLOW),
    ],
    ids=lambda value: f"{value:.3g}",
)
def test_the_wait_grows_with_the_spread_of_the_gaps(effort: Effort, agrees: Agrees, cv: float, rho: float) -> None:
    mean = formulas.mean_wait_behind(formulas.transform_of_gaps(cv, rho))
    # Wild gaps leave their mark on an empty beginning for longer, and a few long lines make the mean.
    number = (10_000 if mean > 5 else 2_000) * effort.longer
    scenario = shop(
        number / rho,
        {"kind": "renewal", "gap": gaps(1 / rho, cv), "popularity": {"kind": "uniform"}},
        service={"payment": {"latency": exponential(1.0), "capacity": 1}},
    )
    means = []
    for made in plays(scenario, Pays, effort.seeds):
        waits = (made.took_us("charge") - made.service_us("charge")) / SECOND
        means.append(float(waits[made.came_after(WARM_UP * scenario.horizon / SECOND)].mean()))
    wide = (0.3 if cv > 1 else 0.16) * mean
    agrees(f"GI/M/1 cv of the gaps {cv:.4g}, rho {rho}: mean wait", means, mean, wide, full=0.025 * mean)
