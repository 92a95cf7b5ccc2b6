"""Runs that a plan asks for: played once, in several processes where there are cores, and kept for whoever asks again.

A run is kept in a file of its own, named by everything that could change it: scenario, design, seed, promises, and the
code itself. Files appear whole or not at all, so that a plan which is killed goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orderquake.sim.asked import OurFault
from orderquake.sim.explore.campaign_store import code_fingerprint
from orderquake.sim.planning.promise import Promise, Seen
from orderquake.sim.processes import begin_to_work, cores, quickest, undisturbed
from orderquake.sim.runs import DOUBT_EVERY
from orderquake.sim.scenario import Scenario, canonical_json

PROCESSES = 2
"""At most so many at once."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One run. seen: what it saw of each promise, in their order; orders: those that customers sent."""

    seed: int
    digest: str
    verdict: str
    broken: tuple[str, ...]
    notes: tuple[str, ...]
    orders: int
    seen: tuple[Seen, ...]
    wall_s: float

    def as_record(self) -> dict[str, Any]:
        """Plain JSON; a number that is not claimed is null."""
        return {
            "seed": self.seed,
            "digest": self.digest,
            "verdict": self.verdict,
            "broken": list(self.broken),
            "notes": list(self.notes),
            "orders": self.orders,
            "seen": [[one.hits, one.among, None if one.value != one.value else one.value] for one in self.seen],
            "wall_s": self.wall_s,
        }

    @classmethod
    def of_record(cls, record: Any) -> Probe:
        """raises   KeyError, TypeError or ValueError where the record is something else"""
        seen = tuple(
            Seen(int(hits), int(among), float("nan") if value is None else float(value))
            for hits, among, value in record["seen"]
        )
        return cls(
            int(record["seed"]), record["digest"], record["verdict"], tuple(record["broken"]), tuple(record["notes"]),
            int(record["orders"]), seen, float(record["wall_s"]),
        )  # fmt: skip


def play(scenario: Scenario, on: str, seed: int, promises: Sequence[Promise]) -> Probe:
    """One run, and what it saw of each promise."""
    from orderquake.sim.run import simulate

    run = simulate(scenario, on, seed, is_doubted=seed % DOUBT_EVERY == 0)
    broken = tuple(name for name, verdict in run.verdicts.items() if verdict.status == "invalid")
    seen = tuple(promise.seen(run) for promise in promises)
    return Probe(seed, run.digest, run.verdict, broken, run.notes, run.outcomes()["submitted"], seen, run.wall_s)


@dataclass
class Probes:
    """Where runs come from: the folder, or else a process.

    folder      where they are kept; nowhere where it is None
    played      told after each new run
    """

    on: str
    promises: Sequence[Promise]
    folder: Path | None
    played: Callable[[int], None] = lambda _: None
    processes: int = PROCESSES
    new: int = 0
    found: int = 0
    _pool: ProcessPoolExecutor | None = None
    _code: str = field(default_factory=code_fingerprint)

    def at(self, scenario: Scenario, seeds: Sequence[int], failed: Callable[[int, str], str]) -> list[Probe]:
        """A probe for each seed, in the order of the seeds.

        failed   tells in a line how a run that failed is played again
        raises   OurFault where the harness failed in one of them
        """
        text = canonical_json(scenario)
        made: dict[int, Probe] = {}
        for seed in seeds:
            if (kept := self._kept(text, seed)) is not None:
                made[seed] = kept
                self.found += 1
        missing = [seed for seed in seeds if seed not in made]
        for probe in self._play(scenario, missing, failed):
            made[probe.seed] = probe
            self._keep(text, probe)
            self.new += 1
            self.played(self.new)
        return [made[seed] for seed in seeds]

    def _play(self, scenario: Scenario, seeds: Sequence[int], failed: Callable[[int, str], str]) -> Iterator[Probe]:
        if min(self.processes, cores()) < 2 or (len(seeds) < 2 and self._pool is None):
            for seed in seeds:
                try:
                    yield play(scenario, self.on, seed, self.promises)
                except Exception as error:
                    raise _fault(failed, seed, error) from error
            return
        with undisturbed():
            pool = self._started()
            futures = {pool.submit(play, scenario, self.on, seed, self.promises): seed for seed in seeds}
        for future in as_completed(futures):
            seed = futures.pop(future)
            try:
                yield future.result()
            except BrokenProcessPool as error:
                raise OurFault(failed(seed, "the process that ran it died"), "") from error
            except Exception as error:
                raise _fault(failed, seed, error) from error

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(min(self.processes, cores()), quickest(), initializer=begin_to_work)
        return self._pool

    def close(self, *, is_needed: bool) -> None:
        """Let the processes go; at once where nobody waits for what they are at."""
        if self._pool is None:
            return
        if not is_needed:
            for worker in list((getattr(self._pool, "_processes", None) or {}).values()):
                worker.kill()
        self._pool.shutdown(wait=is_needed, cancel_futures=True)
        self._pool = None

    # -- kept

    def _path(self, scenario: str, seed: int) -> Path:
        assert self.folder is not None
        words = [self._code, self.on, scenario, str(seed), *(repr(promise) for promise in self.promises)]
        return self.folder / f"{hashlib.sha256(json.dumps(words).encode()).hexdigest()[:32]}.json"

    def _kept(self, scenario: str, seed: int) -> Probe | None:
        if self.folder is None:
            return None
        try:
            return Probe.of_record(json.loads(self._path(scenario, seed).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None  # not there, or not whole: it is played

    def _keep(self, scenario: str, probe: Probe) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(scenario, probe.seed)
        beside = path.with_suffix(f".{os.getpid()}.partial")
        beside.write_text(json.dumps(probe.as_record(), allow_nan=False), encoding="utf-8")
        beside.replace(path)


def _fault(failed: Callable[[int, str], str], seed: int, error: Exception) -> OurFault:
    line = f"{type(error).__name__}: {error}".split("\n")[0]
    return OurFault(failed(seed, line), "".join(traceback.format_exception(error)))


@contextmanager
def probes_of(probes: Probes) -> Iterator[Probes]:
    """Probes whose processes end with the block."""
    try:
        yield probes
    except BaseException:
        probes.close(is_needed=False)
        raise
    probes.close(is_needed=True)
