"""Is whoever asks for what is not theirs to ask refused?"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from orderquake.sim.checkers.boundaries import CUSTOMER, asks_of, is_drawn_once, role_of
from orderquake.sim.checkers.finding import NOWHERE, Aside, Finding, Kinds, PartByPart, broken, kept, undecided
from orderquake.sim.checkers.fold import EVERY, Context
from orderquake.sim.checkers.groups import Ints
from orderquake.sim.history import History, Row, Table

REFUSED = "outside_role"


class Ask(NamedTuple):
    """One ask. outside   what is wrong with who asks, "" where nothing is or the ask has been refused."""

    tests: Aside
    asked: Aside
    outside: str


NOT_YET = Ask(Aside(0), NOWHERE, "")


class AsksWithinRole(PartByPart[Ask]):
    """Who asks outside their role is refused. Hears: asks, their answers, and the table of roles (inside)."""

    name = "asks_within_role"
    hears: ClassVar[Kinds] = {"invoke": EVERY, "ok": EVERY, "fail": EVERY, "info": EVERY}

    def part(self, row: Row) -> str:
        return row.op_id

    def rows(self, table: Table) -> Ints:
        asks = asks_of(table)
        if not len(asks):
            return asks
        return np.concatenate([asks, *(table.at(kind) for kind in ("ok", "fail", "info"))])

    def start(self) -> Ask:
        return NOT_YET

    def hear(self, state: Ask, row: Row, context: Context) -> Ask | Finding:
        if row.actor == CUSTOMER or not context.residency:
            return state
        if row.kind == "invoke":
            roles = context.residency["askers"].get(row.operation)
            if roles is None:
                return undecided(0, f"nobody says who may ask {row.operation}")
            role = role_of(row.actor)
            outside = "" if role in roles else f"{row.actor}, a {role}, asked {row.operation}, which is for {roles[0]}s"
            return Ask(Aside(state.tests + 1), Aside(row.index), outside)
        if not state.outside:
            return state
        if row.kind == "ok":
            return broken(state.tests, f"{state.outside}, and got an answer", state.asked, row.index)
        return state._replace(outside="") if row.answer == REFUSED else state

    def settle(self, part: str, state: Ask, context: Context) -> Finding:
        if state.outside:
            return undecided(state.tests, f"{state.outside}, and nobody knows whether it was done")
        return kept(state.tests)

    def screen(self, history: History, context: Context) -> int | None:
        """Nobody asks outside their role."""
        table, known = history.table(), context.residency
        asks = asks_of(table)
        if not len(asks):
            return 0
        if not is_drawn_once(table, asks):
            return None
        which = np.stack([table.operation[asks], table.actor[asks]]).astype(np.int64)
        for operation, actor in np.unique(which, axis=1).T.tolist():
            if role_of(table.text(actor)) not in known["askers"].get(table.text(operation), ()):
                return None
        return len(asks)
