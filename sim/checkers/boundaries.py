"""What the three promises about data have in common: each looks at one kind of ask from one place, and at the table
of what it carries. Judges nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from orderquake.sim.checkers.finding import Aside, Finding, Kinds, PartByPart, broken, kept, undecided
from orderquake.sim.checkers.fold import EVERY, Context
from orderquake.sim.checkers.groups import Ints
from orderquake.sim.history import History, Row, Table

CUSTOMER = "customer"
PERSONAL, SECRET, ORDER = "personal", "payment_secret", "order"


def role_of(actor: str) -> str:
    """By the first word of who asks; whoever is no worker and no front is a job."""
    word = actor.partition("-")[0]
    return word if word in ("front", "worker") else "job"


def asks_of(table: Table) -> Ints:
    """Asks that went to services. None where no boundary was drawn: then nobody has promised anything of them."""
    if not len(table.at("config", "residency")):
        return np.empty(0, dtype=np.int64)
    asks = table.at("invoke")
    mine: Ints = asks[table.actor[asks] != table.code(CUSTOMER)]
    return mine


def is_drawn_once(table: Table, asks: Ints) -> bool:
    """Is the table of boundaries the same for all asks?"""
    drawn = table.at("config", "residency")
    return len(drawn) == 1 and bool(drawn[0] < asks.min())


class Asked(PartByPart[Aside]):
    """A promise that each kind of ask, from each place and role, keeps or breaks every time."""

    hears: ClassVar[Kinds] = {"invoke": EVERY}

    def part(self, row: Row) -> str:
        return "\0".join((row.operation, row.place, role_of(row.actor)))

    def rows(self, table: Table) -> Ints:
        return asks_of(table)

    def start(self) -> Aside:
        return Aside(0)

    def concerns(self, operation: str, known: Mapping[str, Any]) -> bool:
        """Is such an ask what the promise is about?"""
        raise NotImplementedError

    def wrong(self, operation: str, place: str, role: str, known: Mapping[str, Any]) -> str:
        """What is wrong with such an ask; "" where nothing is."""
        raise NotImplementedError

    def hear(self, state: Aside, row: Row, context: Context) -> Aside | Finding:
        known = context.residency
        if row.actor == CUSTOMER or not known:
            return state
        if row.operation not in known["carries"]:
            return undecided(0, f"nobody says what {row.operation} carries")
        if not self.concerns(row.operation, known):
            return state
        if wrong := self.wrong(row.operation, row.place, role_of(row.actor), known):
            return broken(state + 1, wrong, row.index)
        return Aside(state + 1)

    def settle(self, part: str, state: Aside, context: Context) -> Finding:
        return kept(state)


def count_of(checker: Asked, history: History, context: Context) -> int | None:
    """For a screen: how many asks put a promise to the test, None where one of them breaks it or is not known."""
    table, known = history.table(), context.residency
    asks = asks_of(table)
    if not len(asks):
        return 0
    if not is_drawn_once(table, asks):
        return None
    tests = 0
    which = np.stack([table.operation[asks], table.place[asks], table.actor[asks]]).astype(np.int64)
    found, counts = np.unique(which, axis=1, return_counts=True)
    for (operation, place, actor), number in zip(found.T.tolist(), counts.tolist(), strict=True):
        verb, where = table.text(operation), table.text(place)
        if verb not in known["carries"]:
            return None
        if checker.concerns(verb, known):
            if checker.wrong(verb, where, role_of(table.text(actor)), known):
                return None
            tests += number
    return tests
