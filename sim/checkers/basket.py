"""What an order asks for, kept by checkers that judge products but hear of orders. Judges nothing itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from orderquake.sim.checkers.finding import NOWHERE, Aside
from orderquake.sim.history import Row


class Basket(NamedTuple):
    """Lines of one order as (line, SKU, units), from its `ordered` rows, and the one news about it."""

    lines: tuple[tuple[int, str, int], ...] = ()
    is_told: bool = False
    news: Aside = NOWHERE

    def add(self, row: Row) -> Basket:
        return Basket((*self.lines, (row.line, row.sku, row.units)), self.is_told, self.news)

    def tell(self, row: Row) -> Basket:
        """Take the row as the order's news; only the first counts."""
        return self if self.is_told else Basket(self.lines, True, Aside(row.index))

    def line_by_line(self, row: Row) -> Iterable[tuple[str, Row]]:
        """The row, if it is the news, once for each line: (the line's SKU, the row with the line in it)."""
        if self.is_told and int(self.news) == row.index:
            for line, sku, units in self.lines:
                yield sku, row._replace(line=line, sku=sku, units=units)


def basket_part(order: str) -> str:
    """The part that keeps an order's lines, beside the parts of the SKUs."""
    return f"order\0{order}"
