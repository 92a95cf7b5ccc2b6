"""Each promise from both sides of its edge: what is just right beside what is just wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orderquake.sim.checkers import CHECKERS, all_checkers
from orderquake.sim.checkers.fold import Verdict, judge
from orderquake.sim.history import History
from tests.checkers.histories import LIMITS, SECOND, TTL, Story, good_day


def verdict(name: str, history: History) -> Verdict:
    return judge(history, [CHECKERS[name]()])[name]


def status(name: str, history: History) -> str:
    return verdict(name, history).status


def objectors(history: History) -> set[str]:
    return {name for name, found in judge(history, all_checkers()).items() if found.status == "invalid"}


# -- never_oversold


@pytest.mark.parametrize(("units", "expected"), [(1, "valid"), (2, "valid"), (3, "invalid")])
def test_the_last_unit_may_be_promised_and_the_next_may_not(units: int, expected: str) -> None:
    story = Story(opening={"mug": 5})
    story.buy("ann", mug=3)
    story.buy("bob", mug=units)
    assert status("never_oversold", story.finish()) == expected


def test_a_second_sku_of_a_basket_is_counted_too() -> None:
    story = Story(opening={"mug": 9, "bowl": 1})
    story.buy("ann", mug=1, bowl=1)
    story.buy("bob", mug=1, bowl=1)
    found = verdict("never_oversold", story.finish())
    assert found.status == "invalid"
    assert found.reason.startswith("bowl:")


def test_a_freed_unit_may_be_promised_again() -> None:
    story = Story(opening={"mug": 1})
    story.register("ann", mug=1)
    story.hold("ann")
    story.free("ann", answer="lapsed")
    story.buy("bob", mug=1)
    assert status("never_oversold", story.finish()) == "valid"


def test_units_shipped_and_contained_in_the_base_are_not_counted_against_it() -> None:
    story = Story(opening={"mug": 2})
    story.buy("ann", mug=1)
    story.sync_up("ann")
    story.refresh()
    story.buy("bob", mug=1)
    assert status("never_oversold", story.finish()) == "valid"


def test_units_contained_in_the_base_and_not_yet_dropped_count_once() -> None:
    story = Story(opening={"mug": 2})
    story.buy("ann", mug=1)
    story.sync_up("ann")
    story.rebase("mug")  # contains ann's mug; the drop comes later
    story.buy("bob", mug=1)
    assert status("never_oversold", story.finish()) == "valid"


def test_a_commitment_dropped_when_its_post_is_acknowledged_is_still_a_promise() -> None:
    """The record has shipped it, the base does not know: dropping it now sells the unit twice."""
    story = Story(opening={"mug": 1})
    story.buy("ann", mug=1)
    story.sync_up("ann")
    story.drop("ann", "mug")
    story.buy("bob", mug=1)
    assert status("never_oversold", story.end()) == "invalid"


def test_a_base_that_is_overwritten_forgets_no_promise() -> None:
    story = Story(opening={"mug": 1})
    story.register("ann", mug=1)
    story.pay("ann")
    story.reserve("ann")
    story.refresh()
    story.buy("bob", mug=1)
    assert status("never_oversold", story.end()) == "invalid"


def test_an_older_base_is_judged_by_what_it_had() -> None:
    story = Story(opening={"mug": 1})
    story.receipt("mug", 1)
    story.refresh()
    story.buy("ann", mug=1)
    story.rebase("mug", version=0, on_hand=1)
    story.buy("bob", mug=1)
    assert status("never_oversold", story.end()) == "invalid"


def test_a_customer_told_twice_is_owed_the_goods_once() -> None:
    story = Story(opening={"mug": 1})
    story.buy("ann", mug=1)
    story.tell("ann")
    assert status("never_oversold", story.finish()) == "valid"


def consumed_after_it_lapsed(**limits: str) -> Story:
    """Ann's hold lapses, bob gets the unit, and ann's is consumed all the same: no grant is wrong, two are told."""
    story = Story(opening={"mug": 1}, **limits)
    story.register("ann", mug=1)
    story.pay("ann")
    story.reserve("ann")
    story.now += TTL
    story.free("ann", answer="lapsed")
    story.buy("bob", mug=1)
    story.move("ann", "fulfilled")
    return story


@pytest.mark.parametrize("pool", ["ring_fenced", "shared"])
def test_two_customers_told_of_one_unit_are_too_many_though_each_grant_was_right(pool: str) -> None:
    story = consumed_after_it_lapsed(pool=pool)
    assert status("never_oversold", story.history) == "valid"
    story.tell("ann")
    found = verdict("never_oversold", story.history)
    assert found.status == "invalid"
    assert "1 units fewer than customers were told" in found.reason


@pytest.mark.parametrize(
    ("pool", "when", "expected"),
    [
        ("shared", "after the grant", "valid"),
        ("shared", "known to the grant", "invalid"),
        ("ring_fenced", "after the grant", "invalid"),
    ],
)
def test_another_channel_excuses_only_what_the_last_grant_could_not_know(pool: str, when: str, expected: str) -> None:
    story = Story(opening={"mug": 2}, pool=pool)
    if when == "known to the grant":
        story.foreign_sale("mug", 1)
        story.rebase("mug", on_hand=1)
    story.buy("ann", mug=1)
    if when == "after the grant":
        story.foreign_sale("mug", 2)
    else:
        story.register("bob", mug=1)
        story.tell("bob", "fulfilled")
    assert status("never_oversold", story.history) == expected


@pytest.mark.parametrize("pool", ["ring_fenced", "shared"])
def test_what_shrinks_away_under_a_promise_is_a_shortfall_and_not_an_oversell(pool: str) -> None:
    story = Story(opening={"mug": 1}, pool=pool)
    story.buy("ann", mug=1)
    story.correction("mug", -1)
    assert status("never_oversold", story.history) == "valid"


def rebuilt(*, adopts: bool, posts_before_the_base: bool) -> Story:
    """Ann's mug is pinned when the cache loses everything; two are left to sell only if she is forgotten."""
    story = Story(opening={"mug": 2})
    story.buy("ann", mug=1)
    story.lose_the_cache()
    if adopts:
        story.adopt("ann")
    if posts_before_the_base:
        story.sync_up("ann")
    story.refresh()
    return story


