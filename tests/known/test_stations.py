"""Services as waiting lines: a payment provider with so many hands, asked over the wire by the product's customers.

Arrivals are Poisson (the workload `poisson`) or regular (`rounds` of one buyer); first come, first served. The service
is a `Replica` with capacity, queue bound and throttle. What an ask waited is its latency less what the service took for
it, as the service's own stream tells. Other gaps between arrivals are in `test_arrivals.py`; shapers, and waiters who
leave the line, in `test_throttles.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from orderquake.model.order import Order
from orderquake.model.payment import LookUp
from orderquake.model.record import ReadChanges
from orderquake.model.stock import AskStatus
from orderquake.sim.study.measures import latencies
from orderquake.sim.units import SECOND
from tests.known import formulas
from tests.known.bench import (
    ANSWER,
    ORDER,
    TIME,
    Errand,
    Pays,
    Play,
    Values,
    constant,
    exponential,
    gamma,
    lognormal,
    measured,
    play,
    plays,
    poisson,
    seconds,
    shop,
)
from tests.known.conftest import ONLY_BIG, SLOW, Agrees, Effort

ARRIVALS = 1_500
"""In a replication of the small form; the first tenth warms up."""
WARM_UP = 0.1


def station(
    effort: Effort, rho: float, service: dict[str, Any], servers: int = 1, arrivals: int = ARRIVALS, **more: Any
) -> Iterator[Play]:
    """Replications of Poisson customers at a provider with so many hands and a mean service of one second."""
    rate = rho * servers
    scenario = shop(
        arrivals * effort.longer / rate,
        poisson(rate),
        service={"payment": {"latency": service, "capacity": servers, **more}},
    )
    return plays(scenario, Pays, effort.seeds)


def warm(made: Play) -> Any:
    return made.came_after(WARM_UP * made.scenario.horizon / SECOND)


def waits_s(made: Play) -> Values:
    found: Values = (made.took_us("charge") - made.service_us("charge"))[warm(made)] / SECOND
    assert found.min() >= 0, "somebody was never answered, or sooner than the service can"
    return found


def responses_s(made: Play) -> Values:
    """As the product's own study measures them."""
    found: Values = latencies(made.history)["charge"].latency_us[warm(made)] / SECOND
    return found


def served_s(made: Play) -> float:
    """Mean response of those who were not refused."""
    return float(np.nanmean(made.took_us("charge")[warm(made)])) / SECOND


def utilisation(made: Play) -> float:
    return made.replicas["payment"].utilisation_us() / made.arrivals[-1].at_us


def refused(made: Play, why: str) -> float:
    """Share of the warm asks that were refused for this reason; none may fail for another."""
    refusals = {row[ORDER]: row[ANSWER] for row in made.rows("charge", "fail")}
    assert set(refusals.values()) <= {why}
    return float(np.mean([order in refusals for order in np.array(made.orders)[warm(made)]]))


@pytest.mark.parametrize(("rho", "half_width"), [(0.5, 0.08), (0.8, 0.6)])
def test_one_server_makes_exponential_responses(effort: Effort, agrees: Agrees, rho: float, half_width: float) -> None:
    made = station(effort, rho, exponential(1.0), arrivals=2_500)
    waits, responses, busy = measured(made, waits_s, responses_s, utilisation)
    agrees(f"M/M/1 rho {rho} mean wait", [float(w.mean()) for w in waits], rho / (1 - rho), half_width)
    agrees(f"M/M/1 rho {rho} P(wait)", [float((w > 0).mean()) for w in waits], rho, 0.02)
    for q in (0.5, 0.95, 0.99):
        quantile = -math.log(1 - q) / (1 - rho)
        beyond = [float((r > quantile).mean()) for r in responses]
        agrees(f"M/M/1 rho {rho} P(response > p{q * 100:g})", beyond, 1 - q, 0.1 * formulas.spread(q))
    agrees(f"M/M/1 rho {rho} utilisation", busy, rho, 0.01)


@pytest.mark.parametrize(
    ("servers", "load"),
    [(2, 1.6), pytest.param(5, 4.0, marks=SLOW), (10, 8.0), pytest.param(3, 1.2, marks=SLOW)],
    ids=lambda value: f"{value:g}",
)
def test_several_servers_wait_as_erlang_said(effort: Effort, agrees: Agrees, servers: int, load: float) -> None:
    waits = [waits_s(made) for made in station(effort, load / servers, exponential(1.0), servers)]
    chance = formulas.erlang_c(servers, load)
    agrees(f"M/M/{servers} a {load:g} P(wait)", [float((w > 0).mean()) for w in waits], chance, 0.1 * chance)
    mean = chance / (servers - load)
    agrees(f"M/M/{servers} a {load:g} mean wait", [float(w.mean()) for w in waits], mean, 0.2 * mean)


