"""Stock held by reservations that run out: the Stock Cache, asked by the product's customers.

A unit is a server and a hold a service: it lasts until paid, or to its TTL where the customer abandons it. How long
paying takes is the latency of the payment provider; who abandons is who has a card that would be declined. Once the
same chance is measured through the whole of `hot_cold`, where a declined order gives its units back.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy import stats

from orderquake.model.order import Line, Order
from orderquake.model.payment import GOOD, Charge
from orderquake.model.stock import Consume, Release, Reserve, Reserved
from orderquake.sim.study.measures import sold_out
from orderquake.sim.units import SECOND
from tests.known import formulas
from tests.known.bench import (
    ANSWER,
    AT_ONCE,
    ORDER,
    SKU,
    TIME,
    TO_STATE,
    Errand,
    constant,
    exponential,
    held_units,
    lognormal,
    measured,
    play,
    plays,
    poisson,
    refused_share,
    rows,
    run_whole,
    seconds,
    shop,
)
from tests.known.conftest import ONLY_BIG, SLOW, Agrees, Effort
from tests.known.table import known


class Borrows(Errand):
    """Reserves; a good card pays and puts the units back, any other walks off and lets the hold run out."""

    async def run(self, order: Order, number: int) -> None:
        answer = await self.patiently(Reserve(order.id, self.cart(order), self.policy.ttl_us))
        if isinstance(answer, Reserved) and order.card == GOOD:
            await self.patiently(Charge(order.id, order.id, order.total, order.card))
            await self.patiently(Release(answer.token, order.id))

    def cart(self, order: Order) -> tuple[Line, ...]:
        return order.lines


class BorrowsByPlace(Borrows):
    """How many units a cart has is told by where the customer comes from."""

    SIZES: ClassVar[dict[str, int]] = {"ones": 1, "threes": 3, "fives": 5}

    def cart(self, order: Order) -> tuple[Line, ...]:
        return (order.lines[0]._replace(units=self.SIZES[order.place]),)


class Buys(Errand):
    """Reserves; a good card pays and keeps the units, if the hold has not run out by then; any other walks off."""

    async def run(self, order: Order, number: int) -> None:
        answer = await self.patiently(Reserve(order.id, order.lines, self.policy.ttl_us))
        if isinstance(answer, Reserved) and order.card == GOOD:
            await self.patiently(Charge(order.id, order.id, order.total, order.card))
            await self.patiently(Consume(answer.token, order.id))


# -- ample stock

TTL_S, PAYS_S = 900.0, 180.0


def paying_in(law: str, mean_s: float) -> tuple[dict[str, Any], Any]:
    """As a scenario says it, and as scipy does."""
    if law == "constant":
        return constant(mean_s), mean_s
    if law == "exponential":
        return exponential(mean_s), stats.expon(scale=mean_s)
    return lognormal(mean_s, 2.0), stats.lognorm(math.sqrt(math.log(5)), scale=mean_s / math.sqrt(5))


@known("ample_stock", 2, "How many units are held where there is always one left?", "M/G/infinity: Poisson")
@pytest.mark.parametrize(
    ("law", "per_min", "abandon", "ttl_s", "pays_s"),
    [
        ("constant", 2.0, 0.3, TTL_S, PAYS_S),
        pytest.param("exponential", 2.0, 0.3, TTL_S, PAYS_S, marks=SLOW),
        ("lognormal", 3.0, 0.1, TTL_S, PAYS_S),
        pytest.param("exponential", 4.0, 0.5, 300.0, 120.0, marks=SLOW),
    ],
)
def test_with_ample_stock_the_units_held_are_poisson(
    effort: Effort, agrees: Agrees, law: str, per_min: float, abandon: float, ttl_s: float, pays_s: float
) -> None:
    latency, pays_in = paying_in(law, pays_s)
    hours, warm_up_s = 4 * effort.longer + 1, 3_600.0
    scenario = shop(
        hours * 3_600.0,
        poisson(per_min / 60),
        stock={"skus": 1, "units_per_sku": 1_000_000},
        service={"payment": {"latency": latency, "declines": abandon}},
        policy={"reservation_ttl": seconds(ttl_s)},
    )
    mean = per_min / 60 * formulas.mean_hold(pays_in, ttl_s, abandon)
    found, lapses, buyers = [], [], []
    for made in plays(scenario, Borrows, effort.seeds):
        found.append(held_units(made, warm_up_s, mean))
        gone = [row[TIME] for row in made.rows("free") if row[ANSWER] == "lapsed"]
        minutes = (hours - 1) * 60
        lapses.append(sum(warm_up_s * SECOND <= at < scenario.horizon for at in gone) / minutes)
        good = {order for order, each in zip(made.orders, made.arrivals, strict=True) if each.card == GOOD}
        buyers.append(held_units(made, warm_up_s, orders=good)[0])
    what = f"ample stock, {law}, {per_min:g} a minute, {abandon:.0%} abandon, TTL {ttl_s:g} s:"
    agrees(f"{what} units held", [each[0] for each in found], mean, 0.045 * mean)
    agrees(f"{what} variance of units held", [each[1] for each in found], mean, 0.15 * mean)
    theirs = mean - per_min * abandon * ttl_s / 60
    agrees(f"{what} held by buyers", buyers, theirs, 0.05 * theirs)
    late = 0.0 if isinstance(pays_in, float) else float(pays_in.sf(ttl_s))
    agrees(f"{what} lapses a minute", lapses, per_min * (abandon + (1 - abandon) * late), 0.025 * per_min)


# -- stock that runs short


@known("ttl_stock", 2, "How often is everything held, where every hold gives its unit back?", "Erlang B, insensitive")
@pytest.mark.parametrize(
    ("units", "load", "law", "abandon"),
    [
        (10, 8.0, "constant", 1.0),  # nobody pays: every hold runs to its TTL
        (10, 8.0, "exponential", 0.3),
        (5, 5.0, "lognormal", 0.0),
        pytest.param(20, 16.0, "lognormal", 0.3, marks=SLOW),
        pytest.param(100, 100.0, "exponential", 0.1, marks=SLOW),
    ],
)
def test_the_chance_of_finding_nothing_left_is_erlangs(
    effort: Effort, agrees: Agrees, units: int, load: float, law: str, abandon: float
) -> None:
    latency, pays_in = paying_in(law, PAYS_S)
    rate = load / formulas.mean_hold(pays_in, TTL_S, abandon)
    warm_up_s = 3_600.0
    scenario = shop(
        warm_up_s + 1_200 * effort.longer / rate,
        poisson(rate),
        stock={"skus": 1, "units_per_sku": units},
        service={"payment": {"latency": latency, "declines": abandon}},
        policy={"reservation_ttl": "15 min"},
    )
    chance = formulas.erlang_b(units, load)
    shares, held = measured(
        plays(scenario, Borrows, effort.seeds),
        lambda made: refused_share(made, warm_up_s),
        lambda made: held_units(made, warm_up_s)[0],
    )
    what = f"{units} units, load {load:g}, {law}, {abandon:.0%} abandon:"
    agrees(f"{what} sold out", shares, chance, 0.1 * chance, full=0.03 * chance)
    agrees(f"{what} units held", held, load * (1 - chance), 0.02 * load)


@known("ttl_stock_to_a_thousandth", 2, "The same from four million arrivals", "Erlang B, insensitive")
@ONLY_BIG
def test_sold_out_of_ten_units_to_a_thousandth(effort: Effort, agrees: Agrees) -> None:
    """The published gate: half-width at most .001 on .121661064; about four million arrivals."""
    scenario = shop(
        17_000.0,
        poisson(8.0),
        stock={"skus": 1, "units_per_sku": 10},
        service={"payment": {"latency": constant(0.5), "declines": 0.2}},
        policy={"reservation_ttl": "3 s"},
    )
    shares = [refused_share(play(scenario, Borrows, seed), 60.0) for seed in effort.seeds]
    agrees("10 units sold out", shares, 0.121661064, 0.001 * effort.tighter, full=0.001)


@known("carts", 2, "How often are carts of several units refused?", "Kaufman (1981), Roberts (1981)")
@pytest.mark.parametrize(("units", "loads"), [(20, (6.0, 2.0, 0.6)), pytest.param(12, (2.0, 1.0, 0.5), marks=SLOW)])
def test_carts_of_several_units_are_refused_as_kaufman_and_roberts_said(
    effort: Effort, agrees: Agrees, units: int, loads: tuple[float, float, float]
) -> None:
    """Carts of one, three and five units, with these loads."""
    total, hold_s = sum(loads), 60.0
    names = list(BorrowsByPlace.SIZES)
    scenario = shop(
        (1_200 * effort.longer + 100) * hold_s / total,
        poisson(total / hold_s),
        stock={"skus": 1, "units_per_sku": units},
        service={"payment": {"latency": exponential(hold_s)}},
        policy={"reservation_ttl": "10 days"},
        place=[{"name": name, "weight": load} for name, load in zip(names, loads, strict=True)],
        link=[{"between": [names[a], names[b]], "latency": constant(0.0)} for a, b in ((0, 1), (0, 2), (1, 2))],
    )
    *shares, held_on_average = measured(
        plays(scenario, BorrowsByPlace, effort.seeds),
        lambda made: refused_share(made, 10 * hold_s, names[0]),
        lambda made: refused_share(made, 10 * hold_s, names[1]),
        lambda made: refused_share(made, 10 * hold_s, names[2]),
        lambda made: held_units(made, 10 * hold_s)[0],
    )
    chances, held = formulas.kaufman_roberts(units, list(zip(loads, BorrowsByPlace.SIZES.values(), strict=True)))
    what = f"carts, {units} units, loads {loads}:"
    for name, found, chance in zip(names, shares, chances, strict=True):
        agrees(f"{what} {name} sold out", found, chance, 0.1 * chance + 0.004)
    agrees(f"{what} units held", held_on_average, held, 0.018 * held)


@known("baskets", 2, "How often are baskets of any size refused?", "Kaufman (1981), Roberts (1981)")
@pytest.mark.parametrize(("units", "load", "mean_size"), [(12, 4.0, 2.0)])
def test_baskets_of_any_size_are_refused_as_kaufman_and_roberts_said(
    effort: Effort, agrees: Agrees, units: int, load: float, mean_size: float
) -> None:
    """Geometric baskets: a class for each size; those beyond the shelf are always refused."""
    hold_s = 60.0
    scenario = shop(
        (1_000 * effort.longer + 50) * hold_s / load,
        poisson(load / hold_s, basket={"units": {"kind": "geometric", "mean": mean_size}}),
        stock={"skus": 1, "units_per_sku": units},
        service={"payment": {"latency": constant(hold_s)}},
        policy={"reservation_ttl": "10 days"},
    )
    sizes = [(load * (1 - 1 / mean_size) ** (size - 1) / mean_size, size) for size in range(1, units + 30)]
    chances, held = formulas.kaufman_roberts(units, sizes)
    overall = sum(chance * part for chance, (part, _) in zip(chances, sizes, strict=True)) / load
    shares, held_on_average = measured(
        plays(scenario, Borrows, effort.seeds),
        lambda made: refused_share(made, 10 * hold_s),
        lambda made: held_units(made, 10 * hold_s)[0],
    )
    what = f"geometric baskets of {mean_size:g}, {units} units, load {load:g}:"
    agrees(f"{what} sold out", shares, overall, 0.03 * overall + 0.0015)
    agrees(f"{what} units held", held_on_average, held, 0.012 * held)


@known("reserve_first", 2, "How often does all of hot_cold turn people away?", "Erlang B, insensitive")
@pytest.mark.parametrize(
    ("units", "load", "law"), [(5, 5.0, "exponential"), pytest.param(4, 2.0, "constant", marks=SLOW)]
)
def test_reserve_first_turns_customers_away_as_erlang_said(
    effort: Effort, agrees: Agrees, units: int, load: float, law: str
) -> None:
    """All of `hot_cold`: it reserves, charges a card that declines, gives the units back; who finds none is cancelled.
    Every product is a station of its own."""
    skus, pay_s, warm_up_s = 8, 5.0, 20.0
    latency = exponential(pay_s) if law == "exponential" else constant(pay_s)
    scenario = shop(
        warm_up_s + 250 * effort.longer * pay_s / (load * skus),
        poisson(skus * load / pay_s),
        stock={"skus": skus, "units_per_sku": units},
        service={"payment": {"latency": latency, "declines": 1.0}},
        policy={
            "order": "reserve_first",
            "reservation_ttl": "10 h",
            "decide_within": "10 h",
            "worker_deadline": "1 h",
            "lease": "2 h",
            "idle": "3 h",
        },
    )
    shares = []
    for seed in effort.seeds[:20]:
        history = run_whole(scenario, seed)
        late = {row[ORDER] for row in rows(history, "submit", "invoke") if row[TIME] >= warm_up_s * SECOND}
        told = [row[TO_STATE] for row in rows(history, "notice") if row[ORDER] in late]
        assert len(told) == len(late)
        shares.append(told.count("cancelled") / len(told))
    what = f"hot_cold, reserve first, {units} units, load {load:g}, {law}: cancelled"
    agrees(what, shares, formulas.erlang_b(units, load), 0.03)


# -- stock that nobody restocks


@known("negbin", 2, "How many reservations until all is sold?", "S + a negative binomial")
@pytest.mark.parametrize(
    ("units", "buys", "pays_in_s"),
    [
        (10, 0.7, 0.0),
        (12, 0.6, 40.0),
        pytest.param(100, 0.7, 0.0, marks=SLOW),
        pytest.param(1000, 0.6, 0.0, marks=SLOW),
    ],
)
def test_the_reservations_until_all_is_sold_do_not_depend_on_timing(
    effort: Effort, agrees: Agrees, units: int, buys: float, pays_in_s: float
) -> None:
    """Every product of a run is a shelf of its own; a hold that is paid for too late is not bought."""
    skus, ttl_s, per_sku_s = max(2, 80 // units) * effort.longer, 60.0, 6.0
    late, rounds = (math.exp(-ttl_s / pays_in_s), 20) if pays_in_s else (0.0, 0)  # who pays late holds for a whole one
    mean, variance = formulas.grants_until_sold(units, buys * (1 - late))
    scenario = shop(
        (5 * mean + 60) * per_sku_s + rounds * ttl_s,
        poisson(skus / per_sku_s),
        stock={"skus": skus, "units_per_sku": units},
        service={"payment": {"latency": exponential(pays_in_s) if pays_in_s else AT_ONCE, "declines": 1 - buys}},
        policy={"reservation_ttl": seconds(ttl_s)},
    )
    means, squares, lapsed = [], [], []
    for made in plays(scenario, Buys, effort.seeds):
        sold, granted = Counter(row[SKU] for row in made.rows("pin")), Counter(row[SKU] for row in made.rows("hold"))
        assert set(sold.values()) == {units}, "the sale was too short: something is left"
        means.append(float(np.mean(list(granted.values()))))
        squares.append(float(np.mean([(n - mean) ** 2 for n in granted.values()])))
        consumed = [row[ANSWER] for row in made.rows("consume", "ok")]
        lapsed.append(consumed.count("lapsed") / len(consumed))
    what = f"{units} units, {buys:.0%} buy within {pays_in_s:g} s:"
    agrees(f"{what} grants", means, mean, 0.05 * mean, full=0.01 * mean)
    agrees(f"{what} variance of grants", squares, variance, 0.6 * variance, full=0.1 * variance)
    if late:
        agrees(f"{what} paid after expiry", lapsed, late, 0.02)


def grabbing(products: tuple[str, ...]) -> type[Errand]:
    class Grabs(Errand):
        """Takes a unit of the product whose turn it is; a good card keeps it, any other lets it run out."""

        async def run(self, order: Order, number: int) -> None:
            line = Line(products[number % len(products)], 1, 100)
            answer = await self.patiently(Reserve(order.id, (line,), self.policy.ttl_us))
            if isinstance(answer, Reserved) and order.card == GOOD:
                await self.patiently(Consume(answer.token, order.id))

    return Grabs


@known("comebacks", 2, "When is a flash sale over, if holds run out?", "(1 - (1 - q)^(k + 1))^S")
@pytest.mark.parametrize(
    ("units", "buys", "comebacks"),
    [(10, 0.7, (1, 2, 3)), (4, 0.5, (1, 2, 4)), pytest.param(100, 0.7, (2, 3, 4, 5), marks=SLOW)],
)
def test_a_flash_sale_is_over_after_so_many_comebacks(
    effort: Effort, agrees: Agrees, units: int, buys: float, comebacks: tuple[int, ...]
) -> None:
    """A crowd as large as the shelf is there at the start and whenever holds run out: at that very moment."""
    skus, rounds = 20 * effort.longer, max(comebacks) + 1
    crowd = {"kind": "rounds", "rounds": rounds, "buyers": units * skus, "within": "0 s", "every": "60 s"}
    scenario = shop(
        60.0 * rounds,
        crowd,
        stock={"skus": skus, "units_per_sku": units},
        service={"payment": {"declines": 1 - buys}},
        policy={"reservation_ttl": "60 s"},
    )
    shares: dict[int, list[float]] = {k: [] for k in comebacks}
    for made in plays(scenario, grabbing(scenario.stock.sku_names()), effort.seeds):
        for k, found in shares.items():
            sold = Counter(row[SKU] for row in made.rows("pin") if row[TIME] <= k * 60 * SECOND)
            found.append(sum(n == units for n in sold.values()) / skus)
    for k, found in shares.items():
        chance = formulas.all_sold_by(units, buys, k)
        agrees(f"{units} units, {buys:.0%} buy: all sold after {k} TTLs", found, chance, 0.07)


@known("sell_out", 2, "When is the last unit gone, if nobody abandons?", "a gamma law")
@pytest.mark.parametrize(("units", "per_s"), [(100, 10.0), pytest.param(20, 1.0, marks=SLOW)])
def test_if_nobody_abandons_the_shelf_empties_after_as_many_customers_as_units(
    effort: Effort, agrees: Agrees, units: int, per_s: float
) -> None:
    skus = max(1, 400 // units) * effort.longer
    law = stats.gamma(units, scale=1 / per_s)
    scenario = shop(float(law.ppf(1 - 1e-9)), poisson(skus * per_s), stock={"skus": skus, "units_per_sku": units})
    tables = [sold_out(play(scenario, Buys, seed).history) for seed in effort.seeds]
    assert all(len(table) == skus for table in tables)
    what = f"{units} units, {per_s:g} buyers a second:"
    agrees(f"{what} sell-out time", [float(table.first_s.mean()) for table in tables], law.mean(), 0.03 * law.mean())
    for q in (0.05, 0.5, 0.95):
        shares = [float((table.first_s <= law.ppf(q)).mean()) for table in tables]
        agrees(f"{what} P(sold out by q{q * 100:g})", shares, q, 0.3 * formulas.spread(q))
