"""article: the published design to the letter, on caches that have no compare-and-set.

Register the order in the Order Cache, take the payment, look at the Stock Cache, reserve at once and fulfil; refund
where there is no stock or no payment. Every five minutes the stock counts are refreshed from the system of record, and
finished orders are posted back under their own key.

Both caches are the platform's distributed store: keys and values in every region, merged later. So

  1  two workers who have read the same row both do its next step, and the later write hides the earlier one;
  2  two who have read the same count both sell the last unit, in one region or in two;
  3  a refresh puts back units that are sold and not posted yet, and nobody's reservation is known to it.

What the article leaves open is filled in as kindly as its words allow: payments carry a key for each order, posts are
unique in the record, and a job puts idle orders back in line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderquake.model.architecture import Job
from orderquake.model.architectures.naive_cache import NaiveCache
from orderquake.model.assumptions import Assumption
from orderquake.model.counts import Counts
from orderquake.model.flow import Store
from orderquake.model.loose_orders import LooseOrders
from orderquake.model.order import Order, State
from orderquake.model.payment import Refund


class Article(NaiveCache):
    """Both caches in a distributed store without compare-and-set: what the article describes."""

    name = "article"
    requires = NaiveCache.requires - {Assumption.ORDERS_COMPARE_AND_SET}
    kv = "taubyte_nodes"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {"order_cache": LooseOrders(), "stock": Counts(opening)}

    def jobs(self) -> tuple[Job, ...]:
        """Nobody looks whether the money is right."""
        return tuple(job for job in super().jobs() if job.name != "settlement")

    def rests(self, stores: Mapping[str, Any], now_us: int) -> bool:
        return self.order_rows(stores).rests and not stores["queue"].has_work(now_us)

    async def charge(self, order: Order) -> Order:
        """A payment that failed goes the way of an order without stock: to the refund."""
        paid = await super().charge(order)
        if paid.state is State.DECLINED:
            await self.patiently(Refund(self.refund_key(order), order.id, "", order.total))
        return paid
