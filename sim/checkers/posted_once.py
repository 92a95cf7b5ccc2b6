"""Does the system of record hear of every finished order exactly once, and of nothing else?"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from orderquake.sim.checkers.columns import exactly_once
from orderquake.sim.checkers.finding import (
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
from orderquake.sim.history import History, Row, Table

NEEDS = frozenset({"record", "order_cache"})
TO_PAY = frozenset({"payment"})
POSTABLE = frozenset({"fulfilled", "refunded"})
FINAL = POSTABLE | {"declined", "cancelled"}
Lines = tuple[tuple[str, int], ...]


class Booking(NamedTuple):
    """One order: what it asked for, how it ended last, and what the record has of it.

    to_ship         lines asked for and not shipped
    posted          the outcome that the record booked, "" for none
    is_owed_again   it was refunded, and that refund failed: nobody posts it before it has arrived
    """

    to_ship: Lines = ()
    ended: str = ""
    posted: str = ""
    was_rejected: bool = False
    has_shipped: bool = False
    end: Aside = NOWHERE
    post: Aside = NOWHERE
    is_owed_again: bool = False


class PostedOnce(PartByPart[Booking]):
    """The books get each finished order, once. Hears: record and notices (outside), orders (inside)."""

    name = "posted_once"
    hears: ClassVar[Kinds] = {"state": frozenset({"ordered", "order", "notice", "post", "ship"})}
    looks = Looks(
        {
            "ordered": ("sku", "units"),
            "order": ("to_state",),
            "notice": ("to_state",),
            "post": ("answer", "is_new", "to_state"),
            "ship": ("sku", "units"),
        },
        names=(("sku", "units"),),  # a line leaves the books as it was asked for, or it is another line
    )

    def start(self) -> Booking:
        return Booking()

    def hear(self, state: Booking, row: Row, context: Context) -> Booking | Finding:
        operation = row.operation
        if operation == "ordered":
            return Booking((*state.to_ship, (row.sku, row.units)), *state[1:])
        if operation == "order" or operation == "notice":
            return self.ended(state, row)
        return self.posted(state, row) if operation == "post" else self.shipped(state, row)

    def ended(self, state: Booking, row: Row) -> Booking:
        # Only what was declined may come to another end (a late capture, paid back); any other first end is
        # the one to post.
        outcome = row.to_state
        if state.ended == "refunded" and row.operation == "order":
            return state._replace(is_owed_again=outcome == "refund_pending")
        if state.ended in POSTABLE or outcome not in FINAL or outcome == state.ended:
            return state
        return state._replace(ended=outcome, end=Aside(row.index))

    def posted(self, state: Booking, row: Row) -> Booking | Finding:
        if row.answer == "rejected":
            return state if state.posted else state._replace(was_rejected=True, post=Aside(row.index))
        if not row.is_new:
            return state
        if state.posted:
            reason = f"order {row.order} was posted twice, as {state.posted} and as {row.to_state}, key {row.key}"
        elif row.to_state not in POSTABLE or state.ended != row.to_state:
            reason = f"order {row.order} was posted as {row.to_state}, but {_stands(state.ended)}"
        else:
            return state._replace(posted=row.to_state, was_rejected=False, post=Aside(row.index))
        return broken(1, reason, state.end, state.post, row.index)

    def shipped(self, state: Booking, row: Row) -> Booking | Finding:
        line = (row.sku, row.units)
        if line not in state.to_ship:
            reason = f"{row.units} {row.sku} left the books for order {row.order}, which had no such line open"
        elif state.posted == "refunded":
            reason = f"{row.units} {row.sku} left the books for order {row.order}, which was posted as refunded"
        else:
            at = state.to_ship.index(line)
            left = state.to_ship[:at] + state.to_ship[at + 1 :]
            return state._replace(to_ship=left, has_shipped=True, post=Aside(row.index))
        return broken(1, reason, state.end, state.post, row.index)

    def settle(self, part: str, state: Booking, context: Context) -> Finding:
        if not state.posted:
            if state.has_shipped:
                reason = f"goods of order {part} left the books without a post"
                return not_by_the_end(context, NEEDS, 1, reason, state.end, state.post)
            if state.ended not in POSTABLE:
                return kept(0)
            if state.was_rejected:
                return undecided(1, f"the record refused the post of order {part} for good")
            reason = f"order {part} {state.ended}, and the record was never told"
            return not_by_the_end(context, NEEDS | TO_PAY if state.is_owed_again else NEEDS, 1, reason, state.end)
        if state.posted == "fulfilled" and state.to_ship:
            missing = ", ".join(f"{units} {sku}" for sku, units in state.to_ship)
            reason = f"order {part} was posted as fulfilled without {missing}"
            return not_by_the_end(context, NEEDS, 1, reason, state.post)
        return kept(1)

    def screen(self, history: History, context: Context) -> int | None:
        """The other implementation finds every order valid. It counts lines, and does not look when they were asked
        for."""
        if not goods_left_last(history.table()):
            return None
        found = exactly_once(history)
        return found.posts if found.posted == "valid" else None


def goods_left_last(table: Table) -> bool:
    """Whether an order's goods left only after all that it asks for was known."""
    asked, ships = table.at("state", "ordered"), table.at("state", "ship")
    last_asked = np.full(1 + max(int(table.order[rows].max(initial=0)) for rows in (asked, ships)), -1, dtype=np.int64)
    last_asked[table.order[asked]] = asked  # the last of each order is written last, and stays
    return bool((ships > last_asked[table.order[ships]]).all())


def _stands(ended: str) -> str:
    return f"it was {ended}" if ended else "it had not ended"
