"""The claims, played: each day on each design, and what became of every claim.

Days are played as `compare` plays them, so every cell can be played again alone. Nothing is printed here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from orderquake.sim.asked import Asked, check_design, load_all
from orderquake.sim.compared import Comparison, compare
from orderquake.sim.study.claims import CLAIMS, DAYS, DESIGNS, WORST, Claim, FewerThan, Found, Number, Promises, Test

if TYPE_CHECKING:
    from orderquake.sim.study.intervals import Estimate


class Result(NamedTuple):
    """What one test says of one design. value is None where nothing is counted, half_width where one run is all."""

    found: Found
    told: str
    value: float | None = None
    half_width: float | None = None


class Cell(NamedTuple):
    """What became of a claim on one design."""

    found: Found
    results: tuple[Result, ...]


@dataclass
class Claimed:
    """Every day's comparison, and from it every claim's cells."""

    seeds: range
    designs: Sequence[str]
    days: Mapping[str, Comparison] = field(repr=False)

    def cell(self, claim: Claim, design: str) -> Cell:
        """The worst of a claim's tests is what became of it."""
        day = self.days[claim.day]
        results = tuple(_tested(day, test, design) for test in claim.tests)
        found = next(each for each in WORST if any(result.found == each for result in results))
        return Cell(found, results)

    def cells(self) -> dict[str, dict[str, Cell]]:
        """Claim -> design -> what became of it there."""
        return {claim.name: {design: self.cell(claim, design) for design in self.designs} for claim in CLAIMS}

    def asked(self, day: str, design: str) -> Asked:
        return self.days[day].asked[design]


def play(
    runs: int, progress: Callable[[int], None], designs: Sequence[str] = DESIGNS, processes: int = 2, seed: int = 1
) -> Claimed:
    """Play every day that some claim needs on every design. raises   OurFault where the harness failed"""
    for design in designs:
        check_design(design)
    seeds = range(seed, seed + runs)
    made: dict[str, Comparison] = {}
    needed = [name for name in DAYS if any(claim.day == name for claim in CLAIMS)]
    for done, name in enumerate(needed):
        day, each = DAYS[name], runs * len(designs)
        asked = {design: next(iter(load_all([day.scenario], design, day.settings).values())) for design in designs}
        made[name] = compare(asked, seeds, lambda now, before=done * each: progress(before + now), processes)  # type: ignore[misc]
    return Claimed(seeds, designs, made)


def total(runs: int, designs: Sequence[str] = DESIGNS) -> int:
    """How many runs that are."""
    return runs * len(designs) * len(DAYS)


def _tested(day: Comparison, test: Test, design: str) -> Result:
    match test:
        case Promises(names):
            return _promised(day, names, design)
        case Number(measure, side, limit, _):
            return _measured(day.mean(design, measure), measure, side, limit)
        case FewerThan(measure, other):
            return _fewer(day, measure, design, other)


def _promised(day: Comparison, names: Sequence[str], design: str) -> Result:
    from orderquake.sim.study.intervals import share_in_words

    runs = day.runs[design]
    broken = [run for run in runs if any(run.statuses[name] == "invalid" for name in names)]
    if broken:
        which = [name for name in names if any(run.statuses[name] == "invalid" for run in broken)]
        return Result("fails", f"{', '.join(which)}: broken in {len(broken)} of {len(runs)} runs")
    silent = [name for name in names if all(run.statuses[name] == "unknown" for run in runs)]
    if silent:
        return Result("undecided", f"{', '.join(silent)}: not exercised, or not decided")
    return Result("holds", share_in_words(0, len(runs), "runs broken"))


def _measured(mean: Estimate | None, measure: str, side: str, limit: float) -> Result:
    from orderquake.sim.report.compare import in_words, mean_in_words
    from orderquake.sim.study.compare import MEASURES

    unit = MEASURES[measure].unit
    if mean is None:
        return Result("undecided", "too few values to say")
    sign = 1 if side == "at most" else -1
    far, room = sign * (mean.mean - limit), mean.half_width if math.isfinite(mean.half_width) else math.inf
    found: Found = "holds" if far + room <= 0 else "fails" if far - room > 0 else "undecided"
    told = f"{measure.replace('_', ' ')} {mean_in_words(mean, unit)}, {side} {in_words(limit, unit)}"
    return Result(found, told, mean.mean, mean.half_width if math.isfinite(room) else None)


def _fewer(day: Comparison, measure: str, design: str, other: str) -> Result:
    from orderquake.sim.report.compare import difference_in_words, in_words
    from orderquake.sim.study.compare import MEASURES, difference

    unit, mean = MEASURES[measure].unit, day.mean(design, measure)
    if design == other or other not in day.runs or mean is None:
        return Result("undecided", "" if mean is None else f"{in_words(mean.mean, unit)}: what others are held against")
    apart = difference(day.values(design, measure), day.values(other, measure))
    if apart is None:
        return Result("undecided", "too few values to say")
    found: Found = "undecided" if not apart.is_clear else "holds" if apart.mean < 0 else "fails"
    told = f"{in_words(mean.mean, unit)}, from {other} {difference_in_words(apart, unit)}"
    return Result(found, told, apart.mean, apart.half_width if math.isfinite(apart.half_width) else None)
