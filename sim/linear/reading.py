"""Reads from a history what a service was asked and answered, in the words of its model.

An ask is called when it is sent and back when its answer is heard. One that was refused did not happen. One that was
never answered may have: where the service's own rows are believed, they say whether, and when at the latest. What an
ask did a second time, because the wire brought it twice, is an operation of its own, whose answer nobody waits for; and
so is what the service did by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from orderquake.sim.history import History, Row
from orderquake.sim.linear.model import Model, Operation
from orderquake.sim.linear.orders import OrderRows
from orderquake.sim.linear.register import DONE, OTHERWISE, Read, Register, Swap, Write
from orderquake.sim.linear.stock import Stock

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


# -- what is known of a service


def limits_of(history: History) -> dict[str, Any]:
    rows = list(history.rows_at(history.table().at("config", "limits").tolist()))
    return json.loads(rows[-1].answer) if rows else {}


def model_of(history: History, service: str) -> Model[Any]:
    """The model that a service is held to. raises   ValueError where there is none"""
    if service in ("stock", "record"):
        opening = {row.sku: row.units for row in history.rows_at(history.table().at("config", "opening").tolist())}
        return Stock(opening, limits_of(history).get("safety_stock", 0))
    if service == "order_cache":
        return OrderRows()
    if service == "kv":
        return Register()
    raise ValueError(f'there is no model of "{service}"; expected stock, record, order_cache, kv, or a model of yours')


def operations_of(history: History, service: str, believes_ledger: bool = True) -> Iterator[Operation]:
    """What a service was asked and answered. Nothing is asked of the model here.

    raises   ValueError where the service is not known
    """
    from orderquake.sim.linear.reading_orders import order_operations
    from orderquake.sim.linear.reading_stock import stock_operations

    if service in ("stock", "record"):
        return stock_operations(history, believes_ledger)
    if service == "order_cache":
        return order_operations(history, believes_ledger)
    if service == "kv":
        return kv_operations(history)
    raise ValueError(f'what is asked of "{service}" is not known; expected stock, record, order_cache or kv')


def kv_operations(history: History) -> Iterator[Operation]:
    """Registers by their keys. Of the invoke row: operation = read | write | cas, key, to_state = what is written,
    from_state = what a cas expects; of the answer: what was read, or done | otherwise."""
    table = history.table()
    verbs = ("read", "write", "cas")
    heard = {row.cause: row for kind in ANSWERS for row in history.rows_at(table.at(kind, *verbs).tolist())}
    for row in history.rows_at(table.at("invoke", *verbs).tolist()):
        asked: Read | Write | Swap
        match row.operation:
            case "read":
                asked = Read(row.key)
            case "write":
                asked = Write(row.key, row.to_state)
            case _:
                asked = Swap(row.key, row.from_state, row.to_state)
        ask = Ask(row, heard.get(row.index), ())
        if ask.answer is not None:
            assert isinstance(asked, Read) or ask.answer in (DONE, OTHERWISE), f"row {row.index}: {ask.answer}"
            yield ask.operation(asked)
        elif not ask.is_refused and not isinstance(asked, Read):
            yield ask.open_operation(asked)
