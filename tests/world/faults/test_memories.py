"""Stores that forget, come back older, or answer from a copy that is behind: where the contract ends, and where not."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.assumptions import Assumption, is_promised
from orderquake.model.mutants import MUTANTS
from orderquake.sim.nemesis import FAMILIES
from orderquake.sim.run import Run, simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.units import SECOND
from tests.world.corner import Corner, scenario_of
from tests.world.faults.days import POLICIES, bears, convicts, is_convicted, rows, run, same_on_both_engines, shop
from tests.world.faults.naive import RebuildsFromTheRecordAlone, SubtractsAtAck
from tests.world.faults.test_services import STRIKES as OF_SERVICES

WINDOW = {"from": "1 min", "for": "3 min"}
ONE_WORKER = {"place": [{"name": "here", "workers": 1}]}

BORNE: dict[str, dict[str, Any]] = {
    "wiped": {"kind": "wiped", "at": "2 min"},
    "a queue that restarts": {"kind": "loses_unflushed", "target": "queue", "at": "2 min", "last": "20 s"},
    "a queue that fails over": {
        "kind": "failing_over", "target": "queue", "from": "2 min", "for": "5 s", "behind": "10 s",
    },
    "stale reads of the record": {"kind": "stale_reads", "target": "record", "behind": "30 s", **WINDOW},
    "a queue that evicts": {"kind": "evicts_key", "target": "queue", "at": "2 min", "keys": 3},
}  # fmt: skip
"""What hot_cold's contract covers."""


def broken(*faults: dict[str, Any]) -> frozenset[Assumption]:
    return frozenset().union(*(fault.broken() for fault in shop(*faults).fault))


def test_every_kind_of_the_family_is_here_or_next_door() -> None:
    here = {fault["kind"] for fault in (*BORNE.values(), *(fault for fault, _, _ in BEYOND.values()))}
    assert here | set(OF_SERVICES) == {kind.model_fields["kind"].default for kind in FAMILIES["services"]}


# -- inside the contract


@pytest.mark.parametrize("name", BORNE)
@pytest.mark.parametrize(("order", "seed"), [*zip(POLICIES, (1, 2, 3), strict=True)])
def test_it_is_seen_heals_and_is_borne(name: str, order: str, seed: int) -> None:
    assert is_promised(HotCold.requires, broken(BORNE[name]))
    bears(BORNE[name], order, seed, **ONE_WORKER)


@pytest.mark.parametrize("name", BORNE)
def test_both_engines_tell_the_same_history(name: str) -> None:
    same_on_both_engines(BORNE[name])


@pytest.mark.parametrize(
    ("design", "name", "by", "seed", "tables"),
    [
        (RebuildsFromTheRecordAlone, "wiped", "never_oversold", 2, {}),
        (MUTANTS["never_recovers"], "a queue that restarts", "every_order_ends", 1, ONE_WORKER),
        (MUTANTS["never_recovers"], "a queue that fails over", "every_order_ends", 1, ONE_WORKER),
        (MUTANTS["never_recovers"], "a queue that evicts", "every_order_ends", 1, ONE_WORKER),
        (SubtractsAtAck, "stale reads of the record", "never_oversold", 1, {}),
    ],
)
def test_a_design_that_does_not_reckon_with_it_is_convicted(
    design: type[Architecture], name: str, by: str, seed: int, tables: dict[str, Any]
) -> None:
    is_convicted(design, BORNE[name], by, seed, **tables)


# -- beyond the contract: each demo shows that hot_cold needs what it requires

