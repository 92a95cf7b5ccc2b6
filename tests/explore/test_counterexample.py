"""The folder of a counterexample: replays, convicts the broken design, acquits the sound one, and tells why."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.mutants import MUTANTS
from orderquake.sim.choices import LOG, ChoiceLog, replay
from orderquake.sim.cli import main
from orderquake.sim.explore.hunt import write_counterexample
from orderquake.sim.explore.hunt.counterexample import name_of, why
from orderquake.sim.history import History
from orderquake.sim.run import simulate
from orderquake.sim.runs import OutError
from orderquake.sim.scenario_file import load_scenario
from tests.explore.stories import story

FILES = {
    LOG, "history.parquet", "scenario.toml", "README.md", "story.svg", "story.mmd", "test_counterexample.py",
    "step_through.py", "certificate.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_counterexample(story("forgets_dedup"), tmp_path_factory.mktemp("found") / "forgets_dedup")


class Own(HotCold):
    """A design that nobody knows by its name."""

    name = "my_own"


def test_everything_is_there(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == FILES


def test_it_replays_row_by_row(folder: Path) -> None:
    played = replay(ChoiceLog.read(folder / LOG))
    assert played.verdict == "invalid"
    assert played.difference is None


def test_the_verbs_replay_and_explain_take_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(folder)]) == 1
    assert "rows are as they were" in capsys.readouterr().out
    order = next(row.order for row in History.read_parquet(folder / "history.parquet") if row.order)
    assert main(["explain", str(folder), order]) == 0
    assert "posts the order" not in capsys.readouterr().err


def test_its_scenario_fails_by_itself(folder: Path) -> None:
    seed = story("forgets_dedup").case.seed
    scenario = load_scenario(str(folder / "scenario.toml"))
    assert simulate(scenario, MUTANTS["forgets_dedup"], seed).verdict == "invalid"
    assert simulate(scenario, HotCold, seed).verdict == "valid"


def test_its_test_fails_on_the_bug_and_passes_on_the_sound_design(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(folder / "test_counterexample.py")
    monkeypatch.delenv("ORDERQUAKE_DESIGN", raising=False)
    with pytest.raises(AssertionError, match="posted twice"):
        runpy.run_path(path)["test_posted_once_is_kept"]()
    monkeypatch.setenv("ORDERQUAKE_DESIGN", "hot_cold")
    runpy.run_path(path)["test_posted_once_is_kept"]()


def test_its_notebook_runs_and_shows_every_step(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(folder / "step_through.py"))
    said = capsys.readouterr().out
    for step in story("forgets_dedup").told:
        assert step.outcome.split(",")[0] in said


def test_its_page_says_why_and_shows_steps_states_and_sequence(folder: Path) -> None:
    page = (folder / "README.md").read_text(encoding="utf-8")
    for sentence in why(story("forgets_dedup")):
        assert sentence in page
    for part in ("## Steps", "## States", "```mermaid", "story.svg", "orderquake replay forgets_dedup"):
        assert part in page


def test_its_certificate_names_what_was_tried(folder: Path) -> None:
    kept = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))
    assert kept["is_minimal"] is True
    assert {"name", "came_of_it"} == set(kept["tried"][0])
    assert all(tried["came_of_it"] != "fails" for tried in kept["tried"])
    assert any(tried["name"].startswith("without fault") for tried in kept["tried"])


def test_what_is_there_is_not_overwritten(folder: Path) -> None:
    with pytest.raises(OutError):
        write_counterexample(story("forgets_dedup"), folder)
    assert {path.name for path in folder.iterdir()} == FILES


def test_a_design_of_ones_own_is_named_by_its_class() -> None:
    assert name_of(Own) == f"{__name__}:Own"
    assert name_of(HotCold) == "hot_cold"
    assert name_of(MUTANTS["forgets_dedup"]) == "forgets_dedup"
