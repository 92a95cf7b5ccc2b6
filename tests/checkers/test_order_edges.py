"""Promises about money and orders from both sides of their edges: just right beside just wrong."""

from __future__ import annotations

import pytest

from tests.checkers.histories import Story, good_day
from tests.checkers.judging import objectors, status, verdict

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


def test_a_refund_that_has_to_be_made_again_is_posted_as_the_one_refund_it_is() -> None:
    story = Story()
    story.register("ann", mug=1)
    story.pay("ann")
    story.pay_back("ann")
    story.move("ann", "refund_pending")
    story.post("ann", to_state="refunded", amount=0)
    story.move("ann", "refunded")
    assert status("posted_once", story.end()) == "valid"


def test_a_late_charge_of_a_declined_order_is_paid_back_and_posted_as_refunded() -> None:
    story = Story()
    story.register("ann", mug=1)
    story.move("ann", "charging")
    story.move("ann", "declined")
    story.tell("ann")
    story.capture("ann")
    story.pay_back("ann")
    story.tell("ann")
    assert objectors(story.finish()) == set()
    assert status("posted_once", story.history) == "valid"


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


@pytest.mark.parametrize(("has_failed", "expected"), [(False, "invalid"), (True, "valid")])
def test_a_refunded_order_is_reopened_only_after_its_refund_failed(has_failed: bool, expected: str) -> None:
    story = Story()
    story.register("ann", mug=1)
    story.pay("ann")
    story.pay_back("ann")
    if has_failed:
        story.row("refund_failed", order="ann", amount=story.total("ann"), debit="provider", credit="customer")
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
