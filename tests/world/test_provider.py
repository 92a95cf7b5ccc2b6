"""The provider's moods in the timed world: brown-outs, webhooks, refunds that fail late; and a day on which all of it
happens, which every policy survives."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.sim.history import Row
from orderquake.sim.run import Run, simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario, set_by_path
from orderquake.sim.units import DAY, MINUTE, SECOND
from tests.test_scenario import GOOD, told
from tests.world.corner import constant, scenario_of

POLICIES = ("pay_first", "reserve_first", "authorise_reserve_capture")
LEG = 1_000
MONEY = {"provider": 1, "customer": -1}
EVENTS = {"capture", "authorisation", "refund", "refund_failed"}


def one_customer(*faults: dict[str, Any], **payment: Any) -> Scenario:
    """Whose payment takes a second, and who pays within ten milliseconds of coming."""
    service = {"payment": {"latency": constant(SECOND), "declines": 0.0, **payment}}
    workload = {"kind": "rounds", "rounds": 1, "buyers": 1, "within": "1 ms"}
    return scenario_of(fault=list(faults), service=service, workload=workload, must_exercise=["charged_once"])


def brown_out(**more: Any) -> dict[str, Any]:
    return {"kind": "brown_out", "share": 0.0, "factor": 1.0, **more}


def rows(run: Run, kind: str, operation: str) -> list[Row]:
    return [row for row in run.history if (row.kind, row.operation) == (kind, operation)]


def took_us(run: Run, row: Row) -> int:
    return row.time - run.history[row.cause].time


# -- brown-outs


def test_in_a_brown_out_that_spares_nobody_nothing_is_done_until_it_is_over() -> None:
    run = simulate(one_customer(brown_out(share=1.0, **{"for": "1 min"})))
    errors = rows(run, "info", "charge")
    (taken,) = rows(run, "state", "capture")
    assert {row.answer for row in errors} == {"server_error"}
    assert all(took_us(run, row) == SECOND + 2 * LEG for row in errors), "an error takes no longer than usual"
    assert errors[-1].time < taken.time
    assert taken.time > MINUTE
    assert run.verdict == "valid"


def test_in_a_brown_out_that_only_slows_everybody_waits_so_many_times_as_long() -> None:
    run = simulate(one_customer(brown_out(factor=5.0)))
    (charged,) = rows(run, "ok", "charge")
    assert took_us(run, charged) == 5 * SECOND + 2 * LEG
    assert not rows(run, "info", "charge")


def test_a_brown_out_is_witnessed_when_it_first_strikes_and_ends_with_its_window() -> None:
    run = simulate(one_customer(brown_out(factor=5.0, until="1 min")))
    edges = {row.answer: row for row in rows(run, "fault", "brown_out")}
    (charge,) = rows(run, "invoke", "charge")
    assert list(edges) == ["injected", "witnessed", "recovered"]
    assert edges["witnessed"].time == charge.time + LEG
    assert (edges["injected"].time, edges["recovered"].time) == (0, MINUTE)


def test_a_brown_out_that_nobody_meets_leaves_the_run_unknown() -> None:
    run = simulate(one_customer(brown_out(share=1.0, **{"from": "5 min"})))
    assert run.verdict == "unknown"
    assert run.notes == (f"fault {run.scenario.fault[0].label()} was never seen to strike",)


def test_a_share_of_the_asks_err_and_the_others_are_slow() -> None:
    scenario = crowd(fault=[brown_out(share=0.3, factor=3.0)], service={"payment": {"latency": constant(SECOND)}})
    run = simulate(scenario, seed=5)
    asked = [row for row in run.history if row.operation == "charge" and row.time < 10 * MINUTE]
    heard = [row for row in asked if row.kind in ("ok", "info")]
    erred = [row for row in heard if row.kind == "info"]
    assert {took_us(run, row) for row in erred} == {SECOND + 2 * LEG}
    assert {took_us(run, row) for row in heard if row.kind == "ok"} == {3 * SECOND + 2 * LEG}
    # Of n asks, 30 % give or take four standard deviations: a false alarm in 16,000 seeds, and this is one seed.
    assert abs(len(erred) - 0.3 * len(heard)) < 4 * (0.21 * len(heard)) ** 0.5
    assert run.verdict == "valid"


def test_the_providers_own_errors_go_on_in_a_brown_out() -> None:
    run = simulate(one_customer(brown_out(factor=2.0), errors=1.0))
    assert {row.answer for row in rows(run, "info", "charge")} == {"server_error"}
    assert not rows(run, "state", "capture")


@pytest.mark.parametrize(
    ("lines", "spot", "said"),
    [
        ('target = "stock"', "11:10", "fault[0].target"),
        ("share = 1.5", "11:9", "fault[0].share"),
        ("factor = 0.5", "11:10", "fault[0].factor"),
        ("share = 0\nfactor = 1.0", "9:3", "share 0 and factor 1"),
    ],
)
def test_a_brown_out_that_makes_no_sense_is_refused(tmp_path: Path, lines: str, spot: str, said: str) -> None:
    (line,) = told(tmp_path, f'{GOOD}\n[[fault]]\nkind = "brown_out"\n{lines}\n')
    assert f"bad.toml:{spot} " in line
    assert said in line


# -- webhooks


def crowd(**tables: Any) -> Scenario:
    """Some 180 customers in ten minutes and one place, fewer mugs than they want; nobody's luck hangs on webhooks."""
    return scenario_of(
        **{
            "workload": {
                "kind": "poisson", "rate_per_s": 0.3, "cancels": 0.2,
                "cancels_after": {"kind": "exponential", "mean": "2 s"},
            },
            "stock": {"skus": 5, "units_per_sku": 20},
            "must_exercise": ["charged_once", "money_conserved"],
            **tables,
        }
    )  # fmt: skip


