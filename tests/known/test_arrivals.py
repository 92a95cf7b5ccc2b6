"""Arrivals that are steadier or wilder than Poisson, before one exponential server: GI/M/1.

An arrival finds the line as long as a geometric law says, whose parameter sigma solves sigma = A(mu (1 - sigma)), with
A the transform of the gaps; the mean wait is sigma / (1 - sigma) services. source   Kendall (1953)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scipy import optimize

from orderquake.sim.units import SECOND
from tests.known.bench import Pays, constant, exponential, play, seconds, shop
from tests.known.conftest import Agrees, Effort

SLOW = pytest.mark.slow
WARM_UP = 0.1
HALF = (1 + 0.6**0.5) / 2
"""Of a hyperexponential law with balanced means and a squared coefficient of variation of 4: chance of the first."""


def erlang(gap_s: float) -> dict[str, Any]:
    return {"kind": "gamma", "mean": seconds(gap_s), "cv": 0.5**0.5}


def wild(gap_s: float) -> dict[str, Any]:
    """Balanced: either part brings half of the time."""
    parts = [{"weight": p, "of": exponential(gap_s / (2 * p))} for p in (HALF, 1 - HALF)]
    return {"kind": "mixture", "parts": parts}


def mean_wait(transform: Callable[[float], float]) -> float:
    """GI/M/1 in units of the mean service, from the transform of the gaps in the same units."""
    sigma = optimize.brentq(lambda s: s - transform(1 - s), 0.0, 1 - 1e-6)
    return float(sigma / (1 - sigma))


def of_erlang(rho: float) -> Callable[[float], float]:
    return lambda s: (2 * rho / (2 * rho + s)) ** 2


def of_wild(rho: float) -> Callable[[float], float]:
    return lambda s: sum(p * 2 * p * rho / (2 * p * rho + s) for p in (HALF, 1 - HALF))


def test_the_printed_points_are_those_of_the_formula() -> None:
    assert mean_wait(of_erlang(0.8)) == pytest.approx(2.843980, abs=1e-6)
    assert mean_wait(of_wild(0.8)) == pytest.approx(9.819193, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "rho", "gap", "mean", "half_width"),
    [
        pytest.param("D", 0.8, constant, 1.692731, 0.2, marks=SLOW),
        ("E2", 0.8, erlang, 2.843980, 0.45),
        pytest.param("E2", 0.5, erlang, mean_wait(of_erlang(0.5)), 0.06, marks=SLOW),
        ("H2", 0.5, wild, mean_wait(of_wild(0.5)), 0.25),
        pytest.param("H2", 0.8, wild, 9.819193, 3.0, marks=SLOW),
    ],
    ids=lambda value: f"{value}" if isinstance(value, str | float) else "",
)
def test_the_wait_grows_with_the_spread_of_the_gaps(
    effort: Effort,
    agrees: Agrees,
    name: str,
    rho: float,
    gap: Callable[[float], dict[str, Any]],
    mean: float,
    half_width: float,
) -> None:
    # Wild gaps leave their mark on an empty beginning for longer, and a few long lines make the mean.
    number = (10_000 if mean > 5 else 2_000) * effort.longer
    scenario = shop(
        number / rho,
        {"kind": "renewal", "gap": gap(1 / rho), "popularity": {"kind": "uniform"}},
        service={"payment": {"latency": exponential(1.0), "capacity": 1}},
    )
    means = []
    for seed in effort.seeds:
        made = play(scenario, Pays, seed)
        waits = (made.took_us("charge") - made.service_us("charge")) / SECOND
        means.append(float(waits[made.came_after(WARM_UP * scenario.horizon / SECOND)].mean()))
    agrees(f"{name}/M/1 rho {rho} mean wait", means, mean, half_width)