@pytest.mark.parametrize("posts_before_the_base", [False, True])
def test_after_a_rebuild_exactly_what_is_left_may_be_promised(posts_before_the_base: bool) -> None:
    story = rebuilt(adopts=True, posts_before_the_base=posts_before_the_base)
    story.buy("bob", mug=1)
    assert objectors(story.finish()) == set()
    story = rebuilt(adopts=True, posts_before_the_base=posts_before_the_base)
    story.buy("bob", mug=2)
    assert status("never_oversold", story.finish()) == "invalid"


def test_a_rebuild_that_forgets_a_pinned_order_is_found_by_what_customers_were_told() -> None:
    story = rebuilt(adopts=False, posts_before_the_base=False)
    story.buy("bob", mug=2)
    assert status("never_oversold", story.finish()) == "invalid"


# -- reservation_hygiene


@pytest.mark.parametrize(("early_us", "expected"), [(1, "valid"), (0, "invalid"), (-1, "invalid")])
@pytest.mark.parametrize("operation", ["pin", "extend"])
def test_a_reservation_is_live_iff_now_is_before_its_deadline(operation: str, early_us: int, expected: str) -> None:
    story = Story()
    story.register("ann", mug=1, bowl=1)
    story.hold("ann")
    story.now += TTL - SECOND - early_us  # the step itself waits a second
    story.extend("ann") if operation == "extend" else story.pin("ann")
    if operation == "extend":
        story.pin("ann")
    assert status("reservation_hygiene", story.end()) == expected


def test_an_extended_reservation_lives_to_its_new_deadline_and_no_longer() -> None:
    for early_us, expected in ((1, "valid"), (0, "invalid")):
        story = Story()
        story.register("ann", mug=1)
        story.hold("ann")
        story.now += TTL // 2
        story.extend("ann")
        story.now += TTL - SECOND - early_us
        story.pin("ann")
        assert status("reservation_hygiene", story.end()) == expected


