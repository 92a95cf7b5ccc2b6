"""Shelves: reservations kept by the system of record itself, in the table that holds the quantities.

Nobody else promises these units: the other channels ask the same table, and hear no where it has nothing left to give.
A reservation is an order's, and has no deadline: claimed, given back or shipped, each once and for good. What has been
given back cannot be claimed again, so a late copy of an old ask finds the door closed.

Where the record itself owns the stock, there is no copy of it: its base is what it has, at every version.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Literal

from orderquake.model.flow import Ask, Change, effect
from orderquake.model.order import Line
from orderquake.model.record import Booking, Moved, Posted, Rejected, SystemOfRecord
from orderquake.model.stock import Released, Reserved, SoldOut

Lines = tuple[Line, ...]


@effect
class ReserveForGood(Ask[Reserved | SoldOut]):
    """Take all lines off sale for this order, or none; the same order gets the same answer for ever."""

    service = "record"
    verb = "reserve"
    order_id: str
    lines: Lines

    def about(self) -> tuple[str, str]:
        return self.order_id, self.order_id


@effect
class GiveBack(Ask[Released]):
    """Put what this order has reserved, or may still ask for, back on sale. Only for orders whose refund is written
    down."""

    service = "record"
    verb = "release"
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, reservation_of(self.order_id)


def reservation_of(order_id: str) -> str:
    """The name of an order's one reservation.

    >>> reservation_of("o-47c8177f97")
    'o-47c8177f97/stock'
    """
    return f"{order_id}/stock"


class Shelves(SystemOfRecord):
    """A record that can be asked for a reservation. `safety_stock` units of each product are never sold.

    held     order id -> its lines that are off sale
    over     orders whose reservation was given back or shipped: it stays so
    """

    def __init__(
        self,
        opening: Mapping[str, int],
        below_zero: Literal["backorder", "reject"] = "backorder",
        safety_stock: int = 0,
    ) -> None:
        super().__init__(opening, below_zero)
        self.safety_stock = safety_stock
        self.held: dict[str, Lines] = {}
        self.over: dict[str, bool] = {}
        self.held_of: dict[str, int] = {}  # sku -> units, the sum of all lines that are off sale

    def handle(self, ask: Any, now_us: int) -> Any:
        match ask:
            case ReserveForGood(order_id, lines):
                return self.reserve(order_id, lines)
            case GiveBack(order_id):
                return self.give_back(order_id)
        return super().handle(ask, now_us)

    def atp(self, sku: str) -> int:
        """Units that may be promised; negative where a stock-take has found fewer than are held."""
        return self.on_hand.get(sku, 0) - self.safety_stock - self.held_of.get(sku, 0)

    def reserve(self, order_id: str, lines: Lines) -> Reserved | SoldOut:
        if order_id in self.held:
            return Reserved(reservation_of(order_id))
        if order_id in self.over:
            return SoldOut(lines[0].sku, self.atp(lines[0].sku))
        for sku, units, _ in lines:
            if self.atp(sku) < units:
                return SoldOut(sku, self.atp(sku))
        self.hold(order_id, lines)
        return Reserved(reservation_of(order_id))

    def hold(self, order_id: str, lines: Lines) -> None:
        self.held[order_id] = lines
        for number, (sku, units, _) in enumerate(lines):
            self.held_of[sku] = self.held_of.get(sku, 0) + units
            self.note("hold", order_id, number, sku, units, "record.held", "record.available", self.version.get(sku, 0))

    def give_back(self, order_id: str) -> Released:
        self.over[order_id] = True
        for number, (sku, units, _) in enumerate(self.held.pop(order_id, ())):
            self.held_of[sku] -= units
            self.note("free", order_id, number, sku, units, "record.available", "record.held", answer="released")
        return Released()

    # -- what the book does to the shelves

    def move(self, why: str, sku: str, units: int) -> Moved:
        """Deliveries, returns and stock-takes are facts; a sale of another channel is a request."""
        if why == "foreign_sale" and self.atp(sku) < units:
            return Moved(self.version.get(sku, 0))
        moved = super().move(why, sku, units)
        self.rebase(sku, -units if why == "foreign_sale" else units, moved.version)
        return moved

    def note_post(self, booking: Booking, answer: Posted | Rejected, *, is_new: bool) -> None:
        """The goods leave, and with them the reservation, in one step."""
        super().note_post(booking, answer, is_new=is_new)
        if not (isinstance(answer, Posted) and is_new and answer.versions):
            return
        versions = dict(answer.versions)
        for sku, units, _ in booking.lines:
            self.rebase(sku, -units, versions[sku])
        self.over[booking.order_id] = True
        for number, (sku, units, _) in enumerate(self.held.pop(booking.order_id, ())):
            self.held_of[sku] -= units
            self.note("drop", booking.order_id, number, sku, units, "record.available", "record.held", versions[sku])

    def rebase(self, sku: str, units: int, version: int) -> None:
        """What is for sale follows the quantity at once: no snapshot, and so no age of one."""
        change = Change("rebase", sku=sku, units=units, version=version, answer="applied", debit="record.available")
        self.journal.append(change._replace(credit="record.base"))

    def note(
        self,
        operation: str,
        order_id: str,
        line: int,
        sku: str,
        units: int,
        debit: str,
        credit: str,
        version: int = -1,
        answer: str = "",
    ) -> None:
        self.journal.append(
            Change(
                operation,
                key=reservation_of(order_id),
                order=order_id,
                line=line,
                sku=sku,
                units=units,
                debit=debit,
                credit=credit,
                version=version,
                answer=answer,
            )
        )

    def snapshot(self) -> Hashable:
        return super().snapshot(), tuple(self.held.items()), tuple(self.over)

    def restore(self, snapshot: Any) -> None:
        record, held, over = snapshot
        super().restore(record)
        self.held, self.over = dict(held), dict.fromkeys(over, True)
        self.held_of = {}
        for lines in self.held.values():
            for sku, units, _ in lines:
                self.held_of[sku] = self.held_of.get(sku, 0) + units
