"""What time limits cost: a memory that lasts so long, and a hold that runs out before the money is there.

Not here, because no scenario can say it: a memory that is renewed by every look (the provider's keys are not), and
clocks that drift apart (a scenario's are off by a fixed amount, or leap).
"""

from __future__ import annotations

import pytest

from orderquake.model.order import Order
from orderquake.model.payment import Charge
from tests.known.bench import IS_NEW, Errand, exponential, lognormal, play, poisson, rows, seconds, shop
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
    for seed in effort.seeds:
        captures = rows(play(day, AsksForTheSame, seed).history, "capture")
        shares.append(sum(not row[IS_NEW] for row in captures) / len(captures))
    agrees(f"answered from memory, {load:g} looks in its time", shares, hits, 0.01)


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
    for seed in effort.seeds:
        made = play(day, Buys, seed)
        said = rows(made.history, "consume", "ok")
        shares.append(sum("lapsed" in row for row in said) / len(said))
    agrees("paid too late", shares, reference, 0.12 * reference**0.5 / 5)
