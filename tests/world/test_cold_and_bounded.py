"""Workers that start cold, doors that are full, lines that are full, and deadlines that kill under load."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate, pairwise
from typing import Any

import pytest

from orderquake.sim.history import Row
from orderquake.sim.run import Run, simulate
from orderquake.sim.units import MINUTE, MS, SECOND
from tests.world.corner import constant, scenario_of

COLD_US = 2 * SECOND
COLD = constant(COLD_US)


def play(rounds: dict[str, Any] | None = None, place: dict[str, Any] | None = None, **tables: Any) -> Run:
    """Customers who come one by one, and a payment that takes a second."""
    rounds = {"rounds": 1, "buyers": 1, **(rounds or {})}
    shop = {
        "workload": {"kind": "rounds", **rounds},
        "stock": {"skus": rounds["rounds"], "units_per_sku": 1_000},
        "place": [{"name": "here", **(place or {})}],
        "must_exercise": ["charged_once", "every_order_ends"],
        "service": {"payment": {"latency": constant(SECOND), "declines": 0.0}},
    }
    return simulate(scenario_of(**{**shop, **tables}))


def rows(run: Run, kind: str, operation: str) -> list[Row]:
    return [row for row in run.history if (row.kind, row.operation) == (kind, operation)]


def leases(run: Run) -> list[Row]:
    return rows(run, "invoke", "lease")


# -- cold starts


def test_nobody_starts_cold_unless_the_place_says_so() -> None:
    assert not rows(play(), "mark", "cold_start")


def test_a_worker_that_was_idle_for_longer_than_it_is_kept_warm_starts_cold() -> None:
    run = play(
        {"rounds": 3, "every": "4 min", "within": "1 s"},
        {"workers": 1, "cold_start": COLD, "keep_warm": "3 min"},
    )
    marks = rows(run, "mark", "cold_start")
    assert [row.time // MINUTE for row in marks] == [4, 8], "the first is warm: it was kept ready"
    assert all(row.deadline == row.time + COLD_US for row in marks)
    assert all(row.actor == "worker-here-0" and row.place == "here" for row in marks)
    begun = {row.time for row in leases(run)}
    assert all(row.deadline in begun for row in marks), "it asks for an order the moment it has started"
    assert run.verdict == "valid"


def test_a_worker_that_is_asked_again_in_time_is_warm() -> None:
    run = play(
        {"rounds": 3, "every": "2 min", "within": "1 s"},
        {"workers": 1, "cold_start": COLD, "keep_warm": "3 min"},
    )
    assert not rows(run, "mark", "cold_start")


def test_at_the_last_moment_of_its_warmth_a_worker_is_warm() -> None:
    """Kept warm for just as long as it was idle; and for a microsecond less."""
    place = {"workers": 1, "cold_start": COLD}
    when = {"rounds": 2, "every": "4 min", "within": "1 us"}
    did = [row.time for row in play(when, place).history if row.actor.startswith("worker-here")]
    idle_us = max(later - sooner for sooner, later in pairwise(did))
    assert 3 * MINUTE < idle_us < 4 * MINUTE
    assert not rows(play(when, {**place, "keep_warm": f"{idle_us} us"}), "mark", "cold_start")
    assert len(rows(play(when, {**place, "keep_warm": f"{idle_us - 1} us"}), "mark", "cold_start")) == 1


def test_everybody_may_be_cold_in_the_morning() -> None:
    run = play({"buyers": 5}, {"workers": 3, "cold_start": COLD, "starts_cold": True})
    marks = rows(run, "mark", "cold_start")
    assert sorted(row.actor for row in marks) == [f"worker-here-{number}" for number in range(3)]
    assert min(row.time for row in leases(run)) == min(row.time for row in marks) + COLD_US
    assert run.verdict == "valid"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("target", "operation"), [("payment", "charge"), ("queue", "lease"), ("stock", "reserve")])
def test_a_killed_worker_starts_cold(target: str, operation: str, when: str) -> None:
    crash = {"kind": "crash", "when": when, "target": target, "operation": operation, "nth": 1}
    run = play(place={"workers": 1, "cold_start": COLD}, fault=[crash])
    (mark,) = rows(run, "mark", "cold_start")
    died = max(row.time for row in run.history if row.actor.startswith("worker-here") and row.index < mark.index)
    assert mark.time >= died
    assert min(row.time for row in leases(run) if row.index > mark.index) >= mark.time + COLD_US
    assert run.verdict == "valid"


def test_a_worker_that_dies_again_and_again_while_it_takes_an_order_lets_time_go_on() -> None:
    crash = {"kind": "crash", "when": "before", "target": "queue", "operation": "lease", "probability": 1.0}
    instant = {"kind": "uniform", "low": "0 us", "high": "1 us"}
    run = play(place={"workers": 1, "cold_start": instant}, fault=[{**crash, "for": "1 ms", "from": "0 s"}])
    assert run.outcomes()["fulfilled"] == 1


def test_a_published_measurement_serves_as_a_cold_start() -> None:
    python = {"kind": "preset", "name": "lambda_init_python"}
    run = play({"buyers": 40}, {"workers": 40, "cold_start": python, "starts_cold": True})
    took = sorted(row.deadline - row.time for row in rows(run, "mark", "cold_start"))
    assert len(took) >= 30
    assert 60 * MS < took[len(took) // 2] < 140 * MS


# -- a front door with so many hands


def test_a_full_front_door_says_no_at_once_and_the_customer_comes_again() -> None:
    run = play(
        {"buyers": 30, "within": "1 us", "retries": {"after": "5 s", "at_most": 20}},
        {"front_bound": 4, "workers": 30},
        service={"order_cache": {"latency": constant(SECOND)}, "payment": {"declines": 0.0}},
    )
    refused = rows(run, "fail", "submit")
    assert {row.answer for row in refused} == {"rejected"}
    assert all(row.witness == "outside" and row.actor == "customer" for row in refused)
    assert [row.time - run.history[row.cause].time for row in refused] == [2 * MS] * len(refused), "there and back"
    assert len([row for row in refused if row.attempt == 0]) == 30 - 4
    first = [row for row in refused if row.attempt == 0]
    again = [row for row in rows(run, "invoke", "submit") if row.attempt == 1]
    assert {row.time for row in again} == {row.time + 5 * SECOND for row in first}
    outcomes = run.outcomes()
    assert outcomes["fulfilled"] == outcomes["accepted"] == 30
    assert run.verdict == "valid"


def test_a_front_door_never_has_more_inside_than_it_has_hands() -> None:
    run = play(
        {"buyers": 60, "within": "5 s"},
        {"front_bound": 3, "workers": 20},
        service={"order_cache": {"latency": constant(SECOND)}, "payment": {"declines": 0.0}},
    )
    spans: dict[str, list[int]] = {}
    for row in run.history:
        if row.actor == "front-here":
            spans.setdefault(row.op_id.partition("#")[0], []).append(row.time)
    steps = sorted([(min(times), 1) for times in spans.values()] + [(max(times), -1) for times in spans.values()])
    assert max(accumulate(step for _, step in steps)) == 3


def test_who_is_turned_away_once_too_often_goes_home_and_nothing_was_done() -> None:
    run = play(
        {"buyers": 10, "within": "1 us", "retries": {"after": "1 s", "at_most": 1}},
        {"front_bound": 1, "workers": 4},
        service={"order_cache": {"latency": constant(10 * SECOND)}, "payment": {"declines": 0.0}},
        policy={"patience": {"order_cache": {"timeout": "30 s"}}, "worker_deadline": "5 min", "lease": "6 min"},
        must_exercise=["charged_once"],
        horizon="1 min",
    )
    assert Counter(row.attempt for row in rows(run, "fail", "submit")) == {0: 9, 1: 10}, (
        "the one inside asks again, too"
    )
    assert run.outcomes()["accepted"] == 1
    assert len({row.order for row in rows(run, "state", "ordered")}) == 1
    assert run.verdict == "valid"


def test_a_front_door_that_dies_has_its_hand_free_again() -> None:
    crash = {"kind": "crash", "when": "before", "target": "order_cache", "operation": "register", "nth": 1}
    run = play({"buyers": 1}, {"front_bound": 1}, fault=[crash])
    assert run.outcomes()["fulfilled"] == 1
    assert not rows(run, "fail", "submit")


def test_a_request_to_cancel_may_find_the_door_full() -> None:
    run = play(
        {"buyers": 20, "within": "1 us", "cancels": 1.0, "cancels_after": constant(MS)},
        {"front_bound": 2, "workers": 20},
        service={"order_cache": {"latency": constant(SECOND)}, "payment": {"declines": 0.0}},
    )
    assert {row.answer for row in rows(run, "fail", "cancel")} == {"rejected"}
    assert run.verdict == "valid"


def test_a_door_without_a_bound_takes_everybody_in() -> None:
    assert not rows(play({"buyers": 200, "within": "1 us"}, {"workers": 50}), "fail", "submit")


# -- a line with so many places


def test_a_full_line_refuses_and_recovery_loses_nobody() -> None:
    run = play(
        {"buyers": 60, "within": "1 us"},
        {"workers": 2},
        service={"queue": {"line_bound": 5}, "payment": {"latency": constant(SECOND), "declines": 0.0}},
        policy={"idle": "20 s"},
    )
    refused = rows(run, "fail", "enqueue")
    assert {row.answer for row in refused} == {"line_full"}
    assert run.outcomes()["fulfilled"] == 60
    assert run.verdict == "valid"
    answered = rows(run, "ok", "submit")
    assert len(answered) == 60, "the answer does not wait for a place in line"


def test_who_is_in_line_already_is_not_refused() -> None:
    again = {"kind": "duplicate", "target": "queue", "operation": "enqueue", "probability": 1.0, "after": constant(MS)}
    run = play(
        {"buyers": 6, "within": "1 us"},
        {"workers": 1},
        service={"queue": {"line_bound": 6}, "payment": {"latency": constant(SECOND), "declines": 0.0}},
        fault=[again],
    )
    assert not rows(run, "fail", "enqueue")
    assert run.verdict == "valid"


def test_a_line_without_a_bound_refuses_nobody() -> None:
    assert not rows(play({"buyers": 100, "within": "1 us"}, {"workers": 1}), "fail", "enqueue")


# -- deadlines under load


@pytest.mark.parametrize("order", ["pay_first", "reserve_first", "authorise_reserve_capture"])
def test_deadlines_that_kill_under_load_lose_and_double_nothing(order: str) -> None:
    """A payment that now and then takes longer than a turn may, and more orders than hands."""
    heavy = {"kind": "exponential", "mean": "4 s"}
    run = play(
        {"buyers": 150, "within": "30 s"},
        {"workers": 12, "cold_start": COLD},
        service={"payment": {"latency": heavy, "throttle": {"per_s": 100.0, "burst": 100}}},
        policy={
            "order": order,
            "worker_deadline": "6 s",
            "lease": "8 s",
            "patience": {"payment": {"timeout": "30 s"}},
        },
        stock={"skus": 1, "units_per_sku": 100},
        must_exercise=["never_oversold", "charged_once", "money_conserved", "posted_once", "every_order_ends"],
    )
    killed = rows(run, "mark", "worker_killed_at_deadline")
    assert len(killed) >= 20
    assert run.verdict == "valid", {k: v.reason for k, v in run.verdicts.items() if v.status != "valid"}
    assert run.outcomes()["pending"] == 0
    colds = rows(run, "mark", "cold_start")
    assert len(colds) >= len(killed) - 12, "who was killed starts cold, if there is something left to do"
