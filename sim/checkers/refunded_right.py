"""Does everybody who paid for nothing get exactly their money back, and nobody else? Judged from outside
ledgers alone."""

from __future__ import annotations

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
)
from orderquake.sim.checkers.fold import Context
from orderquake.sim.checkers.shapes import Looks
from orderquake.sim.history import Row

NEEDS = frozenset({"payment", "order_cache"})
TO_BE_SEEN = frozenset({"notice"})
"""Who alone tells that the goods left, where the record's book does not."""


class Charges(NamedTuple):
    """Charges of one order by amount, smallest first: those that stand (taken, and not with the customer again), and
    those that were paid back.

    is_unbooked   the record has refused the order's post: its book will not tell whether the goods left
    """

    standing: tuple[int, ...] = ()
    returned: tuple[int, ...] = ()
    is_fulfilled: bool = False
    fulfilled: Aside = NOWHERE
    latest: Aside = NOWHERE
    refunds: Aside = NOTHING
    is_unbooked: bool = False


class RefundedRight(PartByPart[Charges]):
    """A charge goes back whole and once, or the goods go. Hears: ledgers and notices (outside)."""

    name = "refunded_right"
    hears: ClassVar[Kinds] = {"state": frozenset({"capture", "refund", "refund_failed", "notice", "post"})}
    looks = Looks(
        {
            "capture": ("is_new", "amount"),
            "refund": ("is_new", "amount"),
            "refund_failed": ("is_new", "amount"),
            "notice": ("is_new", "to_state"),
            "post": ("is_new", "to_state", "answer"),
        },
        names=(("amount",),),  # a charge goes back whole, so its amount is its name
    )

    def start(self) -> Charges:
        return Charges()

    def hear(self, state: Charges, row: Row, context: Context) -> Charges | Finding:
        if row.operation == "post" and row.answer == "rejected":
            return state._replace(is_unbooked=True)
        if not row.is_new:
            return state
        here = Aside(row.index)
        if row.operation == "capture":
            standing = (row.amount,) if not state.standing else tuple(sorted((*state.standing, row.amount)))
            return state._replace(standing=standing, latest=here)
        if row.operation == "refund":
            return self.refunded(state, row)
        if row.operation == "refund_failed":
            return self.failed(state, row)
        if row.to_state != "fulfilled" or state.is_fulfilled:
            return state
        if state.refunds and not state.standing:
            reason = f"order {row.order} is fulfilled after its money went back"
            return broken(state.refunds, reason, state.latest, row.index)
        return state._replace(is_fulfilled=True, fulfilled=here)

    def refunded(self, state: Charges, row: Row) -> Charges | Finding:
        refunds = Aside(state.refunds + 1)
        if row.amount not in state.standing:
            charges = ", ".join(map(str, state.standing)) or "nothing"
            reason = f"{row.amount} went back to order {row.order}, of which {charges} was taken and not paid back"
            return broken(refunds, reason, state.latest, row.index)
        standing, returned = moved(row.amount, state.standing, state.returned)
        if state.is_fulfilled and not standing:  # a surplus charge may go back; the one that pays for the goods may not
            reason = f"order {row.order} was fulfilled, and its {row.amount} went back all the same"
            return broken(refunds, reason, state.latest, state.fulfilled, row.index)
        return state._replace(standing=standing, returned=returned, latest=Aside(row.index), refunds=refunds)

    def failed(self, state: Charges, row: Row) -> Charges | Finding:
        """The refund did not arrive: the charge stands again, and is owed again."""
        if row.amount not in state.returned:
            back = ", ".join(map(str, state.returned)) or "nothing"
            reason = f"{row.amount} came back from order {row.order}, to which {back} had gone back"
            return broken(state.refunds, reason, state.latest, row.index)
        returned, standing = moved(row.amount, state.returned, state.standing)
        return state._replace(standing=standing, returned=returned, latest=Aside(row.index))

    def settle(self, part: str, state: Charges, context: Context) -> Finding:
        owed = state.standing if not state.is_fulfilled else state.standing[1:]
        obligations = state.refunds + len(owed)
        if not state.is_fulfilled and owed:
            reason = f"{sum(owed)} of order {part} was taken, no goods left, and it was not paid back"
            needs = NEEDS | TO_BE_SEEN if state.is_unbooked or "record" in context.dead else NEEDS
            return not_by_the_end(context, needs, obligations, reason, state.latest)
        if owed:
            reason = f"order {part} was fulfilled once and charged {len(state.standing)} times"
            return not_by_the_end(context, NEEDS, obligations, reason, state.latest, state.fulfilled)
        return kept(obligations + state.is_fulfilled)  # who has the goods keeps no money: that was put to the test, too


def moved(amount: int, here: tuple[int, ...], there: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """One such amount from here to there.

    >>> moved(7, (5, 7, 7), (6, 9))
    ((5, 7), (6, 7, 9))
    """
    at = here.index(amount)
    return here[:at] + here[at + 1 :], (amount,) if not there else tuple(sorted((*there, amount)))
