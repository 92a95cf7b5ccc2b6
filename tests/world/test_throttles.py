"""Throttles that refuse, throttles that keep waiting, and waiters who leave. Moments are added up by hand."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world.corner import LEG, MS, TRIP, WORK, Corner, constant, release, reserve

TOKEN = 100 * MS
"""Between two tokens of a throttle of ten a second."""
SHAPER = {"per_s": 10.0, "burst": 2, "kind": "shaper"}


def told(corner: Corner) -> dict[str, tuple[int, str]]:
    return {who: (moment, what) for moment, who, what in corner.heard}


def passed(corner: Corner) -> list[tuple[int, str]]:
    """When the throttles let whom pass."""
    return [(row.time, row.order) for row in corner.history if row.operation == "admitted"]


# -- shapers


def test_a_shaper_lets_a_burst_pass_and_spaces_the_rest() -> None:
    corner = Corner(throttle=SHAPER)
    for number in range(5):
        corner.at(number, str(number))
    corner.run()
    assert passed(corner) == [
        (LEG, "0"),
        (LEG + 1, "1"),
        (LEG + TOKEN, "2"),
        (LEG + 2 * TOKEN, "3"),
        (LEG + 3 * TOKEN, "4"),
    ]
    assert told(corner)["4"] == (TRIP + 3 * TOKEN, "answer 5")


def test_a_policer_is_what_a_throttle_is_unless_told_otherwise() -> None:
    corner = Corner(throttle={"per_s": 10.0, "burst": 2})
    for number in range(3):
        corner.at(number, str(number))
    corner.run()
    assert told(corner)["2"] == (2 + 2 * LEG, "refused")


def test_a_full_shaper_refuses_at_once() -> None:
    corner = Corner(throttle={**SHAPER, "burst": 1, "queue_bound": 2})
    for number in range(4):
        corner.at(0, str(number))
    corner.run()
    assert told(corner)["3"] == (2 * LEG, "refused")
    assert ("fail", "throttled") in corner.completions()
    assert [who for _, who in passed(corner)] == ["0", "1", "2"]


def test_each_verb_has_a_line_of_its_own() -> None:
    corner = Corner(throttle={**SHAPER, "burst": 1})
    for who, ask in (("a", reserve), ("b", reserve), ("c", reserve), ("d", release)):
        corner.at(0, who, ask(who))
    corner.run()
    assert passed(corner) == [(LEG, "a"), (LEG, "d"), (LEG + TOKEN, "b"), (LEG + 2 * TOKEN, "c")]


def test_an_account_that_shapes_has_one_line_for_all() -> None:
    corner = Corner(account_throttle={**SHAPER, "burst": 1, "queue_bound": 2})
    for who, ask in (("a", reserve), ("b", release), ("c", reserve), ("d", release)):
        corner.at(0, who, ask(who))
    corner.run()
    assert passed(corner) == [(LEG, "a"), (LEG + TOKEN, "b"), (LEG + 2 * TOKEN, "c")]
    assert ("fail", "account_throttled") in corner.completions()


def test_where_both_shape_whoever_came_first_gets_the_accounts_next_token() -> None:
    corner = Corner(throttle={**SHAPER, "per_s": 5.0, "burst": 1}, account_throttle={**SHAPER, "burst": 1})
    for who, ask in (("a", reserve), ("b", reserve), ("c", release), ("d", release)):
        corner.at(0, who, ask(who))
    corner.run()
    # b waits 200 ms for its own token, so c has the account's at 100 ms; d has its own at 300 ms.
    assert passed(corner) == [(LEG, "a"), (LEG + TOKEN, "c"), (LEG + 2 * TOKEN, "b"), (LEG + 3 * TOKEN, "d")]


def test_behind_a_shaper_the_accounts_policer_refuses_when_the_turn_has_come() -> None:
    corner = Corner(throttle={**SHAPER, "burst": 1}, account_throttle={"per_s": 1.0, "burst": 1})
    corner.at(0, "a")
    corner.at(0, "b")
    corner.run()
    assert told(corner)["b"] == (2 * LEG + TOKEN, "refused")
    assert ("fail", "account_throttled") in corner.completions()


def test_who_stops_waiting_leaves_the_ask_in_the_shaper() -> None:
    corner = Corner(throttle={**SHAPER, "burst": 1})
    corner.at(0, "a")
    corner.at(0, "b", timeout_us=50 * MS)
    corner.run()
    assert told(corner)["b"] == (50 * MS, "silence")
    assert corner.store.handled[1] == (LEG + TOKEN + WORK, "b")


def test_what_waits_at_a_shaper_is_lost_when_the_service_goes_down_and_pays_nothing() -> None:
    down = {"kind": "down", "from": "50 ms", "until": "60 ms"}
    corner = Corner([down], throttle={**SHAPER, "burst": 1})
    for who in ("a", "b", "c"):
        corner.at(0, who, timeout_us=500 * MS)
    corner.at(TOKEN, "later")
    corner.run()
    assert told(corner) == {
        "a": (TRIP, "answer 1"),
        "b": (500 * MS, "silence"),
        "c": (500 * MS, "silence"),
        "later": (TOKEN + TRIP, "answer 2"),
    }


def test_whoever_has_passed_the_shaper_waits_for_a_hand_like_anybody() -> None:
    corner = Corner(throttle=SHAPER, capacity=1, operations={"reserve": constant(150 * MS)})
    for who in ("a", "b", "c"):
        corner.at(0, who)
    corner.run()
    assert [moment for moment, _ in told(corner).values()] == [2 * LEG + turn * 150 * MS for turn in (1, 2, 3)]


@given(
    gaps=st.lists(st.integers(0, 300) | st.just(0), min_size=1, max_size=40),
    burst=st.integers(1, 4),
    account=st.none() | st.fixed_dictionaries({"per_s": st.sampled_from([7.0, 20.0]), "burst": st.integers(1, 3)}),
    verbs=st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_a_shaper_never_reorders_a_verb_loses_nobody_and_keeps_its_rate(
    gaps: list[int], burst: int, account: dict[str, Any] | None, verbs: list[bool]
) -> None:
    both: dict[str, Any] = {"throttle": {**SHAPER, "burst": burst}}
    if account is not None:
        both["account_throttle"] = {**account, "kind": "shaper"}
    corner = Corner(**both)
    now = 0
    for number, gap in enumerate(gaps):
        now += gap * MS
        who = str(number)
        corner.at(now, who, release(who) if verbs[number] else reserve(who), timeout_us=100_000 * MS)
    corner.run(1_000_000 * MS)
    rows = [row for row in corner.history if row.operation == "admitted"]
    assert sorted(int(who) for _, who, what in corner.heard if what != "silence") == list(range(len(gaps)))
    for verb in ("reserve", "release"):
        moments = [row.time for row in rows if row.key == verb]
        assert in_turn(int(row.op_id.split("#")[0]) for row in rows if row.key == verb)
        assert within(moments, 10.0, burst)
    if account is not None:
        assert within([row.time for row in rows], account["per_s"], account["burst"])


def in_turn(numbers: Iterable[int]) -> bool:
    return all(sooner < later for sooner, later in pairwise(numbers))


def within(moments: list[int], per_s: float, burst: int) -> bool:
    """In no window more than burst + rate * length."""
    return all(
        last - first + 1 <= burst + (moments[last] - moments[first]) / 1_000_000 * per_s + 1e-9
        for first in range(len(moments))
        for last in range(first, len(moments))
    )


# -- leaving the line


def test_who_waits_too_long_for_a_hand_leaves_and_is_told_that_nothing_was_done() -> None:
    corner = Corner(capacity=1, queue_patience=constant(15 * MS))
    for who in ("a", "b", "c", "d"):
        corner.at(0, who)
    corner.run()
    assert told(corner) == {
        "a": (TRIP, "answer 1"),
        "b": (TRIP + WORK, "answer 2"),
        "c": (LEG + 15 * MS + LEG, "refused"),
        "d": (LEG + 15 * MS + LEG, "refused"),
    }
    assert corner.completions().count(("fail", "reneged")) == 2
    assert [who for _, who in corner.store.handled] == ["a", "b"]
    assert corner.replica.busy == 0


def test_who_leaves_makes_room_in_the_line() -> None:
    corner = Corner(capacity=1, queue_bound=1, queue_patience=constant(2 * MS))
    for moment, who in ((0, "a"), (0, "b"), (1 * MS, "c"), (3 * MS, "d")):
        corner.at(moment, who)
    corner.run()
    assert ("fail", "queue_full") in corner.completions()
    assert told(corner)["c"] == (1 * MS + 2 * LEG, "refused")
    assert told(corner)["d"] == (3 * MS + 2 * MS + 2 * LEG, "refused"), "there was room, and then no patience"


def test_who_leaves_from_the_middle_lets_the_others_keep_their_order() -> None:
    corner = Corner(seed=5, capacity=1, queue_patience={"kind": "uniform", "low": "1 ms", "high": "80 ms"})
    for number in range(12):
        corner.at(number, str(number))
    corner.run()
    done = [int(who) for _, who in corner.store.handled]
    assert in_turn(done)
    assert 1 < len(done) < 12
    gone = [int(who) for _, who, what in corner.heard if what == "refused"]
    assert sorted(done + gone) == list(range(12))
    assert not in_turn(gone), "patience is everybody's own"


def test_whoever_is_being_served_does_not_leave() -> None:
    corner = Corner(capacity=1, queue_patience=constant(1 * MS))
    corner.at(0, "a")
    corner.run()
    assert told(corner) == {"a": (TRIP, "answer 1")}


def test_what_was_lost_with_the_service_does_not_leave_the_line_as_well() -> None:
    down = {"kind": "down", "from": "5 ms", "until": "6 ms"}
    corner = Corner([down], capacity=1, queue_patience=constant(20 * MS))
    for who in ("a", "b"):
        corner.at(0, who, timeout_us=100 * MS)
    corner.run()
    assert told(corner) == {"a": (100 * MS, "silence"), "b": (100 * MS, "silence")}


def test_a_copy_waits_in_line_beside_the_first() -> None:
    copies = {"kind": "duplicate", "after": constant(0), "probability": 1.0}
    corner = Corner([copies], capacity=1)
    corner.at(0, "a")
    corner.run()
    assert [who for _, who in corner.store.handled] == ["a", "a"]
    assert corner.replica.busy == 0


@pytest.mark.parametrize("patience", [constant(0), {"kind": "exponential", "mean": "5 ms"}], ids=["none", "some"])
def test_every_ask_is_answered_or_refused_once(patience: dict[str, Any]) -> None:
    corner = Corner(capacity=2, queue_bound=5, queue_patience=patience, throttle={**SHAPER, "per_s": 300.0})
    for number in range(200):
        corner.at(number * 3 * MS, str(number))
    corner.run()
    assert sorted(int(who) for _, who, _ in corner.heard) == list(range(200))
    assert not any(what == "silence" for *_, what in corner.heard)
    assert not corner.replica.waiting