Step = Callable[[Story], object]
PIN: Step = lambda story: story.pin("ann")  # noqa: E731 - a table of steps reads better than six functions
FREE: Step = lambda story: story.free("ann")  # noqa: E731
FREE_PIN: Step = lambda story: story.free("ann", "cache.pinned")  # noqa: E731
DROP: Step = lambda story: story.drop("ann", "mug")  # noqa: E731
HOLD: Step = lambda story: story.hold("ann")  # noqa: E731
EXTEND: Step = lambda story: story.extend("ann")  # noqa: E731
ADOPT: Step = lambda story: story.adopt("ann")  # noqa: E731
LOSE: Step = lambda story: story.lose_the_cache()  # noqa: E731


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((HOLD, PIN, DROP), "valid"),
        ((HOLD, PIN, FREE_PIN), "valid"),
        ((HOLD, FREE), "valid"),
        ((HOLD, PIN, LOSE, ADOPT, DROP), "valid"),
        ((HOLD, PIN, DROP, LOSE, ADOPT), "valid"),
        ((HOLD, LOSE), "valid"),
        ((HOLD,), "invalid"),
        ((HOLD, PIN, PIN), "invalid"),
        ((HOLD, FREE, FREE), "invalid"),
        ((HOLD, FREE, PIN), "invalid"),
        ((HOLD, FREE, EXTEND), "invalid"),
        ((HOLD, PIN, EXTEND), "invalid"),
        ((HOLD, PIN, DROP, FREE_PIN), "invalid"),
        ((HOLD, PIN, DROP, DROP), "invalid"),
        ((HOLD, HOLD), "invalid"),
        ((PIN,), "invalid"),
        ((HOLD, PIN, ADOPT), "invalid"),
        ((HOLD, FREE, LOSE, ADOPT), "invalid"),
        ((HOLD, LOSE, PIN), "invalid"),
    ],
)
def test_a_reservation_is_used_and_let_go_once(steps: tuple[Step, ...], expected: str) -> None:
    story = Story()
    story.register("ann", mug=1)
    for step in steps:
        step(story)
    assert status("reservation_hygiene", story.end()) == expected


@pytest.mark.parametrize(("later_us", "longer_us", "expected"), [(0, 0, "valid"), (1, 0, "invalid"), (0, 1, "invalid")])
def test_the_lines_of_a_reservation_are_granted_together(later_us: int, longer_us: int, expected: str) -> None:
    story = Story()
    story.register("ann", mug=1)
    story.hold("ann", deadline=TTL)
    story.now += later_us
    story.row("hold", order="ann", key="ann/t", sku="bowl", units=1, deadline=TTL + longer_us, version=0)
    story.lines["ann"] = {"mug": 1, "bowl": 1}
    story.pin("ann")
    assert status("reservation_hygiene", story.end()) == expected


# -- money, charges and refunds


@pytest.mark.parametrize(("amount", "expected"), [(99, "invalid"), (100, "valid"), (101, "invalid")])
def test_the_till_is_right_to_the_penny(amount: int, expected: str) -> None:
    story = Story()
    story.register("ann", mug=1)
    story.move("ann", "charging")
    story.capture("ann", amount)
    story.move("ann", "paid")
    story.reserve("ann")
    story.fulfil("ann")
    story.tell("ann")
    assert status("money_conserved", story.end()) == expected


@pytest.mark.parametrize(("debit", "credit"), [("", "customer"), ("provider", ""), ("customer", "provider")])
def test_a_capture_that_misnames_an_account_does_not_balance(debit: str, credit: str) -> None:
    story = Story()
    story.register("ann", mug=1)
    story.capture("ann", debit=debit, credit=credit)
    assert status("money_conserved", story.end()) == "invalid"


@pytest.mark.parametrize(("booked", "expected"), [(100, "valid"), (0, "invalid"), (200, "invalid")])
def test_the_record_books_what_the_shop_keeps(booked: int, expected: str) -> None:
    story = Story()
    story.buy("ann", mug=1)
    story.post("ann", amount=booked)
    assert status("money_conserved", story.end()) == expected


def test_goods_given_away_for_nothing_are_missed_in_the_till() -> None:
    story = Story()
    story.register("ann", mug=1)
    story.move("ann", "fulfilled")
    assert status("money_conserved", story.end()) == "invalid"


def test_a_replayed_charge_is_no_second_charge() -> None:
    story = Story()
    story.register("ann", mug=1)
    story.capture("ann")
    story.capture("ann", is_new=False, debit="", credit="")
    assert status("charged_once", story.end()) == "valid"


