"""hot_cold over stores of another make: what a bug in a store needs, and no bug itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeAlias

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.flow import Store
from orderquake.model.notice import NoticeBoard
from orderquake.model.order_cache import OrderCache
from orderquake.model.payment import PaymentProvider
from orderquake.model.record import SystemOfRecord
from orderquake.model.stock import StockCache
from orderquake.model.work_queue import WorkQueue

Posts: TypeAlias = tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
"""What a `Settle` passes on: (order id, ((sku, version), ...))."""


class OnOtherStores(HotCold):
    """A subclass names the stores that are of another make; all others are the usual ones."""

    name = "on_other_stores"
    orders_of: ClassVar[type[OrderCache]] = OrderCache
    stock_of: ClassVar[type[StockCache]] = StockCache
    payment_of: ClassVar[type[PaymentProvider]] = PaymentProvider
    record_of: ClassVar[type[SystemOfRecord]] = SystemOfRecord
    notices_of: ClassVar[type[NoticeBoard]] = NoticeBoard
    queue_of: ClassVar[type[WorkQueue]] = WorkQueue

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        policy = self.policy
        return {
            "order_cache": self.orders_of(),
            "stock": self.stock_of(opening, policy.safety_stock, policy.expires_on_look),
            "payment": self.payment_of(policy.key_retention_us, policy.refund_delay_us),
            "record": self.record_of(opening, policy.below_zero),
            "notice": self.notices_of(),
            "queue": self.queue_of(),
        }
