"""What the record said of a SKU at each of its versions, from outside rows alone. Judges nothing itself."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from orderquake.sim.history import Row

RECORD_ROWS = frozenset({"ship", "receipt", "return", "correction", "foreign_sale"})
KEEP = 512


class Entry(NamedTuple):
    """Right after `version`: units on hand, and units gone since the opening: ours, others', shrunk."""

    version: int
    on_hand: int
    shipped: int
    foreign: int
    shrunk: int


Book = tuple[Entry, ...]
"""Oldest version first; empty while the opening is not known."""


def opened(row: Row) -> Book:
    return (Entry(0, row.units, 0, 0, 0),)


def entered(book: Book, row: Row, in_use: int) -> Book:
    """The book after one more record row; `in_use` is the oldest version that somebody still builds on."""
    if not book:
        return book
    _, on_hand, shipped, foreign, shrunk = book[-1]
    units, operation = row.units, row.operation
    if operation == "ship":
        on_hand -= units
        shipped += units
    elif operation == "foreign_sale":
        on_hand -= units
        foreign += units
    else:
        on_hand += units
        if units < 0:
            shrunk -= units
    # Simplified: versions long out of use are forgotten; matters when a snapshot hundreds of versions old is
    # applied, which `fresh_snapshots_only` tells from the version alone.
    if len(book) > 2 * KEEP and book[KEEP].version < in_use:
        book = book[KEEP:]
    return (*book, Entry(row.version, on_hand, shipped, foreign, shrunk))


def at(book: Book, version: int) -> Entry:
    """What the book said at a version: its latest entry up to there."""
    return book[max(0, bisect_right(book, version, key=_version) - 1)]


def _version(entry: Entry) -> int:
    return entry.version
