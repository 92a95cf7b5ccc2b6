"""The work queue: hands each waiting order to one worker at a time, for as long as a lease lasts.

A lease is politeness, not a lock: a worker that outlives its lease meets another one, and the Order Cache decides. What
was delivered too often is set aside as a dead letter until somebody puts it in line again.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Hashable
from typing import Any, NamedTuple

from orderquake.model.flow import Ask, Change, effect


class Enqueued(NamedTuple):
    """They are in line, now or before."""


class Leased(NamedTuple):
    order_id: str
    delivery: int


class Empty(NamedTuple):
    """Nobody waits."""


class Acked(NamedTuple):
    """The lease is handed back."""


@effect
class Enqueue(Ask[Enqueued]):
    """Put orders in line; those that wait or are being worked on already stay where they are."""

    service = "queue"
    verb = "enqueue"
    order_ids: tuple[str, ...]

    def about(self) -> tuple[str, str]:
        return (self.order_ids[0], "") if len(self.order_ids) == 1 else ("", "")


@effect
class Lease(Ask[Leased | Empty]):
    """Take the next order for `lease_us`; after `max_deliveries` it becomes a dead letter instead."""

    service = "queue"
    verb = "lease"
    lease_us: int
    max_deliveries: int


@effect
class Ack(Ask[Acked]):
    """The order rests: nothing is left to do for it now."""

    service = "queue"
    verb = "ack"
    order_id: str
    delivery: int

    def about(self) -> tuple[str, str]:
        return self.order_id, ""


class WorkQueue:
    """Orders in line, leases out, and dead letters."""

    def __init__(self) -> None:
        self.journal: list[Change] = []
        self.waiting: deque[str] = deque()
        self.deliveries: dict[str, int] = {}  # of every order waiting or leased
        self.leases: dict[str, int] = {}  # order id -> when its lease ends
        self.ends: list[tuple[int, str]] = []
        self.dead: dict[str, int] = {}

    def handle(self, ask: Any, now_us: int) -> Any:
        self.take_back(now_us)
        match ask:
            case Lease(lease_us, max_deliveries):
                return self.lease(now_us + lease_us, max_deliveries)
            case Enqueue(order_ids):
                for order_id in order_ids:
                    self.enqueue(order_id)
                return Enqueued()
            case Ack(order_id, delivery):
                if self.deliveries.get(order_id) == delivery and order_id in self.leases:
                    del self.leases[order_id], self.deliveries[order_id]
                return Acked()
        raise TypeError(f"the work queue does not know how to {type(ask).__name__}")

    def enqueue(self, order_id: str) -> None:
        if order_id not in self.deliveries:
            self.dead.pop(order_id, None)
            self.deliveries[order_id] = 0
            self.waiting.append(order_id)

    def lease(self, until_us: int, max_deliveries: int) -> Leased | Empty:
        while self.waiting:
            order_id = self.waiting.popleft()
            delivery = self.deliveries[order_id] + 1
            if delivery > max_deliveries:
                self.dead[order_id] = self.deliveries.pop(order_id)
                self.journal.append(Change("dead_letter", order=order_id, units=delivery - 1))
                continue
            self.deliveries[order_id] = delivery
            self.leases[order_id] = until_us
            heapq.heappush(self.ends, (until_us, order_id))
            return Leased(order_id, delivery)
        return Empty()

    def take_back(self, now_us: int) -> None:
        """Orders whose lease has run out are in line again."""
        while self.ends and self.ends[0][0] <= now_us:
            until_us, order_id = heapq.heappop(self.ends)
            if self.leases.get(order_id) == until_us:
                del self.leases[order_id]
                self.waiting.append(order_id)

    def has_work(self, now_us: int) -> bool:
        """Would a worker find something? For whoever wakes the workers."""
        self.take_back(now_us)
        return bool(self.waiting)

    def snapshot(self) -> Hashable:
        return (
            tuple(self.waiting),
            tuple(self.deliveries.items()),
            tuple(self.leases.items()),
            tuple(sorted(self.ends)),
            tuple(self.dead.items()),
        )

    def restore(self, snapshot: Any) -> None:
        waiting, deliveries, leases, ends, dead = snapshot
        self.waiting, self.ends = deque(waiting), list(ends)
        self.deliveries, self.leases, self.dead = dict(deliveries), dict(leases), dict(dead)
        self.journal.clear()