def crowd_with(webhooks: dict[str, Any] | None, policy: str = "pay_first") -> Scenario:
    payment: dict[str, Any] = {
        "stored_errors": 0.05,
        "refund_failures": 0.4,
        "refund_delay": {"kind": "exponential", "mean": "30 s"},
        "refund_fails_after": {"kind": "exponential", "mean": "3 min"},
    }
    if webhooks is not None:
        payment["webhooks"] = webhooks
    return crowd(service={"payment": payment}, policy={"order": policy}, jobs={"settlement": {"every": "1 min"}})


def books(run: Run) -> dict[str, tuple[Any, ...]]:
    """How each order ended, what the shop has of its money, what its customer was told, and what was booked.

    How often a refund failed on the way there is not in it: a shop that comes to rest sooner sees fewer of them fail.
    """
    ends: dict[str, str] = {}
    net: Counter[str] = Counter()
    done: Counter[tuple[str, str]] = Counter()
    for row in run.history:
        if row.kind != "state":
            continue
        if row.operation == "order":
            ends[row.order] = row.to_state
        elif row.debit in MONEY:
            net[row.order] += MONEY[row.debit] * row.amount
        elif row.operation in ("notice", "post", "ship") and row.is_new:
            done[row.order, f"{row.operation} {row.to_state}{row.sku}"] += 1
    return {
        order: (end, net[order], *sorted((what, times) for (whose, what), times in done.items() if whose == order))
        for order, end in ends.items()
    }


WAYS: dict[str, dict[str, Any]] = {
    "at_once": {"delay": constant(0)},
    "late": {"delay": {"kind": "uniform", "low": "1 min", "high": "5 min"}},
    "out_of_order": {"delay": {"kind": "hyperexponential", "mean": "20 s", "cv": 3.0}},
    "twice": {"delay": {"kind": "exponential", "mean": "20 s"}, "twice": 1.0},
    "some_never": {"delay": {"kind": "exponential", "mean": "20 s"}, "lost": 0.5, "twice": 0.5},
    "never": {"lost": 1.0},
}


@pytest.fixture(scope="module", params=POLICIES)
def without(request: pytest.FixtureRequest) -> tuple[str, dict[str, tuple[Any, ...]]]:
    """A policy, and the books of the day without webhooks."""
    run = simulate(crowd_with(None, request.param), seed=3)
    assert run.verdict == "valid"
    assert not rows(run, "mark", "webhook")
    return request.param, books(run)


@pytest.mark.parametrize("way", WAYS)
def test_webhooks_change_nothing_in_the_books(without: tuple[str, dict[str, tuple[Any, ...]]], way: str) -> None:
    policy, expected = without
    run = simulate(crowd_with(WAYS[way], policy), seed=3)
    assert run.verdict == "valid"
    found = books(run)
    assert {order: (found[order], end) for order, end in expected.items() if found[order] != end} == {}
    assert bool(rows(run, "mark", "webhook")) == (way != "never")


@pytest.mark.parametrize(("webhooks", "times"), [({}, 1), ({"twice": 1.0}, 2), ({"lost": 1.0, "twice": 1.0}, 0)])
def test_every_event_is_told_and_a_replay_is_none(webhooks: dict[str, Any], times: int) -> None:
    run = simulate(crowd_with({"delay": constant(SECOND)} | webhooks), seed=3)
    events = Counter(
        (row.order, row.time + SECOND)
        for row in run.history
        if row.kind == "state" and row.operation in EVENTS and row.is_new
    )
    heard = Counter((row.order, row.time) for row in rows(run, "mark", "webhook"))
    last = run.history[len(run.history) - 1].time
    assert heard == Counter({event: times * count for event, count in events.items() if times and event[1] <= last})
    assert len(events) > 150
    assert any(row.operation == "refund_failed" for row in run.history)


