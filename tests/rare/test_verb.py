"""`orderquake rare`: what it prints, and how it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orderquake.sim.cli import main

DAY = """schema_version = 1
question = "How long may the line at the till get?"
horizon = "3 s"
must_exercise = ["charged_once"]
[workload]
kind = "poisson"
rate_per_s = 2.0
[stock]
skus = 2
units_per_sku = 100
[service.payment]
capacity = 1
"""


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "till.toml").write_text(DAY, encoding="utf-8")
    return "till.toml"


def test_it_tells_the_chance_with_its_interval_and_the_way_there(day: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "rare",
        day,
        "--event",
        "payment_in_line >= 3",
        "--levels",
        "2,3",
        "--effort",
        "2",
        "--at-most",
        "1e-9",
        "--json",
    ]
    code = main(words)
    said = capsys.readouterr()
    assert not said.err
    told = json.loads(said.out)
    assert 0 < told["low"] <= told["chance"] <= told["high"] <= 1
    assert told["levels"] == [2, 3]
    assert (code, told["verdict"]) == (1, "invalid")


def test_mistakes_leave_with_three(day: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rare", day, "--event", "queues >= 4"]) == 3
    assert "there is no score 'queues'; expected one of" in capsys.readouterr().err
    assert main(["rare", day]) == 3


def test_the_scores_are_listed(day: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rare", day, "--scores", "--quiet"]) == 0
    assert "unposted" in capsys.readouterr().out.split()
