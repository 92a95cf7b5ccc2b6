"""What the owner of the stock was asked and answered, read from a history, one line at a time.

What a refresh brought, what was settled, adopted, lost, or ran out, stands in no ask: it is read from the owner's own
rows, and takes effect by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from orderquake.sim.history import History, Row
from orderquake.sim.linear.asks import Ask, asks_of
from orderquake.sim.linear.model import Operation
from orderquake.sim.linear.stock import (
    HAPPENED,
    Adopts,
    Consume,
    Extend,
    Lapses,
    Loses,
    Moves,
    Opens,
    Release,
    Reserve,
)

VERBS: Mapping[str, tuple[str, str]] = {
    "reserve": ("hold", "reserved"),
    "consume": ("pin", "pinned"),
    "release": ("free", "released"),
    "extend": ("extend", "extended"),
}
"""Verb -> the change that it makes, and what is answered then."""
CHANGES = ("hold", "pin", "free", "drop", "extend", "rebase", "adopt")
Goods = Mapping[str, int]


def stock_operations(history: History, believes_ledger: bool) -> Iterator[Operation]:
    table = history.table()
    changes = list(history.rows_at(table.at("state", *CHANGES).tolist()))
    ordered = list(history.rows_at(table.at("state", "ordered").tolist()))
    of_order = goods(ordered, lambda row: row.order)
    of_token = goods((row for row in changes if row.operation in ("hold", "adopt")), lambda row: row.key)
    asked_by_rows: set[int] = set()  # only asked whether a row is in it
    for ask in asks_of(history, tuple(VERBS), CHANGES):
        asked_by_rows.add(ask.row.index)
        lines: Goods = of_token.get(ask.row.key) or of_order.get(ask.row.order) or {}
        if ask.row.operation == "reserve":
            lines = of_order.get(ask.row.order) or goods_of(row for rows in ask.did for row in rows)
        for sku, units in lines.items():
            yield from of_a_line(ask, sku, units, len(lines) == 1, believes_ledger)
    if not asked_by_rows:  # a cache of counts, a board of claims: nobody here was asked for what the model knows
        return
    yield from by_itself(changes, asked_by_rows)
    skus = dict.fromkeys(
        row.sku for row in (*history.rows_at(table.at("config", "opening").tolist()), *changes) if row.sku
    )
    for row in history.rows_at(table.at("state", "epoch").tolist()):
        for sku in skus:
            asked: Any = Loses(sku) if row.answer == "lost" else Opens(sku)
            yield Operation(row.index, row.index, asked, HAPPENED, row.actor, (row.index,))


def goods(rows: Iterable[Row], name: Any) -> dict[str, dict[str, int]]:
    """Units by product, of each order or each token."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(name(row), {})[row.sku] = row.units
    return found


def goods_of(rows: Iterable[Row]) -> Goods:
    return {row.sku: row.units for row in rows if row.operation == "hold"}


def of_a_line(ask: Ask, sku: str, units: int, is_alone: bool, believes_ledger: bool) -> Iterator[Operation]:
    change, done = VERBS[ask.row.operation]
    did = [
        rows for moment in ask.did
        if (rows := tuple(row for row in moment if row.sku == sku and row.operation == change and not ran_out(row)))
    ]  # fmt: skip

    def asked(rows: tuple[Row, ...], token: str) -> Any:
        order = ask.row.order
        match ask.row.operation:
            case "reserve":
                return Reserve(sku, order, units, rows[0].key if rows else token, is_alone)
            case "consume":
                return Consume(sku, order, ask.row.key, is_alone)
            case "extend":
                return Extend(sku, order, ask.row.key, is_alone)
            case _:
                return Release(sku, order, ask.row.key)

    if ask.answer is not None:
        own = did[0] if did and ask.answer == done and ask.heard and did[0][-1].index < ask.heard.index else ()
        yield ask.operation(asked(own, ""), own)
        did = did[1:] if own else did
    elif not ask.is_refused and not believes_ledger:
        yield ask.open_operation(asked(did[0] if did else (), f"{ask.row.order}/?"))
        did = did[1:]
    for rows in did:
        yield ask.as_said_by(rows, asked(rows, ""), done)


def ran_out(row: Row) -> bool:
    return row.operation == "free" and row.answer == "lapsed"


def by_itself(changes: Iterable[Row], asked: set[int]) -> Iterator[Operation]:
    """What ran out, and what was moved by nobody who waits for an answer about it: by a refresh, a post, a rebuild."""
    together: dict[tuple[int, int, str], list[Row]] = {}
    for row in changes:
        if ran_out(row):
            lapses = Lapses(row.sku, row.order, row.key)
            yield Operation(row.index, row.index, lapses, HAPPENED, row.actor, (row.index,))
        elif row.operation == "adopt":
            adopts = Adopts(row.sku, row.order, row.key, row.units)
            yield Operation(row.index, row.index, adopts, HAPPENED, row.actor, (row.index,))
        elif row.sku and row.cause not in asked and (row.operation != "rebase" or row.answer == "applied"):
            together.setdefault((row.cause, row.time, row.sku), []).append(row)
    for rows in together.values():
        units = sum(row.units for row in rows if row.operation == "rebase")
        gone = tuple((row.order, row.key) for row in rows if row.operation in ("drop", "free"))
        yield Operation(
            rows[0].index, rows[-1].index, Moves(rows[0].sku, units, gone), HAPPENED, rows[0].actor,
            tuple(row.index for row in rows),
        )  # fmt: skip
