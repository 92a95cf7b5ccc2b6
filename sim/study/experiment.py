"""What independent runs say together: a number that may be signed, with its interval, or why it may not be signed.

The run is the unit of independence. The orders of one run share its queues, its shelves and its bad hour; ten thousand
of them are not ten thousand experiments. So every interval here is over runs, and a run that is too short for a claim
does not make it. Numbers in, numbers out; no simulation engine and no model here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from orderquake.sim.study.intervals import Interval, mean_interval, quantile_ranks, share_interval
from orderquake.sim.units import format_duration

SEVERAL = 5
"""A run says something of a job or a time to live when so many of them fit into it."""


class Signed(NamedTuple):
    """A number with what stands behind it.

    value    the estimate; NaN where nothing can be said
    low, high   the interval, infinite where the runs do not bound it
    runs     independent replications that it rests on
    method   how the interval was made, in a few words
    refusal  why it is not to be signed; empty where it is
    """

    value: float
    low: float
    high: float
    runs: int
    confidence: float
    method: str
    refusal: str = ""

    @property
    def half_width(self) -> float:
        """Half of the interval's length."""
        return (self.high - self.low) / 2


def _nothing(runs: int, confidence: float, method: str, why: str) -> Signed:
    return Signed(math.nan, -math.inf, math.inf, runs, confidence, method, why)


def mean_over_runs(values: Sequence[float], confidence: float = 0.95) -> Signed:
    """The mean of what each run measured; runs that could not measure it (NaN) make it no mean of all runs.

    >>> mean_over_runs([1.0, 2.0, 3.0]).value
    2.0
    """
    method = "Student over runs"
    numbers = np.asarray(values, float)
    if lost := int(np.isnan(numbers).sum()):
        return _nothing(len(numbers), confidence, method, f"{lost} of {len(numbers)} runs cannot claim it")
    if len(numbers) < 2:
        return _nothing(len(numbers), confidence, method, f"an interval needs two runs or more; found {len(numbers)}")
    mean, half_width, runs = mean_interval(numbers, confidence)
    return Signed(mean, mean - half_width, mean + half_width, runs, confidence, method)


def quantile_across_runs(values: Sequence[float], q: float, confidence: float = 0.95) -> Signed:
    """A quantile of what runs measured: the day that only one day in ten is worse than.

    The interval has the ends of `scipy.stats.quantile_test`, by ranks: it holds for any distribution.
    """
    method = "ranks of runs"
    numbers = np.sort(np.asarray(values, float))
    if np.isnan(numbers).any() or (ranks := quantile_ranks(len(numbers), q, confidence)) is None:
        return _nothing(len(numbers), confidence, method, f"{len(numbers)} runs cannot bound their {q:g}-quantile")
    value = float(numbers[max(math.ceil(round(q * len(numbers), 9)), 1) - 1])
    return Signed(value, float(numbers[ranks[0] - 1]), float(numbers[ranks[1] - 1]), len(numbers), confidence, method)


def chance_of_a_run(hits: int, runs: int, confidence: float = 0.95) -> Signed:
    """The chance that a run is one of those that were counted (Clopper and Pearson)."""
    low, high = share_interval(hits, runs, confidence)
    return Signed(hits / runs, low, high, runs, confidence, "Clopper and Pearson over runs")


def share_over_runs(hits: Sequence[int], among: Sequence[int], confidence: float = 0.95) -> Signed:
    """The share of orders, over all runs, that something is true of.

    Student's interval of the ratio over runs (the delta method), and never narrower than Clopper and Pearson's would be
    if all orders were independent: where no run has a hit, runs alone would claim to know everything.
    source   Cochran, Sampling Techniques (1977), section 6.3
    """
    from scipy.stats import t

    method = "ratio over runs, Student and at least Clopper and Pearson"
    counted, all_of = np.asarray(hits, float), np.asarray(among, float)
    runs, total = len(counted), float(all_of.sum())
    if runs < 2 or total < 1:
        return _nothing(runs, confidence, method, f"an interval needs two runs or more with orders; found {runs}")
    share = float(counted.sum()) / total
    apart = counted - share * all_of
    error = math.sqrt(float((apart**2).sum()) * runs / (runs - 1)) / total
    wide = float(t.ppf((1 + confidence) / 2, runs - 1)) * error
    least = share_interval(int(counted.sum()), int(total), confidence)
    return Signed(
        share, max(0.0, min(share - wide, least.low)), min(1.0, max(share + wide, least.high)), runs, confidence, method
    )


def quantile_over_runs(runs: Sequence[np.ndarray[Any, Any]], q: float, confidence: float = 0.95) -> Signed:
    """A quantile over the orders of all runs, with the run as the unit of independence.

    The ends are the least and the largest value at which `share_over_runs` cannot tell whether more than 1 - q of the
    orders take longer. Refused where the runs together have fewer than ten values beyond it.
    """
    method = "share beyond it, over runs"
    pooled = np.sort(np.concatenate([np.asarray(run, float) for run in runs])) if runs else np.empty(0)
    if too_few := too_few_for(len(pooled), q):
        return _nothing(len(runs), confidence, method, too_few)
    ordered = [np.sort(np.asarray(run, float)) for run in runs]
    among = [len(run) for run in ordered]

    def beyond(value: float) -> Signed:
        return share_over_runs(
            [len(run) - int(np.searchsorted(run, value, "right")) for run in ordered], among, confidence
        )

    def first(is_past: Any) -> float:
        low, high = 0, len(pooled)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if is_past(beyond(float(pooled[middle]))) else (middle + 1, high)
        return float(pooled[low]) if low < len(pooled) else math.inf

    value = float(pooled[math.ceil(round(q * len(pooled), 9)) - 1])
    low, high = first(lambda share: share.low <= 1 - q), first(lambda share: share.high <= 1 - q)
    refusal = "" if math.isfinite(high) else f"{len(runs)} runs do not bound it from above"
    return Signed(value, low, high, len(runs), confidence, method, refusal)


# -- what may not be claimed


def too_few_for(n: int, q: float, beyond: int = 10) -> str:
    """Why `n` values are too few for a quantile; empty where they are not: `beyond` of them must lie past it.

    >>> too_few_for(1_000, 0.99), too_few_for(5_000, 0.999)
    ('', '5,000 values are too few for p99.9: it needs 10,000, so that 10 lie beyond it')
    """
    needed = round(beyond / (1 - q))
    if n >= needed:
        return ""
    return f"{n:,} values are too few for p{100 * q:g}: it needs {needed:,}, so that {beyond} lie beyond it"


def too_short_for(length_us: int, periods_us: Mapping[str, int]) -> list[str]:
    """What a run of this length is too short for: whatever recurs fewer than `SEVERAL` times in it.

    periods_us   name -> how long it takes to come round: a job's interval, a time to live

    >>> too_short_for(300_000_000, {"the reservation's time to live": 900_000_000, "jobs.inbound": 30_000_000})
    ["a run of 5 min is short for the reservation's time to live of 15 min: expected 5 of them or more"]
    """
    return [
        f"a run of {format_duration(length_us)} is short for {name} of {format_duration(period)}: "
        f"expected {SEVERAL} of them or more"
        for name, period in periods_us.items()
        if length_us < SEVERAL * period
    ]


def interval_of(signed: Signed) -> Interval:
    """Its interval alone."""
    return Interval(signed.low, signed.high)
