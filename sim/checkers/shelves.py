"""The record's books of all SKUs as columns, and what screens ask of a history first. Judges nothing itself.

A *screen* stands beside a fold about products or services, where every part's course is its own and shapes are no
help; and beside two about orders, where a basket of many lines is a shape of its own. It is a proof and never a
judgement: it returns how often the promise was put to the test where it is sure that the fold would find every part
valid, and None wherever it is not, or where the history is one that it was not written for (a loss of the cache, limits
that change, a SKU opened twice). Then the fold is asked.
"""

from __future__ import annotations

import numpy as np

from orderquake.sim.checkers.groups import Bools, Ints, Numbers, before, firsts, merged, sizes, together, within
from orderquake.sim.history import Table

RECORD = ("correction", "foreign_sale", "receipt", "return", "ship")
MOVES = ("adopt", "drop", "free", "hold")


class Shelves:
    """Entries of all SKUs, in order of SKU and then of row. Texts are codes.

    on_hand, shipped, foreign, shrunk   units right after an entry: there, and gone since the opening
    """

    def __init__(self, table: Table) -> None:
        rows = merged(table.at("config", "opening"), rows_of(table, *RECORD))
        self.index: Ints = rows[together(table.sku[rows])]
        self.sku: Ints = table.sku[self.index].astype(np.int64)
        self.starts = firsts(self.sku)
        operation, units = table.operation[self.index], table.units[self.index]
        self.is_opening: Bools = operation == table.code("opening")
        is_ship, is_foreign = operation == table.code("ship"), operation == table.code("foreign_sale")
        self.version: Ints = np.where(self.is_opening, 0, table.version[self.index])
        zero = np.zeros(len(units), dtype=np.int64)
        self.on_hand = within(self.starts, np.where(is_ship | is_foreign, -units, units))
        self.shipped = within(self.starts, np.where(is_ship, units, zero))
        self.foreign = within(self.starts, np.where(is_foreign, units, zero))
        self.shrunk = within(self.starts, np.where(is_ship | is_foreign, zero, np.maximum(-units, 0)))
        self._skus = self.sku[self.starts]
        self._opened = np.unique(self.sku[self.is_opening])
        self._span = max(len(table), int(self.version.max(initial=0)) + 1) + 1
        self._by_index = self.sku * self._span + self.index
        self._by_version = self.sku * self._span + self.version

    @property
    def longest(self) -> int:
        """Entries of the SKU that has most."""
        return int(sizes(self.starts, len(self.sku)).max(initial=0))

    @property
    def are_plain(self) -> bool:
        """Every SKU begins with its one opening, and then its versions rise."""
        opens = bool(self.is_opening[self.starts].all()) and len(self._opened) == int(self.is_opening.sum())
        return opens and bool((self.version > before(self.starts, self.version, -1)).all())

    def is_open(self, sku: Numbers) -> Bools:
        """Whether the opening of a SKU is in the history."""
        return np.isin(sku, self._opened)

    def opening(self, sku: Numbers) -> Ints:
        """Place of each SKU's first entry; only for SKUs that have one."""
        return self.starts[np.searchsorted(self._skus, sku)]

    def known(self, sku: Numbers, index: Ints) -> Ints:
        """Place of each SKU's latest entry when a row was written; its first at the earliest."""
        wanted = sku.astype(np.int64) * self._span + index
        found = np.searchsorted(self._by_index, wanted, side="right") - 1
        return np.maximum(found, self.opening(sku))

    def at(self, sku: Numbers, version: Ints, index: Ints) -> Ints:
        """Place of the entry at a version, among those known when a row was written."""
        wanted = sku.astype(np.int64) * self._span + np.clip(version, 0, self._span - 1)
        found = np.searchsorted(self._by_version, wanted, side="right") - 1
        return np.minimum(np.maximum(found, self.opening(sku)), self.known(sku, index))


def rows_of(table: Table, *operations: str) -> Ints:
    """The `state` rows of some operations, in order."""
    return merged(*(table.at("state", operation) for operation in operations))


def plain_shelves(table: Table) -> Shelves | None:
    """The books, where they are plain, the cache was never lost, and all openings came before the first move; None
    where not."""
    opening = table.at("config", "opening")
    moves = rows_of(table, *RECORD, *MOVES, "pin", "rebase", "notice")
    if not len(opening) or len(table.at("state", "epoch")) or (len(moves) and moves[0] < opening[-1]):
        return None
    shelves = Shelves(table)
    return shelves if shelves.are_plain else None


def applied_snapshots(table: Table) -> Ints:
    """Rows of snapshots that became some SKU's base, in order."""
    rows = table.at("state", "rebase")
    applied: Ints = rows[(table.answer[rows] == table.code("applied")) & (table.sku[rows] != 0)]
    return applied


def limits_are_known(table: Table, rows: Ints) -> bool:
    """The limits were told at most once, and before any of these rows."""
    told = table.at("config", "limits")
    return len(told) == 0 or (len(told) == 1 and (not len(rows) or bool(told[0] < rows[0])))
