"""Moments of a Stock Cache that loses its memory and is rebuilt, while customers go on buying."""

from __future__ import annotations

import numpy as np

from orderquake.sim.study.grouping import Ints
from orderquake.sim.study.points.look import NONE, Look, Rows, Series, begins_of, overlapping
from orderquake.sim.study.points.point import AUTHORISE, PAY_FIRST, family

point = family("losses")


def _losses(look: Look) -> Rows:
    rows = look.done("epoch")
    return rows[look.says(rows, "answer", "lost")]


def _next_loss(look: Look, rows: Ints) -> Rows:
    """The first loss after each row; NONE where none came."""
    losses = _losses(look)
    place = np.searchsorted(losses, rows, side="right")
    return np.append(losses, NONE)[place]


@point()
def the_stock_was_lost_and_opened_again(look: Look) -> Rows:
    """A new life began, and the rebuild made it ready."""
    rows = look.done("epoch")
    return rows[look.says(rows, "answer", "open")]


@point()
def reservations_were_lost_with_the_stock(look: Look) -> Rows:
    """Units were promised at that moment, and their owner forgot."""
    rows, gone, table = look.anew("hold"), look.anew("free", "drop"), look.table
    loss = _next_loss(look, rows)
    rows, loss = rows[loss != NONE], loss[loss != NONE]
    return np.unique(loss[~Series(table.key[gone], gone).between(table.key[rows], rows, loss)])


@point()
def a_worker_found_the_stock_closed(look: Look) -> Rows:
    """Absent means not ready, never zero."""
    return np.concatenate([look.heard(verb, "not_ready") for verb in ("reserve", "consume", "release", "extend")])


@point()
def a_finished_order_was_pinned_again(look: Look) -> Rows:
    """The rebuild knew from the orders what the owner had forgotten."""
    return look.anew("adopt")


@point(PAY_FIRST, AUTHORISE)
def a_reserved_order_was_fenced(look: Look) -> Rows:
    """The rebuild took its token away, so that nobody fulfils on the strength of it."""
    rows = np.concatenate((look.moves("paid", "reserved"), look.moves("authorised", "reserved")))
    return rows[look.says(look.cause(rows), "operation", "write_orders")]


@point()
def a_token_of_a_lost_life_was_refused(look: Look) -> Rows:
    """A worker came with a reservation that the owner had made before it forgot everything."""
    rows, holds, table = look.heard("consume", "lapsed"), look.anew("hold"), look.table
    held = Series(table.key[holds], holds).before(table.key[rows], rows)
    rows, held = rows[held != NONE], held[held != NONE]
    loss = _next_loss(look, held)
    return rows[(loss != NONE) & (loss < rows)]


@point()
def an_adopted_order_was_moved_to_the_record(look: Look) -> Rows:
    """It was posted after the rebuild had pinned it again, and a snapshot took it from there."""
    rows, again, table = look.anew("drop"), look.anew("adopt"), look.table
    return rows[Series(table.key[again], again).before(table.key[rows], rows) != NONE]


@point()
def the_stock_was_lost_while_an_order_was_being_fulfilled(look: Look) -> Rows:
    """It was lost between an ask to pin and the answer."""
    asks = look.asks("consume")
    asks = asks[look.answer_of[asks] != NONE]
    loss = _next_loss(look, asks)
    return np.unique(loss[(loss != NONE) & (loss < look.answer_of[asks])])


@point()
def the_stock_was_lost_while_a_post_was_under_way(look: Look) -> Rows:
    """It was lost between the booking and the ack."""
    posts = look.anew("post")
    loss = _next_loss(look, posts)
    return np.unique(loss[(loss != NONE) & (loss < look.ended(posts))])


@point()
def a_page_for_a_lost_life_was_refused(look: Look) -> Rows:
    """It was read for the owner's life before."""
    return look.heard("refresh", "not_ready")


@point()
def two_rebuilds_were_under_way_at_once(look: Look) -> Rows:
    """The second began before the first had opened the stock."""
    rows = look.asks("list_unsynced")
    rows = rows[begins_of(look.task(rows))]
    return rows[overlapping(look.began(rows), look.ended(rows))]