def test_two_orders_may_each_be_charged_and_one_order_may_not_twice() -> None:
    story = Story()
    for order in ("ann", "bob"):
        story.register(order, mug=1)
        story.capture(order)
    assert verdict("charged_once", story.end()).obligations == 2
    story.capture("bob", key="bob/charge/2")
    found = verdict("charged_once", story.history)
    assert found.status == "invalid"
    assert len(found.witness) == 2


def test_what_was_fulfilled_is_not_paid_back_whichever_comes_first() -> None:
    for goods_first in (True, False):
        story = Story()
        story.register("ann", mug=1)
        story.capture("ann")
        if goods_first:
            story.tell("ann", "fulfilled")
        story.refund("ann")
        if not goods_first:
            story.tell("ann", "fulfilled")
        assert status("refunded_right", story.end()) == "invalid"


def test_a_replayed_refund_pays_nobody() -> None:
    story = good_day()
    story.refund("bob", is_new=False, debit="", credit="")
    assert objectors(story.finish()) == set()


@pytest.mark.parametrize(("dead", "expected"), [("payment", "unknown"), ("record", "invalid")])
def test_only_a_dead_provider_excuses_money_that_was_not_paid_back(dead: str, expected: str) -> None:
    story = Story()
    story.register("ann", mug=1)
    story.pay("ann")
    story.move("ann", "refund_pending")
    story.kill(dead)
    history = story.end()
    assert status("refunded_right", history) == expected
    assert status("money_conserved", history) == expected
    assert status("every_order_ends", history) == expected


# -- the record's book of orders


def test_a_duplicate_post_is_answered_and_not_booked() -> None:
    story = good_day()
    story.post("ann", is_new=False, answer="duplicate")
    assert objectors(story.finish()) == set()


def test_nothing_is_posted_before_it_has_ended() -> None:
    story = Story()
    story.register("ann", mug=1)
    story.pay("ann")
    story.post("ann", to_state="fulfilled")
    assert status("posted_once", story.history) == "invalid"


@pytest.mark.parametrize("ended", ["declined", "cancelled"])
def test_what_moved_neither_money_nor_goods_is_never_posted(ended: str) -> None:
    story = Story()
    story.register("ann", mug=1)
    story.move("ann", ended)
    assert status("posted_once", story.end()) == "unknown"
    story.post("ann")
    assert status("posted_once", story.history) == "invalid"


@pytest.mark.parametrize("units", [1, 3])
def test_a_post_ships_what_was_ordered_to_the_unit(units: int) -> None:
    story = Story()
    story.buy("ann", mug=2)
    story.post("ann")
    story.ship("ann", "mug", units=units)
    assert status("posted_once", story.history) == "invalid"


def test_a_post_ships_every_line() -> None:
    story = Story()
    story.buy("ann", mug=2, bowl=1)
    story.post("ann")
    story.ship("ann", "mug")
    assert status("posted_once", story.history) == "unknown"
    assert status("posted_once", story.end()) == "invalid"


def test_a_post_the_record_refuses_for_good_is_unknown_and_the_units_stay_with_a_reason() -> None:
    story = Story()
    story.buy("ann", mug=2)
    story.post("ann", answer="rejected", is_new=False)
    story.refresh()
    history = story.end()
    assert status("posted_once", history) == "unknown"
    assert status("books_converge", history) == "valid"


# -- transitions


def test_a_refunded_order_is_reopened_only_after_its_refund_failed() -> None:
    for says, expected in (("RefundMade", "invalid"), ("RefundMade failed", "valid")):
        story = Story()
        story.register("ann", mug=1)
        story.pay("ann")
        story.pay_back("ann")
        story.row("ask_refund", kind="ok", order="ann", answer=says)
        story.move("ann", "refund_pending")
        assert status("legal_transitions", story.history) == expected


def test_an_order_leaves_the_state_it_was_in() -> None:
    story = Story()
    story.register("ann", mug=1)
    story.move("ann", "cancelled", from_state="paid")
    assert "left 'paid', but it stood at 'registered'" in verdict("legal_transitions", story.history).reason


