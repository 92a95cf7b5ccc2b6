"""central: one database for everything. Each step of an order is one transaction on the system of record.

The rows of the orders, the shelves and the book lie in the record; the payment provider, the notice and the line of
waiting orders lie outside, as ever. The steps are those that `hot_cold` tells, and three things are different:

  1  Every row is read from the record and written there. `patiently` below puts what others ask of an Order Cache to
     the record's table of orders.
  2  A write is a transaction (see `order_table`). An order becomes reserved in the step that takes the units off the
     shelf, and fulfilled in the step that books it and lets the goods leave. There is no state in between to recover
     from, nothing to post later, nothing to refresh, and no second book that could drift from the first.
  3  If the shelf has too little, the transaction says so and nothing is written; then the order is undone.

The price: the record is asked at every step. While it is away nobody can order, and it is never faster than it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, assert_never

from orderquake.model.architecture import Job
from orderquake.model.architectures.reserve_in_record import ReserveInRecord
from orderquake.model.assumptions import Assumption
from orderquake.model.flow import Ask, Flow, Store, put_to
from orderquake.model.notice import NoticeBoard
from orderquake.model.order import Order, State
from orderquake.model.order_cache import Conflict, Written
from orderquake.model.order_table import IN_TABLE, CentralRecord, WriteRow
from orderquake.model.payment import PaymentProvider
from orderquake.model.shelves import reservation_of
from orderquake.model.stock import NotReady, Reserved, SoldOut
from orderquake.model.work_queue import WorkQueue

A = TypeVar("A")


class Central(ReserveInRecord):
    """Every step is a transaction on the record: orders, shelves and book in one database."""

    name = "central"
    requires = frozenset({Assumption.RECORD_KEEPS_COMMITS, Assumption.KEYS_OUTLIVE_ASKS})

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        policy = self.policy
        return {
            "payment": PaymentProvider(policy.key_retention_us, policy.refund_delay_us, renews_keys=policy.renews_keys),
            "record": CentralRecord(opening, policy.below_zero, policy.safety_stock),
            "notice": NoticeBoard(),
            "queue": WorkQueue(),
        }

    def order_rows(self, stores: Mapping[str, Any]) -> Any:
        return stores["record"].rows

    def jobs(self) -> tuple[Job, ...]:
        """Nothing is posted: what has ended is in the book."""
        return (Job("recovery", "recover"), Job("settlement", "settle"))

    # ---------------------------------------------------------------- rows and goods in one transaction

    def patiently(self, ask: Ask[A]) -> Flow[A]:
        """Whatever is asked of the orders is asked of the record."""
        return super().patiently(put_to(IN_TABLE, ask))

    async def claim(self, order: Order) -> Reserved | SoldOut | NotReady:
        """Only name the reservation: the write of the row will make it, or refuse to."""
        return Reserved(reservation_of(order.id))

    async def release(self, order: Order) -> Order:
        """Only strike the reservation from the row: the write puts the units back."""
        return order._replace(token="")

    def let_go(self, order: Order) -> Order:
        """Nothing is claimed unheard: either the row names the reservation, or there is none."""
        return order

    async def write(self, before: Order, after: Order) -> bool:
        """One transaction. Somebody was faster: read again. The shelf has too little: undo the order instead."""
        if after == before:
            return False
        answer: Written | Conflict | SoldOut = await self.patiently(WriteRow(after))
        match answer:
            case Written(order):
                return not order.is_closed
            case Conflict():
                return True
            case SoldOut():
                return await self.write(before, self.without_goods(before))
            case _:
                assert_never(answer)

    def without_goods(self, order: Order) -> Order:
        """Who has not begun to pay is only told no; whoever has paid is paid back."""
        return self.move(order, State.CANCELLED) if order.state is State.REGISTERED else self.undo(order)
