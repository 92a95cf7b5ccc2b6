"""What the shop's stock owner and the system of record say of every product, and how far that drifts apart.

Reads the columns of a history and nothing else; no simulation engine and no model in this file.

    owner   its base less the pinned lines it still carries; no word from the loss of its memory until a row moves it
    shop    the record's on-hand less what is sold but not posted: a line from its pin until it is shipped or put back,
            or until its order ends without goods, where the pin was lost with the owner's memory
    drift   owner - shop; 0 where the owner has no word, and as long as it rebuilds

The lines of orders come first, each by itself: how often is it pinned, is it sold but not posted. Then the products.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from orderquake.sim.history import History
from orderquake.sim.study.grouping import (
    NEVER,
    Bools,
    Codes,
    Ints,
    begins,
    ends,
    first_rows,
    next_rows,
    pairs,
    running_least,
    running_totals,
    size_of,
)
from orderquake.sim.study.memory import remembered
from orderquake.sim.table import Table

_PINS, _UNPINS, _RECEIPTS = ("pin", "adopt"), ("free", "drop"), ("receipt", "return", "correction")
_WITHOUT_GOODS = ("refund_pending", "refunded", "void_pending", "cancelled", "declined")


class Changes(NamedTuple):
    """Every moment at which a product's drift took a new value, in the order of time; rows of one instant count as one.

    sku is a place in `names`.
    """

    time: Ints
    sku: Ints
    drift: Ints
    names: tuple[str, ...]


@remembered
def changes(history: History) -> Changes:
    """The drift of every product as a step function."""
    table = history.table()
    goods, epochs = _Goods.of(table), _Epochs.of(table)
    lines = _lines(table, goods, epochs)
    shop_since = first_rows(goods.sku[goods.is_in_shop], goods.row[goods.is_in_shop], size_of(goods.sku, epochs.sku))
    moves = _moves_of(lines)
    events = _in_order(_of_goods(goods, lines, moves), _of_endings(lines, moves), _of_epochs(epochs, shop_since))
    row, sku, drift = _drifts(events, epochs)
    # Products are numbered in the order in which they first drift; those of one row as the books list them.
    is_first = begins(sku)
    codes, first = sku[is_first], row[is_first]
    listed = shop_since[codes]
    is_ending = np.isin(first, lines.row[lines.place < 0])
    if is_ending.any():
        listed[is_ending] = np.argsort(np.argsort(np.array(table.texts(codes[is_ending].tolist()), dtype=object)))
    order = np.lexsort((listed, first))
    number = np.empty(len(codes), np.int64)
    number[order] = np.arange(len(codes))
    names = tuple(table.texts(codes[order].tolist()))
    return _one_an_instant(table.time[row], number[np.cumsum(is_first) - 1], drift, names)


def _rows(table: Table, *operations: str) -> Ints:
    """Rows of these operations, be they the shop's doing or its opening."""
    return np.sort(np.concatenate((table.at("state", *operations), table.at("config", *operations))), kind="stable")


class _Goods(NamedTuple):
    """The rows that move goods in one of the books, in order.

    is_base      a snapshot moves the owner's base
    is_unpin     a pin is put back on sale (`is_free`), or handed over to the record
    is_in_shop   the shop's book has the product from here on
    """

    row: Ints
    order: Codes
    sku: Codes
    units: Ints
    is_opening: Bools
    is_base: Bools
    is_pin: Bools
    is_unpin: Bools
    is_free: Bools
    is_ship: Bools
    is_receipt: Bools
    is_in_shop: Bools

    @classmethod
    def of(cls, table: Table) -> _Goods:
        row = _rows(table, "opening", "rebase", *_PINS, *_UNPINS, "ship", "foreign_sale", *_RECEIPTS)
        row = row[table.is_new[row] & (table.sku[row] != 0)]
        operation = table.operation[row]

        def are(*operations: str) -> Bools:
            return np.isin(operation, [table.code(each) for each in operations])

        is_base = are("rebase") & (table.answer[row] == table.code("applied"))
        is_unpin = are(*_UNPINS) & (table.credit[row] == table.code("cache.pinned"))
        is_free = is_unpin & are("free")
        return cls(
            row, table.order[row], table.sku[row], table.units[row], are("opening"), is_base, are(*_PINS), is_unpin,
            is_free, are("ship"), are(*_RECEIPTS), ~are("rebase", *_UNPINS) | is_free,
        )  # fmt: skip


