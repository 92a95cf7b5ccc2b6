"""Known answers for copies that lie in several places: quorums (P. Bailis and others, "Probabilistically Bounded
Staleness", VLDB 2012) and stock that is split beforehand.

Reference numbers and their sources are in `formulas.py`; what is measured goes through the product's own world.
"""

from __future__ import annotations

from math import inf, log
from typing import Any

import numpy as np
import pytest

from orderquake.model.architecture import Job
from orderquake.model.architectures.escrow import Escrow
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.architectures.naive_cache import NaiveCache
from orderquake.model.counts import ReadCount, WriteCount
from orderquake.model.flow import Reply
from orderquake.model.order import Order
from orderquake.model.stock import Reserve, Reserved
from orderquake.sim.checkers.columns import oversold_units
from orderquake.sim.history import History
from orderquake.sim.kv import kv_of
from orderquake.sim.run import simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.units import SECOND
from tests.known.bench import ANSWER, ORDER, TIME, exponential, poisson, rows, run_whole, shop
from tests.known.conftest import ONLY_BIG, SLOW, Agrees, Effort
from tests.known.formulas import lost_sales, stranded_units
from tests.known.table import known


class Asks(NaiveCache):
    """A customer asks the store, hears how it went, and that is all."""

    name = "asks"

    def jobs(self) -> tuple[Job, ...]:
        return ()

    def rests(self, stores: Any, now_us: int) -> bool:
        return True


class WritesAndReads(Asks):
    async def register(self, order: Order) -> None:
        await self.patiently(WriteCount(order.id, order.id, 1))
        counted = await self.patiently(ReadCount(order.id, order.id))
        await Reply("fresh" if counted.units else "stale")


class Writes(Asks):
    async def register(self, order: Order) -> None:
        await self.patiently(WriteCount(order.id, order.id, 1))
        await Reply("written")


def of_replicas(customers: int, replicas: int, writes: int, reads: int, **legs: Any) -> Scenario:
    quorum = {"strength": "quorum", "replicas": replicas, "writes": writes, "reads": reads}
    nothing = {"kind": "constant", "value": "0 s"}
    return shop(
        customers * 0.01,
        poisson(100.0),
        kv=quorum | {leg: legs.get(leg, nothing) for leg in ("write", "ack", "read", "reply")},
        quiet_limit="10 h",
    )


def answers(history: History, operation: str) -> list[tuple[Any, ...]]:
    return rows(history, operation, "ok")


def fresh_share(history: History) -> float:
    said = [row[ANSWER] for row in answers(history, "submit")]
    return said.count("fresh") / len(said)


def write_times_s(history: History) -> list[float]:
    asked = {row[ORDER]: row[TIME] for row in rows(history, "put_count", "invoke")}
    return [(row[TIME] - asked[row[ORDER]]) / SECOND for row in answers(history, "put_count")]


# -- staleness


@known("pbs_exponential", 9, "How often is a read fresh, right after a write?", "P. Bailis and others (VLDB 2012)")
@pytest.mark.parametrize(
    ("rate", "reference"),
    [(4.0, 0.943030), (1.0, 0.751828), (0.1, 0.419226)]
    + [pytest.param(*case, marks=SLOW) for case in [(2.0, 0.866638), (0.5, 0.624684), (0.2, 0.486798)]],
)
def test_a_read_right_after_a_write_misses_it_as_often_as_published(
    effort: Effort, agrees: Agrees, rate: float, reference: float
) -> None:
    one = exponential(1.0)
    day = of_replicas(250 * effort.longer, 3, 1, 1, write=exponential(1 / rate), ack=one, read=one, reply=one)
    shares = [fresh_share(run_whole(day, seed, WritesAndReads)) for seed in effort.seeds]
    agrees(f"fresh reads, writes at rate {rate}", shares, reference, 0.012)


DISK = {
    "kind": "mixture",
    "parts": [
        {"weight": 0.9122, "of": {"kind": "pareto", "minimum": "235 ms", "shape": 10.0}},
        {"weight": 0.0878, "of": exponential(1 / 1.66)},
    ],
}
"""LinkedIn's solid-state disks, each leg alike; a second here is a millisecond there, for the sake of whole numbers."""
LEGS = dict.fromkeys(("write", "ack", "read", "reply"), DISK)


