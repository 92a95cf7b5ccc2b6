"""Asks as a history tells them: when each was sent, what was heard of it, and what was done for it.

No service is known here, and no model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from orderquake.sim.history import History, Row
from orderquake.sim.linear.model import Operation

ANSWERS = ("ok", "fail", "info")


class Ask(NamedTuple):
    """row: its invoke row. heard: the row of its answer, None where there is none. did: rows that name it as their
    cause, those of one moment together."""

    row: Row
    heard: Row | None
    did: tuple[tuple[Row, ...], ...]

    @property
    def task(self) -> str:
        return self.row.op_id.partition("#")[0]

    @property
    def is_refused(self) -> bool:
        return self.heard is not None and self.heard.kind == "fail"

    @property
    def answer(self) -> str | None:
        """None where nobody knows."""
        return self.heard.answer if self.heard is not None and self.heard.kind == "ok" else None

    def operation(self, asked: Any, did: tuple[Row, ...] = ()) -> Operation:
        """As it was answered."""
        assert self.heard is not None
        rows = (self.row.index, *(row.index for row in did), self.heard.index)
        return Operation(self.row.index, self.heard.index, asked, self.answer, self.row.actor, rows)

    def as_said_by(self, did: tuple[Row, ...], asked: Any, answer: str) -> Operation:
        """As the service's own rows say."""
        rows = (self.row.index, *(row.index for row in did))
        return Operation(self.row.index, did[-1].index, asked, answer, self.row.actor, rows)

    def open_operation(self, asked: Any) -> Operation:
        """As nobody knows."""
        return Operation(self.row.index, None, asked, who=self.row.actor, rows=(self.row.index,))


def asks_of(history: History, verbs: tuple[str, ...], changes: tuple[str, ...]) -> Iterator[Ask]:
    """Every ask with one of these verbs, in the order of their calls; of what was done for it, these changes."""
    table = history.table()
    heard = {
        row.cause: row for kind in ANSWERS for row in history.rows_at(table.at(kind, *verbs).tolist())
        if row.actor != "customer"
    }  # fmt: skip
    did: dict[int, list[list[Row]]] = {}
    for row in history.rows_at(table.at("state", *changes).tolist()):
        if row.cause >= 0:
            moments = did.setdefault(row.cause, [])
            if moments and moments[-1][-1].time == row.time:
                moments[-1].append(row)
            else:
                moments.append([row])
    for row in history.rows_at(table.at("invoke", *verbs).tolist()):
        if row.actor != "customer":
            yield Ask(row, heard.get(row.index), tuple(map(tuple, did.get(row.index, ()))))
