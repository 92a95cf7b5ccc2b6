"""Memories that have gone wrong: stores that forget, come back older, or answer from a copy that is behind.

Made of what a store has remembered at some moment, whatever store it is. Only who evicts single keys must know where a
store keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from orderquake.model.flow import NEVER, Store
from orderquake.model.in_kv import InKv
from orderquake.model.record import Changed
from orderquake.sim.nemesis import services as described
from orderquake.sim.nemesis.steps import READS
from orderquake.sim.world.faults.injected import Injected, Site
from orderquake.sim.world.wire import Sending


class Wiped(Injected):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.replica = site.replica
        self.replica.is_open = False

    def begin(self, _: Any = None) -> None:
        super().begin()
        self.struck()
        store: Any = self.replica.store
        store.lose_everything()
        self.recorder.acted(self.kernel.now, store.journal, self.label, "stock", self.replica.place)
        store.journal.clear()


class WipedSilently(Wiped):
    def begin(self, _: Any = None) -> None:
        Injected.begin(self)
        self.struck()
        store: Any = self.replica.store
        if isinstance(store, InKv):  # nobody there would tell
            store.lose_everything()
            return
        epoch, is_open = store.epoch, store.is_open
        store.lose_everything()
        store.journal.clear()
        store.epoch, store.is_open = epoch, is_open


class LosesUnflushed(Injected):
    """Restarts with what it remembered a moment before."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.replica = site.replica
        self.replica.is_open = False
        self.kept: Any = None
        self.kernel.after(max(0, self.kept_at_us()), self.keep)

    def kept_at_us(self) -> int:
        """Up to when its writes are kept."""
        moment_us: int = self.fault.at - self.fault.last
        return moment_us

    def keep(self, _: Any = None) -> None:
        self.kept = self.replica.store.snapshot()

    def begin(self, _: Any = None) -> None:
        super().begin()
        self.replica.go_down()
        self.come_back_older()

    def come_back_older(self) -> None:
        store = self.replica.store
        if store.snapshot() != self.kept:
            self.struck()
        store.restore(self.kept)
        self.replica.come_back()


class FailingOver(LosesUnflushed):
    def kept_at_us(self) -> int:
        moment_us: int = self.fault.since - self.fault.behind
        return moment_us

    def begin(self, _: Any = None) -> None:
        Injected.begin(self)
        self.replica.go_down()

    def end(self, _: Any = None) -> None:
        if self.is_on:
            self.come_back_older()
        super().end()


class SplitBrain(Injected):
    """A second owner of the stock, with a memory of its own."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.replica = site.replica
        self.other: Store | None = None
        self.stand_before(self.replica)

    def begin(self, _: Any = None) -> None:
        super().begin()
        self.other = deepcopy(self.replica.store)

    def end(self, _: Any = None) -> None:
        super().end()
        self.other = None

    def answers(self, sending: Sending) -> Any:
        ask, number = sending.ask, sending.task.number
        if self.other is None or ask.verb not in OF_ORDERS or self.draw("owner", number, 0) >= self.fault.share:
            return None
        answer = self.other.handle(ask, self.replica.clock_us())
        self.replica.tell_in_true_time(self.other.journal)
        self.replica.record(self.kernel.now, self.other.journal, sending.row)
        self.struck(sending)
        return answer


OF_ORDERS = frozenset({"reserve", "consume", "release", "extend"})
"""What is asked of the stock for a single order."""


class StaleReads(Injected):
    """A copy that hears every write so much later, and answers as it would have answered then."""

    # Simplified: the copy does not hear of faults that change the store itself; matters when two of them meet.
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.replica = site.replica
        self.behind_us: int = site.fault.behind
        self.copy: Store | None = None
        self.stand_before(self.replica)
        self.kernel.after(max(0, site.fault.since - self.behind_us), self.begin_to_copy)

    def begin_to_copy(self, _: Any = None) -> None:
        self.copy = deepcopy(self.replica.store)
        self.replica.followers.append(self.hear)

    def hear(self, ask: Any, now_us: int) -> None:
        if ask.verb not in READS:
            self.kernel.after(self.behind_us, self.follow, (ask, now_us))

    def follow(self, heard: tuple[Any, int]) -> None:
        if self.copy is not None:
            self.copy.handle(*heard)
            self.copy.journal.clear()

    def end(self, _: Any = None) -> None:
        super().end()
        self.copy = None
        self.replica.followers.remove(self.hear)

    def answers(self, sending: Sending) -> Any:
        ask, now = sending.ask, self.kernel.now
        if not self.is_on or self.copy is None or ask.verb not in READS:
            return None
        if self.draw(ask.verb, sending.task.number, sending.visit) >= self.fault.share:
            return None
        old = self.copy.handle(ask, max(0, now - self.behind_us))
        if timeless(old) != timeless(self.replica.store.handle(ask, now)):
            self.struck(sending)
        return old


def timeless(answer: Any) -> Any:
    """An answer without the moment at which it was given."""
    return answer._replace(as_of=NEVER) if isinstance(answer, Changed) else answer


class EvictsKey(Injected):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.replica = site.replica
        self.replica.is_open = False

    def begin(self, _: Any = None) -> None:
        super().begin()
        keys_of, evict = KEYS[self.fault.target]
        store = self.replica.store
        for number in range(self.fault.keys):
            if keys := keys_of(store):
                evict(store, keys[int(self.draw("key", number, 0) * len(keys))])
                self.struck()


def evict_order(orders: Any, order_id: str) -> None:
    del orders.rows[order_id]
    for queue in (orders.open, orders.unposted, orders.unsynced):
        queue.entries.pop(order_id, None)


def evict_reservation(stock: Any, token: str) -> None:
    held = stock.by_token[token]
    for sku in tuple(held.lines):
        stock.forget(held, sku)


def evict_from_line(queue: Any, order_id: str) -> None:
    del queue.deliveries[order_id]
    queue.leases.pop(order_id, None)
    if order_id in queue.waiting:
        queue.waiting.remove(order_id)


KEYS: Mapping[str, tuple[Callable[[Any], list[str]], Callable[[Any, str], None]]] = {
    "order_cache": (lambda orders: list(orders.unsynced.entries), evict_order),
    "stock": (lambda stock: list(stock.by_token), evict_reservation),
    "queue": (lambda queue: list(queue.deliveries), evict_from_line),
}
"""Store -> which of its keys may vanish (of orders, those that are not done with), and how one does."""

INJECTORS: dict[type, Callable[[Site], Injected]] = {
    described.Wiped: Wiped,
    described.WipedSilently: WipedSilently,
    described.LosesUnflushed: LosesUnflushed,
    described.FailingOver: FailingOver,
    described.SplitBrain: SplitBrain,
    described.StaleReads: StaleReads,
    described.EvictsKey: EvictsKey,
}
