"""How far a number that was measured may be from the number that is true.

Closed intervals from textbooks, and nothing about orders: what is counted comes in as plain numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    low: float
    high: float


class Estimate(NamedTuple):
    """A mean over independent replications and the half-width of its interval (infinite from fewer than two)."""

    mean: float
    half_width: float
    replications: int


def quantile_ranks(n: int, q: float, confidence: float = 0.95) -> tuple[int, int] | None:
    """Ranks (1-based) of the two order statistics that enclose the q-quantile, whatever the distribution.

    Both tails are at most (1 - confidence)/2; None where `n` values cannot bound the quantile on both sides.
    source   David and Nagaraja, Order Statistics (2003), section 7.1

    >>> quantile_ranks(1000, 0.99), quantile_ranks(10_000, 0.99), quantile_ranks(10_000, 0.999)
    ((983, 997), (9880, 9920), (9983, 9997))
    >>> quantile_ranks(100, 0.99) is None
    True
    """
    from scipy.stats import binom

    if n < 1 or not 0 < q < 1:
        raise ValueError(f"a quantile needs n >= 1 and 0 < q < 1; found n = {n}, q = {q}")
    tail = (1 - confidence) / 2
    low, high = int(binom.ppf(tail, n, q)), int(binom.ppf(1 - tail, n, q)) + 1
    return (low, high) if low >= 1 and high <= n else None


def quantile_interval(values: Sequence[float] | np.ndarray, q: float, confidence: float = 0.95) -> Interval | None:
    """Interval of a quantile from independent values by their ranks alone; None where there are too few."""
    ranks = quantile_ranks(len(values), q, confidence) if len(values) else None
    if ranks is None:
        return None
    ordered = np.sort(np.asarray(values, dtype=float))
    return Interval(float(ordered[ranks[0] - 1]), float(ordered[ranks[1] - 1]))


def share_interval(hits: int, n: int, confidence: float = 0.95) -> Interval:
    """Interval of a chance seen `hits` times in `n` tries.

    source   Clopper and Pearson, Biometrika 26 (1934)

    >>> [round(end, 6) for end in share_interval(3, 1000)]
    [0.000619, 0.008742]
    """
    from scipy.stats import beta

    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"a share needs 0 <= hits <= n and n >= 1; found {hits} of {n}")
    tail = (1 - confidence) / 2
    return Interval(
        float(beta.ppf(tail, hits, n - hits + 1)) if hits else 0.0,
        float(beta.ppf(1 - tail, hits + 1, n - hits)) if hits < n else 1.0,
    )


def zero_bound(n: int, confidence: float = 0.95) -> float:
    """One-sided bound on a chance that never came up in `n` tries.

    >>> round(zero_bound(299), 5)
    0.00997
    """
    if n < 1:
        raise ValueError(f"a bound needs n >= 1; found {n}")
    return float(-np.expm1(np.log1p(-confidence) / n))


def share_in_words(hits: int, n: int, noun: str = "runs", confidence: float = 0.95) -> str:
    """A share that never stands bare.

    >>> share_in_words(0, 10_000)
    '0 of 10,000 runs; at most 3.7e-4 at 95 %'
    >>> share_in_words(5, 100)
    '5 of 100 runs; 1.6 % to 11.3 % at 95 %'
    >>> share_in_words(2, 63_000)
    '2 of 63,000 runs; 3.8e-6 to 1.1e-4 at 95 %'
    """
    low, high = share_interval(hits, n, confidence)
    if hits == 0:
        bound = f"at most {_small(high)}"
    elif hits == n:
        bound = f"at least {100 * low:.1f} %"
    else:
        bound = f"{_small(low)} to {_small(high)}"
    return f"{hits:,} of {n:,} {noun}; {bound} at {100 * confidence:g} %"


def _small(chance: float) -> str:
    if chance >= 0.001:
        return f"{100 * chance:.1f} %"
    digits, exponent = f"{chance:.1e}".split("e")
    return f"{digits}e{int(exponent)}"


def mean_interval(values: Sequence[float] | np.ndarray, confidence: float = 0.95) -> Estimate:
    """Mean over independent replications with the half-width of Student's interval.

    raises   ValueError where there is no value

    >>> mean, half_width, _ = mean_interval([1.0, 2.0, 3.0])
    >>> mean, round(half_width, 4)
    (2.0, 2.4841)
    """
    from scipy.stats import t

    numbers = np.asarray(values, dtype=float)
    if not numbers.size:
        raise ValueError("a mean needs at least one value; found none")
    if numbers.size == 1:
        return Estimate(float(numbers[0]), float("inf"), 1)
    error = numbers.std(ddof=1) / np.sqrt(numbers.size)
    wide = float(t.ppf((1 + confidence) / 2, numbers.size - 1) * error)
    return Estimate(float(numbers.mean()), wide, int(numbers.size))
