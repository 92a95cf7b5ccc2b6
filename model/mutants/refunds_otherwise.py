"""How does money go back? Once, whole, under a key of its own, and watched until it has arrived. Eight other ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from orderquake.model.flow import Flow, Reply
from orderquake.model.mutants.other_stores import OnOtherStores
from orderquake.model.order import Order, State
from orderquake.model.order_cache import Found, ListIdle, MoveCursor, ReadOrders, WriteOrder
from orderquake.model.payment import Capture, FailedRefund, Refund
from orderquake.model.work_queue import Enqueue

E = TypeVar("E", Capture, FailedRefund)


class KeepsOneRefundKey(OnOtherStores):
    """Breaks: the key of a refund that has failed never pays; the next one has its own. Seen in
    solidusio/solidus_stripe#265. Caught by `money_conserved` in `refunds_fail`."""

    name = "keeps_one_refund_key"

    def refund_key(self, order: Order) -> str:
        return f"{order.id}/refund"


class TakesPendingForFailed(OnOtherStores):
    """Breaks: a refund that is pending is a refund. Seen in own-pay/OwnPay#222. Caught by `money_conserved` in
    `scramble`."""

    name = "takes_pending_for_failed"

    async def give_back(self, order: Order) -> Order:
        after = await super().give_back(order)
        if after == order and order.refund_id:
            return order._replace(refund_id="", refund_generation=order.refund_generation + 1)
        return after


class WaitsForTheWebhook(OnOtherStores):
    """Breaks: whoever waits for a provider asks it now and then. A webhook may be lost. Seen in medusajs/medusa#16398,
    polarsource/polar#10728. Caught by `every_order_ends` in `refunds_fail`."""

    name = "waits_for_the_webhook"

    async def recover(self, after: int = 0) -> int | None:
        page = await self.patiently(ListIdle(self.policy.idle_us, after, self.policy.batch_of("recovery")))
        asked = tuple(order.id for order in page.orders if not order.refund_id)
        if asked:
            await self.patiently(Enqueue(asked))
        return page.following


class RefundsOnTheWebhookToo(OnOtherStores):
    """Breaks: what a webhook says is only a reason to look. Seen in woocommerce/woocommerce-gateway-stripe#838,
    coopcycle/coopcycle-web#4341. Caught by `money_conserved` in `refunds_fail`."""

    name = "refunds_on_the_webhook_too"

    async def hear(self, order_id: str) -> None:
        order = await self.read(order_id)
        if order is not None and order.state is State.REFUND_PENDING:
            await self.patiently(Refund(f"{order.id}/refund/webhook", order.id, order.charge_id, order.taken))
        await super().hear(order_id)


class RevivesOnAWebhook(OnOtherStores):
    """Breaks: what has ended stays so, whatever comes late. Seen in mollie/WooCommerce#1252. Caught by
    `legal_transitions` in `refunds_fail`."""

    name = "revives_on_a_webhook"

    async def hear(self, order_id: str) -> None:
        order = await self.read(order_id)
        if order is not None and order.state is State.REFUNDED:
            await self.patiently(WriteOrder(order._replace(state=State.PAID, refund_id="")))
        await super().hear(order_id)


class ForgetsToRefund(OnOtherStores):
    """Breaks: whoever paid for nothing is paid back. Seen in medusajs/medusa#311, saleor/saleor#9504,
    openfoodfoundation/openfoodnetwork#5300. Caught by `refunded_right` in `scramble`."""

    name = "forgets_to_refund"

    async def give_back(self, order: Order) -> Order:
        return await self.release(order) if order.token else self.move(order, State.REFUNDED)


class PassesOpenOrders(OnOtherStores):
    """Breaks: settlement never passes an order that is still open. Seen as a cursor that moves whatever became of an
    entry: estuary/connectors#5205. Caught by `money_conserved` in `refunds_fail`."""

    name = "passes_open_orders"

    async def follow(
        self, cursor: str, entries: tuple[E, ...], is_done: Callable[[E, Order], Flow[bool]]
    ) -> int | None:
        rows = await self.patiently(ReadOrders(tuple(entry.order_id for entry in entries)))
        for entry, row in zip(entries, rows, strict=True):
            if isinstance(row, Found):
                await is_done(entry, row.order)
        await self.patiently(MoveCursor(cursor, entries[-1].place if entries else 0))
        return None


class CancelsTheFulfilled(OnOtherStores):
    """Breaks: what is fulfilled can only be returned. Seen in KanishJebaMathewM/Truxify#3637, whose guard omits one
    state. Caught by `refunded_right` in `scramble`."""

    name = "cancels_the_fulfilled"

    async def cancel(self, order_id: str) -> None:
        order = await self.read(order_id)
        if order is None or order.state is not State.FULFILLED:
            await super().cancel(order_id)
            return
        undone = order._replace(state=State.REFUND_PENDING, refund_generation=order.refund_generation + 1)
        await self.patiently(WriteOrder(undone))
        await Reply("flagged")
        await self.patiently(Enqueue((order_id,)))
