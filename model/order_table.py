"""The orders as a table of the system of record: rows, shelves and book in one database, one transaction a step.

What may be asked of the rows is what the Order Cache may be asked, here of the record. A write of a row does in the
same transaction what its new state means for the goods: an order that comes to hold a reservation takes the units off
sale, or is not written at all; one that lets go of it puts them back; one that ends is booked, and its goods leave.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Literal

from orderquake.model.boundaries import Data
from orderquake.model.flow import Ask, effect
from orderquake.model.order import POSTABLE, Order
from orderquake.model.order_cache import (
    Conflict,
    ListIdle,
    MoveCursor,
    OrderCache,
    ReadCursor,
    ReadOrder,
    ReadOrders,
    Register,
    WriteOrder,
    Written,
)
from orderquake.model.record import Booking
from orderquake.model.shelves import Shelves
from orderquake.model.stock import Reserved, SoldOut

IN_FULL = frozenset({Data.ORDER, Data.PERSONAL})
"""A shop's own database has its customers beside their orders."""


@effect
class RegisterInTable(Register):
    service = "record"
    carries = IN_FULL


@effect
class ReadRow(ReadOrder):
    service = "record"
    carries = IN_FULL


@effect
class ReadRows(ReadOrders):
    service = "record"
    carries = IN_FULL


@effect
class WriteRow(WriteOrder):
    """One transaction: the row, and what its new state means for shelves and book. May be answered SoldOut."""

    service = "record"
    carries = IN_FULL


@effect
class ListIdleRows(ListIdle):
    service = "record"


@effect
class ReadCursorInTable(ReadCursor):
    service = "record"


@effect
class MoveCursorInTable(MoveCursor):
    service = "record"


IN_TABLE: Mapping[type[Ask[Any]], type[Ask[Any]]] = {
    Register: RegisterInTable,
    ReadOrder: ReadRow,
    ReadOrders: ReadRows,
    WriteOrder: WriteRow,
    ListIdle: ListIdleRows,
    ReadCursor: ReadCursorInTable,
    MoveCursor: MoveCursorInTable,
}
"""What is asked of the Order Cache elsewhere -> the same, asked of the record."""


class Rows(OrderCache):
    """The rows alone. They wait for nobody: an order that has ended is booked."""

    def list_again(self, order: Order, now_us: int) -> None:
        super().list_again(order, now_us)
        self.unposted.entries.pop(order.id, None)
        if order.is_closed:
            self.unsynced.entries.pop(order.id, None)


class CentralRecord(Shelves):
    """The record with a table of orders."""

    def __init__(
        self,
        opening: Mapping[str, int],
        below_zero: Literal["backorder", "reject"] = "backorder",
        safety_stock: int = 0,
    ) -> None:
        super().__init__(opening, below_zero, safety_stock)
        self.rows = Rows()
        self.rows.journal = self.journal

    def handle(self, ask: Any, now_us: int) -> Any:
        if isinstance(ask, WriteRow):
            return self.commit(ask.order, now_us)
        if type(ask) in IN_TABLE.values():
            return self.rows.handle(ask, now_us)
        return super().handle(ask, now_us)

    def commit(self, order: Order, now_us: int) -> Written | Conflict | SoldOut:
        """All of it or nothing."""
        old = self.rows.rows.get(order.id)
        if old is None or old.version != order.version:
            return Conflict()
        if order.token and not old.token:
            answer = self.reserve(order.id, order.lines)
            if not isinstance(answer, Reserved):
                return answer
        written = self.rows.write(order, now_us)
        if old.token and not order.token:
            self.give_back(order.id)
        if order.state is not old.state and order.state in POSTABLE:
            self.post(Booking(f"{order.id}/final", order.id, order.state.value, order.lines, order.total))
        return written

    def snapshot(self) -> Hashable:
        return super().snapshot(), self.rows.snapshot()

    def restore(self, snapshot: Any) -> None:
        shelves, rows = snapshot
        super().restore(shelves)
        self.rows.restore(rows)
