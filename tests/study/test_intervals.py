"""Intervals against numbers printed in textbooks, and against their own promise."""

from __future__ import annotations

import numpy as np
import pytest

from orderquake.sim.study.intervals import (
    mean_interval,
    quantile_interval,
    quantile_ranks,
    share_in_words,
    share_interval,
    zero_bound,
)


@pytest.mark.parametrize(
    ("n", "q", "ranks"),
    [(1000, 0.99, (983, 997)), (10_000, 0.99, (9880, 9920)), (10_000, 0.999, (9983, 9997))],
)
def test_the_ranks_that_enclose_a_quantile_are_those_of_the_tables(n: int, q: float, ranks: tuple[int, int]) -> None:
    assert quantile_ranks(n, q) == ranks


def test_too_few_values_bound_no_quantile() -> None:
    assert quantile_ranks(100, 0.99) is None
    assert quantile_interval([], 0.5) is None
    assert quantile_interval([1.0] * 5, 0.5) is None


def test_the_interval_of_a_quantile_is_made_of_values_that_were_seen() -> None:
    assert quantile_interval(np.arange(1000, 0, -1), 0.99) == (983, 997)


def test_the_rank_interval_covers_the_quantile_as_often_as_it_says() -> None:
    # 2000 tries at 95 %: fewer than 92.5 % would be five standard errors off (false alarm below 1e-6).
    dice = np.random.Generator(np.random.Philox(7))
    exact = -np.log(1 - 0.9)
    hits = 0
    for _ in range(2000):
        interval = quantile_interval(dice.exponential(size=200), 0.9)
        assert interval is not None
        hits += interval.low <= exact <= interval.high
    assert hits >= 1850


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.308497), (5, 100, 0.016432, 0.112835), (3, 1000, 0.000619, 0.008742)],
)
def test_the_interval_of_a_share_is_clopper_and_pearsons(hits: int, n: int, low: float, high: float) -> None:
    assert share_interval(hits, n) == pytest.approx((low, high), abs=5e-7)


def test_a_share_of_all_is_bounded_from_below() -> None:
    assert share_interval(10, 10) == pytest.approx((1 - 0.308497, 1.0), abs=5e-7)


@pytest.mark.parametrize(("n", "bound"), [(59, 0.0495), (299, 0.00997), (2_995, 1e-3), (29_956, 1e-4)])
def test_no_failure_in_n_bounds_the_chance_of_one(n: int, bound: float) -> None:
    assert zero_bound(n) == pytest.approx(bound, rel=2e-3)


@pytest.mark.parametrize(
    ("hits", "n", "words"),
    [
        (0, 10_000, "0 of 10,000 runs; at most 3.7e-4 at 95 %"),
        (0, 10, "0 of 10 runs; at most 30.8 % at 95 %"),
        (5, 100, "5 of 100 runs; 1.6 % to 11.3 % at 95 %"),
        (10, 10, "10 of 10 runs; at least 69.2 % at 95 %"),
    ],
)
def test_a_share_never_stands_bare(hits: int, n: int, words: str) -> None:
    assert share_in_words(hits, n) == words


def test_a_mean_over_replications_has_students_half_width() -> None:
    mean, half_width, replications = mean_interval([4.0, 6.0, 8.0, 10.0])
    assert (mean, replications) == (7.0, 4)
    assert half_width == pytest.approx(3.182446 * 2.581989 / 2, rel=1e-6)


def test_one_replication_promises_nothing() -> None:
    assert mean_interval([3.0]).half_width == float("inf")


def test_nonsense_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="0 <= hits <= n"):
        share_interval(3, 2)
    with pytest.raises(ValueError, match="found n = 10, q = 1"):
        quantile_ranks(10, 1.0)
    with pytest.raises(ValueError, match="at least one value"):
        mean_interval([])
    with pytest.raises(ValueError, match="n >= 1"):
        zero_bound(0)
