"""`plan` on the command line: what is printed, what is written, how it leaves, and how it goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orderquake.sim.cli import main
from orderquake.sim.planning import plan, replicate_until
from orderquake.sim.planning.stretch import busiest_hour
from orderquake.sim.scenario import Trace
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.settings import with_settings

TINY = """
schema_version = 1
question = "How many customers a second can two workers serve?"
horizon = "30 s"

[workload]
kind = "poisson"
rate_per_s = 1.0

[stock]
skus = 5
units_per_sku = 100000

[[place]]
name = "here"
workers = 2
"""
SLO = ["--slo", "decision.p50 < 5 s"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORDERQUAKE_TRACEBACK", raising=False)
    (tmp_path / "tiny.toml").write_text(TINY, encoding="utf-8")
    return tmp_path


def test_a_load_is_found_written_and_found_again_without_playing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["plan", "tiny.toml", *SLO, "--between", "1,8", "--runs", "4", "--out", "two"]
    assert main([*words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (found["status"], found["find"], found["confirmed"]) == ("found", "workload.rate_per_s", True)
    # A worker's order takes some 0.8 s: two of them serve about 2.5 a second; above that a line grows.
    assert 1 <= found["interval"]["kept"]["value"] < found["interval"]["missed"]["value"] <= 8
    assert found["interval"]["kept"]["again"].startswith(
        "orderquake run tiny.toml --on hot_cold --seed 1 --set workload"
    )
    assert all(point["promises"][0]["decides"]["low"] is not None for point in found["curve"])
    assert json.loads((here / "two" / "plan.json").read_text(encoding="utf-8")).items() <= found.items()
    page = (here / "two" / "index.html").read_text(encoding="utf-8")
    assert "Fresh seeds bear the edges out" in page and "<svg" in page
    assert "http" not in page.replace("http-equiv", "")
    played = {path: path.stat().st_mtime_ns for path in (here / "two" / "probes").iterdir()}
    (here / "two" / "plan.json").unlink()  # as if it had been stopped at the very end
    assert main([*words, "--quiet"]) == 0
    assert capsys.readouterr().out.startswith("found decision.p50 < 5 s: kept at workload.rate_per_s = ")
    assert {path: path.stat().st_mtime_ns for path in (here / "two" / "probes").iterdir()} == played
    assert main(["plan", "tiny.toml", "--slo", "decision.p50 < 4 s", "--out", "two"]) == 3
    assert "holds another plan" in capsys.readouterr().err


def test_a_resource_is_found_the_other_way_round(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", "tiny.toml", *SLO, "--find", "place[0].workers", "--set", "workload.rate_per_s=4.0", "--runs", "4"]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "note: a larger place.0.workers is better for decision.p50 < 5 s" in told
    assert "the smallest that keeps it is between" in told
    assert "confirmed by fresh seeds" in told
    assert (here / "reports" / "latest" / "plan.json").exists()


def test_a_promise_no_load_keeps_leaves_with_one_and_the_reason(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", "tiny.toml", "--slo", "decision.p50 < 100ms", "--between", "0.5,2", "--runs", "4"]
    assert main(words) == 1
    told = capsys.readouterr().out
    assert "missed at every value of workload.rate_per_s that was probed" in told
    assert "why: it is missed even at workload.rate_per_s = 0.5" in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "no promise is given"),
        (["--slo", "checkout.p99 < 300ms", "--slo", "checkout.p99 > 400ms"], "contradict each other"),
        (["--slo", "chekout.p99 < 300ms"], "did you mean"),
        ([*SLO, "--find", "policy.order"], "not a number"),
        ([*SLO, "--find", "policy.reservation_tll"], "did you mean"),
        ([*SLO, "--want", "most"], "expected largest or smallest"),
        ([*SLO, "--on", "hot_cald"], "did you mean"),
        ([*SLO, "--out", "."], "working directory"),
    ],
)
def test_mistakes_are_told_before_anything_is_played(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    assert main(["plan", "tiny.toml", *words]) == 3
    assert says in capsys.readouterr().err
    assert not list(here.rglob("probes/*.json"))


def test_the_busiest_hour_of_the_real_shop_is_a_tuesday_noon() -> None:
    peak = load_scenario("retail_peak")
    assert isinstance(peak.workload, Trace)
    hour = busiest_hour(peak, peak.workload)
    assert hour.orders == 26
    assert hour.says.startswith("the busiest hour, Tuesday, 6 December 2011, from 12:00, alone, in 5 min")
    assert with_settings(peak, hour.settings).fault == ()


def test_a_notebook_gets_frames_with_units(here: Path) -> None:
    found = plan("tiny.toml", "decision.p50 < 50 ms", between="1,2", runs=2, processes=1)
    assert (found.status, found.points[0].orders_per_s > 0.5) == ("unreachable", True)
    curve = found.curve()
    assert {"value", "orders_per_s", "side", "decides_low", "decides_high", "limit", "measured", "unit"} <= {*curve}
    assert (set(curve["unit"]), set(curve["side"])) == ({"seconds"}, {"missed"})
    assert found.confirmed().empty and [*found.confirmed()] == [*curve]
    assert not (here / "reports").exists()


def test_runs_are_added_until_the_mean_is_known(here: Path) -> None:
    made = replicate_until(
        "tiny.toml", "decision.mean", settings={"horizon": "20 s"}, relative=0.3, first=4, processes=1
    )
    assert not made.mean.refusal
    assert made.mean.half_width <= 0.3 * made.mean.value * 1.5  # as wide as asked, of the first stage's mean
    frame = made.frame()
    assert len(frame) == made.mean.runs >= 4
    assert frame["value"].mean() == pytest.approx(made.mean.value)
    few = replicate_until("tiny.toml", "decision.mean", relative=0.0001, first=2, at_most=3, processes=1)
    assert "were allowed" in few.mean.refusal
    nothing = replicate_until("tiny.toml", "refunded_share", settings={"horizon": "5 s"}, first=2, processes=1)
    assert nothing.mean.refusal
