"""Importance splitting with fixed effort: the way to a rare event in stages, each of which is not rare.

A stage starts the same number of runs from where runs of the stage before reached its level, with luck of their own
from there on, and counts how many reach the next. The product of the shares is an unbiased estimate of the chance to
get all the way, whatever the levels are. How sure it is comes from repeating all of it with other luck.
source   Garvels, "The splitting method in rare event simulation" (2000); L'Ecuyer, Le Gland, Lezaud and Tuffin (2009)
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np

from orderquake.sim.rare.paths import Path, Subject, walk
from orderquake.sim.study.intervals import mean_interval, zero_bound

FEWEST = 20
"""Repetitions without which nobody knows how sure the result is."""


class BadLevels(ValueError):
    """Levels that lead nowhere. The text says what was found, and what is expected."""


class Repetition(NamedTuple):
    """One estimate.

    chance   the product of the shares
    shares   by stage: of the runs that were started, those that reached its level; ends with the first zero
    runs     started in all, and `events`, played in them
    cpu_s    of one core
    arrived  a path that got all the way, None where none did
    """

    chance: float
    shares: tuple[float, ...]
    runs: int
    events: int
    cpu_s: float
    arrived: Path | None


@dataclass(frozen=True)
class Estimate:
    """A small chance, and how sure it is.

    chance           mean of the repetitions, each of which is unbiased
    low, high        95 % interval of Student's over them; where none arrived, up to a bound of crude counting
    relative_error   standard error over the mean; infinite where none arrived
    levels, effort   as asked for: scores, and runs a stage
    cpu_s            of one core, the pilot's apart
    """

    chance: float
    low: float
    high: float
    relative_error: float
    levels: tuple[float, ...]
    effort: int
    repetitions: tuple[Repetition, ...] = field(repr=False)

    @property
    def runs(self) -> int:
        return sum(each.runs for each in self.repetitions)

    @property
    def cpu_s(self) -> float:
        return sum(each.cpu_s for each in self.repetitions)

    @property
    def fewest(self) -> int:
        """The fewest runs that got through any stage of any repetition. Where it is below ten, chances are that lines
        were lost that matter: the mean is then most often too low, and its interval too narrow."""
        return min(round(share * self.effort) for each in self.repetitions for share in each.shares)

    @property
    def arrived(self) -> Path | None:
        """A run in which it happens; play it, judge it, tell it."""
        return next((each.arrived for each in self.repetitions if each.arrived is not None), None)

    def shares(self) -> list[float]:
        """By stage, on average over the repetitions that came so far."""
        stages = range(len(self.levels))
        found = ([each.shares[stage] for each in self.repetitions if len(each.shares) > stage] for stage in stages)
        return [float(np.mean(some)) if some else 0.0 for some in found]

    def as_record(self) -> dict[str, Any]:
        arrived = self.arrived
        return {
            "chance": self.chance,
            "low": self.low,
            "high": self.high,
            "relative_error": self.relative_error if math.isfinite(self.relative_error) else None,
            "repetitions": len(self.repetitions),
            "effort": self.effort,
            "levels": list(self.levels),
            "shares": self.shares(),
            "runs": self.runs,
            "fewest": self.fewest,
            "events": sum(each.events for each in self.repetitions),
            "cpu_s": round(self.cpu_s, 2),
            "path": None
            if arrived is None
            else {"root": arrived.root, "turns": [list(turn) for turn in arrived.turns]},
        }


def estimate(
    subject: Subject,
    levels: Sequence[float],
    effort: int,
    repetitions: int = FEWEST,
    seed: int = 1,
    processes: int = 1,
    told: Callable[[int], None] | None = None,
) -> Estimate:
    """The chance that a run's score gets to the last level.

    levels       increasing scores; chosen before anything is looked at here
    effort       runs a stage
    repetitions  of the whole, with other luck each; at least 20
    told         told how many repetitions are done
    raises       BadLevels where they do not increase, ValueError where too few runs are asked for
    """
    if not levels or any(b <= a for a, b in pairwise(levels)):
        raise BadLevels(f"levels are {list(levels)}; expected at least one, each above the one before")
    if effort < 2 or repetitions < FEWEST:
        raise ValueError(
            f"effort is {effort} and repetitions are {repetitions}; expected at least 2, and at least {FEWEST}"
        )
    made = list(_repeated(subject, tuple(levels), effort, repetitions, seed, processes, told))
    mean, wide, _ = mean_interval([each.chance for each in made])
    if not mean:
        # A run from the start that arrives is found by the stages, too; so the first stage's runs count as crude ones.
        return Estimate(0.0, 0.0, zero_bound(effort * repetitions), math.inf, tuple(levels), effort, tuple(made))
    error = float(np.std([each.chance for each in made], ddof=1)) / math.sqrt(len(made)) / mean
    return Estimate(mean, max(0.0, mean - wide), min(1.0, mean + wide), error, tuple(levels), effort, tuple(made))


def _repeated(
    subject: Subject,
    levels: tuple[float, ...],
    effort: int,
    repetitions: int,
    seed: int,
    processes: int,
    told: Callable[[int], None] | None,
) -> Iterator[Repetition]:
    names = [f"{seed}/split/{number}" for number in range(repetitions)]
    if processes == 1:
        for done, name in enumerate(names, start=1):
            yield repeated_once(subject, levels, effort, name)
            if told is not None:
                told(done)
        return
    # A subject may be any function, which only a fork takes along.
    with ProcessPoolExecutor(processes, mp_context=get_context("fork"), initializer=_take, initargs=(subject,)) as pool:
        asked = [pool.submit(_in_the_pool, levels, effort, name) for name in names]
        for done, _ in enumerate(as_completed(asked), start=1):
            if told is not None:
                told(done)
        yield from (future.result() for future in asked)


_taken: list[Subject] = []


def _take(subject: Subject) -> None:
    _taken[:] = [subject]


def _in_the_pool(levels: tuple[float, ...], effort: int, name: str) -> Repetition:
    return repeated_once(_taken[0], levels, effort, name)


def repeated_once(subject: Subject, levels: Sequence[float], effort: int, name: str) -> Repetition:
    """One estimate; `name` is its luck."""
    began = time.process_time()
    starts = [Path(f"{name}/{number}") for number in range(effort)]
    chance, shares, events = 1.0, list[float](), 0
    arrived: list[tuple[Path, int]] = []
    for stage, level in enumerate(levels):
        arrived = []
        for path in starts:
            walked = walk(subject, path, level, levels[stage - 1] if stage else -math.inf)
            events += walked.events
            if walked.first is not None:
                arrived.append((path, walked.first))
        shares.append(len(arrived) / effort)
        chance *= shares[-1]
        if not arrived:
            break
        starts = [
            path.turned(event, f"{name}/{stage}/{number}")
            for number, (path, event) in enumerate(evenly(arrived, effort, f"{name}/{stage}"))
        ]
    first = arrived[0][0] if arrived else None
    return Repetition(chance, tuple(shares), effort * len(shares), events, time.process_time() - began, first)


def evenly(arrived: Sequence[tuple[Path, int]], effort: int, luck: str) -> list[tuple[Path, int]]:
    """Each of them as often as the others, and who is taken once more is drawn: so many in all."""
    times, more = divmod(effort, len(arrived))
    key = int.from_bytes(hashlib.blake2b(luck.encode(), digest_size=16).digest(), "little")
    drawn = np.random.Generator(np.random.Philox(key=key)).choice(len(arrived), more, replace=False)
    return [*arrived] * times + [arrived[number] for number in sorted(drawn.tolist())]