@pytest.mark.parametrize(
    ("servers", "load", "service"),
    [
        (5, 5.0, exponential(1.0)),
        (10, 8.0, lognormal(1.0, 2.0)),
        (4, 2.0, constant(1.0)),
        pytest.param(10, 8.0, exponential(1.0), marks=SLOW),
    ],
    ids=["5-exponential", "10-lognormal", "4-constant", "10-exponential"],
)
def test_where_nobody_may_wait_erlang_b_is_refused(
    effort: Effort, agrees: Agrees, servers: int, load: float, service: dict[str, Any]
) -> None:
    """Whatever the law of the service: only its mean counts."""
    made = station(effort, load / servers, service, servers, queue_bound=0)
    shares = [refused(each, "queue_full") for each in made]
    chance = formulas.erlang_b(servers, load)
    agrees(f"M/G/{servers}/{servers} a {load:g} {service['kind']} refused", shares, chance, 0.12 * chance)


@pytest.mark.parametrize(
    ("servers", "places", "load"), [(4, 6, 5.0), (3, 7, 4 / 3), pytest.param(1, 3, 2.0, marks=SLOW)]
)
def test_a_bounded_queue_refuses_what_does_not_fit(
    effort: Effort, agrees: Agrees, servers: int, places: int, load: float
) -> None:
    made = station(effort, load / servers, exponential(1.0), servers, queue_bound=places - servers)
    chance, inside = formulas.full_house(servers, places, load)
    shares, responses = measured(made, lambda each: refused(each, "queue_full"), served_s)
    agrees(f"M/M/{servers}/{places} a {load:.3g} refused", shares, chance, 0.05 * chance + 0.001)
    mean = inside / load / (1 - chance)  # Little's law
    agrees(f"M/M/{servers}/{places} a {load:.3g} response", responses, mean, 0.03 * mean)


SHAPES = {
    "constant": (constant(1.0), 0.0),
    "erlang-4": (gamma(1.0, 0.5), 0.5),
    "lognormal": (lognormal(1.0, 1.5), 1.5),
}


@pytest.mark.parametrize(
    ("shape", "rho"),
    [
        ("constant", 0.8),
        pytest.param("erlang-4", 0.8, marks=SLOW),
        ("erlang-4", 0.6),
        pytest.param("lognormal", 0.5, marks=SLOW),
    ],
)
def test_the_wait_grows_with_the_spread_of_the_service(effort: Effort, agrees: Agrees, shape: str, rho: float) -> None:
    service, cv = SHAPES[shape]
    mean = formulas.mean_wait(rho, cv)
    waits = [waits_s(made) for made in station(effort, rho, service)]
    agrees(f"M/G/1 {shape} rho {rho} mean wait", [float(w.mean()) for w in waits], mean, 0.15 * mean)
    if not cv:
        for x in (1.27594, 5.01151, 10.35589):
            chance, shares = 1 - formulas.waits_at_most(x, rho), [float((w > x).mean()) for w in waits]
            agrees(f"M/D/1 rho {rho} P(wait > {x})", shares, chance, 0.12 * formulas.spread(chance))


@ONLY_BIG
def test_the_published_gate_of_two_percent_on_the_mean_wait(effort: Effort, agrees: Agrees) -> None:
    made = station(effort, 0.8, exponential(1.0), arrivals=11_000)
    means, beyond = measured(
        made,
        lambda each: float(waits_s(each).mean()),
        lambda each: float((each.took_us("charge")[warm(each)] > 23.02585 * SECOND).mean()),
    )
    agrees("M/M/1 rho 0.8 mean wait", means, 4.0, 0.08 * effort.tighter)
    # Three per cent of p99 are 14 % of the chance to be beyond it: exp(.2 * .03 * 23.03).
    agrees("M/M/1 rho 0.8 P(response > p99)", beyond, 0.01, 0.0013 * effort.tighter)


@ONLY_BIG
def test_a_service_of_wide_spread_waits_as_pollaczek_said(effort: Effort, agrees: Agrees) -> None:
    waits = [waits_s(made) for made in station(effort, 0.8, lognormal(1.0, 2.0))]
    agrees("M/G/1 lognormal cv 2 rho 0.8 mean wait", [float(w.mean()) for w in waits], 10.0, 3.0)


