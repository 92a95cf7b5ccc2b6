"""Where two tellings of the same run part, in words: the first draw or the first row that is not the same.

Reads histories and what was drawn; runs nothing, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from orderquake.sim.history import NONE, History, Row, first_difference
from orderquake.sim.units import format_seconds
from orderquake.sim.world.streams import Draw

NEAR = 5
"""Draws that are shown beside a row that differs."""


def in_words(row: Row) -> str:
    """A row with what it says, and without what it leaves out.

    >>> history = History()
    >>> index = history.state(5_000_000, "receipt", sku="mug", units=2)
    >>> in_words(history[0])
    'row 0 at 5 s: state receipt, sku mug, units 2'
    """
    said = [
        f"{name} {getattr(row, name)}"
        for name in row._fields[4:]
        if name != "witness" and getattr(row, name) not in ("", True, NONE if name in _MAY_BE_ZERO else 0)
    ]
    return ", ".join((f"row {row.index} at {format_seconds(row.time / 1e6)}: {row.kind} {row.operation}", *said))


_MAY_BE_ZERO = frozenset({"line", "version", "watermark", "deadline", "cause"})


def drawn_in_words(draw: Draw) -> str:
    """A draw by its label.

    >>> drawn_in_words(Draw("fault/lose_ask-1/charge", 17, 0, 0.5, 1_000_000, 3))
    'fault/lose_ask-1/charge number 17 attempt 0 was 0.5 at 1 s'
    """
    moment = format_seconds(draw.time_us / 1e6)
    return f"{draw.stream} number {draw.number} attempt {draw.attempt} was {draw.value} at {moment}"


class Difference(NamedTuple):
    """The first thing in which a run differs from another one, or from what is known of it.

    what     "draw", "row" or "end"
    row      its index; of a draw, that of the row that was written next; of an end, how many rows there are
    stream   name of the stream that gave another value, or was drawn out of turn; "" for a row
    ours, theirs   in words; "" where one of the two had ended
    near     draws that were made at that moment, or for that order just before it
    """

    what: str
    row: int
    stream: str
    ours: str
    theirs: str
    near: tuple[Draw, ...] = ()

    def __str__(self) -> str:
        first = {
            "draw": f"the first difference is a draw from {self.stream}, before row {self.row}",
            "row": f"the first difference is row {self.row}",
            "end": f"all {self.row} rows are the same, but not how they end",
        }
        lines = [first[self.what], f"  now:  {self.ours or 'nothing more'}", f"  then: {self.theirs or 'nothing more'}"]
        if self.near:
            lines += [
                "drawn at that moment, or for that order just before:",
                *(f"  {drawn_in_words(d)}" for d in self.near),
            ]
        return "\n".join(lines)


def row_difference(index: int, history: History, draws: Sequence[Draw], theirs: str) -> Difference:
    """A row that differs, of a history that may have ended before it."""
    ours = in_words(history[index]) if index < len(history) else ""
    return Difference("row", index, "", ours, theirs, near(index, history, draws))


def near(index: int, history: History, draws: Sequence[Draw]) -> tuple[Draw, ...]:
    """The last draws before a row: those of its moment, and those of its order."""
    if index >= len(history):
        return tuple(draws[-NEAR:])
    row = history[index]
    number = number_of(row.order, history)
    before = [draw for draw in draws if draw.row <= index + 1]  # the row's own draws follow it
    at_once = [draw for draw in before if draw.time_us == row.time][-NEAR:]
    of_order = [draw for draw in before if draw.number == number and draw not in at_once][-NEAR:]
    return (*of_order, *at_once)


def number_of(order: str, history: History) -> int | None:
    """The original number of an order, as its submission tells it; None for a row of no order."""
    if order:
        table = history.table()
        for row in history.rows_at(table.at("invoke", "submit")):
            if row.order == order and row.key[1:].isdigit():
                return int(row.key[1:])
    return None


def first_apart(
    ours: History, our_draws: Sequence[Draw], theirs: History, their_draws: Sequence[Draw]
) -> Difference | None:
    """Whatever differs first, a draw or a row; None where two runs are the same in both."""
    index = first_difference(ours, theirs)
    for one, other in zip_longest(our_draws, their_draws):
        if one is None or other is None or one != other:
            earlier = min(draw.row for draw in (one, other) if draw is not None)
            if index is not None and index < earlier:
                break
            stream = one.stream if one is not None else other.stream if other is not None else ""
            now, then = (drawn_in_words(draw) if draw is not None else "" for draw in (one, other))
            return Difference("draw", earlier, stream, now, then)
    if index is None:
        return None
    return row_difference(index, ours, our_draws, in_words(theirs[index]) if index < len(theirs) else "")
