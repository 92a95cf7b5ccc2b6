"""What time limits cost: a memory that lasts so long, a hold that runs out before the money is there, and two clocks
that do not agree how long that is.
"""

from __future__ import annotations

from math import exp

import pytest

from orderquake.model.order import Order
from orderquake.model.payment import Charge
from orderquake.model.policy import Policy
from orderquake.model.stock import Consume, Lapsed, Reserve, Reserved
from orderquake.sim.units import SECOND
from tests.known.bench import (
    ANSWER,
    DEADLINE,
    IS_NEW,
    KEY,
    TIME,
    Errand,
    exponential,
    lognormal,
    play,
    plays,
    poisson,
    rows,
    seconds,
    shop,
)
from tests.known.conftest import SLOW, Agrees, Effort
from tests.known.table import known
from tests.known.test_exactly_once import NO_HORIZON, forgetful
from tests.known.test_reservations import Buys


class AsksForTheSame(Errand):
    """Everybody sends the very same charge, under the same key: the provider's memory as a cache of one answer."""

    async def run(self, order: Order, number: int) -> None:
        await self.patiently(Charge("one key", "one order", 100, "good"))


@known("ttl_cache", 6, "How many looks does a memory answer that lasts so long?", "x / (1 + x)")
@pytest.mark.parametrize(("load", "hits"), [(1.0, 1 / 2), pytest.param(4.0, 4 / 5, marks=SLOW)])
def test_a_memory_that_lasts_so_long_answers_as_many_as_known(
    effort: Effort, agrees: Agrees, load: float, hits: float
) -> None:
    """Of looks that come at random, x within the memory's time, x / (1 + x) find what was remembered."""
    lasts_s = 10.0
    day = shop(
        8_000.0 * effort.longer / load,
        poisson(load / lasts_s),
        service=forgetful(lasts_s),
        policy=NO_HORIZON,
    )
    shares = []
    for made in plays(day, AsksForTheSame, effort.seeds):
        captures = rows(made.history, "capture")
        shares.append(sum(not row[IS_NEW] for row in captures) / len(captures))
    agrees(f"answered from memory, {load:g} looks in its time", shares, hits, 0.01)


@known("renewed_cache", 6, "How many looks does a memory answer that every look renews?", "1 - exp(-x)")
@pytest.mark.parametrize("load", [1.0, pytest.param(3.0, marks=SLOW), pytest.param(0.25, marks=SLOW)])
def test_a_memory_that_every_look_renews_answers_as_many_as_known(effort: Effort, agrees: Agrees, load: float) -> None:
    """A look finds nothing where none came for the memory's whole time before it."""
    lasts_s = 10.0
    service = forgetful(lasts_s)
    day = shop(
        8_000.0 * effort.longer / load,
        poisson(load / lasts_s),
        service={"payment": {**service["payment"], "key_renewal": "every_use"}},
        policy=NO_HORIZON,
    )
    shares = []
    for made in plays(day, AsksForTheSame, effort.seeds):
        captures = rows(made.history, "capture")
        shares.append(sum(not row[IS_NEW] for row in captures) / len(captures))
    agrees(f"answered from a renewed memory, {load:g} looks in its time", shares, 1 - exp(-load), 0.012)


@known("hold_lapses", 6, "How often does a hold run out before the money is there?", "the tail of the payment's law")
@pytest.mark.parametrize(
    ("law", "cv", "reference"),
    [
        ("lognormal", 2.0, 0.028523250),
        pytest.param("exponential", 1.0, 0.006737947, marks=SLOW),
        pytest.param("lognormal", 1.0, 0.009401614, marks=SLOW),
    ],
)
def test_a_hold_runs_out_before_the_money_is_there_as_often_as_known(
    effort: Effort, agrees: Agrees, law: str, cv: float, reference: float
) -> None:
    """Held for a quarter of an hour, paid after three minutes on average."""
    day = shop(
        500.0 * effort.longer,
        poisson(1.0),
        stock={"skus": 1, "units_per_sku": 100_000},
        service={"payment": {"latency": exponential(180.0) if law == "exponential" else lognormal(180.0, cv)}},
        policy={"reservation_ttl": seconds(900.0), "expiry": "on_look"},
    )
    shares = []
    for made in plays(day, Buys, effort.seeds):
        said = rows(made.history, "consume", "ok")
        shares.append(sum("lapsed" in row for row in said) / len(said))
    agrees("paid too late", shares, reference, 0.12 * reference**0.5 / 5)


