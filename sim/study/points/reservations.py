"""Moments in the life of a reservation: asked for twice, lost, lapsed, granted anew, pinned in time or not, let go."""

from __future__ import annotations

import numpy as np

from orderquake.sim.study.grouping import Ints
from orderquake.sim.study.points.charges import heard_again
from orderquake.sim.study.points.look import NONE, Look, Rows, Series
from orderquake.sim.study.points.point import PAY_FIRST, RESERVE_FIRST, family

point = family("reservations")

SECOND = 1_000_000


def _lapses(look: Look) -> Rows:
    rows = look.anew("free")
    return rows[look.says(rows, "answer", "lapsed")]


def _releases(look: Look) -> Rows:
    rows = look.anew("free")
    return rows[look.says(rows, "answer", "released")]


def _lapsed_before(look: Look, rows: Ints) -> Rows:
    """Those rows whose order had lost a reservation by then."""
    lapses = _lapses(look)
    return rows[Series(look.order(lapses), lapses).before(look.order(rows), rows) != NONE]


@point()
def a_reserve_was_asked_for_again_and_got_the_same_token(look: Look) -> Rows:
    """A live reservation is given to whoever asks for the order again."""
    return heard_again(look, "reserve", "reserved", "hold")


@point()
def units_were_held_and_the_answer_was_lost(look: Look) -> Rows:
    """The owner knew of a reservation that the worker had not heard of."""
    return look.done_unheard("reserve", "hold")


@point()
def units_were_held_after_their_asker_was_gone(look: Look) -> Rows:
    """A late ask or a late copy made a reservation that nobody waited for."""
    return look.done_late("hold")


@point()
def a_reservation_that_no_order_knew_of_lapsed(look: Look) -> Rows:
    """No order ever named its token and nobody ever came for it: only its deadline could free the units."""
    rows, table = _lapses(look), look.table
    known = look.are(look.done("order")) | look.are(look.asks("consume", "release", "extend"))
    named = known[:-1].nonzero()[0]
    return rows[~Series(table.key[named], named).has(table.key[rows])]


@point()
def a_reservation_lapsed_before_it_was_consumed(look: Look) -> Rows:
    """Whoever came to consume it came too late."""
    return look.heard("consume", "lapsed")


@point()
def a_reservation_ran_out_on_the_way_to_being_consumed(look: Look) -> Rows:
    """It was alive when the ask was sent and dead when it came: only the owner's clock decides."""
    rows, table = look.heard("consume", "lapsed"), look.table
    kept = look.done("hold", "extend")
    held = Series(table.key[kept], kept).before(table.key[rows], rows)
    rows, held = rows[held != NONE], held[held != NONE]
    ends = table.deadline[held]
    return rows[(table.time[look.cause(rows)] < ends) & (ends <= table.time[rows])]


def _left_alone(look: Look, rows: Rows) -> Rows:
    """Those answers about a token whose order had by then another one that was neither free nor moved away."""
    table, holds, gone = look.table, look.anew("hold"), look.anew("free", "drop")
    held = Series(look.order(holds), holds).before(look.order(rows), rows)
    is_other = (held != NONE) & (table.key[held] != table.key[rows])
    return rows[is_other & ~Series(table.key[gone], gone).between(table.key[held], held, rows)]


@point()
def an_old_token_was_refused_while_its_order_held_a_new_one(look: Look) -> Rows:
    """Who asked for the order instead of the token would have pinned what is not its own to pin."""
    return _left_alone(look, look.heard("consume", "lapsed"))


@point()
def a_pin_outlived_the_deadline_of_its_reservation(look: Look) -> Rows:
    """Consumed, it has no deadline any more; the units were still its own when the record took them over."""
    rows, table, pins = look.anew("drop"), look.table, look.anew("pin")
    pin = Series(table.key[pins], pins).before(table.key[rows], rows)
    return rows[(pin != NONE) & (table.deadline[pin] < table.time[rows])]


