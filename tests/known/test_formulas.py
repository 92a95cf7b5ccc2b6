"""The reference formulas against numbers that others printed, so that nothing of ours can agree with a mistake."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from tests.known import formulas as f

near = pytest.approx


@pytest.mark.parametrize(
    ("servers", "load", "waits"),
    [
        (2, 1.6, 0.711111111),
        (3, 2, 0.444444444),
        (4, 2, 0.173913043),
        (5, 4, 0.554112554),
        (10, 8, 0.409180151),
        (20, 16, 0.256077794),
    ],
)
def test_erlang_c_is_as_printed(servers: int, load: float, waits: float) -> None:
    assert f.erlang_c(servers, load) == near(waits, abs=1e-9)


@pytest.mark.parametrize(
    ("servers", "load", "lost"),
    [(5, 5, 0.284867821), (10, 5, 0.018384570), (10, 8, 0.121661064), (20, 16, 0.064410925), (100, 100, 0.075700453)],
)
def test_erlang_b_is_as_printed(servers: int, load: float, lost: float) -> None:
    assert f.erlang_b(servers, load) == near(lost, abs=1e-9)


def test_a_house_with_few_places_is_as_the_octave_package_has_it() -> None:
    assert f.full_house(4, 6, 5)[0] == near(0.293543, abs=1e-6)
    refused, inside, empty = f.full_house(3, 7, 40 / 30)
    assert empty == near(0.255037, abs=1e-6)
    assert inside / (40 * (1 - refused)) == near(0.036517, abs=1e-6)  # Little's law


def test_waits_are_as_printed() -> None:
    assert [f.mean_wait(0.8, cv) for cv in (0, 0.5, 1, 2)] == near([2, 2.5, 4, 10])
    assert [f.mean_wait_behind(f.transform_of_gaps(cv, 0.8)) for cv in (0, 0.5**0.5, 2)] == near(
        [1.692731, 2.843980, 9.819193], abs=1e-6
    )
    found = [f.waits_at_most(x, 0.8) for x in (1.27594, 5.01151, 6.62032, 10.35589, 15.70027)]
    assert found == near([0.5, 0.9, 0.95, 0.99, 0.999], abs=1e-5)
    printed = ((2, 2.3094), (2.5, 2.9580), (4, 4.8990), (10, 16.3299))
    laws = (("constant", 0.0), ("gamma", 0.5), ("gamma", 1.0), ("lognormal", 2.0))
    for (law, cv), (mean, spread) in zip(laws, printed, strict=True):
        found_mean, variance = f.waits_of_a_law(law, cv, 0.8)
        assert (found_mean, math.sqrt(variance)) == near((mean, spread), abs=1e-4)
    assert [f.mean_wait_of_steady_servers(c, 0.8) for c in (2, 5, 10)] == near([0.903284, 0.289060, 0.109828], abs=1e-6)
    assert f.mean_wait_of_steady_servers(1, 0.8) == near(2.0)
    assert [f.stays_longer_than(t, 10, 8) for t in (4.94611, 7.25056)] == near([0.01, 0.001], abs=1e-6)
    assert f.erlang_a(10, 10.0, 0.5) == near((0.619655, 0.103913), abs=1e-6)


def test_the_bucket_refuses_as_printed() -> None:
    assert f.refused_by_bucket(0.8, 5) == near(0.035290396, abs=1e-9)
    assert f.refused_by_bucket(0.8, 10) == near(0.003639231, abs=1e-9)
    assert [1 - f.waits_at_most(b - 1, 0.8) for b in (5, 10)] == near([0.154624888, 0.017935076], abs=1e-9)
    assert [f.mean_delay_by_bucket(0.8, b) for b in (5, 10)] == near([0.3588784, 0.0416279], abs=1e-7)


def test_the_tandem_is_as_printed() -> None:
    mean, variance, longer_than = f.tandem(5, (50, 12, 25))
    assert (mean, math.sqrt(variance)) == near((0.2150794, 0.1529771), abs=1e-6)
    assert [longer_than(t) for t in (0.176897, 0.513560, 0.743571)] == near([0.5, 0.05, 0.01], abs=1e-5)


def test_the_sell_out_is_as_printed() -> None:
    assert f.unserved(100, 100) == near((3.9860997, 0.473437801), abs=1e-7)


def test_holds_are_as_printed() -> None:
    assert 2 * f.mean_hold(3.0, 15.0, 0.3) == near(13.2)
    refused, held = f.kaufman_roberts(20, ((6, 1), (2, 3), (0.6, 5)))
    assert refused == near([0.048149348, 0.164245153, 0.304236977], abs=1e-9)
    assert held == near(12.812922, abs=1e-6)
    assert f.grants_until_sold(100, 0.7) == near((142.857, 7.825**2), rel=1e-3)
    sold = [f.all_sold_by(100, 0.7, k) for k in range(1, 6)]
    assert sold == near([0.000080, 0.064757, 0.443393, 0.784040, 0.929669], abs=1e-6)
    assert stats.gamma(100, scale=0.1).ppf([0.05, 0.95]).tolist() == near([8.41393, 11.69971], abs=1e-5)


def test_drift_is_as_printed() -> None:
    assert f.drift_moments(1) == near((0.5, 0.583333), abs=1e-6)
    assert f.drift_moments(5) == near((2.5, 4.583333), abs=1e-6)
    assert 1 - f.drift_beyond(0, 5) == near(0.198652411, abs=1e-8)
    assert f.drift_beyond(5, 5) == near(0.098659501, abs=1e-8)
    assert [f.drift_beyond(10, 5, p) for p in (0.1, 0.5)] == near([0.02350552, 0.2495912], abs=1e-7)
    assert f.largest_drift(5, 288) == near(12.48797, abs=1e-5)


def test_the_oversell_of_one_cycle_is_as_printed() -> None:
    chances = [f.oversold_in_one_cycle(20, 15, 5, safety)[0] for safety in (0, 2, 5, 10)]
    assert chances == near([0.440348, 0.420940, 0.250964, 0.012963], abs=1e-6)
    assert f.oversold_in_one_cycle(20, 15, 5, 0)[1] == near(1.564406, abs=1e-6)


def test_sending_again_is_as_printed() -> None:
    assert f.receipts(5, 0.2, 0.1) == near((0.00032, 0.900352, 0.099328, 1.109198848, 0.001721037), abs=1e-9)
    assert [f.forgotten_meanwhile(300, v, 0.1) for v in (299, 301)] == near([1e-2, 1e-1])


def test_split_stock_is_as_printed() -> None:
    assert [f.stranded_units(units) for units in (10, 50, 100)] == near([2.700138, 7.038513, 10.326044], abs=1e-6)
    assert [f.lost_sales(100, 100, regions) for regions in (1, 2, 5)] == near([3.986100, 5.632501, 8.883532], abs=1e-6)


def test_rare_events_are_as_printed() -> None:
    assert f.line_before_idle(0.5, 20) == near(9.536752e-07, rel=1e-6)
    assert f.line_before_idle(0.4, 20) == near(1.649267e-08, rel=1e-6)
    assert f.failures_in_a_row(0.5, 2, 3) == near(3 / 8)
    assert f.failures_in_a_row(0.1, 3, 3) == near(1e-3)


def test_asking_again_is_as_printed() -> None:
    assert [f.tries(0.5, 3), f.tries(0.5, 4)] == [near((1.75, 0.875)), near((1.875, 0.9375))]
    assert f.tries(0.75, 4) == near((2.734375, 0.683594), abs=1e-6)
    for kind, five, ten in (("exponential", 310, 6550), ("equal", 232.5, 4912.5), ("full", 155, 3275)):
        assert [f.waits_of_backoff(kind, 5, 2000, n) for n in (5, 10)] == near([five, ten])
    assert f.waits_of_backoff("decorrelated", 5, 2000, 5) == near(172.75, rel=2e-3)
    assert f.waits_of_backoff("decorrelated", 5, 2000, 10) == near(1361, rel=5e-3)
