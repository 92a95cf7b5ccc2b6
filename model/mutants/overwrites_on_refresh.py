"""The article's refresh, to the letter: the cache takes the record's count for what may be sold."""

from __future__ import annotations

from collections.abc import Mapping

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.flow import Instant, Store
from orderquake.model.record import ReadChanges, SkuChange
from orderquake.model.stock import AskStatus, Refresh, StockCache


class OverwritingStock(StockCache):
    def adds_up(self, item: SkuChange) -> bool:
        return True

    def rebase(self, item: SkuChange, as_of: Instant) -> None:
        forgotten = self.committed.get(item.sku, 0)
        super().rebase(item._replace(on_hand=item.on_hand + forgotten), as_of)


class CopiesTheWholeShelf(HotCold):
    """Reads every product at every refresh, changed or not, as the article does. Wasteful, but not yet wrong."""

    name = "copies_the_whole_shelf"

    async def refresh(self, after: int = 0) -> int | None:
        status = await self.patiently(AskStatus())
        changed = await self.patiently(ReadChanges(0, after, self.policy.batch_of("inbound")))
        await self.patiently(Refresh(status.epoch, changed))
        return changed.upto if changed.more else None


class OverwritesOnRefresh(CopiesTheWholeShelf):
    """Breaks: commitments outlive a refresh. Seen in Starktail/woocommerce_fusion#170. Caught by `never_oversold` in
    `busy_refreshes`."""

    name = "overwrites_on_refresh"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {
            "stock": OverwritingStock(opening, self.policy.safety_stock, self.policy.expires_on_look)
        }
