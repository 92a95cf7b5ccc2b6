"""The folder of a sweep: what it refuses, what it survives, what lies in it."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from orderquake.sim.runs import OutError
from orderquake.sim.study.compare import measured
from orderquake.sim.study.intervals import mean_interval, share_interval
from orderquake.sim.sweep import cell as cells
from orderquake.sim.sweep import door
from orderquake.sim.sweep.store import Stopped
from orderquake.sim.sweep.swept import Swept
from tests.sweep.days import SMALL, VARIED, made, tables


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    return made(tmp_path_factory.mktemp("swept") / "s")


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the cells that are played, in their order."""
    found: list[str] = []
    play = cells.play

    def noted(task: Any) -> Any:
        found.append(task.identity)
        return play(task)

    monkeypatch.setattr("orderquake.sim.sweep.engines.play", noted)
    return found


# -- what is in it


def test_a_cell_is_a_file_named_after_it(swept: Swept) -> None:
    names = {path.name for path in (swept.folder / "cells").iterdir()}
    assert names == {f"{cell.identity}.parquet" for cell in swept.cells}
    about = json.loads(pq.read_schema(swept.store.path_of(swept.cells[3].identity)).metadata[b"orderquake"])
    assert about == {
        "identity": swept.cells[3].identity,
        "on": "hot_cold",
        "seeds": [1, 3],
        "settings": {"policy.reservation_ttl": "2 min", "workload.buyers": 1},
    }


def test_a_run_of_a_cell_is_the_run_that_its_command_plays(swept: Swept) -> None:
    from orderquake.sim.run import simulate
    from orderquake.sim.scenario_file import load_scenario
    from orderquake.sim.settings import read_settings, with_settings

    cell = swept.cells[5]
    command = swept.question.again(cell, 2)
    assert command.startswith("orderquake run last_unit --on hot_cold --seed 2 --set ")
    import shlex

    said = [word for word in shlex.split(command) if "=" in word]
    run = simulate(with_settings(load_scenario("last_unit"), read_settings(said)), "hot_cold", 2)
    assert swept.of(cell)[1].digest == run.digest
    assert {**measured(run.history), "refunded": 2 / 3} == pytest.approx(swept.of(cell)[1].measures, nan_ok=True)


def test_the_table_has_a_row_a_cell_and_units_in_its_names(swept: Swept) -> None:
    frame = swept.frame()
    assert frame["policy.reservation_ttl_s"].tolist() == [2.0] * 3 + [120.0] * 3
    assert frame["workload.buyers"].tolist() == [1, 2, 3] * 2
    runs = swept.of(swept.cells[2])
    mean = mean_interval([one.measures["refunded"] for one in runs])
    row = frame.iloc[2]
    assert (row["refunded_share"], row["refunded_share_half_width"]) == (mean.mean, mean.half_width)
    assert (row["oversells_runs"], row["oversells_high"]) == (0, share_interval(0, 2).high)
    for name in ("checkout_p50_s", "drift_units", "messages_per_order", "unrefunded_pence", "fulfilled_orders"):
        assert name in frame
    written = pd.read_csv(swept.folder / "sweep.csv")
    assert list(written.columns) == list(frame.columns)
    assert written["refunded_share"].tolist() == frame["refunded_share"].tolist()
    assert len(swept.runs()) == 12
    assert swept.runs()["digest"].tolist() == [one.digest for cell in swept.cells for one in swept.of(cell)]


def test_what_cannot_be_claimed_is_empty(swept: Swept) -> None:
    assert swept.frame()["checkout_p999_s"].isna().all()
    assert (swept.frame()["checkout_p999_s_runs"] == 0).all()


# -- going on


def test_a_sweep_that_is_done_plays_nothing_again(tmp_path: Path, played: list[str]) -> None:
    first = made(tmp_path / "s")
    assert played == [cell.identity for cell in first.cells]
    before = tables(first.folder)
    played.clear()
    assert tables(made(tmp_path / "s").folder) == before
    assert played == []


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"garbage" * 100])
def test_a_file_that_was_damaged_is_played_again(tmp_path: Path, played: list[str], damage: bytes) -> None:
    first = made(tmp_path / "s")
    before = tables(first.folder)
    first.store.path_of(first.cells[1].identity).write_bytes(damage)
    played.clear()
    assert tables(made(tmp_path / "s").folder) == before
    assert played == [first.cells[1].identity]


