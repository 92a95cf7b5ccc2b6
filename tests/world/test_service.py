"""A service as those who ask it see it: hands, a waiting line, a throttle, and bad days."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderquake.sim.scenario import Throttle
from orderquake.sim.world.service import Bucket
from tests.world.corner import LEG, MS, PATIENT, TRIP, WORK, Corner, constant, release, reserve

ALWAYS = {"probability": 1.0}


# -- one ask


def test_an_ask_is_there_work_and_back_and_takes_effect_at_the_end_of_the_work() -> None:
    corner = Corner()
    corner.at(0, "ann")
    corner.run()
    assert corner.store.handled == [(LEG + WORK, "ann")]
    assert corner.heard == [(TRIP, "ann", "answer 1")]


def test_a_verb_may_take_its_own_time() -> None:
    corner = Corner(operations={"release": constant(3 * MS)})
    corner.at(0, "ann", reserve("ann"), release("ann"))
    corner.run()
    assert [moment for moment, *_ in corner.heard] == [TRIP, TRIP + 5 * MS]


def test_without_a_limit_all_are_served_at_once() -> None:
    corner = Corner()
    for name in ("ann", "bob", "cat"):
        corner.at(0, name)
    corner.run()
    assert {moment for moment, *_ in corner.heard} == {TRIP}


# -- hands and the waiting line


def test_with_one_hand_the_others_wait_in_line() -> None:
    corner = Corner(capacity=1)
    for moment, name in ((0, "ann"), (0, "bob"), (5 * MS, "cat")):
        corner.at(moment, name)
    corner.run()
    assert corner.heard == [
        (TRIP, "ann", "answer 1"),
        (TRIP + WORK, "bob", "answer 2"),
        (TRIP + 2 * WORK, "cat", "answer 3"),
    ]


def test_with_two_hands_two_are_served_at_once() -> None:
    corner = Corner(capacity=2)
    for name in ("ann", "bob", "cat"):
        corner.at(0, name)
    corner.run()
    assert [moment for moment, *_ in corner.heard] == [TRIP, TRIP, TRIP + WORK]


def test_where_the_line_is_full_the_next_is_refused_at_once() -> None:
    corner = Corner(capacity=1, queue_bound=1)
    for name in ("ann", "bob", "cat"):
        corner.at(0, name)
    corner.run()
    assert corner.heard[0] == (2 * LEG, "cat", "refused")
    assert [who for _, who, _ in corner.heard] == ["cat", "ann", "bob"]
    assert ("fail", "queue_full") in corner.completions()
    assert len(corner.store.handled) == 2


def test_a_line_for_nobody_refuses_whoever_finds_all_hands_full() -> None:
    corner = Corner(capacity=1, queue_bound=0)
    for moment, name in ((0, "ann"), (WORK - 1, "bob"), (WORK, "cat")):
        corner.at(moment, name)
    corner.run()
    assert [(who, what) for _, who, what in corner.heard] == [
        ("bob", "refused"),
        ("ann", "answer 1"),
        ("cat", "answer 2"),
    ]


def test_busy_time_is_counted_in_hands() -> None:
    corner = Corner(capacity=2)
    for name in ("ann", "bob", "cat"):
        corner.at(0, name)
    corner.run()
    assert corner.replica.utilisation_us() == 3 * WORK
    assert corner.replica.busy == 0


# -- the throttle


def test_a_throttle_lets_a_burst_pass_and_refuses_the_next() -> None:
    corner = Corner(throttle={"per_s": 10.0, "burst": 2})
    for name in ("ann", "bob", "cat"):
        corner.at(0, name)
    corner.at(100 * MS, "dot")
    corner.run()
    assert [(who, what) for _, who, what in corner.heard] == [
        ("cat", "refused"), ("ann", "answer 1"), ("bob", "answer 2"), ("dot", "answer 3"),
    ]  # fmt: skip
    assert ("fail", "throttled") in corner.completions()


def test_a_throttle_is_for_each_verb_and_that_of_the_account_for_all() -> None:
    corner = Corner(throttle={"per_s": 1.0, "burst": 1}, account_throttle={"per_s": 1.0, "burst": 2})
    corner.at(0, "ann", reserve("ann"))
    corner.at(1, "bob", reserve("bob"))
    corner.at(2, "cat", release("cat"))
    corner.at(3, "dot", release("dot"))
    corner.run()
    assert {who: what for _, who, what in corner.heard} == {
        "ann": "answer 1", "bob": "refused", "cat": "answer 2", "dot": "refused",
    }  # fmt: skip


def test_who_is_refused_by_the_account_pays_no_token_of_the_verb() -> None:
    corner = Corner(throttle={"per_s": 0.001, "burst": 2}, account_throttle={"per_s": 1.0, "burst": 1})
    for moment in (0, 1, 1_100 * MS):
        corner.at(moment, f"at {moment}")
    corner.run()
    assert [what for *_, what in corner.heard] == ["refused", "answer 1", "answer 2"]
    assert ("fail", "account_throttled") in corner.completions()


@pytest.mark.parametrize(("now_us", "is_there"), [(99_999, False), (100_000, True)])
def test_a_token_comes_back_at_its_moment(now_us: int, is_there: bool) -> None:
    bucket = Bucket(Throttle(per_s=10.0, burst=1))
    assert bucket.holds(0)
    bucket.take()
    assert bucket.holds(now_us) == is_there


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = Bucket(Throttle(per_s=10.0, burst=2))
    assert passes(bucket, [10**9] * 5) == 2


def passes(bucket: Bucket, moments: list[int]) -> int:
    count = 0
    for moment in moments:
        if bucket.holds(moment):
            bucket.take()
            count += 1
    return count


@given(gaps=st.lists(st.integers(0, 300_000), max_size=60), burst=st.integers(1, 4), since=st.integers(0, 30))
def test_in_no_stretch_of_time_does_a_bucket_let_pass_more_than_it_may(gaps: list[int], burst: int, since: int) -> None:
    bucket, now, passed = Bucket(Throttle(per_s=10.0, burst=burst)), 0, list[int]()
    for gap in gaps:
        now += gap
        passed += [now] * passes(bucket, [now])
    stretch = passed[since:]
    if stretch:
        assert len(stretch) <= burst + (stretch[-1] - stretch[0]) / 100_000


# -- deadlines


def test_an_answer_at_the_deadline_is_heard() -> None:
    corner = Corner()
    corner.at(0, "ann", timeout_us=TRIP)
    corner.run()
    assert corner.heard == [(TRIP, "ann", "answer 1")]


def test_an_answer_after_the_deadline_is_silence_and_the_deed_is_done() -> None:
    corner = Corner()
    corner.at(0, "ann", timeout_us=TRIP - 1)
    corner.run()
    assert corner.heard == [(TRIP - 1, "ann", "silence")]
    assert corner.store.handled == [(LEG + WORK, "ann")]
    assert corner.completions() == [("info", "silence")]


@pytest.mark.parametrize("service", [{}, {"capacity": 4}], ids=["open", "with hands"])
def test_a_late_answer_is_not_taken_for_the_answer_to_the_next_ask(service: dict[str, Any]) -> None:
    corner = Corner(operations={"release": constant(30 * MS)}, **service)
    corner.at(0, "ann", release("first"), reserve("second"), timeout_us=25 * MS)
    corner.run()
    assert corner.heard == [(25 * MS, "ann", "silence"), (25 * MS + TRIP, "ann", "answer 2")]
    assert [who for _, who in corner.store.handled] == ["first", "second"]


def test_who_waits_in_line_for_too_long_hears_silence_and_is_served_all_the_same() -> None:
    corner = Corner(capacity=1)
    for name in ("ann", "bob"):
        corner.at(0, name, timeout_us=15 * MS)
    corner.run()
    assert corner.heard == [(TRIP, "ann", "answer 1"), (15 * MS, "bob", "silence")]
    assert len(corner.store.handled) == 2


def test_the_dead_hear_nothing() -> None:
    corner = Corner()
    task = corner.at(0, "ann")
    corner.kernel.after(5 * MS, corner.performer.kill, task)
    corner.run()
    assert (corner.heard, corner.ended) == ([], [(5 * MS, "ann", "killed")])
    assert len(corner.store.handled) == 1, "what was asked lives on"
    assert corner.completions() == []


# -- bad days


def test_whoever_is_down_loses_those_who_wait_and_what_is_in_hand() -> None:
    fault = {"kind": "down", "from": f"{5 * MS} us", "for": f"{50 * MS} us"}
    corner = Corner([fault], capacity=1)
    for moment, name in ((0, "in hand"), (1, "waits"), (20 * MS, "comes"), (60 * MS, "later")):
        corner.at(moment, name, timeout_us=30 * MS)
    corner.run()
    assert {who: what for _, who, what in corner.heard} == {
        "in hand": "silence", "waits": "silence", "comes": "silence", "later": "answer 1",
    }  # fmt: skip
    assert [who for _, who in corner.store.handled] == ["later"]
    assert corner.replica.busy == 0
    assert corner.faults[0].strikes >= 2


def test_a_silence_ends_at_the_deadline() -> None:
    corner = Corner([{"kind": "lose_ask", **ALWAYS}])
    corner.at(0, "ann", timeout_us=70 * MS)
    corner.run()
    assert corner.heard == [(70 * MS, "ann", "silence")]
    assert corner.store.handled == []


def test_a_lost_answer_leaves_the_deed_done() -> None:
    corner = Corner([{"kind": "lose_answer", **ALWAYS}])
    corner.at(0, "ann", timeout_us=70 * MS)
    corner.run()
    assert corner.heard == [(70 * MS, "ann", "silence")]
    assert corner.store.handled == [(LEG + WORK, "ann")]


def test_a_slow_service_takes_so_many_times_as_long_and_so_much_more() -> None:
    corner = Corner([{"kind": "slow", "factor": 3.0, "add": constant(7 * MS)}])
    corner.at(0, "ann")
    corner.run()
    assert corner.heard == [(2 * LEG + 3 * WORK + 7 * MS, "ann", "answer 1")]


def test_a_fault_strikes_in_its_window_and_only_there() -> None:
    corner = Corner([{"kind": "slow", "factor": 2.0, "from": "20 ms", "until": "40 ms"}])
    for moment in (0, 25 * MS, 45 * MS):
        corner.at(moment, str(moment))
    corner.run()
    assert [at - int(who) for at, who, _ in corner.heard] == [TRIP, TRIP + WORK, TRIP]
    assert [(row.answer, row.time) for row in corner.history if row.kind == "fault"] == [
        ("injected", 20 * MS), ("witnessed", 26 * MS), ("recovered", 40 * MS),
    ]  # fmt: skip


def test_a_fault_of_one_operation_leaves_the_others_alone() -> None:
    corner = Corner([{"kind": "lose_ask", "operation": "release", **ALWAYS}])
    corner.at(0, "ann", release("ann"), reserve("ann"))
    corner.run()
    assert [what for *_, what in corner.heard] == ["silence", "answer 1"]


def test_a_fault_can_strike_the_nth_and_so_often_and_no_more() -> None:
    corner = Corner([{"kind": "lose_ask", "nth": 2}, {"kind": "lose_answer", "at_most": 1, **ALWAYS}])
    for number in range(4):
        corner.at(number * MS, str(number))
    corner.run()
    silent = sorted(who for _, who, what in corner.heard if what == "silence")
    assert silent == ["0", "1"]
    assert [made.strikes for made in corner.faults] == [1, 1]


def test_a_copy_is_done_again_and_heard_by_nobody() -> None:
    corner = Corner([{"kind": "duplicate", "after": constant(40 * MS), **ALWAYS}])
    corner.at(0, "ann")
    corner.run()
    assert corner.store.handled == [(LEG + WORK, "ann"), (LEG + WORK + 40 * MS, "ann")]
    assert corner.heard == [(TRIP, "ann", "answer 1")]
    assert corner.completions() == [("ok", "str")]


def test_a_copy_that_is_refused_is_not_taken_for_a_refusal_of_the_first() -> None:
    corner = Corner([{"kind": "duplicate", "after": constant(5 * MS), **ALWAYS}], throttle={"per_s": 1.0, "burst": 1})
    corner.at(0, "ann")
    corner.run()
    assert corner.heard == [(TRIP, "ann", "answer 1")]


def test_a_copy_that_comes_after_a_restart_does_not_revive_what_was_in_hand() -> None:
    down = {"kind": "down", "from": "5 ms", "until": "7 ms"}
    corner = Corner([down, {"kind": "duplicate", "after": constant(8 * MS), **ALWAYS}], capacity=1)
    corner.at(0, "ann")
    corner.run()
    assert corner.store.handled == [(LEG + 8 * MS + WORK, "ann")]
    assert corner.replica.busy == 0


def test_every_ask_ends_once() -> None:
    faults = [{"kind": kind, "probability": 0.3} for kind in ("lose_ask", "lose_answer", "duplicate")] + [
        {"kind": "down", "from": "200 ms", "for": "50 ms"}
    ]
    corner = Corner(faults, capacity=2, queue_bound=3, throttle={"per_s": 50.0, "burst": 5})
    for number in range(100):
        corner.at(number * 5 * MS, str(number), timeout_us=60 * MS)
    corner.run()
    assert sorted(int(who) for _, who, _ in corner.heard) == list(range(100))
    invoked = [row.index for row in corner.history if row.kind == "invoke"]
    assert sorted(row.cause for row in corner.history if row.kind in ("ok", "fail", "info")) == invoked
    assert corner.replica.busy >= 0
    assert all(moment - 5 * MS * int(who) <= PATIENT for moment, who, _ in corner.heard)
