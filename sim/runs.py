"""Where runs are kept, and how many are made: folders that are complete or not there, seeds in parallel.

A folder is written beside its place under a name that begins with a dot, and renamed when all is in it.
Nothing is simulated, judged or printed here.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orderquake.sim.processes import begin_to_work, cores, quickest, undisturbed

if TYPE_CHECKING:
    import pandas as pd

    from orderquake.sim.checkers.fold import Verdict
    from orderquake.sim.run import Run
    from orderquake.sim.scenario import Scenario

REPORTS = Path("reports")
"""Under the working directory: `runs/` holds the folders, `latest` points at the newest."""

DOUBT_EVERY = 10
"""Of many seeds, those that this divides are judged three ways, and the harness fails where two of them disagree."""

SERIAL_UNTIL_S = 2.0
"""Below this much expected work a second process costs more than it saves (a measured rule of thumb)."""


class OutError(Exception):
    """A folder that may not be written to. The text says which, and what to do."""


class RunFailed(Exception):
    """The harness failed in one run, perhaps in another process; `seed` plays it again, `how` tells where."""

    def __init__(self, seed: int, line: str, how: str = "") -> None:
        super().__init__(seed, line, how)
        self.seed, self.line, self.how = seed, line, how

    def __str__(self) -> str:
        return self.line


def folder_name(scenario: str, architecture: str, seed: int, runs: int = 1, tag: str = "") -> str:
    """Name of a run's folder; `tag` tells settings apart.

    >>> folder_name("calm_day", "hot_cold", 1), folder_name("calm_day", "hot_cold", 1, runs=200, tag="5e0c31fa")
    ('calm_day-hot_cold-1', 'calm_day-hot_cold-1-x200-5e0c31fa')
    """
    return f"{scenario}-{architecture}-{seed}" + (f"-x{runs}" if runs > 1 else "") + (f"-{tag}" if tag else "")


def check_out(out: Path) -> None:
    """raises   OutError unless `out` is absent or an empty folder"""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise OutError(f"--out {out} is not a folder; expected one that is absent or empty. Choose another name")
    if out.resolve() == Path.cwd():
        raise OutError(f"--out {out} is the working directory; expected a folder of its own. Choose another name")
    if out.is_dir() and any(out.iterdir()):
        raise OutError(f"--out {out} is not empty; expected a folder that is absent or empty. Choose another name")


@contextmanager
def folder(final: Path, *, replace: bool) -> Iterator[Path]:
    """A folder to write into: it takes its place at `final` when the block ends well, and vanishes otherwise.

    replace   an older folder of that name gives way; otherwise it must be absent or empty
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{final.name}.", suffix=".partial", dir=final.parent))
    try:
        beside.chmod(0o755)
        yield beside
        if replace and final.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{final.name}.", suffix=".old", dir=final.parent))
            final.rename(old / final.name)
            beside.rename(final)
            shutil.rmtree(old)
        else:
            check_out(final)
            beside.replace(final)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def point_latest_at(run: Path, reports: Path = REPORTS) -> None:
    """Let `reports/latest` be a link to the run, from one moment to the next."""
    link = reports / f".latest.{os.getpid()}"
    try:
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(run, reports), target_is_directory=True)
        link.replace(reports / "latest")
    except OSError:
        link.unlink(missing_ok=True)  # no links here, or a folder of that name: the path is printed all the same


def find_run(name: str, file: str = "history.parquet", reports: Path = REPORTS) -> Path:
    """The history of a run, or another file, given its folder, the folder's name, "latest", or the file's own path.

    raises   OutError where there is none
    """
    for place in (Path(name), reports / "runs" / name, reports / name):
        if place.is_file():
            return place
        if (place / file).is_file():
            return place / file
        if place.is_dir():
            raise OutError(f"{place} has no {file}; expected the folder of a single run that was kept whole")
    known = sorted(path.name for path in (reports / "runs").glob("[!.]*")) if (reports / "runs").is_dir() else []
    kept = f"there are {', '.join(known[:8])}{', ...' if len(known) > 8 else ''}" if known else "none is kept yet"
    raise OutError(f'no run is kept as "{name}"; {kept}. Make one: orderquake run SCENARIO')


# -- many seeds


@dataclass(frozen=True, slots=True)
class Replication:
    """One run among many: what is left of a `Run` when its history is let go, to come from another process."""

    scenario: Scenario
    architecture: str
    seed: int
    digest: str
    verdict: str
    verdicts: Mapping[str, Verdict]
    wall_s: float
    notes: tuple[str, ...]
    latencies: pd.DataFrame
    drifts: pd.DataFrame
    counts: dict[str, int]

    @classmethod
    def of(cls, run: Run) -> Replication:
        return cls(
            run.scenario, run.architecture, run.seed, run.digest, run.verdict, run.verdicts, run.wall_s,
            tuple(run.notes), run.latency(), run.drift(), run.outcomes(),
        )  # fmt: skip

    def latency(self) -> pd.DataFrame:
        """Step -> n, p50_s, p90_s, p99_s, p999_s."""
        return self.latencies

    def drift(self) -> pd.DataFrame:
        """Drift of the Stock Cache over time, units."""
        return self.drifts

    def outcomes(self) -> dict[str, int]:
        """How the orders ended, counted."""
        return self.counts


def replicate(
    scenario: Scenario,
    on: str,
    seeds: range,
    progress: Callable[[int], None],
    processes: int | None = None,
) -> list[Replication]:
    """One run for each seed, in the order of the seeds, whichever process was first.

    progress    told how many are done
    processes   at most so many at once; as many as there are cores, where it is not said
    raises      RunFailed where the harness failed in one of them
    """
    began = time.perf_counter()
    made = {seeds[0]: _one(scenario, on, seeds[0])}
    progress(1)
    rest = seeds[1:]
    expected_s = (time.perf_counter() - began) * len(rest)
    at_once = processes or cores()
    several = at_once > 1 and len(rest) > 1 and expected_s >= SERIAL_UNTIL_S
    others = _in_processes(scenario, on, rest, at_once) if several else (_one(scenario, on, seed) for seed in rest)
    with closing(others):
        for replication in others:
            made[replication.seed] = replication
            progress(len(made))
    return [made[seed] for seed in seeds]


def _one(scenario: Scenario, on: str, seed: int) -> Replication:
    from orderquake.sim.run import simulate

    try:
        return Replication.of(simulate(scenario, on, seed, is_doubted=seed % DOUBT_EVERY == 0))
    except Exception as error:
        raise RunFailed(seed, f"{type(error).__name__}: {error}".split("\n")[0], traceback.format_exc()) from error


def _in_processes(scenario: Scenario, on: str, seeds: range, at_once: int) -> Generator[Replication, None, None]:
    pool = ProcessPoolExecutor(min(at_once, len(seeds)), quickest(), initializer=begin_to_work)
    try:
        with undisturbed():  # a process that was begun and not yet written down would outlive us
            futures = {pool.submit(_one, scenario, on, seed): seed for seed in seeds}
        for future in as_completed(futures):
            try:
                # It came with a scenario of its own; a thousand of them would be most of what is kept.
                yield replace(future.result(), scenario=scenario)
            except BrokenProcessPool as error:
                raise RunFailed(futures[future], "the process that ran it died") from error
            del futures[future]
    except BaseException:  # whoever waits for no more results waits for no more work either
        for worker in list((getattr(pool, "_processes", None) or {}).values()):
            worker.kill()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
