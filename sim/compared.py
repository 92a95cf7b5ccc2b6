"""Many designs on the same days: every seed is played on each of them, and what is left of a run is a few numbers.

Luck is found by name and by the customer's number, so the same seed is the same crowd, with the same cards and the same
lost letters, whoever serves it. Nothing is printed here, and no number is judged.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orderquake.sim.asked import Asked, OurFault
from orderquake.sim.processes import begin_to_work, cores, quickest, undisturbed
from orderquake.sim.runs import DOUBT_EVERY

if TYPE_CHECKING:
    import pandas as pd

    from orderquake.sim.scenario import Scenario
    from orderquake.sim.study.compare import Difference
    from orderquake.sim.study.intervals import Estimate

PROCESSES = 2
"""At most so many at once."""


@dataclass(frozen=True, slots=True)
class Played:
    """One seed on one design. `measures` may hold NaN; `broken` says of each promise that did not hold why not,
    `statuses` of every promise whether it is valid, invalid or unknown."""

    design: str
    seed: int
    digest: str
    verdict: str
    measures: Mapping[str, float]
    broken: Mapping[str, str]
    notes: tuple[str, ...]
    wall_s: float
    statuses: Mapping[str, str] = field(default_factory=dict)


class PlayFailed(Exception):
    """The harness failed in one run."""

    def __init__(self, design: str, seed: int, line: str, how: str) -> None:
        super().__init__(design, seed, line, how)
        self.design, self.seed, self.line, self.how = design, seed, line, how


@dataclass
class Comparison:
    """Every run, design by design in the order asked for; the first design is the one that others are held against."""

    asked: Mapping[str, Asked]
    seeds: range
    runs: Mapping[str, Sequence[Played]] = field(repr=False)

    @property
    def designs(self) -> list[str]:
        return list(self.runs)

    @property
    def reference(self) -> str:
        return self.designs[0]

    @property
    def scenario(self) -> Scenario:
        return self.asked[self.reference].scenario

    def values(self, design: str, measure: str) -> list[float]:
        """One number a seed, in the order of the seeds."""
        return [run.measures[measure] for run in self.runs[design]]

    def mean(self, design: str, measure: str) -> Estimate | None:
        """Over the runs that can claim it; None where none can."""
        from orderquake.sim.study.intervals import mean_interval

        claimed = [value for value in self.values(design, measure) if value == value]
        return mean_interval(claimed) if claimed else None

    def against(self, design: str, measure: str) -> Difference | None:
        """This design less the reference, seed by seed; None where no seed can claim both."""
        from orderquake.sim.study.compare import difference

        return difference(self.values(design, measure), self.values(self.reference, measure))

    def counts(self, design: str) -> dict[str, int]:
        """Verdict -> how many runs."""
        verdicts = [run.verdict for run in self.runs[design]]
        return {status: verdicts.count(status) for status in ("valid", "unknown", "invalid")}

    def bound(self, design: str) -> str:
        """How often a run of it may be invalid, in words: never a bare zero."""
        from orderquake.sim.study.intervals import share_in_words

        return share_in_words(self.counts(design)["invalid"], len(self.seeds), "runs invalid")

    def broken(self, design: str) -> dict[str, int]:
        """Promise -> in how many runs it was broken."""
        claims = [claim for run in self.runs[design] for claim in run.broken]
        return {claim: claims.count(claim) for claim in dict.fromkeys(claims)}

    def frame(self) -> pd.DataFrame:
        """A row a measure: its unit, each design's mean, and by how much each other one differs from the first, with
        the half-width of the interval of that difference at 95 %. NaN where no run can claim it."""
        import pandas as pd

        from orderquake.sim.study.compare import MEASURES

        rows = {}
        for name, measure in MEASURES.items():
            row: dict[str, Any] = {"unit": measure.unit}
            for design in self.designs:
                mean, apart = self.mean(design, name), self.against(design, name)
                row[design] = float("nan") if mean is None else mean.mean
                if design != self.reference:
                    row[f"{design} - {self.reference}"] = float("nan") if apart is None else apart.mean
                    row[f"{design} ±"] = float("nan") if apart is None else apart.half_width
            rows[name] = row
        return pd.DataFrame.from_dict(rows, orient="index")

    def notes(self, design: str) -> tuple[str, ...]:
        """What else there is to say of its verdicts, each once."""
        return tuple(dict.fromkeys(note for run in self.runs[design] for note in run.notes))


def side_by_side(
    scenario: str, designs: Sequence[str], runs: int = 10, first_seed: int = 1, **settings: str
) -> Comparison:
    """For notebooks: a scenario by its name or path on several designs, the first of which is the reference.

    settings   changes by dotted path, with __ for the dot: `stock__skus="5"`
    raises     ScenarioError, KeyError, OurFault

    >>> side_by_side("last_unit", ["hot_cold"], runs=2, workload__rounds="3").counts("hot_cold")
    {'valid': 2, 'unknown': 0, 'invalid': 0}
    """
    from orderquake.sim.asked import load_all

    words = [f"{path.replace('__', '.')}={value}" for path, value in settings.items()]
    asked = {design: next(iter(load_all([scenario], design, words).values())) for design in designs}
    return compare(asked, range(first_seed, first_seed + runs), lambda _: None)


def compare(
    asked: Mapping[str, Asked], seeds: range, progress: Callable[[int], None], processes: int = PROCESSES
) -> Comparison:
    """Play every seed on every design.

    asked      design -> the scenario as it is to be played on it
    progress   told how many runs are done
    raises     OurFault where the harness failed in one of them
    """
    todo = [(design, seed) for seed in seeds for design in asked]
    found: dict[tuple[str, int], Played] = {}
    scenario = next(iter(asked.values())).scenario
    workers = min(processes, cores(), len(todo))
    played = _in_processes(scenario, todo, workers) if workers > 1 else (_play(scenario, *each) for each in todo)
    try:
        with closing(played):
            for one in played:
                found[one.design, one.seed] = one
                progress(len(found))
    except PlayFailed as error:
        raise OurFault(asked[error.design].failed(error.seed, error.line), error.how) from error
    return Comparison(asked, seeds, {design: [found[design, seed] for seed in seeds] for design in asked})


def _play(scenario: Scenario, design: str, seed: int) -> Played:
    from orderquake.sim.run import simulate
    from orderquake.sim.study.compare import measured

    try:
        run = simulate(scenario, design, seed, is_doubted=seed % DOUBT_EVERY == 0)
        broken = {name: verdict.reason for name, verdict in run.verdicts.items() if verdict.status == "invalid"}
        statuses = {name: verdict.status for name, verdict in run.verdicts.items()}
        numbers = measured(run.history)
        return Played(design, seed, run.digest, run.verdict, numbers, broken, tuple(run.notes), run.wall_s, statuses)
    except Exception as error:
        line = f"{type(error).__name__}: {error}".split("\n")[0]
        raise PlayFailed(design, seed, line, traceback.format_exc()) from error


def _in_processes(scenario: Scenario, todo: Iterable[tuple[str, int]], workers: int) -> Generator[Played, Any, None]:
    pool = ProcessPoolExecutor(workers, quickest(), initializer=begin_to_work)
    try:
        with undisturbed():
            futures = {pool.submit(_play, scenario, *each): each for each in todo}
        for future in as_completed(futures):
            design, seed = futures.pop(future)
            try:
                yield future.result()
            except BrokenProcessPool as error:
                raise PlayFailed(design, seed, "the process that ran it died", "") from error
    except BaseException:  # whoever waits for no more results waits for no more work either
        for worker in list((getattr(pool, "_processes", None) or {}).values()):
            worker.kill()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
