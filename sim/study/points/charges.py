"""Moments with the provider until the money is there: lost answers, late asks, stored errors, look-ups, calls."""

from __future__ import annotations

import numpy as np

from orderquake.sim.study.grouping import Bools, Ints
from orderquake.sim.study.points.look import NONE, Look, Rows, Series
from orderquake.sim.study.points.point import AUTHORISE, PAY_FIRST, RESERVE_FIRST, family

point = family("charges")

TAKING = (("charge", "captured", "capture"), ("authorise", "authorised", "authorisation"),
          ("capture_hold", "captured", "capture"))  # fmt: skip
"""Verb, good answer, effect of each way to come to money."""
IN_PART = ("captured_in_part", "authorised_in_part")
FINAL = ("fulfilled", "refunded", "declined", "cancelled")


def heard_again(look: Look, verb: str, answer: str, operation: str) -> Rows:
    """Good answers to asks that changed nothing: the service had done it before."""
    rows = look.heard(verb, answer)
    return rows[~look.are(look.cause(look.anew(operation)))[look.cause(rows)]]


def across_a_crash(look: Look, again: Ints, verb: str) -> Rows:
    """Those answers whose ask had been sent before under the same key, by a flow that did nothing more after it."""
    asks, all_asks = look.cause(again), look.asks(verb)
    before = Series(look.table.key[all_asks], all_asks).before(look.table.key[asks], asks)
    again, asks, before = again[before != NONE], asks[before != NONE], before[before != NONE]
    end = look.ended(before)
    is_dead = (end == before) | ((end == look.answer_of[before]) & look.says(end, "kind", "ok"))
    return again[is_dead & (look.task(before) != look.task(asks))]


def _after_an_error(look: Look, answers: Ints) -> Rows:
    """Whether an answer's ask was decided on a stored error."""
    return look.says(look.decided_by(look.cause(answers)), "answer", "error_replayed")


def _is_first_try(look: Look, asks: Ints) -> Rows:
    first: Bools = look.table.attempt[asks] == 0
    return first


def _looked_up_late(look: Look) -> Rows:
    """Look-ups that were all that could still be done: the horizon within which a key is sent again was over."""
    rows = look.asks("look_up", "look_up_hold")
    return rows[_is_first_try(look, rows) & ~look.says(look.decided_by(rows), "answer", "error_replayed")]


@point(PAY_FIRST, RESERVE_FIRST)
def a_charge_was_sent_again_and_paid_once(look: Look) -> Rows:
    """The key was known, and the old capture was the answer."""
    return look.replayed("capture")


@point()
def a_charge_was_retried_across_a_crash(look: Look) -> Rows:
    """The first who sent it died on the spot; another sent it under the same key, and the money was taken once."""
    return np.concatenate([across_a_crash(look, heard_again(look, *way), way[0]) for way in TAKING])


@point()
def money_was_taken_and_the_answer_was_lost(look: Look) -> Rows:
    """Silence came, and silence proves nothing: the provider had done it."""
    return np.concatenate([look.done_unheard(verb, operation) for verb, _, operation in TAKING])


@point()
def an_ask_for_money_was_lost_on_its_way(look: Look) -> Rows:
    """The same silence, and the provider had never heard of it."""
    rows = look.silences(*(verb for verb, _, _ in TAKING))
    rows = rows[look.says(rows, "answer", "silence")]
    return rows[~look.led_to(look.cause(rows), "capture", "authorisation", "decline")]


@point()
def money_was_taken_after_its_asker_had_given_up(look: Look) -> Rows:
    """The ask was on its way for longer than anybody waited for it."""
    rows = look.done_late("capture", "authorisation")
    return rows[look.table.is_new[rows] & look.says(look.answer_of[look.cause(rows)], "kind", "info")]


@point(PAY_FIRST, RESERVE_FIRST)
def a_late_copy_of_a_charge_was_answered_from_memory(look: Look) -> Rows:
    """The network sent the charge twice; the second came when the first had long been answered."""
    rows = look.done_late("capture")
    return rows[~look.table.is_new[rows] & look.says(look.answer_of[look.cause(rows)], "kind", "ok")]


@point()
def a_decline_was_asked_for_again_and_stood(look: Look) -> Rows:
    """A no under a key stays a no."""
    return np.concatenate([heard_again(look, verb, "declined", "decline") for verb in ("charge", "authorise")])


@point()
def the_provider_erred_before_it_had_done_anything(look: Look) -> Rows:
    """An error of its own, and nothing in the ledger."""
    rows = look.silences()
    rows = rows[look.says(rows, "answer", "server_error")]
    return rows[~look.led_to(look.cause(rows), "capture", "authorisation", "refund", "void", "decline")]


@point()
def the_provider_erred_after_it_had_taken_the_money(look: Look) -> Rows:
    """An error was the answer, and the money was gone from the customer's account or on hold there."""
    rows = look.silences(*(verb for verb, _, _ in TAKING))
    rows = rows[look.says(rows, "answer", "server_error")]
    return rows[look.led_to(look.cause(rows), "capture", "authorisation")]


@point()
def a_customer_paid_only_in_part(look: Look) -> Rows:
    """Less than the price is no payment: the part has to go back, and nobody may call the order paid."""
    verbs = ("charge", "authorise", "look_up", "look_up_hold")
    return np.concatenate([look.heard(verb, *IN_PART) for verb in verbs])


@point()
def a_key_was_answered_by_its_stored_error(look: Look) -> Rows:
    """Final for the key, and yet it does not say whether money moved."""
    return np.concatenate([look.heard(verb, "error_replayed") for verb in ("charge", "authorise")])


