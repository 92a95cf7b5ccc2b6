"""How does the record hear of an order? Frozen, posted under one key that is never forgotten, then marked. Five that
tell it otherwise."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Literal

from orderquake.model.mutants.other_stores import OnOtherStores
from orderquake.model.order import Order, State, Sync
from orderquake.model.order_cache import ListUnposted, OrderCache, WriteOrders
from orderquake.model.policy import SECOND
from orderquake.model.record import Booking, Post, Posted, Rejected, SystemOfRecord

DEDUP_US = 20 * SECOND


class PruningRecord(SystemOfRecord):
    """Remembers a key for a while, counted from its first use."""

    def __init__(self, opening: Mapping[str, int], below_zero: Literal["backorder", "reject"] = "backorder") -> None:
        super().__init__(opening, below_zero)
        self.first_us: dict[str, int] = {}

    def handle(self, ask: Any, now_us: int) -> Any:
        if isinstance(ask, Post):
            for booking in ask.bookings:
                if now_us - self.first_us.setdefault(booking.key, now_us) >= DEDUP_US:
                    self.first_us[booking.key] = now_us
                    self.book.pop(booking.key, None)
        return super().handle(ask, now_us)

    def snapshot(self) -> Hashable:
        return super().snapshot(), tuple(self.first_us.items())

    def restore(self, snapshot: Any) -> None:
        record, first_us = snapshot
        super().restore(record)
        self.first_us = dict(first_us)


class PrunesDedup(OnOtherStores):
    """Breaks: the record knows a key for ever. A cleaner that is too eager lets a post that was sent again be booked
    again. Seen in FoundationDB's AutomaticIdempotency, whose cleaner must outlive the longest retry. Caught by
    `posted_once` in `busy_refreshes`."""

    name = "prunes_dedup"
    record_of = PruningRecord


class CallsItPostedFirst(OnOtherStores):
    """Breaks: an order is posted when the record has said so. Seen in YotpoLtd/magento2-module-yotpo-reviews#185,
    mailchimp/mc-magento2#578. Caught by `posted_once` in `busy_refreshes`."""

    name = "calls_it_posted_first"

    async def post(self, after: int = 0) -> int | None:
        page = await self.patiently(ListUnposted(after, self.policy.batch_of("outbound")))
        frozen = await self.freeze(page.orders)
        if frozen:
            await self.patiently(WriteOrders(tuple(order._replace(sync=Sync.POSTED) for order in frozen)))
            answers = await self.patiently(Post(tuple(self.booking(order) for order in frozen)))
            await self.tell_owner(tuple(answer for answer in answers if isinstance(answer, Posted)))
        return page.following


class StopsAtARefusal(OnOtherStores):
    """Breaks: what is refused does not stop the others. Seen in frappe/ecommerce_integrations#338. Caught by
    `posted_once` in `refused_posts`."""

    name = "stops_at_a_refusal"

    async def post(self, after: int = 0) -> int | None:
        page = await self.patiently(ListUnposted(after, self.policy.batch_of("outbound")))
        for order in await self.freeze(page.orders):
            (answer,) = await self.patiently(Post((self.booking(order),)))
            if isinstance(answer, Rejected) or not await self.tell_owner((answer,)):
                return None
            await self.patiently(WriteOrders((self.synced(order, answer),)))
        return page.following


class HastyOrders(OrderCache):
    def list_again(self, order: Order, now_us: int) -> None:
        super().list_again(order, now_us)
        if order.state is State.RESERVED and order.id not in self.unposted.entries:
            self.unposted.put_last(order.id, now_us)


class ExportsTheUnfinished(OnOtherStores):
    """Breaks: only what has ended is posted. Seen in JacksonRiver/springboard_modules#1012. Caught by
    `legal_transitions` in `short_holds`."""

    name = "exports_the_unfinished"
    orders_of = HastyOrders


class BooksRefundsAsSales(OnOtherStores):
    """Breaks: the record is told how an order ended. Seen in JacksonRiver/springboard_modules#1012, where one state is
    exported as another. Caught by `posted_once` in `scramble`."""

    name = "books_refunds_as_sales"

    def booking(self, order: Order) -> Booking:
        return super().booking(order)._replace(outcome="fulfilled")