BEYOND: dict[str, tuple[dict[str, Any], str, int]] = {
    "a silent wipe": ({"kind": "wiped_silently", "at": "2 min"}, "never_oversold", 2),
    "a stock that restarts": (
        {"kind": "loses_unflushed", "target": "stock", "at": "2 min", "last": "10 s"}, "books_converge", 1,
    ),
    "a stock that fails over": (
        {"kind": "failing_over", "target": "stock", "from": "2 min", "for": "5 s", "behind": "10 s"},
        "never_oversold", 2,
    ),
    "two owners of the stock": (
        {"kind": "split_brain", "target": "stock", "from": "1 min", "for": "3 min"}, "never_oversold", 1,
    ),
    "a stock that evicts": ({"kind": "evicts_key", "target": "stock", "at": "2 min", "keys": 10}, "never_oversold", 2),
    "orders that restart": (
        {"kind": "loses_unflushed", "target": "order_cache", "at": "2 min", "last": "10 s"}, "every_order_ends", 1,
    ),
    "orders that fail over": (
        {"kind": "failing_over", "target": "order_cache", "from": "2 min", "for": "5 s", "behind": "10 s"},
        "every_order_ends", 1,
    ),
    "orders that are evicted": (
        {"kind": "evicts_key", "target": "order_cache", "at": "2 min", "keys": 10}, "posted_once", 1,
    ),
    "a record that restarts": (
        {"kind": "loses_unflushed", "target": "record", "at": "125 s", "last": "20 s"}, "never_oversold", 1,
    ),
    "a record that fails over": (
        {"kind": "failing_over", "target": "record", "from": "125 s", "for": "5 s", "behind": "20 s"},
        "never_oversold", 1,
    ),
}  # fmt: skip
"""Fault, by whom hot_cold is convicted under it, and with which seed."""


@pytest.mark.parametrize("name", BEYOND)
def test_without_what_it_requires_hot_cold_breaks(name: str) -> None:
    fault, by, seed = BEYOND[name]
    assert not is_promised(HotCold.requires, broken(fault))
    found = run(fault, seed=seed)
    assert by in convicts(found)
    assert not found.notes, "the fault was seen"
    assert run(seed=seed).verdict == "valid", "and nothing else is to blame"


# -- an Order Cache that answers reads from its past


STALE_ORDERS = {"kind": "stale_reads", "target": "order_cache", "behind": "3 s", "share": 0.4, **WINDOW}


@pytest.mark.parametrize("order", POLICIES)
def test_stale_reads_of_orders_alone_do_no_harm(order: str) -> None:
    """Whoever acts on an old row loses the compare-and-set, and all that is irrevocable has its key."""
    bears(STALE_ORDERS, order, 1)


# -- two faults that hot_cold claims to bear, on one day


def two_buyers(*faults: dict[str, Any], **tables: Any) -> Scenario:
    """One unit, two customers who come within two minutes; posts every ten seconds, a refresh every minute."""
    return scenario_of(
        horizon="5 min",
        fault=list(faults),
        must_exercise=["never_oversold"],
        workload={"kind": "rounds", "rounds": 1, "buyers": 2, "within": "2 min"},
        service={"payment": {"declines": 0.0}},
        jobs={"outbound": {"every": "10 s"}, "inbound": {"every": "1 min"}},
        **tables,
    )


WIPED = {"kind": "wiped", "at": "60 s"}
STALE_RECORD = {"kind": "stale_reads", "target": "record", "behind": "30 s"}


def story(*faults: dict[str, Any]) -> Run:
    return simulate(two_buyers(*faults), seed=2)


def test_a_wipe_alone_is_borne() -> None:
    assert story(WIPED).verdict == "valid"


def test_a_stale_record_alone_is_borne() -> None:
    assert story(STALE_RECORD).verdict == "valid"


def test_a_rebuild_from_a_stale_record_sells_nothing_twice() -> None:
    """The first order is fulfilled, posted and done with before the wipe. The rebuild does not adopt it, for it is the
    record's; and the copy of the record that the rebuild reads has not heard of the post yet. So the shelves stay
    closed until the copy reaches as far as the posted orders do; a rebuild that opened at once sold the unit again."""
    assert is_promised(HotCold.requires, broken(WIPED, STALE_RECORD))
    assert convicts(story(WIPED, STALE_RECORD)) == []


