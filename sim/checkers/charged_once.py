"""Was anybody's card charged twice for one order? Judged from the payment provider's ledger alone."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from orderquake.sim.checkers.finding import (
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
from orderquake.sim.checkers.shapes import Looks
from orderquake.sim.history import Row


class Captures(NamedTuple):
    number: int
    replays: int
    """0 or 1: whether an old capture was replayed before any was seen."""
    first: Aside
    amount: int


NONE_YET = Captures(0, 0, NOWHERE, 0)


class ChargedOnce(PartByPart[Captures]):
    """No submission is charged twice, even if it is repaid. Hears: the provider's ledger (outside)."""

    name = "charged_once"
    hears: ClassVar[Kinds] = {"state": frozenset({"capture"})}
    looks = Looks({"capture": ("is_new",)})

    def start(self) -> Captures:
        return NONE_YET

    def hear(self, state: Captures, row: Row, context: Context) -> Captures | Finding:
        if not row.is_new:
            return state if state.number else state._replace(replays=1)
        if state.number:
            reason = f"order {row.order} was charged {state.amount} and then {row.amount} again, key {row.key}"
            return broken(1, reason, state.first, row.index)
        return Captures(1, 0, Aside(row.index), row.amount)

    def settle(self, part: str, state: Captures, context: Context) -> Finding:
        if state.replays:
            return undecided(0, f"the provider repeated a charge of order {part} that its ledger does not show")
        return kept(state.number)
