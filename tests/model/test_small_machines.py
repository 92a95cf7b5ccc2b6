"""Small stores against dictionaries: who was told what, a cache of counts, a board of claims."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from orderquake.model.claim_board import Claim, ClaimBoard, Claimed, Claims, GiveUpClaim, ListClaims, MakeClaim, Supply
from orderquake.model.counts import CopyCount, Counted, Counts, ReadCount, WriteCount
from orderquake.model.flow import Instant
from orderquake.model.notice import NoticeBoard, Notify
from orderquake.model.record import Move, ReadChanges, SystemOfRecord
from tests.model.shop import lines
from tests.model.twins import NAMES, OPENING, SKUS, Twins, case_of, is_noticed


class Notices(Twins):
    """Who was told what: each thing once."""

    make = NoticeBoard

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[tuple[str, str], bool] = {}

    @rule(name=NAMES, outcome=st.sampled_from(["fulfilled", "refunded"]))
    def notify(self, name: str, outcome: str) -> None:
        self.ask(Notify(name, outcome))
        assert self.store.journal[-1].is_new is ((name, outcome) not in self.told)
        self.told[name, outcome] = True


class Numbers(Twins):
    """A cache of counts is a dictionary of numbers."""

    make = staticmethod(lambda: Counts(OPENING))

    def __init__(self) -> None:
        super().__init__()
        self.known = dict(OPENING)

    @rule(sku=st.sampled_from(["mug", "bowl", "vase"]))
    def read(self, sku: str) -> None:
        assert self.ask(ReadCount("ann", sku)) == Counted(self.known.get(sku, 0))

    @rule(sku=SKUS, units=st.integers(-1, 12), is_copy=st.booleans())
    def write(self, sku: str, units: int, is_copy: bool) -> None:
        self.ask(CopyCount(sku, units, 1, Instant(self.now)) if is_copy else WriteCount("ann", sku, units))
        self.known[sku] = units


class Board(Twins):
    """A board of claims: each order's claim as it was made first, until it is given up for good."""

    make = staticmethod(lambda: ClaimBoard(OPENING))

    def __init__(self) -> None:
        super().__init__()
        self.record = SystemOfRecord(OPENING)
        self.supplied = dict(OPENING)
        self.delivered = dict(OPENING)
        self.claims: dict[tuple[str, str], Claim] = {}
        self.void: dict[tuple[str, str], bool] = {}

    @rule(name=NAMES, sku=SKUS, units=st.integers(1, 2))
    def claim(self, name: str, sku: str, units: int) -> None:
        made = self.claims.setdefault((sku, name), Claim(self.now, name, units))
        assert self.ask(MakeClaim(name, lines(**{sku: units}))) == Claimed(Instant(made.made_at))

    @rule(name=NAMES, sku=SKUS)
    def give_up(self, name: str, sku: str) -> None:
        self.ask(GiveUpClaim(name, lines(**{sku: 1})))
        self.void[sku, name] = True

    @rule(sku=SKUS, units=st.integers(1, 2))
    def deliver(self, sku: str, units: int) -> None:
        self.record.handle(Move("receipt", sku, units), self.now)
        self.delivered[sku] += units

    @rule()
    def supply(self) -> None:
        """All that has changed since the beginning, as the design asks for it."""
        self.ask(Supply(self.record.handle(ReadChanges(0, 0, 9), self.now)))
        self.supplied = dict(self.delivered)

    @rule(sku=SKUS)
    def list_claims(self, sku: str) -> None:
        stand = sorted(claim for (of, name), claim in self.claims.items() if of == sku and (of, name) not in self.void)
        assert self.ask(ListClaims("ann", sku)) == Claims(tuple(stand), self.supplied[sku])


TestNotices = case_of(Notices)
TestNumbers = case_of(Numbers)
TestBoard = case_of(Board)


# -- and it notices


class TellsAgain(NoticeBoard):
    def restore(self, snapshot: Any) -> None:
        self.told = {}


class CountsNoDebts(Counts):
    """A count below zero is none."""

    def atp(self, sku: str) -> int:
        return max(0, super().atp(sku))


class RanksByName(ClaimBoard):
    def ranked(self, sku: str) -> Claims:
        found = super().ranked(sku)
        return found._replace(claims=tuple(sorted(found.claims, key=lambda claim: claim.order_id)))


PLANTED: list[tuple[Any, Callable[[], Any]]] = [
    (Notices, TellsAgain),
    (Numbers, lambda: CountsNoDebts(OPENING)),
    (Board, lambda: RanksByName(OPENING)),
]


@pytest.mark.parametrize(("machine", "make"), PLANTED, ids=lambda each: getattr(each, "__name__", ""))
def test_the_oracle_notices_a_store_that_errs(machine: Any, make: Callable[[], Any]) -> None:
    is_noticed(machine, make)
