"""A stock that counts releases instead of looking whose they are: asked twice, it gives back twice."""

from __future__ import annotations

from collections.abc import Mapping

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.flow import Store
from orderquake.model.stock import Released, StockCache


class CountingStock(StockCache):
    def release(self, token: str) -> Released:
        held = self.by_token.get(token)
        if held is None:
            return Released()
        for sku, (line, units) in held.lines.items():
            self.note("free", held, line, sku, units, "cache.available", held.account, answer="released")
            self.base[sku] += units
        return Released()


class ReleasesTwice(HotCold):
    """Breaks: a reservation is released once. Seen in magento/inventory#1849, and in the sample
    danilop/events-and-workflows. Caught by `units_conserved` in `late_copies`."""

    name = "releases_twice"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        stock = CountingStock(opening, self.policy.safety_stock, self.policy.expires_on_look)
        return super().stores(opening) | {"stock": stock}