class _Epochs(NamedTuple):
    """The rows at which the owner's memory began anew: lost, of one product or of all (0), or open again."""

    row: Ints
    sku: Codes
    is_lost: Bools

    @classmethod
    def of(cls, table: Table) -> _Epochs:
        row = _rows(table, "epoch")
        return cls(row, table.sku[row], table.answer[row] == table.code("lost"))


def _end_to_end(*several: tuple[Any, ...]) -> Iterator[Any]:
    """One set of columns under the other, column by column."""
    return map(np.concatenate, zip(*several, strict=True))


# -- the lines of orders


class _Lines(NamedTuple):
    """What becomes of the lines of orders, by line and row.

    place     of the row among the goods; -1 where it is the end of an order whose pin was lost
    is_over   the line is no longer sold without being posted: shipped, put back for good, or ended without goods
    """

    row: Ints
    place: Ints
    line: Ints
    sku: Codes
    units: Ints
    is_pin: Bools
    is_ship: Bools
    is_over: Bools


def _lines(table: Table, goods: _Goods, epochs: _Epochs) -> _Lines:
    place = np.flatnonzero(goods.is_pin | goods.is_unpin | goods.is_ship)
    name = pairs(goods.order[place], goods.sku[place])
    by_name = np.argsort(name, kind="stable")
    place, line = place[by_name], np.cumsum(begins(name[by_name])) - 1
    row, sku, is_pin = goods.row[place], goods.sku[place], goods.is_pin[place]
    loss = _next_losses(epochs, row, sku)
    is_first = begins(line, loss)
    moved = running_totals(is_pin.astype(np.int64) - goods.is_unpin[place], is_first)
    pins = moved - np.minimum(running_least(moved, is_first), 0)  # whoever is not pinned cannot be unpinned
    is_ship = goods.is_ship[place]
    lines = _Lines(row, place, line, sku, goods.units[place], is_pin, is_ship,
                   is_ship | (goods.is_free[place] & (pins == 0)))  # fmt: skip
    # A pin that was lost can no longer be freed: the end of its order is its release, unless it is pinned again before.
    lost = np.flatnonzero(ends(line, loss) & (loss != NEVER) & (pins > 0))
    if not len(lost):
        return lines
    moves = _rows(table, "order")
    moves = moves[np.isin(table.to_state[moves], [table.code(state) for state in _WITHOUT_GOODS])]
    end = next_rows(table.order[moves], moves, goods.order[place[lost]], loss[lost])
    again = next_rows(line[is_pin], row[is_pin], line[lost], loss[lost])
    lost, end = lost[end < again], end[end < again]
    no = np.zeros(len(end), np.bool_)
    endings = _Lines(end, np.full(len(end), -1), line[lost], sku[lost], np.zeros(len(end), np.int64), no, no, ~no)
    both = _Lines._make(_end_to_end(lines, endings))
    order = np.lexsort((both.row, both.line))
    return _Lines._make(column[order] for column in both)


def _next_losses(epochs: _Epochs, row: Ints, sku: Codes) -> Ints:
    """The next row in which the owner loses its memory of a product, NEVER where it does not; its losses are few."""
    loss = np.full(len(row), NEVER, np.int64)
    for lost, product in zip(epochs.row[epochs.is_lost][::-1], epochs.sku[epochs.is_lost][::-1], strict=True):
        loss[(row < lost) & ((product == 0) | (sku == product))] = lost
    return loss


def _moves_of(lines: _Lines) -> Ints:
    """By how many units each row moves the shop's book: a line leaves it when it is sold, that is, with its first pin;
    it comes back when that is over, and goes for good when it is shipped."""
    is_line = begins(lines.line)
    is_first = is_line.copy()
    is_first[1:] |= lines.is_over[:-1]
    is_gone = running_totals(lines.is_ship.astype(np.int64), is_line) - lines.is_ship > 0
    sells = lines.is_pin & ~is_gone
    sells &= running_totals(sells.astype(np.int64), is_first) == 1
    sold = np.where(sells, lines.units, 0)
    back = np.where(lines.is_over, running_totals(sold, is_first), 0)
    return back - sold - np.where(lines.is_ship, lines.units, 0)


# -- the products


class _Events(NamedTuple):
    """Rows that move a product in one of the books, or that may change what is said of it: a row a product.

    owner, shop   units by which the book is moved; a row that opens both books says what they hold
    is_word       the owner has a word on the product from here on
    is_loss       it has none from here on
    is_heard      the two books are compared
    """

    row: Ints
    sku: Codes
    owner: Ints
    shop: Ints
    is_opening: Bools
    is_word: Bools
    is_loss: Bools
    is_heard: Bools


