"""Does the cache only ever move forward to what the record really said?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple

from orderquake.sim.checkers.book import RECORD_ROWS, Book, at, entered, opened
from orderquake.sim.checkers.finding import (
    NOTHING,
    NOWHERE,
    Aside,
    Finding,
    Kinds,
    PartByPart,
    broken,
    kept,
    undecided,
)
from orderquake.sim.checkers.fold import Context
from orderquake.sim.checkers.groups import before, firsts, together, within
from orderquake.sim.checkers.shelves import applied_snapshots, plain_shelves
from orderquake.sim.history import NONE, History, Row


class Base(NamedTuple):
    """One SKU: the record's book, and what the cache has made its base of, since when."""

    book: Book = ()
    version: int = 0
    units: int = 0
    latest: Aside = NOWHERE
    applied: Aside = NOTHING


class FreshSnapshotsOnly(PartByPart[Base]):
    """The cache never goes back to an older count. Hears: the record (outside), its own rows (inside)."""

    name = "fresh_snapshots_only"
    hears: ClassVar[Kinds] = {
        "state": frozenset({"rebase", "epoch"}) | RECORD_ROWS,
        "config": frozenset({"opening"}),
    }
    echoed = frozenset({"epoch"})

    def part(self, row: Row) -> str:
        return row.sku

    def echoes(self, row: Row, parts: Mapping[str, Base | Finding]) -> Iterable[tuple[str, Row]]:
        return [(part, row) for part in parts if part]  # an epoch's own row has no SKU

    def start(self) -> Base:
        return Base()

    def hear(self, state: Base, row: Row, context: Context) -> Base | Finding:
        operation = row.operation
        if operation in RECORD_ROWS:
            return Base(entered(state.book, row, state.version), *state[1:])
        if operation == "rebase":
            return self.applied(state, row) if row.answer == "applied" and row.sku else state
        if operation == "epoch":  # a new epoch has no base, so the first snapshot of any age is its freshest
            return Base(state.book, NONE, 0, Aside(row.index), state.applied) if row.answer == "lost" else state
        return Base(opened(row), 0, row.units, Aside(row.index), state.applied)

    def applied(self, state: Base, row: Row) -> Base | Finding:
        applied = Aside(state.applied + 1)
        units = state.units + row.units
        if row.version < state.version:
            reason = f"{row.sku}: a snapshot of version {row.version} replaced one of version {state.version}"
            return broken(applied, reason, state.latest, row.index)
        if state.book:
            said = at(state.book, row.version)
            if row.version > state.book[-1].version:
                reason = f"{row.sku}: a snapshot of version {row.version}, and the record is at {said.version}"
                return broken(applied, reason, state.latest, row.index)
            if units != said.on_hand:
                reason = f"{row.sku}: base {units} at version {row.version}, and the record had {said.on_hand}"
                return broken(applied, reason, state.latest, row.index)
        return Base(state.book, row.version, units, Aside(row.index), applied)

    def settle(self, part: str, state: Base, context: Context) -> Finding:
        if state.applied and not state.book:
            return undecided(state.applied, f"how many {part} there were at the opening is not in the history")
        return kept(state.applied)

    def screen(self, history: History, context: Context) -> int | None:
        """No base's version falls, none is ahead of the record, and each is what the record had there."""
        table = history.table()
        shelves = plain_shelves(table)
        if shelves is None:
            return None
        rows = applied_snapshots(table)
        rows = rows[together(table.sku[rows])]
        sku, version = table.sku[rows], table.version[rows]
        starts = firsts(sku)
        if not shelves.is_open(sku).all() or (version < before(starts, version, 0)).any():
            return None
        base = shelves.on_hand[shelves.opening(sku)] + within(starts, table.units[rows])
        is_known = version <= shelves.version[shelves.known(sku, rows)]
        is_right = base == shelves.on_hand[shelves.at(sku, version, rows)]
        return len(rows) if (is_known & is_right).all() else None
