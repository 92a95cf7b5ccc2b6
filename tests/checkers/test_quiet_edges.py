"""Promises about how it ends, and about pressure, from both sides of their edges."""

from __future__ import annotations

import pytest

from orderquake.sim.checkers.columns import exactly_once
from tests.checkers.histories import LIMITS, SECOND, Story, good_day
from tests.checkers.judging import objectors, status, verdict

# -- ends, books, snapshots, notices


@pytest.mark.parametrize(("ends_after_us", "expected"), [(-1, "unknown"), (0, "invalid"), (1, "invalid")])
def test_an_order_pending_at_the_moment_by_which_all_must_be_over_is_too_late(
    ends_after_us: int, expected: str
) -> None:
    story = good_day()
    story.register("finn", bowl=1)
    story.quiet(within=60)
    story.now += 60 * SECOND + ends_after_us - SECOND
    assert status("every_order_ends", story.end("cut_short")) == expected


@pytest.mark.parametrize(("late_us", "expected"), [(0, "valid"), (1, "invalid")])
def test_an_order_that_ends_at_that_very_moment_is_in_time(late_us: int, expected: str) -> None:
    story = Story()
    story.register("finn", bowl=1)
    story.quiet(within=60)
    story.now += 60 * SECOND + late_us
    story.move("finn", "cancelled")
    assert status("every_order_ends", story.end("cut_short")) == expected


@pytest.mark.parametrize(("dead", "expected"), [("order_cache", "valid"), ("record", "invalid")])
def test_an_order_that_ends_late_is_excused_by_the_death_of_what_it_needs(dead: str, expected: str) -> None:
    story = Story()
    story.register("finn", bowl=1)
    story.quiet(within=60)
    story.kill(dead)
    story.wait(61)
    story.move("finn", "cancelled")
    assert status("every_order_ends", story.end()) == expected


def test_an_accepted_order_that_no_row_mentions_again_has_not_ended() -> None:
    story = Story()
    story.row("submit", kind="ok", key="ann", order="ann", answer="registered", witness="outside")
    assert status("every_order_ends", story.end()) == "invalid"


def test_one_unit_left_pinned_keeps_the_books_apart() -> None:
    story = good_day()
    story.quiet()
    for order in ("eve", "bob"):
        story.sync_up(order)
    story.refresh()
    story.register("finn", bowl=1)
    story.hold("finn")
    story.pin("finn")
    assert "bowl: 1 units are still held or pinned" in verdict("books_converge", story.end()).reason


@pytest.mark.parametrize(("dead", "expected"), [("record", "unknown"), ("stock", "unknown"), ("payment", "invalid")])
def test_books_that_differ_are_excused_by_the_death_of_either(dead: str, expected: str) -> None:
    story = Story()
    story.receipt("mug", 1)
    story.kill(dead)
    assert status("books_converge", story.end()) == expected


@pytest.mark.parametrize(("dead", "expected"), [("order_cache", "unknown"), ("payment", "invalid")])
def test_a_base_that_was_lost_is_not_built_again_without_the_open_orders(dead: str, expected: str) -> None:
    story = good_day()
    story.lose_the_cache()
    story.kill(dead)
    assert status("books_converge", story.end()) == expected


@pytest.mark.parametrize(
    ("dead", "answer", "expected"),
    [
        (["notice"], "rejected", "unknown"),
        (["notice"], "", "invalid"),
        (["notice", "record"], "", "unknown"),
        ([], "rejected", "invalid"),
    ],
)
def test_goods_left_unseen_where_nobody_could_have_told_of_it(dead: list[str], answer: str, expected: str) -> None:
    story = Story()
    story.register("ann", mug=1)
    story.pay("ann")
    story.reserve("ann")
    story.fulfil("ann")
    if answer:
        story.post("ann", answer=answer, is_new=False)
    for service in dead:
        story.kill(service)
    assert status("refunded_right", story.end()) == expected


@pytest.mark.parametrize(("dead", "expected"), [("payment", "unknown"), ("stock", "invalid")])
@pytest.mark.parametrize("is_paid_again", [False, True])
def test_a_refund_that_failed_is_not_posted_before_somebody_has_paid_again(
    dead: str, expected: str, is_paid_again: bool
) -> None:
    story = Story()
    story.register("ann", mug=1)
    story.pay("ann")
    story.pay_back("ann")
    story.row("refund_failed", order="ann", key="ann/refund/1", amount=story.total("ann"), witness="outside")
    story.move("ann", "refund_pending")
    if is_paid_again:
        story.move("ann", "refunded")
    story.kill(dead)
    history = story.end()
    assert status("posted_once", history) == ("invalid" if is_paid_again else expected)
    assert exactly_once(history).posted == ("invalid" if is_paid_again else expected)


