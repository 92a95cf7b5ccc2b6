"""Is every customer told how it ended, once, and truly?"""

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
from orderquake.sim.checkers.shapes import Looks
from orderquake.sim.history import Row

NEEDS = frozenset({"notice", "order_cache"})
FINAL = frozenset({"fulfilled", "declined", "refunded", "cancelled"})
LATE_CAPTURE = frozenset({"declined", "refunded"})
"""The one pair that may be told to one customer: the money came late, and went back."""


class News(NamedTuple):
    """One order: the ends it came to in order, what the customer was told in order, and where it stands
    now."""

    ends: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    stands: str = ""
    ended: Aside = NOWHERE
    heard: Aside = NOWHERE


class NoticesSent(PartByPart[News]):
    """Every customer is told the end, once and truly. Hears: notices (outside), orders (inside)."""

    name = "notices_sent"
    hears: ClassVar[Kinds] = {"state": frozenset({"notice", "order"})}
    looks = Looks({"notice": ("is_new", "to_state"), "order": ("to_state",)})

    def start(self) -> News:
        return News()

    def hear(self, state: News, row: Row, context: Context) -> News | Finding:
        outcome = row.to_state
        if row.operation == "order":
            if outcome not in FINAL:
                return state if state.stands == "pending" else state._replace(stands="pending")
            ends = state.ends if outcome in state.ends else (*state.ends, outcome)
            return state._replace(ends=ends, stands=outcome, ended=Aside(row.index))
        if not row.is_new:
            return state
        if outcome in state.told:
            reason = f"the customer of order {row.order} was told {outcome} twice"
        elif state.told and {*state.told, outcome} != LATE_CAPTURE:
            reason = f"the customer of order {row.order} was told {' and '.join(state.told)}, and then {outcome}"
        elif state.stands and outcome not in state.ends:
            reason = f"the customer of order {row.order} was told {outcome}, but it had not come to that"
        else:
            return state._replace(told=(*state.told, outcome), heard=Aside(row.index))
        return broken(1, reason, state.ended, state.heard, row.index)

    def settle(self, part: str, state: News, context: Context) -> Finding:
        if state.stands not in FINAL:
            return kept(len(state.told))
        if state.stands not in state.told:
            heard = f"was told {' and '.join(state.told)}" if state.told else "was never told"
            reason = f"order {part} was {state.stands}, but its customer {heard}"
            return not_by_the_end(context, NEEDS, 1, reason, state.ended, state.heard)
        return kept(1)
