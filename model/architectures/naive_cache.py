"""naive_cache: the stock as a number in a cache, which everybody reads, changes and writes back.

Orders and payments are hot_cold's, compare-and-set and all; only the shelves are a cache of counts. It is what one
writes first, and it sells what is not there, without any fault:

  1  To reserve is to read the count, subtract, and write it. Two who read the same count both get the last unit.
  2  A refresh writes the record's count over it, and forgets whoever has reserved and is not posted yet.
  3  A reservation has no owner and no name, so it cannot lapse, and a step that is done again takes the units again.

It is here to be convicted, and for the comparison: it asks less of the cache than any other design.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderquake.model.architecture import Job
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.assumptions import Assumption
from orderquake.model.counts import CopyCount, Counts, ReadCount, WriteCount
from orderquake.model.flow import Store
from orderquake.model.order import Order, State
from orderquake.model.record import Posted, ReadChanges
from orderquake.model.stock import NotReady, Reserved, SoldOut


class NaiveCache(HotCold):
    """Stock as counts in a cache without compare-and-set: read, subtract, write. Oversells without any fault."""

    name = "naive_cache"
    requires = HotCold.requires - {Assumption.LOSSES_ARE_ANNOUNCED, Assumption.STOCK_HAS_ONE_OWNER}

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {"stock": Counts(opening)}

    def rests(self, stores: Mapping[str, Any], now_us: int) -> bool:
        return self.orders_rest(stores, now_us)

    def jobs(self) -> tuple[Job, ...]:
        """Nothing lapses and nothing is rebuilt."""
        return tuple(job for job in super().jobs() if job.name not in ("sweep", "rebuild"))

    # ---------------------------------------------------------------- the hot path, where it differs

    async def claim(self, order: Order) -> Reserved | SoldOut | NotReady:
        """Look at all counts first; if there is enough of everything, write down what will be left."""
        left = {}
        for sku, units, _ in order.lines:
            counted = await self.patiently(ReadCount(order.id, sku))
            left[sku] = counted.units - units
            if left[sku] < self.policy.safety_stock:
                return SoldOut(sku, counted.units)
        for sku, units in left.items():
            await self.patiently(WriteCount(order.id, sku, units))
        return Reserved(f"{order.id}/counts")

    async def extend(self, order: Order) -> None:
        """Nothing lapses."""

    async def consume(self, order: Order) -> Order:
        """Nothing is to be asked: the units are gone from the count already."""
        if order.cancel_asked:
            return self.undo(order)
        return self.move(order, State.CAPTURING if order.auth_id else State.FULFILLED)

    async def release(self, order: Order) -> Order:
        """Read the counts again, and add."""
        for sku, units, _ in order.lines:
            counted = await self.patiently(ReadCount(order.id, sku))
            await self.patiently(WriteCount(order.id, sku, counted.units + units))
        return order._replace(token="")

    # ---------------------------------------------------------------- the cold path, where it differs

    async def refresh(self, after: int = 0) -> int | None:
        """Write the record's count of every product that has changed over the cache's."""
        changed = await self.patiently(ReadChanges(0, after, self.policy.batch_of("inbound")))
        for item in changed.items:
            await self.patiently(CopyCount(item.sku, item.on_hand, item.version, changed.as_of))
        return changed.upto if changed.more else None

    async def tell_owner(self, posted: tuple[Posted, ...]) -> bool:
        """There is nobody to tell."""
        return True
