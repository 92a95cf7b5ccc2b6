"""Moments between workers: two on one order, leases that run out, sleepers, deaths at the wrong place, dead letters."""

from __future__ import annotations

import numpy as np

from orderquake.sim.study.grouping import Ints
from orderquake.sim.study.points.look import NONE, Look, Rows, Series
from orderquake.sim.study.points.point import PAY_FIRST, RESERVE_FIRST, family

point = family("workers")

FINAL = ("fulfilled", "refunded", "declined", "cancelled")
PAID = ("captured", "captured_in_part", "authorised", "authorised_in_part")


def _conflicts(look: Look) -> Rows:
    """Writes that a worker lost."""
    rows = look.heard("write_order", "conflict")
    return rows[look.is_by(rows, "worker")]


def _lost_after(look: Look, *verbs: str, said: tuple[str, ...]) -> Rows:
    """Writes that a worker lost, decided on an answer that it had just heard."""
    rows = _conflicts(look)
    basis = look.decided_by(look.cause(rows))
    return rows[look.says(basis, "operation", *verbs) & look.says(basis, "answer", *said)]


def _died_after(look: Look, *verbs: str, said: tuple[str, ...]) -> Rows:
    """Answers after which a worker did nothing any more."""
    rows = look.table.at("ok", *verbs)
    rows = rows[look.says(rows, "answer", *said) & look.is_by(rows, "worker")]
    return look.stopped_at(rows)


@point()
def two_workers_had_the_same_order_at_once(look: Look) -> Rows:
    """A lease is politeness: one worker took up an order that another still had in hand."""
    rows = look.turns.ordered % look.turns.span
    before = look.turn_before(rows)
    return rows[(before != NONE) & (look.ended(before) > rows)]


@point()
def two_workers_wrote_the_same_order(look: Look) -> Rows:
    """Between a worker's reading of an order and its writing another worker had written it: the first one lost."""
    rows = _conflicts(look)
    writes = look.heard("write_order", "written")
    writes = writes[look.is_by(writes, "worker")]
    reads = look.asks("read_order")
    read = Series(look.task(reads), reads).before(look.task(rows), rows)
    return rows[(read != NONE) & Series(look.order(writes), writes).between(look.order(rows), read, rows)]


@point()
def a_writer_lost_against_its_own_earlier_write(look: Look) -> Rows:
    """The answer to a write was lost, the write was not: the second try found the version that the first had made."""
    rows = look.heard("write_order", "conflict")
    before = look.cause(look.cause(rows))
    return rows[look.says(before, "kind", "info") & look.says(before, "operation", "write_order")]


@point()
def a_loser_of_the_compare_and_set_had_just_reserved(look: Look) -> Rows:
    """Who loses undoes nothing: the reservation it has just heard of may be what the winner stands on."""
    return _lost_after(look, "reserve", said=("reserved",))


@point()
def a_loser_of_the_compare_and_set_had_just_found_nothing_left(look: Look) -> Rows:
    """Had it given the money back before it wrote so, the winner might have fulfilled the same order."""
    return _lost_after(look, "reserve", said=("sold_out",))


@point()
def a_loser_of_the_compare_and_set_had_just_consumed(look: Look) -> Rows:
    """The goods were pinned, and somebody else wrote what became of the order."""
    return _lost_after(look, "consume", said=("pinned",))


@point()
def a_loser_of_the_compare_and_set_had_just_been_paid(look: Look) -> Rows:
    """The money was there, and somebody else wrote what became of the order."""
    return _lost_after(look, "charge", "look_up", "authorise", "look_up_hold", "capture_hold", said=PAID)


@point()
def a_loser_of_the_compare_and_set_had_just_given_money_back(look: Look) -> Rows:
    """The money was on its way back, and somebody else wrote what became of the order."""
    return _lost_after(look, "refund", "void_hold", said=("refund_made", "voided"))


@point()
def a_loser_of_the_compare_and_set_had_just_released(look: Look) -> Rows:
    """The units were on sale again, and somebody else wrote so first."""
    return _lost_after(look, "release", said=("released",))


@point(PAY_FIRST, RESERVE_FIRST)
def settlement_lost_the_compare_and_set(look: Look) -> Rows:
    """Somebody moved an order while settlement was about to reopen it."""
    rows = look.heard("write_order", "conflict")
    return rows[look.is_by(rows, "settlement")]


@point()
def an_order_came_back_in_line_when_its_lease_ran_out(look: Look) -> Rows:
    """Whoever had the order never handed it back, and another took it up."""
    rows = look.turns.ordered % look.turns.span
    before = look.turn_before(rows)
    rows, before = rows[before != NONE], before[before != NONE]
    acks = look.asks("ack")
    return rows[Series(look.task(acks), acks).after(look.task(before), before) == NONE]


@point()
def a_worker_handed_back_an_order_that_another_had_by_then(look: Look) -> Rows:
    """A late ack of an old delivery must not end the lease of the new one."""
    acks = look.asks("ack")
    turn = look.turns.before(look.order(acks), acks)
    return acks[(turn != NONE) & (look.task(turn) != look.task(acks))]


@point()
def a_dead_letter_came_back_to_life(look: Look) -> Rows:
    """An order was set aside after too many deliveries, and went on all the same."""
    rows = look.done("dead_letter")
    return rows[look.steps.after(look.order(rows), rows) != NONE]


@point()
def recovery_put_orders_back_in_line(look: Look) -> Rows:
    """Nobody had touched them for a while."""
    rows = look.asks("enqueue")
    return rows[look.is_by(rows, "recovery")]


