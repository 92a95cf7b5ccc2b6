"""How does an owner of the stock come back that has lost everything? Fence, adopt, read far enough, open. Six that
leave out one of them."""

from __future__ import annotations

from orderquake.model.mutants.other_stores import OnOtherStores
from orderquake.model.order import Line, Order, Sync
from orderquake.model.record import Posted, Rejected
from orderquake.model.stock import Settled, StockCache


class EmptyHandedStock(StockCache):
    def adopt(self, orders: tuple[tuple[str, str, tuple[Line, ...]], ...]) -> Settled:
        return Settled()


class AdoptsNothing(OnOtherStores):
    """Breaks: what is fulfilled and not with the record is pinned again. A rebuild that only fences what is reserved
    sells it a second time. Found by exhaustive search over a loss at each moment. Caught by `never_oversold` in
    `lost_shelves`."""

    name = "adopts_nothing"
    stock_of = EmptyHandedStock


class FencesNothing(OnOtherStores):
    """Breaks: nobody fulfils on the strength of a token of an earlier life. A worker that consumed it before the loss
    writes so after the rebuild. Found by exhaustive search over a loss at each moment. Caught by `never_oversold` in
    `lost_shelves`."""

    name = "fences_nothing"

    async def fence(self, orders: tuple[Order, ...], epoch: int) -> bool:
        return True


class RebuildsByReading(FencesNothing):
    """Breaks: a count is not all that was lost. A rebuild that only reads the record knows of no promise. Seen in
    idhlagency/magento2-disable-stock-reservation#70. Caught by `never_oversold` in `lost_shelves`."""

    name = "rebuilds_by_reading"
    stock_of = EmptyHandedStock


class TrustsEverySnapshot(OnOtherStores):
    """Breaks: shelves stay closed until a snapshot reaches as far as posted orders do. With a copy of the record that
    lags behind, what was posted just before the loss is neither adopted nor in the count. Found by a campaign; argued
    in ARCHITECTURE. Caught by `never_oversold` in `lost_shelves_lagging_copy`."""

    name = "trusts_every_snapshot"

    def synced(self, order: Order, answer: Posted | Rejected) -> Order:
        if isinstance(answer, Rejected):
            return super().synced(order, answer)
        return order._replace(sync=Sync.POSTED)


class OpenStock(StockCache):
    def lose_everything(self) -> None:
        super().lose_everything()
        self.is_open = True


class StartsEmptyAndOpen(OnOtherStores):
    """Breaks: absent means not ready. An owner that restarts open reads its counts again, and no promise. Seen as a
    cache that is warmed from the database alone: Starktail/woocommerce_fusion#170. Caught by `never_oversold` in
    `lost_shelves`."""

    name = "starts_empty_and_open"
    stock_of = OpenStock


class ForgetfulAdoption(StockCache):
    def adopt(self, orders: tuple[tuple[str, str, tuple[Line, ...]], ...]) -> Settled:
        self.adopted.clear()
        return super().adopt(orders)


class AdoptsTwice(OnOtherStores):
    """Breaks: what was adopted once in an epoch is not adopted again. A second rebuild with an old page pins what has
    been handed over meanwhile. Found in the literature as a job that overlaps with itself. Caught by
    `reservation_hygiene` in `lost_shelves`."""

    name = "adopts_twice"
    stock_of = ForgetfulAdoption