@point()
def a_look_up_found_the_money_behind_a_stored_error(look: Look) -> Rows:
    """A new key would have charged twice."""
    rows = np.concatenate(
        (look.heard("look_up", "captured", IN_PART[0]), look.heard("look_up_hold", "authorised", IN_PART[1]))
    )
    return rows[_after_an_error(look, rows)]


@point()
def a_charge_was_begun_anew_after_an_error_that_took_nothing(look: Look) -> Rows:
    """The one case in which a new key is right: a stored error, and nothing in the ledger."""
    rows = np.concatenate([look.heard(verb, "nothing_found") for verb in ("look_up", "look_up_hold")])
    return rows[_after_an_error(look, rows)]


@point()
def a_charge_was_only_looked_up_after_its_horizon(look: Look) -> Rows:
    """To send it again might meet a provider that has forgotten the key."""
    return _looked_up_late(look)


@point()
def a_late_look_up_found_the_money(look: Look) -> Rows:
    """The ledger remembered what nobody in the shop had heard of."""
    answers = look.answer_of[_looked_up_late(look)]
    return answers[look.says(answers, "answer", "captured", "authorised", *IN_PART)]


@point()
def a_look_up_found_nothing_and_the_order_waited_on(look: Look) -> Rows:
    """Nothing found after silence proves nothing while the ask may still be on its way."""
    answers = look.answer_of[_looked_up_late(look)]
    answers = answers[look.says(answers, "answer", "nothing_found")]
    declines = look.moves("declined", "charging", "authorising")
    return answers[~look.are(look.decided_by(look.cause(declines)))[answers]]


@point()
def a_look_up_found_nothing_and_the_order_was_closed(look: Look) -> Rows:
    """The provider would have forgotten the key by now; so nothing can come of it any more."""
    rows = look.moves("declined", "charging", "authorising")
    return rows[look.says(look.decided_by(look.cause(rows)), "answer", "nothing_found")]


@point()
def a_pruned_key_was_met_by_a_look_up(look: Look) -> Rows:
    """The key itself was forgotten, the ledger was not (seen only where the limits say `key_retention_us`)."""
    retention_us = look.limits.get("key_retention_us")
    looks, sent = look.asks("look_up", "look_up_hold"), look.asks("charge", "authorise")
    if retention_us is None or not len(looks):
        return looks[:0]
    first = Series(look.table.key[sent], sent).after(look.table.key[looks], np.full(len(looks), NONE))
    is_old = look.table.time[looks] - look.table.time[first] >= retention_us
    return looks[(first != NONE) & (first < looks) & is_old]


@point(PAY_FIRST, RESERVE_FIRST, is_beyond=True)
def settlement_found_money_of_an_order_that_had_ended_without_it(look: Look) -> Rows:
    """The charge arrived after everybody had given up on it, which takes a message that outlives its key."""
    return look.moves("refund_pending", "declined")


@point(RESERVE_FIRST)
def payment_succeeded_after_the_reservation_expired(look: Look) -> Rows:
    """The customer paid for goods that were on sale again."""
    rows, table = look.anew("capture"), look.table
    kept, pins = look.done("hold", "extend"), look.done("pin")
    held = Series(look.order(kept), kept).before(look.order(rows), rows)
    rows, held = rows[held != NONE], held[held != NONE]
    is_pinned = Series(table.key[pins], pins).before(table.key[held], rows) != NONE
    return rows[(table.deadline[held] <= table.time[rows]) & ~is_pinned]


@point(AUTHORISE)
def a_capture_was_asked_for_again_and_taken_once(look: Look) -> Rows:
    """A hold is captured once, whoever asks."""
    return heard_again(look, "capture_hold", "captured", "capture")


@point(AUTHORISE)
def a_void_was_asked_for_again(look: Look) -> Rows:
    """A hold is let go once, whoever asks."""
    return heard_again(look, "void_hold", "voided", "void")


@point(AUTHORISE)
def a_void_was_done_and_the_answer_was_lost(look: Look) -> Rows:
    """The hold was gone, and the shop did not know."""
    return look.done_unheard("void_hold", "void")


# -- calls


@point()
def the_provider_called_before_the_payment_was_written_down(look: Look) -> Rows:
    """Its call overtook the answer, or the answer was lost, or whoever heard it was dead."""
    rows, money = look.marks("webhook"), look.anew("capture", "authorisation")
    is_there = Series(look.order(money), money).before(look.order(rows), rows) != NONE
    return rows[is_there & look.stands(rows, "charging", "authorising", "capturing")]


@point()
def the_provider_called_after_the_order_had_ended(look: Look) -> Rows:
    """A late call must not bring anything back."""
    rows = look.marks("webhook")
    return rows[look.stands(rows, *FINAL)]


@point()
def the_provider_called_twice_about_one_thing(look: Look) -> Rows:
    """More calls about an order than anything had become of its money."""
    rows, events = look.marks("webhook"), look.anew("capture", "authorisation", "refund", "refund_failed")
    names = look.order(rows)
    so_far = Series(names, rows).count_before(names, rows) + 1
    return rows[so_far > Series(look.order(events), events).count_before(names, rows)]


@point()
def the_provider_never_called_about_an_order(look: Look) -> Rows:
    """It calls about others; whoever waits for this call waits for ever."""
    rows, calls = look.anew("capture", "authorisation"), look.marks("webhook")
    return rows[~Series(look.order(calls), calls).has(look.order(rows))] if len(calls) else calls
