"""The verb hunt: exit codes, what is printed, and what is left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orderquake.sim.cli import main
from orderquake.sim.verbs.hunt import seconds_of

QUICK = ["hunt", "--on", "skips_posting", "--strategies", "stress", "--budget", "20s"]


def test_a_find_leaves_with_1_and_a_folder(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(QUICK) == 1
    said = capsys.readouterr().out
    place = shop / "reports" / "hunts" / "skips_posting-legal_transitions-1"
    assert said.startswith("legal_transitions on skips_posting: 1 order")
    assert "no row of the table allows that" in said
    assert (place / "README.md").is_file()
    assert main(["replay", str(place), "--quiet"]) == 1


def test_json_is_one_object_and_out_is_where_it_goes(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--json", "--out", "here"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["checker"], told["report"]) == ("invalid", "legal_transitions", "here")
    assert told["orders"] == 1
    assert told["is_minimal"] is True
    assert len(told["why"]) >= 5
    assert (shop / "here" / "run.choices.json").is_file()
    assert main([*QUICK, "--out", "here"]) == 3


def test_nothing_found_leaves_with_0_and_the_bound(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hunt", "--budget", "300ms", "--strategies", "stress"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("no broken promise found on hot_cold: 0 of ")
    assert "at 95 %" in said
    assert not (shop / "reports").exists()


def test_nothing_exercised_leaves_with_2(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (shop / "tiny.toml").read_text(encoding="utf-8").replace("rate_per_s = 0.5", "rate_per_s = 0.000001")
    (shop / "idle.toml").write_text(text, encoding="utf-8")
    words = ["hunt", "idle.toml", "--budget", "1s", "--strategies", "monte_carlo", "--json"]
    code = main(words)
    told = json.loads(capsys.readouterr().out)
    assert (code, told["verdict"]) == ((2, "unknown") if not told["exercised"] else (0, "valid"))
    assert told["runs"] > 0


def test_a_design_that_only_crashes_leaves_with_4(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["hunt", "--on", "tests.explore.test_hunt:Crashing", "--budget", "300ms", "--strategies", "stress"]
    assert main(words) == 4
    assert "not today" in capsys.readouterr().out


def test_without_hypothesis_its_strategy_stays_away_and_that_is_said(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orderquake.sim.explore.hunt.driven.is_installed", lambda: False)
    assert main(["hunt", "--budget", "200ms", "--strategies", "hypothesis"]) == 2
    assert "hypothesis is not installed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        (["hunt", "--on", "overwrites_on_refres"], "overwrites_on_refresh"),
        (["hunt", "--on", "no.such:Class"], "no architecture"),
        (["hunt", "--budget", "soon"], "--budget"),
        (["hunt", "--budget", "0s"], "--budget"),
        (["hunt", "--strategies", "luck"], "no strategy"),
        (["hunt", "--promise", "charged_onec"], "charged_once"),
        (["hunt", "no_such_day"], "no scenario is called"),
    ],
)
def test_a_mistake_leaves_with_3(shop: Path, capsys: pytest.CaptureFixture[str], words: list[str], phrase: str) -> None:
    assert main(words) == 3
    assert phrase in capsys.readouterr().err


def test_a_budget_is_read_with_or_without_a_blank() -> None:
    assert [seconds_of(text) for text in ("60s", "5 min", "5min", "250ms", "1 h")] == [60.0, 300.0, 300.0, 0.25, 3600.0]
