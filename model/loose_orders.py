"""The orders in a store that does not compare before it sets: whoever writes last is right.

It is asked what the Order Cache is asked, and answers as if nobody else were there: no write is ever refused. What
another member wrote is seen when word of it comes, and may be older than what it replaces.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from orderquake.model.flow import Instant
from orderquake.model.in_kv import InKv
from orderquake.model.kv import Kv, One
from orderquake.model.order import Order
from orderquake.model.order_cache import (
    AlreadyRegistered,
    OrderCache,
    ReadOrder,
    ReadOrders,
    Register,
    Registered,
    WriteOrder,
    WriteOrders,
    Written,
)

ROW, CURSOR = "order/", "cursor/"


class LooseOrders(InKv, OrderCache):
    """All order rows, each under a key of its own; the lists are what this member knows of."""

    writes = frozenset({Register.verb, WriteOrder.verb, WriteOrders.verb})

    def __init__(self, kv: Kv | None = None) -> None:
        OrderCache.__init__(self)
        InKv.__init__(self, One() if kv is None else kv, {})

    def over(self, kv: Kv) -> LooseOrders:
        return LooseOrders(kv)

    def keys(self, ask: Any) -> tuple[str, ...] | None:
        match ask:
            case Register(order) | WriteOrder(order):
                return (ROW + order.id,)
            case ReadOrder(order_id):
                return (ROW + order_id,)
            case ReadOrders(order_ids):
                return tuple(ROW + order_id for order_id in order_ids)
            case WriteOrders(orders):
                return tuple(ROW + order.id for order in orders)
        return None

    def answer(self, ask: Any, now_us: int) -> Any:
        answer = OrderCache.handle(self, ask, now_us)
        for name, reached in self.cursors.items():
            if self.kv.get(CURSOR + name) != reached:
                self.kv.put(CURSOR + name, reached, now_us)
        return answer

    def register(self, order: Order, now_us: int) -> Registered | AlreadyRegistered:
        answer = super().register(order, now_us)
        if isinstance(answer, Registered):
            self.kv.put(ROW + order.id, self.rows[order.id], now_us)
        return answer

    def write(self, order: Order, now_us: int) -> Written:
        """Whatever was there is overwritten."""
        old = self.rows.get(order.id)
        written = super().write(order if old is None else order._replace(version=old.version), now_us)
        if not isinstance(written, Written):  # nobody here has heard of it yet
            self.rows[order.id] = order._replace(registered_at=Instant(now_us))
            self.list_again(order, now_us)
            written = Written(self.rows[order.id])
        self.kv.put(ROW + order.id, written.order, now_us)
        return written

    def changed(self, key: str, value: Any, now_us: int) -> None:
        if key.startswith(CURSOR):
            name = key.removeprefix(CURSOR)
            self.cursors[name] = max(self.cursors.get(name, 0), value or 0)
        elif value is None:
            order_id = key.removeprefix(ROW)
            self.rows.pop(order_id, None)
            for queue in (self.open, self.unposted, self.unsynced):
                queue.entries.pop(order_id, None)
        elif self.rows.get(value.id) != value:
            self.rows[value.id] = value
            self.list_again(value, now_us)

    def snapshot(self) -> Hashable:
        return InKv.snapshot(self), OrderCache.snapshot(self)

    def restore(self, snapshot: Any) -> None:
        kept, orders = snapshot
        InKv.restore(self, kept)
        OrderCache.restore(self, orders)
