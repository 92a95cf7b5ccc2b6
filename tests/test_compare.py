"""`compare`: designs side by side on the same days; what is printed, what is written, and how it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orderquake.model.architectures import ARCHITECTURES
from orderquake.sim import run
from orderquake.sim.asked import load_all
from orderquake.sim.cli import main
from orderquake.sim.compared import Comparison, compare
from orderquake.sim.run import simulate

TINY = """
schema_version = 1
question = "A small day on which the record is away for a while."
horizon = "4 min"
must_exercise = ["charged_once", "every_order_ends"]

[workload]
kind = "poisson"
rate_per_s = 0.5

[stock]
skus = 5
units_per_sku = 12

[[fault]]
kind = "down"
target = "record"
from = "1 min"
for = "1 min"
"""


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("day") / "tiny.toml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(day: Path) -> Comparison:
    asked = {name: load_all([str(day)], name)["tiny"] for name in ("hot_cold", "central", "orchestrated")}
    return compare(asked, range(1, 5), lambda _: None, processes=1)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_design_plays_each_seed_as_it_would_alone(made: Comparison, day: Path) -> None:
    for design, runs in made.runs.items():
        assert [played.seed for played in runs] == [1, 2, 3, 4]
        assert runs[1].digest == simulate(day, on=design, seed=2).digest


def test_two_processes_find_the_same(made: Comparison) -> None:
    again = compare(made.asked, made.seeds, lambda _: None, processes=2)
    assert {design: [run.digest for run in runs] for design, runs in again.runs.items()} == {
        design: [run.digest for run in runs] for design, runs in made.runs.items()
    }


def test_the_same_customers_come_to_every_design(made: Comparison, day: Path) -> None:
    def arrivals(design: str) -> set[tuple[int, str]]:
        rows = simulate(day, on=design, seed=3).history
        return {(row.time, row.key) for row in rows if row.operation == "submit" and row.kind == "invoke"}

    first = [min(time for time, key in arrivals(design) if key == "s7") for design in made.designs]
    assert len(set(first)) == 1


def test_central_serves_nobody_while_the_record_is_away(made: Comparison) -> None:
    found = made.against("central", "registered_while_away")
    assert found is not None
    assert (found.mean, found.lower, found.is_clear) == (-1.0, 4, True)
    assert made.mean("hot_cold", "decided_while_away").mean > 0.8  # type: ignore[union-attr]


def test_only_a_workflow_has_a_bill(made: Comparison) -> None:
    bills = {design: made.mean(design, "transitions").mean for design in made.designs}  # type: ignore[union-attr]
    assert bills["hot_cold"] == bills["central"] == 0.0
    assert 5 < bills["orchestrated"] < 15


def test_the_page_and_the_numbers_are_written(here: Path, day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare", str(day), "--on", "hot_cold,central", "--runs", "3", "--out", "both"]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "registered while away, share" in text
    assert "report: both/index.html" in text
    page = (here / "both" / "index.html").read_text(encoding="utf-8")
    assert "paired differences from hot_cold" in page
    assert "http" not in page.replace("http-equiv", "")
    numbers = json.loads((here / "both" / "results.json").read_text(encoding="utf-8"))
    assert [design["name"] for design in numbers["designs"]] == ["hot_cold", "central"]
    assert sorted(path.name for path in (here / "both").iterdir()) == ["index.html", "results.json"]


def test_json_is_one_object(here: Path, day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(day), "--on", "hot_cold,reserve_in_record", "--runs", "2", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (found["scenario"], found["reference"], found["runs"]) == ("tiny", "hot_cold", 2)
    ours = found["designs"][1]
    assert ours["against_reference"]["decision_p50"]["pairs"] == 2
    assert ours["verdicts"].keys() == {"valid", "unknown", "invalid"}
    assert (here / found["report"]).exists()


def test_quiet_is_a_line_a_design(here: Path, day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(day), "--runs", "1", "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(ARCHITECTURES)


def test_verdicts_do_not_decide_how_it_leaves(here: Path, day: Path) -> None:
    assert main(["compare", str(day), "--on", "orchestrated,hot_cold", "--runs", "2", "--quiet"]) == 0


@pytest.mark.parametrize(
    ("on", "says"),
    [
        ("hot_cold", "names one design"),
        ("hot_cold,hot_cold", "names a design twice"),
        ("hot_cold,centrl", 'did you mean "central"?'),
    ],
)
def test_a_mistake_in_the_designs_is_told(day: Path, capsys: pytest.CaptureFixture[str], on: str, says: str) -> None:
    assert main(["compare", str(day), "--on", on]) == 3
    assert says in capsys.readouterr().err


def test_a_folder_that_is_not_empty_is_refused(here: Path, day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "full").mkdir()
    (here / "full" / "note").touch()
    assert main(["compare", str(day), "--out", "full"]) == 3
    assert "not empty" in capsys.readouterr().err


def test_a_fault_of_ours_is_told_with_the_command_that_plays_it_again(
    here: Path, day: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*arguments: Any, **options: Any) -> None:
        raise AssertionError("a rule of ours")

    monkeypatch.setattr(run, "simulate", fails)
    assert main(["compare", str(day), "--on", "hot_cold,central", "--runs", "2"]) == 4
    told = capsys.readouterr().err
    assert "a rule of ours" in told
    assert "--on hot_cold --seed 1" in told or "--on central --seed 1" in told, "whichever of the two fails first"
    assert not (here / "reports").exists()
