"""reserve_in_record: hot_cold's orders and payments, but the record itself says who gets a unit.

An order is registered in the Order Cache, paid at the provider and posted in the background, by the steps that
`hot_cold` tells. Only the stock has no owner of its own: a reservation is a row in the record's table of quantities.

  1  Reserve asks the record, under the order's id. The answer stands for ever: no deadline, no token that lapses.
  2  So there is nothing to extend, to consume, to refresh, or to rebuild. Whoever is reserved is fulfilled, unless the
     order is cancelled first; the compare-and-set on its row decides between the two.
  3  What never lapses must be given back. Whoever gives up on an order lets go of its reservation whether anybody heard
     of one or not, and that closes the door: a claim that is still on its way finds it shut.
  4  The goods and the reservation leave the shelves together, when the order is posted.

While the record is away, orders are taken and paid, and wait; nobody is told a price that cannot be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from orderquake.model.architecture import Job
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.assumptions import Assumption
from orderquake.model.flow import Store
from orderquake.model.notice import NoticeBoard
from orderquake.model.order import Order, State
from orderquake.model.order_cache import OrderCache
from orderquake.model.payment import PaymentProvider
from orderquake.model.record import Posted
from orderquake.model.shelves import GiveBack, ReserveForGood, Shelves, reservation_of
from orderquake.model.stock import NotReady, Released, Reserved, SoldOut
from orderquake.model.work_queue import WorkQueue


class ReserveInRecord(HotCold):
    """Orders and payments on caches, stock reserved in the record's own table, for good."""

    name = "reserve_in_record"
    requires = frozenset(
        {
            Assumption.ORDERS_KEEP_WRITES,
            Assumption.ORDERS_COMPARE_AND_SET,
            Assumption.ORDERS_ARE_READ_FRESH,
            Assumption.RECORD_KEEPS_COMMITS,
            Assumption.KEYS_OUTLIVE_ASKS,
        }
    )

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        policy = self.policy
        return {
            "order_cache": OrderCache(),
            "payment": PaymentProvider(policy.key_retention_us, policy.refund_delay_us, renews_keys=policy.renews_keys),
            "record": Shelves(opening, policy.below_zero, policy.safety_stock),
            "notice": NoticeBoard(),
            "queue": WorkQueue(),
        }

    def rests(self, stores: Mapping[str, Any], now_us: int) -> bool:
        return self.orders_rest(stores, now_us)

    # ---------------------------------------------------------------- the hot path, where it differs

    async def begin(self, order: Order) -> Order:
        """As ever; but who reserves first and cancels may have claimed units without hearing of it."""
        decided = await super().begin(order)
        return self.let_go(decided) if decided.state is State.CANCELLED else decided

    async def claim(self, order: Order) -> Reserved | SoldOut | NotReady:
        """Ask the record for all lines, under the order's own name: the same answer for ever."""
        return await self.patiently(ReserveForGood(order.id, order.lines))

    async def extend(self, order: Order) -> None:
        """Nothing lapses."""

    async def consume(self, order: Order) -> Order:
        """Nothing is to be asked: what is reserved stands already."""
        if order.cancel_asked:
            return self.undo(order)
        return self.move(order, State.CAPTURING if order.auth_id else State.FULFILLED)

    def undo(self, order: Order) -> Order:
        """Decide to give the money back, and the units, heard of or not."""
        return self.let_go(super().undo(order))

    def let_go(self, order: Order) -> Order:
        """The row names the reservation until the record has confirmed that there is none."""
        return order._replace(token=reservation_of(order.id))

    async def release(self, order: Order) -> Order:
        """Put the units back on sale, and close the door behind them."""
        answer = await self.patiently(GiveBack(order.id))
        match answer:
            case Released():
                return order._replace(token="")
            case _:
                assert_never(answer)

    # ---------------------------------------------------------------- the cold path, where it differs

    def jobs(self) -> tuple[Job, ...]:
        return (Job("outbound", "post"), Job("recovery", "recover"), Job("settlement", "settle"))

    async def tell_owner(self, posted: tuple[Posted, ...]) -> bool:
        """The record has seen for itself that the goods left."""
        return True
