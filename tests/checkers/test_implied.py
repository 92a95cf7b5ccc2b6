"""Where one promise implies another, the pair is named, with the reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orderquake.sim.history import History
from tests.checkers.histories import good_day
from tests.checkers.judging import objectors


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
