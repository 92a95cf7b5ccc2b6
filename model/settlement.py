"""Settlement: compare what the provider has taken with what the orders say, and send back what nobody may keep.

It alone heals a charge that arrives after everybody has given up on it. Told for any design with an Order Cache.
"""

from __future__ import annotations

from orderquake.model.architecture import Architecture
from orderquake.model.order import Order, State
from orderquake.model.order_cache import Found, MoveCursor, ReadCursor, ReadOrders, WriteOrder
from orderquake.model.payment import Capture, ListCaptures, Refund


class Settlement(Architecture):
    """The job that walks along the provider's ledger, and never past a capture whose order is still open."""

    async def settle(self, _after: int = 0) -> int | None:
        """Compare the provider's captures with the orders, and send back what was taken for an order that is closed."""
        seen = await self.patiently(ReadCursor("settlement"))
        page = await self.patiently(ListCaptures(seen, self.policy.settle_after_us, self.policy.batch_of("settlement")))
        rows = await self.patiently(ReadOrders(tuple(capture.order_id for capture in page.captures)))
        for capture, row in zip(page.captures, rows, strict=True):
            if not (isinstance(row, Found) and await self.is_settled(capture, row.order)):
                break
            seen = capture.place
        await self.patiently(MoveCursor("settlement", seen))
        return (
            seen
            if len(page.captures) == self.policy.batch_of("settlement") and seen == page.captures[-1].place
            else None
        )

    async def is_settled(self, capture: Capture, order: Order) -> bool:
        """Does the order account for this capture? If it is closed without it, reopen it for a refund."""
        if not order.is_final:
            return False
        if order.charge_id == capture.charge_id:
            return True
        if order.charge_id:  # the order has paid already: this money was taken twice
            key = f"{capture.charge_id}/settlement"
            await self.patiently(Refund(key, order.id, capture.charge_id, capture.amount))
            return True
        reopened = self.move(
            order,
            State.REFUND_PENDING,
            charge_id=capture.charge_id,
            refund_generation=order.refund_generation + 1,
            is_told=False,
        )
        await self.patiently(WriteOrder(reopened))
        return False
