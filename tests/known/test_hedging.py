"""What it costs, and what it gains, to ask once more where nothing came back soon.

The asker is the product's patience with `hedge_after`; the service takes exponential times, each ask its own.
"""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from orderquake.model.order import Order
from orderquake.model.order_cache import ReadOrder
from orderquake.sim.scenario import Scenario
from orderquake.sim.units import SECOND
from tests.known.bench import UNTIRING, Errand, Play, exponential, measured, play, plays, poisson, seconds, shop
from tests.known.conftest import ONLY_BIG, SLOW, Agrees, Effort
from tests.known.table import known

TAIL = 'J. Dean and L. A. Barroso, "The Tail at Scale" (CACM 2013); the smaller of two exponential times'


class Looks(Errand):
    """Reads a row, and that is all."""

    async def run(self, order: Order, number: int) -> None:
        await self.patiently(ReadOrder(order.id))


def hedging(after_s: float, customers: int) -> Scenario:
    patience = {**UNTIRING, "hedge_after": seconds(after_s)}
    return shop(
        customers / 10,
        poisson(10.0),
        service={"order_cache": {"latency": exponential(1.0)}},
        policy={"patience": {"order_cache": patience}},
    )


def mean_s(made: Play) -> float:
    return float(np.mean(made.took_us("read_order"))) / SECOND


def asked_twice(made: Play) -> float:
    return len(made.rows("read_order", "invoke")) / len(made.orders) - 1


@known("hedge", 5, "How much sooner is the answer there if one asks twice, and how many asks does that take?", TAIL)
@pytest.mark.parametrize("after_s", [1.0, pytest.param(0.25, marks=SLOW), pytest.param(3.0, marks=SLOW)])
def test_whoever_asks_once_more_has_the_answer_sooner(effort: Effort, agrees: Agrees, after_s: float) -> None:
    day = hedging(after_s, 700 * effort.longer)
    means, twice = measured(plays(day, Looks, effort.seeds), mean_s, asked_twice)
    agrees(f"asked again after {after_s:g}: mean", means, 1 - exp(-after_s) / 2, 0.016)
    agrees(f"asked again after {after_s:g}: asks more", twice, exp(-after_s), 0.012)


@known("hedge_p99", 5, "How late are the last answers if one asks twice?", TAIL)
@ONLY_BIG
@pytest.mark.parametrize("after_s", [1.0, 3.0])
def test_the_tail_is_cut_by_asking_once_more(effort: Effort, agrees: Agrees, after_s: float) -> None:
    day = hedging(after_s, 2_000)
    pooled = np.concatenate([play(day, Looks, seed).took_us("read_order") for seed in effort.seeds]) / SECOND
    agrees.quantile(f"asked again after {after_s:g}: p99", pooled, 0.99, (after_s + log(100)) / 2)
