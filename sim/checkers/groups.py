"""Rows in groups, as arrays: brought together, counted through, added up. Knows no history and judges nothing."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[Any]
"""Whole numbers of any width."""

_DIGIT = 16
"""Bits that numpy sorts by counting, in linear time."""


def together(*groups: Numbers) -> Ints:
    """The order that brings rows of one group together and leaves them in order; groups are not negative, and named by
    one column or by several, the first of most weight.

    >>> together(np.array([2, 0, 2, 0])).tolist()
    [1, 3, 0, 2]
    """
    order = np.arange(len(groups[0]), dtype=np.int64)
    for group in reversed(groups):
        top, shift = int(group.max(initial=0)), 0
        while top >> shift:
            digit = (group[order] >> shift).astype(np.uint16)
            order = order[np.argsort(digit, kind="stable")]
            shift += _DIGIT
    return order


def merged(*rows: Ints) -> Ints:
    """All these rows in order, each once; marking them on a list of all is faster than sorting.

    >>> merged(np.array([4, 7]), np.array([5])).tolist()
    [4, 5, 7]
    """
    mark = np.zeros(1 + max(int(some.max(initial=-1)) for some in rows), dtype=np.bool_)
    for some in rows:
        mark[some] = True
    return np.flatnonzero(mark)


def changes(*groups: Numbers) -> Bools:
    """Where a row's group is not that of the row before; so it is at the first."""
    found = np.zeros(len(groups[0]), dtype=np.bool_)
    found[:1] = True
    for group in groups:
        found[1:] |= group[1:] != group[:-1]
    return found


def firsts(*groups: Numbers) -> Ints:
    """Where each group begins; groups lie together."""
    return np.flatnonzero(changes(*groups))


def sizes(starts: Ints, rows: int) -> Ints:
    """How many of so many rows each group has."""
    found = np.empty(len(starts), dtype=np.int64)
    found[:-1] = starts[1:] - starts[:-1]
    found[-1:] = rows - starts[-1:]
    return found


def since(starts: Ints, values: Ints) -> Ints:
    """How far each value is from that at the start of its group: `starts` says where groups begin, the first at 0."""
    return values - np.repeat(values[starts], sizes(starts, len(values)))


def within(starts: Ints, deltas: Ints) -> Ints:
    """Running totals that begin anew with each group.

    >>> within(np.array([0, 2]), np.array([1, 2, 5, 5])).tolist()
    [1, 3, 5, 10]
    """
    total = np.cumsum(deltas)
    return total - np.repeat(total[starts] - deltas[starts], sizes(starts, len(deltas)))


def before(starts: Ints, values: Numbers, at_first: int) -> Ints:
    """The value of the row before in the same group; `at_first` where there is none."""
    found = np.empty(len(values), dtype=np.int64)
    found[1:] = values[:-1]
    found[starts] = at_first
    return found
