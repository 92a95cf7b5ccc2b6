"""One protocol, told once, and four who perform it: a plain loop, the timed world, the exhaustive search, and asyncio.

They perform the same flows over the same stores. Where nothing goes wrong and orders come one after the other, they ask
the same, hear the same, and leave the same books.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.flow import NEVER, Flow, Send, Store, Within
from orderquake.model.order import Order
from orderquake.model.order_cache import Register
from orderquake.model.record import Changed
from orderquake.sim.explore.exhaustive import Exhaustive
from orderquake.sim.plain import perform, tick, work_off
from orderquake.sim.run import policy_of
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.world import World
from tests.model.shop import Books, Shop, order

TRACE = """placed_at,number,kind,sku,units,amount_pence
2011-11-14T00:01,1,sale,mug,1,100
2011-11-14T00:02,2,sale,mug,1,100
2011-11-14T00:02,2,sale,bowl,1,200
2011-11-14T00:03,3,sale,bowl,1,200
"""
"""Three customers, of whom the second wants a mug that the first has got."""
OPENING = {"bowl": 1, "mug": 1}
NEVER_MIND = {"every": "1000 h"}
DAY = {
    "schema_version": 1,
    "question": "Do all who perform the same flows do the same?",
    "horizon": "10 min",
    "stock": {"cover": 0.5},
    "service": {"payment": {"declines": 0.0}},
    "jobs": {"outbound": {"every": "11 min"}, "inbound": {"every": "12 min"}}
    | dict.fromkeys(("recovery", "settlement", "rebuild"), NEVER_MIND),
}


class Told(NamedTuple):
    """What a performer made of the day: every ask of the order's steps and of the jobs, its answer, and the books."""

    asks: list[Any]
    books: Books


def without_moments(value: Any) -> Any:
    """The performers have clocks of their own: what stores have stamped is left out."""
    if isinstance(value, Order):
        return ("Order", *value._replace(registered_at=NEVER, charge_sent_at=NEVER, refund_sent_at=NEVER))
    if isinstance(value, Changed):
        return without_moments(("Changed", *value._replace(as_of=NEVER)))
    if isinstance(value, tuple):
        return (type(value).__name__, *map(without_moments, value))
    if is_dataclass(value):
        return (type(value).__name__, *(without_moments(getattr(value, each.name)) for each in fields(value)))
    return value


class Ear:
    """Hears what is asked of stores. The queue is left out: who hands out the orders is each performer's own affair."""

    def __init__(self, stores: Mapping[str, Store]) -> None:
        self.stores = stores
        self.orders: list[Order] = []
        self.asks: list[Any] = []
        for name, store in stores.items():
            if name != "queue":
                setattr(store, "handle", self.over(store.handle))  # noqa: B010

    def over(self, handle: Callable[[Any, int], Any]) -> Callable[[Any, int], Any]:
        def handled(ask: Any, now_us: int) -> Any:
            answer = handle(ask, now_us)
            if isinstance(ask, Register):
                self.orders.append(ask.order)
            else:
                self.hear(ask, answer)
            return answer

        return handled

    def hear(self, ask: Any, answer: Any) -> None:
        self.asks.append((without_moments(ask), without_moments(answer)))

    def told(self) -> Told:
        shop = Shop()
        shop.stores = dict(self.stores)
        return Told(self.asks, shop.books())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Ear]:
    """The day in the timed world; the others perform the orders that came there."""
    folder: Path = tmp_path_factory.mktemp("day")
    (folder / "day.csv").write_text(TRACE, encoding="utf-8")
    workload = {"kind": "trace", "name": "day.csv", "returns": False}
    scenario = Scenario.model_validate(DAY | {"workload": workload}, context={"folder": str(folder)})
    world = World(scenario, HotCold(policy_of(scenario)), seed=1)
    assert dict(world.demand.opening) == OPENING
    ear = Ear(world.stores)
    world.run()
    return world, ear


@pytest.fixture
def timed(world: tuple[World, Ear]) -> Told:
    return world[1].told()


@pytest.fixture
def design(world: tuple[World, Ear]) -> HotCold:
    return HotCold(policy_of(world[0].scenario))


@pytest.fixture
def orders(world: tuple[World, Ear]) -> list[Order]:
    return world[1].orders


async def drive(flow: Flow[Any], stores: Mapping[str, Store]) -> Any:
    """asyncio, in ten lines: a flow is performed between other people's turns."""
    answer: Any = None
    while True:
        try:
            effect = flow.send(answer)
        except StopIteration as stop:
            return stop.value
        await asyncio.sleep(0)
        match effect:
            case Send(ask):
                answer = stores[ask.service].handle(ask, 0)
            case _:
                answer = isinstance(effect, Within)


async def carried_through(design: HotCold, stores: Mapping[str, Store], one: Order) -> None:
    await drive(design.register(one), stores)
    while await drive(design.advance(one.id), stores):
        pass


def test_the_day_has_one_of_each(timed: Told, orders: list[Order]) -> None:
    assert [timed.books.states[one.id] for one in orders] == ["fulfilled", "refunded", "fulfilled"]
    assert (timed.books.on_hand, timed.books.promised) == ({"bowl": 0, "mug": 0}, {"bowl": 0, "mug": 0})
    assert list(timed.books.net.values()) == [100, 0, 200]
    assert len(timed.asks) > 40


def test_a_plain_loop_does_the_same_as_the_timed_world(timed: Told, design: HotCold, orders: list[Order]) -> None:
    ear = Ear(stores := design.stores(OPENING))
    for one in orders:
        perform(design.register(one), stores)
        work_off(design, stores)
    tick(design, stores, "post")
    tick(design, stores, "refresh")
    assert ear.told() == timed


def test_asyncio_does_the_same_as_the_timed_world(timed: Told, design: HotCold, orders: list[Order]) -> None:
    ear = Ear(stores := design.stores(OPENING))

    async def day() -> None:
        for one in orders:
            await carried_through(design, stores, one)
        for job in ("post", "refresh"):
            assert await drive(design.start(job, ()), stores) is None

    asyncio.run(day())
    assert ear.told() == timed


def test_one_path_of_the_exhaustive_search_is_what_the_timed_world_did(
    timed: Told, design: HotCold, orders: list[Order]
) -> None:
    """The path on which whoever comes first goes on until done."""
    explorer = Exhaustive(design, orders, OPENING, [], {"post": 1, "refresh": 1}, "{}")
    ear = Ear({})
    state: Any = (
        tuple(store.snapshot() for store in explorer.stores.values()),
        explorer.first,
        explorer.judge.snapshot(),
    )
    while moves := list(explorer.moves(state)):
        state, step = moves[0]
        ear.hear(step.ask, step.answer)
    for store, snapshot in zip(explorer.stores.values(), state[0], strict=True):
        store.restore(snapshot)
    ear.stores = explorer.stores
    assert ear.told() == timed


def test_asyncio_interleaves_and_the_last_unit_is_still_sold_once(design: HotCold) -> None:
    shop = Shop(mug=1)

    async def rush() -> None:
        rushing = [order(name, mug=1) for name in ("ann", "bob", "cat", "dot", "eve")]
        await asyncio.gather(*(carried_through(design, shop.stores, each) for each in rushing))

    asyncio.run(rush())
    shop.close()
    assert sorted(shop.books().states.values()) == ["fulfilled"] + ["refunded"] * 4
    assert sorted(shop.books().net.values()) == [0, 0, 0, 0, 100]
