"""A little patience with those who come late for their reservation."""

from __future__ import annotations

from collections.abc import Mapping

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.commitments import Commitment
from orderquake.model.flow import Store
from orderquake.model.policy import MINUTE
from orderquake.model.stock import StockCache


class LenientStock(StockCache):
    def live(self, token: str, now_us: int) -> Commitment | None:
        return super().live(token, now_us - MINUTE)


class GrantsGrace(HotCold):
    """Breaks: a reservation is live iff now < its deadline. Seen where expiry is not punctual: DynamoDB's TTL takes up
    to 48 hours. Caught by `reservation_hygiene` in `short_holds`."""

    name = "grants_grace"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        stock = LenientStock(opening, self.policy.safety_stock, self.policy.expires_on_look)
        return super().stores(opening) | {"stock": stock}
