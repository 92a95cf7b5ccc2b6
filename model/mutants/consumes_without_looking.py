"""Whoever comes with a token gets the goods, whether the reservation is still alive or not."""

from __future__ import annotations

from collections.abc import Mapping

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.flow import Store
from orderquake.model.stock import Lapsed, Pinned, StockCache


class TrustingStock(StockCache):
    def consume(self, token: str, now_us: int) -> Pinned | Lapsed:
        super().consume(token, now_us)
        return Pinned()


class ConsumesWithoutLooking(HotCold):
    """Breaks: only a live reservation can be consumed. Seen in saleor/saleor#15246, mollie/magento2#1083. Caught by
    `never_oversold` in `short_holds`."""

    name = "consumes_without_looking"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {
            "stock": TrustingStock(opening, self.policy.safety_stock, self.policy.expires_on_look)
        }
