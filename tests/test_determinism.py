"""The same seed tells the same history, to the byte, in any process; and nobody's luck hangs on anybody else's."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from orderquake.model.order import Order
from orderquake.model.order_cache import OrderCache
from orderquake.sim.history import History, first_difference
from orderquake.sim.run import Run, simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario, set_by_path
from orderquake.sim.world.workload import Arrival, demand_of

SMALL = """
from orderquake.sim.run import simulate
from orderquake.sim.scenario_file import load_scenario, set_by_path
scenario = set_by_path(load_scenario("lossy_payments"), "workload.rate_per_s", 0.15)
print(simulate(scenario, seed={seed}).digest)
"""


def small() -> Scenario:
    return set_by_path(load_scenario("lossy_payments"), "workload.rate_per_s", 0.15)


def digest_elsewhere(seed: int, hash_seed: str) -> str:
    """The digest that a fresh process finds."""
    return subprocess.run(
        [sys.executable, "-c", SMALL.format(seed=seed)],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


# -- the same again


def test_fresh_processes_with_other_hash_seeds_find_the_same_digest() -> None:
    assert digest_elsewhere(7, "1") == digest_elsewhere(7, "4711") == simulate(small(), seed=7).digest


def test_another_seed_finds_another() -> None:
    assert simulate(small(), seed=7).digest != simulate(small(), seed=8).digest


def test_judging_and_reading_change_nothing() -> None:
    run = simulate(small(), seed=7)
    digest, rows = run.digest, len(run.history)
    run.latency(), run.drift(), run.outcomes()
    assert (run.digest, len(run.history)) == (digest, rows)


def test_of_a_world_that_is_over_nothing_is_left_for_the_collector_but_crumbs() -> None:
    def alive() -> tuple[int, int]:
        """Orders and their caches, other tests' among them; and all that the collector watches."""
        everything = gc.get_objects()
        return sum(isinstance(each, Order | OrderCache) for each in everything), len(everything)

    simulate(small(), seed=4)  # imports what a run needs
    gc.collect()
    gc.disable()
    try:
        before = alive()
        simulate(small(), seed=5)
        after = alive()
    finally:
        gc.enable()
    assert after[0] == before[0]
    assert after[1] - before[1] < 1000


def test_progress_that_somebody_watches_changes_nothing() -> None:
    heard: list[float] = []
    watched = simulate(small(), seed=7, progress=heard.append)
    assert watched.digest == simulate(small(), seed=7).digest
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


# -- the digest


def history(*times: int) -> History:
    made = History()
    for time in times:
        made.state(time, "receipt", sku="mug", units=1)
    return made


@pytest.mark.parametrize("rows", [1, 8_191, 8_192, 8_193, 20_000])
def test_reading_the_digest_on_the_way_does_not_change_it(rows: int) -> None:
    often = History()
    for time in range(rows):
        often.state(time, "receipt", sku="mug", units=1)
        if time % 1_000 in (0, 95, 96, 97) or time == 8_191:
            assert often.digest
    assert often.digest == history(*range(rows)).digest


def test_any_row_shows_in_the_digest() -> None:
    long = range(5_000)
    digests = {
        history(*long).digest,
        history(*long[:-1]).digest,
        history(*long[1:]).digest,
        history(1, *long[1:]).digest,
    }
    assert len(digests) == 4


def test_the_first_difference_is_named_by_its_row() -> None:
    assert first_difference(history(1, 2, 3), history(1, 2, 3)) is None
    assert first_difference(history(1, 2, 3), history(1, 9, 9)) == 1
    assert first_difference(history(1, 2), history(1, 2, 3)) == 2
    assert first_difference(History(), history(1)) == 0


def test_two_seeds_part_at_the_row_where_their_luck_first_shows() -> None:
    one, other = (simulate(small(), seed=seed).history for seed in (7, 8))
    index = first_difference(one, other)
    assert index is not None
    assert all(one[row] == other[row] for row in range(index))
    assert one[index] != other[index]
    assert one[index].kind == "invoke", (
        "the openings and limits are the same; the first customer comes at another moment"
    )


# -- nobody's luck hangs on anybody else's


def without(monkeypatch: pytest.MonkeyPatch, scenario: Scenario, number: int) -> Run:
    """The run in which the customer of this number stays at home."""

    def fewer(*arguments: Any) -> Any:
        demand = demand_of(*arguments)

        def arrivals() -> Iterator[Arrival]:
            return (arrival for arrival in demand.arrivals if arrival.number != number)

        return replace(demand, arrivals=arrivals())

    with monkeypatch.context() as patch:
        patch.setattr("orderquake.sim.world.world.demand_of", fewer)
        return simulate(scenario, seed=7)


def in_one_place(scenario: Scenario) -> Scenario:
    """Which worker is free when an order comes hangs on the others; so that it does not matter, all stand together."""
    return scenario.model_copy(update={"place": scenario.place[:1], "link": ()})


def luck(run: Run) -> dict[str, tuple[Any, ...]]:
    """What each order has drawn: when it came, what it wanted, what its card was answered, and how fast."""
    drawn: dict[str, list[Any]] = {}
    for row in run.history:
        if row.operation == "submit" and row.kind == "invoke":
            drawn.setdefault(row.order, []).append(("came", row.time, row.place))
        elif row.operation == "ordered":
            drawn[row.order].append((row.sku, row.units, row.amount))
        elif row.operation in ("charge", "refund") and row.kind in ("ok", "info", "fail"):
            drawn[row.order].append((row.operation, row.answer, row.time - run.history[row.cause].time))
    return {order: tuple(what) for order, what in drawn.items()}


def test_a_customer_who_stays_at_home_leaves_everybody_elses_luck_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are units for all, so nobody's fate hangs on the one who is missing either."""
    scenario = in_one_place(set_by_path(small(), "stock.units_per_sku", 500))
    everybody = luck(simulate(scenario, seed=7))
    fewer = luck(without(monkeypatch, scenario, 20))
    (missing,) = set(everybody) - set(fewer)
    del everybody[missing]
    assert len(fewer) > 100
    assert {order: (fewer[order], what) for order, what in everybody.items() if fewer[order] != what} == {}


def test_a_buyer_who_stays_at_home_leaves_the_other_rounds_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = in_one_place(set_by_path(load_scenario("last_unit"), "workload.rounds", 20))
    everybody = luck(simulate(scenario, seed=7))
    fewer = luck(without(monkeypatch, scenario, 33))
    assert len(set(everybody) - set(fewer)) == 1
    # Of the three who wanted the same unit, one may have it now, and needs no refund.
    changed = [order for order, what in fewer.items() if everybody[order] != what]
    assert len(changed) <= 1
    assert all(what[:3] == everybody[order][:3] for order, what in fewer.items())
