"""A sweep that is killed goes on where it was: nothing is lost, nothing is doubled, and nobody can tell."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from orderquake.sim.sweep.store import CELLS
from tests.sweep.days import begun, made, tables

PROGRAM = """
import sys
from pathlib import Path
from tests.sweep.days import made
from tests.sweep.test_kill import varied
made(Path(sys.argv[1]), vary=varied(int(sys.argv[2])), runs=1, engine=sys.argv[3], processes=2)
"""

HANGING = """
import sys
from pathlib import Path
from tests.sweep.days import made
from tests.sweep.test_engines import Hangs
made(Path(sys.argv[1]), on=Hangs, engine="local", processes=2)
"""


def varied(cells: int) -> dict[str, list[object]]:
    """So many cells; all that differs is how long a reservation lasts, and how many want the unit."""
    return {"policy.reservation_ttl": [f"{1 + number} s" for number in range(cells // 2)], "workload.buyers": [1, 2]}


def kept(folder: Path) -> list[Path]:
    return sorted((folder / CELLS).glob("*.parquet")) if folder.exists() else []


def killed(folder: Path, cells: int, engine: str, after: int) -> int:
    """Begin the sweep, kill it once so many cells are there; how many there were then."""
    process = begun(PROGRAM, str(folder), str(cells), engine)
    until = time.monotonic() + 120
    while len(kept(folder)) < after and process.poll() is None:
        assert time.monotonic() < until, "nothing is done"
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stderr is not None
    told = process.stderr.read()
    assert process.returncode == -signal.SIGKILL, told.decode()
    return len(kept(folder))


def survives_three_kills(tmp_path: Path, cells: int, engine: str, seed: int) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    made(whole, vary=varied(cells), runs=1)
    moments = sorted(random.Random(seed).sample(range(1, cells - cells // 10), 3))
    seen: dict[str, int] = {}
    for moment in moments:
        assert killed(broken, cells, engine, moment) >= moment
        assert not (broken / "sweep.parquet").exists(), "it was over before it was killed"
        for path in kept(broken):
            assert seen.setdefault(path.name, path.stat().st_mtime_ns) == path.stat().st_mtime_ns, "a cell came twice"
    made(broken, vary=varied(cells), runs=1)
    assert tables(broken) == tables(whole)
    assert [path.read_bytes() for path in kept(broken)] == [path.read_bytes() for path in kept(whole)]
    assert len(kept(broken)) == cells
    for path in kept(broken):
        assert seen.get(path.name, path.stat().st_mtime_ns) == path.stat().st_mtime_ns, "a cell came twice"
    assert not list(broken.rglob("*.partial")), "what was being written is taken away"


def test_forty_cells_killed_three_times_equal_an_uninterrupted_sweep(tmp_path: Path) -> None:
    survives_three_kills(tmp_path, 40, "serial", seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["serial", "local"])
def test_two_hundred_cells_killed_three_times_equal_an_uninterrupted_sweep(tmp_path: Path, engine: str) -> None:
    survives_three_kills(tmp_path, 200, engine, seed=2)


def test_processes_end_with_a_sweep_that_was_killed(tmp_path: Path) -> None:
    """Even in the middle of a cell that takes for ever."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("there is no /proc here")
    process = begun(HANGING, str(tmp_path / "s"))
    until = time.monotonic() + 120
    while not (workers := children(process.pid)):
        assert process.poll() is None
        assert time.monotonic() < until, "nobody is at work"
        time.sleep(0.05)
    time.sleep(1.0)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    until = time.monotonic() + 20
    while any(map(is_running, workers)):
        assert time.monotonic() < until, "a process is left behind"
        time.sleep(0.1)


def children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            rest = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(rest[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
