"""Whole columns at a time: first and last rows by name, groups, running totals that begin anew.

What the measures need and numpy has no word for. Nothing in this file knows an order system, or a history.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[np.int32]
Bools: TypeAlias = npt.NDArray[np.bool_]

NEVER = int(np.iinfo(np.int64).max)
"""A row or a moment that does not come."""


def first_rows(names: Ints | Codes, rows: Ints, size: int) -> Ints:
    """Name -> the first of its rows, NEVER where it has none; names are numbers below `size`.

    >>> first_rows(np.array([1, 0, 1]), np.array([5, 6, 7]), size=3).tolist() == [6, 5, NEVER]
    True
    """
    first = np.full(size, NEVER, np.int64)
    np.minimum.at(first, names, rows)
    return first


def last_rows(names: Ints | Codes, rows: Ints, size: int) -> Ints:
    """Name -> the last of its rows, -1 where it has none; names are numbers below `size`.

    >>> last_rows(np.array([1, 0, 1]), np.array([5, 6, 7]), size=3).tolist()
    [6, 7, -1]
    """
    last = np.full(size, -1, np.int64)
    np.maximum.at(last, names, rows)
    return last


def next_rows(names: Ints | Codes, rows: Ints, name: Ints | Codes, after: Ints) -> Ints:
    """For each `name` the first of its rows beyond `after`, NEVER where there is none.

    >>> next_rows(np.array([7, 8, 7]), np.array([1, 3, 5]), np.array([7, 7]), np.array([1, 5])).tolist() == [5, NEVER]
    True
    """
    span = 1 + max(int(rows.max(initial=0)), int(after.max(initial=0)))
    ordered = np.sort(names.astype(np.int64) * span + rows)
    place = np.searchsorted(ordered, name.astype(np.int64) * span + after, side="right")
    found = np.append(ordered, NEVER)[place]
    return np.where(found // span == name, found % span, NEVER)


def size_of(*names: Ints | Codes) -> int:
    """One more than the largest name in any of these columns; 0 where there is none."""
    return 1 + max((int(column.max(initial=-1)) for column in names), default=-1)


def numbered(values: Ints) -> Ints:
    """Each value's place among the different values, ascending.

    >>> numbered(np.array([30, 10, 30])).tolist()
    [1, 0, 1]
    """
    order = np.argsort(values, kind="stable")
    number = np.empty(len(values), np.int64)
    number[order] = np.cumsum(begins(values[order])) - 1
    return number


def pairs(left: Codes, right: Codes) -> Ints:
    """Two codes as one number: equal where both are equal, and in the order of the left, then of the right."""
    return left.astype(np.int64) << 32 | right


def begins(*columns: Ints | Codes | Bools) -> Bools:
    """True where a group begins: at the first row, and wherever a column differs from the row before.

    >>> begins(np.array([7, 7, 8, 8]), np.array([1, 1, 1, 2])).tolist()
    [True, False, True, True]
    """
    found = np.zeros(len(columns[0]), np.bool_)
    found[:1] = True
    for column in columns:
        found[1:] |= column[1:] != column[:-1]
    return found


def ends(*columns: Ints | Codes | Bools) -> Bools:
    """True where a group ends: at the last row, and wherever a column differs from the row after.

    >>> ends(np.array([7, 7, 8, 8]), np.array([1, 1, 1, 2])).tolist()
    [False, True, True, True]
    """
    return np.append(begins(*columns)[1:], np.ones(min(len(columns[0]), 1), np.bool_))


def running_totals(values: Ints, is_first: Bools) -> Ints:
    """Totals up to and with each row, anew wherever `is_first`, which holds in the first row.

    >>> running_totals(np.array([1, 2, 3, 4]), np.array([True, False, True, False])).tolist()
    [1, 3, 3, 7]
    """
    total = np.cumsum(values)
    before = (total - values)[is_first]
    since: Ints = total - np.repeat(before, _lengths(is_first))
    return since


def running_least(values: Ints, is_first: Bools) -> Ints:
    """The least value up to and with each row, anew wherever `is_first`, which holds in the first row.

    >>> running_least(np.array([1, 0, 3, 4]), np.array([True, False, True, False])).tolist()
    [1, 0, 3, 3]
    """
    if not len(values):
        return values
    # Each group is set below the one before it, so that nothing of that can be the least.
    below = (np.cumsum(is_first) - 1) * (int(values.max()) - int(values.min()) + 1)
    least: Ints = np.minimum.accumulate(values - below) + below
    return least


def latest(is_marked: Bools) -> Ints:
    """For each place the last marked one up to and with it, -1 where there is none.

    >>> latest(np.array([False, True, False, True])).tolist()
    [-1, 1, 1, 3]
    """
    found: Ints = np.maximum.accumulate(np.where(is_marked, np.arange(len(is_marked)), -1))
    return found


def highest_over(start: Ints, stop: Ints, value: Ints, size: int) -> Ints:
    """The highest of the values that cover a place, 0 where none does; a value covers the places start <= place < stop.

    A stretch is covered by two blocks whose length is a power of two; blocks are halved until they are single places.

    >>> highest_over(np.array([0, 1]), np.array([3, 5]), np.array([4, 2]), size=6).tolist()
    [4, 4, 4, 2, 2, 0]
    """
    highest = np.zeros(size, np.int64)
    power = np.frexp((stop - start).astype(np.float64))[1] - 1
    for each in range(int(power.max(initial=-1)), -1, -1):
        mine = np.flatnonzero(power == each)
        np.maximum.at(highest, start[mine], value[mine])
        np.maximum.at(highest, stop[mine] - (1 << each), value[mine])
        if each:
            half = 1 << each - 1
            highest[half:] = np.maximum(highest[half:], highest[:-half])
    return highest


def _lengths(is_first: Bools) -> Ints:
    first = np.flatnonzero(is_first)
    return np.diff(np.append(first, len(is_first)))
