"""How often all of several are there, or most of them; how long one waits for a batch; and how long an outage lasts.

Two things are said in a roundabout way. A member of a quorum that is away does not answer for an hour: its leg is a
mixture of at once and that. And a record that books one order after the other is a till: posts are sent one at a time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.stats import binom

from orderquake.model.notice import Notify
from orderquake.model.order import Order
from orderquake.model.order_cache import ReadOrder
from orderquake.model.payment import LookUp
from orderquake.model.record import ReadChanges
from orderquake.model.stock import AskStatus
from orderquake.sim.history import History
from orderquake.sim.scenario import Scenario
from orderquake.sim.settings import set_by_path
from orderquake.sim.study.compare import sync_lag_s
from orderquake.sim.units import SECOND
from tests.known.bench import (
    ANSWER,
    AT_ONCE,
    SERVICES,
    UNTIRING,
    Errand,
    Values,
    constant,
    exponential,
    plays,
    poisson,
    rows,
    run_whole,
    seconds,
    shop,
)
from tests.known.conftest import ONLY_BIG, SLOW, Agrees, Effort
from tests.known.table import known
from tests.known.test_replicas import Writes, answers, of_replicas

# -- in series


class NeedsAll(Errand):
    """Five services, one after the other, each asked once."""

    async def run(self, order: Order, number: int) -> None:
        await self.patiently(ReadOrder(order.id))
        await self.patiently(AskStatus())
        await self.patiently(LookUp(order.id, order.id))
        await self.patiently(ReadChanges(0, 0, 1))
        await self.patiently(Notify(order.id, "fulfilled"))


AWAY = {"order_cache": 1e-4, "stock": 1e-4, "payment": 5e-4, "notice": 1e-4}
ONCE = {"timeout": "1 s", "attempts": 1}


@known("in_series", 8, "How often are all services there, of which each is there so often?", "the product of shares")
@pytest.mark.parametrize(("record", "reference"), [(5e-3, 0.994204179), pytest.param(0.0, 0.999200180, marks=SLOW)])
def test_all_of_several_are_there_as_often_as_known(
    effort: Effort, agrees: Agrees, record: float, reference: float
) -> None:
    day = shop(
        1_000.0 * effort.longer,
        poisson(1.0),
        policy={"patience": dict.fromkeys(SERVICES, ONCE)},
        fault=[
            {"kind": "lose_ask", "target": service, "probability": chance, "must_be_seen": False}
            for service, chance in {**AWAY, "record": record}.items()
            if chance
        ],
    )
    served = [len(rows(made.history, "notify", "ok")) / len(made.orders) for made in plays(day, NeedsAll, effort.seeds)]
    agrees("all five answered", served, reference, 0.0025 * ((1 - reference) / 0.005) ** 0.5)


# -- posts, in batches


def of_posts(horizon_s: float, rate_per_s: float, every_s: float, batch: int) -> Scenario:
    return shop(
        horizon_s,
        poisson(rate_per_s),
        stock={"skus": 10, "units_per_sku": 100_000},
        jobs={"outbound": {"every": seconds(every_s), "jitter": "0 s", "batch": batch}},
        policy={"patience": {**dict.fromkeys(SERVICES, UNTIRING), "record": {"timeout": "500 ms", "attempts": 1}}},
    )


def bookings(history: History) -> tuple[Values, Values]:
    """When each order was due, fulfilled, and when it was booked, seconds."""
    table = history.table()
    ends, posts = table.at("state", "order"), table.at("state", "post")
    ends = ends[table.to_state[ends] == table.code("fulfilled")]
    posts = posts[table.answer[posts] == table.code("posted")]
    due_us = np.zeros(int(table.order.max()) + 1)
    due_us[table.order[ends]] = table.time[ends]
    return due_us[table.order[posts]] / SECOND, table.time[posts] / SECOND


@known("batch_wait", 8, "How long does one wait for a batch?", "half of its period, for arrivals at random")
def test_who_waits_for_a_batch_waits_for_half_of_its_period(effort: Effort, agrees: Agrees) -> None:
    day = of_posts(600.0 * effort.longer, 0.5, 300.0, 100_000)
    lags = [sync_lag_s(run_whole(day, seed).table()) for seed in effort.seeds]
    agrees("wait for a batch every 300 s", lags, 150.0, 4.0)


@known("batch_wait_p99", 8, "How long do few wait for a batch?", "99 % of its period, for arrivals at random")
@ONLY_BIG
def test_one_in_a_hundred_waits_for_nearly_all_of_it(effort: Effort, agrees: Agrees) -> None:
    day = of_posts(3_000.0, 1.0, 300.0, 100_000)
    pooled: list[float] = []
    for seed in effort.seeds[:10]:
        due, booked = bookings(run_whole(day, seed))
        pooled += (booked - due).tolist()
    agrees.quantile("wait for a batch every 300 s, p99, s", pooled, 0.99, 297.0)


# -- most of several

AWAY_FOR = constant(3_600.0)


def members_away(share: float) -> dict[str, Any]:
    """A leg that is as good as cut so often."""
    parts = [{"weight": 1 - share, "of": AT_ONCE}, {"weight": share, "of": AWAY_FOR}]
    return {"kind": "mixture", "parts": parts}


@known("majority", 8, "How often are most of several there?", "a binomial tail")
@pytest.mark.parametrize(
    ("replicas", "writes", "there"),
    [
        (3, 2, 0.9),
        (5, 3, 0.9),
        pytest.param(3, 2, 0.99, marks=SLOW),
        pytest.param(5, 3, 0.99, marks=SLOW),
        pytest.param(3, 3, 0.95, marks=SLOW),
    ],
)
def test_most_of_several_are_there_as_often_as_known(
    effort: Effort, agrees: Agrees, replicas: int, writes: int, there: float
) -> None:
    """A write is answered in time iff as many members are there as have to confirm it."""
    day = of_replicas(400 * effort.longer, replicas, writes, 1, write=members_away(1 - there))
    day = set_by_path(day, "policy.patience.order_cache", {"timeout": "1 s", "attempts": 1})
    tries = served = 0
    for seed in effort.seeds:
        history = run_whole(day, seed, Writes)
        tries += len(rows(history, "submit", "invoke"))
        served += sum(row[ANSWER] == "written" for row in answers(history, "submit"))
    reference = float(binom.sf(writes - 1, replicas, there))
    agrees.share(f"{writes} of {replicas}, each there with {there:g}", served, tries, reference, 0.01)


# -- after an outage


class Outage(NamedTuple):
    """What an outage left behind.

    drained_s from its end until an order was booked behind which nobody waited when its turn came: there the job ends
    delayed   orders that were booked until then
    """

    waiting: int
    drained_s: float
    delayed: int


def outage(history: History, lasted_s: float) -> Outage:
    """Of an outage that began with the day: orders due and booked, each in its turn."""
    due, booked = map(np.sort, bookings(history))
    assert booked[0] > lasted_s
    turns = np.concatenate(([lasted_s], booked[:-1]))
    caught_up = int(np.argmax(np.searchsorted(due, turns, side="right") == np.arange(1, len(due) + 1)))
    waiting = int(np.searchsorted(due, lasted_s, side="right"))
    return Outage(waiting, float(booked[caught_up]) - lasted_s, caught_up + 1)


@known("outage", 8, "What does an outage leave behind, and when is that caught up with?", "a busy period of M/M/1")
@pytest.mark.parametrize(
    ("comes_per_s", "goes_per_s", "lasted_s"),
    [(5.0, 15.0, 30), pytest.param(10.0, 20.0, 60, marks=SLOW), pytest.param(10.0, 12.0, 600, marks=SLOW)],
)
def test_what_an_outage_of_the_record_leaves_behind_is_as_known(
    effort: Effort, agrees: Agrees, comes_per_s: float, goes_per_s: float, lasted_s: int
) -> None:
    """Nothing is posted until the outage is over; then one job posts an order at a time, and goes on until all are."""
    backlog = comes_per_s * lasted_s
    drain_s = (backlog - 1) / (goes_per_s - comes_per_s) + 1 / goes_per_s
    busy = comes_per_s / goes_per_s
    spread_s = (backlog * ((1 + busy) / (1 - busy) + 1)) ** 0.5 / (goes_per_s - comes_per_s)
    day = of_posts(lasted_s + drain_s + 6 * spread_s + 10, comes_per_s, lasted_s, 1)
    day = set_by_path(day, "service.record.operations", {"post": exponential(1 / goes_per_s)})
    day = set_by_path(day, "policy.patience.record", UNTIRING)
    only_one = {"kind": "ticker_skipped", "target": "outbound", "share": 1.0, "from": seconds(lasted_s + 1)}
    day = set_by_path(day, "fault", [{**only_one, "must_be_seen": False}])
    found = [outage(run_whole(day, seed), lasted_s) for seed in effort.seeds]
    what = f"{comes_per_s:g} come, {goes_per_s:g} go, away for {lasted_s} s:"
    agrees(f"{what} waiting at its end", [one.waiting for one in found], backlog, 0.06 * backlog, full=0.06 * backlog)
    wide_s = 0.5 * spread_s  # thirty outages a form: a longer one is another question
    agrees(f"{what} caught up after, s", [one.drained_s for one in found], drain_s, wide_s, full=wide_s)
    delayed = (backlog - 1) * goes_per_s / (goes_per_s - comes_per_s) + 1
    agrees(f"{what} delayed", [one.delayed for one in found], delayed, 0.1 * delayed, full=0.1 * delayed)
    if effort.is_full:
        squares = [(one.drained_s - drain_s) ** 2 for one in found]
        agrees(f"{what} variance of that, s^2", squares, spread_s**2, spread_s**2, full=0.8 * spread_s**2)
