"""A campaign loses nothing when it is killed, doubles nothing when it goes on, and says what it found."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.order import Order
from orderquake.sim.choices import ChoiceLog, replay
from orderquake.sim.explore.campaign import campaign
from orderquake.sim.explore.campaign_pool import Chunk, Pool
from orderquake.sim.explore.campaign_report import exit_code, in_markdown, report_of
from orderquake.sim.explore.campaign_run import Settings, design_named, digest_again, outcome_of, played
from orderquake.sim.explore.campaign_store import Store, StoreError
from orderquake.sim.explore.excuses import excuses
from orderquake.sim.explore.swarm import Drawn, drawn
from orderquake.sim.history import History
from orderquake.sim.run import simulate
from tests.world.faults.days import shop


class Forgets(HotCold):
    """Breaks: a charge is not sent again under a new key."""

    name = "forgets"

    def charge_key(self, order: Order) -> str:
        return f"{order.id}/charge/{order.version}"


class Stumbles(HotCold):
    """A mistake of ours, in some runs."""

    name = "stumbles"

    async def charge(self, order: Order) -> Order:
        assert int(order.id[-1], 16) < 15, "a mistake of ours"
        return await super().charge(order)


class Leaps(HotCold):
    """Asks the table for a move that it does not have."""

    name = "leaps"

    async def charge(self, order: Order) -> Order:
        return self.move(order, order.state)


class Addresses(HotCold):
    """Is not the same twice."""

    name = "addresses"

    def charge_key(self, order: Order) -> str:
        return f"{order.id}/charge/{order.generation}/{time.perf_counter_ns()}"


class Dies(HotCold):
    """Takes its process with it."""

    name = "dies"

    async def charge(self, order: Order) -> Order:
        os._exit(9)


class Hangs(HotCold):
    name = "hangs"

    async def charge(self, order: Order) -> Order:
        while True:
            pass


CHARGES = next(s for s in range(1, 99) if drawn(s, HotCold).scenario.policy.order != "authorise_reserve_capture")
"""The first seed of a day on which somebody is charged."""


def named(design: type[HotCold]) -> str:
    return f"{design.__module__}:{design.__name__}"


def settings(tmp_path: Path, design: str = "hot_cold", **more: Any) -> Settings:
    return Settings(design, 1, False, tmp_path / "runs", **more)


# -- one run


def test_a_run_is_told_in_a_line(tmp_path: Path) -> None:
    outcome = played(settings(tmp_path), 3)
    assert outcome["verdict"] == "valid"
    assert outcome["digest"] == digest_again(settings(tmp_path), 3)
    assert outcome["orders"] > 10
    assert set(outcome["points"].values()) - {0}
    assert len(json.dumps(outcome)) < 4_000
    assert not (tmp_path / "runs").exists()


def test_faults_are_counted_as_scheduled_injected_witnessed_and_recovered() -> None:
    found = next(made for seed in range(1, 99) if len((made := drawn(seed, HotCold)).scenario.plain_faults()) > 3)
    run = simulate(found.scenario, seed=found.seed)
    told = outcome_of(found, run)["faults"]
    assert list(told) == [label for label, _ in found.scenario.plain_faults()]
    rows = [row for row in run.history if row.kind == "fault"]
    for label, (kind, _, injected, witnessed, recovered) in told.items():
        mine = [row.answer for row in rows if row.key == label]
        assert {row.operation for row in rows if row.key == label} <= {kind}
        assert (injected > 0, witnessed > 0) == ("injected" in mine, "witnessed" in mine)
        assert (recovered > 0) == ("recovered" in mine)
        if "witnessed" not in {row.answer for row in rows if row.operation == kind}:
            assert kind not in outcome_of(found, run)["struck"]


def test_an_invalid_run_leaves_a_scenario_that_runs_on_its_own_and_its_choice_log(tmp_path: Path) -> None:
    made = settings(tmp_path, named(Forgets))
    seed, outcome = next((s, o) for s in range(1, 60) if (o := played(made, s))["verdict"] == "invalid")
    folder = tmp_path / "runs" / f"invalid-{seed}"
    assert sorted(path.name for path in folder.iterdir()) == ["run.choices.json", f"swarm-{seed}.toml", "why.txt"]
    again = simulate(folder / f"swarm-{seed}.toml", on=Forgets, seed=seed)
    assert (again.digest, again.verdict) == (outcome["digest"], "invalid")
    assert replay(ChoiceLog.read(folder / "run.choices.json"), on=Forgets).difference is None
    assert "orderquake run" in (folder / "why.txt").read_text(encoding="utf-8")


def test_a_run_in_which_the_harness_fails_is_kept_with_its_log(tmp_path: Path) -> None:
    made = settings(tmp_path, named(Stumbles))
    seed, outcome = next((s, o) for s in range(1, 20) if (o := played(made, s))["verdict"] == "failed")
    assert "a mistake of ours" in outcome["why"]
    log = ChoiceLog.read(tmp_path / "runs" / f"failed-{seed}" / "run.choices.json")
    assert "a mistake of ours" in log.failure
    assert replay(log, on=Stumbles).exit_code == 4


def test_outside_the_contract_an_assertion_of_the_protocol_stops_a_run_and_one_of_anybody_else_fails_it(
    tmp_path: Path,
) -> None:
    def ends(design: type[HotCold], is_outside: bool) -> set[str]:
        made = replace(settings(tmp_path, named(design)), is_outside=is_outside)
        return {played(made, seed)["verdict"] for seed in range(1, 6)}

    assert "stopped" in ends(Leaps, is_outside=True)
    assert "failed" in ends(Leaps, is_outside=False) and "stopped" not in ends(Leaps, is_outside=False)
    assert "failed" in ends(Stumbles, is_outside=True) and "stopped" not in ends(Stumbles, is_outside=True)
    assert digest_again(replace(settings(tmp_path, named(Leaps)), is_outside=True), 1), "what it says twice is a text"


def test_no_more_folders_are_kept_than_asked_for(tmp_path: Path) -> None:
    made = settings(tmp_path, named(Stumbles), keep=2)
    for seed in range(1, 12):
        played(made, seed)
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_a_refusal_for_good_excuses_the_post_and_nothing_else() -> None:
    history = History()
    history.state(5, "post", order="o-1", key="o-1/final", answer="rejected", witness="outside")
    assert set(excuses(history)) == {"posted_once", "books_converge"}
    assert excuses(History()) == {}


def test_a_service_that_never_came_back_excuses_what_needs_it() -> None:
    history = History()
    for answer in ("injected", "witnessed"):
        history.state(5, "down", kind="fault", key="down-1", actor="notice", answer=answer)
    assert set(excuses(history)) == {"notices_sent"}
    history.state(6, "post", order="o-1", key="o-1/final", answer="rejected", witness="outside")
    assert set(excuses(history)) == {"notices_sent", "refunded_right", "posted_once", "books_converge"}
    history.state(9, "down", kind="fault", key="down-1", actor="notice", answer="recovered")
    assert set(excuses(history)) == {"posted_once", "books_converge"}


def test_what_the_checkers_excuse_is_excused_by_the_ledgers_too(tmp_path: Path) -> None:
    """Whatever a checker cannot tell in a drawn run, somebody else has an excuse for."""
    rejecting = next(s for s in range(1, 400) if drawn(s, HotCold).scenario.service.record.below_zero == "reject")
    for seed in (rejecting, 3, 4):
        found = drawn(seed, HotCold)
        run = simulate(found.scenario, seed=seed)
        tested = {name for name, v in run.verdicts.items() if v.status == "unknown" and v.was_exercised}
        assert tested <= set(excuses(run.history))


def test_all_strikes_are_counted_and_not_only_the_first_of_each_fault() -> None:
    scenario = shop({"kind": "slow", "target": "stock", "factor": 3.0})
    struck = outcome_of(Drawn(1, {}, scenario), simulate(scenario, seed=1))["struck"]
    assert {"reserve", "consume", "refresh"} <= set(struck["slow"])


def test_the_report_says_which_cells_were_struck_and_which_were_not() -> None:
    run = {
        "seed": 1, "verdict": "valid", "digest": "", "rows": 1, "orders": 1, "policy": "pay_first",
        "workload": "poisson", "theme": "none",
        "faults": {"zero_feed-1": ["zero_feed", "record", 1, 2, 1], "read_only-1": ["read_only", "record", 1, 2, 1]},
        "struck": {"read_only": ["post", "read_changes"]}, "points": {}, "quiet": [1, 2],
    }  # fmt: skip
    report = report_of({"is_outside": False, "design": "hot_cold", "first_seed": 1}, [run], {}, 1.0, [1], {})
    assert report["cells"]["witnessed"] == 1
    assert report["never_struck"]["zero_feed"] == ["read_changes"]
    assert "post" not in report["never_struck"]["read_only"]
    assert len(report["never_struck"]["lose_ask"]) == 36, "whether a kind was scheduled is no excuse"
    assert report["beyond"] == {
        "split_brain": ["reserve", "consume", "release", "extend"],
        "stale_reads": ["read_order", "read_orders", "list_idle", "list_unposted", "list_unsynced", "read_cursor"],
        "key_pruned": ["authorise", "charge", "refund"],
    }, "hot_cold promises nothing where these strike"
    assert report["cells"]["feasible"] == 746 - 13
    assert report["contradicted"] == {"read_only": ["read_changes"]}, "reads are answered as ever"
    assert "1 were struck" in in_markdown(report)


def test_outside_the_contract_every_cell_is_to_be_struck() -> None:
    report = report_of({"is_outside": True, "design": "hot_cold", "first_seed": 1}, [], {}, 1.0, [1], {})
    assert (report["cells"]["feasible"], report["beyond"]) == (746, {})


# -- results on disk

HEADER = {"design": "hot_cold", "code": "1234"}


def test_results_come_back_as_they_were_added(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    Store(path, HEADER).add([{"seed": 1, "verdict": "valid"}], {7: "d"}, 1.5, 1000)
    store = Store(path, HEADER)
    assert store.outcomes == {1: {"seed": 1, "verdict": "valid"}}
    assert (store.again, store.spent_s, store.rss) == ({7: "d"}, 1.5, [1000])


def test_a_line_that_was_cut_off_is_dropped_and_what_follows_stands_on_its_own(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    Store(path, HEADER).add([{"seed": 1}, {"seed": 2}], {}, 1.0, 1)
    text = path.read_bytes()
    for cut in range(len(text)):
        path.write_bytes(text[:cut])
        store = Store(path, HEADER)
        left = set(store.outcomes)
        assert left <= {1, 2}
        store.add([{"seed": seed} for seed in {1, 2} - left], {}, 1.0, 1)
        assert set(Store(path, HEADER).outcomes) == {1, 2}
        assert all(json.loads(line) for line in path.read_bytes().splitlines())


def test_results_of_another_campaign_or_of_other_code_are_not_mixed_in(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    Store(path, HEADER)
    with pytest.raises(StoreError, match="code"):
        Store(path, HEADER | {"code": "9999"})
    path.write_text('{"something": "else"}\n', encoding="utf-8")
    with pytest.raises(StoreError, match="no results"):
        Store(path, HEADER)


# -- whole campaigns


def test_a_campaign_counts_what_it_played_and_goes_on_where_it_was(tmp_path: Path) -> None:
    out = tmp_path / "campaign.json"
    first = campaign(6, processes=1, out=out)
    assert (first["runs"], exit_code(first)) == (6, 0)
    assert first["determinism"] == {"twice": 1, "differ": [], "first_differences": {}}
    assert json.loads(out.read_text(encoding="utf-8")) == first
    assert "6 runs of hot_cold inside its contract" in out.with_suffix(".md").read_text(encoding="utf-8")
    again = campaign(6, processes=1, out=out)
    assert again == first, "nothing is missing, so nothing is played"
    lines = out.with_suffix(".kept").joinpath("results.jsonl").read_text(encoding="utf-8").splitlines()
    seeds = [json.loads(line)["run"]["seed"] for line in lines if '"run"' in line]
    assert sorted(seeds) == list(range(1, 7))


COMMAND = "orderquake.sim.explore.campaign"


def test_a_campaign_that_is_killed_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    out = tmp_path / "campaign.json"
    command = [sys.executable, "-m", COMMAND, "12", "--processes", "1", "--chunk", "3", "--quiet", "--out", str(out)]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    results = out.with_suffix(".kept") / "results.jsonl"
    until = time.monotonic() + 60
    while time.monotonic() < until and not (results.exists() and '"run"' in results.read_text(encoding="utf-8")):
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    before = results.read_text(encoding="utf-8").count('{"run"')
    assert before > 0
    assert subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode in (0, 2)
    seeds = [json.loads(line)["run"]["seed"] for line in results.read_text().splitlines() if line.startswith('{"run"')]
    assert sorted(seeds) == list(range(1, 13))
    assert json.loads(out.read_text(encoding="utf-8"))["determinism"]["twice"] == 2


def test_a_design_that_is_not_the_same_twice_fails_the_campaign(tmp_path: Path) -> None:
    report = campaign(2, named(Addresses), CHARGES, processes=1, out=tmp_path / "campaign.json")
    assert report["determinism"]["differ"] == [CHARGES]
    assert "invoke charge" in report["determinism"]["first_differences"][str(CHARGES)]
    assert exit_code(report) == 4


def test_invalid_runs_and_failures_decide_the_exit_code(tmp_path: Path) -> None:
    def code(**verdicts: int) -> int:
        report = {
            "verdicts": verdicts, "determinism": {"differ": []}, "campaign": {"is_outside": False},
            "unknown": {"share": verdicts.get("unknown", 0) / sum(verdicts.values())},
        }  # fmt: skip
        return exit_code(report)

    assert code(valid=2000, unknown=1) == 0
    assert code(valid=500, unknown=1) == 2
    assert code(valid=500, invalid=1) == 1
    assert code(valid=500, invalid=1, failed=1) == 4


def adder(into: list[Any]) -> Any:
    return lambda outcomes, *_: into.extend(outcomes)


def test_a_process_that_dies_or_stands_still_is_replaced_and_its_run_is_a_failure(tmp_path: Path) -> None:
    for design, why in ((Dies, "died"), (Hangs, "stood still")):
        outcomes: list[Any] = []
        pool = Pool(settings(tmp_path, named(design)), 1, adder(outcomes), stuck_s=2.0)
        pool.play([CHARGES], [], lambda _: False)
        assert [outcome["verdict"] for outcome in outcomes] == ["failed"]
        assert why in outcomes[0]["why"]


def test_second_runs_are_made_by_another_process_where_there_is_one(tmp_path: Path) -> None:
    pool = Pool(settings(tmp_path), 2, lambda *_: None)
    pool.hands = [object(), object()]  # type: ignore[list-item]  # only their number counts here
    pool.again.append(Chunk((1,), True, made_by=0))

    class Zero:
        number = 0

    class One:
        number = 1

    assert pool.next_for(Zero()) is None  # type: ignore[arg-type]
    assert pool.next_for(One()) == Chunk((1,), True, made_by=0)  # type: ignore[arg-type]


def test_memory_does_not_grow_with_the_runs(tmp_path: Path) -> None:
    from orderquake.sim.explore.campaign_pool import resident_bytes

    made = settings(tmp_path)
    for seed in range(1, 6):
        played(made, seed)
    before = resident_bytes()
    for seed in range(6, 16):
        played(made, seed)
    assert resident_bytes() - before < 30e6


def test_a_page_says_what_was_not_reached(tmp_path: Path) -> None:
    text = in_markdown(campaign(3, processes=1, out=tmp_path / "campaign.json"))
    assert "## Which fault struck which step" in text
    assert "| point | runs | share |" in text
    assert design_named("hot_cold") is HotCold