class BuysTheOnlyOne(Errand):
    """Who finds a product's only unit pays for it, slowly; whoever finds it after a lapse takes it away at once."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        self.known: set[str] = set()

    async def run(self, order: Order, number: int) -> None:
        sku = order.lines[0].sku
        is_first = sku not in self.known
        self.known.add(sku)
        answer = await self.patiently(Reserve(order.id, order.lines, self.policy.ttl_us))
        if isinstance(answer, Reserved):
            if is_first:
                await self.patiently(Charge(order.id, order.id, order.total, order.card))
            if isinstance(await self.patiently(Consume(answer.token, order.id)), Lapsed):
                await self.patiently(Reserve(f"{order.id}/again", order.lines, self.policy.ttl_us))


@known(
    "paid_late_and_resold", 6, "How often is a unit sold to another before late money is there?",
    "exp(-m t) l / (l + m): the hold has run out, and of two exponential times the resale's is the shorter",
)  # fmt: skip
@pytest.mark.parametrize(
    ("ttl_min", "resales_per_min", "pays_in_min"), [(5.0, 1.0, 3.0), pytest.param(2.0, 0.5, 4.0, marks=SLOW)]
)
def test_a_unit_is_resold_before_late_money_is_there_as_often_as_known(
    effort: Effort, agrees: Agrees, ttl_min: float, resales_per_min: float, pays_in_min: float
) -> None:
    skus, minutes = 60 * effort.longer, 12.0 / resales_per_min
    day = shop(
        60 * minutes,
        poisson(skus * resales_per_min / 60),
        stock={"skus": skus, "units_per_sku": 1},
        service={"payment": {"latency": exponential(60 * pays_in_min)}},
        policy={"reservation_ttl": seconds(60 * ttl_min), "expiry": "on_look"},
    )
    pays = 1 / pays_in_min
    reference = exp(-pays * ttl_min) * resales_per_min / (resales_per_min + pays)
    resold, bought = 0, 0
    for made in plays(day, BuysTheOnlyOne, effort.seeds):
        bought += len(rows(made.history, "charge", "ok"))
        said = [row for row in rows(made.history, "reserve", "ok") if row[KEY].endswith("/again")]
        resold += sum(row[ANSWER] == "sold_out" for row in said)
    agrees.share("paid late, and resold", resold, bought, reference, 0.02)


class Reserves(Errand):
    """Reserves, and that is all."""

    async def run(self, order: Order, number: int) -> None:
        answer = await self.patiently(Reserve(order.id, order.lines, self.policy.ttl_us))
        assert isinstance(answer, Reserved)


@known("clock_drift", 6, "How far apart do two clocks end a quarter of an hour?", "2 x 200 ppm of 900 s: .36 s")
@pytest.mark.parametrize(("ppm", "ttl_s"), [(200, 900.0), (1_000, 60.0), (50, 3_600.0)])
def test_two_clocks_end_a_hold_as_far_apart_as_known(agrees: Agrees, ppm: int, ttl_s: float) -> None:
    """No chance here: to the microsecond. One owner's clock is fast, the other's slow; both promise the same time."""

    def ends_s(drift_ppm: int) -> float:
        day = shop(
            10.0,
            poisson(1.0),
            stock={"skus": 1, "units_per_sku": 1_000},
            service={"stock": {"clock_drift_ppm": drift_ppm}},
            policy={"reservation_ttl": seconds(ttl_s), "expiry": "on_look"},
        )
        hold = rows(play(day, Reserves, 1).history, "hold")[0]
        return float(hold[DEADLINE] - hold[TIME]) / SECOND

    fast, slow = ends_s(ppm), ends_s(-ppm)
    agrees.exactly(f"{ppm} ppm fast: ends after, s", fast, ttl_s / (1 + ppm / 1e6), 2e-6)
    agrees.exactly(f"{ppm} ppm slow: ends after, s", slow, ttl_s / (1 - ppm / 1e6), 2e-6)
    agrees.exactly(
        f"+-{ppm} ppm over {ttl_s:g} s: apart, s",
        slow - fast,
        2 * ppm / 1e6 * ttl_s,
        ttl_s * (ppm / 1e6) ** 3 * 2 + 4e-6,
    )
