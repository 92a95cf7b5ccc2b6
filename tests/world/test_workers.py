"""Workers die at their deadline, and what they were doing is done by another."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.sim.history import Row
from orderquake.sim.run import Run, simulate
from tests.world.corner import constant, scenario_of

SECOND = 1_000_000


def day(*faults: dict[str, Any], **tables: Any) -> Run:
    """One customer, a payment that takes a second, and a bad moment."""
    return simulate(
        scenario_of(
            fault=list(faults),
            must_exercise=["charged_once", "every_order_ends"],
            service={"payment": {"latency": constant(SECOND), "declines": 0.0}},
            policy={"patience": {"payment": {"timeout": "60 s"}}, **tables.pop("policy", {})},
            **tables,
        )
    )


def rows(run: Run, kind: str, operation: str) -> list[Row]:
    return [row for row in run.history if (row.kind, row.operation) == (kind, operation)]


def test_a_worker_is_killed_at_its_deadline_and_the_order_is_delivered_again() -> None:
    run = day({"kind": "slow", "target": "payment", "factor": 40.0, "until": "20 s"})
    (leased, again, *_) = [row for row in rows(run, "ok", "lease") if row.answer == "leased"]
    (mark,) = rows(run, "mark", "worker_killed_at_deadline")
    assert mark.time == leased.time + 30 * SECOND
    assert leased.time + 44 * SECOND < again.time <= leased.time + 51 * SECOND, "the lease, and the next look"
    assert [row.is_new for row in rows(run, "state", "capture")] == [True, False]
    assert run.verdict == "valid"
    assert run.outcomes()["fulfilled"] == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("target", "operation"), [("payment", "charge"), ("stock", "reserve"), ("order_cache", "write_order"),
                              ("notice", "notify"), ("queue", "ack"), ("record", "post"), ("stock", "refresh")],
)  # fmt: skip
def test_who_crashes_once_is_replaced(target: str, operation: str, when: str) -> None:
    run = day({"kind": "crash", "when": when, "target": target, "operation": operation, "nth": 1})
    assert not run.notes, "the crash was seen"
    assert run.verdict == "valid"
    assert run.outcomes()["fulfilled"] == 1
    assert len([row for row in rows(run, "state", "capture") if row.is_new]) == 1


def test_a_worker_that_dies_while_it_takes_an_order_needs_a_moment_too() -> None:
    run = day(
        {"kind": "crash", "when": "before", "target": "queue", "operation": "lease", "probability": 1.0, "for": "5 s"}
    )
    assert run.verdict == "valid"


def test_every_invoke_of_a_run_is_completed_once_or_its_asker_died() -> None:
    run = day({"kind": "lose_answer", "target": "stock", "probability": 0.5})
    ended = [row.cause for row in run.history if row.kind in ("ok", "fail", "info") and row.actor != "customer"]
    assert len(ended) == len(set(ended))
    asked = {row.index for row in run.history if row.kind == "invoke" and row.actor != "customer"}
    assert set(ended) <= asked
    assert len(asked) - len(ended) <= 8, "only jobs of the last moments are still under way"


def test_every_row_has_a_cause_that_came_before_it() -> None:
    run = day({"kind": "duplicate", "target": "payment", "probability": 1.0})
    assert all(row.cause < row.index for row in run.history)
    assert all(row.time >= run.history[row.cause].time for row in run.history if row.cause >= 0)