def _in_order(goods: _Events, *others: _Events) -> _Events:
    """All of them, by product and row; no two are of one product and row."""
    if not any(len(other.row) for other in others):
        order = np.argsort(goods.sku, kind="stable")
        return _Events._make(column[order] for column in goods)
    events = _Events._make(_end_to_end(goods, *others))
    order = np.lexsort((events.row, events.sku))
    return _Events._make(column[order] for column in events)


def _of_goods(goods: _Goods, lines: _Lines, moves: Ints) -> _Events:
    has_word = goods.is_opening | goods.is_base | goods.is_unpin | goods.is_pin
    owner = np.where(has_word, np.where(goods.is_pin, -goods.units, goods.units), 0)
    shop = np.where(goods.is_opening | goods.is_receipt, goods.units, -goods.units)
    shop[~goods.is_in_shop] = 0
    is_line = lines.place >= 0
    shop[lines.place[is_line]] = moves[is_line]
    never = np.zeros(len(goods.row), np.bool_)
    return _Events(goods.row, goods.sku, owner, shop, goods.is_opening, has_word, never, ~never)


def _of_endings(lines: _Lines, moves: Ints) -> _Events:
    ending = np.flatnonzero(lines.place < 0)
    zero, never = np.zeros(len(ending), np.int64), np.zeros(len(ending), np.bool_)
    return _Events(lines.row[ending], lines.sku[ending], zero, moves[ending], never, never, never, ~never)


def _of_epochs(epochs: _Epochs, shop_since: Ints) -> _Events:
    """Whatever the shop's book has is compared anew when the owner loses its memory, and when it opens again."""
    rows, skus, losses, heard = ([np.empty(0, kind)] for kind in (np.int64, np.int64, np.bool_, np.bool_))
    for row, product, is_lost in zip(*epochs, strict=True):
        sku = np.flatnonzero(shop_since < row)
        sku = np.union1d(sku, product) if product else sku
        rows.append(np.full(len(sku), row))
        skus.append(sku)
        losses.append(is_lost & ((product == 0) | (sku == product)))
        heard.append(shop_since[sku] < row)
    row = np.concatenate(rows)
    zero, never = np.zeros(len(row), np.int64), np.zeros(len(row), np.bool_)
    return _Events(
        row, np.concatenate(skus).astype(np.int32), zero, zero, never, never, np.concatenate(losses),
        np.concatenate(heard),
    )  # fmt: skip


def _drifts(events: _Events, epochs: _Epochs) -> tuple[Ints, Codes, Ints]:
    """Row, product and drift wherever a row gives the drift of a product a new value, by product and row."""
    is_product = begins(events.sku)
    is_owner = is_product | events.is_opening | events.is_loss
    owner = running_totals(events.owner, is_owner)
    has_word = running_totals(events.is_word.astype(np.int64), is_owner) > 0
    shop = running_totals(events.shop, is_product | events.is_opening)
    is_open = np.append(True, ~epochs.is_lost)[np.searchsorted(epochs.row, events.row, side="right")]
    drift = np.where(is_open & has_word, owner - shop, 0)[events.is_heard]
    row, sku = events.row[events.is_heard], events.sku[events.is_heard]
    is_new = drift != previous(sku, drift)
    return row[is_new], sku[is_new], drift[is_new]


def previous(sku: Ints | Codes, drift: Ints) -> Ints:
    """The value that each change replaced, given changes sorted by product and then time; every product begins at 0."""
    before = np.append(0, drift)[: len(drift)]
    before[begins(sku)] = 0
    return before


def _one_an_instant(time: Ints, sku: Ints, drift: Ints, names: tuple[str, ...]) -> Changes:
    """What a product drifts between two rows of one atomic step is nobody's drift: keep what the instant ends with."""
    by_sku = np.lexsort((time, sku))  # stable, so rows of one instant stay in the order they were written
    time, sku, drift = time[by_sku], sku[by_sku], drift[by_sku]
    is_last = ends(sku, time)
    time, sku, drift = time[is_last], sku[is_last], drift[is_last]
    is_new = drift != previous(sku, drift)
    time, sku, drift = time[is_new], sku[is_new], drift[is_new]
    by_time = np.argsort(time, kind="stable")
    return Changes(time[by_time], sku[by_time], drift[by_time], names)
