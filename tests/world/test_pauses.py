"""Workers that freeze and go on: whoever wakes in an order that is another's by now does no harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orderquake.model.mutants import MUTANTS
from orderquake.sim.history import Row
from orderquake.sim.run import Run, design_of, policy_of, simulate
from orderquake.sim.scenario_file import load_scenario, set_by_path
from orderquake.sim.units import MINUTE, SECOND
from orderquake.sim.world.kernel import Engine
from orderquake.sim.world.world import World
from tests.test_scenario import GOOD, told
from tests.world.corner import constant, scenario_of

LENGTH_US = 2 * MINUTE
POLICIES = ("pay_first", "reserve_first", "authorise_reserve_capture")


def pause(target: str, operation: str, when: str, length_us: int = LENGTH_US, **more: Any) -> dict[str, Any]:
    """The first such ask of the day finds a worker that freezes; its deadline stands still with it."""
    return {
        "kind": "pause", "when": when, "target": target, "operation": operation, "nth": 1,
        "length": constant(length_us), "outlives_deadline": True, **more,
    }  # fmt: skip


def day(*faults: dict[str, Any], **tables: Any) -> Run:
    """One customer, and a payment that takes a second. A lease lasts 45 s, a turn 30 s."""
    service = {"payment": {"latency": constant(SECOND), "declines": 0.0}}
    return simulate(
        scenario_of(
            **{
                "fault": list(faults),
                "must_exercise": ["never_oversold", "charged_once", "every_order_ends"],
                "service": service,
                **tables,
            }
        )
    )


def rows(run: Run, kind: str, operation: str) -> list[Row]:
    return [row for row in run.history if (row.kind, row.operation) == (kind, operation)]


def leased(run: Run) -> list[Row]:
    return [row for row in rows(run, "ok", "lease") if row.answer == "leased"]


# -- standing still, and going on


def test_who_freezes_before_an_ask_sends_it_on_waking_with_all_its_patience() -> None:
    run = day(pause("payment", "charge", "before", 10 * SECOND))
    (frozen,), (woke,) = rows(run, "mark", "paused"), rows(run, "mark", "woke")
    (charge,) = rows(run, "invoke", "charge")
    assert (frozen.key, frozen.answer, frozen.order) == ("charge", "before", charge.order)
    assert woke.time == frozen.deadline == frozen.time + 10 * SECOND
    assert (charge.time, charge.cause, charge.op_id.partition("#")[0]) == (woke.time, woke.index, woke.op_id)
    assert charge.deadline == charge.time + 8 * SECOND
    assert len(leased(run)) == 1, "ten seconds are less than a lease"
    assert run.verdict == "valid"


def test_who_freezes_after_an_answer_has_heard_it() -> None:
    run = day(pause("payment", "charge", "after", 10 * SECOND))
    (heard,) = rows(run, "ok", "charge")
    (frozen,), (woke,) = rows(run, "mark", "paused"), rows(run, "mark", "woke")
    assert (frozen.time, frozen.cause) == (heard.time, heard.index)
    assert next(row for row in run.history if row.cause == woke.index).time == heard.time + 10 * SECOND
    assert len(rows(run, "invoke", "charge")) == 1
    assert run.verdict == "valid"


ASKS = [("stock", "reserve"), ("stock", "consume"), ("order_cache", "read_order"), ("order_cache", "write_order"),
        ("notice", "notify"), ("queue", "lease"), ("queue", "ack")]  # fmt: skip
SLEEPS = [
    *((order, *ask) for order in POLICIES for ask in ASKS),
    ("pay_first", "payment", "charge"),
    ("reserve_first", "payment", "charge"),
    ("authorise_reserve_capture", "payment", "authorise"),
    ("authorise_reserve_capture", "payment", "capture_hold"),
]


@pytest.mark.parametrize("ttl", ["40 s", "15 min"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("order", "target", "operation"), SLEEPS)
def test_two_workers_on_one_order_do_everything_once(
    order: str, target: str, operation: str, when: str, ttl: str
) -> None:
    run = day(pause(target, operation, when), policy={"order": order, "reservation_ttl": ttl})
    assert run.verdict == "valid"
    assert not run.notes, "the pause was seen"
    assert run.outcomes()["fulfilled"] == 1
    for effect in ("capture", "notice", "post"):
        assert len([row for row in rows(run, "state", effect) if row.is_new]) == 1
    (woke,) = rows(run, "mark", "woke")
    if (operation, when) not in {("lease", "before"), ("ack", "before"), ("ack", "after")}:
        others = [row for row in leased(run) if row.time < woke.time and row.op_id.partition("#")[0] != woke.op_id]
        assert others, "another worker had the order before the sleeper woke"


@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
def test_a_sleeper_that_has_decided_loses_the_compare_and_set(nth: int) -> None:
    run = day(pause("order_cache", "write_order", "before", nth=nth), policy={"reservation_ttl": "40 s"})
    (woke,) = rows(run, "mark", "woke")
    answer = next(row for row in rows(run, "ok", "write_order") if row.index > woke.index)
    assert (answer.answer, answer.op_id.partition("#")[0]) == ("conflict", woke.op_id)
    states = [row.to_state for row in rows(run, "state", "order")]
    assert states == ["registered", "charging", "paid", "reserved", "fulfilled"], "each once"
    assert run.verdict == "valid"


def test_a_reservation_that_lapsed_in_a_sleep_is_not_consumed() -> None:
    """Nobody else is there: the sleeper itself finds its reservation gone, and reserves again."""
    run = day(
        pause("stock", "consume", "before"),
        place=[{"name": "here", "workers": 1}],
        policy={"reservation_ttl": "40 s"},
    )
    (first, second) = rows(run, "state", "hold")
    (lapsed,) = [row for row in rows(run, "state", "free") if row.answer == "lapsed"]
    (pin,) = rows(run, "state", "pin")
    assert (lapsed.key, pin.key) == (first.key, second.key)
    assert [row.answer for row in rows(run, "ok", "consume")] == ["lapsed", "pinned"]
    assert run.verdict == "valid"


def test_what_a_sleeper_reserves_for_a_sold_order_lapses_by_itself() -> None:
    """Its order was sold, posted and handed over to the record while it slept with its hand on the handle."""
    run = day(
        pause("stock", "reserve", "before", 6 * MINUTE),
        policy={"reservation_ttl": "40 s"},
        jobs={"inbound": {"every": "1 min"}},
        stock={"skus": 1, "units_per_sku": 5},
    )
    (woke,) = rows(run, "mark", "woke")
    (_, spurious) = rows(run, "state", "hold")
    assert spurious.time > woke.time
    (freed,) = [row for row in rows(run, "state", "free") if row.key == spurious.key]
    assert freed.answer == "lapsed"
    assert run.verdict == "valid"


# -- deadlines


def test_a_deadline_that_stands_still_is_moved_by_the_pause() -> None:
    run = day(
        pause("payment", "charge", "before", 10 * SECOND),
        {"kind": "slow", "target": "payment", "factor": 60.0, "until": "30 s"},
        policy={"patience": {"payment": {"timeout": "90 s"}}},
    )
    (killed,) = rows(run, "mark", "worker_killed_at_deadline")
    assert killed.time == leased(run)[0].time + 40 * SECOND
    assert run.verdict == "valid"


def test_a_deadline_that_does_not_kills_the_sleeper() -> None:
    run = day(pause("stock", "consume", "before", outlives_deadline=False))
    (killed,) = rows(run, "mark", "worker_killed_at_deadline")
    assert killed.time == leased(run)[0].time + 30 * SECOND
    assert not rows(run, "mark", "woke")
    assert not [row for row in run.history if row.index > killed.index and row.op_id.startswith(f"{killed.op_id}#")]
    assert run.outcomes()["fulfilled"] == 1
    assert run.verdict == "valid"


# -- jobs and doors


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("target", "operation"),
    [("record", "read_changes"), ("stock", "refresh"), ("record", "post"), ("stock", "settle"),
     ("order_cache", "write_orders"), ("order_cache", "list_unposted"), ("payment", "list_captures"),
     ("order_cache", "register"), ("queue", "enqueue")],
)  # fmt: skip
def test_a_job_or_a_front_door_may_sleep_too(target: str, operation: str, when: str) -> None:
    run = day(pause(target, operation, when, 6 * MINUTE), jobs={"settlement": {"every": "3 min"}})
    assert rows(run, "mark", "woke")
    assert not run.notes
    assert run.verdict == "valid"
    assert run.outcomes()["fulfilled"] == 1


def test_the_day_is_not_over_while_somebody_sleeps_who_will_go_on() -> None:
    run = day(pause("record", "post", "after", 25 * MINUTE))
    (woke,) = rows(run, "mark", "woke")
    assert woke.time > 25 * MINUTE
    assert run.history[len(run.history) - 1].time > woke.time
    assert run.verdict == "valid"


# -- rebuilds that sleep


def test_a_rebuild_that_begins_while_another_sleeps_leaves_no_pin_behind() -> None:
    """The first has read the record and sleeps before it opens; the second pins the order again, and dies; the first
    wakes and opens, so nobody reads again the post that would let the second pin go."""
    run = day(
        {"kind": "wiped", "at": "230 s"},
        pause("notice", "notify", "after", 6 * MINUTE, nth=None, probability=1.0),  # posted, but not closed
        pause("stock", "open_again", "before", 70 * SECOND),
        {"kind": "crash", "when": "after", "target": "stock", "operation": "adopt", "nth": 2},
        jobs={"rebuild": {"every": "1 min"}},
    )
    assert not run.notes
    assert run.verdicts["books_converge"].status == "valid"
    assert run.verdict == "valid"


def test_a_rebuild_that_wakes_in_an_open_epoch_takes_nobodys_token() -> None:
    """It slept after it had seen that the owner is not ready. Meanwhile another made it ready, and a second customer's
    units were pinned by a worker that sleeps; now the customer cancels, and nobody knows of the pin any more."""
    run = day(
        {"kind": "wiped", "at": "230 s"},
        pause("stock", "ask_status", "after", 65 * SECOND, nth=12),
        pause("stock", "consume", "after", 3 * MINUTE, nth=2),
        jobs={"rebuild": {"every": "20 s"}},
        workload={"kind": "rounds", "rounds": 2, "buyers": 1, "every": "5 min", "within": "1 us", "cancels": 1.0,
                  "cancels_after": constant(10 * SECOND)},
        stock={"skus": 2, "units_per_sku": 1},
    )  # fmt: skip
    assert not run.notes
    assert run.verdicts["books_converge"].status == "valid"
    assert run.verdict == "valid"


# -- the fault and its witness


def test_the_first_sleeper_is_the_witness() -> None:
    run = day(pause("stock", "consume", "before"))
    told_rows = [row for row in run.history if row.kind == "fault"]
    assert [row.answer for row in told_rows] == ["injected", "witnessed", "recovered"]
    assert told_rows[1].time == rows(run, "mark", "paused")[0].time


def test_a_pause_that_never_struck_makes_a_run_unknown() -> None:
    run = day(pause("stock", "consume", "before", nth=50))
    assert run.verdict == "unknown"
    assert run.notes == (f"fault {run.scenario.fault[0].label()} was never seen to strike",)


@pytest.mark.parametrize("engine", ["fast", "stock"])
def test_sleepers_sleep_alike_on_both_engines(engine: Engine) -> None:
    scenario = set_by_path(load_scenario("zombies"), "workload.rate_per_s", 0.2)
    world = World(scenario, design_of("hot_cold")(policy_of(scenario)), 1, engine)
    world.run()
    assert world.history.digest == simulate(scenario, seed=1).digest


# -- the scenario that is made of them


@pytest.mark.parametrize("order", POLICIES)
def test_the_sound_design_survives_zombies_under_every_policy(order: str) -> None:
    run = simulate(set_by_path(load_scenario("zombies"), "policy.order", order), seed=4)
    assert run.verdict == "valid", {k: v.reason for k, v in run.verdicts.items() if v.status != "valid"}
    conflicts = [row for row in rows(run, "ok", "write_order") if row.answer == "conflict"]
    assert len(conflicts) > 100, "two workers really were on one order, often"
    assert rows(run, "mark", "cold_start")
    assert rows(run, "fail", "enqueue"), "the line was full"
    assert rows(run, "mark", "worker_killed_at_deadline"), "some were killed in their sleep"


@pytest.mark.parametrize("order", POLICIES)
@pytest.mark.parametrize("name", ["loser_releases", "consumes_without_looking"])
def test_zombies_find_who_trusts_a_lease(name: str, order: str) -> None:
    run = simulate(set_by_path(load_scenario("zombies"), "policy.order", order), on=MUTANTS[name], seed=1)
    assert run.verdicts["never_oversold"].status == "invalid"
    assert run.verdicts["never_oversold"].witness


# -- what a scenario may not say


@pytest.mark.parametrize(
    ("table", "spot", "phrases"),
    [
        ('[[fault]]\nkind = "pause"\ntarget = "stock"\nnth = 1\n', "8:3", ["fault[0].when is missing"]),
        ('[[fault]]\nkind = "pause"\nwhen = "after"\ntarget = "stock"\n', "8:3", ["without probability or nth"]),
        (
            '[[fault]]\nkind = "pause"\nwhen = "after"\ntarget = "stock"\nnth = 1\noperation = "consum"\n',
            "13:13",
            ["no operation of stock", 'did you mean "consume"?'],
        ),
        (
            '[[fault]]\nkind = "pause"\nwhen = "after"\ntarget = "stock"\nnth = 1\n'
            'length = { kind = "constant", value = "12 h" }\n',
            "13:10",
            ["fault[0].length is so long", 'expected nearly all below "10 h 59 min 30 s"'],
        ),
        (
            '[[fault]]\nkind = "pause"\nwhen = "after"\ntarget = "stock"\nnth = 1\n'
            'length = { kind = "pareto", minimum = "1 s", shape = 1.5 }\n',
            "13:10",
            ["fault[0].length is so long"],
        ),
        (
            '[[place]]\nname = "a"\nstarts_cold = true\n',
            "10:15",
            ["place[0].starts_cold is true", "expected cold_start beside it"],
        ),
        ('[[place]]\nname = "a"\nfront_bound = 0\n', "10:15", ["place[0].front_bound is 0"]),
        ('[service.queue]\nline_bound = 0\n', "9:14", ["service.queue.line_bound is 0"]),
        ('[service.stock]\nline_bound = 5\n', "9:1", ["service.stock.line_bound is not a key"]),
    ],
)  # fmt: skip
def test_a_mistake_about_workers_is_named_with_its_place(
    tmp_path: Path, table: str, spot: str, phrases: list[str]
) -> None:
    (line,) = told(tmp_path, GOOD + table)
    assert line.startswith(f"bad.toml:{spot} "), line
    assert all(phrase in line for phrase in phrases), line
