"""Does everybody who was told "we have your order" get an end to it?"""

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
    not_by_the_end,
)
from orderquake.sim.checkers.fold import Context
from orderquake.sim.checkers.shapes import Looks, of_order_or_key
from orderquake.sim.history import Row

NEEDS = frozenset({"payment", "order_cache"})
"""With these two alive every order ends; nothing else is an excuse."""
FINAL = frozenset({"fulfilled", "declined", "refunded", "cancelled"})


class Course(NamedTuple):
    """How far one order has come. `state` is "accepted" while only the customer has been answered."""

    state: str
    ended_late: bool
    begun: Aside
    latest: Aside


NOT_BEGUN = Course("", False, NOWHERE, NOWHERE)


class EveryOrderEnds(PartByPart[Course]):
    """Every accepted order comes to an end. Hears: the customers (outside), the Order Cache (inside)."""

    name = "every_order_ends"
    hears: ClassVar[Kinds] = {"state": frozenset({"order"}), "ok": frozenset({"submit"})}
    looks = Looks({"order": ("to_state", "is_late"), "submit": ("answer",)}, parts=of_order_or_key)

    def part(self, row: Row) -> str:
        return row.order or row.key

    def start(self) -> Course:
        return NOT_BEGUN

    def hear(self, state: Course, row: Row, context: Context) -> Course | Finding:
        here = Aside(row.index)
        if row.kind == "ok":
            if state.state or row.answer != "registered":
                return state
            return Course("accepted", False, here, here)
        late = row.to_state in FINAL and context.quiet_by is not None and row.time > context.quiet_by
        return Course(row.to_state, late, here if not state.state else state.begun, here)

    def settle(self, part: str, state: Course, context: Context) -> Finding:
        if not state.state:
            return kept(0)
        if state.state not in FINAL:
            reason = f"order {part} is still {state.state}"
            return not_by_the_end(context, NEEDS, 1, reason, state.begun, state.latest)
        if state.ended_late and not NEEDS & context.dead:
            reason = f"order {part} was {state.state} only after {context.quiet_by} us, when all had to be over"
            return broken(1, reason, state.begun, state.latest)
        return kept(1)
