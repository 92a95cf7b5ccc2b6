"""`sweep`: what is printed, what is written, how it leaves, and what it says to mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orderquake.sim.cli import main
from orderquake.sim.sweep import cell as cells
from tests.sweep.days import TABLES, words


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take seconds, and have tests of their own."""
    monkeypatch.setattr("orderquake.sim.report.sweep.pictures", lambda *_: [])


pytestmark = pytest.mark.usefixtures("no_pictures")


def test_cells_are_told_and_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words("s")) == 0
    told = capsys.readouterr().out
    assert told.startswith("last_unit on hot_cold, 6 cells, 2 runs each")
    assert "0 of 2 runs; at most 84.2 % at 95 %" in told
    assert "report: s/index.html" in told
    assert sorted(path.name for path in Path("s").iterdir()) == sorted(
        [*TABLES, "cells", "failed", "index.html", "results.json", "sweep.json"]
    )
    assert "http" not in Path("s/index.html").read_text().replace("http-equiv", "")


def test_json_is_one_object(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words("s", "--json")) == 0
    told = capsys.readouterr()
    found: dict[str, Any] = json.loads(told.out)
    assert told.err == ""
    assert (found["scenario"], found["runs"], found["cells"], found["layout"]) == ("last_unit", 2, 6, "grid")
    cell = found["results"][5]
    assert cell["settings"] == {"policy.reservation_ttl": "2 min", "workload.buyers": 3}
    assert cell["chances"]["oversells"]["hits"] == 0
    assert cell["chances"]["oversells"]["high"] == pytest.approx(0.841886, abs=1e-6)
    assert cell["measures"]["refunded"]["mean"] == pytest.approx(2 / 3)
    assert cell["measures"]["checkout_p999"] is None
    assert found["report"] == "s/index.html"
    assert json.loads(Path("s/results.json").read_text())["results"][5]["identity"] == cell["identity"]


def test_quiet_is_a_line_a_cell(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words("s", "--quiet", "--on", "hot_cold,central")) == 0
    told = capsys.readouterr()
    assert told.err == ""
    lines = told.out.splitlines()
    assert len(lines) == 12
    assert lines[11] == "11 central, policy.reservation_ttl=2 min, workload.buyers=3 valid=2 unknown=0 invalid=0"


def test_the_same_command_goes_on_by_itself(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(words("s", "--quiet")) == 0
    before = Path("s/index.html").read_bytes()
    monkeypatch.setattr(cells, "play", lambda _: pytest.fail("it was played already"))
    assert main(words("s", "--quiet")) == 0
    assert Path("s/index.html").read_bytes() == before


def test_cells_that_failed_are_told_with_their_command_and_it_leaves_with_4(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read = cells._read

    def fails(scenario: Any, on: Any, seed: int) -> Any:
        if scenario.workload.buyers == 3:
            raise AssertionError("a rule of ours")
        return read(scenario, on, seed)

    monkeypatch.setattr(cells, "_read", fails)
    assert main(words("s", "--engine", "serial")) == 4
    told = capsys.readouterr()
    assert "failed" in told.out
    first, second = told.err.splitlines()
    assert first.startswith(
        "cell 2 failed: AssertionError: a rule of ours. See: orderquake run last_unit --on hot_cold"
    )
    assert "workload.buyers=3" in first
    assert second.startswith("cell 5 failed")
    assert "could not be played" in Path("s/index.html").read_text()
    monkeypatch.undo()
    monkeypatch.chdir(here)
    monkeypatch.setattr("orderquake.sim.report.sweep.pictures", lambda *_: [])
    assert main(words("s", "--quiet")) == 0, "and the same command tries them again"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--engine", "threads"], "expected one of auto, serial, local, dask"),
        (["--engine", "local", "--scheduler", "tcp://127.0.0.1:1"], "--scheduler is for --engine dask"),
        (["--engine", "serial", "--timeout", "60s"], "--timeout needs processes of our own"),
        (["--timeout", "60"], "--timeout is"),
        (["--timeout", "0s"], "expected more than zero"),
        (["--map", "workload.buyer"], 'did you mean "workload.buyers"?'),
        (["--map", "workload.buyers,workload.buyers"], "expected one, or two different ones"),
        (["--at-most", "5"], "--at-most 6"),
        (["--preset", "design_space"], "says all that is varied"),
        (["--vary", "policy.reservation_tl=1s"], "reservation_ttl"),
        (["--set", "stock.skus=none"], "stock.skus"),
        (["--on", "hot_clod"], 'did you mean "hot_cold"?'),
        (
            ["--vary", "policy.send_horizon=12h,22h", "--vary", "policy.message_life=1h,3h"],
            "cell 3 of 24, on hot_cold:",
        ),
    ],
)
def test_a_mistake_leaves_with_3_and_leaves_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], more: list[str], says: str
) -> None:
    assert main(words("s", *more)) == 3
    told = capsys.readouterr()
    assert says in told.err
    assert told.out == ""
    assert list(here.iterdir()) == []


def test_a_sweep_of_nothing_is_a_mistake(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep"]) == 3
    assert "no scenario is named" in capsys.readouterr().err
    assert main(["sweep", "--preset", "desing_space"]) == 3
    assert 'did you mean "design_space"?' in capsys.readouterr().err


def test_a_folder_of_another_sweep_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words("s", "--quiet")) == 0
    capsys.readouterr()
    assert main(words("s", "--seed", "9")) == 3
    assert "--out s belongs to another sweep (seed)" in capsys.readouterr().err


def test_help_costs_no_heavy_import() -> None:
    import subprocess
    import sys

    program = (
        "import sys; from orderquake.sim.cli import main; main(['sweep', '--help']); "
        "print(sorted({'pandas', 'scipy', 'matplotlib', 'pyarrow', 'distributed'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "--sensitivity" in done.stdout