def test_a_file_under_another_cells_name_is_not_believed(tmp_path: Path, played: list[str]) -> None:
    first = made(tmp_path / "s")
    before = tables(first.folder)
    one, other = (first.store.path_of(cell.identity) for cell in first.cells[:2])
    other.write_bytes(one.read_bytes())
    played.clear()
    assert tables(made(tmp_path / "s").folder) == before
    assert played == [first.cells[1].identity]


def test_cells_of_other_code_are_left_aside(tmp_path: Path, played: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("question", "cell"):
        monkeypatch.setattr(f"orderquake.sim.sweep.{name}.model_version", lambda: "an older one")
    made(tmp_path / "s")
    monkeypatch.undo()
    found = made(tmp_path / "s")
    assert found.others == 6
    assert len(found.readings) == 6


def test_what_a_killed_process_was_writing_is_taken_away(tmp_path: Path) -> None:
    first = made(tmp_path / "s")
    dead = first.folder / "cells" / ".0123.parquet.99999999.partial"
    dead.write_bytes(b"half")
    alive = first.folder / "cells" / f".0123.parquet.{os.getppid()}.partial"
    alive.write_bytes(b"somebody is at it")
    made(tmp_path / "s")
    assert not dead.exists()
    assert alive.exists()


# -- folders that are somebody else's


def test_a_folder_of_another_sweep_is_refused_with_what_differs(tmp_path: Path) -> None:
    first = made(tmp_path / "s")
    before = tables(first.folder)
    with pytest.raises(OutError, match=r"belongs to another sweep \(axes, points, runs\)"):
        made(tmp_path / "s", vary={"workload.buyers": [1]}, runs=3)
    assert tables(first.folder) == before


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "note").touch()
    with pytest.raises(OutError, match="holds no sweep"):
        made(tmp_path / "s")
    (tmp_path / "file").touch()
    with pytest.raises(OutError, match="is not a folder"):
        made(tmp_path / "file")


def test_a_folder_whose_making_was_cut_short_is_taken(tmp_path: Path) -> None:
    (tmp_path / "s" / "cells").mkdir(parents=True)
    (tmp_path / "s" / ".sweep.json.99999999.partial").write_bytes(b"{")
    assert len(made(tmp_path / "s").readings) == 6


# -- a disk that is full


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_and_costs_no_finished_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    write = Path.write_bytes
    written: list[str] = []

    def full(path: Path, data: bytes) -> int:
        if path.name.endswith(".partial") and "parquet" in path.name and len(written) == 3:
            write(path, data[:100])
            raise OSError(code, os.strerror(code), str(path))
        written.append(path.name) if "parquet" in path.name else None
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(
        Stopped, match=r"no room left at .*; finished cells are kept. Then make room, and give the same"
    ):
        made(tmp_path / "s")
    monkeypatch.undo()
    assert len(list((tmp_path / "s" / "cells").iterdir())) == 3
    assert tables(made(tmp_path / "s").folder) == tables(made(tmp_path / "whole").folder)


def test_a_real_file_that_may_not_grow_is_told(tmp_path: Path) -> None:
    """The system's own limit on the size of a file, in a process of its own."""
    from tests.sweep.days import begun

    program = (
        "import resource, signal, sys; from pathlib import Path; from tests.sweep.days import made; "
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)); "
        "made(Path(sys.argv[1]))"
    )
    process = begun(program, str(tmp_path / "s"))
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert b"there is no room left at" in told
    assert not list((tmp_path / "s").rglob("*.partial"))


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "s")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(Stopped, match=r"s cannot be written \(Permission denied\)"):
        made(tmp_path / "s")


def test_without_a_name_the_folder_is_named_after_the_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, played: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    vary = {"workload.buyers": VARIED["workload.buyers"]}
    found = door.sweep("last_unit", vary, settings=SMALL, runs=1, engine="serial")
    assert found.folder.parent == Path("reports/runs")
    assert found.folder.name.startswith("last_unit-sweep-")
    played.clear()
    door.sweep("last_unit", vary, settings=SMALL, runs=1, engine="serial")
    assert played == []
