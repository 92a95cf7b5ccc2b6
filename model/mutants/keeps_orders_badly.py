"""Who keeps the order, its place in line, and its customer informed? Five that do it badly."""

from __future__ import annotations

from typing import Any

from orderquake.model.mutants.other_stores import OnOtherStores
from orderquake.model.notice import NoticeBoard, Notify
from orderquake.model.order import FINAL, Order
from orderquake.model.order_cache import AlreadyRegistered, Conflict, OrderCache, Registered, Written
from orderquake.model.work_queue import WorkQueue


class OverwritingOrders(OrderCache):
    def register(self, order: Order, now_us: int) -> Registered | AlreadyRegistered:
        self.rows.pop(order.id, None)
        return super().register(order, now_us)


class RegistersAnew(OnOtherStores):
    """Breaks: a submission is registered once, however often it is sent. Seen in magento/magento2#31000, #10767,
    woocommerce/woocommerce#62659. Caught by `legal_transitions` in `scramble`."""

    name = "registers_anew"
    orders_of = OverwritingOrders


class LastWriteWins(OrderCache):
    def write(self, order: Order, now_us: int) -> Written | Conflict:
        old = self.rows.get(order.id)
        return super().write(order if old is None else order._replace(version=old.version), now_us)


class WritesWithoutComparing(OnOtherStores):
    """Breaks: a row is changed only by whoever has seen its latest version. Seen in NEARBuilders/nearmerch.com#209,
    Adyen/adyen-shopware6#352. Caught by `legal_transitions` in `short_holds`."""

    name = "writes_without_comparing"
    orders_of = LastWriteWins


class BuryingQueue(WorkQueue):
    def enqueue(self, order_id: str) -> None:
        if order_id not in self.dead:
            super().enqueue(order_id)


class BuriesDeadLetters(OnOtherStores):
    """Breaks: a dead letter is not the end of an order. Seen in pfpayments/woocommerce#10, medusajs/medusa#16398: tried
    so often, then forgotten. Caught by `every_order_ends` in `bad_answers`."""

    name = "buries_dead_letters"
    queue_of = BuryingQueue


class TellsBeforeWriting(OnOtherStores):
    """Breaks: decide, then tell. Seen in Automattic/woocommerce-payments#3345, where the mail goes out with the page
    and the order goes another way. Caught by `notices_sent` in `short_holds`."""

    name = "tells_before_writing"

    async def step(self, order: Order) -> Order:
        decided = await super().step(order)
        if decided.state in FINAL and decided.state is not order.state:
            await self.patiently(Notify(decided.id, decided.state.value))
        return decided


class RepeatingBoard(NoticeBoard):
    def handle(self, ask: Any, now_us: int) -> Any:
        self.told.clear()
        return super().handle(ask, now_us)


class SendsEveryMail(OnOtherStores):
    """Breaks: an outcome is told once. Seen in mollie/WooCommerce#1063, razorpay/razorpay-magento#175. Caught by
    `notices_sent` in `short_holds`."""

    name = "sends_every_mail"
    notices_of = RepeatingBoard
