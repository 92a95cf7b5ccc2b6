"""A refund that failed is money that the shop has again and owes again: both sides of what the checkers make of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checkers.histories import Story
from tests.checkers.judging import objectors, status, verdict

MONEY = pytest.mark.parametrize("name", ["money_conserved", "refunded_right"])


def refunded() -> Story:
    """One order, paid back, told and posted."""
    story = Story()
    story.register("ann", mug=1)
    story.pay("ann")
    story.pay_back("ann")
    story.tell("ann")
    story.sync_up("ann")
    return story


def come_back(story: Story, order: str = "ann", **columns: Any) -> int:
    """A refund fails."""
    story.wait()
    filled = {
        "order": order,
        "key": f"{order}/refund/1",
        "amount": story.total(order),
        "debit": "provider",
        "credit": "customer",
        "witness": "outside",
    }
    return story.row("refund_failed", **filled | columns)


# -- innocent


@MONEY
def test_a_refund_that_failed_and_was_made_anew_is_right(name: str) -> None:
    story = refunded()
    come_back(story)
    story.pay_back("ann")
    assert objectors(story.finish()) == set()
    assert status(name, story.history) == "valid"


def test_a_refund_that_fails_before_anybody_believed_it_needs_no_reopening() -> None:
    story = Story()
    story.register("ann", mug=1)
    story.pay("ann")
    story.move("ann", "refund_pending")
    story.refund("ann")
    come_back(story)
    story.refund("ann", key="ann/refund/2")
    story.move("ann", "refunded")
    story.tell("ann")
    assert objectors(story.finish()) == set()


def test_a_refund_may_fail_as_often_as_it_likes() -> None:
    story = refunded()
    for _ in range(3):
        come_back(story)
        story.pay_back("ann")
    assert objectors(story.finish()) == set()
    assert verdict("refunded_right", story.history).obligations == 4


def test_a_surplus_charge_whose_refund_failed_goes_back_again() -> None:
    story = Story()
    story.buy("ann", mug=1)
    story.capture("ann", key="ann/charge/2")
    story.refund("ann")
    come_back(story)
    assert status("refunded_right", story.end()) == "invalid", "two charges stand, and one of them is owed"
    story.refund("ann", key="ch_2/settlement/1")
    assert [status(name, story.end()) for name in ("refunded_right", "money_conserved")] == ["valid", "valid"]


# -- guilty


@MONEY
def test_a_refund_that_failed_and_was_forgotten_is_missed(name: str) -> None:
    story = refunded()
    index = come_back(story)
    found = verdict(name, story.finish())
    assert found.status == "invalid"
    assert index in found.witness
    assert objectors(story.history) == {"money_conserved", "refunded_right"}


@MONEY
def test_a_refund_that_was_made_anew_although_it_had_arrived_is_one_too_many(name: str) -> None:
    story = refunded()
    story.refund("ann", key="ann/refund/2")
    assert status(name, story.finish()) == "invalid"


@MONEY
def test_one_failure_is_good_for_one_refund(name: str) -> None:
    story = refunded()
    come_back(story)
    story.pay_back("ann")
    story.refund("ann", key="ann/refund/3")
    assert status(name, story.finish()) == "invalid"


@MONEY
@pytest.mark.parametrize("amount", [99, 101])
def test_what_comes_back_is_what_went(name: str, amount: int) -> None:
    story = refunded()
    come_back(story, amount=amount)
    story.refund("ann", amount, key="ann/refund/2")
    assert (status(name, story.finish()) == "invalid") == (name == "refunded_right" or amount == 101)


@MONEY
def test_what_never_went_cannot_come_back(name: str) -> None:
    story = Story()
    story.register("ann", mug=1)
    story.pay("ann")
    come_back(story)
    found = verdict(name, story.finish())
    assert found.status == "invalid"
    assert "100 came back from order ann" in found.reason


@pytest.mark.parametrize(("debit", "credit"), [("", "customer"), ("provider", ""), ("customer", "provider")])
def test_a_failure_that_misnames_an_account_does_not_balance(debit: str, credit: str) -> None:
    story = refunded()
    come_back(story, debit=debit, credit=credit)
    story.pay_back("ann")
    assert status("money_conserved", story.finish()) == "invalid"


# -- where an order may go


def test_an_order_is_reopened_only_after_its_refund_has_failed() -> None:
    story = refunded()
    story.pay_back("ann")
    found = verdict("legal_transitions", story.finish())
    assert found.status == "invalid"
    assert "though no refund failed" in found.reason


def test_the_word_of_an_answer_is_no_failure() -> None:
    """Only the ledger says that a refund failed."""
    story = refunded()
    story.row("ask_refund", kind="ok", order="ann", answer="failed")
    story.pay_back("ann")
    assert status("legal_transitions", story.finish()) == "invalid"


def test_one_failure_reopens_an_order_once() -> None:
    story = refunded()
    come_back(story)
    story.pay_back("ann")
    story.pay_back("ann")
    assert status("legal_transitions", story.finish()) == "invalid"


def test_a_failure_that_was_made_good_before_the_order_was_refunded_reopens_nothing() -> None:
    story = Story()
    story.register("ann", mug=1)
    story.pay("ann")
    story.move("ann", "refund_pending")
    story.refund("ann")
    come_back(story)
    story.refund("ann", key="ann/refund/2")
    story.move("ann", "refunded")
    story.move("ann", "refund_pending")
    assert status("legal_transitions", story.history) == "invalid"


def test_a_failure_that_was_not_heard_of_before_the_order_was_refunded_reopens_it() -> None:
    """The key's old answer came back to somebody who asked again: the order is refunded although the refund is not."""
    story = Story()
    story.register("ann", mug=1)
    story.pay("ann")
    story.move("ann", "refund_pending")
    story.refund("ann")
    come_back(story)
    story.refund("ann", is_new=False, debit="", credit="")
    story.move("ann", "refunded")
    story.tell("ann")
    story.pay_back("ann")
    assert objectors(story.finish()) == set()


def test_another_orders_failure_reopens_nothing() -> None:
    story = refunded()
    story.register("bob", mug=1)
    story.pay("bob")
    story.pay_back("bob")
    come_back(story, "bob")
    story.move("ann", "refund_pending")
    assert status("legal_transitions", story.history) == "invalid"


# -- undecided, and empty


@MONEY
def test_a_history_that_ends_while_a_refund_is_owed_again_does_not_say(name: str) -> None:
    story = refunded()
    come_back(story)
    assert status(name, story.end("cut_short")) == "unknown"


@MONEY
def test_a_provider_that_never_came_back_is_an_excuse(name: str) -> None:
    story = refunded()
    come_back(story)
    story.kill("payment")
    assert status(name, story.finish()) == "unknown"


@pytest.mark.parametrize("name", ["money_conserved", "refunded_right", "legal_transitions"])
def test_a_shop_without_orders_tests_nothing(name: str) -> None:
    assert (status(name, Story().finish()), verdict(name, Story().finish()).obligations) == ("unknown", 0)