@known("pbs_disk", 9, "How often is a read of a real store fresh?", "P. Bailis and others (VLDB 2012)")
def test_reads_of_a_real_store_are_as_fresh_as_published(effort: Effort, agrees: Agrees) -> None:
    day = of_replicas(250 * effort.longer, 3, 1, 1, **LEGS)
    agrees("fresh reads", [fresh_share(run_whole(day, seed, WritesAndReads)) for seed in effort.seeds], 0.97350, 0.006)


@known("pbs_strict", 9, "How often is a read stale, if every write meets every read?", "R + W > N: never")
@pytest.mark.parametrize(("writes", "reads"), [(2, 2), (1, 3), (3, 1)])
def test_where_every_write_meets_every_read_none_is_stale(
    effort: Effort, agrees: Agrees, writes: int, reads: int
) -> None:
    day = of_replicas(250 * effort.longer, 3, writes, reads, **dict.fromkeys(LEGS, exponential(1.0)))
    said = [row[ANSWER] for seed in effort.seeds[:8] for row in answers(run_whole(day, seed, WritesAndReads), "submit")]
    agrees.never(f"stale reads, N 3, W {writes}, R {reads}", len(said) - said.count("fresh"), len(said))


# -- waiting for some of several


@known("k_of_n", 9, "How long does one wait for some of several?", "order statistics")
@pytest.mark.parametrize(("replicas", "writes", "reference"), [(5, 3, 2.247720), (3, 2, 2.831861)])
def test_the_slowest_of_those_that_are_waited_for(
    effort: Effort, agrees: Agrees, replicas: int, writes: int, reference: float
) -> None:
    day = of_replicas(2_200 * effort.longer, replicas, writes, 1, write=exponential(1.0))
    pooled = [time for seed in effort.seeds[:10] for time in write_times_s(run_whole(day, seed, Writes))]
    agrees.quantile(f"{writes} of {replicas}, p99, s", pooled, 0.99, reference)


@known("pbs_disk_writes", 9, "How long do writes to a real store take?", "P. Bailis and others (VLDB 2012)")
@ONLY_BIG
@pytest.mark.parametrize(("writes", "reference"), [(1, 0.6549), (2, 1.6323), (3, 4.1130)])
def test_writes_to_a_real_store_take_as_long_as_published(
    effort: Effort, agrees: Agrees, writes: int, reference: float
) -> None:
    day = of_replicas(2_100 * effort.longer, 3, writes, 1, **LEGS)
    pooled = [time for seed in effort.seeds[:20] for time in write_times_s(run_whole(day, seed, Writes))]
    agrees.quantile(f"W {writes} of 3, p99.9, s", pooled, 0.999, reference)


@known("fan_out", 5, "How often does one of a hundred keep everybody waiting?", "Dean and Barroso (2013)")
def test_who_asks_a_hundred_hears_the_slowest(effort: Effort, agrees: Agrees) -> None:
    """One in a hundred is slow, so nearly two in three of those who ask a hundred wait for a slow one."""
    day = of_replicas(60 * effort.longer, 100, 100, 1, write=exponential(1.0))
    slow = [float(np.mean(np.array(write_times_s(run_whole(day, seed, Writes))) > log(100))) for seed in effort.seeds]
    agrees("waits for a slow one", slow, 1 - 0.99**100, 0.025)


class AsksThrice(Asks):
    async def register(self, order: Order) -> None:
        for number in range(3):
            await self.patiently(WriteCount(order.id, f"{order.id}/{number}", 1))
        await Reply("written")


# Not here, because no design of ours does it: to ask a second one when the first takes long (a hedge).
@known("chain", 5, "How long does a chain of three waits take?", "Dean and Barroso, The Tail at Scale (2013); Erlang")
@ONLY_BIG
def test_one_after_the_other_adds_up(effort: Effort, agrees: Agrees) -> None:
    """Of three exponential waits, one in a hundred takes longer than 8.405947 means."""
    day = of_replicas(2_200 * effort.longer, 1, 1, 1, write=exponential(1.0))
    pooled: list[float] = []
    for seed in effort.seeds[:10]:
        history = run_whole(day, seed, AsksThrice)
        heard = {row[ORDER]: row[TIME] for row in answers(history, "submit")}
        # Who came in the last half minute may still wait at the end; who gave up waiting took longer than that.
        until = day.horizon - 30 * SECOND
        asked = [row for row in rows(history, "submit", "invoke") if row[TIME] < until]
        pooled += [(heard.get(row[ORDER], inf) - row[TIME]) / SECOND for row in asked]
    agrees.quantile("three exponential waits, p99, means", pooled, 0.99, 8.405947)


