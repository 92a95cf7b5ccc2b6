"""All of `hot_cold`, from the click to the notice: its latency, how its orders end, and who goes away empty-handed.

Every order goes through the front door, the work queue, a worker, the provider, the Stock Cache and the notice.
"""

from __future__ import annotations

from collections import Counter

import pytest

from orderquake.sim.history import History
from orderquake.sim.run import simulate
from orderquake.sim.study.measures import latencies
from orderquake.sim.units import SECOND
from tests.known import formulas
from tests.known.bench import (
    ORDER,
    SKU,
    TO_STATE,
    constant,
    exponential,
    lognormal,
    poisson,
    rows,
    run_whole,
    shop,
)
from tests.known.conftest import SLOW, Agrees, Effort
from tests.known.table import known


def told(history: History) -> Counter[str]:
    """How the orders ended, by what their customers were told first."""
    return Counter(row[TO_STATE] for row in rows(history, "notice"))


@known("hot_cold_path", 1, "How long does all of hot_cold take, with one till and one clerk?", "Jackson, Reich (1957)")
@pytest.mark.parametrize(("arrivals", "pay", "tell"), [(5.0, 12.0, 25.0), pytest.param(6.0, 10.0, 9.0, marks=SLOW)])
def test_the_decision_takes_as_long_as_its_two_queues(
    effort: Effort, agrees: Agrees, arrivals: float, pay: float, tell: float
) -> None:
    """One till, one clerk who sends notices, and everything else at once: a tandem of two single servers."""
    scenario = shop(
        180 * effort.longer / arrivals,
        poisson(arrivals),
        stock={"units_per_sku": 1_000_000},
        service={
            "payment": {"latency": exponential(1 / pay), "capacity": 1},
            "notice": {"latency": exponential(1 / tell), "capacity": 1},
        },
    )
    mean, _, longer_than = formulas.tandem(arrivals, (pay, tell))
    warm_up = 25
    took = [latencies(run_whole(scenario, seed))["decision"].latency_us[warm_up:] / SECOND for seed in effort.seeds]
    what = f"hot_cold decision, lambda {arrivals:g}, mu {pay:g} and {tell:g}:"
    agrees(f"{what} mean, s", [float(each.mean()) for each in took], mean, 0.15 * mean, full=0.05 * mean)
    for times in (1.0, 2.0, 4.0):
        beyond, chance = [float((each > times * mean).mean()) for each in took], longer_than(times * mean)
        agrees(f"{what} P(> {times:g} means)", beyond, chance, 0.12 * formulas.spread(chance))


LEGS = 1 + 2 + 1 + 2 + (2 + 2) + 3 * (2 + 2 + 2) + (2 + 1)
"""Legs from the click to the notice: the customer's own, register, enqueue, lease; then read and write to begin; read,
ask and write to charge, to reserve and to consume; read and notify."""


@known(
    "stages", 1, "What does a stage without a queue add to the path?", "independent times add their mean and variance"
)
@pytest.mark.parametrize(("arrivals", "pay", "reserve_s", "cv", "leg_s"), [(4.0, 9.0, 0.3, 0.8, 0.05)])
def test_stages_without_a_queue_add_their_mean_and_variance(
    effort: Effort, agrees: Agrees, arrivals: float, pay: float, reserve_s: float, cv: float, leg_s: float
) -> None:
    """A reservation of lognormal length, the way to the shop and back, and one till."""
    scenario = shop(
        180 * effort.longer / arrivals,
        poisson(arrivals),
        stock={"units_per_sku": 1_000_000},
        service={
            "payment": {"latency": exponential(1 / pay), "capacity": 1},
            "stock": {"operations": {"reserve": lognormal(reserve_s, cv)}},
        },
        local_latency=constant(leg_s),
    )
    mean, variance, _ = formulas.tandem(arrivals, (pay,))
    mean, variance = mean + reserve_s + LEGS * leg_s, variance + (reserve_s * cv) ** 2
    means, squares = [], []
    for seed in effort.seeds:
        took = latencies(run_whole(scenario, seed))["decision"].latency_us[25:] / SECOND
        means.append(float(took.mean()))
        squares.append(float(((took - mean) ** 2).mean()))
    agrees("hot_cold decision, a till and a lognormal stage: mean, s", means, mean, 0.02 * mean)
    agrees("hot_cold decision, a till and a lognormal stage: variance", squares, variance, 0.35 * variance)


