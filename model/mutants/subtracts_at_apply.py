"""The obvious repair: the record's count less what is reserved just now; a posted reservation is let go."""

from __future__ import annotations

from collections.abc import Mapping

from orderquake.model.flow import Store
from orderquake.model.mutants.overwrites_on_refresh import CopiesTheWholeShelf
from orderquake.model.record import SkuChange
from orderquake.model.stock import Settled, StockCache


class SubtractingStock(StockCache):
    def adds_up(self, item: SkuChange) -> bool:
        return True

    def settle(self, posts: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]) -> Settled:
        for order_id, versions in posts:
            held = self.by_token.get(self.token_of.get(order_id, ""))
            for sku, version in versions:
                if held is not None and sku in held.lines:
                    self.base[sku] -= held.lines[sku][1]
                    self.drop(held, sku, version)
        return Settled()


class SubtractsAtApply(CopiesTheWholeShelf):
    """Breaks: units leave a commitment only with the snapshot that contains their post. A snapshot read before the
    post and applied after its acknowledgement sells them again. Found by exhaustive search. Caught by
    `never_oversold` in `busy_refreshes`."""

    name = "subtracts_at_apply"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {
            "stock": SubtractingStock(opening, self.policy.safety_stock, self.policy.expires_on_look)
        }