@point()
def an_order_was_found_that_had_never_been_put_in_line(look: Look) -> Rows:
    """It was written down, and the front door died or gave up before it could say so; recovery found it idle."""
    asks = look.asks("enqueue")
    answered = asks[look.says(look.answer_of[asks], "kind", "ok") & (look.table.order[asks] != 0)]
    jobs = asks[look.is_by(asks, "recovery")]
    rows = look.turns.ordered % look.turns.span
    rows = rows[look.turn_before(rows) == NONE]
    registered = Series(look.order(look.moves("registered")), look.moves("registered")).before(look.order(rows), rows)
    found = Series(np.zeros(len(jobs), np.int64), jobs).between(np.zeros(len(rows), np.int64), registered, rows)
    is_unlisted = Series(look.order(answered), answered).before(look.order(rows), rows) == NONE
    return rows[(registered != NONE) & found & is_unlisted]


@point()
def a_full_line_took_nobody_in(look: Look) -> Rows:
    """The work queue was at its bound, and said so."""
    return look.refusals("line_full")


@point()
def somebody_gave_up_after_the_last_attempt(look: Look) -> Rows:
    """Patience ended; the flow stopped as if killed, and what is written had to carry the order on."""
    rows = look.table.at("info")
    refused = look.table.at("fail")
    rows = np.concatenate((rows, refused))
    return look.stopped_at(rows[~look.is_by(rows, "customer")])


@point()
def a_turn_ended_at_its_deadline(look: Look) -> Rows:
    """A worker was killed where it stood, as functions are."""
    return look.marks("worker_killed_at_deadline")


@point()
def a_worker_was_killed_in_its_sleep(look: Look) -> Rows:
    """It stood still past its deadline, and never woke."""
    rows = look.marks("worker_killed_at_deadline")
    return rows[look.says(look.cause(rows), "operation", "paused")]


@point()
def a_worker_started_cold(look: Look) -> Rows:
    """An order waited for a worker to start before anybody looked at it."""
    return look.marks("cold_start")


# -- sleepers


def _sleepers(look: Look) -> tuple[Rows, Rows]:
    """Where workers woke, and where they had fallen asleep."""
    woke = look.marks("woke")
    woke = woke[look.is_by(woke, "worker") & (look.table.order[woke] != 0)]
    return woke, look.cause(woke)


def _asked_on_waking(look: Look, rows: Ints) -> Rows:
    return look.says(look.cause(rows), "operation", "woke")


@point()
def a_worker_woke_after_its_lease_was_taken_by_another(look: Look) -> Rows:
    """It goes on as if nothing had happened, and somebody else has the order."""
    woke, slept = _sleepers(look)
    return woke[look.turns.between(look.order(woke), slept, woke)]


@point()
def a_sleeper_woke_in_an_order_that_had_ended(look: Look) -> Rows:
    """Another had brought the order to its end meanwhile."""
    woke, slept = _sleepers(look)
    ends = look.done("order")
    ends = ends[look.says(ends, "to_state", *FINAL)]
    return woke[Series(look.order(ends), ends).between(look.order(woke), slept, woke)]


@point()
def a_sleeper_woke_with_a_row_that_others_had_changed(look: Look) -> Rows:
    """It had read the order before it fell asleep, and decides by what it read."""
    woke, slept = _sleepers(look)
    has_read = look.says(woke, "key", "read_order") & look.says(woke, "answer", "after")
    return woke[has_read & look.steps.between(look.order(woke), slept, woke)]


@point()
def a_sleepers_late_write_was_refused(look: Look) -> Rows:
    """What it had decided before its sleep was written after it, and lost."""
    rows = look.heard("write_order", "conflict")
    return rows[_asked_on_waking(look, look.cause(rows))]


@point()
def a_sleeper_came_for_a_reservation_that_had_lapsed(look: Look) -> Rows:
    """Its hand was on the handle when it fell asleep, and the door is shut."""
    rows = look.heard("consume", "lapsed")
    return rows[_asked_on_waking(look, look.cause(rows))]


@point()
def a_sleeper_asked_for_money_when_it_woke(look: Look) -> Rows:
    """A charge, a capture or a refund was sent minutes after it was decided."""
    rows = look.asks("charge", "authorise", "capture_hold", "refund")
    return rows[_asked_on_waking(look, rows)]


# -- deaths


@point()
def a_worker_died_after_it_was_paid(look: Look) -> Rows:
    """The provider had taken the money or put it on hold, and nobody wrote it down."""
    return _died_after(look, "charge", "authorise", "capture_hold", said=PAID)


@point()
def a_worker_died_after_it_had_reserved(look: Look) -> Rows:
    """The units were held under a token that no order knew."""
    return _died_after(look, "reserve", said=("reserved",))


@point()
def a_worker_died_after_it_had_consumed(look: Look) -> Rows:
    """The units were pinned for good, and the order did not say so."""
    return _died_after(look, "consume", said=("pinned",))


@point()
def a_worker_died_after_it_had_given_money_back(look: Look) -> Rows:
    """The refund or the void was done, and nobody wrote it down."""
    return _died_after(look, "refund", "void_hold", said=("refund_made", "voided"))


@point()
def a_worker_died_after_it_had_released(look: Look) -> Rows:
    """The units were on sale again, and the order still named its token."""
    return _died_after(look, "release", said=("released",))


@point()
def a_worker_died_after_it_had_told_the_customer(look: Look) -> Rows:
    """The customer knew how it ended, and the order did not say so."""
    return _died_after(look, "notify", said=("notified",))


@point()
def a_worker_died_before_it_wrote_what_it_had_decided(look: Look) -> Rows:
    """A write was begun and never sent."""
    rows = look.asks("write_order")
    return look.stopped_at(rows[(look.answer_of[rows] == NONE) & look.is_by(rows, "worker")])
