"""Refunds: money that goes back, what may be asked about it, and the provider's book of it.

A refund is accepted, is pending for a while, then has arrived; and days later it may still fail, because the account
it went to is closed. The money is with the shop again, and owed again. The key of a failed refund never pays: whoever
sends it again hears the old answer, which knows of no failure. Who wants to know asks how the refund stands, or reads
the list of those that failed. Nothing in this file takes money.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Any, Literal, NamedTuple

from orderquake.model.charges import KeyMismatch, NothingFound
from orderquake.model.flow import Ask, effect

RefundStanding = Literal["pending", "succeeded", "failed"]


class RefundMade(NamedTuple):
    """The provider has accepted the refund; whether the money arrived is its `standing`."""

    refund_id: str
    standing: RefundStanding


class NothingCaptured(NamedTuple):
    """There is no such charge to pay back."""


class OverRefund(NamedTuple):
    """A definite no: with this refund, more of the charge would go back than was taken. Nothing was done."""


class FailedRefund(NamedTuple):
    """A refund that came back. `place` is its place in the list of those that did, from 1."""

    place: int
    key: str
    refund_id: str
    charge_id: str
    order_id: str
    amount: int


class FailedRefundPage(NamedTuple):
    failures: tuple[FailedRefund, ...]


@effect
class Refund(Ask[RefundMade | NothingCaptured | OverRefund | KeyMismatch]):
    """Give the money of one charge back, once for this key."""

    service = "payment"
    verb = "refund"
    key: str
    order_id: str
    charge_id: str
    amount: int

    def about(self) -> tuple[str, str]:
        return self.order_id, self.key


@effect
class AskRefund(Ask[RefundMade | NothingFound]):
    """How does the refund under this key stand?"""

    service = "payment"
    verb = "ask_refund"
    key: str
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.key


@effect
class ListFailedRefunds(Ask[FailedRefundPage]):
    """Refunds that failed after they were accepted, after a place in their list."""

    service = "payment"
    verb = "list_failed_refunds"
    after: int
    limit: int


class Made(NamedTuple):
    """One refund; `has_failed` once the money has come back."""

    id: str
    settles_us: int
    amount: int
    has_failed: bool = False


class Refunds:
    """The provider's book of what went back, and of what came back from there.

    made      key -> its latest refund
    live      charge id -> pence of it that went back and have not come back
    doomed    order id -> is its next refund one that fails? Only the first one is
    due       those that will fail, and when, the next one first; their place is found when they do
    failed    those that did
    """

    def __init__(self) -> None:
        self.made: dict[str, Made] = {}
        self.live: dict[str, int] = {}
        self.doomed: dict[str, bool] = {}
        self.due: list[tuple[int, FailedRefund]] = []
        self.failed: list[FailedRefund] = []

    def make(self, ask: Refund, settles_us: int, fails_us: int) -> Made:
        """Accept a refund; where the order's first one is doomed, it fails at `fails_us`."""
        # A key that the provider has forgotten pays again, and that is another refund.
        refund_id = f"{self.made[ask.key].id}+" if ask.key in self.made else f"re_{ask.charge_id}_{ask.key}"
        made = self.made[ask.key] = Made(refund_id, settles_us, ask.amount)
        self.live[ask.charge_id] = self.live.get(ask.charge_id, 0) + ask.amount
        if self.doomed.get(ask.order_id):
            self.doomed[ask.order_id] = False
            failure = FailedRefund(0, ask.key, made.id, ask.charge_id, ask.order_id, ask.amount)
            heapq.heappush(self.due, (fails_us, failure))
        return made

    def is_due(self, now_us: int) -> bool:
        """Is there a refund that has failed by now, and is not in the list yet?"""
        return bool(self.due) and self.due[0][0] <= now_us

    def fail(self) -> FailedRefund:
        """The next one fails."""
        _, failure = heapq.heappop(self.due)
        failure = failure._replace(place=len(self.failed) + 1)
        self.failed.append(failure)
        self.live[failure.charge_id] -= failure.amount
        made = self.made[failure.key]
        if made.id == failure.refund_id:
            self.made[failure.key] = made._replace(has_failed=True)
        return failure

    def first_answer(self, key: str, now_us: int) -> RefundMade:
        """What the key is answered for as long as it is remembered: pending, then succeeded, whatever came after."""
        made = self.made[key]
        return RefundMade(made.id, "succeeded" if now_us >= made.settles_us else "pending")

    def standing(self, key: str, now_us: int) -> RefundMade | NothingFound:
        """How the refund really stands."""
        if (made := self.made.get(key)) is None:
            return NothingFound()
        return RefundMade(made.id, "failed") if made.has_failed else self.first_answer(key, now_us)

    def page(self, after: int, limit: int) -> FailedRefundPage:
        return FailedRefundPage(tuple(self.failed[after : after + limit]))

    def snapshot(self) -> Hashable:
        return (
            tuple(self.made.items()),
            tuple(self.live.items()),
            tuple(self.doomed.items()),
            tuple(sorted(self.due)),
            tuple(self.failed),
        )

    def restore(self, snapshot: Any) -> None:
        made, live, doomed, due, failed = snapshot
        self.made, self.live, self.doomed = dict(made), dict(live), dict(doomed)
        self.due, self.failed = list(due), list(failed)