@known("saga", 1, "How do orders end that may fail at three steps?", "the three chances, multiplied")
@pytest.mark.parametrize(
    ("pays", "has_stock", "stays"),
    [(0.97, 0.95, 0.99), pytest.param(0.8, 0.75, 0.9, marks=SLOW)],
    ids=lambda value: f"{value:g}",
)
def test_orders_end_in_the_shares_of_the_saga(
    effort: Effort, agrees: Agrees, pays: float, has_stock: float, stays: float
) -> None:
    """Three chances in a row: the card is good; the product is one of those that a stock-take did not empty; the
    customer does not change their mind while the units are being reserved."""
    skus = 20
    empty = round(skus * (1 - has_stock))
    names = [f"sku-{number:02d}" for number in range(1, skus + 1)]
    scenario = shop(
        60.0,
        {
            "kind": "flash_sale",
            "orders": 200 * effort.longer,
            "starts": "20 s",
            "over": "20 s",
            "shape": "uniform",
            "popularity": {"kind": "uniform"},
            "cancels": 1 - stays,
            "cancels_after": constant(1.5),
        },
        stock={
            "skus": skus,
            "units_per_sku": 100_000,
            "corrections": [{"at": "5 s", "sku": name, "units": -100_000} for name in names[:empty]],
        },
        service={
            "payment": {"latency": constant(1.0), "declines": 1 - pays},
            "stock": {"operations": {"reserve": constant(1.0)}},
        },
        jobs={"inbound": {"every": "10 s", "jitter": "0 s"}},
    )
    ends = [told(run_whole(scenario, seed)) for seed in effort.seeds]
    n = 200 * effort.longer
    assert all(end.total() == n for end in ends)
    what = f"saga {pays:g} {has_stock:g} {stays:g}:"
    for name, share in (
        ("fulfilled", pays * has_stock * stays),
        ("refunded", pays * (1 - has_stock * stays)),
        ("declined", 1 - pays),
    ):
        agrees(f"{what} {name}", [end[name] / n for end in ends], share, 0.04 * formulas.spread(share))


@known("pay_then_check", 1, "How many pay for what is sold out?", "E(N - S)+ of a Poisson N")
@pytest.mark.parametrize(
    ("buyers", "units"), [(10.0, 10), pytest.param(20.0, 17, marks=SLOW), pytest.param(100.0, 100, marks=SLOW)]
)
def test_pay_then_check_gives_back_what_the_shelf_cannot_cover(
    effort: Effort, agrees: Agrees, buyers: float, units: int
) -> None:
    """Everybody pays; those beyond the last unit are refunded. Every product of a run is a sale of its own."""
    skus = max(2, round(250 / buyers)) * effort.longer
    scenario = shop(
        100.0, poisson(skus * buyers / 100.0), stock={"skus": skus, "units_per_sku": units},
        service={"payment": {"latency": exponential(0.5)}},
    )  # fmt: skip
    means, some = [], []
    for seed in effort.seeds:
        history = run_whole(scenario, seed)
        product = {row[ORDER]: row[SKU] for row in rows(history, "ordered")}
        refunds = Counter(product[row[ORDER]] for row in rows(history, "notice") if row[TO_STATE] == "refunded")
        means.append(refunds.total() / skus)
        some.append(len(refunds) / skus)
    mean, chance = formulas.unserved(buyers, units)
    what = f"{buyers:g} buyers, {units} units:"
    agrees(f"{what} refunds", means, mean, 0.2 * mean)
    agrees(f"{what} P(any refund)", some, chance, 0.07)


def test_these_shops_keep_their_promises() -> None:
    """What is measured here without the checkers is right by them, too."""
    scenario = shop(30.0, poisson(8.0, cancels=0.1), stock={"skus": 4, "units_per_sku": 20})
    run = simulate(scenario, seed=1)
    broken = {name: verdict for name, verdict in run.verdicts.items() if verdict.status == "invalid"}
    assert not broken
    assert run.outcomes()["pending"] == 0
    assert told(run.history).total() == run.outcomes()["accepted"]