@point()
def a_reservation_lapsed_and_was_granted_anew(look: Look) -> Rows:
    """The same order, a new token, and the old one stands for nothing."""
    return _lapsed_before(look, look.anew("hold"))


@point()
def a_reservation_lapsed_and_nothing_was_left(look: Look) -> Rows:
    """Somebody else had taken the units meanwhile."""
    return _lapsed_before(look, look.heard("reserve", "sold_out"))


@point()
def a_reservation_was_consumed_in_its_last_second(look: Look) -> Rows:
    """It was pinned less than a second before it would have lapsed."""
    rows, table = look.anew("pin"), look.table
    left = table.deadline[rows] - table.time[rows]
    return rows[(left > 0) & (left < SECOND)]


@point()
def a_reservation_was_made_by_a_clock_that_was_wrong(look: Look) -> Rows:
    """Its deadline is not a lifetime from now, by more than a second: only the owner's own clock may judge it."""
    rows, table, ttl_us = look.anew("hold"), look.table, look.limits.get("ttl_us")
    return rows[np.abs(table.deadline[rows] - table.time[rows] - ttl_us) > SECOND] if ttl_us else rows[:0]


@point()
def a_consume_was_asked_for_again_and_stayed_pinned(look: Look) -> Rows:
    """What is pinned is pinned, whoever asks again."""
    return heard_again(look, "consume", "pinned", "pin")


@point()
def units_were_pinned_and_the_answer_was_lost(look: Look) -> Rows:
    """The goods were certain, and the worker did not know."""
    return look.done_unheard("consume", "pin")


@point()
def units_were_pinned_after_their_asker_was_gone(look: Look) -> Rows:
    """A late ask or a late copy pinned what nobody waited for any more."""
    return look.done_late("pin")


@point()
def a_pin_was_released(look: Look) -> Rows:
    """The order was undone after its units had been made certain."""
    rows = _releases(look)
    return rows[look.says(rows, "credit", "cache.pinned")]


@point()
def a_release_was_asked_for_again_and_freed_nothing(look: Look) -> Rows:
    """The units were on sale again already, perhaps to somebody else."""
    return heard_again(look, "release", "released", "free")


@point()
def units_were_released_and_the_answer_was_lost(look: Look) -> Rows:
    """They were on sale again, and the order still named their token."""
    return look.done_unheard("release", "free")


@point(RESERVE_FIRST)
def a_declined_order_let_go_of_its_units(look: Look) -> Rows:
    """The card was refused while the goods were held."""
    rows = _releases(look)
    return rows[look.stands(rows, "declined")]


@point(RESERVE_FIRST)
def an_order_was_turned_away_before_any_money(look: Look) -> Rows:
    """Sold out, and the provider never heard of the customer."""
    rows = look.moves("cancelled", "registered")
    return rows[look.says(look.decided_by(look.cause(rows)), "answer", "sold_out")]


@point(RESERVE_FIRST)
def a_reservation_was_extended_while_the_money_was_awaited(look: Look) -> Rows:
    """Its deadline moved because the provider took its time."""
    return look.anew("extend")


@point(RESERVE_FIRST)
def a_dead_reservation_was_not_extended(look: Look) -> Rows:
    """Whoever asked came too late; what is dead stays dead."""
    return look.heard("extend", "lapsed")


@point()
def a_sweep_freed_what_had_run_out(look: Look) -> Rows:
    """Nobody had looked at it since."""
    rows = _lapses(look)
    return rows[look.says(look.cause(rows), "operation", "lapse")]


@point()
def a_dead_reservation_was_found_before_the_sweep_came(look: Look) -> Rows:
    """It had run out, was still there, and whoever came to consume it found it dead."""
    rows = _lapses(look)
    return rows[look.says(look.cause(rows), "operation", "consume")]


@point(PAY_FIRST)
def an_order_was_paid_and_reserved_more_than_twice(look: Look) -> Rows:
    """From reserved back to paid, again and again: only the time to decide ends that."""
    rows = look.moves("paid", "reserved")
    return rows[Series(look.order(rows), rows).before(look.order(rows), rows) != NONE]
