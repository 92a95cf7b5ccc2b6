"""Asking again: how often, for how long, and what becomes of many who do it at once.

The asker is the product's `patiently` with its kinds of backoff and its retry budget; losses are the product's faults.
Not here, because nothing in the product nests: layers of retries around each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from orderquake.model.flow import Backoff, BackoffKind
from orderquake.model.order import Order
from orderquake.model.order_cache import Found, ReadOrder, Register, WriteOrder, Written
from orderquake.sim.units import MS, SECOND
from tests.known import formulas
from tests.known.bench import ORDER, TIME, Errand, Pays, Play, gamma, plays, shop
from tests.known.conftest import SLOW, Agrees, Effort
from tests.known.table import known
from tests.known.test_exactly_once import at_the_provider, crowd

AWS = "github.com/aws-samples/aws-arch-backoff-simulator"


def trying(attempts: int, **more: Any) -> dict[str, Any]:
    return {"patience": {"payment": {"timeout": "1 s", "attempts": attempts, "base": "0 s", "cap": "0 s", **more}}}


def tries_of(made: Play) -> tuple[list[int], list[bool]]:
    """Of every asker: tries, and whether one of them was answered."""
    asked = Counter(row[ORDER] for row in made.rows("charge", "invoke"))
    answered = {row[ORDER] for row in made.rows("charge", "ok")}
    return [asked[order] for order in made.orders], [order in answered for order in made.orders]


@known("attempts", 4, "How many tries, if each fails by itself?", "a geometric law, cut off")
@pytest.mark.parametrize(("fails", "attempts"), [(0.5, 3), pytest.param(0.5, 4, marks=SLOW), (0.75, 4)])
def test_so_many_tries_are_made_and_so_many_succeed(
    effort: Effort, agrees: Agrees, fails: float, attempts: int
) -> None:
    scenario = shop(
        100.0 + attempts,
        crowd(400 * effort.longer),
        policy=trying(attempts),
        fault=at_the_provider({"lose_ask": fails}),
    )
    found = [tries_of(made) for made in plays(scenario, Pays, effort.seeds)]
    what = f"{attempts} tries, each fails with {fails:g}:"
    mean, success = formulas.tries(fails, attempts)
    agrees(f"{what} tries", [sum(tries) / len(tries) for tries, _ in found], mean, 0.03)
    agrees(f"{what} success", [sum(good) / len(good) for _, good in found], success, 0.015)


@known("retry_budget", 4, "How many tries does a retry budget allow?", "min(1 / (1 - p), 1 + f)")
@pytest.mark.parametrize(
    ("fails", "per_call"),
    [(0.5, 0.1), (0.05, 0.1), pytest.param(0.5, 0.3, marks=SLOW), pytest.param(0.15, 0.3, marks=SLOW)],
)
def test_a_budget_bounds_the_tries(effort: Effort, agrees: Agrees, fails: float, per_call: float) -> None:
    """The first half of the askers spends what was saved before the day began, and the last ones earn nothing more."""
    scenario = shop(
        150.0,
        crowd(1_000 * effort.longer),
        policy=trying(40, retry_budget={"per_call": per_call, "burst": 100}),
        fault=at_the_provider({"lose_ask": fails}),
    )
    tried, good = [], []
    for made in plays(scenario, Pays, effort.seeds):
        tries, answered = tries_of(made)
        steady = [n for n, each in enumerate(made.arrivals) if 45 * SECOND <= each.at_us < 85 * SECOND]
        tried.append(sum(tries[n] for n in steady) / len(steady))
        good.append(sum(answered[n] for n in steady) / len(steady))
    mean = min(1 / (1 - fails), 1 + per_call)
    what = f"budget {per_call:g} a call, each fails with {fails:g}:"
    agrees(f"{what} tries", tried, mean, 0.015)
    agrees(f"{what} success", good, min(1.0, (1 + per_call) * (1 - fails)), 0.015)


@known("backoff_waits", 4, "How long does one wait in all, before the last try?", AWS)
@pytest.mark.parametrize("kind", ["exponential", "equal", "full", "decorrelated"])
@pytest.mark.parametrize("retries", [5, 10])
def test_waits_add_up_as_known(effort: Effort, agrees: Agrees, kind: BackoffKind, retries: int) -> None:
    """Base 5, cap 2000, in milliseconds; the first exponent is 1, so that ours, which is 0, begins with 10."""
    base_ms = 5 if kind == "decorrelated" else 10
    patience = {"timeout": "1 ms", "attempts": retries + 1, "base": f"{base_ms} ms", "cap": "2000 ms", "backoff": kind}
    scenario = shop(
        200.0,
        crowd(150 * effort.longer),
        policy={"patience": {"payment": patience}},
        fault=at_the_provider({"lose_ask": 1.0}),
    )
    means = []
    for made in plays(scenario, Pays, effort.seeds):
        first: dict[str, int] = {}
        last: dict[str, int] = {}
        for row in made.rows("charge", "invoke"):
            first.setdefault(row[ORDER], row[TIME])
            last[row[ORDER]] = row[TIME]
        waited = [last[order] - first[order] - retries * MS for order in made.orders]
        means.append(sum(waited) / len(waited) / MS)
    mean = formulas.waits_of_backoff(kind, 5.0, 2000.0, retries)
    wide = (0.05 if kind == "decorrelated" else 0.02) * mean
    agrees(f"{kind}, {retries} retries: waited, ms", means, mean, wide, full=0.02 * mean)


class Contends(Errand):
    """Reads the one row that all want to write, writes it, and where another was quicker begins again after a while."""

    kind: BackoffKind = "none"

    def stores(self, opening: Mapping[str, int]) -> Any:
        made = super().stores(opening)
        made["order_cache"].handle(Register(Order("row", (), 0, "good", "here")), 0)
        made["order_cache"].journal.clear()
        return made

    async def run(self, order: Order, number: int) -> None:
        base_us = 5 * MS if self.kind == "decorrelated" else 10 * MS
        attempt = 0
        while True:
            found = await self.patiently(ReadOrder("row"))
            assert isinstance(found, Found)
            if isinstance(await self.patiently(WriteOrder(found.order)), Written):
                return
            await Backoff(base_us, 2000 * MS, attempt, self.kind)
            attempt += 1


PRINTED = {
    ("none", 10): (378.9, 50.40),
    ("exponential", 10): (3517.0, 50.74),
    ("equal", 10): (718.9, 42.62),
    ("full", 10): (450.1, 38.67),
    ("decorrelated", 10): (436.6, 37.49),
    ("none", 20): (612.1, 155.86),
    ("exponential", 20): (14368.0, 149.93),
    ("equal", 20): (1625.0, 108.00),
    ("full", 20): (988.6, 99.93),
    ("decorrelated", 20): (838.8, 101.21),
}
"""Kind and clients -> mean end, milliseconds, and writes a run; over a hundred runs, of which no error was printed."""


@known("contention", 4, "When are all done who want to write one row, and after how many writes?", AWS)
@pytest.mark.parametrize("kind", ["none", "exponential", "equal", "full", "decorrelated"])
@pytest.mark.parametrize("clients", [10, pytest.param(20, marks=SLOW)])
def test_contention_takes_as_long_as_published(effort: Effort, agrees: Agrees, kind: BackoffKind, clients: int) -> None:
    """A hundred runs here as there; theirs is taken to be as uncertain as ours. The published delay is 10 +- 2 ms,
    normal; here it has the same two moments and is gamma."""
    errand = type("ContendsSo", (Contends,), {"kind": kind, "name": "contends"})
    scenario = shop(
        60.0,
        {"kind": "rounds", "rounds": 1, "buyers": clients, "within": "0 s", "every": "60 s"},
        local_latency=gamma(0.010, 0.2),
    )
    ends, writes = [], []
    first = effort.seeds[0]
    for made in plays(scenario, errand, range(first, first + 100 * effort.longer)):
        ends.append(max(row[TIME] for row in made.rows("write_order", "ok")) / MS)
        writes.append(float(len(made.rows("write_order", "invoke"))))
    for what, values, printed, part in (
        ("end, ms", ends, PRINTED[kind, clients][0], 0.15),
        ("writes", writes, PRINTED[kind, clients][1], 0.06),
    ):
        spread = float((sum((v - sum(values) / len(values)) ** 2 for v in values) / (len(values) - 1)) ** 0.5)
        agrees(f"{kind}, {clients} clients: {what}", values, printed, part * printed, full=part * printed,
               error=spread / 10)  # fmt: skip
