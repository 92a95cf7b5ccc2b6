"""What matters: known answers of the analysis, the sweep that is laid out for it, and what is said without SALib."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from orderquake.sim.asked import Mistake
from orderquake.sim.cli import main
from orderquake.sim.sweep import sensitivity
from orderquake.sim.sweep.cell import MEASURES, Reading
from orderquake.sim.sweep.question import asked
from orderquake.sim.sweep.sensitivity import effects
from orderquake.sim.sweep.store import Store
from orderquake.sim.sweep.swept import Swept
from tests.sweep.days import SMALL, made

pytest.importorskip("SALib", reason="the extra `sensitivity` is not installed")


def pretended(tmp_path: Path, kind: str, cells: int) -> Swept:
    """Ishigami's function in the place of a measure: a = 7, b = 0.1, each x from -pi to pi."""
    from orderquake.sim.scenario_file import load_scenario
    from orderquake.sim.sweep.axes import stretch

    paths = ("workload.clicks_twice", "workload.cancels", "jobs.inbound.skips")
    axes = [stretch(path, 0.0, 1.0) for path in paths]
    question = asked(
        load_scenario("last_unit"), ["hot_cold"], axes, points=cells, runs=1, sensitivity=kind, at_most=20_000
    )
    readings = {}
    for cell in question.cells:
        x, y, z = ((2 * cell.settings[path] - 1) * math.pi for path in paths)
        value = math.sin(x) + 7 * math.sin(y) ** 2 + 0.1 * z**4 * math.sin(x)
        measures = {**dict.fromkeys(MEASURES, 0.0), "drift": value}
        readings[cell.identity] = [Reading(1, "", "valid", (), (), measures)]
    return Swept(question, Store(tmp_path / "s", question.header), readings, {})


def test_sobols_indices_are_those_of_the_textbook(tmp_path: Path) -> None:
    """Saltelli and others (2008), section 4.7: first order 0.314, 0.442, 0; total 0.558, 0.442, 0.244."""
    found = effects(pretended(tmp_path, "sobol", 1024 * 5))
    assert [one.measure for one in found] == ["drift"] * 3, "what is everywhere the same has no indices"
    first = [one.indices["first_order"].value for one in found]
    total = [one.indices["total"].value for one in found]
    assert first == pytest.approx([0.314, 0.442, 0.0], abs=0.03)
    assert total == pytest.approx([0.558, 0.442, 0.244], abs=0.03)
    assert found[1].indices["total"].is_clear
    assert not found[2].indices["first_order"].is_clear


def test_morris_ranks_the_paths(tmp_path: Path) -> None:
    found = {one.path: one.indices["mu_star"].value for one in effects(pretended(tmp_path, "morris", 400))}
    assert min(found.values()) > 0
    assert max(found, key=lambda path: found[path]) == "workload.cancels"


def test_a_sweep_is_laid_out_for_it_and_goes_on(tmp_path: Path) -> None:
    ranges = {"policy.reservation_ttl": ("1 s", "2 min", "log"), "workload.clicks_twice": (0.0, 0.9)}
    found = made(tmp_path / "s", vary={}, ranges=ranges, cells=12, runs=1, sensitivity="morris")
    assert (found.question.layout, len(found.cells)) == ("morris", 12)
    by = {(one.measure, one.path): one.indices["mu_star"].value for one in effects(found)}
    assert by["messages", "workload.clicks_twice"] > by["messages", "policy.reservation_ttl"] == 0.0


def test_an_analysis_with_a_hole_is_refused(tmp_path: Path) -> None:
    swept = pretended(tmp_path, "morris", 40)
    swept.failed = {swept.cells[0].identity: "it hung"}
    with pytest.raises(Mistake, match="1 cells could not be played, and an analysis needs all"):
        effects(swept)


def test_points_of_a_grid_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="points in a grid cannot be analysed"):
        effects(made(tmp_path / "s", runs=1))


def test_without_salib_it_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(sensitivity, "import_module", absent)
    words = ["sweep", "last_unit", "--range", "workload.buyers=1..4", "--cells", "40", "--sensitivity", "sobol"]
    assert main([*words, "--out", str(tmp_path / "s")]) == 3
    assert "needs SALib, which is not installed; expected it beside orderquake: pip" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_indices_are_told_by_measure_and_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("orderquake.sim.report.sweep.pictures", lambda *_: [])
    settings = [f"--set={path}={value}" for path, value in SMALL.items()]
    words = ["sweep", "last_unit", "--range", "workload.clicks_twice=0..0.9", "--range", "policy.idle=1s..60s"]
    more = ["--cells", "12", "--runs", "1", "--sensitivity", "morris", "--out", str(tmp_path / "s")]
    assert main([*words, *settings, *more]) == 0
    told = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["measure", "design", "path", "mu_star", "sigma"] in told
    (line,) = (line for line in told if line[:3] == ["messages", "hot_cold", "workload.clicks_twice"])
    assert float(line[3].strip("(")) > 0
    assert "What matters" in (tmp_path / "s" / "index.html").read_text()
