"""What is a snapshot? One atomic reading of quantity, version and posts, applied in one step. Seven that are not."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Literal

from orderquake.model.flow import Instant, effect
from orderquake.model.mutants.other_stores import OnOtherStores
from orderquake.model.policy import SECOND
from orderquake.model.record import Changed, ReadChanges, SkuChange, SystemOfRecord
from orderquake.model.stock import Applied, AskStatus, Refresh, StockCache, Unreconciled


class ReadsQuantityBeforeVersion(OnOtherStores):
    """Breaks: a quantity and its version are read in one step. Seen in libracore/WooCommerceConnector#41, where count
    and time stamp are two calls. Caught by `fresh_snapshots_only` in `busy_refreshes`."""

    name = "reads_quantity_before_version"

    async def refresh(self, after: int = 0) -> int | None:
        status = await self.patiently(AskStatus())
        if not status.is_open:
            return None
        ask = ReadChanges(status.cursor, max(after, status.cursor), self.policy.batch_of("inbound"))
        counted = {item.sku: item.on_hand for item in (await self.patiently(ask)).items}
        changed = await self.patiently(ask)
        items = tuple(item._replace(on_hand=counted.get(item.sku, item.on_hand), moves=None) for item in changed.items)
        await self.patiently(Refresh(status.epoch, changed._replace(items=items)))
        return changed.upto if changed.more else None


COMMITS_AFTER_US = 2 * SECOND


class EagerRecord(SystemOfRecord):
    """Takes a change's place in the log at once, and shows the change when its transaction commits."""

    def __init__(self, opening: Mapping[str, int], below_zero: Literal["backorder", "reject"] = "backorder") -> None:
        super().__init__(opening, below_zero)
        self.now_us = 0
        self.seen_from: dict[str, int] = {}

    def handle(self, ask: Any, now_us: int) -> Any:
        self.now_us = now_us
        return super().handle(ask, now_us)

    def change(self, sku: str, units: int, order_id: str = "") -> int:
        self.seen_from[sku] = self.now_us + COMMITS_AFTER_US
        return super().change(sku, units, order_id)

    def changes(self, since: int, after: int, limit: int, now_us: int) -> Changed:
        changed = super().changes(since, after, limit, now_us)
        return changed._replace(
            items=tuple(item for item in changed.items if self.seen_from.get(item.sku, 0) <= now_us)
        )

    def snapshot(self) -> Hashable:
        return super().snapshot(), tuple(self.seen_from.items())

    def restore(self, snapshot: Any) -> None:
        record, seen_from = snapshot
        super().restore(record)
        self.seen_from = dict(seen_from)


class NumbersChangesBeforeTheyCommit(OnOtherStores):
    """Breaks: who has read up to a place in the log has seen all before it. A sequence is drawn before its transaction
    commits, so a reader passes a hole, and never comes back to it. Seen in airbytehq/airbyte#80152. Caught by
    `books_converge` in `busy_refreshes`."""

    name = "numbers_changes_before_they_commit"
    record_of = EagerRecord


@effect
class AskHeld(AskStatus):
    """How many units of each product are held or pinned just now?"""


@effect
class RefreshLess(Refresh):
    """A refresh whose author has taken off what was held when he looked."""

    held: tuple[tuple[str, int], ...]


class ComputedStock(StockCache):
    def __init__(self, opening: Mapping[str, int], safety_stock: int = 0, expires_on_look: bool = True) -> None:
        super().__init__(opening, safety_stock, expires_on_look)
        self.computed: dict[str, int] | None = None

    def handle(self, ask: Any, now_us: int) -> Any:
        if isinstance(ask, AskHeld):
            return tuple(self.committed.items())
        self.computed = dict(ask.held) if isinstance(ask, RefreshLess) else None
        return super().handle(ask, now_us)

    def adds_up(self, item: SkuChange) -> bool:
        return True

    def rebase(self, item: SkuChange, as_of: Instant) -> None:
        before = self.committed.get(item.sku, 0)
        super().rebase(item, as_of)
        if self.computed is not None and item.version >= self.base_v.get(item.sku, 0):
            gone = before - self.committed.get(item.sku, 0)
            held = max(0, self.computed.get(item.sku, 0) - gone)
            self.base[item.sku] = item.on_hand - held + self.committed.get(item.sku, 0)


