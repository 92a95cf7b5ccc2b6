"""How does a reservation end? Lapsed, released or handed over; once, for good, by its own name. Nine that do not."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from orderquake.model.commitments import PINNED, Commitment
from orderquake.model.flow import Reply
from orderquake.model.mutants.other_stores import OnOtherStores
from orderquake.model.order import Line, Order, State
from orderquake.model.order_cache import Conflict, ListUnposted, WriteOrder, WriteOrders, Written
from orderquake.model.record import Post, Posted, Rejected
from orderquake.model.stock import Consume, Extended, Lapsed, Release, Released, StockCache


class LapsingPins(StockCache):
    def lapse(self, now_us: int) -> None:
        while self.deadlines and self.deadlines[0][0] <= now_us:
            _, token = heapq.heappop(self.deadlines)
            held = self.by_token.get(token)
            if held is not None and (held.until_us == PINNED or held.until_us <= now_us):
                self.free(held, "lapsed")


class PinsLapse(OnOtherStores):
    """Breaks: a consumed reservation has no deadline. Seen in saleor/saleor#15246: the hold runs out although the
    order went through. Caught by `never_oversold` in `short_holds`."""

    name = "pins_lapse"
    stock_of = LapsingPins


class Gone(NamedTuple):
    """A reservation that has lapsed, by somebody who does not forget it."""

    order_id: str
    lines: tuple[Line, ...]
    until_us: int


class RememberingStock(StockCache):
    """What has lapsed is still known, and may come back."""

    def __init__(self, opening: Mapping[str, int], safety_stock: int = 0, expires_on_look: bool = True) -> None:
        super().__init__(opening, safety_stock, expires_on_look)
        self.gone: dict[str, Gone] = {}

    def free(self, held: Commitment, why: str) -> None:
        if why == "lapsed":
            lines = tuple(Line(sku, units, 0) for sku, (_, units) in held.lines.items())
            self.gone[held.token] = Gone(held.order_id, lines, held.until_us)
        super().free(held, why)

    def revive(self, token: str, until_us: int) -> Commitment:
        order_id, lines, _ = self.gone.pop(token)
        heapq.heappush(self.deadlines, (until_us, token))
        return self.commit(token, order_id, lines, until_us)

    def snapshot(self) -> Hashable:
        return super().snapshot(), tuple(self.gone.items())

    def restore(self, snapshot: Any) -> None:
        stock, gone = snapshot
        super().restore(stock)
        self.gone = dict(gone)


class WallClockStock(RememberingStock):
    def handle(self, ask: Any, now_us: int) -> Any:
        self.clock_us = now_us  # whatever it says
        return super().handle(ask, now_us)

    def live(self, token: str, now_us: int) -> Commitment | None:
        if token in self.gone and now_us < self.gone[token].until_us:
            return self.revive(token, self.gone[token].until_us)
        return super().live(token, now_us)


class BelievesTheClock(OnOtherStores):
    """Breaks: an expiry that was seen is final, and the owner's clock is the largest it has shown. Seen in
    redis/redis-doc (EXPIRE: "even the clock of the computer must be stable"). Caught by `reservation_hygiene` in
    `clock_steps_back`."""

    name = "believes_the_clock"
    stock_of = WallClockStock


class ResurrectingStock(RememberingStock):
    def extend(self, token: str, until_us: int, now_us: int) -> Extended | Lapsed:
        if token in self.gone:
            self.revive(token, until_us)
        return super().extend(token, until_us, now_us)


class ResurrectsOnExtend(OnOtherStores):
    """Breaks: to extend never brings back what has lapsed. Seen in mollie/magento2#1083: a payment that comes late
    takes up a reservation that was let go. Caught by `reservation_hygiene` in `slow_money`."""

    name = "resurrects_on_extend"
    stock_of = ResurrectingStock


class ByOrderStock(StockCache):
    def handle(self, ask: Any, now_us: int) -> Any:
        if isinstance(ask, Consume):
            ask = Consume(self.token_of.get(ask.order_id, ""), ask.order_id)
        return super().handle(ask, now_us)


class ConsumesByOrder(OnOtherStores):
    """Breaks: consume names the token. By the order's name, a late copy of an old ask pins a newer reservation that
    nobody may want any more. Seen in MultiSafepay/magento2#28. Caught by `books_converge` in `late_copies`."""

    name = "consumes_by_order"
    stock_of = ByOrderStock


class NominalStock(StockCache):
    def release(self, token: str) -> Released:
        return Released()


class ReleasesInNameOnly(OnOtherStores):
    """Breaks: what is released is on sale again. Seen in microsoftarchive/cqrs-journey#274. Caught by `books_converge`
    in `short_holds`."""

    name = "releases_in_name_only"
    stock_of = NominalStock


class ForgetsTheToken(OnOtherStores):
    """Breaks: an order that is undone names its reservation until the owner has confirmed its end. Seen in
    PrestaShop/PrestaShop#23013, reactioncommerce/reaction#3678. Caught by `books_converge` in `short_holds`."""

    name = "forgets_the_token"

    def undo(self, order: Order) -> Order:
        return super().undo(order)._replace(token="")


class ReleasesAtTheCancel(OnOtherStores):
    """Breaks: a release follows the write that calls for it. Whoever cancels lets go of what a worker is just
    fulfilling. Seen in magento/inventory#2859. Caught by `never_oversold` in `late_copies`."""

    name = "releases_at_the_cancel"

    async def cancel(self, order_id: str) -> None:
        order = await self.read(order_id)
        if order is None or order.is_final:
            await Reply("too_late")
            return
        if order.token:
            await self.patiently(Release(order.token, order.id))
        match await self.patiently(WriteOrder(order._replace(cancel_asked=True))):
            case Written():
                await Reply("flagged")
            case Conflict():
                await self.cancel(order_id)


class FulfilsWhatIsPaid(OnOtherStores):
    """Breaks: whoever has paid still has to be asked whether the reservation lives. Seen in vendurehq/vendure#1355,
    mollie/magento2#1083. Caught by `never_oversold` in `slow_money`."""

    name = "fulfils_what_is_paid"

    async def consume(self, order: Order) -> Order:
        if order.state is State.PAID and not order.cancel_asked:
            return self.move(order, State.FULFILLED)
        return await super().consume(order)


class ReleasesDeadLetters(OnOtherStores):
    """Breaks: what the record refuses stays promised. Seen in pfpayments/woocommerce#10, where a failure lets go of
    goods that are on their way. Caught by `never_oversold` in `refused_posts`."""

    name = "releases_dead_letters"

    async def post(self, after: int = 0) -> int | None:
        page = await self.patiently(ListUnposted(after, self.policy.batch_of("outbound")))
        frozen = await self.freeze(page.orders)
        if frozen:
            answers = await self.patiently(Post(tuple(self.booking(order) for order in frozen)))
            if not await self.tell_owner(tuple(answer for answer in answers if isinstance(answer, Posted))):
                return None
            for order, answer in zip(frozen, answers, strict=True):
                if isinstance(answer, Rejected) and order.token:
                    await self.patiently(Release(order.token, order.id))
            synced = tuple(self.synced(order, answer) for order, answer in zip(frozen, answers, strict=True))
            await self.patiently(WriteOrders(synced))
        return page.following
