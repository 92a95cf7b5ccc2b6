"""Designs that forget one thing that only some faults punish. Each is sound on a day without them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.flow import Instant, Store
from orderquake.model.mutants.subtracts_at_apply import SubtractingStock
from orderquake.model.record import Post, Posted, ReadChanges, SkuChange, SystemOfRecord
from orderquake.model.stock import AskStatus, OpenAgain, Refresh, StockCache


class LastWordStock(StockCache):
    def adds_up(self, item: SkuChange) -> bool:
        return True

    def rebase(self, item: SkuChange, as_of: Instant) -> None:
        self.base_v[item.sku] = min(item.version, self.base_v.get(item.sku, 0))
        super().rebase(item, as_of)


class BelievesWhoComesLast(HotCold):
    """Takes whatever snapshot arrives, also one that is older than the last."""

    name = "believes_who_comes_last"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {"stock": LastWordStock(opening)}


class SubtractsAtAck(HotCold):
    """Lets go of a commitment when its post is acknowledged, and takes every later snapshot to contain it."""

    name = "subtracts_at_ack"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {"stock": SubtractingStock(opening)}


class BatchwiseRecord(SystemOfRecord):
    def handle(self, ask: Any, now_us: int) -> Any:
        if isinstance(ask, Post) and ask.bookings[0].key in self.book:
            return tuple(Posted(booking.order_id, ()) for booking in ask.bookings)
        return super().handle(ask, now_us)


class DedupsByBatch(HotCold):
    """Knows a batch again by its first key, and takes the rest of it for done as well."""

    name = "dedups_by_batch"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {"record": BatchwiseRecord(opening)}


class RebuildsFromTheRecordAlone(HotCold):
    """Fills an empty Stock Cache with the record's counts and opens it: what is sold and not posted is forgotten."""

    name = "rebuilds_from_the_record_alone"

    async def rebuild(self, _after: int = 0) -> int | None:
        status = await self.patiently(AskStatus())
        if not status.is_open:
            changed = await self.patiently(ReadChanges(0, 0, self.policy.batch_of("rebuild")))
            await self.patiently(Refresh(status.epoch, changed))
            await self.patiently(OpenAgain(status.epoch))
        return None
