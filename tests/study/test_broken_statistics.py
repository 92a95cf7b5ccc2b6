"""Statistics with one thing wrong, and the tests that notice: each is run again with the mistake in its place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest

from orderquake.sim.report import summary
from orderquake.sim.study import compare as compared
from orderquake.sim.study import intervals
from orderquake.sim.study.intervals import Estimate, Interval
from tests.study import test_compare, test_intervals, test_intervals_over_runs


def mean_with_the_variance_of_the_sample(values: Any, confidence: float = 0.95) -> Estimate:
    """n for n - 1."""
    mean, half_width, n = MEAN(values, confidence)
    return Estimate(mean, half_width * ((n - 1) / n) ** 0.5, n) if n > 1 else Estimate(mean, half_width, n)


def mean_with_the_normal_quantile(values: Any, confidence: float = 0.95) -> Estimate:
    """As if the spread were known."""
    from scipy.stats import norm, t

    mean, half_width, n = MEAN(values, confidence)
    tail = (1 + confidence) / 2
    return Estimate(mean, half_width * float(norm.ppf(tail) / t.ppf(tail, n - 1)) if n > 1 else half_width, n)


def share_with_one_tail(hits: int, n: int, confidence: float = 0.95) -> Interval:
    """Two one-sided bounds, shown as two-sided."""
    return SHARE(hits, n, 2 * confidence - 1)


def bound_by_the_rule_of_two(n: int, confidence: float = 0.95) -> float:
    """2/n where it is 3/n: ln 20 is three, nearly."""
    return ZERO(n, confidence) * 2 / 3


def ranks_off_by_one(n: int, q: float, confidence: float = 0.95) -> tuple[int, int] | None:
    ranks = RANKS(n, q, confidence)
    return None if ranks is None else (ranks[0], ranks[1] - 1)


def ranks_of_one_tail(n: int, q: float, confidence: float = 0.95) -> tuple[int, int] | None:
    return RANKS(n, q, 2 * confidence - 1)


def every_order_for_itself(runs: Any) -> dict[str, dict[str, list[float]]]:
    """As if each order had had a day of its own."""
    return {"checkout": {"p50_s": [float(value) for run in runs for value in run.orders]}}


def difference_of_strangers(ours: Any, theirs: Any) -> Any:
    """As if the two designs had met different days."""
    found = DIFFERENCE(ours, theirs)
    if found is None or found.pairs < 2:
        return found
    half = [MEAN(values).half_width for values in (ours, theirs)]
    return found._replace(half_width=float(np.hypot(*half)), gain=1.0)


MEAN, SHARE, ZERO = intervals.mean_interval, intervals.share_interval, intervals.zero_bound
RANKS, DIFFERENCE = intervals.quantile_ranks, compared.difference


class Mistake(NamedTuple):
    """instead     stands in the place of `name`, wherever it is known by that name
    noticed_by   tests, each of which must fail
    """

    name: str
    instead: Callable[..., Any]
    noticed_by: tuple[Callable[[], None], ...]


STUDENT = test_intervals.test_a_mean_over_replications_has_students_half_width
RANKS_OF_THE_TABLES = test_intervals.test_the_ranks_that_enclose_a_quantile_are_those_of_the_tables
PAIRING = test_compare.test_pairing_takes_out_what_both_have_in_common
COVERS = test_compare.test_the_interval_covers_the_truth_as_often_as_it_says
MISTAKES = [
    Mistake("mean_interval", mean_with_the_variance_of_the_sample, (STUDENT,)),
    Mistake("mean_interval", mean_with_the_normal_quantile, (STUDENT, COVERS)),
    Mistake(
        "share_interval", share_with_one_tail,
        (
            partial(test_intervals.test_the_interval_of_a_share_is_clopper_and_pearsons, 5, 100, 0.016432, 0.112835),
            test_intervals.test_a_share_of_all_is_bounded_from_below,
            partial(test_intervals.test_a_share_never_stands_bare, 0, 10, "0 of 10 runs; at most 30.8 % at 95 %"),
        ),
    ),
    Mistake(
        "zero_bound", bound_by_the_rule_of_two,
        (partial(test_intervals.test_no_failure_in_n_bounds_the_chance_of_one, 299, 0.00997),),
    ),
    Mistake(
        "quantile_ranks", ranks_off_by_one,
        (partial(RANKS_OF_THE_TABLES, 1000, 0.99, (983, 997)),),
    ),
    Mistake(
        "quantile_ranks", ranks_of_one_tail,
        (
            test_intervals.test_the_interval_of_a_quantile_is_made_of_values_that_were_seen,
            partial(RANKS_OF_THE_TABLES, 10_000, 0.999, (9983, 9997)),
        ),
    ),
    Mistake(
        "_latencies", every_order_for_itself,
        (
            test_intervals_over_runs.test_as_many_values_are_claimed_as_there_were_runs,
            test_intervals_over_runs.test_the_interval_covers_the_median_of_days_as_often_as_it_says,
        ),
    ),
    Mistake("difference", difference_of_strangers, (COVERS, PAIRING)),
]  # fmt: skip
PLACES = (intervals, compared, summary, test_intervals, test_compare, test_intervals_over_runs)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.instead.__name__)
def test_a_mistake_in_the_statistics_is_noticed(mistake: Mistake, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in PLACES:
        if hasattr(place, mistake.name):
            monkeypatch.setattr(place, mistake.name, mistake.instead)
    for notices in mistake.noticed_by:
        with pytest.raises(AssertionError):
            notices()
