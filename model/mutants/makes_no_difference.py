"""Changes that break nothing anybody was promised: each is argued for in the register, and not counted.

They are kept because they look like bugs, and because each says what the design owes its safety to.
"""

from __future__ import annotations

from orderquake.model.mutants.other_stores import OnOtherStores, Posts
from orderquake.model.order import Order, State
from orderquake.model.record import Posted, SkuChange
from orderquake.model.stock import Reserve, Reserved, Settled, SoldOut, StockCache
from orderquake.model.work_queue import Ack, Empty, Leased


class NeverTellsTheOwner(OnOtherStores):
    """Breaks: the owner of the stock hears of each post. Found in hot_cold, as a call that may be left out."""

    name = "never_tells_the_owner"

    async def tell_owner(self, posted: tuple[Posted, ...]) -> bool:
        return True


class NotComparingStock(StockCache):
    def settle(self, posts: Posts) -> Settled:
        for order_id, versions in posts:
            held = self.by_token.get(self.token_of.get(order_id, ""))
            for sku, version in versions:
                if held is not None and sku in held.lines:
                    held.posted[sku] = version
                    self.awaited.setdefault(sku, {})[held.token] = version
        return Settled()


class ComparesNoAcks(OnOtherStores):
    """Breaks: an acknowledgement that comes after its snapshot lets go at once. Found by exhaustive search, in a
    protocol whose snapshots do not name the posts that they contain."""

    name = "compares_no_acks"
    stock_of = NotComparingStock


class StarvingStock(StockCache):
    """Hands units over at the acknowledgement, and takes no snapshot that is older than one."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.floor: dict[str, int] = {}

    def settle(self, posts: Posts) -> Settled:
        for _, versions in posts:
            for sku, version in versions:
                self.floor[sku] = max(version, self.floor.get(sku, 0))
        return super().settle(posts)

    def adds_up(self, item: SkuChange) -> bool:
        return item.version >= self.floor.get(item.sku, 0) and super().adds_up(item)

    def lose_everything(self) -> None:
        super().lose_everything()
        self.floor.clear()


class RejectsWhatIsOlderThanAnAck(OnOtherStores):
    """Breaks: a refresh gets through, however busy the day. Found by exhaustive search, as safe but starving."""

    name = "rejects_what_is_older_than_an_ack"
    stock_of = StarvingStock


class HandsBackAtOnce(OnOtherStores):
    """Breaks: a lease is handed back when the order rests. Found in the literature: at most once, by an early ack."""

    name = "hands_back_at_once"

    async def take(self) -> Leased | Empty:
        leased = await super().take()
        if isinstance(leased, Leased):
            await self.patiently(Ack(leased.order_id, leased.delivery))
        return leased


class KeepsDeclinedHolds(OnOtherStores):
    """Breaks: every end without goods gives them back. Seen in woocommerce/woocommerce#55396."""

    name = "keeps_declined_holds"

    async def finish(self, order: Order) -> Order:
        if order.state is State.DECLINED and order.is_told:
            return order._replace(token="")
        return await super().finish(order)


class SelfBlockingStock(StockCache):
    def reserve(self, ask: Reserve, now_us: int) -> Reserved | SoldOut:
        if self.live_for(ask.order_id, now_us) is not None:
            return SoldOut(ask.lines[0].sku, self.atp(ask.lines[0].sku))
        return super().reserve(ask, now_us)


class BlocksItsOwnRetry(OnOtherStores):
    """Breaks: a retry gets what the first try has reserved. Seen in Sylius/Sylius#7707."""

    name = "blocks_its_own_retry"
    stock_of = SelfBlockingStock
