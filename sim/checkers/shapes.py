"""Which parts of a history are alike in all that a promise looks at, so that one of them speaks for the others.

Two thousand orders go through a few dozen courses, and a fold cannot tell two orders of one course apart: it compares
names only with each other, amounts only with sums of amounts, moments only with moments. So the rows of each part are
written down without what the fold does not look at, names as the place where they were first met, amounts in units of
their common divisor, moments by rank. Parts written down alike have one *shape* (data independence: Wolper, POPL 1986),
and the fold, which stays the only judge, hears one part of each; see `judge.py`.

What a fold looks at stands beside what it hears, as its `looks`. A declaration that forgets something would let the
guilty pass for their neighbours; tests drop each of its entries, and watch the folds read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from orderquake.sim.checkers.groups import Bools, Ints, Numbers, changes, firsts, since, sizes, together
from orderquake.sim.history import Table

Naming = Callable[[Table, Ints], Numbers]
"""What part each of some rows belongs to, as a number."""


def of_order(table: Table, rows: Ints) -> Numbers:
    """The order that a row is about, as a number."""
    return table.order[rows]


def of_order_or_key(table: Table, rows: Ints) -> Numbers:
    """The order, or the key where no order is named."""
    order = table.order[rows]
    return np.where(order == 0, table.key[rows], order)


def of_key(table: Table, rows: Ints) -> Numbers:
    """The key."""
    return table.key[rows]


class Looks(NamedTuple):
    """What a fold looks at, beside the kind and the operation of a row.

    rows      operation -> columns; what is only told (in a reason, in a witness) does not count
    names     columns, or groups of columns, that are only compared with themselves, in one part
    sums      a column that is only added up and compared with its own sums and with zero, in one part
    moments   columns that are only compared with each other, in one part
    parts     `Checker.part` as numbers, a part each; which numbers does not matter

    All other columns enter as they are. Beside the columns of the history there are those of `COMPUTED`.
    """

    rows: Mapping[str, tuple[str, ...]]
    names: tuple[tuple[str, ...], ...] = ()
    sums: str = ""
    moments: tuple[str, ...] = ()
    parts: Naming = of_order

    @property
    def as_they_are(self) -> tuple[str, ...]:
        """Columns whose values count."""
        translated = {column for name in self.names for column in name} | {self.sums, *self.moments}
        return tuple(sorted({column for columns in self.rows.values() for column in columns} - translated))


def _limits(table: Table, rows: Ints) -> Ints:
    return np.searchsorted(table.at("config", "limits"), rows)


def _is_late(table: Table, rows: Ints) -> Bools:
    quiet = table.at("config", "quiet")
    heard = np.searchsorted(quiet, rows) - 1
    if not len(quiet):
        return np.zeros(len(rows), dtype=np.bool_)
    return (heard >= 0) & (table.time[rows] > table.deadline[quiet][heard])


COMPUTED: Mapping[str, Callable[[Table, Ints], Numbers]] = {"limits": _limits, "is_late": _is_late}
"""limits: how many `limits` rows came before, for a fold that asks for the limits while it hears. is_late: the row
comes after the `quiet` row, and its time is past the moment by which all must be over."""


class Parts(NamedTuple):
    """The parts that a checker hears of, by number.

    rows      all rows that it hears, part by part, in order
    starts    where in `rows` each part begins
    shape     number of each part's shape
    of_shape  how many parts each shape has
    example   the first part of each shape
    """

    rows: Ints
    starts: Ints
    shape: Ints
    of_shape: Ints
    example: Ints

    def are_examples(self) -> Bools:
        """One part of each shape."""
        found = np.zeros(len(self.starts), dtype=np.bool_)
        found[self.example] = True
        return found

    def are_like(self, parts: Sequence[int]) -> Bools:
        """All parts that have the shape of one of these."""
        is_shape = np.zeros(len(self.example), dtype=np.bool_)
        is_shape[self.shape[np.array(parts, dtype=np.int64)]] = True
        return is_shape[self.shape]

    def alike(self, part: int) -> int:
        """How many parts have the shape of this one, itself included."""
        return int(self.of_shape[self.shape[part]])

    def rows_of(self, parts: Bools) -> Ints:
        """The rows of some parts, in order of the history."""
        return np.sort(self.rows[np.repeat(parts, sizes(self.starts, len(self.rows)))])


def parts_by_shape(table: Table, looks: Looks, heard: Sequence[tuple[str, Ints]]) -> Parts:
    """All parts, and their shapes.

    heard   operation, and the rows of that operation which the fold hears, in order; every pair is told apart

    Two different shapes are taken for one with a chance of one in 2**64 a pair.
    """
    numbered = np.zeros(len(table), dtype=np.uint8)
    for number, (_, rows) in enumerate(heard, 1):
        numbered[rows] = number
    rows = np.flatnonzero(numbered)
    nothing = np.empty(0, dtype=np.int64)
    if not len(rows):
        return Parts(nothing, nothing, nothing, nothing, nothing)
    part = looks.parts(table, rows)
    order = together(part)
    rows, part = rows[order], part[order]
    starts = firsts(part)
    writing = _Writing(table, rows, starts, numbered[rows], [(), *(looks.rows[operation] for operation, _ in heard)])
    for column in looks.as_they_are:
        writing.as_it_is(column)
    for columns in looks.names:
        writing.name(columns)
    if looks.sums:
        writing.sum(looks.sums)
    if looks.moments:
        writing.moment(looks.moments)
    _, example, shape, of_shape = np.unique(
        writing.digests(), return_index=True, return_inverse=True, return_counts=True
    )
    return Parts(rows, starts, shape, of_shape, example)


class _Writing:
    """The rows written down, each as one number of 64 bits: a sum of its columns, each times its own odd factor."""

    def __init__(
        self, table: Table, rows: Ints, starts: Ints, numbered: Numbers, looks: Sequence[tuple[str, ...]]
    ) -> None:
        self.table, self.rows, self.starts, self.numbered, self.looks = table, rows, starts, numbered, looks
        self.place = since(starts, np.arange(len(rows)))
        self.part = np.repeat(np.arange(len(starts)), sizes(starts, len(rows)))
        self.written = numbered.astype(np.uint64) * _factor(0) + self.place.astype(np.uint64) * _factor(1)
        self.columns = 2

    def looked_at(self, column: str) -> Ints:
        """Places in `rows` of those in which the fold looks at a column."""
        return np.flatnonzero(np.array([column in columns for columns in self.looks])[self.numbered])

    def values(self, column: str, at: Ints) -> Numbers:
        rows = self.rows[at]
        computed = COMPUTED.get(column)
        found: Numbers = computed(self.table, rows) if computed else getattr(self.table, column)[rows]
        return found

    def write(self, at: Ints, values: Numbers) -> None:
        self.written[at] += values.astype(np.int64).view(np.uint64) * _factor(self.columns)
        self.columns += 1

    def as_it_is(self, column: str) -> None:
        at = self.looked_at(column)
        self.write(at, self.values(column, at))

    def name(self, columns: tuple[str, ...]) -> None:
        """As the place in its part where it was first met; the absent text and the number 0 are names like others."""
        at = self.looked_at(columns[0])
        values = [self.part[at], *(self.values(column, at) for column in columns)]
        order = np.lexsort(values[::-1])
        starts = firsts(*(value[order] for value in values))
        place = self.place[at][order]
        met = np.empty(len(at), dtype=np.int64)
        met[order] = np.repeat(place[starts], sizes(starts, len(at)))
        self.write(at, met)

    def sum(self, column: str) -> None:
        """In units of the part's common divisor: a sum's sign stays what it was. Where one is negative, as it is: -1
        means an absence to some."""
        at = self.looked_at(column)
        values = np.zeros(len(self.rows), dtype=np.int64)
        values[at] = self.values(column, at)
        unit = np.maximum(np.gcd.reduceat(values, self.starts), 1)
        unit[np.minimum.reduceat(values, self.starts) < 0] = 1
        self.write(at, values[at] // unit[self.part[at]])

    def moment(self, columns: tuple[str, ...]) -> None:
        """By rank among the moments of the part."""
        at = [self.looked_at(column) for column in columns]
        values = np.concatenate([self.values(column, here) for column, here in zip(columns, at, strict=True)])
        part = self.part[np.concatenate(at)]
        order = np.lexsort((values, part))
        values, part = values[order], part[order]
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = since(firsts(part), np.cumsum(changes(part, values)))
        for here, ranks in zip(at, np.split(rank, np.cumsum([len(here) for here in at])[:-1]), strict=True):
            self.write(here, ranks)

    def digests(self) -> npt.NDArray[np.uint64]:
        """One number a part. The place of a row is written in it, so that the sum tells orders apart."""
        mixed = self.written
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # source: splitmix64 (Vigna)
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        digests: npt.NDArray[np.uint64] = np.add.reduceat(mixed ^ (mixed >> np.uint64(31)), self.starts)
        return digests


def _factor(number: int) -> np.uint64:
    """An odd number of 64 bits, each its own."""
    mixed = (number + 1) * 0x9E3779B97F4A7C15 % 2**64
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> shift)) * factor % 2**64
    return np.uint64(mixed ^ (mixed >> 31) | 1)