# -- what a strict quorum is not


def test_reads_that_always_see_the_latest_write_do_not_keep_two_from_selling_one_unit() -> None:
    """The same store whose reads are never stale: who reads, subtracts and writes back oversells on it, and rights that
    are split beforehand do not."""
    rush = load_scenario("last_unit").model_copy(update={"fault": ()})
    careless = simulate(rush.model_copy(update={"kv": kv_of("quorum")}), on="naive_cache", seed=1)
    sold = oversold_units(careless.history)
    assert any((*sold.own.values(), *sold.uncovered.values()))
    careful = simulate(rush, on="escrow", seed=1)
    told = oversold_units(careful.history)
    assert not any((*told.own.values(), *told.uncovered.values()))


# -- split stock


class AsksForOne(Asks):
    """Nobody pays; every unit that is there is taken."""

    async def register(self, order: Order) -> None:
        answer = await self.patiently(Reserve(order.id, order.lines, 10**15))
        await Reply(f"{'taken' if isinstance(answer, Reserved) else 'sold_out'} {order.lines[0].sku}")


class Pooled(AsksForOne):
    def stores(self, opening: Any) -> Any:
        return HotCold(self.policy).stores(opening)


class Split(AsksForOne):
    lends = False

    def stores(self, opening: Any) -> Any:
        design = Escrow(self.policy)
        design.lends = self.lends  # type: ignore[misc]
        return design.stores(opening)


class Lends(Split):
    lends = True


def of_regions(regions: int, skus: int, units: int, buyers: float) -> Scenario:
    """On average so many buyers of one unit of each product, everywhere alike."""
    names = [f"region-{number}" for number in range(regions)]
    nothing = {"kind": "constant", "value": "0 s"}
    return shop(
        100.0,
        poisson(skus * buyers / 100.0),
        place=[{"name": name, "workers": 200} for name in names],
        link=[
            {"between": [one, other], "latency": nothing}
            for number, one in enumerate(names)
            for other in names[number + 1 :]
        ],
        stock={"skus": skus, "units_per_sku": units},
    )


def lost(history: History, skus: int) -> float:
    return sum(row[ANSWER].startswith("sold_out") for row in answers(history, "submit")) / skus


@known("lost_sales", 10, "Whom does split stock turn away?", "E(N - S)+ of each region")
@pytest.mark.parametrize("regions", [2, pytest.param(1, marks=SLOW), pytest.param(5, marks=SLOW)])
def test_split_stock_turns_away_who_could_have_been_served(effort: Effort, agrees: Agrees, regions: int) -> None:
    skus, design = 12 * effort.longer, Split if regions > 1 else Pooled
    day = of_regions(regions, skus, 100, 100.0)
    values = [lost(run_whole(day, seed, design), skus) for seed in effort.seeds]
    agrees(f"lost sales in {regions} regions", values, lost_sales(100, 100.0, regions), 0.8)


def left_elsewhere(history: History, units: int) -> list[int]:
    """For each product, how many units lie in the other region when a buyer first finds none in his own."""
    taken: dict[str, int] = {}
    left: dict[str, int] = {}
    for row in answers(history, "submit"):
        what, _, sku = row[ANSWER].partition(" ")
        if what == "taken":
            taken[sku] = taken.get(sku, 0) + 1
        else:
            left.setdefault(sku, 2 * units - taken.get(sku, 0))
    return list(left.values())


@known("stranded", 10, "What is left elsewhere when the first finds nothing?", "Banach's matchboxes (Feller, 6.8)")
@pytest.mark.parametrize("units", [10, pytest.param(50, marks=SLOW), pytest.param(100, marks=SLOW)])
def test_the_first_to_find_nothing_leaves_some_elsewhere(effort: Effort, agrees: Agrees, units: int) -> None:
    day = of_regions(2, 20 * effort.longer, 2 * units, 2.5 * units)
    values = [float(np.mean(left_elsewhere(run_whole(day, seed, Split), units))) for seed in effort.seeds]
    agrees(f"units left, of {units} in each region", values, stranded_units(units), 0.25 * (units / 10) ** 0.5)


def test_rights_that_move_leave_next_to_nothing() -> None:
    alone, lent = (
        float(np.mean(left_elsewhere(run_whole(of_regions(2, 20, 20, 25.0), 7, design), 10)))
        for design in (Split, Lends)
    )
    assert lent < alone / 2
