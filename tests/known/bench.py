"""A shop with one errand: customers of a scenario come to it, and each asks the product's services over its wire.

Kernel, streams, demand, wire, performer, services, stores and faults are the product's own; only the errand, which
awaits some of the product's asks, is the test's. `run_whole` is the product's world as it stands. What must not be in
this file: a formula.
"""

from __future__ import annotations

import gc
import math
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.order import Order
from orderquake.model.payment import Charge
from orderquake.sim.history import History, Row
from orderquake.sim.recorder import Recorder
from orderquake.sim.run import policy_of
from orderquake.sim.scenario import Scenario
from orderquake.sim.units import SECOND
from orderquake.sim.world.customers import Visit
from orderquake.sim.world.faults import inject
from orderquake.sim.world.kernel import Kernel
from orderquake.sim.world.performer import Performer, Task
from orderquake.sim.world.service import Replica
from orderquake.sim.world.streams import Stream, Streams
from orderquake.sim.world.wire import Sender, Wire
from orderquake.sim.world.workload import Arrival, demand_of
from orderquake.sim.world.world import World

Values: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"

TIME, KIND, OPERATION, KEY, ORDER, SKU, UNITS, ANSWER, IS_NEW, TO_STATE, DEADLINE = (
    Row._fields.index(name) - 1
    for name in (
        "time",
        "kind",
        "operation",
        "key",
        "order",
        "sku",
        "units",
        "answer",
        "is_new",
        "to_state",
        "deadline",
    )
)
"""Where the columns lie in a bare row, one without its index."""


# -- the shop


def seconds(value: float) -> str:
    """A duration as scenario files write it, to the microsecond."""
    return f"{round(value * SECOND)} us"


def constant(value_s: float) -> dict[str, Any]:
    return {"kind": "constant", "value": seconds(value_s)}


def exponential(mean_s: float) -> dict[str, Any]:
    return {"kind": "exponential", "mean": seconds(mean_s)}


def gamma(mean_s: float, cv: float) -> dict[str, Any]:
    return {"kind": "gamma", "mean": seconds(mean_s), "cv": cv}


def lognormal(mean_s: float, cv: float) -> dict[str, Any]:
    return {"kind": "lognormal", "mean": seconds(mean_s), "cv": cv}


def poisson(rate_per_s: float, **more: Any) -> dict[str, Any]:
    return {"kind": "poisson", "rate_per_s": rate_per_s, "popularity": {"kind": "uniform"}, **more}


SERVICES = ("order_cache", "stock", "payment", "record", "notice", "queue")
AT_ONCE = constant(0.0)
UNTIRING = {"timeout": "400 days", "attempts": 1}


def shop(horizon_s: float, workload: Mapping[str, Any], **tables: Any) -> Scenario:
    """A scenario in one place where nothing takes time, nothing is limited and nobody is impatient, except for what the
    caller says in `service`, `policy` and the other tables of a scenario."""
    said: Mapping[str, Mapping[str, Any]] = tables.pop("service", {})
    service: dict[str, dict[str, Any]] = {name: {"latency": AT_ONCE, **said.get(name, {})} for name in SERVICES}
    service["payment"] = {"throttle": None, "account_throttle": None, "declines": 0.0, **service["payment"]}
    service["record"] = {"capacity": None, **service["record"]}
    return Scenario.model_validate(
        {
            "schema_version": 1,
            "question": "Does the mechanism agree with what is known?",
            "horizon": seconds(horizon_s),
            "workload": {"price_pence": {"low": 100, "high": 100}, **workload},
            "place": [{"name": "here", "workers": 200}],
            "local_latency": AT_ONCE,
            "service": service,
            "policy": {"patience": dict.fromkeys(SERVICES, UNTIRING), **tables.pop("policy", {})},
            **tables,
        }
    )


