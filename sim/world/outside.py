"""What moves the record's shelves without asking us: other channels, deliveries, returns, stock-takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderquake.model.record import Move
from orderquake.sim.units import SECOND
from orderquake.sim.world.streams import Exponential, Stream

if TYPE_CHECKING:
    from orderquake.sim.world.world import World


class Outside:
    """Everybody else who has the record's keys."""

    def __init__(self, world: World) -> None:
        self.kernel = world.kernel
        self.record = world.wire.replicas["record"]
        self.is_open = True
        stock = world.scenario.stock
        for receipt in stock.receipts:
            self.kernel.after(receipt.at, self.move, ("supplier", "receipt", receipt.sku, receipt.units))
        for correction in stock.corrections:
            self.kernel.after(correction.at, self.move, ("stock_take", "correction", correction.sku, correction.units))
        for at_us, sku, units in world.demand.returns:
            self.kernel.after(at_us, self.move, ("returns", "return", sku, units))
        if stock.foreign_sales is not None:
            self.units = stock.foreign_sales.units
            gap = Exponential(SECOND / stock.foreign_sales.per_s)
            for sku in world.demand.opening:
                self.next_sale((sku, world.streams.of(f"channel/{sku}", gap), 0))

    def move(self, what: tuple[str, str, str, int]) -> None:
        actor, why, sku, units = what
        self.record.act(Move(why, sku, units), actor)  # type: ignore[arg-type]  # `why` is one of the four above

    def next_sale(self, sale: tuple[str, Stream, int]) -> None:
        sku, gaps, number = sale
        self.kernel.after(int(gaps.draw(number)), self.sell, (sku, gaps, number + 1))

    # Simplified: other channels reach the record even while it is down for us; matters when they share its fate.
    def sell(self, sale: tuple[str, Stream, int]) -> None:
        """Another channel sells straight from the shelf, and will again."""
        if self.is_open:
            self.record.act(Move("foreign_sale", sale[0], self.units), "channel")
            self.next_sale(sale)

    def close(self) -> None:
        """The quiet phase: other channels stop."""
        self.is_open = False