@pytest.mark.parametrize(("version", "expected"), [(1, "invalid"), (2, "valid"), (3, "invalid")])
def test_the_same_snapshot_may_come_twice_and_an_older_or_unheard_of_one_may_not(version: int, expected: str) -> None:
    story = Story()
    story.receipt("mug", 1)
    story.receipt("mug", 1)
    story.rebase("mug")
    story.rebase("mug", version=version, on_hand=7 if version == 2 else 6)
    assert status("fresh_snapshots_only", story.history) == expected


@pytest.mark.parametrize(("on_hand", "expected"), [(5, "invalid"), (6, "valid"), (7, "invalid")])
def test_a_base_is_what_the_record_had_to_the_unit(on_hand: int, expected: str) -> None:
    story = Story()
    story.receipt("mug", 1)
    story.rebase("mug", on_hand=on_hand)
    assert status("fresh_snapshots_only", story.history) == expected


def test_a_snapshot_that_is_ignored_moves_nothing() -> None:
    story = good_day()
    base = dict(story.base), dict(story.base_v)
    story.rebase("mug", version=0, answer="ignored", units=0, is_new=False)
    story.base, story.base_v = base
    assert objectors(story.finish()) == set()


def test_a_new_epoch_may_begin_with_any_snapshot() -> None:
    story = Story()
    story.receipt("mug", 1)
    story.rebase("mug")
    story.lose_the_cache()
    story.rebase("mug", version=0, on_hand=5)
    assert status("fresh_snapshots_only", story.history) == "valid"


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        ("declined", "refunded", "valid"),
        ("fulfilled", "refunded", "invalid"),
        ("fulfilled", "fulfilled", "invalid"),
        ("refunded", "fulfilled", "invalid"),
    ],
)
def test_a_customer_is_told_one_end_unless_the_money_came_late(first: str, then: str, expected: str) -> None:
    story = Story()
    story.register("ann", mug=1)
    story.move("ann", first)
    story.tell("ann")
    story.move("ann", then)
    story.tell("ann")
    assert status("notices_sent", story.end()) == expected


def test_a_customer_is_not_told_what_has_not_been_decided() -> None:
    story = Story()
    story.register("ann", mug=1)
    story.tell("ann", "fulfilled")
    assert "but it had not come to that" in verdict("notices_sent", story.history).reason


def test_a_notice_sent_twice_by_mistake_and_delivered_once_is_one_notice() -> None:
    story = good_day()
    story.tell("ann", is_new=False)
    assert objectors(story.finish()) == set()


# -- pressure


@pytest.mark.parametrize(("attempts", "expected"), [(2, "valid"), (3, "valid"), (4, "invalid")])
def test_an_ask_is_tried_as_often_as_allowed_and_not_once_more(attempts: int, expected: str) -> None:
    story = Story(max_attempts=LIMITS["max_attempts"])
    for attempt in range(attempts):
        story.row("charge", kind="invoke", order="ann", attempt=attempt)
    assert status("backpressure_bounded", story.history) == expected


@pytest.mark.parametrize(("gap_us", "expected"), [(SECOND, "valid"), (SECOND - 1, "invalid")])
def test_a_throttle_lets_a_burst_through_and_then_its_rate_exactly(gap_us: int, expected: str) -> None:
    story = Story(throttles={"payment": {"per_s": 1, "burst": 2}})
    for pause in (0, 0, gap_us, SECOND, SECOND):
        story.now += pause
        story.admit("charge")
    assert status("backpressure_bounded", story.history) == expected


def test_a_long_rest_earns_no_more_than_one_burst() -> None:
    story = Story(throttles={"payment": {"per_s": 1, "burst": 2}})
    for pause in (0, 60, 0):
        story.wait(pause)
        story.admit("charge")
    assert status("backpressure_bounded", story.history) == "valid"
    story.admit("charge")
    assert status("backpressure_bounded", story.history) == "invalid"


def test_an_account_counts_all_verbs_together() -> None:
    story = Story(account_throttles={"payment": {"per_s": 1, "burst": 3}})
    for verb in ("charge", "refund", "charge"):
        story.admit(verb)
    assert status("backpressure_bounded", story.history) == "valid"
    story.admit("refund")
    assert status("backpressure_bounded", story.history) == "invalid"


def test_charges_and_refunds_have_a_throttle_each() -> None:
    story = Story(throttles={"payment": {"per_s": 1, "burst": 2}})
    for verb in ("charge", "charge", "refund", "refund"):
        story.admit(verb)
    assert status("backpressure_bounded", story.history) == "valid"