def test_a_webhook_may_come_before_the_answer() -> None:
    run = simulate(one_customer(webhooks={"delay": constant(0)}))
    (taken,), (heard,) = rows(run, "state", "capture"), rows(run, "mark", "webhook")
    (answered,) = rows(run, "ok", "charge")
    assert (heard.order, heard.actor, heard.time) == (taken.order, "webhook", taken.time)
    assert heard.index < answered.index
    asked = [row for row in run.history if row.actor == "webhook" and row.kind == "invoke"]
    assert [(row.operation, row.cause) for row in asked] == [("enqueue", heard.index)]


def test_a_webhook_tells_of_money_that_the_asker_heard_nothing_of() -> None:
    """The answer is lost and the worker gives up; the call brings the order back before recovery would."""
    lost = {"kind": "lose_answer", "target": "payment", "operation": "charge", "probability": 1.0, "until": "40 s"}
    quiet, called = (
        simulate(one_customer(lost, **({} if delay is None else {"webhooks": {"delay": constant(delay)}})))
        for delay in (None, 45 * SECOND)
    )
    first, second = (rows(run, "state", "notice")[0].time for run in (quiet, called))
    assert second < first
    assert quiet.verdict == called.verdict == "valid"


def test_a_queue_that_is_down_hears_no_webhook_and_nobody_minds() -> None:
    away = {"kind": "down", "target": "queue", "from": "500 ms", "for": "1 min"}
    run = simulate(one_customer(away, webhooks={"delay": constant(0)}))
    assert rows(run, "mark", "webhook")
    assert run.verdict == "valid"


class NobodyAtTheTelephone(HotCold):
    """A design without a way to be called; `start` would not find one."""

    def __getattribute__(self, name: str) -> Any:
        if name == "hear":
            raise AttributeError(name)
        return super().__getattribute__(name)


def test_a_design_that_cannot_be_called_is_not_called() -> None:
    design: type[Architecture] = NobodyAtTheTelephone
    run = simulate(one_customer(webhooks={}), on=design)
    assert not rows(run, "mark", "webhook")
    assert run.verdict == "valid"


# -- refunds that fail late


def test_refunds_fail_when_the_scenario_says_and_the_first_of_each_order_only() -> None:
    run = simulate(crowd_with(None), seed=3)
    made = {row.key: row for row in rows(run, "state", "refund") if row.is_new}
    failures = rows(run, "state", "refund_failed")
    assert failures
    assert {row.key.rpartition("/")[2] for row in failures} == {"1"}
    assert all(made[row.key].time < row.time for row in failures)


def test_who_waits_three_days_sees_a_refund_fail_after_three_days() -> None:
    """One of two finds it sold out, and the refund fails. A shop at rest by then does not see it; in a longer day, it
    does."""
    tables: dict[str, Any] = {
        "workload": {"kind": "rounds", "rounds": 1, "buyers": 2},
        "service": {"payment": {"declines": 0.0, "refund_failures": 1.0}},
        "must_exercise": ["refunded_right"],
        "gauge_every": "1 h",
        "jobs": {name: {"every": "1 h"} for name in ("inbound", "outbound", "rebuild", "settlement")},
    }
    assert not rows(simulate(scenario_of(**tables)), "state", "refund_failed")
    run = simulate(scenario_of(**tables, horizon="4 days"))
    (first, again), (failure,) = rows(run, "state", "refund"), rows(run, "state", "refund_failed")
    assert 3 * DAY <= failure.time - first.time < 3 * DAY + 70 * MINUTE, "as soon as somebody asks"
    assert (first.key.rpartition("/")[2], again.key.rpartition("/")[2]) == ("1", "2")
    assert run.verdict == "valid"


# -- all of it


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 11))])
def test_the_bad_provider_is_survived_under_every_policy(policy: str, seed: int) -> None:
    run = simulate(set_by_path(load_scenario("bad_provider"), "policy.order", policy), seed=seed)
    assert run.verdict == "valid", {k: v.reason for k, v in run.verdicts.items() if v.status != "valid"}
    assert not run.notes
    came_back = rows(run, "state", "refund_failed")
    assert bool(came_back) == (policy != "authorise_reserve_capture"), "who never refunds has no refund that fails"
    assert rows(run, "mark", "webhook")


def test_a_sound_design_never_runs_into_the_refund_cap() -> None:
    run = simulate(set_by_path(load_scenario("bad_provider"), "service.payment.refund_cap", True), seed=1)
    assert run.verdict == "valid"
    assert not [row for row in run.history if row.answer == "over_refund"]
