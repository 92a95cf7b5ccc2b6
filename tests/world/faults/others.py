"""A design that several faults break, and that nothing breaks on a calm day."""

from __future__ import annotations

from orderquake.model.mutants.forgets_dedup import ForgetsDedup
from orderquake.model.order import Order


class BooksWhoeverIsListed(ForgetsDedup):
    """Breaks: a key is booked once for ever. Does no harm as long as no two posts are under way at a time."""

    name = "books_whoever_is_listed"

    async def freeze(self, orders: tuple[Order, ...]) -> tuple[Order, ...]:
        closed = tuple(order for order in orders if order.is_closed)
        frozen = await super().freeze(closed)
        ours = {order.id for order in frozen}
        return frozen + tuple(order for order in closed if order.id not in ours)
