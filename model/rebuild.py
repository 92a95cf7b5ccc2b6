"""Rebuild: what to do when the Stock Cache has lost its memory. Absent means not ready, never zero.

Told for any design whose stock has one owner and whose orders lie in an Order Cache.
"""

from __future__ import annotations

from typing import Any

from orderquake.model.architecture import Architecture
from orderquake.model.commitments import epoch_of
from orderquake.model.order import Order, State
from orderquake.model.order_cache import POSTED, ListUnsynced, ReadCursor, WriteOrders, Written
from orderquake.model.record import ReadChanges
from orderquake.model.stock import Adopt, AskStatus, NotReady, OpenAgain, Refresh, Unreconciled

PINNED_STATES = (State.FULFILLED, State.CAPTURING)
"""Orders in these states hold a pin, and nobody may take it from them."""


class Rebuild(Architecture):
    """The job that looks whether the owner is ready, and makes it so."""

    async def rebuild(self, _after: int = 0) -> int | None:
        """Fence every order that holds a token, pin again what is fulfilled, then read the record, then open.

        The order matters: an order that is posted after it was adopted is dropped by the snapshot that contains it; one
        that was synced before it could be adopted is in every snapshot that reaches as far as posted orders do. A copy
        of the record that lags behind may not reach so far yet: then the shelves stay closed until it does.
        """
        status = await self.patiently(AskStatus())
        if status.is_open:
            return None
        page_after: int | None = 0
        while page_after is not None:
            page = await self.patiently(ListUnsynced(page_after, self.policy.batch_of("rebuild")))
            if not await self.fence(page.orders, status.epoch):
                return None  # somebody moved an order meanwhile: the next tick starts over
            pinned = tuple(
                (order.id, order.token, order.lines) for order in page.orders if order.state in PINNED_STATES
            )
            if isinstance(await self.patiently(Adopt(status.epoch, pinned)), NotReady):
                return None
            page_after = page.following
        posted_upto, read_upto = await self.patiently(ReadCursor(POSTED)), 0
        changes_after: int | None = 0
        while changes_after is not None:
            changed = await self.patiently(ReadChanges(0, changes_after, self.policy.batch_of("rebuild")))
            if isinstance(await self.patiently(Refresh(status.epoch, changed)), NotReady | Unreconciled):
                return None
            read_upto = changed.upto
            changes_after = changed.upto if changed.more else None
        if read_upto < posted_upto:
            return None
        await self.patiently(OpenAgain(status.epoch))
        return None

    async def fence(self, orders: tuple[Order, ...], epoch: int) -> bool:
        """Take every token of an earlier epoch out of the unfinished orders, so that nobody fulfils on the strength of
        it. A token of this epoch was granted after somebody else had opened, while we slept: it is none of ours."""
        fenced = tuple(
            self.move(order, State.AUTHORISED if order.auth_id else State.PAID, token="")
            if order.state is State.RESERVED
            else order._replace(token="")
            for order in orders
            if order.token and not order.is_final and order.state not in PINNED_STATES
            if epoch_of(order.token) < epoch
        )
        answers: tuple[Any, ...] = await self.patiently(WriteOrders(fenced)) if fenced else ()
        return all(isinstance(answer, Written) for answer in answers)
