"""Throttles that delay or refuse, and waiters who leave the line, against what is printed of them.

A token bucket under Poisson calls is an M/D/1 queue seen through a shift: a shaper of rate 1 and burst b delays by what
that queue's wait exceeds b - 1. Waiters with exponential patience before so many hands are the Erlang A model (Palm).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from orderquake.sim.units import SECOND
from tests.known import formulas
from tests.known.bench import ANSWER, ORDER, Pays, Play, constant, exponential, play, poisson, shop
from tests.known.conftest import Agrees, Effort

CALLS = 4_000
"""In a replication of the small form; the first tenth warms up."""
WARM_UP = 0.1
SLOW = pytest.mark.slow


def calls(effort: Effort, rate: float, number: int = CALLS, **service: Any) -> list[Play]:
    """Replications of Poisson customers at a payment provider."""
    scenario = shop(number * effort.longer / rate, poisson(rate), service={"payment": service})
    return [play(scenario, Pays, seed) for seed in effort.seeds]


def warm(made: Play) -> Any:
    return made.came_after(WARM_UP * made.scenario.horizon / SECOND)


def shares(made: list[Play], why: str) -> list[float]:
    """Share of the warm calls that were refused for this reason, a value a replication; none may fail for another."""
    found = []
    for each in made:
        refusals = {row[ORDER]: row[ANSWER] for row in each.rows("charge", "fail")}
        assert set(refusals.values()) <= {why}
        found.append(float(np.mean([order in refusals for order in np.array(each.orders)[warm(each)]])))
    return found


def test_the_printed_points_are_those_of_the_formulas() -> None:
    assert 1 - formulas.waits_at_most(4, 0.8) == pytest.approx(0.154624888, abs=1e-9)
    assert 1 - formulas.waits_at_most(9, 0.8) == pytest.approx(0.017935076, abs=1e-9)
    assert formulas.refused_by_bucket(0.8, 5) == pytest.approx(0.035290396, abs=1e-9)
    assert formulas.refused_by_bucket(0.8, 10) == pytest.approx(0.003639231, abs=1e-9)


@pytest.mark.parametrize(
    ("rho", "burst", "mean"),
    [(0.8, 5, 0.3588784), pytest.param(0.8, 10, 0.0416279, marks=SLOW), pytest.param(0.6, 2, None, marks=SLOW)],
)
def test_a_shaper_delays_by_what_exceeds_the_burst(
    effort: Effort, agrees: Agrees, rho: float, burst: int, mean: float | None
) -> None:
    throttle = {"per_s": 1.0, "burst": burst, "kind": "shaper"}
    made = calls(effort, rho, latency=constant(0.0), throttle=throttle)
    delays = [each.took_us("charge")[warm(each)] / SECOND for each in made]
    assert all(np.isfinite(each).all() for each in delays), "nobody is refused or forgotten"
    chance = 1 - formulas.waits_at_most(burst - 1, rho)
    agrees(
        f"shaper rho {rho} burst {burst} delayed", [float((d > 0).mean()) for d in delays], chance, 0.1 * chance + 0.005
    )
    if mean is not None:
        agrees(f"shaper rho {rho} burst {burst} mean", [float(d.mean()) for d in delays], mean, 0.2 * mean + 0.025)


@pytest.mark.parametrize(
    ("burst", "chance"), [(5, 0.035290396), pytest.param(10, 0.003639231, marks=SLOW)], ids=["5", "10"]
)
def test_a_policer_refuses_as_printed(effort: Effort, agrees: Agrees, burst: int, chance: float) -> None:
    throttle = {"per_s": 1.0, "burst": burst, "kind": "policer"}
    made = calls(effort, 0.8, latency=constant(0.0), throttle=throttle)
    agrees(f"policer burst {burst} refused", shares(made, "throttled"), chance, 0.1 * chance + 0.001)


@SLOW
def test_a_shaper_for_the_whole_account_delays_like_one_for_a_verb(effort: Effort, agrees: Agrees) -> None:
    throttle = {"per_s": 1.0, "burst": 5, "kind": "shaper"}
    made = calls(effort, 0.8, latency=constant(0.0), account_throttle=throttle)
    delayed = [float((each.took_us("charge")[warm(each)] > 0).mean()) for each in made]
    agrees("account's shaper rho 0.8 burst 5 delayed", delayed, 0.154624888, 0.02)


def erlang_a(servers: int, arrivals: float, leaves: float) -> tuple[float, float]:
    """M/M/c+M with a mean service of one: chances that an arrival waits, and that it leaves. source   Palm (1957)"""
    logs, terms = 0.0, [0.0]
    for n in range(1, 40 * servers):
        logs += math.log(arrivals / (min(n, servers) + max(0, n - servers) * leaves))
        terms.append(logs)
    chances = np.exp(np.array(terms) - max(terms))
    chances /= chances.sum()
    waiting = np.maximum(np.arange(len(chances)) - servers, 0)
    return float(chances[servers:].sum()), float(leaves * (chances @ waiting) / arrivals)


@pytest.mark.parametrize(
    ("servers", "arrivals", "leaves", "printed"),
    [
        (10, 10.0, 0.5, (0.619655, 0.103913)),
        pytest.param(3, 4.0, 2.0, None, marks=SLOW),
        pytest.param(2, 1.0, 1.0, None, marks=SLOW),
    ],
)
def test_the_impatient_leave_as_palm_said(
    effort: Effort, agrees: Agrees, servers: int, arrivals: float, leaves: float, printed: tuple[float, float] | None
) -> None:
    waits, abandons = erlang_a(servers, arrivals, leaves)
    if printed is not None:
        assert (waits, abandons) == pytest.approx(printed, abs=1e-6)
    patience = exponential(1 / leaves)
    made = calls(effort, arrivals, 3_000, latency=exponential(1.0), capacity=servers, queue_patience=patience)
    what = f"M/M/{servers}+M lambda {arrivals:g} theta {leaves:g}"
    agrees(f"{what} P(abandon)", shares(made, "reneged"), abandons, 0.02)
    # Who left is never answered, and so compares as nobody who was served at once.
    at_once = [(each.took_us("charge") - each.service_us("charge") == 0)[warm(each)] for each in made]
    agrees(f"{what} P(wait)", [float(1 - now.mean()) for now in at_once], waits, 0.03)
