"""A witness names what was struck: the ask, as its cause, once for each verb; or the run of a job."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.sim.explore.campaign_run import steps_struck
from orderquake.sim.history import NONE
from orderquake.sim.nemesis import FAULTS
from orderquake.sim.nemesis.matrix import by_reason, feasible, reasons
from orderquake.sim.nemesis.steps import STEPS
from tests.world.faults.days import rows, run, shop

OFTEN: dict[str, dict[str, Any]] = {
    "lose_ask": {"target": "order_cache", "probability": 0.05},
    "lose_answer": {"target": "order_cache", "probability": 0.05},
    "delay": {"target": "stock", "probability": 0.2},
    "duplicate": {"target": "stock", "probability": 0.2},
    "reorder": {"target": "payment"},
    "partition": {"target": "stock", "from": "60 s", "for": "20 s"},
    "slow_link": {"target": "queue", "factor": 3.0},
    "down": {"target": "order_cache", "from": "60 s", "for": "10 s"},
    "slow": {"target": "stock", "factor": 3.0},
    "gray": {"target": "payment"},
    "read_only": {"target": "order_cache", "from": "60 s", "for": "10 s"},
    "throttled": {"target": "queue", "per_s": 1.0},
    "crash": {"target": "order_cache", "when": "before", "probability": 0.02},
    "pause": {"target": "order_cache", "when": "before", "probability": 0.01},
    "brown_out": {},
    "clock_skew": {"target": "stock", "by": "2 s"},
}


@pytest.mark.parametrize("kind", sorted(OFTEN))
def test_a_witness_names_an_ask_that_its_fault_can_strike(kind: str) -> None:
    found = run({"kind": kind} | OFTEN[kind])
    told = rows(found, "fault", kind, "witnessed")
    assert told
    for row in told:
        assert row.cause != NONE
        cause = found.history[row.cause]
        assert (cause.kind, cause.operation) == ("mark", "paused") or cause.kind == "invoke"
    struck = steps_struck(found.history)[kind]
    assert len(struck) == len(told) > (kind in ("slow", "lose_ask", "clock_skew"))
    assert set(struck) <= set(feasible(kind))


def test_a_sleeper_that_has_not_asked_yet_is_told_by_its_mark() -> None:
    found = run({"kind": "pause", "target": "stock", "operation": "consume", "when": "before", "nth": 2})
    (told,) = rows(found, "fault", "pause", "witnessed")
    assert told.cause == rows(found, "mark", "paused")[0].index
    assert steps_struck(found.history) == {"pause": ["consume"]}


@pytest.mark.parametrize("kind", ["ticker_skipped", "ticker_doubled", "two_schedulers"])
def test_a_fault_of_tickers_names_the_jobs(kind: str) -> None:
    found = run({"kind": kind, "target": "all"})
    assert {"inbound", "outbound", "recovery"} <= set(steps_struck(found.history)[kind]) <= set(feasible(kind))


def test_the_nth_ask_is_counted_although_another_fault_took_some() -> None:
    """Of ten asks the first fault takes every one before the third; the second one takes the third."""
    first = {"kind": "lose_ask", "target": "notice", "probability": 1.0, "at_most": 2}
    second = {"kind": "lose_ask", "target": "notice", "nth": 3}
    found = run(first, second)
    lost = rows(found, "fault", "lose_ask", "witnessed")
    asked = [row.index for row in rows(found, "invoke", "notify")]
    assert [row.cause for row in lost] == [asked[0], asked[2]]


def test_of_two_that_die_at_one_place_both_count_the_asks() -> None:
    crash = {"kind": "crash", "target": "notice", "when": "before"}
    found = run(crash | {"nth": 1}, crash | {"nth": 2})
    asked = [row.index for row in rows(found, "invoke", "notify")]
    assert [row.cause for row in rows(found, "fault", "crash", "witnessed")] == asked[:2]


# -- labels


def test_no_fault_that_comes_or_goes_changes_the_label_of_another() -> None:
    faults = [
        {"kind": "lose_ask", "target": "stock", "probability": 0.1},
        {"kind": "lose_ask", "target": "stock", "probability": 0.2},
        {"kind": "rolling_restart", "services": ["stock", "queue"], "from": "5 s", "each": "5 s", "gap": "5 s"},
        {"kind": "lose_ask", "target": "queue", "probability": 0.1},
    ]
    whole = dict(shop(*faults).plain_faults())
    assert len(whole) == 5
    for gone in range(len(faults)):
        left = dict(shop(*faults[:gone], *faults[gone + 1 :]).plain_faults())
        assert left.items() <= whole.items()


def test_equal_faults_have_labels_of_their_own() -> None:
    one = {"kind": "lose_ask", "target": "stock", "probability": 0.1}
    first, second = (label for label, _ in shop(one, one).plain_faults())
    assert second == f"{first}-2"
    assert [label for label, _ in shop(one | {"must_be_seen": False}).plain_faults()] == [first]


# -- the matrix


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_every_cell_is_feasible_or_has_a_reason(kind: str) -> None:
    assert {*feasible(kind), *reasons(kind)} == set(STEPS)
    assert len(feasible(kind)) + len(reasons(kind)) == len(STEPS)
    assert sum(map(len, by_reason(kind).values())) == len(reasons(kind))
    assert all(why for why in by_reason(kind))