@pytest.mark.parametrize(("servers", "mean"), [(2, 0.903284), pytest.param(5, 0.289060, marks=SLOW)])
def test_steady_service_at_several_servers_waits_as_printed(
    effort: Effort, agrees: Agrees, servers: int, mean: float
) -> None:
    waits = [waits_s(made) for made in station(effort, 0.8, constant(1.0), servers)]
    agrees(f"M/D/{servers} rho 0.8 mean wait", [float(w.mean()) for w in waits], mean, 0.15 * mean)


@pytest.mark.parametrize("rho", [0.6, pytest.param(0.7, marks=SLOW)])
def test_regular_arrivals_wait_less(effort: Effort, agrees: Agrees, rho: float) -> None:
    number, gap_s = 1_200 * effort.longer, 1 / rho
    scenario = shop(
        number * gap_s,
        {"kind": "rounds", "rounds": number, "buyers": 1, "within": "0 s", "every": seconds(gap_s)},
        stock={"skus": number},
        service={"payment": {"latency": exponential(1.0), "capacity": 1}},
    )
    means = [float(waits_s(play(scenario, Pays, seed)).mean()) for seed in effort.seeds]
    mean = formulas.mean_wait_of_regular_arrivals(rho)
    agrees(f"D/M/1 rho {rho} mean wait", means, mean, 0.12 * mean)


@pytest.mark.parametrize(
    ("rho", "burst"), [(0.5, 2), pytest.param(0.95, 3, marks=SLOW), pytest.param(0.8, 7, marks=SLOW)]
)
def test_between_the_printed_points_a_policer_refuses_what_its_bucket_cannot_pay_for(
    effort: Effort, agrees: Agrees, rho: float, burst: int
) -> None:
    scenario = shop(
        ARRIVALS * effort.longer / rho,
        poisson(rho),
        service={"payment": {"latency": constant(0.0), "throttle": {"per_s": 1.0, "burst": burst}}},
    )
    shares = [refused(play(scenario, Pays, seed), "throttled") for seed in effort.seeds]
    chance = formulas.refused_by_bucket(rho, burst)
    agrees(f"token bucket rho {rho} burst {burst} refused", shares, chance, 0.004 + 0.02 * chance)


class Looks(Errand):
    """Asks three services in turn; nothing is changed by any of them."""

    async def run(self, order: Order, number: int) -> None:
        await self.patiently(LookUp(order.id, order.id))
        await self.patiently(AskStatus())
        await self.patiently(ReadChanges(0, 0, 1))


@pytest.mark.parametrize(
    ("arrivals", "services"), [(5.0, (50.0, 12.0, 25.0)), pytest.param(6.0, (10.0, 20.0, 9.0), marks=SLOW)]
)
def test_servers_in_a_row_add_up_independently(
    effort: Effort, agrees: Agrees, arrivals: float, services: tuple[float, ...]
) -> None:
    names = ("payment", "stock", "record")
    scenario = shop(
        1_000 * effort.longer / arrivals,
        poisson(arrivals),
        service={
            name: {"latency": exponential(1 / rate), "capacity": 1} for name, rate in zip(names, services, strict=True)
        },
    )
    mean, variance, longer_than = formulas.tandem(arrivals, services)
    means, squares, beyond = [], [], []
    quantiles = [_where(longer_than, 1 - q, mean) for q in (0.5, 0.95, 0.99)]
    for seed in effort.seeds:
        made = play(scenario, Looks, seed)
        ends = [row[TIME] for row in made.rows("read_changes", "ok")]  # nobody overtakes anybody
        took = np.subtract(ends, [each.at_us for each in made.arrivals])[warm(made)] / SECOND
        means.append(float(took.mean()))
        squares.append(float(((took - mean) ** 2).mean()))
        beyond.append([float((took > t).mean()) for t in quantiles])
    what = f"tandem lambda {arrivals:g} mu {services}"
    agrees(f"{what} mean", means, mean, 0.06 * mean)
    agrees(f"{what} variance", squares, variance, 0.3 * variance)
    for where, q in enumerate((0.5, 0.95, 0.99)):
        agrees(f"{what} P(> p{q * 100:g})", [each[where] for each in beyond], 1 - q, 0.08 * formulas.spread(q))


def _where(longer_than: Any, chance: float, mean: float) -> float:
    """The time that is exceeded with that chance, by halving."""
    low, high = 0.0, 40 * mean
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if longer_than(middle) > chance else (low, middle)
    return low
