"""Settlement: compare what the provider has taken, and what came back to it, with what the orders say, and send back
what nobody may keep.

It alone heals a charge that arrives after everybody has given up on it, and a refund that fails after everybody has
believed it. Told for any design with an Order Cache.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TypeVar

from orderquake.model.architecture import Architecture
from orderquake.model.flow import Flow
from orderquake.model.order import Order, State
from orderquake.model.order_cache import Found, MoveCursor, ReadCursor, ReadOrders, WriteOrder, Written
from orderquake.model.payment import Capture, FailedRefund, ListCaptures, ListFailedRefunds, Refund

E = TypeVar("E", Capture, FailedRefund)


class Settlement(Architecture):
    """The job that walks along the provider's two lists, and in neither past an order that is still open."""

    @abstractmethod
    def refund_key(self, order: Order) -> str:
        """The key of the order's present refund."""

    async def settle(self, _after: int = 0) -> int | None:
        """A page of captures, then a page of failed refunds."""
        more_captures = await self.return_surplus()
        more_failures = await self.watch_refunds()
        return more_captures or more_failures

    async def return_surplus(self) -> int | None:
        """Send back what was taken for an order that is closed without it."""
        seen = await self.patiently(ReadCursor("settlement"))
        page = await self.patiently(ListCaptures(seen, self.policy.settle_after_us, self.policy.batch_of("settlement")))
        return await self.follow("settlement", page.captures, self.is_settled)

    async def watch_refunds(self) -> int | None:
        """What came back is owed again."""
        seen = await self.patiently(ReadCursor("refunds"))
        page = await self.patiently(ListFailedRefunds(seen, self.policy.batch_of("settlement")))
        return await self.follow("refunds", page.failures, self.is_owed_again) if page.failures else None

    async def follow(
        self, cursor: str, entries: tuple[E, ...], is_done: Callable[[E, Order], Flow[bool]]
    ) -> int | None:
        """One entry after the other, as far as they are done with; how far, if another page may follow."""
        rows = await self.patiently(ReadOrders(tuple(entry.order_id for entry in entries)))
        seen = 0
        for entry, row in zip(entries, rows, strict=True):
            if not (isinstance(row, Found) and await is_done(entry, row.order)):
                break
            seen = entry.place
        await self.patiently(MoveCursor(cursor, seen))
        return seen if len(entries) == self.policy.batch_of("settlement") and seen == entries[-1].place else None

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
            unpaid=order.total - capture.amount,
            refund_generation=order.refund_generation + 1,
            is_told=False,
        )
        await self.patiently(WriteOrder(reopened))
        return False

    async def is_owed_again(self, failure: FailedRefund, order: Order) -> bool:
        """Is somebody paying this back anew? If the order rests on it, reopen it; it stays posted, and its customer is
        told nothing new."""
        if failure.charge_id != order.charge_id:  # taken twice: settlement has sent it back, and does so again
            key = f"{failure.charge_id}/settlement/{failure.place}"
            await self.patiently(Refund(key, order.id, failure.charge_id, failure.amount))
            return True
        if failure.key != self.refund_key(order):
            return True  # the order has begun another refund since
        if order.state is not State.REFUNDED:
            # Whoever gives the money back will ask how the refund stands. But it may also hear the key's old answer,
            # and believe it; so wait until the order has gone one way or the other.
            return False
        reopened = self.move(order, State.REFUND_PENDING, refund_id="", refund_generation=order.refund_generation + 1)
        return isinstance(await self.patiently(WriteOrder(reopened)), Written)