def test_reserve_first_fulfils_from_paid_and_pay_first_does_not() -> None:
    for policy, expected in (("reserve_first", "valid"), ("pay_first", "invalid")):
        story = Story(policy=policy)
        story.register("ann", mug=1)
        story.pay("ann")
        story.move("ann", "fulfilled")
        assert status("legal_transitions", story.history) == expected


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        (("posting", "posted"), "valid"),
        (("posting", "dead_letter"), "valid"),
        (("posted",), "invalid"),
        (("posting", "posted", "posting"), "invalid"),
        (("posting", "posting"), "invalid"),
    ],
)
def test_the_sync_of_an_order_goes_one_way(course: tuple[str, ...], expected: str) -> None:
    story = Story()
    story.buy("ann", mug=1)
    for to_state in course:
        story.move_sync("ann", to_state)
    assert status("legal_transitions", story.history) == expected


def test_only_what_is_fulfilled_or_refunded_is_posted() -> None:
    story = Story()
    story.register("ann", mug=1)
    story.move_sync("ann", "posting")
    assert status("legal_transitions", story.history) == "invalid"


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
        story.row("capture", order="ann", is_new=False)
    assert status("backpressure_bounded", story.history) == expected


def test_charges_and_refunds_have_a_throttle_each() -> None:
    story = Story(throttles={"payment": {"per_s": 1, "burst": 2}})
    for operation in ("capture", "decline", "refund", "refund"):
        story.row(operation, order="ann", is_new=False)
    assert status("backpressure_bounded", story.history) == "valid"


# -- where one promise implies another


def more_goes_back_than_was_taken() -> History:
    story = good_day()
    story.refund("bob", key="bob/refund/2")
    return story.finish()


def a_second_charge_is_kept() -> History:
    story = good_day()
    story.capture("eve", key="eve/charge/2")
    return story.finish()


def paid_and_forgotten() -> History:
    story = good_day()
    story.register("finn", bowl=1)
    story.pay("finn")
    return story.finish()


def pinned_after_it_was_freed() -> History:
    story = good_day()
    story.register("finn", bowl=1)
    story.pay("finn")
    story.reserve("finn")
    story.free("finn", answer="lapsed")
    story.fulfil("finn")
    story.tell("finn")
    return story.finish()


def posted_before_it_ended() -> History:
    story = good_day()
    story.register("finn", bowl=1)
    story.pay("finn")
    story.reserve("finn")
    story.pin("finn")
    story.move_sync("finn", "posting")
    story.post("finn", to_state="fulfilled", amount=100)
    story.ship("finn", "bowl")
    story.move_sync("finn", "posted")
    story.move("finn", "fulfilled")
    story.tell("finn")
    return story.finish()


def a_hold_is_left_over() -> History:
    story = good_day()
    story.register("finn", bowl=1)
    story.hold("finn")
    story.move("finn", "cancelled")
    story.tell("finn")
    return story.finish()


def the_oldest_base_is_the_last() -> History:
    story = good_day()
    story.finish()
    story.rebase("mug", version=0, on_hand=5)
    return story.history


IMPLIED = [
    (
        more_goes_back_than_was_taken,
        {"money_conserved", "refunded_right"},
        "a refund beyond the charges empties the till and answers no charge",
    ),
    (
        a_second_charge_is_kept,
        {"charged_once", "refunded_right", "money_conserved"},
        "a surplus charge is one too many, owed back, and in the till, until it is paid back",
    ),
    (
        paid_and_forgotten,
        {"every_order_ends", "refunded_right", "money_conserved"},
        "an order stuck after its charge has neither goods nor money back",
    ),
    (
        pinned_after_it_was_freed,
        {"reservation_hygiene", "units_conserved"},
        "a token that was let go has no units to pin",
    ),
    (
        posted_before_it_ended,
        {"posted_once", "legal_transitions"},
        "the sync of an order may begin only where its post may",
    ),
    (
        a_hold_is_left_over,
        {"reservation_hygiene", "books_converge"},
        "a unit held for ever is a commitment that no base will ever contain",
    ),
    (
        the_oldest_base_is_the_last,
        {"fresh_snapshots_only", "books_converge"},
        "a base that went back is not the record's latest, unless a newer one comes after it",
    ),
]
"""A history, who objects to it, and why they cannot be told apart there."""


@pytest.mark.parametrize(("build", "expected", "because"), IMPLIED)
def test_where_one_promise_implies_another_both_object(
    build: Callable[[], History], expected: set[str], because: str
) -> None:
    assert objectors(build()) == expected, because
