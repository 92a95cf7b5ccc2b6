"""Intervals over runs keep their promise: nominal 95 % holds a known truth in at least 93 % of a thousand experiments.

Where more than 97 % hold it, the procedure is conservative by construction, and is held against its exact coverage.
A share of 1,000 has a standard error of 0.7 % at 95 %: a sound procedure falls below 93 % in two of a thousand tries;
seeds are fixed, so a failure is a change.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from orderquake.sim.study.experiment import (
    Signed,
    chance_of_a_run,
    mean_over_runs,
    quantile_across_runs,
    quantile_over_runs,
    share_over_runs,
    too_few_for,
    too_short_for,
)
from orderquake.sim.study.intervals import quantile_ranks, share_interval
from orderquake.sim.study.stopping import Looks, coverage, runs_needed, side_of, two_stage

TRIES = 1000


def covered(found: list[Signed], truth: float) -> float:
    return coverage([each.low for each in found], [each.high for each in found], truth)


# -- coverage


@pytest.mark.parametrize("runs", [4, 20])
def test_a_mean_over_runs_is_where_it_says(runs: int) -> None:
    rows = np.random.default_rng(runs).normal(3.0, 2.0, (TRIES, runs))
    assert 0.93 <= covered([mean_over_runs(row) for row in rows], 3.0) <= 0.97


def test_a_mean_of_skewed_runs_is_nearly_where_it_says() -> None:
    # Gamma of shape 4: runs whose measure is a mean over many orders are milder than that.
    rows = np.random.default_rng(7).gamma(4.0, 1.0, (TRIES, 20))
    assert 0.93 <= covered([mean_over_runs(row) for row in rows], 4.0) <= 0.97


@pytest.mark.parametrize(("n", "chance"), [(20, 0.1), (100, 0.02), (200, 0.5)])
def test_a_chance_is_covered_as_often_as_can_be_worked_out(n: int, chance: float) -> None:
    intervals = [share_interval(hits, n) for hits in range(n + 1)]
    exact = sum(
        float(stats.binom.pmf(hits, n, chance)) for hits, (low, high) in enumerate(intervals) if low <= chance <= high
    )
    assert exact >= 0.95  # conservative by construction
    hits = np.random.default_rng(n).binomial(n, chance, TRIES)
    seen = covered([chance_of_a_run(int(each), n) for each in hits], chance)
    assert seen >= 0.93
    assert abs(seen - exact) < 4 * math.sqrt(exact * (1 - exact) / TRIES) + 1e-9
    exact_ends = stats.binomtest(int(hits[0]), n).proportion_ci(0.95, "exact")
    assert intervals[int(hits[0])] == pytest.approx((exact_ends.low, exact_ends.high))


@pytest.mark.parametrize(("n", "q"), [(20, 0.5), (100, 0.9), (1000, 0.99)])
def test_a_quantile_by_ranks_is_covered_as_often_as_can_be_worked_out(n: int, q: float) -> None:
    ranks = quantile_ranks(n, q)
    assert ranks is not None
    exact = float(stats.binom.cdf(ranks[1] - 1, n, q) - stats.binom.cdf(ranks[0] - 1, n, q))
    assert exact >= 0.95
    rows = np.random.default_rng(n).exponential(1.0, (TRIES, n))
    found = [quantile_across_runs(row, q) for row in rows]
    seen = covered(found, -math.log(1 - q))
    assert seen >= 0.93
    assert abs(seen - exact) < 4 * math.sqrt(exact * (1 - exact) / TRIES)
    theirs = stats.quantile_test(rows[0], p=q).confidence_interval(0.95)
    assert (found[0].low, found[0].high) == (theirs.low, theirs.high)


def days(luck: np.random.Generator, runs: int, spread: float) -> Any:
    """Orders of a run and how many of them wait too long: one in a hundred on average, more on a bad day."""
    among = luck.integers(1000, 3000, runs)
    chance = 0.01 * luck.gamma(1 / spread**2, spread**2, runs) if spread else np.full(runs, 0.01)
    return luck.binomial(among, chance), among


@pytest.mark.parametrize(("spread", "most"), [(0.0, 1.0), (0.3, 0.97)])
def test_a_share_over_runs_is_where_it_says_on_good_days_and_bad(spread: float, most: float) -> None:
    luck = np.random.default_rng(11)
    found = [share_over_runs(*days(luck, 12, spread)) for _ in range(TRIES)]
    seen = covered(found, 0.01)
    assert 0.93 <= seen <= most
    if not spread:
        # Alike days: the hull of two intervals of which one alone has at least 95 %, and may not miss more than that.
        assert seen >= 0.95


def test_orders_that_are_taken_for_independent_cover_too_little() -> None:
    """What the run as the unit of independence is for: the same days, all orders in one heap."""
    luck = np.random.default_rng(12)
    heaps = [(int(hits.sum()), int(among.sum())) for hits, among in (days(luck, 12, 0.6) for _ in range(TRIES))]
    assert covered([chance_of_a_run(*heap) for heap in heaps], 0.01) < 0.80


@pytest.mark.parametrize(("tries", "least"), [(150, 0.90), pytest.param(TRIES, 0.93, marks=pytest.mark.slow)])
def test_a_quantile_of_all_orders_is_where_it_says_though_days_differ(tries: int, least: float) -> None:
    # A share of 150 has a standard error of 1.8 %: the small twin of a thousand. A day's waits are exponential with a
    # mean of its own; the p95 over all days is found once, from many.
    luck = np.random.default_rng(13)

    def some_days(runs: int) -> Any:
        return luck.exponential(1.0, (runs, 200)) * luck.gamma(25.0, 0.04, (runs, 1))

    truth = float(np.quantile(some_days(50_000), 0.95))
    found = [quantile_over_runs(list(some_days(15)), 0.95) for _ in range(tries)]
    assert least <= covered(found, truth) <= 0.985
    assert all(each.low <= each.value <= each.high for each in found)


# -- stopping


def test_two_stages_cover_as_often_as_they_say_and_are_as_narrow_as_asked() -> None:
    luck = np.random.default_rng(17)
    found, longest = [], 0
    for _ in range(TRIES):
        first = luck.normal(10.0, 3.0, 8).tolist()
        needed = runs_needed(first, half_width=1.0)
        values = first + luck.normal(10.0, 3.0, needed - 8).tolist()
        found.append(two_stage(values, first=8))
        longest = max(longest, needed)
    assert 0.93 <= coverage([e.mean - e.half_width for e in found], [e.mean + e.half_width for e in found], 10) <= 0.97
    assert all(each.half_width <= 1.0 for each in found)
    assert longest > 60  # (2.36 * 3)^2 = 50 on average


def test_peeking_is_what_it_is_not() -> None:
    """Stopping as soon as a 95 % interval is narrow or clear of the limit is wrong three times as often as it says."""
    values = np.random.default_rng(18).normal(0.0, 1.0, (TRIES, 40))
    n = np.arange(1, 41)
    mean = np.cumsum(values, axis=1) / n
    spread = np.sqrt(np.maximum(np.cumsum(values**2, axis=1) - n * mean**2, 0) / np.maximum(n - 1, 1))
    wide = stats.t.ppf(0.975, np.maximum(n - 1, 1)) * spread / np.sqrt(n)
    wrong = np.count_nonzero((np.abs(mean) > wide)[:, 3:].any(axis=1))
    assert wrong / TRIES > 0.15


@pytest.mark.parametrize("most", [8, 32])
def test_looks_decide_wrongly_no_oftener_than_agreed(most: int) -> None:
    # The truth lies on the limit, where every decision is wrong. Conservative by construction (Bonferroni): with looks
    # that were independent, the share would be 1 - each^looks, and looks at the same runs are wrong together.
    luck = np.random.default_rng(most)
    looks = Looks.up_to(most)
    independent = 1 - looks.each ** len(looks.at)
    decided = 0
    for values in luck.normal(5.0, 1.0, (TRIES, most)):
        sides = [_side(mean_over_runs(values[:n], looks.each)) for n in looks.at]
        decided += any(side != "undecided" for side in sides)
    assert 0.01 < decided / TRIES <= 0.05
    assert decided / TRIES <= independent + 3 * math.sqrt(0.05 * 0.95 / TRIES)


def _side(signed: Signed) -> str:
    return side_of(signed.low, signed.high, 5.0, is_below_good=True, is_strict=True)


def test_what_is_clear_is_decided_at_the_first_look() -> None:
    looks = Looks.up_to(32)
    values = np.random.default_rng(19).normal(1.0, 0.1, looks.at[0])
    assert _side(mean_over_runs(values, looks.each)) == "kept"


@pytest.mark.parametrize(
    ("low", "high", "is_strict", "side"),
    [
        (0.1, 0.2, True, "kept"),
        (0.1, 0.3, True, "undecided"),
        (0.1, 0.3, False, "kept"),
        (0.3, 0.4, True, "missed"),
        (0.3, 0.4, False, "undecided"),
        (0.31, 0.4, False, "missed"),
        (-math.inf, math.inf, True, "undecided"),
    ],
)
def test_an_interval_lies_on_a_side_or_on_none(low: float, high: float, is_strict: bool, side: str) -> None:
    assert side_of(low, high, 0.3, is_below_good=True, is_strict=is_strict) == side
    assert side_of(-high, -low, -0.3, is_below_good=False, is_strict=is_strict) == side


def test_looks_share_the_error_out() -> None:
    looks = Looks.up_to(20)
    assert looks.at == (4, 8, 16, 20)
    assert len(looks.at) * (1 - looks.each) == pytest.approx(0.05)
    assert Looks.up_to(3).at == (3,)


# -- refusals


def test_what_runs_cannot_say_is_refused_with_the_reason() -> None:
    assert "1 of 2 runs cannot claim it" in mean_over_runs([1.0, math.nan]).refusal
    assert "found 1" in mean_over_runs([1.0]).refusal
    assert "found 1" in share_over_runs([0], [100]).refusal
    assert "cannot bound their 0.9-quantile" in quantile_across_runs([1.0] * 20, 0.9).refusal
    few = quantile_over_runs([np.arange(100.0)] * 3, 0.99)
    assert "300 values are too few for p99: it needs 1,000" in few.refusal
    assert math.isnan(few.value) and (few.low, few.high) == (-math.inf, math.inf)
    assert not mean_over_runs([1.0, 2.0]).refusal


def test_no_hit_in_any_run_is_no_certainty() -> None:
    found = share_over_runs([0] * 5, [1000] * 5)
    assert found.value == found.low == 0.0
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 5000))


def test_a_quantile_needs_ten_values_beyond_it() -> None:
    assert too_few_for(9_999, 0.999)
    assert not too_few_for(10_000, 0.999)


def test_a_run_must_hold_several_of_whatever_recurs() -> None:
    minute = 60_000_000
    assert too_short_for(10 * minute, {"jobs.inbound": 2 * minute}) == []
    (why,) = too_short_for(10 * minute, {"jobs.inbound": 2 * minute, "jobs.settlement": 30 * minute})
    assert why == "a run of 10 min is short for jobs.settlement of 30 min: expected 5 of them or more"


def test_nonsense_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="half-width above zero"):
        runs_needed([1.0, 2.0], 0.0)
    with pytest.raises(ValueError, match="first stage of 2 to 2"):
        two_stage([1.0, 2.0], first=3)
