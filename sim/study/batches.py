"""One long run in place of many: its mean, from batches that are nearly independent, and a warning where they are not.

Numbers in, an estimate out; no history, no simulation engine and no model here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from orderquake.sim.study.intervals import mean_interval

LONG_ENOUGH = 100
"""A mean is worth signing when the run is so many times as long as its memory: twenty batches of five memories each."""


class BatchEstimate(NamedTuple):
    """A mean over one run, and the half-width of Student's interval over the means of its batches.

    memory    how many values one independent value is worth, as far as this run can tell
    warning   why the interval is too narrow; empty where nothing says so
    """

    mean: float
    half_width: float
    batches: int
    size: int
    memory: float
    warning: str


def batch_means(
    values: Sequence[float] | np.ndarray[Any, Any], batches: int = 20, confidence: float = 0.95
) -> BatchEstimate:
    """The mean of a series that depends on its own past.

    Batches of a run that is short beside its memory are alike, and their interval is too narrow: an M/M/1 queue at 80 %
    of its capacity, from empty, has its mean wait within a nominal 90 % in 48 % of runs of 320 customers (20 batches).
    raises   ValueError where there are fewer than two values a batch, or fewer than two batches
    """
    series = np.asarray(values, float)
    if batches < 2 or len(series) < 2 * batches:
        raise ValueError(f"batch means need two values in each of two batches; found {len(series)} in {batches}")
    size = len(series) // batches
    used = series[len(series) - size * batches :]  # what does not fit is left out where the run is youngest
    mean, half_width, _ = mean_interval(used.reshape(batches, size).mean(axis=1), confidence)
    memory = memory_of(used)
    return BatchEstimate(mean, half_width, batches, size, memory, _warning(len(used), memory))


def memory_of(values: np.ndarray[Any, Any]) -> float:
    """How many values of a series are worth one independent value: 1 + 2 * the sum of its correlations.

    Summed up to a window of five times the result (Sokal's rule, 1989). A run that is shorter than some ten memories
    underrates it.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    centred = np.asarray(values, float) - np.mean(values)
    n = len(centred)
    if n < 2 or not centred.any():
        return 1.0
    spectrum = rfft(centred, next_fast_len(2 * n))
    covariance = irfft(spectrum * spectrum.conj())[:n]
    memories = 2 * np.cumsum(covariance / covariance[0]) - 1
    within = np.flatnonzero(np.arange(n) >= 5 * memories)
    return max(float(memories[within[0] if len(within) else -1]), 1.0)


def _warning(n: int, memory: float) -> str:
    if n >= LONG_ENOUGH * memory:
        return ""
    return (
        f"the run is too short for batch means: {n:,} values are worth some {n / memory:.0f} independent ones; "
        f"expected {LONG_ENOUGH} or more. The interval is too narrow: play longer, or replicate"
    )
