"""When enough runs have been made: two ways to stop that keep the promise of the interval, and no peeking.

Whoever looks at a 95 % interval after every run, and stops when it pleases, is wrong far oftener than one time in
twenty. `runs_needed` looks once (Stein); `Looks` looks a few times, agreed on beforehand, and pays for each look.
Numbers in, numbers out; no simulation engine and no model here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from orderquake.sim.study.intervals import Estimate


def runs_needed(first: Sequence[float], half_width: float, confidence: float = 0.95) -> int:
    """How many runs in all make the interval of a mean as narrow as asked, told by the first few of them.

    first        values of independent runs, at least two
    half_width   in the unit of the values, above zero
    source       Stein, Annals of Mathematical Statistics 16 (1945): two stages, exact for normal values
    raises       ValueError

    >>> runs_needed([1.0, 2.0, 3.0, 4.0], half_width=1.0)
    17
    """
    from scipy.stats import t

    if len(first) < 2 or not half_width > 0:
        raise ValueError(
            f"expected two runs or more and a half-width above zero; found {len(first)} runs and {half_width}"
        )
    quantile = float(t.ppf((1 + confidence) / 2, len(first) - 1))
    return max(len(first), math.ceil((quantile * float(np.std(first, ddof=1)) / half_width) ** 2))


def two_stage(values: Sequence[float], first: int, confidence: float = 0.95) -> Estimate:
    """Mean of all runs, with the half-width that the first `first` of them vouch for.

    The spread of the first stage decided how many runs there are; that of all runs would be too small when chance made
    us stop early. So the spread, and the degrees of freedom, are the first stage's.
    """
    from scipy.stats import t

    numbers = np.asarray(values, float)
    if not 2 <= first <= len(numbers):
        raise ValueError(f"expected a first stage of 2 to {len(numbers)} runs; found {first}")
    error = float(numbers[:first].std(ddof=1)) / math.sqrt(len(numbers))
    return Estimate(float(numbers.mean()), float(t.ppf((1 + confidence) / 2, first - 1)) * error, len(numbers))


class Looks(NamedTuple):
    """When it is looked, in numbers of runs, and how sure each look must be so that all together are as sure as asked.

    The error is shared out equally (Bonferroni): whatever is decided at whichever look, the chance of being wrong is at
    most 1 - confidence.

    >>> looks = Looks.up_to(32)
    >>> looks.at, round(looks.each, 4)
    ((4, 8, 16, 32), 0.9875)
    """

    at: tuple[int, ...]
    each: float

    @classmethod
    def up_to(cls, most: int, first: int = 4, confidence: float = 0.95) -> Looks:
        """A look after `first` runs and whenever they have doubled, the last after `most`."""
        at = []
        while first < most:
            at.append(first)
            first *= 2
        return cls((*at, most), 1 - (1 - confidence) / (len(at) + 1))


def side_of(low: float, high: float, limit: float, *, is_below_good: bool, is_strict: bool) -> str:
    """On which side of a limit an interval lies: "kept", "missed", or "undecided" where the limit is inside.

    >>> side_of(0.1, 0.2, 0.3, is_below_good=True, is_strict=True), side_of(0.1, 0.4, 0.3, is_below_good=True,
    ...         is_strict=True)
    ('kept', 'undecided')
    """
    if not is_below_good:
        low, high, limit = -high, -low, -limit
    if high < limit or (high == limit and not is_strict):
        return "kept"
    if low > limit or (low == limit and is_strict):
        return "missed"
    return "undecided"


def coverage(lows: Any, highs: Any, truth: float) -> float:
    """Share of intervals that hold the truth."""
    return float(np.mean((np.asarray(lows) <= truth) & (truth <= np.asarray(highs))))
