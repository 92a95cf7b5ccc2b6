"""Whoever plays the cells, the results are the same; and a cell that fails, hangs or dies costs only itself."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.sim.asked import Mistake
from orderquake.sim.sweep import cell as cells
from orderquake.sim.sweep import engines
from orderquake.sim.sweep.cell import Finished, Task
from orderquake.sim.sweep.store import Stopped
from orderquake.sim.sweep.swept import Swept
from tests.sweep.days import made, tables

pytestmark = pytest.mark.filterwarnings("ignore:Port 8787")


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    return made(tmp_path_factory.mktemp("serial") / "s")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A scheduler and a worker in this process, heard on the loopback alone."""
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=None
    ) as running:
        yield running


# -- the same, whoever played it


def test_several_processes_find_the_same(serial: Swept, tmp_path: Path) -> None:
    found = made(tmp_path / "l", engine="local", processes=2)
    assert tables(found.folder) == tables(serial.folder)


def test_whoever_is_chosen_finds_the_same(serial: Swept, tmp_path: Path) -> None:
    assert tables(made(tmp_path / "a", engine="auto").folder) == tables(serial.folder)


def test_a_cluster_finds_the_same(serial: Swept, tmp_path: Path, cluster: Any) -> None:
    found = made(tmp_path / "d", engine="dask", scheduler=cluster.scheduler_address)
    assert tables(found.folder) == tables(serial.folder)


def test_the_order_in_which_cells_are_done_leaves_no_trace(
    serial: Swept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "serial", lambda tasks: (cells.play(task) for task in reversed(list(tasks))))
    assert tables(made(tmp_path / "r").folder) == tables(serial.folder)


# -- who is chosen


def tasks(number: int) -> list[Any]:
    return [Task(str(place), None, {}, "hot_cold", range(1), "") for place in range(number)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cell_s", "number", "who"),
    [
        (0.01, 50, "serial"),  # the rest is done in half a second
        (0.1, 50, "local"),
        (30.0, 2, "serial"),  # one cell is left
        (30.0, 3, "local"),
    ],
)
def test_who_plays_is_chosen_by_how_long_a_cell_takes(
    monkeypatch: pytest.MonkeyPatch, cell_s: float, number: int, who: str
) -> None:
    moment = 0.0

    def play(task: Task) -> Finished:
        nonlocal moment
        moment += cell_s
        return Finished(task.identity)

    chosen: list[str] = []

    def engine(name: str) -> Any:
        def played(tasks: Any, *_: Any) -> Iterator[Finished]:
            chosen.append(name)
            return (Finished(task.identity) for task in tasks)

        return played

    monkeypatch.setattr(engines, "play", play)
    monkeypatch.setattr(engines, "timed", lambda rest: timed(rest, lambda: moment))
    for name in ("serial", "local"):
        monkeypatch.setattr(engines, name, engine(name))
    timed = ORIGINAL_TIMED
    found = list(engines.auto(tasks(number), 2, None))
    assert chosen == [who]
    assert sorted(one.identity for one in found) == sorted(str(place) for place in range(number))


ORIGINAL_TIMED = engines.timed


def test_a_first_cell_that_had_to_warm_up_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 0.5, 0.5, 0.51])
    monkeypatch.setattr(engines, "play", lambda task: Finished(task.identity))
    timing = engines.timed(deque(tasks(9)), lambda: next(moments))
    while True:
        try:
            next(timing)
        except StopIteration as stop:
            assert stop.value == pytest.approx(0.01)
            break


# -- cells that fail


class Dies(HotCold):
    """Kills the process it is in."""

    name = "dies"

    def stores(self, opening: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)


class DiesOnce(HotCold):
    """Kills the first process that it is in."""

    name = "dies_once"

    def stores(self, opening: Any) -> Any:
        flag = Path(os.environ["ORDERQUAKE_TEST_FLAG"])
        if not flag.exists():
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().stores(opening)


class Hangs(HotCold):
    """Stands still."""

    name = "hangs"

    def stores(self, opening: Any) -> Any:
        time.sleep(600)


class Errs(HotCold):
    """Breaks a rule of ours."""

    name = "errs"

    def stores(self, opening: Any) -> Any:
        raise AssertionError("a rule of ours is broken\nand more")


ONE: dict[str, Any] = {"vary": {"workload.buyers": [2]}, "runs": 1}


def test_a_cell_whose_process_dies_is_tried_again_and_the_others_are_spared(tmp_path: Path) -> None:
    found = made(tmp_path / "s", on=["hot_cold", Dies], engine="local", processes=2, **ONE)
    good, bad = found.cells
    assert [one.verdict for one in found.of(good)] == ["valid"]
    assert found.failed == {bad.identity: "2 times its process died (killed by signal 9)"}
    assert found.frame()["failed"].tolist()[1] == "2 times its process died (killed by signal 9)"


def test_a_process_that_dies_once_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERQUAKE_TEST_FLAG", str(tmp_path / "flag"))
    found = made(tmp_path / "s", on=["hot_cold", DiesOnce], engine="local", processes=2, **ONE)
    assert (tmp_path / "flag").exists()
    assert found.failed == {}
    assert [[one.verdict for one in found.of(cell)] for cell in found.cells] == [["valid"], ["valid"]]


def test_a_cell_that_hangs_is_ended_and_the_others_are_spared(tmp_path: Path) -> None:
    found = made(tmp_path / "s", on=["hot_cold", Hangs], processes=2, **{**ONE, "engine": "auto", "timeout_s": 3.0})
    good, bad = found.cells
    assert len(found.of(good)) == 1
    assert found.failed == {bad.identity: "it was not done after 3 s, and was ended"}


