"""Does the till add up? Double entry for money, an order at a time, between customer, provider and the
record's book."""

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
    not_by_the_end,
    undecided,
)
from orderquake.sim.checkers.fold import Context
from orderquake.sim.checkers.shapes import Looks
from orderquake.sim.history import NONE, Row

NEEDS = frozenset({"payment", "order_cache"})
MOVES: Mapping[str, tuple[str, frozenset[str]]] = {
    "capture": ("provider", frozenset({"customer"})),
    "refund": ("customer", frozenset({"provider", "refunds_pending"})),
    "refund_failed": ("provider", frozenset({"customer", "refunds_pending"})),
}
"""Operation -> the account that receives, and the accounts that may give."""


class Till(NamedTuple):
    """Money of one order, minor units; `total` and `booked` are NONE until they are heard. What was paid back and has
    failed is not `refunded`: the shop has it, and owes it again."""

    captured: int = 0
    refunded: int = 0
    total: int = NONE
    booked: int = NONE
    is_fulfilled: bool = False
    registered: Aside = NOWHERE
    latest: Aside = NOWHERE
    moves: Aside = NOTHING


class MoneyConserved(PartByPart[Till]):
    """The till keeps the price of what was delivered. Hears: all ledgers (outside), totals (inside)."""

    name = "money_conserved"
    hears: ClassVar[Kinds] = {"state": frozenset({"capture", "refund", "refund_failed", "post", "notice", "order"})}
    looks = Looks(
        {
            "order": ("to_state", "amount"),
            "notice": ("is_new", "to_state"),
            "post": ("is_new", "answer", "amount"),
            "capture": ("is_new", "debit", "credit", "amount"),
            "refund": ("is_new", "debit", "credit", "amount"),
            "refund_failed": ("is_new", "debit", "credit", "amount"),
        },
        sums="amount",
    )

    def start(self) -> Till:
        return Till()

    def hear(self, state: Till, row: Row, context: Context) -> Till | Finding:
        operation = row.operation
        if operation == "order":
            if state.total == NONE:
                return state._replace(total=row.amount, registered=Aside(row.index))
            return self.fulfilled(state) if row.to_state == "fulfilled" else state
        if not row.is_new:
            return state
        if operation == "notice":
            return self.fulfilled(state) if row.to_state == "fulfilled" else state
        if operation == "post":
            return state._replace(booked=row.amount, latest=Aside(row.index)) if row.answer == "posted" else state
        return self.paid(state, row)

    def fulfilled(self, state: Till) -> Till:
        return state if state.is_fulfilled else state._replace(is_fulfilled=True)

    def paid(self, state: Till, row: Row) -> Till | Finding:
        moves = Aside(state.moves + 1)
        debit, credits = MOVES[row.operation]
        if row.debit != debit or row.credit not in credits:
            reason = (
                f"{row.operation} of {row.amount} for order {row.order} moves it from "
                f"{row.credit or 'nowhere'} to {row.debit or 'nowhere'}, not to {debit}"
            )
            return broken(moves, reason, row.index)
        if row.amount <= 0:
            return broken(moves, f"{row.operation} of {row.amount} for order {row.order}: not an amount", row.index)
        captured, refunded = state.captured, state.refunded
        if row.operation == "capture":
            captured += row.amount
        elif row.operation == "refund":
            refunded += row.amount
        else:
            refunded -= row.amount
        if refunded > captured:
            reason = f"order {row.order} was paid back {refunded}, but only {captured} had been taken"
            return broken(moves, reason, state.latest, row.index)
        if refunded < 0:
            reason = f"{row.amount} came back from order {row.order}, which only had {state.refunded} back"
            return broken(moves, reason, state.latest, row.index)
        _, _, total, booked, is_fulfilled, registered, _, _ = state
        return Till(captured, refunded, total, booked, is_fulfilled, registered, Aside(row.index), moves)

    def settle(self, part: str, state: Till, context: Context) -> Finding:
        net = state.captured - state.refunded
        shown = (state.registered, state.latest)
        if state.is_fulfilled and state.total == NONE:
            return undecided(state.moves, f"order {part} was fulfilled for a price that is not in the history")
        if state.is_fulfilled and net != state.total:
            reason = f"order {part} was fulfilled for {state.total}, but the shop keeps {net}"
            return not_by_the_end(context, NEEDS, state.moves or 1, reason, *shown)
        if not state.is_fulfilled and net:
            reason = f"order {part} was not fulfilled, but the shop keeps {net}"
            return not_by_the_end(context, NEEDS, state.moves, reason, *shown)
        if state.booked not in (NONE, net):
            reason = f"the record books {state.booked} for order {part}, but the shop keeps {net}"
            return not_by_the_end(context, NEEDS, state.moves, reason, *shown)
        return kept(state.moves)
