"""A shop with one errand: customers of a scenario come to it, and each asks the product's services over the product's
wire. Kernel, streams, demand, wire, performer, services, stores and faults are the product's own; only the errand, which
awaits some of the product's asks, is the test's. What must not be in this file: a formula.
"""

from __future__ import annotations

import gc
import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
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

Values: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"

TIME, KIND, OPERATION, ORDER, SKU, UNITS, ANSWER, IS_NEW, DEADLINE, KEY = (
    Row._fields.index(name) - 1
    for name in ("time", "kind", "operation", "order", "sku", "units", "answer", "is_new", "deadline", "key")
)
"""Where the columns lie in a bare row of `History.raw`."""

AT_ONCE = {"kind": "constant", "value": "0 s"}
NEVER_TIRED = {"timeout": "400 days", "attempts": 1}


# -- the shop


def exponential(mean_s: float) -> dict[str, Any]:
    return {"kind": "exponential", "mean": seconds(mean_s)}


def seconds(value: float) -> str:
    """A duration as scenario files write it, to the microsecond."""
    return f"{round(value * SECOND)} us"


def lognormal(mean_s: float, cv: float) -> dict[str, Any]:
    return {"kind": "lognormal", "mean": seconds(mean_s), "cv": cv}


def gamma(mean_s: float, cv: float) -> dict[str, Any]:
    return {"kind": "gamma", "mean": seconds(mean_s), "cv": cv}


def constant(value_s: float) -> dict[str, Any]:
    return {"kind": "constant", "value": seconds(value_s)}


def shop(horizon_s: float, workload: Mapping[str, Any], **tables: Any) -> Scenario:
    """A scenario in one place where nothing takes time, nothing is limited and nobody is impatient, except for what the
    caller says in `service`, `policy`, `stock`, `jobs`, `fault`, `place`."""
    said: Mapping[str, Mapping[str, Any]] = tables.pop("service", {})
    names = ("order_cache", "stock", "payment", "record", "notice", "queue")
    service: dict[str, dict[str, Any]] = {name: {"latency": AT_ONCE, **said.get(name, {})} for name in names}
    service["payment"] = {"throttle": None, "account_throttle": None, "declines": 0.0, **service["payment"]}
    service["record"] = {"capacity": None, **service["record"]}
    policy = {"patience": {name: NEVER_TIRED for name in names}, **tables.pop("policy", {})}
    return Scenario.model_validate(
        {
            "schema_version": 1,
            "question": "Does the mechanism agree with what is known?",
            "horizon": seconds(horizon_s),
            "workload": {"price_pence": {"low": 100, "high": 100}, **workload},
            "place": [{"name": "here"}],
            "local_latency": AT_ONCE,
            "service": service,
            "policy": policy,
            **tables,
        }
    )


def poisson(rate_per_s: float, **more: Any) -> dict[str, Any]:
    return {"kind": "poisson", "rate_per_s": rate_per_s, "popularity": {"kind": "uniform"}, **more}


class Errand(HotCold):
    """What one customer's visit comes to; stores, patience and policy are those of the product's own design."""

    name = "errand"

    @abstractmethod
    async def run(self, order: Order, number: int) -> None:
        """Ask what has to be asked. `number` counts the customers."""


class Pays(Errand):
    """Pays, and that is all: the payment provider as a waiting line."""

    async def run(self, order: Order, number: int) -> None:
        await self.patiently(Charge(order.id, order.id, order.total, order.card))


# -- one play


@dataclass
class Play:
    """What one play left behind. arrivals are the customers who came, in order of time."""

    scenario: Scenario
    history: History
    stores: dict[str, Any]
    replicas: dict[str, Replica]
    front: Sender
    arrivals: list[Arrival]
    streams: Streams

    def rows(self, operation: str, kind: str = "state") -> list[tuple[Any, ...]]:
        return [row for row in self.history.raw() if row[OPERATION] == operation and row[KIND] == kind]

    def took_us(self, verb: str) -> Values:
        """From the first ask with that verb to its answer, for every customer who asked, microseconds; NaN without one."""
        ended = {row[ORDER]: row[TIME] for row in self.rows(verb, "ok")}
        begun: dict[str, int] = {}
        for row in self.rows(verb, "invoke"):
            begun.setdefault(row[ORDER], row[TIME])
        return np.array([ended.get(order, math.nan) - time for order, time in begun.items()])

    def service_us(self, verb: str) -> Values:
        """What each customer's first ask with that verb took at the service itself, microseconds: the stream of that name
        tells it again, since luck is found by name and number."""
        work = self.front.routes[verb].service
        if isinstance(work, Stream):
            return np.array([work.draw(arrival.number) for arrival in self.arrivals], dtype=np.float64)
        return np.full(len(self.arrivals), float(work))

    def after(self, warm_up_s: float) -> Any:
        """Which of the customers came after the warm-up, as a mask."""
        return np.array([arrival.at_us for arrival in self.arrivals]) >= warm_up_s * SECOND


def play(scenario: Scenario, errand: type[Errand], seed: int, *, then_s: float = 0.0) -> Play:
    """Let every customer of the scenario run the errand, wait until nobody is left under way, and then so much longer."""
    kernel, streams, history = Kernel(), Streams(seed), History()
    recorder = Recorder(history)
    demand = demand_of(scenario, streams)
    design = errand(policy_of(scenario))
    wire = Wire(scenario, kernel, streams, recorder)
    stores = design.stores(demand.opening)
    for name, store in stores.items():
        wire.replicas[name] = Replica(
            name, scenario.place_of(name), store, scenario.service[name], kernel, wire, recorder
        )
    performer = Performer(design, kernel, streams, wire)
    inject(scenario, kernel, streams, recorder, wire)
    front = Sender("customer", scenario.place[0].name, "")
    came: list[Arrival] = []
    gone = 0

    def come(arrival: Arrival) -> None:
        if (following := next(demand.arrivals, None)) is not None:
            kernel.after(following.at_us - kernel.now, come, following)
        came.append(arrival)
        order = Visit(arrival).order
        performer.start(Task(design.run(order, arrival.number), order.id, front, arrival.number, {}, go))

    def go(_task: Task, _how: str, _value: Any) -> None:
        nonlocal gone
        gone += 1

    if (first := next(demand.arrivals, None)) is not None:
        kernel.after(first.at_us, come, first)
    collects = gc.isenabled()
    gc.disable()
    kernel.run(scenario.horizon)
    while gone < len(came):
        kernel.run(kernel.now + scenario.horizon)
    kernel.run(kernel.now + round(then_s * SECOND))
    if collects:
        gc.enable()
    return Play(scenario, history, stores, wire.replicas, front, came, streams)