class ComputesOutside(OnOtherStores):
    """Breaks: a snapshot is applied in one step by the owner. What is computed outside, from what was held a moment
    ago, writes over whoever came between. Seen in nopSolutions/nopCommerce#8085, juice-shop/juice-shop#2997. Caught by
    `never_oversold` in `busy_refreshes`."""

    name = "computes_outside"
    stock_of = ComputedStock

    async def refresh(self, after: int = 0) -> int | None:
        status = await self.patiently(AskStatus())
        if not status.is_open:
            return None
        held: Any = await self.patiently(AskHeld())
        changed = await self.patiently(
            ReadChanges(status.cursor, max(after, status.cursor), self.policy.batch_of("inbound"))
        )
        await self.patiently(RefreshLess(status.epoch, changed, held))
        return changed.upto if changed.more else None


class BackwardStock(StockCache):
    def rebase(self, item: SkuChange, as_of: Instant) -> None:
        self.base_v[item.sku] = min(self.base_v.get(item.sku, 0), item.version)
        super().rebase(item, as_of)


class TakesOlderSnapshots(OnOtherStores):
    """Breaks: a snapshot older than ours is left out. Seen where an absolute count is set without the one that it
    should replace (Shopify's changelog on compare-and-swap for inventory). Caught by `fresh_snapshots_only` in
    `busy_refreshes`."""

    name = "takes_older_snapshots"
    stock_of = BackwardStock


class CredulousStock(StockCache):
    def adds_up(self, item: SkuChange) -> bool:
        return True


class BelievesTheFeed(OnOtherStores):
    """Breaks: a snapshot must add up. Seen in woocommerce/woocommerce-square#529, openlabs/magento_integration#81: a
    feed that says zero empties the shop. Caught by `fresh_snapshots_only` in `zero_feed`."""

    name = "believes_the_feed"
    stock_of = CredulousStock


class PageWiseStock(StockCache):
    def refresh(self, changed: Changed) -> Applied | Unreconciled:
        answer = super().refresh(changed)
        if changed.since <= self.cursor:
            self.cursor = max(self.cursor, changed.upto)
        return answer


class PassesWhatDoesNotAddUp(OnOtherStores):
    """Breaks: the cursor stays before what was refused. Seen in YotpoLtd/magento2-module-yotpo-reviews#185: what could
    not be taken is marked as done. Caught by `books_converge` in `zero_feed`."""

    name = "passes_what_does_not_add_up"
    stock_of = PageWiseStock


class PageByPageStock(StockCache):
    def refresh(self, changed: Changed) -> Applied | Unreconciled:
        return super().refresh(changed._replace(more=False))


class MovesTheCursorPageByPage(OnOtherStores):
    """Breaks: only the last page moves the cursor. A product whose latest change lies on a later page is told from
    there on, and what lies between is missing. Found in ARCHITECTURE, as an earlier draft. Caught by `books_converge`
    in `lost_acks`."""

    name = "moves_the_cursor_page_by_page"
    stock_of = PageByPageStock


class AnyCopysStock(StockCache):
    def refresh(self, changed: Changed) -> Applied | Unreconciled:
        return super().refresh(changed._replace(head=max(changed.head, self.newest)))


class MovesTheCursorOnAnOldCopy(OnOtherStores):
    """Breaks: the cursor moves only on the word of a copy that is as new as any that a page came from. What changed
    again on the newer one has left its place in the log, and is never read. Found in this shop, by a small day with
    pages of one product and a copy that lags. Caught by `books_converge` in `lagging_pages`."""

    name = "moves_the_cursor_on_an_old_copy"
    stock_of = AnyCopysStock
