"""Does every unit that arrives somewhere leave somewhere else? Double entry for goods, in the Stock Cache and
the record.

Whether too much was promised is not asked here; see `never_oversold`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple

import numpy as np

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
from orderquake.sim.checkers.groups import firsts, together, within
from orderquake.sim.checkers.shelves import RECORD, applied_snapshots, plain_shelves, rows_of
from orderquake.sim.history import History, Row, Table

MOVES: Mapping[str, tuple[str, frozenset[str]]] = {
    "hold": ("cache.held", frozenset({"cache.available"})),
    "pin": ("cache.pinned", frozenset({"cache.held"})),
    "free": ("cache.available", frozenset({"cache.held", "cache.pinned"})),
    "drop": ("cache.available", frozenset({"cache.held", "cache.pinned"})),
    "adopt": ("cache.pinned", frozenset({"cache.available"})),
    "rebase": ("cache.available", frozenset({"cache.base"})),
    "ship": ("record.shipped", frozenset({"record.on_hand"})),
    "receipt": ("record.on_hand", frozenset({"supplier"})),
    "return": ("record.on_hand", frozenset({"returns"})),
    "correction": ("record.on_hand", frozenset({"adjustment"})),
    "foreign_sale": ("channel", frozenset({"record.on_hand"})),
}
"""Operation -> the account that receives, and the accounts that may give; as the Stock Cache calls them."""
OWN_WORDS: Mapping[str, str] = {
    "record.available": "cache.available",
    "record.held": "cache.held",
    "record.base": "cache.base",
}
"""What a record that keeps the reservations itself calls its accounts -> what the Stock Cache calls them."""
HELD = ("cache.held", "record.held")
MAY_BE_NEGATIVE = frozenset({"correction", "rebase"})
OF_A_TOKEN = frozenset({"hold", "pin", "free", "drop", "adopt"})


class Purse(NamedTuple):
    """Units of one SKU under one token."""

    held: int
    pinned: int
    latest: Aside
    moves: Aside


class Shelf(NamedTuple):
    """One SKU in the record: what is there after version `version`, which the opening row begins at 0."""

    on_hand: int
    version: int
    is_open: bool
    latest: Aside
    moves: Aside


EMPTY_PURSE = Purse(0, 0, NOWHERE, NOTHING)
UNHEARD_OF = Shelf(0, 0, False, NOWHERE, NOTHING)
State = Purse | Shelf | None


class UnitsConserved(PartByPart[State]):
    """No unit comes from nowhere or goes there. Hears: the record (outside), the Stock Cache (inside)."""

    name = "units_conserved"
    hears: ClassVar[Kinds] = {"state": frozenset({*MOVES, "epoch"}), "config": frozenset({"opening"})}
    echoed = frozenset({"epoch"})

    def part(self, row: Row) -> str:
        return f"{row.sku}\0{row.key}" if row.operation in OF_A_TOKEN else row.sku

    def echoes(self, row: Row, parts: Mapping[str, State | Finding]) -> Iterable[tuple[str, Row]]:
        return [(part, row) for part, state in parts.items() if isinstance(state, Purse)]

    def start(self) -> State:
        return None

    def hear(self, state: State, row: Row, context: Context) -> State | Finding:
        operation = row.operation
        if operation == "epoch":  # a loss voids what the tokens held
            return EMPTY_PURSE if row.answer == "lost" and isinstance(state, Purse) else state
        if operation == "opening":
            return Shelf(row.units, 0, True, Aside(row.index), NOTHING)
        if operation == "rebase" and (row.answer != "applied" or not row.sku):
            return state
        debit, credits = MOVES[operation]
        received, gave = OWN_WORDS.get(row.debit, row.debit), OWN_WORDS.get(row.credit, row.credit)
        if received != debit or gave not in credits:
            reason = (
                f"{operation} of {row.units} {row.sku} moves them from {row.credit or 'nowhere'} to "
                f"{row.debit or 'nowhere'}, not from {' or '.join(sorted(credits))} to {debit}"
            )
            return broken(1, reason, row.index)
        if row.units < 0 and operation not in MAY_BE_NEGATIVE:
            return broken(1, f"{operation} of {row.units} {row.sku}: a negative number of units", row.index)
        if operation in OF_A_TOKEN:
            return self.within_cache(state if isinstance(state, Purse) else EMPTY_PURSE, row)
        shelf = state if isinstance(state, Shelf) else UNHEARD_OF
        return shelf if operation == "rebase" else self.in_record(shelf, row)

    def within_cache(self, purse: Purse, row: Row) -> Purse | Finding:
        held, pinned, units = purse.held, purse.pinned, row.units
        if row.credit in HELD:
            held -= units
        elif row.credit == "cache.pinned":
            pinned -= units
        if row.debit in HELD:
            held += units
        elif row.debit == "cache.pinned":
            pinned += units
        moves = Aside(purse.moves + 1)
        if held < 0 or pinned < 0:
            there = purse.held if row.credit in HELD else purse.pinned
            reason = f"{row.operation} of {units} {row.sku} under token {row.key}, and {row.credit} has {there}"
            return broken(moves, reason, purse.latest, row.index)
        return Purse(held, pinned, Aside(row.index), moves)

    def in_record(self, shelf: Shelf, row: Row) -> Shelf | Finding:
        moves = Aside(shelf.moves + 1)
        if row.version <= shelf.version:
            reason = (
                f"the record's book of {row.sku} stood at version {shelf.version} with {shelf.on_hand}, and "
                f"then {row.operation} of {row.units} gave it version {row.version}"
            )
            return broken(moves, reason, shelf.latest, row.index)
        units = row.units if row.debit == "record.on_hand" else -row.units
        return Shelf(shelf.on_hand + units, row.version, shelf.is_open, Aside(row.index), moves)

    def settle(self, part: str, state: State, context: Context) -> Finding:
        if isinstance(state, Shelf) and state.moves and not state.is_open:
            return undecided(state.moves, f"how many {part} there were at the opening is not in the history")
        return kept(0 if state is None else state.moves)

    def screen(self, history: History, context: Context) -> int | None:
        """Accounts are the right ones, no token gives more than it has, and the record's versions rise."""
        table = history.table()
        if plain_shelves(table) is None:
            return None
        for operation, (debit, credits) in MOVES.items():
            rows = applied_snapshots(table) if operation == "rebase" else table.at("state", operation)
            is_right = np.isin(table.debit[rows], codes(table, debit))
            is_right &= np.isin(table.credit[rows], codes(table, *credits))
            if operation not in MAY_BE_NEGATIVE:
                is_right &= table.units[rows] >= 0
            if not is_right.all():
                return None
        rows = rows_of(table, *OF_A_TOKEN)
        rows = rows[together(table.sku[rows], table.key[rows])]
        purses, units = firsts(table.sku[rows], table.key[rows]), table.units[rows]
        for account in (codes(table, "cache.held"), codes(table, "cache.pinned")):
            comes, goes = np.isin(table.debit[rows], account), np.isin(table.credit[rows], account)
            if (within(purses, np.where(comes, units, 0) - np.where(goes, units, 0)) < 0).any():
                return None
        return len(rows) + len(rows_of(table, *RECORD))


def codes(table: Table, *accounts: str) -> list[int]:
    """These accounts, in the words of either owner, as a table writes them."""
    words = {*accounts, *(own for own, word in OWN_WORDS.items() if word in accounts)}
    return [table.code(word) for word in sorted(words)]
