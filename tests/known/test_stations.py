"""Services as waiting lines: a payment provider with so many hands, asked over the wire by the product's customers.

Arrivals are Poisson (the workload `poisson`) or regular (`rounds` of one buyer); first come, first served. The service
is a `Replica` with capacity, queue bound and throttle. What an ask waited is its latency less what the service took for
it, as the service's own stream tells. Other gaps between arrivals are in `test_arrivals.py`; shapers, and waiters who
leave the line, in `test_throttles.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
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
    Errand,
    Pays,
    Play,
    Values,
    constant,
    exponential,
    gamma,
    lognormal,
    measured,
    plays,
    poisson,
    shop,
)
from tests.known.conftest import SLOW, Agrees, Effort
from tests.known.table import known

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


ERLANG = "Erlang (1909, 1917)"


@known("mm1", 1, "How long does one server keep its customers?", ERLANG)
@pytest.mark.parametrize("rho", [0.5, 0.8])
def test_one_server_makes_exponential_responses(effort: Effort, agrees: Agrees, rho: float) -> None:
    made = station(effort, rho, exponential(1.0), arrivals=2_500)
    waits, responses, busy = measured(made, waits_s, responses_s, utilisation)
    mean = rho / (1 - rho)
    wide = 0.03 / (1 - rho) * mean
    agrees(f"M/M/1 rho {rho} mean wait", [float(w.mean()) for w in waits], mean, wide, full=0.02 * mean)
    agrees(f"M/M/1 rho {rho} P(wait)", [float((w > 0).mean()) for w in waits], rho, 0.02, full=0.02 * rho)
    for q in (0.5, 0.95, 0.99, 0.999):
        quantile = -math.log(1 - q) / (1 - rho)
        beyond = [float((r > quantile).mean()) for r in responses]
        at = of_quantile(lambda t: math.exp(-(1 - rho) * t), quantile, 0.03 if q < 0.999 else 0.06)
        wide = 0.1 * formulas.spread(q) if q < 0.999 else 0.25 * formulas.spread(q)
        agrees(f"M/M/1 rho {rho} P(response > {quantile:.5f}), p{q * 100:g}", beyond, 1 - q, wide, full=at)
    agrees(f"M/M/1 rho {rho} utilisation", busy, rho, 0.01)


def of_quantile(longer_than: Callable[[float], float], quantile: float, share: float) -> float:
    """How wide the chance to be beyond a quantile may be where the quantile itself may be so much off."""
    return (longer_than(quantile * (1 - share)) - longer_than(quantile * (1 + share))) / 2


@known("erlang_c", 1, "How often, and for how long, does one wait for one of several hands?", ERLANG)
@pytest.mark.parametrize(
    ("servers", "load"),
    [
        (2, 1.6),
        pytest.param(3, 2.0, marks=SLOW),
        pytest.param(4, 2.0, marks=SLOW),
        pytest.param(5, 4.0, marks=SLOW),
        (10, 8.0),
        pytest.param(20, 16.0, marks=SLOW),
        pytest.param(3, 1.2, marks=SLOW),
    ],
    ids=lambda value: f"{value:g}",
)
def test_several_servers_wait_as_erlang_said(effort: Effort, agrees: Agrees, servers: int, load: float) -> None:
    waits, responses = measured(station(effort, load / servers, exponential(1.0), servers), waits_s, responses_s)
    chance = formulas.erlang_c(servers, load)
    what = f"M/M/{servers} a {load:g}"
    shares = [float((w > 0).mean()) for w in waits]
    agrees(f"{what} P(wait)", shares, chance, 0.15 * chance, full=0.02 * chance)
    mean = chance / (servers - load)
    agrees(f"{what} mean wait", [float(w.mean()) for w in waits], mean, 0.3 * mean, full=0.04 * mean)

    def waits_longer(t: float) -> float:
        return chance * math.exp(-(servers - load) * t)

    def stays_longer(t: float) -> float:
        return formulas.stays_longer_than(t, servers, load)

    for name, found, longer_than in (("wait", waits, waits_longer), ("response", responses, stays_longer)):
        p99 = _where(longer_than, 0.01, 10 * servers)
        beyond = [float((f > p99).mean()) for f in found]
        agrees(f"{what} P({name} > {p99:.5f}), p99", beyond, 0.01, 0.018, full=of_quantile(longer_than, p99, 0.06))


@known("erlang_b", 1, "How often is a call refused where nobody may wait?", ERLANG)
@pytest.mark.parametrize(
    ("servers", "load", "law"),
    [
        (5, 5.0, "exponential"),
        (10, 8.0, "lognormal"),
        (4, 2.0, "constant"),
        pytest.param(10, 5.0, "exponential", marks=SLOW),
        pytest.param(10, 8.0, "exponential", marks=SLOW),
        pytest.param(20, 16.0, "constant", marks=SLOW),
        pytest.param(100, 100.0, "exponential", marks=SLOW),
    ],
)
def test_where_nobody_may_wait_erlang_b_is_refused(
    effort: Effort, agrees: Agrees, servers: int, load: float, law: str
) -> None:
    """Whatever the law of the service: only its mean counts."""
    made = station(effort, load / servers, LAWS[law], servers, queue_bound=0)
    shares = [refused(each, "queue_full") for each in made]
    chance = formulas.erlang_b(servers, load)
    agrees(f"M/{law}/{servers}/{servers} a {load:g} refused", shares, chance, 0.12 * chance, full=0.025 * chance)


def found_empty(made: Play) -> float:
    """Share of the warm arrivals who found nobody there; Poisson arrivals see what an outsider would."""
    came = np.array([arrival.at_us for arrival in made.arrivals], dtype=np.float64)
    took = made.took_us("charge")
    left = np.sort((came + took)[np.isfinite(took)])
    inside = np.cumsum(np.isfinite(took)) - np.isfinite(took) - np.searchsorted(left, came, side="right")
    return float((inside[warm(made)] <= 0).mean())


@known("full_house", 1, "Who is refused, and who finds nobody, where only so many fit in?", "Octave queueing package")
@pytest.mark.parametrize(
    ("servers", "places", "load"), [(4, 6, 5.0), (3, 7, 4 / 3), pytest.param(1, 3, 2.0, marks=SLOW)]
)
def test_a_bounded_queue_refuses_what_does_not_fit(
    effort: Effort, agrees: Agrees, servers: int, places: int, load: float
) -> None:
    made = station(effort, load / servers, exponential(1.0), servers, queue_bound=places - servers)
    chance, inside, empty = formulas.full_house(servers, places, load)
    shares, responses, nobody = measured(made, lambda each: refused(each, "queue_full"), served_s, found_empty)
    what = f"M/M/{servers}/{places} a {load:.3g}"
    agrees(f"{what} refused", shares, chance, 0.05 * chance + 0.001, full=0.02 * chance + 2e-4)
    mean = inside / load / (1 - chance)  # Little's law
    agrees(f"{what} response", responses, mean, 0.03 * mean, full=0.01 * mean)
    agrees(f"{what} P(nobody there)", nobody, empty, 0.06 * empty + 0.001, full=0.02 * empty + 5e-4)


LAWS: dict[str, dict[str, Any]] = {
    "constant": constant(1.0),
    "exponential": exponential(1.0),
    "lognormal": lognormal(1.0, 2.0),
}


def service_of(cv: float, law: str) -> dict[str, Any]:
    if not cv:
        return constant(1.0)
    return lognormal(1.0, cv) if law == "lognormal" else gamma(1.0, cv)


@known("mg1", 1, "How does the wait grow with the spread of the service?", "Pollaczek, Khinchine (1930, 1932)")
@pytest.mark.parametrize(
    ("cv", "law", "rho"),
    [
        (0.0, "constant", 0.8),
        pytest.param(0.5, "gamma", 0.8, marks=SLOW),
        (0.5, "gamma", 0.6),
        pytest.param(1.0, "gamma", 0.8, marks=SLOW),
        pytest.param(1.5, "lognormal", 0.5, marks=SLOW),
        pytest.param(2.0, "lognormal", 0.8, marks=SLOW),
    ],
)
def test_the_wait_grows_with_the_spread_of_the_service(
    effort: Effort, agrees: Agrees, cv: float, law: str, rho: float
) -> None:
    """The standard deviation is held against the reference as a mean of squares about the known mean."""
    mean, variance = formulas.waits_of_a_law(law, cv, rho)
    waits = [waits_s(made) for made in station(effort, rho, service_of(cv, law))]
    what = f"M/G/1 {law} cv {cv:g} rho {rho}"
    few = 1 + 3 * (cv > 1)
    # Of a wide law even the published form is 5 per cent wide: a few long services make the mean.
    full = (0.05 if cv > 1 else 0.02) * mean
    agrees(f"{what} mean wait", [float(w.mean()) for w in waits], mean, 0.15 * few * mean, full=full)
    squares = [float(((w - mean) ** 2).mean()) for w in waits]
    agrees(f"{what} variance of the wait", squares, variance, few * variance, full=(0.3 if cv > 1 else 0.1) * variance)


@known("md1", 1, "How are the waits at a steady server distributed?", ERLANG)
@pytest.mark.parametrize("rho", [0.8, pytest.param(0.6, marks=SLOW)])
def test_a_steady_server_keeps_its_customers_as_erlang_said(effort: Effort, agrees: Agrees, rho: float) -> None:
    waits = [waits_s(made) for made in station(effort, rho, constant(1.0))]

    def longer_than(t: float) -> float:
        return 1 - formulas.waits_at_most(t, rho)

    for q in (0.5, 0.9, 0.95, 0.99, 0.999):
        x = _where(longer_than, 1 - q, 1 / (1 - rho))
        chance, shares = longer_than(x), [float((w > x).mean()) for w in waits]
        wide = 0.12 * formulas.spread(chance) if q < 0.999 else 0.3 * formulas.spread(chance)
        full = of_quantile(longer_than, x, 0.03 if q < 0.999 else 0.06)
        agrees(f"M/D/1 rho {rho} P(wait > {x:.5f}), p{q * 100:g}", shares, chance, wide, full=full)


@known("mdc", 1, "How long does one wait for several steady hands?", "Crommelin (1932)")
@pytest.mark.parametrize(
    ("servers", "rho"), [(2, 0.8), pytest.param(5, 0.8, marks=SLOW), pytest.param(10, 0.8, marks=SLOW)]
)
def test_steady_service_at_several_servers_waits_as_known(
    effort: Effort, agrees: Agrees, servers: int, rho: float
) -> None:
    mean = formulas.mean_wait_of_steady_servers(servers, rho)
    waits = [waits_s(made) for made in station(effort, rho, constant(1.0), servers)]
    means = [float(w.mean()) for w in waits]
    agrees(f"M/D/{servers} rho {rho} mean wait", means, mean, 0.25 * mean, full=0.03 * mean)


class LooksTwice(Errand):
    """Asks two services in turn; nothing is changed by any of them."""

    async def run(self, order: Order, number: int) -> None:
        await self.patiently(LookUp(order.id, order.id))
        await self.patiently(AskStatus())


class Looks(LooksTwice):
    """A third one, too."""

    async def run(self, order: Order, number: int) -> None:
        await super().run(order, number)
        await self.patiently(ReadChanges(0, 0, 1))


LOOKS: dict[int, type[Errand]] = {2: LooksTwice, 3: Looks}
LAST = {2: "ask_status", 3: "read_changes"}


@known("tandem", 1, "How long does a path of single servers take?", "Jackson (1957), Reich (1957)")
@pytest.mark.parametrize(
    ("arrivals", "services"), [(5.0, (50.0, 12.0, 25.0)), pytest.param(6.0, (10.0, 20.0, 9.0), marks=SLOW)]
)
def test_servers_in_a_row_add_up_independently(
    effort: Effort, agrees: Agrees, arrivals: float, services: tuple[float, ...]
) -> None:
    names = ("payment", "stock", "record")[: len(services)]
    scenario = shop(
        1_000 * effort.longer / arrivals,
        poisson(arrivals),
        service={
            name: {"latency": exponential(1 / rate), "capacity": 1} for name, rate in zip(names, services, strict=True)
        },
    )
    mean, variance, longer_than = formulas.tandem(arrivals, services)
    means, squares, beyond = [], [], []
    shares = (0.5, 0.95, 0.99, 0.999)
    quantiles = [_where(longer_than, 1 - q, mean) for q in shares]
    for made in plays(scenario, LOOKS[len(services)], effort.seeds):
        ends = made.history.table().time[made.history.table().at("ok", LAST[len(services)])]  # nobody overtakes anybody
        took = np.subtract(ends, [each.at_us for each in made.arrivals])[warm(made)] / SECOND
        means.append(float(took.mean()))
        squares.append(float(((took - mean) ** 2).mean()))
        beyond.append([float((took > t).mean()) for t in quantiles])
    what = f"tandem lambda {arrivals:g} mu {services}"
    agrees(f"{what} mean, s", means, mean, 0.06 * mean, full=0.02 * mean)
    agrees(f"{what} variance", squares, variance, 0.3 * variance, full=0.1 * variance)
    for where, (q, t) in enumerate(zip(shares, quantiles, strict=True)):
        full = of_quantile(longer_than, t, 0.03 if q < 0.999 else 0.06)
        wide = (0.08 if q < 0.999 else 0.2) * formulas.spread(q)
        agrees(f"{what} P(> {t:.6f} s), p{q * 100:g}", [each[where] for each in beyond], 1 - q, wide, full=full)


def _where(longer_than: Any, chance: float, mean: float) -> float:
    """The time that is exceeded with that chance, by halving."""
    low, high = 0.0, 40 * mean
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if longer_than(middle) > chance else (low, middle)
    return low
