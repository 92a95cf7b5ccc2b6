"""The stock as a number in a cache: what it sells that is not there, without any fault, and what is not its doing."""

from __future__ import annotations

import pytest

from orderquake.model.architectures.naive_cache import NaiveCache
from orderquake.model.counts import CopyCount, Counted, Counts, ReadCount, Stored, WriteCount
from orderquake.model.flow import Instant
from orderquake.model.policy import Policy
from orderquake.sim.checkers.never_oversold import NeverOversold
from orderquake.sim.explore.exhaustive import Exhaustive
from orderquake.sim.run import simulate
from tests.explore.test_exhaustive import ToldTwice, limits
from tests.model.shop import order


@pytest.mark.parametrize("scenario", ["last_unit", "stale_refresh", "flash_sale"])
def test_it_oversells_without_any_fault_and_breaks_nothing_else(scenario: str) -> None:
    run = simulate(scenario, on="naive_cache", seed=1)
    assert not [row for row in run.history if row.kind == "fault" and row.operation in ("crash", "wiped")]
    assert [name for name, verdict in run.verdicts.items() if verdict.status == "invalid"] == ["never_oversold"]
    assert "fewer than customers were told they get" in run.verdicts["never_oversold"].reason


def test_hot_cold_sells_the_same_last_units_once() -> None:
    assert simulate("last_unit", on="hot_cold", seed=1).verdict == "valid"


def test_two_orders_and_one_unit_are_enough_and_no_refresh_is_needed() -> None:
    proof = Exhaustive(
        NaiveCache(Policy()), [order("ann"), order("bob")], {"mug": 1}, [NeverOversold(), ToldTwice()], {}, limits()
    ).search()
    assert "told_twice" in proof.violation
    asked = [step.ask.verb for step in proof.story]
    assert asked.count("get_count") == asked.count("put_count") == 2
    both = [asked.index("get_count"), len(asked) - 1 - asked[::-1].index("get_count")]
    assert max(both) < asked.index("put_count"), "both have read before either has written"


def test_the_last_writer_wins() -> None:
    cache = Counts({"mug": 1})
    read = [cache.handle(ReadCount(who, "mug"), 0) for who in ("ann", "bob")]
    assert read == [Counted(1), Counted(1)]
    for who in ("ann", "bob"):
        assert cache.handle(WriteCount(who, "mug", 0), 0) == Stored()
    assert cache.handle(ReadCount("cleo", "mug"), 0) == Counted(0)
    assert cache.handle(ReadCount("cleo", "jug"), 0) == Counted(0)


def test_a_copy_of_the_record_overwrites_what_was_promised_and_says_so() -> None:
    cache = Counts({"mug": 5})
    cache.handle(WriteCount("ann", "mug", 3), 0)
    kept = cache.snapshot()
    cache.handle(CopyCount("mug", 5, 2, Instant(7)), 9)
    assert cache.handle(ReadCount("bob", "mug"), 9) == Counted(5)
    change = cache.journal[-1]
    assert (change.operation, change.units, change.version, change.watermark) == ("rebase", 0, 2, 7)
    cache.restore(kept)
    assert cache.handle(ReadCount("bob", "mug"), 9) == Counted(3)
    assert not cache.journal
