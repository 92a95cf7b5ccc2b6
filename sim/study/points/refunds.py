"""Moments with money on its way back: refunds that are pending, lost, sent again, or fail when they were believed."""

from __future__ import annotations

from orderquake.sim.study.grouping import Ints
from orderquake.sim.study.points.charges import across_a_crash, heard_again
from orderquake.sim.study.points.look import NONE, Look, Rows, Series
from orderquake.sim.study.points.point import PAY_FIRST, RESERVE_FIRST, family

point = family("refunds")

PAID_BACK = (PAY_FIRST, RESERVE_FIRST)
"""Who authorises first never pays back: nothing is taken before the goods are certain."""


def _failures_before(look: Look, rows: Ints, column: str) -> Rows:
    """The last refund that failed before each row, of the same order or key; NONE where none had."""
    failed = look.done("refund_failed")
    values = getattr(look.table, column)
    return Series(values[failed], failed).before(values[rows], rows)


@point(*PAID_BACK)
def money_went_back_because_the_goods_were_gone(look: Look) -> Rows:
    """Paid, and sold out."""
    rows = look.moves("refund_pending")
    return rows[look.says(look.decided_by(look.cause(rows)), "answer", "sold_out")]


@point(*PAID_BACK)
def a_refund_was_pending_and_asked_after_again(look: Look) -> Rows:
    """Pending for long is not failed: all that can be done is to ask again."""
    rows, known = look.asks("ask_refund"), look.heard("ask_refund", "refund_made")
    return rows[Series(look.table.key[known], known).before(look.table.key[rows], rows) != NONE]


@point(*PAID_BACK)
def a_refund_was_sent_again_and_paid_once(look: Look) -> Rows:
    """The key was known, and the first refund was the answer."""
    return look.replayed("refund")


@point(*PAID_BACK)
def a_refund_was_made_and_the_answer_was_lost(look: Look) -> Rows:
    """A new key after this silence would pay twice."""
    return look.done_unheard("refund", "refund")


@point(*PAID_BACK)
def a_refund_was_made_after_its_asker_had_given_up(look: Look) -> Rows:
    """The ask was on its way for longer than anybody waited for it."""
    rows = look.done_late("refund")
    return rows[look.table.is_new[rows] & look.says(look.answer_of[look.cause(rows)], "kind", "info")]


@point(*PAID_BACK)
def a_refund_was_retried_across_a_crash(look: Look) -> Rows:
    """The first who sent it died on the spot; another sent it under the same key, and it was paid once."""
    return across_a_crash(look, heard_again(look, "refund", "refund_made", "refund"), "refund")


@point(*PAID_BACK)
def a_refund_was_asked_after_and_not_known(look: Look) -> Rows:
    """Its horizon was over and the provider had nothing; only when nothing can be on its way is there another."""
    return look.heard("ask_refund", "nothing_found")


@point(*PAID_BACK)
def a_refund_failed_while_the_order_waited_for_it(look: Look) -> Rows:
    """It came back before anybody had believed it."""
    rows = look.done("refund_failed")
    return rows[look.stands(rows, "refund_pending")]


@point(*PAID_BACK)
def a_refund_failed_after_the_order_was_refunded(look: Look) -> Rows:
    """Everybody had believed it, and the money was with the shop again."""
    rows = look.done("refund_failed")
    return rows[look.stands(rows, "refunded")]


@point(*PAID_BACK)
def a_refund_failed_after_the_order_was_posted(look: Look) -> Rows:
    """The books were closed about it, and must stay as they are."""
    rows, posts = look.done("refund_failed"), look.anew("post")
    return rows[Series(look.order(posts), posts).before(look.order(rows), rows) != NONE]


@point(*PAID_BACK)
def a_refunded_order_was_reopened(look: Look) -> Rows:
    """What came back is owed again."""
    return look.moves("refund_pending", "refunded")


@point(*PAID_BACK)
def a_failed_refund_was_paid_under_a_new_key(look: Look) -> Rows:
    """The old key would never have paid."""
    rows = look.anew("refund")
    failed = _failures_before(look, rows, "order")
    return rows[(failed != NONE) & (look.table.key[failed] != look.table.key[rows])]


@point(*PAID_BACK)
def a_failed_refund_was_answered_as_if_it_had_been_paid(look: Look) -> Rows:
    """Its key, sent again, was answered as it was at first: whoever believed that would never pay."""
    rows = look.replayed("refund")
    return rows[_failures_before(look, rows, "key") != NONE]


@point(*PAID_BACK)
def a_posted_order_was_refunded_once_more(look: Look) -> Rows:
    """It was reopened and closed again, and the books hear nothing of it."""
    rows, posts = look.moves("refunded"), look.anew("post")
    return rows[Series(look.order(posts), posts).before(look.order(rows), rows) != NONE]