def test_a_rebuild_is_not_taken_in_by_a_feed_that_says_zero() -> None:
    """After a wipe there is no base to hold the feed against; the log of changes, from the opening on, is enough."""
    day = scenario_of(
        horizon="3 min",
        fault=[{"kind": "wiped", "at": "70 s"}, {"kind": "zero_feed", "from": "60 s", "for": "30 s"}],
        must_exercise=["every_order_ends"],
        workload={"kind": "poisson", "rate_per_s": 0.2},
        stock={"skus": 2, "units_per_sku": 100},
    )
    found = simulate(day, seed=1)
    refused = [row for row in found.history if row.operation == "rebase" and row.answer == "refused"]
    assert refused, "the feed was offered, and refused"
    assert (found.verdict, convicts(found)) == ("valid", [])
    ended = found.outcomes()
    assert ended["fulfilled"] + ended["declined"] == ended["accepted"], "nobody was told that nothing is left"


def test_a_rebuild_from_stale_orders_is_beyond_the_contract() -> None:
    """A rebuild trusts that the list of unsynced orders is the present one; the contract says so."""
    wipes = [{"kind": "wiped", "at": f"{at} s"} for at in (90, 150, 210, 270)]
    stale = {"kind": "stale_reads", "target": "order_cache", "behind": "20 s", "share": 0.5, "from": "1 min",
             "for": "4 min"}  # fmt: skip
    assert not is_promised(HotCold.requires, broken(*wipes, stale))
    assert convicts(run(*wipes, stale, seed=4)) == ["never_oversold"]
    assert convicts(run(*wipes, seed=4)) == []


# -- how they forget


def test_a_restart_forgets_the_last_writes_and_what_was_under_way() -> None:
    corner = Corner([{"kind": "loses_unflushed", "at": "5 s", "last": "2 s"}])
    for second in range(8):
        corner.at(second * SECOND, str(second), timeout_us=SECOND // 2)
    corner.at(5 * SECOND - 5_000, "under way", timeout_us=SECOND // 2)
    corner.run(10 * SECOND)
    assert [who for _, who in corner.store.handled] == ["0", "1", "2", "5", "6", "7"]
    assert [who for _, who, said in corner.heard if said == "silence"] == ["under way"]


def test_who_takes_over_has_not_heard_the_latest() -> None:
    corner = Corner([{"kind": "failing_over", "from": "5 s", "for": "2 s", "behind": "2500 ms"}])
    for second in range(9):
        corner.at(second * SECOND, str(second), timeout_us=SECOND // 2)
    corner.run(10 * SECOND)
    assert [who for _, who in corner.store.handled] == ["0", "1", "2", "7", "8"]
    assert [who for _, who, said in corner.heard if said == "silence"] == ["5", "6"]


def test_a_store_that_had_nothing_to_forget_was_not_struck() -> None:
    corner = Corner([{"kind": "loses_unflushed", "at": "5 s", "last": "1 s"}])
    corner.at(0, "long ago")
    corner.run(10 * SECOND)
    assert corner.faults[0].strikes == 0


def test_a_silent_wipe_begins_no_epoch() -> None:
    found = run({"kind": "wiped_silently", "at": "2 min"})
    assert rows(found, "state", "epoch") == []
    assert [row.answer for row in rows(run({"kind": "wiped", "at": "2 min"}), "state", "epoch")] == ["lost", "open"]


def test_a_stale_page_is_what_the_record_would_have_said_then() -> None:
    """Until the copy has heard of a post, no refresh knows of it; afterwards every refresh does."""
    behind_us = 30 * SECOND
    found = run({"kind": "stale_reads", "target": "record", "behind": "30 s"})
    shipped = {(row.sku, row.version): row.time for row in rows(found, "state", "ship")}
    applied = [row for row in rows(found, "state", "rebase", "applied") if (row.sku, row.version) in shipped]
    within = [row for row in applied if row.time < 6 * 60 * SECOND]
    assert len(within) > 20
    assert all(shipped[row.sku, row.version] <= row.watermark <= row.time - behind_us for row in within)
