"""Throttles that delay or refuse, and waiters who leave the line, against what is printed of them.

A token bucket under Poisson calls is an M/D/1 queue seen through a shift: a shaper of rate 1 and burst b delays by what
that queue's wait exceeds b - 1. Waiters with exponential patience before so many hands are the Erlang A model (Palm).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from orderquake.sim.units import SECOND
from tests.known import formulas
from tests.known.bench import (
    ANSWER,
    ORDER,
    Pays,
    Play,
    constant,
    exponential,
    measured,
    plays,
    poisson,
    shop,
)
from tests.known.conftest import SLOW, Agrees, Effort
from tests.known.table import known

CALLS = 2_000
"""In a replication of the small form; the first tenth warms up."""
WARM_UP = 0.1


def calls(effort: Effort, rate: float, **service: Any) -> Iterator[Play]:
    """Replications of Poisson customers at a payment provider."""
    return plays(shop(CALLS * effort.longer / rate, poisson(rate), service={"payment": service}), Pays, effort.seeds)


def warm(made: Play) -> Any:
    return made.came_after(WARM_UP * made.scenario.horizon / SECOND)


def share(made: Play, why: str) -> float:
    """Share of the warm calls that were refused for this reason; none may fail for another."""
    refusals = {row[ORDER]: row[ANSWER] for row in made.rows("charge", "fail")}
    assert set(refusals.values()) <= {why}
    return float(np.mean([order in refusals for order in np.array(made.orders)[warm(made)]]))


@known("shaper", 1, "How long does a token bucket keep calls waiting?", "an M/D/1 wait, seen through a shift")
@pytest.mark.parametrize(
    ("rho", "burst", "whose"),
    [
        (0.8, 5, "throttle"),
        pytest.param(0.8, 10, "throttle", marks=SLOW),
        pytest.param(0.6, 2, "throttle", marks=SLOW),
        pytest.param(0.8, 5, "account_throttle", marks=SLOW),
    ],
)
def test_a_shaper_delays_by_what_exceeds_the_burst(
    effort: Effort, agrees: Agrees, rho: float, burst: int, whose: str
) -> None:
    """One for each verb, or one for the whole account."""
    shaper = {"per_s": 1.0, "burst": burst, "kind": "shaper"}
    delays = [
        made.took_us("charge")[warm(made)] / SECOND
        for made in calls(effort, rho, latency=constant(0.0), **{whose: shaper})
    ]
    assert all(np.isfinite(each).all() for each in delays), "nobody is refused or forgotten"
    chance, mean = 1 - formulas.waits_at_most(burst - 1, rho), formulas.mean_delay_by_bucket(rho, burst)
    what = f"shaper ({whose}) rho {rho} burst {burst}"
    found = [float((d > 0).mean()) for d in delays]
    agrees(f"{what} delayed", found, chance, 0.15 * chance + 0.005, full=0.03 * chance + 5e-4)
    agrees(f"{what} mean delay", [float(d.mean()) for d in delays], mean, 0.3 * mean + 0.025, full=0.05 * mean + 0.002)


@known("policer", 1, "How many calls does a token bucket refuse?", "an M/D/1 queue with a bound on its work")
@pytest.mark.parametrize(
    ("rho", "burst"),
    [
        (0.8, 5),
        (0.5, 2),
        pytest.param(0.8, 10, marks=SLOW),
        pytest.param(0.95, 3, marks=SLOW),
        pytest.param(0.8, 7, marks=SLOW),
    ],
)
def test_a_policer_refuses_what_its_bucket_cannot_pay_for(
    effort: Effort, agrees: Agrees, rho: float, burst: int
) -> None:
    policer = {"per_s": 1.0, "burst": burst, "kind": "policer"}
    shares = [share(made, "throttled") for made in calls(effort, rho, latency=constant(0.0), throttle=policer)]
    chance = formulas.refused_by_bucket(rho, burst)
    what = f"policer rho {rho} burst {burst} refused"
    agrees(what, shares, chance, 0.15 * chance + 0.001, full=0.03 * chance + 1e-4)


@known("erlang_a", 1, "Who waits, and who leaves the line, where patience is short?", "Palm (1957)")
@pytest.mark.parametrize(
    ("servers", "arrivals", "leaves"),
    [(10, 10.0, 0.5), pytest.param(3, 4.0, 2.0, marks=SLOW), pytest.param(2, 1.0, 1.0, marks=SLOW)],
)
def test_the_impatient_leave_as_palm_said(
    effort: Effort, agrees: Agrees, servers: int, arrivals: float, leaves: float
) -> None:
    waits, abandons = formulas.erlang_a(servers, arrivals, leaves)
    patience = exponential(1 / leaves)
    gone, waited = measured(
        calls(effort, arrivals, latency=exponential(1.0), capacity=servers, queue_patience=patience),
        lambda made: share(made, "reneged"),
        # Who left is never answered, and so compares as nobody who was served at once.
        lambda made: float(1 - (made.took_us("charge") - made.service_us("charge") == 0)[warm(made)].mean()),
    )
    what = f"M/M/{servers}+M lambda {arrivals:g} theta {leaves:g}"
    agrees(f"{what} P(abandon)", gone, abandons, 0.02, full=0.03 * abandons)
    agrees(f"{what} P(wait)", waited, waits, 0.03, full=0.02 * waits)