@pytest.mark.parametrize("engine", ["serial", "local"])
def test_a_cell_that_errs_is_told_with_its_reason(tmp_path: Path, engine: str) -> None:
    found = made(tmp_path / "s", on=["hot_cold", Errs], engine=engine, **ONE)
    assert list(found.failed.values()) == ["AssertionError: a rule of ours is broken"]
    assert len(found.of(found.cells[0])) == 1
    (told,) = (found.folder / "failed").iterdir()
    assert "Traceback" in told.read_text()


def test_a_cell_that_failed_is_tried_by_the_next_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "_read", lambda *_: 1 / 0)
    assert set(made(tmp_path / "s").failed.values()) == {"ZeroDivisionError: division by zero"}
    monkeypatch.undo()
    found = made(tmp_path / "s")
    assert found.failed == {}
    assert list((found.folder / "failed").iterdir()) == []


# -- a cluster that is not there


def test_a_scheduler_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(engines, "ANSWER_S", 1.0)
    with pytest.raises(Mistake, match=r"no scheduler answers at tcp://127.0.0.1:1 .* Begin one: dask scheduler"):
        made(tmp_path / "s", engine="dask", scheduler="tcp://127.0.0.1:1")


def test_a_scheduler_without_workers_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(engines, "WORKER_S", 1.0)
    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=None
        ) as idle,
        pytest.raises(Mistake, match="has no worker after 1 s"),
    ):
        made(tmp_path / "s", engine="dask", scheduler=idle.scheduler_address)


def test_a_scheduler_that_is_lost_on_the_way_costs_no_finished_cell(tmp_path: Path, serial: Swept) -> None:
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=None
    )
    done: list[int] = []

    def close_after_two(number: int) -> None:
        done.append(number)
        if number == 2:
            cluster.close()

    with pytest.raises(Stopped, match=r"was lost with [1-4] cells to go; finished cells are kept"):
        made(tmp_path / "s", engine="dask", scheduler=cluster.scheduler_address, progress=close_after_two)
    assert len(list((tmp_path / "s" / "cells").iterdir())) == done[-1] >= 2
    assert tables(made(tmp_path / "s").folder) == tables(serial.folder), "and it goes on elsewhere"


def test_a_worker_with_other_code_is_refused(tmp_path: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderquake.sim.sweep.question.model_version", lambda: "0123456789abcdef")
    with pytest.raises(Mistake, match="has other code, Python or libraries"):
        made(tmp_path / "s", engine="dask", scheduler=cluster.scheduler_address)


# -- designs that nobody can import


def local_design() -> type[HotCold]:
    class Mine(HotCold):
        """As one types it into a notebook."""

        name = "mine"

    return Mine


def test_a_design_from_a_notebook_goes_to_other_processes_by_value(tmp_path: Path) -> None:
    pytest.importorskip("cloudpickle")
    mine = local_design()
    found = made(tmp_path / "l", on=mine, engine="local", processes=2, **ONE)
    assert found.failed == {}
    assert tables(found.folder) == tables(made(tmp_path / "s", on=mine, **ONE).folder)


def test_without_cloudpickle_it_is_played_here_or_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(cells, "import_module", absent)
    with pytest.raises(Mistake, match=r'cannot import it; expected .* cloudpickle .*, or engine="serial"'):
        made(tmp_path / "l", on=local_design(), engine="local", processes=2, **ONE)
    assert made(tmp_path / "s", on=local_design(), engine="serial", **ONE).failed == {}


# -- a real scheduler, in processes of its own

SCHEDULER = """
import asyncio
from distributed import Scheduler
async def main():
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False, dashboard_address="127.0.0.1:0") as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()
asyncio.run(main())
"""
WORKER = """
import asyncio, sys
from distributed import Nanny
async def main():
    async with Nanny(sys.argv[1], nthreads=1, dashboard=False) as nanny:
        await nanny.finished()
if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("who_dies", ["scheduler", "nobody"])
def test_a_real_scheduler_that_is_killed_costs_no_finished_cell(tmp_path: Path, serial: Swept, who_dies: str) -> None:
    import subprocess
    import sys

    from tests.sweep.days import ROOT

    pytest.importorskip("distributed")
    (tmp_path / "worker.py").write_text(WORKER)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    scheduler = subprocess.Popen([sys.executable, "-c", SCHEDULER], stdout=subprocess.PIPE, text=True, env=env)
    assert scheduler.stdout is not None
    address = scheduler.stdout.readline().strip()
    worker = subprocess.Popen([sys.executable, str(tmp_path / "worker.py"), address], env=env)

    def kill_after_two(number: int) -> None:
        if number == 2 and who_dies == "scheduler":
            scheduler.kill()

    try:
        if who_dies == "nobody":
            found = made(tmp_path / "s", engine="dask", scheduler=address)
        else:
            with pytest.raises(Stopped, match=r"was lost with [1-4] cells to go"):
                made(tmp_path / "s", engine="dask", scheduler=address, progress=kill_after_two)
            assert len(list((tmp_path / "s" / "cells").iterdir())) >= 2
            found = made(tmp_path / "s")
        assert tables(found.folder) == tables(serial.folder)
    finally:
        worker.terminate()
        scheduler.kill()
        worker.wait(20)
        scheduler.wait(20)


@pytest.mark.slow
def test_a_cell_that_kills_every_worker_of_a_cluster_costs_only_itself(tmp_path: Path) -> None:
    """joblib's Dask backend waits for ever here."""
    pytest.importorskip("distributed")
    found = made(tmp_path / "s", on=["hot_cold", Dies], engine="dask", processes=1, **ONE)
    good, bad = found.cells
    assert len(found.of(good)) == 1
    assert found.failed == {bad.identity: "every worker that played it died"}
