"""When all is quiet, do the cache and the record agree about every product?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from orderquake.sim.checkers.basket import Basket, basket_part
from orderquake.sim.checkers.book import RECORD_ROWS
from orderquake.sim.checkers.finding import NOWHERE, Aside, Finding, Kinds, PartByPart, kept, not_by_the_end
from orderquake.sim.checkers.fold import Context
from orderquake.sim.checkers.shelves import MOVES, RECORD, applied_snapshots, rows_of
from orderquake.sim.history import NONE, History, Row

NEEDS = frozenset({"record", "stock"})
TO_OPEN_AGAIN = NEEDS | {"order_cache"}
"""A base that was lost is built again from the open orders, too."""
TO_LET_GO = NEEDS | {"order_cache", "payment"}
"""Units are held until their order ends, and that takes these two as well."""


class Books(NamedTuple):
    """One SKU.

    record_v   the record's latest version
    base_v     version of the base last applied, NONE after a loss
    open       units held, pinned or adopted and neither freed nor dropped
    refused    units of orders whose post the record has refused for good: they stay open, and that is their
    reason
    """

    record_v: int = 0
    base_v: int = 0
    open: int = 0
    refused: int = 0
    was_moved: bool = False
    record: Aside = NOWHERE
    base: Aside = NOWHERE
    cache: Aside = NOWHERE


State = Books | Basket | None


class BooksConverge(PartByPart[State]):
    """In the end all books agree. Hears: the record (outside), the Stock Cache (inside)."""

    name = "books_converge"
    hears: ClassVar[Kinds] = {
        "state": frozenset({"hold", "free", "drop", "adopt", "rebase", "epoch", "ordered", "post"}) | RECORD_ROWS,
        "config": frozenset({"opening"}),
    }
    echoed = frozenset({"epoch", "post"})

    def part(self, row: Row) -> str:
        return basket_part(row.order) if row.operation in ("ordered", "post") else row.sku

    def echoes(self, row: Row, parts: Mapping[str, State | Finding]) -> Iterable[tuple[str, Row]]:
        if row.operation == "epoch":
            return [(part, row) for part, state in parts.items() if isinstance(state, Books)]
        basket = parts.get(basket_part(row.order))
        return basket.line_by_line(row) if isinstance(basket, Basket) else ()

    def start(self) -> State:
        return None

    def hear(self, state: State, row: Row, context: Context) -> State:
        operation = row.operation
        if operation == "ordered" or (operation == "post" and not row.sku):
            basket = state if isinstance(state, Basket) else Basket()
            if operation == "ordered":
                return basket.add(row)
            return basket.tell(row) if row.answer == "rejected" else basket
        if not row.sku and not isinstance(state, Books):  # a row about no SKU, in the part of no SKU
            return state
        books = state if isinstance(state, Books) else Books()
        record_v, base_v, open_units, refused, was_moved, record, base, cache = books
        if operation == "hold" or operation == "adopt":
            return Books(record_v, base_v, open_units + row.units, refused, True, record, base, Aside(row.index))
        if operation == "free" or operation == "drop":
            return Books(record_v, base_v, open_units - row.units, refused, True, record, base, Aside(row.index))
        if operation in RECORD_ROWS:
            return Books(row.version, base_v, open_units, refused, True, Aside(row.index), base, cache)
        if operation == "rebase" and row.answer == "applied":
            return Books(record_v, row.version, open_units, refused, was_moved, record, Aside(row.index), cache)
        if operation == "epoch" and row.answer == "lost":
            return Books(record_v, NONE, 0, refused, True, record, Aside(row.index), cache)
        if operation == "post":
            return Books(record_v, base_v, open_units, refused + row.units, True, record, base, cache)
        return books

    def settle(self, part: str, state: State, context: Context) -> Finding:
        if not isinstance(state, Books) or not state.was_moved:
            return kept(0)
        shown = (state.record, state.base, state.cache)
        if state.base_v != state.record_v:
            known = f"version {state.base_v}" if state.base_v != NONE else "none"
            reason = f"{part}: the record is at version {state.record_v}, the cache's base at {known}"
            return not_by_the_end(context, NEEDS if state.base_v != NONE else TO_OPEN_AGAIN, 1, reason, *shown)
        if state.open > state.refused:
            reason = f"{part}: {state.open - state.refused} units are still held or pinned beside the base"
            return not_by_the_end(context, TO_LET_GO, 1, reason, *shown)
        if context.ended_at is None:
            return not_by_the_end(context, NEEDS, 1, f"{part}: the books agree so far")
        return kept(1)

    def screen(self, history: History, context: Context) -> int | None:
        """After the end every base has the record's version, and nothing is held or pinned beside it."""
        table = history.table()
        posts, epochs = table.at("state", "post"), table.at("state", "epoch")
        was_refused = table.sku[posts].any() or (table.answer[posts] == table.code("rejected")).any()
        if context.ended_at is None or len(epochs) or was_refused:
            return None
        record, applied, moves = rows_of(table, *RECORD), applied_snapshots(table), rows_of(table, *MOVES)
        skus = 1 + max(int(table.sku[rows].max(initial=0)) for rows in (record, applied, moves))
        record_v, base_v, left = np.zeros((3, skus), dtype=np.int64)
        record_v[table.sku[record]] = table.version[record]  # the last of each SKU is written last, and stays
        base_v[table.sku[applied]] = table.version[applied]
        operation, units = table.operation[moves], table.units[moves]
        is_promise = (operation == table.code("hold")) | (operation == table.code("adopt"))
        np.add.at(left, table.sku[moves], np.where(is_promise, units, -units))
        was_moved = np.zeros(skus, dtype=np.bool_)
        was_moved[table.sku[record]] = True
        was_moved[table.sku[moves]] = True
        was_moved[0] = False  # a row about no SKU
        return None if (was_moved & ((record_v != base_v) | (left > 0))).any() else int(was_moved.sum())
