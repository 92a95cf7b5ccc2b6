"""The steps of a story: what was done up to the breach that somebody else could see later.

A step is an ask that changed something at the stock, the provider or the record, with all its lines; or the reading of
a snapshot that was applied later; or a change that a service made by itself. Writes of an order's row, its place in
line, and notices are folded: their sense is in the steps around them. Reads a history, judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from orderquake.sim.history import NONE, History, Row

NAMES: Final = ("ann", "bob", "cay", "dan", "eve", "fay", "gus", "hal")
"""What customers are called in stories, in the order in which they come."""
SEEN_LATER: Final = frozenset({
    "hold", "extend", "pin", "free", "drop", "adopt", "epoch", "count", "rebase", "capture", "authorisation", "void",
    "decline", "refund", "refund_failed", "post", "ship", "receipt", "return", "correction", "foreign_sale",
})  # fmt: skip
"""Changes that another party later reads: of stock, of money, and of the record's books."""
SAID: Final[Mapping[str, str]] = {
    "hold": "held", "extend": "extended", "pin": "pinned", "free": "freed", "drop": "handed over", "adopt": "adopted",
    "epoch": "new epoch", "count": "counted", "rebase": "applied", "capture": "captured", "authorisation": "authorised",
    "void": "voided", "decline": "declined", "refund": "refunded", "refund_failed": "refund failed", "post": "booked",
    "ship": "shipped", "receipt": "received", "return": "returned", "correction": "corrected",
    "foreign_sale": "sold elsewhere",
}  # fmt: skip


class Step(NamedTuple):
    """One step.

    row     its last row; `rows` are all
    who     a customer's order, a job, or a service
    ask     what was asked; "" for what nobody asked for
    """

    row: int
    rows: tuple[int, ...]
    time_us: int
    who: str
    ask: str
    outcome: str

    def __str__(self) -> str:
        return f"{self.who}: {self.ask} -> {self.outcome}" if self.ask else f"{self.who}: {self.outcome}"


def names_in(history: History) -> dict[str, str]:
    """Order -> what its customer is called."""
    table = history.table()
    found: dict[str, str] = {}
    for row in history.rows_at(table.at("invoke", "submit")):
        if row.order not in found:
            found[row.order] = NAMES[len(found)] if len(found) < len(NAMES) else f"customer {len(found) + 1}"
    return found


def steps_of(history: History, until: int | None = None) -> list[Step]:
    """The steps up to a row, in the order of their effects.

    until   the last row of the breach; the whole history where it is None
    """
    rows = list(history)[: None if until is None else until + 1]
    names = names_in(history)
    asks = {row.index: row for row in rows if row.kind == "invoke"}
    grouped: dict[tuple[int, str, int], list[Row]] = {}  # a late copy of an ask is a step of its own
    for row in rows:
        if row.kind != "state" or row.operation not in SEEN_LATER or not row.is_new:
            continue
        if row.operation == "rebase" and not _moves(row):
            continue
        which = (row.cause, "", row.time) if row.cause in asks else (NONE, row.actor, row.time)
        grouped.setdefault(which, []).append(row)
    steps = [_step(group, asks.get(cause), names) for (cause, _, _), group in grouped.items()]
    return sorted(steps + _reads(steps, rows, asks, names), key=lambda step: step.row)


def _moves(row: Row) -> bool:
    """A snapshot that changes a base; one that says what is known already is nothing that anybody sees."""
    return bool(row.sku) and row.answer == "applied" and row.units != 0


def _step(group: Sequence[Row], ask: Row | None, names: Mapping[str, str]) -> Step:
    last = group[-1]
    done = ", ".join(dict.fromkeys(_said(row) for row in group))
    indices = tuple(row.index for row in group)
    if ask is None:
        return Step(last.index, indices, last.time, last.actor, "", done)
    who = names.get(ask.order) or ask.actor
    if ask.operation == "post":
        done = ", ".join(dict.fromkeys(f"{names.get(row.order, row.order)} {_said(row)}" for row in group))
    return Step(last.index, (ask.index, *indices), last.time, who, ask.operation, done)


def _said(row: Row) -> str:
    said = SAID[row.operation]
    if row.operation == "rebase":
        return f"{said} version {row.version}"
    if row.operation == "free" and row.answer == "lapsed":
        return "lapsed"
    return said


def _reads(steps: Sequence[Step], rows: Sequence[Row], asks: Mapping[int, Row], names: Mapping[str, str]) -> list[Step]:
    """The readings of what was applied later: a snapshot is as old as its reading."""
    found = []
    for step in steps:
        if step.ask != "refresh":
            continue
        applied = asks[step.rows[0]]
        run = applied.op_id.partition("#")[0]
        before = [
            ask for ask in asks.values()
            if ask.operation == "read_changes" and ask.op_id.partition("#")[0] == run and ask.index < applied.index
        ]  # fmt: skip
        if before:
            read = before[-1]
            heard = next((row for row in rows if row.kind == "ok" and row.op_id == read.op_id), read)
            found.append(Step(heard.index, (read.index, heard.index), heard.time, read.actor, read.operation, "read"))
    return found
