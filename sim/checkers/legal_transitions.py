"""Did every order go only where it may go from where it stood? This table is the checker's own, written from
the protocol.

The model has a table, too; were this one read from there, a mistake in it would judge itself innocent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

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
from orderquake.sim.checkers.shapes import Looks
from orderquake.sim.history import Row

Table = Mapping[str, frozenset[str]]

_ENDINGS: Table = {
    "refund_pending": frozenset({"refunded"}),
    "declined": frozenset({"refund_pending"}),  # a late capture, found by the settlement sweep
    "refunded": frozenset({"refund_pending"}),  # only after the refund has failed in the provider's ledger
}
LEGAL: Mapping[str, Table] = {
    "pay_first": {
        "": frozenset({"registered"}),
        "registered": frozenset({"charging", "cancelled"}),
        "charging": frozenset({"paid", "declined"}),
        "paid": frozenset({"reserved", "refund_pending"}),
        "reserved": frozenset({"fulfilled", "refund_pending", "paid"}),
        **_ENDINGS,
    },
    "reserve_first": {
        "": frozenset({"registered"}),
        "registered": frozenset({"charging", "cancelled"}),
        "charging": frozenset({"paid", "declined"}),
        "paid": frozenset({"fulfilled", "refund_pending"}),
        **_ENDINGS,
    },
    "authorise_reserve_capture": {
        "": frozenset({"registered"}),
        "registered": frozenset({"authorising", "cancelled"}),
        "authorising": frozenset({"authorised", "declined"}),
        "authorised": frozenset({"reserved", "void_pending"}),
        "reserved": frozenset({"capturing", "authorised", "void_pending"}),
        "capturing": frozenset({"fulfilled", "void_pending"}),
        "void_pending": frozenset({"cancelled"}),
    },
}
LEGAL_SYNC: Table = {
    "unposted": frozenset({"posting"}),
    "posting": frozenset({"posted", "dead_letter"}),
}
POSTABLE = frozenset({"fulfilled", "refunded"})
NOWHERE_TO_GO: frozenset[str] = frozenset()


class Standing(NamedTuple):
    state: str = ""
    sync: str = "unposted"
    refund_failed: bool = False
    """A refund came back, and the order has neither been reopened for it nor been paid back anew."""
    state_row: Aside = NOWHERE
    sync_row: Aside = NOWHERE
    moves: Aside = NOTHING


class LegalTransitions(PartByPart[Standing]):
    """An order only takes steps that its policy's table has. Hears: orders (inside), refunds (outside)."""

    name = "legal_transitions"
    hears: ClassVar[Kinds] = {"state": frozenset({"order", "sync", "refund", "refund_failed"})}
    looks = Looks(
        {
            "order": ("from_state", "to_state", "limits"),
            "sync": ("from_state", "to_state"),
            "refund": ("is_new",),
            "refund_failed": (),
        }
    )

    def start(self) -> Standing:
        return Standing()

    def hear(self, state: Standing, row: Row, context: Context) -> Standing | Finding:
        if row.operation == "order":
            return self.moved(state, row, context)
        return self.synced(state, row) if row.operation == "sync" else self.refunded(state, row)

    def refunded(self, state: Standing, row: Row) -> Standing:
        """Only the ledger says that a refund failed. One that is made anew before the order was called refunded leaves
        no reason to reopen it."""
        if row.operation == "refund_failed":
            return state._replace(refund_failed=True)
        if row.is_new and state.refund_failed and state.state == "refund_pending":
            return state._replace(refund_failed=False)
        return state

    def moved(self, state: Standing, row: Row, context: Context) -> Standing | Finding:
        moves = state.moves + 1
        table = LEGAL.get(context.limits.get("policy", ""))
        if row.from_state != state.state:
            reason = f"order {row.order} left {row.from_state!r}, but it stood at {state.state!r}"
            return broken(moves, reason, state.state_row, row.index)
        if table is not None and row.to_state not in table.get(row.from_state, NOWHERE_TO_GO):
            reason = f"order {row.order} went from {row.from_state!r} to {row.to_state!r}: not in its table"
            return broken(moves, reason, state.state_row, row.index)
        if row.from_state == "refunded" and not state.refund_failed:
            reason = f"order {row.order} was refunded and is to be refunded again, though no refund failed"
            return broken(moves, reason, state.state_row, row.index)
        failed = state.refund_failed and row.from_state != "refunded"
        return Standing(row.to_state, state.sync, failed, Aside(row.index), state.sync_row, Aside(moves))

    def synced(self, state: Standing, row: Row) -> Standing | Finding:
        moves = state.moves + 1
        if (row.from_state or "unposted") != state.sync:
            reason = f"the sync of order {row.order} left {row.from_state!r}, but it stood at {state.sync!r}"
            return broken(moves, reason, state.sync_row, row.index)
        if row.to_state not in LEGAL_SYNC.get(state.sync, NOWHERE_TO_GO):
            reason = f"the sync of order {row.order} went from {state.sync!r} to {row.to_state!r}"
            return broken(moves, reason, state.sync_row, row.index)
        if row.to_state == "posting" and state.state not in POSTABLE:
            reason = f"order {row.order} is being posted while it is {state.state!r}"
            return broken(moves, reason, state.state_row, row.index)
        return Standing(state.state, row.to_state, state.refund_failed, state.state_row, Aside(row.index), Aside(moves))

    def settle(self, part: str, state: Standing, context: Context) -> Finding:
        policy = context.limits.get("policy", "")
        if state.moves and policy not in LEGAL:
            return undecided(state.moves, f"there is no table for the order policy {policy!r}")
        return kept(state.moves)
