"""Promises: how they are read, what a run sees of them, and what runs say together."""

from __future__ import annotations

import math

import numpy as np
import pytest

from orderquake.sim.asked import Mistake
from orderquake.sim.planning.promise import Seen, check_together, read_promise
from orderquake.sim.run import simulate
from orderquake.sim.study.latency import latencies


@pytest.mark.parametrize(
    ("text", "shown", "kind", "limit"),
    [
        ("checkout.p99 < 300ms", "checkout.p99 < 300 ms", "wait", 0.3),
        ("checkout_p99<=0.3 s", "checkout.p99 <= 300 ms", "wait", 0.3),
        ("decision.p999 < 2 min", "decision.p99.9 < 2 min", "wait", 120.0),
        ("decision.p99.9 >= 5s", "decision.p99.9 >= 5 s", "wait", 5.0),
        ("reserve.mean < 1s", "reserve.mean < 1 s", "mean", 1.0),
        ("refunded_share < 0.5%", "refunded_share < 0.5 %", "share", 0.005),
        ("fulfilled_share >= 0.9", "fulfilled_share >= 90 %", "share", 0.9),
        ("oversold <= 1e-4", "oversold <= 0.0001 an order", "share", 1e-4),
        ("oversold <= 3", "oversold <= 3 units", "mean", 3.0),
        ("oversold == 0", "oversold == 0 units", "never", 0.0),
        ("drift < 0.5", "drift < 0.5 units", "mean", 0.5),
        ("never_oversold", "never_oversold", "never", 0.0),
    ],
)
def test_a_promise_is_read_as_it_is_meant(text: str, shown: str, kind: str, limit: float) -> None:
    promise = read_promise(text)
    assert (promise.kind, promise.limit) == (kind, pytest.approx(limit))
    assert str(promise) == shown


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("checkut.p99 < 300ms", 'did you mean "checkout.p99"'),
        ("refund_share < 1%", 'did you mean "refunded_share"'),
        ("checkout.p99x < 1s", "expected checkout.p50"),
        ("checkout < 1s", "did you mean"),
        ("checkout.p99 < 300", "expected a duration"),
        ("refunded_share < 1 s", "expected a share"),
        ("refunded_share < 120%", "cannot be kept or missed"),
        ("checkout.p99", "has no limit"),
        ("checkout.p99 == 1s", "one exact value"),
        ("checkout.p99 < 0 s", "less than nothing"),
        ("never_oversold <= 1", "has no limit; expected the name alone"),
        ("< 3", "is no promise"),
        ("", "is no promise"),
    ],
)
def test_what_is_no_promise_is_told_with_what_was_expected(text: str, says: str) -> None:
    with pytest.raises(Mistake) as told:
        read_promise(text)
    assert says in str(told.value)
    assert text in str(told.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("checkout.p99 < 300ms", "checkout.p99 > 400ms"),
        ("checkout.p50 >= 300ms", "checkout.p99 < 300ms"),
        ("drift <= 1", "drift > 1"),
    ],
)
def test_promises_that_contradict_each_other_are_refused(one: str, other: str) -> None:
    with pytest.raises(Mistake, match="contradict each other"):
        check_together([read_promise(one), read_promise(other)])
    check_together([read_promise("checkout.p99 < 400ms"), read_promise("checkout.p50 > 300ms")])


def test_a_run_sees_who_waited_too_long_and_who_was_never_answered() -> None:
    run = simulate("last_unit", seed=3)
    asked = latencies(run.history)["decision"]
    limit_us = int(np.sort(asked.latency_us)[-25])
    for relation, beyond in (("<", 25), ("<=", 24)):
        seen = read_promise(f"decision.p90 {relation} {limit_us} us").seen(run)
        ties = int(np.count_nonzero(asked.latency_us == limit_us)) - 1
        assert seen.hits - asked.unanswered in range(beyond, beyond + ties + 1)
        assert seen.among == len(asked.latency_us) + asked.unanswered
    counts = run.outcomes()
    assert read_promise("refunded_share < 1%").seen(run)[:2] == (counts["refunded"], counts["accepted"])
    assert read_promise("never_oversold").seen(run) == Seen(0, 1, 0.0)
    assert read_promise("oversold <= 1e-4").seen(run)[:2] == (0, counts["accepted"])


def seen(*hits: int, among: int = 1000, value: float = math.nan) -> list[Seen]:
    return [Seen(each, among, value) for each in hits]


def test_a_wait_is_judged_by_the_share_that_waited_longer() -> None:
    promise = read_promise("checkout.p99 < 300ms")
    assert promise.judged(seen(1, 2, 0, 1), 0.95).side == "kept"
    assert promise.judged(seen(10, 9, 11, 10), 0.95).side == "undecided"
    assert promise.judged(seen(40, 50, 45, 44), 0.95).side == "missed"
    assert promise.judged(seen(0, 0, among=20), 0.95).side == "undecided"  # forty orders say nothing of a p99


def test_the_other_direction_is_judged_the_other_way_round() -> None:
    promise = read_promise("checkout.p99 > 300ms")
    assert promise.judged(seen(40, 50, 45, 44), 0.95).side == "kept"
    assert promise.judged(seen(1, 2, 0, 1), 0.95).side == "missed"


def test_never_is_missed_by_a_single_run_and_carries_a_bound_where_it_is_kept() -> None:
    promise = read_promise("never_oversold")
    assert promise.judged(seen(0, 1, 0, among=1), 0.95).side == "missed"
    kept = promise.judged(seen(*[0] * 59, among=1), 0.95)
    assert kept.side == "kept"
    assert 0.04 < kept.decides.high < 0.065


def test_a_mean_that_some_runs_cannot_claim_is_undecided() -> None:
    promise = read_promise("drift < 5")
    assert promise.judged([Seen(0, 0, 1.0), Seen(0, 0, math.nan)], 0.95).side == "undecided"
    assert promise.judged([Seen(0, 0, 1.0), Seen(0, 0, 1.2), Seen(0, 0, 0.9)], 0.95).side == "kept"
