"""Moments at the shelf: the last unit, who wants it, who else has taken it, and what comes back on sale."""

from __future__ import annotations

import numpy as np

from orderquake.sim.study.grouping import Codes, begins, ends
from orderquake.sim.study.points.look import NONE, Look, Rows, Series
from orderquake.sim.study.points.point import family
from orderquake.sim.study.points.snapshots import applied, read_at

point = family("shelves")


def _last_units(look: Look) -> Rows:
    """Reservations that left nothing."""
    shelf = look.shelf
    is_hold = look.says(shelf.row, "operation", "hold")
    return np.sort(shelf.row[is_hold & (shelf.left == _safety(look)) & (shelf.had > _safety(look))])


def _safety(look: Look) -> int:
    """Units that are never promised; 0 where the limits do not say."""
    return int(look.limits.get("safety_stock", 0))


def _lines(look: Look, orders: Codes) -> tuple[Rows, Rows]:
    """The lines of some orders: which of them, by its place, and the row of the line."""
    rows = look.done("ordered")
    rows = rows[np.argsort(look.order(rows), kind="stable")]
    first = np.searchsorted(look.order(rows), orders, side="left")
    many = np.searchsorted(look.order(rows), orders, side="right") - first
    which = np.repeat(np.arange(len(orders)), many)
    offset = np.arange(len(which)) - np.repeat(np.cumsum(many) - many, many)
    return which, rows[np.repeat(first, many) + offset]


@point()
def the_last_unit_was_promised(look: Look) -> Rows:
    """A reservation left nothing to promise of a product."""
    return _last_units(look)


@point()
def two_orders_wanted_the_last_unit_at_once(look: Look) -> Rows:
    """One was given it while the other's ask was under way, and that one was told: sold out."""
    rows, table, taken = look.heard("reserve", "sold_out"), look.table, _last_units(look)
    which, line = _lines(look, look.order(rows))
    last = Series(table.sku[taken], taken).before(table.sku[line], rows[which])
    is_race = (last != NONE) & (last > look.cause(rows)[which]) & (table.order[last] != table.order[line])
    return rows[np.unique(which[is_race])]


@point()
def an_order_of_several_lines_found_only_some_of_them(look: Look) -> Rows:
    """One product was short; of the others, which were there, nothing was taken either."""
    rows, table, shelf = look.heard("reserve", "sold_out"), look.table, look.shelf
    which, line = _lines(look, look.order(rows))
    wanted = table.units[line] + _safety(look)
    asked, told = (shelf.left_at(table.sku[line], each[which]) for each in (look.cause(rows), rows))
    is_there = np.bincount(which[(asked >= wanted) & (told >= wanted)], minlength=len(rows)) > 0
    is_short = np.bincount(which[(asked < wanted) | (told < wanted)], minlength=len(rows)) > 0
    return rows[is_there & is_short]


@point()
def a_unit_that_was_let_go_was_promised_to_another(look: Look) -> Rows:
    """Nothing was left, somebody's units came back, and the next one got them."""
    shelf, table = look.shelf, look.table
    if len(shelf.row) < 2:
        return shelf.row[:0]
    here, before = shelf.row[1:], shelf.row[:-1]
    is_next = look.says(here, "operation", "hold") & look.says(before, "operation", "free") & ~shelf.is_first[1:]
    was_out = (shelf.had[:-1] <= _safety(look)) & (table.order[here] != table.order[before])
    return here[is_next & was_out]


@point()
def the_last_unit_was_sold_while_a_refresh_was_under_way(look: Look) -> Rows:
    """The record had been read and its answer was not applied yet."""
    rows, news = _last_units(look), applied(look)
    since = read_at(look, news)
    since, until = since[since != NONE], news[since != NONE]
    if not len(since):
        return rows[:0]
    order = np.argsort(since, kind="stable")
    reach = np.maximum.accumulate(until[order])
    place = np.searchsorted(since[order], rows) - 1
    return rows[(place >= 0) & (reach[place] > rows)]


def _steps(look: Look) -> tuple[Rows, Rows]:
    """Where each atomic step of the owner begins and ends for a product, by places on the shelf."""
    cause = look.cause(look.shelf.row)
    return np.flatnonzero(begins(look.shelf.sku, cause)), np.flatnonzero(ends(look.shelf.sku, cause))


@point()
def a_refresh_put_a_product_back_on_sale(look: Look) -> Rows:
    """Nothing was left, and the record had more."""
    shelf = look.shelf
    first, last = _steps(look)
    is_news = look.says(shelf.row[first], "operation", "rebase") & ~shelf.is_first[first]
    return shelf.row[first][is_news & (shelf.had[first] <= _safety(look)) & (shelf.left[last] > _safety(look))]


@point()
def the_record_shrank_below_what_was_promised(look: Look) -> Rows:
    """A correction or another channel took more than was left: negative inside, and nothing more is sold."""
    shelf = look.shelf
    first, last = _steps(look)
    is_news = look.says(shelf.row[first], "operation", "rebase") & (look.cause(shelf.row[first]) != NONE)
    return shelf.row[first][is_news & (shelf.left[last] < 0)]


@point()
def a_unit_was_promised_that_another_channel_had_taken(look: Look) -> Rows:
    """The promise rests on a snapshot that does not know of a sale elsewhere yet."""
    rows, table, sales = look.anew("hold"), look.table, look.anew("foreign_sale")
    sale = Series(table.sku[sales], sales).before(table.sku[rows], rows)
    return rows[(sale != NONE) & (table.version[sale] > table.version[rows])]


@point()
def a_post_took_the_record_below_zero(look: Look) -> Rows:
    """More was shipped than the record had: a back order."""
    shelf = look.record
    is_post = look.says(shelf.row, "operation", "ship")
    return np.sort(shelf.row[is_post & (shelf.left < 0)])


@point()
def goods_came_in_while_customers_were_turned_away(look: Look) -> Rows:
    """The record had a delivery or a return of a product, and an order was told that the same product is gone."""
    rows, table = look.heard("reserve", "sold_out"), look.table
    come, news = look.anew("receipt", "return"), applied(look)
    which, line = _lines(look, look.order(rows))
    last = Series(table.sku[come], come).before(table.sku[line], rows[which])
    heard_of = Series(table.sku[news], news).between(table.sku[line], last, rows[which])
    is_out = look.shelf.left_at(table.sku[line], rows[which]) < table.units[line] + _safety(look)
    return rows[np.unique(which[(last != NONE) & ~heard_of & is_out])]