class Errand(HotCold):
    """What one customer's visit comes to; stores, patience and policy are those of the product's own design."""

    name = "errand"

    @abstractmethod
    async def run(self, order: Order, number: int) -> None:
        """Ask what has to be asked. `number` counts the customers from 0."""


class Pays(Errand):
    """Pays, and that is all: the payment provider as a waiting line."""

    async def run(self, order: Order, number: int) -> None:
        await self.patiently(Charge(order.id, order.id, order.total, order.card))


# -- one play


@dataclass
class Play:
    """What one play left behind. `orders` and `arrivals` are the customers who came, in order of time."""

    scenario: Scenario
    history: History
    replicas: dict[str, Replica]
    front: Sender
    arrivals: list[Arrival] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)

    def rows(self, operation: str, kind: str = "state") -> list[tuple[Any, ...]]:
        return rows(self.history, operation, kind)

    def took_us(self, verb: str) -> Values:
        """From the first ask with that verb to its answer, microseconds, for every customer who asked; NaN without."""
        table = self.history.table()
        asked, answered = table.at("invoke", verb), table.at("ok", verb)
        order, time = table.order, table.time
        if not len(asked):
            return np.empty(0)
        ended = np.full(int(max(order[asked].max(), order[answered].max(initial=0))) + 1, math.nan)
        ended[order[answered]] = time[answered]
        _, first = np.unique(order[asked], return_index=True)
        first = asked[np.sort(first)]
        took: Values = ended[order[first]] - time[first]
        return took

    def service_us(self, verb: str) -> Values:
        """What each customer's first ask with that verb took at the service itself, microseconds.

        Luck is found by name and number, so the stream of that name tells it again.
        """
        work = self.front.routes[verb].way.service
        if isinstance(work, Stream):
            return np.array([work.draw(arrival.number) for arrival in self.arrivals], dtype=np.float64)
        assert isinstance(work, int), "a service whose tempo changes tells nobody again how long it took"
        return np.full(len(self.arrivals), float(work))

    def came_after(self, warm_up_s: float) -> Any:
        """Which of the customers came after the warm-up, as a mask."""
        return np.array([arrival.at_us for arrival in self.arrivals]) >= warm_up_s * SECOND


def rows(history: History, operation: str, kind: str = "state") -> list[tuple[Any, ...]]:
    """The rows of one operation and kind, bare."""
    return [row[1:] for row in history.rows_at(history.table().at(kind, operation))]


class Corner:
    """A world with one errand, ready to be played.

    gone   customers whose errand is over
    """

    def __init__(self, scenario: Scenario, errand: type[Errand], streams: Streams) -> None:
        self.kernel, self.streams = Kernel(), streams
        history = History()
        recorder = Recorder(history)
        self.demand = demand_of(scenario, streams)
        self.design = errand(policy_of(scenario))
        self.wire = wire = Wire(scenario, self.kernel, streams, recorder)
        for name, store in self.design.stores(self.demand.opening).items():
            wire.replicas[name] = Replica(
                name, scenario.place_of(name), store, scenario.service[name], self.kernel, wire, recorder
            )
        self.performer = Performer(self.design, self.kernel, streams, wire)
        inject(scenario, self.kernel, streams, recorder, wire)
        for sku, units in self.demand.opening.items():
            history.state(0, "opening", kind="config", sku=sku, units=units, version=0)
        self.made = Play(scenario, history, wire.replicas, Sender("customer", scenario.place[0].name, ""))
        self.gone = 0
        if (first := next(self.demand.arrivals, None)) is not None:
            self.kernel.after(first.at_us, self.come, first)

    def come(self, arrival: Arrival) -> None:
        if (following := next(self.demand.arrivals, None)) is not None:
            self.kernel.after(following.at_us - self.kernel.now, self.come, following)
        order = Visit(arrival).order
        made = self.made
        made.arrivals.append(arrival)
        made.orders.append(order.id)
        flow = self.design.run(order, arrival.number)
        self.performer.start(Task(flow, order.id, made.front, arrival.number, {}, self.go))

    def go(self, _task: Task, _how: str, _value: Any) -> None:
        self.gone += 1

    def rekey(self, luck: object) -> None:
        """Another luck from now on."""
        self.streams.rekey(luck)
        for way in self.wire.ways.values():
            way.blocks.clear()

    def play(self, then_s: float = 0.0) -> Play:
        """Let every customer run the errand, wait until nobody is under way, and then so much longer."""
        kernel, made = self.kernel, self.made
        with without_collector():
            kernel.run(made.scenario.horizon)
            while self.gone < len(made.orders):
                kernel.run(kernel.now + made.scenario.horizon)
            kernel.run(kernel.now + round(then_s * SECOND))
            made.history.table()
        return made

    def take_apart(self) -> None:
        """As a world is when nobody needs it any more."""
        self.kernel.queue.clear()
        for part in (*self.wire.replicas.values(), self.performer, self.wire, self):
            vars(part).clear()


