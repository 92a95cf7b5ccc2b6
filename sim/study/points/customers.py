"""Moments at the front door: people who ask twice, change their minds, are turned away, or never hear."""

from __future__ import annotations

import numpy as np

from orderquake.sim.study.grouping import Ints
from orderquake.sim.study.points.look import NONE, Look, Rows, Series
from orderquake.sim.study.points.point import AUTHORISE, PAY_FIRST, RESERVE_FIRST, family

point = family("customers")


def by_order(look: Look, rows: Ints) -> Series:
    return Series(look.order(rows), rows)


def _undone(look: Look) -> Rows:
    """Where an order was given up, before or after the money, on the strength of its row alone."""
    rows = np.concatenate(
        (
            look.moves("cancelled", "registered"),
            look.moves("refund_pending", "paid", "reserved"),
            look.moves("void_pending", "authorised", "reserved"),
        )
    )
    return rows[look.says(look.decided_by(look.cause(rows)), "operation", "read_order")]


def _after_a_flag(look: Look, rows: Ints) -> Rows:
    return by_order(look, look.heard("cancel", "flagged")).before(look.order(rows), rows) != NONE


@point()
def a_double_click_met_the_order_it_had_made(look: Look) -> Rows:
    """The same submission came again, and found the order that it had become."""
    return look.heard("register", "already_registered")


@point()
def a_submission_was_sent_again_after_silence(look: Look) -> Rows:
    """A customer who heard nothing sent the same submission once more."""
    asks = look.asks("submit")
    return asks[by_order(look, look.silences("submit")).before(look.order(asks), asks) != NONE]


@point()
def an_order_was_accepted_although_its_customer_heard_nothing(look: Look) -> Rows:
    """The order was written down, and nobody at the other end ever knew."""
    rows = look.moves("registered")
    names = look.order(rows)
    was_silent = by_order(look, look.silences("submit")).has(names)
    return rows[was_silent & ~by_order(look, look.heard("submit", "registered")).has(names)]


@point()
def a_customer_was_turned_away_at_a_full_door_and_came_again(look: Look) -> Rows:
    """The door was full, nothing was done, and the same submission came back later."""
    asks = look.asks("submit")
    return asks[by_order(look, look.table.at("fail", "submit")).before(look.order(asks), asks) != NONE]


@point()
def a_cancel_came_before_its_order(look: Look) -> Rows:
    """A change of mind overtook the order that it was about."""
    rows = look.heard("cancel", "too_late")
    return rows[look.steps.before(look.order(rows), rows) == NONE]


@point()
def a_cancel_raced_the_fulfilment_and_lost(look: Look) -> Rows:
    """The order was fulfilled after the customer had pressed cancel and before the shop answered."""
    rows = look.heard("cancel", "too_late")
    names = look.order(rows)
    pressed = by_order(look, look.asks("cancel")).before(names, rows)
    return rows[(pressed != NONE) & by_order(look, look.moves("fulfilled")).between(names, pressed, rows)]


@point()
def a_cancel_was_honoured_before_any_money(look: Look) -> Rows:
    """The flag was up before the provider was asked for anything."""
    rows = look.moves("cancelled", "registered")
    return rows[_after_a_flag(look, rows)]


@point(PAY_FIRST, RESERVE_FIRST)
def a_cancel_was_honoured_after_the_money_was_taken(look: Look) -> Rows:
    """Money, and perhaps a reservation, had to go back because of a flag."""
    rows = look.moves("refund_pending", "paid", "reserved")
    rows = rows[np.isin(rows, _undone(look))]
    return rows[_after_a_flag(look, rows)]


@point(AUTHORISE)
def a_cancel_was_honoured_while_the_money_was_on_hold(look: Look) -> Rows:
    """A flag made the shop let go of money that it held but had not taken."""
    rows = look.moves("void_pending", "authorised", "reserved")
    rows = rows[np.isin(rows, _undone(look))]
    return rows[_after_a_flag(look, rows)]


@point()
def a_cancel_was_flagged_while_the_provider_was_being_asked(look: Look) -> Rows:
    """The flag went up between the decision to take the money and the provider's answer, which alone may end that."""
    rows = look.heard("cancel", "flagged")
    return rows[look.stands(rows, "charging", "authorising")]


@point(AUTHORISE)
def a_cancel_was_flagged_too_late_to_stop_the_capture(look: Look) -> Rows:
    """The flag went up while the money was being captured; the goods go all the same."""
    rows = look.heard("cancel", "flagged")
    rows = rows[look.stands(rows, "capturing")]
    return rows[by_order(look, look.moves("fulfilled")).after(look.order(rows), rows) != NONE]


@point()
def a_cancel_lost_the_compare_and_set_and_came_again(look: Look) -> Rows:
    """A worker wrote the order between the reading and the raising of the flag."""
    rows = look.heard("write_order", "conflict")
    return rows[look.is_by(rows, "front")]


@point()
def a_worker_lost_the_compare_and_set_against_a_cancel(look: Look) -> Rows:
    """The flag went up between a worker's reading of the order and its writing."""
    rows = look.heard("write_order", "conflict")
    rows = rows[look.is_by(rows, "worker")]
    flags = look.heard("write_order", "written")
    flags = flags[look.is_by(flags, "front")]
    reads = look.asks("read_order")
    read = Series(look.task(reads), reads).before(look.task(rows), rows)
    return rows[(read != NONE) & by_order(look, flags).between(look.order(rows), read, rows)]


@point()
def an_order_was_undecided_for_too_long_and_given_up(look: Look) -> Rows:
    """Nobody had cancelled it; the time to decide had simply run out."""
    rows = _undone(look)
    return rows[by_order(look, look.asks("cancel")).before(look.order(rows), rows) == NONE]


@point()
def a_customer_was_told_again_and_nothing_new(look: Look) -> Rows:
    """A notice was asked for once more, and the customer's final answer stayed what it was."""
    return look.replayed("notice")


@point()
def a_notice_went_out_and_the_answer_was_lost(look: Look) -> Rows:
    """The customer knew, and the shop did not know that the customer knew."""
    return look.done_unheard("notify", "notice")
