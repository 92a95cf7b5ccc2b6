"""A shop small enough to be watched: a design's stores, the plain loop, and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.flow import Ask, Store
from orderquake.model.notice import NoticeBoard
from orderquake.model.order import Line, Order
from orderquake.model.order_cache import OrderCache
from orderquake.model.payment import PaymentProvider
from orderquake.model.policy import MINUTE, Policy
from orderquake.model.record import SystemOfRecord
from orderquake.model.shelves import Shelves
from orderquake.model.spread import Spread
from orderquake.model.stock import StockCache
from orderquake.model.work_queue import WorkQueue
from orderquake.sim.plain import perform, tick, work_off

PRICE = 100


def lines(**units: int) -> tuple[Line, ...]:
    """One line a product, at a hundred pence apiece."""
    return tuple(Line(sku, wanted, wanted * PRICE) for sku, wanted in units.items())


def pages_of(most: int) -> dict[str, int]:
    """Batches that make every job go page by page."""
    return dict.fromkeys(("inbound", "outbound", "recovery", "settlement", "rebuild"), most)


def order(name: str, card: str = "good", **units: int) -> Order:
    """An order as a customer submits it."""
    wanted = lines(**(units or {"mug": 1}))
    return Order(name, wanted, sum(line.amount for line in wanted), card)


class Books(NamedTuple):
    """What an auditor would compare once all has come to rest.

    net    what the provider took of each order and did not give back, pence
    told   order -> what its customer was told, in order
    """

    states: Mapping[str, str]
    synced: Mapping[str, str]
    on_hand: Mapping[str, int]
    promised: Mapping[str, int]
    captures: Mapping[str, int]
    net: Mapping[str, int]
    told: Mapping[str, tuple[str, ...]]
    posts: tuple[str, ...]


class Shop:
    """A design's stores at one moment, which the test moves."""

    def __init__(self, *, policy: Policy | None = None, design: type[Architecture] = HotCold, **opening: int) -> None:
        self.design = design(policy or Policy())
        self.stores: dict[str, Store] = self.design.stores(opening)
        self.now_us = 0

    def store(self, kind: type[Any]) -> Any:
        return next(store for store in self.stores.values() if isinstance(store, kind))

    @property
    def orders(self) -> OrderCache:
        """Whoever keeps the orders' rows."""
        return self.design.order_rows(self.stores)  # type: ignore[no-any-return]

    @property
    def stock(self) -> StockCache:
        return self.store(StockCache)  # type: ignore[no-any-return]

    @property
    def owner(self) -> StockCache | Shelves | Spread:
        """Whoever says what may be sold."""
        return self.stores.get("stock", self.record)  # type: ignore[return-value]

    def atp(self, sku: str) -> int:
        """Units that may still be promised, wherever they are."""
        members: Any = self.owner.members if isinstance(self.owner, Spread) else [self.owner]
        return sum(member.atp(sku) for member in members)

    @property
    def payment(self) -> PaymentProvider:
        return self.store(PaymentProvider)  # type: ignore[no-any-return]

    @property
    def record(self) -> SystemOfRecord:
        return self.store(SystemOfRecord)  # type: ignore[no-any-return]

    @property
    def notices(self) -> NoticeBoard:
        return self.store(NoticeBoard)  # type: ignore[no-any-return]

    @property
    def queue(self) -> WorkQueue:
        return self.store(WorkQueue)  # type: ignore[no-any-return]

    def row(self, name: str) -> Order:
        return self.orders.rows[name]

    # -- what happens

    def wait(self, us: int) -> None:
        self.now_us += us

    def ask(self, ask: Ask[Any]) -> Any:
        return self.stores[ask.service].handle(ask, self.now_us)

    def submit(self, *orders: Order) -> None:
        for each in orders:
            perform(self.design.register(each), self.stores, self.now_us)

    def cancel(self, name: str) -> None:
        perform(self.design.cancel(name), self.stores, self.now_us)

    def step(self, name: str, steps: int = 1) -> bool:
        """So many steps of one order; is there more to do?"""
        more = True
        for _ in range(steps):
            more = perform(self.design.advance(name), self.stores, self.now_us)
        return more

    def work(self) -> None:
        work_off(self.design, self.stores, self.now_us)

    def tick(self, *flows: str) -> None:
        """Some of the design's jobs; what it has none for is not done."""
        known = {job.flow for job in self.design.jobs()}
        for flow in flows:
            if flow in known:
                tick(self.design, self.stores, flow, self.now_us)

    def recover(self) -> None:
        """Leases run out, recovery finds what is idle, workers do it."""
        self.wait(2 * MINUTE)
        self.tick("recover")
        self.work()

    def close(self) -> None:
        """The cold path until the books agree."""
        self.tick("post", "refresh", "settle")

    # -- what is left

    def rests(self) -> bool:
        return self.design.rests(self.stores, self.now_us)

    def captured(self, name: str) -> int:
        return sum(made.order_id == name for _, made in self.payment.captures)

    def net(self, name: str) -> int:
        taken = sum(made.amount for _, made in self.payment.captures if made.order_id == name)
        return taken - sum(
            made.amount for key, made in self.payment.refunds.items() if self.refunded_order(key) == name
        )

    def refunded_order(self, key: str) -> str:
        """Whose money went back under this key: the order's own, or that of the capture that settlement sends back."""
        mine, _, kind = key.partition("/")
        if kind != "settlement":
            return mine
        return next(made.order_id for _, made in self.payment.captures if made.charge_id == mine)

    def books(self) -> Books:
        names = list(self.orders.rows)
        return Books(
            {name: self.row(name).state.value for name in names},
            {name: self.row(name).sync.value for name in names},
            dict(self.record.on_hand),
            {sku: self.atp(sku) for sku in self.record.on_hand},
            {name: self.captured(name) for name in names},
            {name: self.net(name) for name in names},
            {name: tuple(what for who, what in self.notices.told if who == name) for name in names},
            tuple(sorted(self.record.book)),
        )
