"""The system of record, alone and with reservations, against dictionaries of quantities, versions and first answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from orderquake.model.record import Booking, Move, Post, Posted, ReadChanges, Rejected, SystemOfRecord
from orderquake.model.shelves import GiveBack, ReserveForGood, Shelves, reservation_of
from orderquake.model.stock import Released, Reserved, SoldOut
from tests.model.shop import lines
from tests.model.twins import BASKETS, NAMES, OPENING, SKUS, Twins, case_of, is_noticed


class Book(Twins):
    """The system of record: quantities, versions, and the first answer under each key."""

    below_zero = "backorder"
    make: Callable[[], Any] = staticmethod(lambda: SystemOfRecord(OPENING))

    def __init__(self) -> None:
        super().__init__()
        self.on_hand = dict(OPENING)
        self.version = dict.fromkeys(OPENING, 0)
        self.first: dict[str, tuple[Booking, Any]] = {}
        self.log = [(sku, 0, units, "") for sku, units in OPENING.items()]

    def moved(self, sku: str, units: int, name: str = "") -> int:
        self.on_hand[sku] += units
        self.version[sku] += 1
        self.log.append((sku, self.version[sku], units, name))
        return self.version[sku]

    @rule(name=NAMES, outcome=st.sampled_from(["fulfilled", "fulfilled", "refunded"]), basket=BASKETS)
    def post(self, name: str, outcome: str, basket: dict[str, int]) -> None:
        booking = Booking(f"{name}/final", name, outcome, lines(**basket), 100)
        (answer,) = self.ask(Post((booking,)))
        if booking.key in self.first:
            known, was = self.first[booking.key]
            assert answer == was if known == booking else type(answer) is Rejected
            return
        leaves = basket if outcome == "fulfilled" else {}
        if self.below_zero == "reject" and any(self.on_hand[sku] < units for sku, units in leaves.items()):
            assert type(answer) is Rejected
        else:
            versions = tuple((sku, self.moved(sku, -units, name)) for sku, units in leaves.items())
            assert answer == Posted(name, versions, len(self.log) if versions else 0)
        self.first[booking.key] = (booking, answer)

    @rule(sku=SKUS, why=st.sampled_from(["receipt", "return", "foreign_sale", "correction"]), units=st.integers(1, 2))
    def move(self, sku: str, why: Any, units: int) -> None:
        units = -units if why == "correction" else units
        assert self.ask(Move(why, sku, units)).version == self.moved(sku, -units if why == "foreign_sale" else units)

    @rule(since=st.integers(0, 12), limit=st.integers(1, 3))
    def read_changes(self, since: int, limit: int) -> None:
        """Page by page, each product that has changed comes once, with all that has happened to it."""
        since = min(since, len(self.log))
        latest = {sku: place for place, (sku, *_) in enumerate(self.log, start=1) if place > since}
        expected = [
            (
                sku, self.on_hand[sku], self.version[sku],
                tuple((who, version) for which, version, _, who in self.log[since:] if which == sku and who),
                tuple((version, units) for which, version, units, _ in self.log[since:] if which == sku),
            )
            for sku in sorted(latest, key=lambda sku: latest[sku])
        ]  # fmt: skip
        found, after, more = [], since, True
        while more:
            page = self.ask(ReadChanges(since, after, limit))
            found += [tuple(item) for item in page.items]
            after, more = page.upto, page.more
        assert (found, after) == (expected, len(self.log))

    @invariant()
    def quantities_are_right(self) -> None:
        assert (self.store.on_hand, self.store.version) == (self.on_hand, self.version)


class StrictBook(Book):
    below_zero = "reject"
    make = staticmethod(lambda: SystemOfRecord(OPENING, "reject"))


class Reservations(Twins):
    """Shelves: who holds what, and who is done with it for good."""

    make: Callable[[], Any] = staticmethod(lambda: Shelves(OPENING, safety_stock=1))

    def __init__(self) -> None:
        super().__init__()
        self.on_hand = dict(OPENING)
        self.held: dict[str, dict[str, int]] = {}
        self.over: dict[str, bool] = {}
        self.posted: dict[str, bool] = {}

    def atp(self, sku: str) -> int:
        return self.on_hand[sku] - 1 - sum(basket.get(sku, 0) for basket in self.held.values())

    @rule(name=NAMES, basket=BASKETS)
    def reserve(self, name: str, basket: dict[str, int]) -> None:
        answer = self.ask(ReserveForGood(name, lines(**basket)))
        if name in self.held:
            assert answer == Reserved(reservation_of(name))
        elif name in self.over or any(self.atp(sku) < units for sku, units in basket.items()):
            assert type(answer) is SoldOut
            assert answer.atp == self.atp(answer.sku)
        else:
            assert answer == Reserved(reservation_of(name))
            self.held[name] = basket

    @rule(name=NAMES)
    def give_back(self, name: str) -> None:
        assert self.ask(GiveBack(name)) == Released()
        self.held.pop(name, None)
        self.over[name] = True

    @rule(name=NAMES)
    def post(self, name: str) -> None:
        if name in self.held and name not in self.posted:
            basket = self.held.pop(name)
            self.ask(Post((Booking(f"{name}/final", name, "fulfilled", lines(**basket), 100),)))
            self.posted[name] = self.over[name] = True
            for sku, units in basket.items():
                self.on_hand[sku] -= units

    @rule(sku=SKUS, why=st.sampled_from(["receipt", "foreign_sale", "correction"]), units=st.integers(1, 2))
    def move(self, sku: str, why: Any, units: int) -> None:
        """Another channel asks; a delivery and a stock-take are facts."""
        self.ask(Move(why, sku, units if why != "correction" else -units))
        if why == "receipt":
            self.on_hand[sku] += units
        elif why == "correction" or self.atp(sku) >= units:
            self.on_hand[sku] -= units

    @invariant()
    def both_promise_the_same(self) -> None:
        assert {sku: self.store.atp(sku) for sku in OPENING} == {sku: self.atp(sku) for sku in OPENING}


TestBook = case_of(Book)
TestStrictBook = case_of(StrictBook)
TestReservations = case_of(Reservations)


# -- and it notices


class BooksTwice(SystemOfRecord):
    """A key is forgotten as soon as it was used."""

    def post(self, booking: Booking) -> Any:
        answer = super().post(booking)
        self.book.clear()
        return answer


class TellsTheLastMoveOnly(SystemOfRecord):
    def told(self, sku: str, since: int) -> Any:
        item = super().told(sku, since)
        return item._replace(moves=item.moves[-1:] if item.moves else item.moves)


class OpensTheDoorAgain(Shelves):
    """What was given back may be claimed again."""

    def give_back(self, order_id: str) -> Released:
        answer = super().give_back(order_id)
        self.over.clear()
        return answer


PLANTED: list[tuple[Any, Callable[[], Any]]] = [
    (Book, lambda: BooksTwice(OPENING)),
    (Book, lambda: TellsTheLastMoveOnly(OPENING)),
    (StrictBook, lambda: SystemOfRecord(OPENING)),
    (Reservations, lambda: OpensTheDoorAgain(OPENING, safety_stock=1)),
    (Reservations, lambda: Shelves(OPENING)),
]


@pytest.mark.parametrize(("machine", "make"), PLANTED, ids=lambda each: getattr(each, "__name__", ""))
def test_the_oracle_notices_a_store_that_errs(machine: Any, make: Callable[[], Any]) -> None:
    is_noticed(machine, make)