def play(scenario: Scenario, errand: type[Errand], seed: int, *, then_s: float = 0.0) -> Play:
    """One corner, played."""
    return Corner(scenario, errand, Streams(seed)).play(then_s)


def plays(scenario: Scenario, errand: type[Errand], seeds: Iterable[int]) -> Iterator[Play]:
    """One replication after the other; one is taken apart when the next is asked for. The collector stays away until
    all are gone: it would look at a whole replication each time that it comes back, and find nothing."""
    with without_collector():
        for seed in seeds:
            corner = Corner(scenario, errand, Streams(seed))
            yield corner.play()
            corner.take_apart()


def measured(made: Iterable[Play], *measures: Callable[[Play], Any]) -> list[list[Any]]:
    """Every measure of every play: a list a measure, with a value a play."""
    return [list(values) for values in zip(*([measure(each) for measure in measures] for each in made), strict=True)]


def run_whole(scenario: Scenario, seed: int, design: type[HotCold] = HotCold) -> History:
    """The whole product on a scenario, without judging it."""
    world = World(scenario, design(policy_of(scenario)), seed)
    with without_collector():
        world.run()
        history = world.history
        history.table()
        world.take_apart()
    return history


@contextmanager
def without_collector() -> Iterator[None]:
    """As `simulate` does it: rows form no cycles, and looking for some takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


# -- what is measured of holds


def held_units(
    made: Play, warm_up_s: float, about: float = 0.0, orders: Collection[str] | None = None
) -> tuple[float, float]:
    """Time averages over all but the warm-up: units held (by these orders), and their squared distance from `about`.

    A hold that nobody put back ends at its deadline, whenever that is noticed.
    """
    put_back = {row[KEY]: row[TIME] for row in made.rows("free") if row[ANSWER] == "released"}
    spans = [
        (row[TIME], put_back.get(row[KEY], row[DEADLINE]), row[UNITS])
        for row in made.rows("hold")
        if orders is None or row[ORDER] in orders
    ]
    begin, end, units = np.array(spans, dtype=np.float64).T
    since, until = warm_up_s * SECOND, float(made.scenario.horizon)
    moments = np.clip(np.concatenate((begin, end)), since, until)
    order = np.argsort(moments, kind="stable")
    level = np.cumsum(np.concatenate((units, -units))[order])
    lasted = np.diff(np.append(moments[order], until))
    return float(level @ lasted) / (until - since), float((level - about) ** 2 @ lasted) / (until - since)


def refused_share(made: Play, warm_up_s: float, place: str = "") -> float:
    """Share of those who came after the warm-up (from a place) and were told that nothing is left."""
    came = [
        order
        for order, arrival in zip(made.orders, made.arrivals, strict=True)
        if arrival.at_us >= warm_up_s * SECOND and place in ("", arrival.place)
    ]
    out = {row[ORDER] for row in made.rows("reserve", "ok") if row[ANSWER] == "sold_out"}
    return sum(order in out for order in came) / len(came)
