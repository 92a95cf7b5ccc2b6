"""How often all of several are there, and how long one waits for a batch.

Not here, because no scenario can say it: replicas of a quorum that fail one by one; and a backlog that goes at a fixed
rate after an outage, since the job that posts does not rest before all is posted.
"""

from __future__ import annotations

import pytest

from orderquake.model.notice import Notify
from orderquake.model.order import Order
from orderquake.model.order_cache import ReadOrder
from orderquake.model.payment import LookUp
from orderquake.model.record import ReadChanges
from orderquake.model.stock import AskStatus
from orderquake.sim.history import History
from orderquake.sim.scenario import Scenario
from orderquake.sim.study.compare import sync_lag_s
from orderquake.sim.units import SECOND
from tests.known.bench import (
    ANSWER,
    KIND,
    OPERATION,
    ORDER,
    SERVICES,
    TIME,
    TO_STATE,
    UNTIRING,
    Errand,
    play,
    poisson,
    rows,
    run_whole,
    seconds,
    shop,
)
from tests.known.conftest import ONLY_BIG, SLOW, Agrees, Effort
from tests.known.table import known

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
    served = []
    for seed in effort.seeds:
        made = play(day, NeedsAll, seed)
        served.append(len(rows(made.history, "notify", "ok")) / len(made.orders))
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


def waits_s(history: History) -> dict[str, tuple[float, float]]:
    """Order -> how long it waited for its booking, and when that was."""
    ended = {
        row[ORDER]: row[TIME] for row in history.raw() if row[OPERATION] == "order" and row[TO_STATE] == "fulfilled"
    }
    return {
        row[ORDER]: ((row[TIME] - ended[row[ORDER]]) / SECOND, row[TIME] / SECOND)
        for row in history.raw()
        if row[OPERATION] == "post" and row[KIND] == "state" and row[ANSWER] == "posted"
    }


@known("batch_wait", 8, "How long does one wait for a batch?", "half of its period, for arrivals at random")
def test_who_waits_for_a_batch_waits_for_half_of_its_period(effort: Effort, agrees: Agrees) -> None:
    day = of_posts(600.0 * effort.longer, 0.5, 300.0, 100_000)
    lags = [sync_lag_s(run_whole(day, seed).table()) for seed in effort.seeds]
    agrees("wait for a batch every 300 s", lags, 150.0, 4.0)


@known("batch_wait_p99", 8, "How long do few wait for a batch?", "99 % of its period, for arrivals at random")
@ONLY_BIG
def test_one_in_a_hundred_waits_for_nearly_all_of_it(effort: Effort, agrees: Agrees) -> None:
    day = of_posts(3_000.0, 1.0, 300.0, 100_000)
    pooled = [wait for seed in effort.seeds[:10] for wait, _ in waits_s(run_whole(day, seed)).values()]
    agrees.quantile("wait for a batch every 300 s, p99, s", pooled, 0.99, 297.0)
