"""Reads from a history what a service was asked and answered, in the words of its model.

An ask is called when it is sent and back when its answer is heard. One that was refused did not happen. One that was
never answered may have: where the service's own rows are believed, they say whether, and when at the latest. What an
ask did a second time, because the wire brought it twice, is an operation of its own, whose answer nobody waits for; and
so is what the service did by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from orderquake.sim.history import History
from orderquake.sim.linear.asks import ANSWERS, Ask
from orderquake.sim.linear.model import Model, Operation
from orderquake.sim.linear.orders import OrderRows
from orderquake.sim.linear.reading_orders import order_operations
from orderquake.sim.linear.reading_stock import stock_operations
from orderquake.sim.linear.register import DONE, OTHERWISE, Read, Register, Swap, Write
from orderquake.sim.linear.stock import Stock


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
