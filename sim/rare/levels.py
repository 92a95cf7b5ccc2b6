"""Where to split: levels that a pilot finds, with luck that the estimate never sees.

Each stage of the pilot looks how far its runs come, and puts the next level where a chosen part of them gets. Levels
decide how sure an estimate is, never what it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from orderquake.sim.rare.paths import Path, Subject, walk
from orderquake.sim.rare.splitting import evenly

MOST = 60
"""Stages after which the pilot gives up."""


class TooRare(Exception):
    """The pilot did not get there. The text says how far it came, and what to do."""


def levels_for(
    subject: Subject,
    target: float,
    runs: int = 200,
    keep: float = 0.2,
    seed: int = 1,
    told: Callable[[float], None] | None = None,
) -> tuple[float, ...]:
    """Levels, each of which about that part of the runs from the one before reaches; the last is the target.

    runs     a stage
    keep     the part that should get to the next level; a fifth is near the best for most (Garvels, 2000)
    told     told every level
    raises   TooRare where no run comes any further
    """
    starts = [Path(f"{seed}/pilot/{number}") for number in range(runs)]
    found: list[float] = []
    seen: dict[float, bool] = {}
    for stage in range(MOST):
        walks = [
            (path, walk(subject, path, target, found[-1] if found else -math.inf, keeps_records=True))
            for path in starts
        ]
        if found and not any(score > found[-1] for _, each in walks for score, _ in each.records):
            # Few families are few chances: look at more, once.
            walks += [
                (path, walk(subject, path, target, found[-1] if found else -math.inf, keeps_records=True))
                for number in range(3)
                for path in again(starts, f"{seed}/pilot/{stage}/more/{number}")
            ]
        seen.update((score, True) for _, each in walks for score, _ in each.records)
        highest = np.array([max((score for score, _ in each.records), default=-math.inf) for _, each in walks])
        level = float(np.quantile(highest, 1 - keep, method="lower"))
        if found and level <= found[-1]:  # scores that stand still: the lowest that is any further
            further = highest[highest > found[-1]]
            if not len(further):
                if target - found[-1] <= smallest(seen):  # one step more, and none of these few took it
                    return (*found, target)
                raise TooRare(
                    f"of {runs} runs from score {found[-1]:g}, none came any further, and {target:g} was asked for;"
                    " expected some: let the pilot make more runs, or ask for a score with more steps on the way"
                )
            level = float(further.min())
        if level >= target:
            return (*found, target)
        found.append(level)
        if told is not None:
            told(level)
        arrived = [
            (path, next(event for score, event in each.records if score >= level))
            for (path, each), most in zip(walks, highest, strict=True)
            if most >= level
        ]
        starts = [
            path.turned(event, f"{seed}/pilot/{stage}/{number}")
            for number, (path, event) in enumerate(evenly(arrived, runs, f"{seed}/pilot/{stage}"))
        ]
    raise TooRare(f"after {MOST} stages the pilot was at score {found[-1]:g}, and {target:g} was asked for")


def again(starts: Sequence[Path], luck: str) -> list[Path]:
    """The same beginnings with other luck after their last turn."""
    return [
        Path(path.root, (*path.turns[:-1], (path.turns[-1][0], f"{luck}/{number}")))
        for number, path in enumerate(starts)
    ]


def smallest(seen: Iterable[float]) -> float:
    """The smallest step between two scores."""
    return float(np.diff(np.unique(np.array(list(seen), dtype=np.float64))).min(initial=math.inf))
