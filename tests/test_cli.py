"""The command line: exit codes, what is printed, and what is left behind."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.order import Order
from orderquake.sim import console, runs
from orderquake.sim import run as running
from orderquake.sim.cli import main
from orderquake.sim.history import History
from orderquake.sim.run import Run, simulate
from orderquake.sim.scenario_file import load_scenario


def tiny(shop: Path) -> str:
    """The small scenario that lies in the working directory."""
    return (shop / "tiny.toml").read_text(encoding="utf-8")


def left_behind(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "tiny.toml")


def pretend(monkeypatch: pytest.MonkeyPatch, change: Callable[[Run], Run]) -> None:
    """Let every run come out changed."""

    def changed(*arguments: Any, **options: Any) -> Run:
        return change(simulate(*arguments, **options))

    monkeypatch.setattr(running, "simulate", changed)


# -- exit codes


@pytest.mark.parametrize(("verdict", "code"), [("valid", 0), ("invalid", 1), ("unknown", 2)])
def test_run_exits_by_the_verdict(shop: Path, monkeypatch: pytest.MonkeyPatch, verdict: str, code: int) -> None:
    pretend(monkeypatch, lambda made: dataclasses.replace(made, verdict=verdict))
    assert main(["run", "tiny.toml"]) == code


def test_the_worst_of_several_scenarios_decides(shop: Path) -> None:
    text = tiny(shop).replace("charged_once", "fresh_snapshots_only")  # no refresh is due within a minute
    (shop / "idle.toml").write_text(text.replace("rate_per_s = 0.5", "rate_per_s = 0.001"), encoding="utf-8")
    assert main(["run", "tiny.toml"]) == 0
    assert main(["run", "tiny.toml", "idle.toml"]) == 2


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        ([], "Usage: orderquake"),
        (["bogus"], "bogus"),
        (["run"], "SCENARIO"),
        (["run", "--bog", "tiny.toml"], "--bog"),
        (["run", "tiny.toml", "--runs", "0"], "--runs"),
        (["run", "tiny.toml", "--runs", "many"], "--runs"),
        (["run", "tiny.toml", "--seed", "-1"], "--seed"),
        (["run", "tiny.tml"], "no scenario is called"),
        (["run", "flash_sal"], 'did you mean "flash_sale"?'),
        (["run", "tiny.toml", "--on", "hot_clod"], 'did you mean "hot_cold"?'),
        (["run", "tiny.toml", "tiny.toml"], "two scenarios are called"),
        (["run", "tiny.toml", "--out", "."], "working directory"),
        (["explain", "latest", "o-1"], "none is kept yet"),
        (["explain", "tiny.toml", "o-1"], "is not a history"),
    ],
)
def test_a_mistake_in_the_command_exits_3_and_leaves_nothing(
    shop: Path, capsys: pytest.CaptureFixture[str], words: list[str], phrase: str
) -> None:
    assert main(words) == 3
    told = capsys.readouterr()
    assert phrase in told.err
    assert told.out == ""
    assert left_behind(shop) == []


def test_a_mistake_in_a_scenario_exits_3_with_its_place_and_leaves_nothing(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "bad.toml").write_text(tiny(shop).replace('"60 s"', "60").replace("0.5", "-1"), encoding="utf-8")
    assert main(["run", "tiny.toml", "bad.toml", "--out", "there"]) == 3
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["bad.toml:3:11", "bad.toml:7:14"]
    assert left_behind(shop) == ["bad.toml"]


def test_a_trace_file_that_is_broken_exits_3_with_its_line(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "mine.csv").write_text("placed_at,invoice\n", encoding="utf-8")
    text = tiny(shop).replace('kind = "poisson"\nrate_per_s = 0.5', 'kind = "trace"\nname = "mine.csv"')
    (shop / "mine.toml").write_text(text.replace("skus = 5\n", ""), encoding="utf-8")
    assert main(["run", "mine.toml"]) == 3
    assert "mine.csv:1" in capsys.readouterr().err


@pytest.mark.parametrize("options", [[], ["--runs", "2"]])
def test_a_failure_of_ours_exits_4_says_how_to_see_it_again_and_leaves_nothing(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    def fail(*_: Any, **__: Any) -> Run:
        raise AssertionError("a rule of ours is broken\nand more")

    monkeypatch.setattr(running, "simulate", fail)
    assert main(["run", "tiny.toml", "--seed", "7", *options]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert "a rule of ours is broken" in line
    assert "orderquake run tiny.toml --on hot_cold --seed 7" in line
    assert left_behind(shop) == []


def test_the_traceback_is_shown_on_request(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> Run:
        raise AssertionError("a rule of ours is broken")

    monkeypatch.setattr(running, "simulate", fail)
    monkeypatch.setenv("ORDERQUAKE_TRACEBACK", "")
    assert main(["run", "tiny.toml", "--traceback"]) == 4
    assert "Traceback (most recent call last)" in capsys.readouterr().err


# -- what is left behind


@pytest.mark.parametrize("with_pictures", [True])
def test_a_run_leaves_its_folder_and_a_link_to_the_latest(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "tiny.toml", "--seed", "3"]) == 0
    folder = shop / "reports" / "runs" / "tiny-hot_cold-3"
    assert {"index.html", "results.json", "history.parquet"} <= {path.name for path in folder.iterdir()}
    assert (shop / "reports" / "latest").resolve() == folder.resolve()
    assert left_behind(shop / "reports") == ["latest", "runs"]
    assert left_behind(shop / "reports" / "runs") == ["tiny-hot_cold-3"]
    assert capsys.readouterr().out.splitlines()[-1] == "report: reports/runs/tiny-hot_cold-3/index.html"
    assert json.loads((folder / "results.json").read_text(encoding="utf-8"))["seed"] == 3


def test_running_again_replaces_the_folder(shop: Path) -> None:
    assert main(["run", "tiny.toml", "--quiet"]) == 0
    stale = shop / "reports" / "runs" / "tiny-hot_cold-1" / "stale"
    stale.write_text("from before", encoding="utf-8")
    assert main(["run", "tiny.toml", "--quiet"]) == 0
    assert not stale.exists()
    assert left_behind(shop / "reports" / "runs") == ["tiny-hot_cold-1"]


def test_out_may_be_absent_or_empty(shop: Path) -> None:
    (shop / "empty").mkdir()
    assert main(["run", "tiny.toml", "--out", "empty"]) == 0
    assert main(["run", "tiny.toml", "--out", "deep/er"]) == 0
    assert (shop / "empty" / "index.html").is_file()
    assert (shop / "deep" / "er" / "index.html").is_file()
    assert left_behind(shop) == ["deep", "empty"], "reports/ is left alone"


def test_out_that_is_not_empty_is_refused_before_anything_is_run(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running, "simulate", lambda *_: pytest.fail("nothing may be run"))
    (shop / "full").mkdir()
    (shop / "full" / "precious").write_text("mine", encoding="utf-8")
    (shop / "file").write_text("mine", encoding="utf-8")
    for out in ("full", "file"):
        assert main(["run", "tiny.toml", "--out", out]) == 3
        assert f"--out {out} is not" in capsys.readouterr().err
    assert left_behind(shop / "full") == ["precious"]


def test_several_scenarios_share_one_out(shop: Path) -> None:
    (shop / "other.toml").write_text(tiny(shop), encoding="utf-8")
    assert main(["run", "tiny.toml", "other.toml", "--out", "both"]) == 0
    assert left_behind(shop / "both") == ["other-hot_cold-1", "tiny-hot_cold-1"]


@pytest.mark.parametrize("when", ["running", "writing"])
def test_an_interrupted_run_leaves_nothing_that_looks_complete(
    shop: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    def interrupt(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    if when == "running":
        monkeypatch.setattr(running, "simulate", interrupt)
    else:
        monkeypatch.setattr(History, "write_parquet", interrupt)
    assert main(["run", "tiny.toml"]) == 130
    assert not (shop / "reports" / "latest").exists()
    assert not (shop / "reports" / "runs").exists() or left_behind(shop / "reports" / "runs") == []


def test_a_terminated_campaign_leaves_neither_folders_nor_processes(shop: Path) -> None:
    command = [sys.executable, "-m", "orderquake.sim.cli", "run", "calm_day", "--runs", "500"]
    process = subprocess.Popen(command, cwd=shop, stderr=subprocess.PIPE, start_new_session=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    for _ in range(200):  # until its processes are at work
        time.sleep(0.1)
        if children.exists() and children.read_text(encoding="utf-8"):
            break
    process.send_signal(signal.SIGTERM)
    try:
        _, told = process.communicate(timeout=20)
        assert process.returncode == 143, told.decode()
        assert not (shop / "reports").exists()
        for _ in range(50):
            os.killpg(process.pid, 0)
            time.sleep(0.1)
        pytest.fail("processes outlived the campaign")
    except ProcessLookupError:
        pass  # the whole group is gone, as it should be
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


# -- what is printed


def test_json_is_one_object_with_all_that_is_promised(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "tiny.toml", "--json"]) == 0
    told = capsys.readouterr()
    result = json.loads(told.out)
    promised = "scenario architecture seed digest verdict verdicts latency drift outcomes report"
    assert set(promised.split()) <= set(result)
    assert {"verdict", "obligations"} <= set(result["verdicts"]["charged_once"])
    assert {"n", "p50_s", "p90_s", "p99_s", "p999_s"} <= set(result["latency"]["checkout"])
    assert Path(result["report"]).is_file()
    assert told.err == ""


def test_people_read_verdicts_latency_drift_and_outcomes(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "tiny.toml"]) == 0
    text = capsys.readouterr().out
    for phrase in ("tiny on hot_cold, seed 1: valid", "charged_once", "obligations", "p99.9", "drift: ", "outcomes: "):
        assert phrase in text
    assert "\x1b" not in text, "no colours where there is no terminal"
    assert all(line == line.rstrip() for line in text.splitlines())


def test_quiet_is_one_line_a_run(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "tiny.toml", "--quiet"]) == 0
    assert capsys.readouterr().out == "valid tiny hot_cold seed 1 reports/runs/tiny-hot_cold-1/index.html\n"


@pytest.mark.parametrize("with_pictures", [True])
def test_many_seeds_are_counted_and_bounded(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "tiny.toml", "--runs", "4", "--seed", "5"]) == 0
    text = capsys.readouterr().out
    assert "seeds 5 to 8: valid" in text
    assert "runs: valid 4, unknown 0, invalid 0" in text
    assert "0 of 4 invalid; at most 60.2 % at 95 %" in text  # Clopper-Pearson: 1 - 0.025 ** (1 / 4)
    assert left_behind(shop / "reports" / "runs") == ["tiny-hot_cold-5-x4"]


def test_seeds_that_fail_are_named(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend(monkeypatch, lambda made: dataclasses.replace(made, verdict="invalid") if made.seed == 2 else made)
    assert main(["run", "tiny.toml", "--runs", "3"]) == 1
    text = capsys.readouterr().out
    assert "invalid seeds: 2" in text
    assert "1 of 3 invalid" in text
    assert "orderquake run tiny.toml --on hot_cold --seed 2" in text
    assert main(["run", "tiny.toml", "--runs", "3", "--json"]) == 1
    assert [failed["seed"] for failed in json.loads(capsys.readouterr().out)["failing"]] == [2]


def test_two_processes_give_what_one_gives_in_the_order_of_the_seeds(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = load_scenario("tiny.toml")
    done: list[float] = []
    alone = runs.replicate(scenario, "hot_cold", range(3, 9), done.append, processes=1)
    monkeypatch.setattr(runs, "SERIAL_UNTIL_S", 0.0)
    together = runs.replicate(scenario, "hot_cold", range(3, 9), done.append, processes=2)
    assert [made.seed for made in together] == list(range(3, 9))
    assert [made.digest for made in together] == [made.digest for made in alone]
    assert all(made.scenario is scenario for made in together), "a thousand runs keep one scenario"
    assert done == [1, 2, 3, 4, 5, 6] * 2


def test_where_no_terminal_is_progress_is_told_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with console.progress("a day, 8 seeds", 8, is_mute=True) as nobody_listens:
        assert nobody_listens is None
    for every_s, told in ((0.0, ["a day, 8 seeds: 12 %", "a day, 8 seeds: 50 %"]), (30.0, [])):
        monkeypatch.setattr(console, "A_LINE_EVERY_S", every_s)
        with console.progress("a day, 8 seeds", 8, is_mute=False) as advance:
            assert advance is not None
            for done in (1, 4, 8):
                advance(done)
        assert [line.split(" after ")[0] for line in capsys.readouterr().err.splitlines()] == told


def test_a_failure_in_another_process_names_its_seed(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(scenario: Any, on: str, seed: int, **how: Any) -> Run:
        assert seed != 4, "a rule of ours is broken"
        return simulate(scenario, on, seed, **how)

    monkeypatch.setattr(running, "simulate", fail)
    monkeypatch.setattr(runs, "SERIAL_UNTIL_S", 0.0)
    with pytest.raises(runs.RunFailed, match="a rule of ours is broken") as error:
        runs.replicate(load_scenario("tiny.toml"), "hot_cold", range(1, 8), lambda _: None, processes=2)
    assert error.value.seed == 4
    assert "Traceback" in error.value.how


def test_explain_tells_one_order_by_name_of_the_run(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "tiny.toml", "--quiet"]) == 0
    order = next(row.order for row in simulate("tiny.toml").history if row.order)
    capsys.readouterr()
    for run in ("latest", "tiny-hot_cold-1", "reports/runs/tiny-hot_cold-1"):
        assert main(["explain", run, order]) == 0
        text = capsys.readouterr().out
        assert text.startswith(f"order {order}")
        assert "sequenceDiagram" in text
    assert main(["explain", "latest", order, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["order"] == order
    assert main(["explain", "latest", "o-nobody"]) == 3
    assert "no order 'o-nobody'" in capsys.readouterr().err
    assert main(["explain", "lastest", order]) == 3
    assert "tiny-hot_cold-1" in capsys.readouterr().err


def test_a_trail_is_taken_from_a_run_and_held_against_it(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "tiny.toml", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["audit", "latest", "--out", "trail.jsonl"]) == 0
    assert capsys.readouterr().out.startswith("valid: ")
    assert main(["audit", "latest", "--check", "trail.jsonl", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["found"] == []
    lines = (shop / "trail.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (shop / "trail.jsonl").write_text("".join(lines[:3] + lines[4:]), encoding="utf-8")
    assert main(["audit", "latest", "--check", "trail.jsonl"]) == 1
    assert "invalid: " in (told := capsys.readouterr().out)
    assert "removed" in told
    assert "missing" in told
    assert main(["audit", "latest", "--check", "tiny.toml"]) == 3
    assert "tiny.toml, line 1: no JSON" in capsys.readouterr().err
    assert main(["audit", "latest", "--out", "tiny.toml"]) == 3


def test_a_run_can_be_replayed_by_name_strictly_and_leniently(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "tiny.toml", "--seed", "5", "--quiet"]) == 0
    rows = len(simulate("tiny.toml", seed=5).history)
    capsys.readouterr()
    for run in ("latest", "tiny-hot_cold-5", "reports/runs/tiny-hot_cold-5/run.choices.json"):
        assert main(["replay", run]) == 0
        assert f"all {rows} rows are as they were" in capsys.readouterr().out
    assert main(["replay", "latest", "--lenient", "--quiet"]) == 0
    assert "valid" in capsys.readouterr().out
    assert main(["replay", "latest", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["difference"] is None


def test_a_replay_of_what_is_now_otherwise_names_the_row_and_exits_4(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["run", "tiny.toml", "--quiet"]) == 0
    capsys.readouterr()

    async def tell_nobody(_: HotCold, order: Order) -> Order:
        return order

    monkeypatch.setattr(HotCold, "finish", tell_nobody)
    assert main(["replay", "latest"]) == 4
    assert "row" in capsys.readouterr().out


def test_a_replay_of_what_is_not_there_exits_3(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "nowhere"]) == 3
    assert "none is kept yet" in capsys.readouterr().err
    assert main(["run", "tiny.toml", "--runs", "2", "--quiet"]) == 0
    assert main(["replay", "latest"]) == 3
    assert "has no run.choices.json" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["scenarios", "architectures", "checkers", "faults"])
def test_a_list_is_names_a_table_or_an_array(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--json"]) == 0
    names = [entry["name"] for entry in json.loads(capsys.readouterr().out)]
    assert names
    assert main([verb, "--quiet"]) == 0
    assert capsys.readouterr().out.split() == names
    assert main([verb]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in names)


def test_the_matrix_tells_cells_and_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "--matrix", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    down = next(entry for entry in told["kinds"] if entry["name"] == "down")
    assert "charge" in down["strikes"]
    assert told["feasible"] == sum(len(entry["strikes"]) for entry in told["kinds"])
    assert main(["faults", "--matrix"]) == 0
    text = capsys.readouterr().out
    assert "read_only (services)" in text
    assert "reads are answered as ever" in text
    assert main(["faults", "--matrix", "--quiet"]) == 0
    assert capsys.readouterr().out == text.splitlines(keepends=True)[-1]


def test_schema_is_a_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    for options in ([], ["--json"], ["--quiet"]):
        assert main(["schema", *options]) == 0
        assert "workload" in json.loads(capsys.readouterr().out)["properties"]


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["explain", "--help"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    heavy = ("numpy", "pandas", "scipy", "matplotlib", "pyarrow", "simpy", "orderquake.sim.scenario")
    code = (
        "import sys; from orderquake.sim.cli import main; code = main(sys.argv[1:]); "
        f"sys.exit(code or ' '.join(name for name in {heavy!r} if name in sys.modules) or 0)"
    )
    made = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert "Usage: orderquake" in made.stdout
    assert (made.returncode, made.stderr.strip()) == (0, "")
