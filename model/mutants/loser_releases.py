"""A worker that loses the compare-and-set tidies up after itself, and lets go of what the winner stands on."""

from __future__ import annotations

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.order import Order
from orderquake.model.order_cache import Conflict, WriteOrder, Written
from orderquake.model.stock import Release


class LoserReleases(HotCold):
    """Breaks: whoever loses the compare-and-set undoes nothing. Seen in medusajs/medusa#15527. Caught by
    `never_oversold` in `short_holds`."""

    name = "loser_releases"

    async def write(self, before: Order, after: Order) -> bool:
        if after == before:
            return False
        match await self.patiently(WriteOrder(after)):
            case Written(order):
                return not order.is_closed
            case Conflict():
                if after.token:
                    await self.patiently(Release(after.token, after.id))
                return True
