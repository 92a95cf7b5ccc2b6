"""One run of one design through one scenario: everything built, started, and watched until it has come to rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from orderquake.model.architecture import Architecture, Job
from orderquake.model.flow import Store
from orderquake.model.spread import Member, Spread
from orderquake.model.verbs import EVERY_VERB, understood
from orderquake.sim.history import History
from orderquake.sim.kv import kv_of
from orderquake.sim.recorder import Recorder
from orderquake.sim.scenario import Scenario, Throttle
from orderquake.sim.units import SECOND
from orderquake.sim.world.boundaries import draw
from orderquake.sim.world.customers import Customers
from orderquake.sim.world.faults import inject
from orderquake.sim.world.gauges import Gauges
from orderquake.sim.world.kernel import Engine, Kernel
from orderquake.sim.world.members import replicas_of
from orderquake.sim.world.outside import Outside
from orderquake.sim.world.performer import Performer, Task
from orderquake.sim.world.provider import Provider
from orderquake.sim.world.streams import Streams
from orderquake.sim.world.tickers import Ticker
from orderquake.sim.world.wire import Sender, Wire
from orderquake.sim.world.workers import Workers
from orderquake.sim.world.workload import demand_of

AGAIN = 32
"""After so many draws, the luck of an order that rested meanwhile is the same again."""
DRAWN_FOR = ("jitter", *(verb for verbs in EVERY_VERB.values() for verb in verbs))
"""All that an order may draw for."""
REST_EVERY_US = 10 * SECOND
"""How often the quiet phase looks whether all has come to rest."""


class World:
    """The timed world. Build it, `run` it once, and read its `history`."""

    def __init__(
        self,
        scenario: Scenario,
        design: Architecture,
        seed: int,
        engine: Engine = "fast",
        luck: Streams | None = None,
    ) -> None:
        self.scenario = scenario
        self.design = design
        self.kernel = Kernel(engine)
        self.streams = Streams(seed) if luck is None else luck
        self.history = History()
        self.streams.watch(self.kernel, self.history)
        self.recorder = Recorder(self.history)
        self.demand = demand_of(scenario, self.streams)
        self.stores = design.stores(self.demand.opening)
        self.write_opening()
        self.wire = Wire(scenario, self.kernel, self.streams, self.recorder)
        self.kv = scenario.kv or kv_of(design.kv)
        for name, store in self.stores.items():
            members = replicas_of(self, name, store)
            for member in members:
                member.members = members
            self.wire.replicas[name] = members[0]
            if isinstance(store, Spread):
                store.members = [cast(Member, member.store) for member in members]
            else:
                self.stores[name] = members[0].store
        draw(self)
        self.performer = Performer(design, self.kernel, self.streams, self.wire)
        self.provider = Provider(self)
        self.faults = inject(scenario, self.kernel, self.streams, self.recorder, self.wire, self)
        self.numbers: dict[str, int] = {}  # AGAIN times the customer's number, and the most draws for any one thing
        self.visits: dict[str, dict[str, int]] = {}
        self.workers = Workers(self)
        self.tickers = [Ticker(self, job, scenario.jobs[job.name]) for job in design.jobs() if self.is_needed(job)]
        self.outside = Outside(self)
        self.gauges = Gauges(self)
        self.customers = Customers(self)

    def is_needed(self, job: Job) -> bool:
        """A sweep is for shops whose reservations do not expire on look."""
        return job.name != "sweep" or not self.design.policy.expires_on_look

    def arguments_of(self, name: str, place: str, store: Store) -> tuple[Any, ...]:
        """What a replica of a service is made from."""
        return name, place, store, self.scenario.service[name], self.kernel, self.wire, self.recorder

    # -- luck

    def expect(self, order_id: str, number: int) -> None:
        """A customer has come; the order's luck is found under the customer's number."""
        self.numbers[order_id] = number * AGAIN
        self.visits[order_id] = {}

    def luck_of(self, order_id: str) -> tuple[int, dict[str, int]]:
        """The customer's number, and how often the order has drawn for what."""
        number, base = divmod(self.numbers[order_id], AGAIN)
        visits = self.visits.get(order_id)
        if visits is None:
            visits = self.visits[order_id] = dict.fromkeys(DRAWN_FOR, base) if base else {}
        return number, visits

    def forget_luck_of(self, order_id: str) -> None:
        """The order rests: of how often it has drawn for each thing, only the largest is kept, from which all go on
        should somebody come back to it. Luck that started over would be the same each time: who once found an open
        order unlucky would find it so for ever."""
        visits = self.visits.pop(order_id, None)
        if visits:
            number = self.numbers[order_id] // AGAIN
            self.numbers[order_id] = number * AGAIN + max(visits.values()) % AGAIN

    def rekey(self, luck: object) -> None:
        """Another luck for everything that is drawn from now on; for whoever splits a run."""
        self.streams.rekey(luck)
        for way in self.wire.ways.values():
            way.blocks.clear()

    # -- what is written about the run itself

    def write_opening(self) -> None:
        for sku, units in self.demand.opening.items():
            self.history.state(0, "opening", kind="config", sku=sku, units=units, version=0, witness="outside")
        self.history.state(0, "limits", kind="config", answer=json.dumps(limits_of(self.scenario, self.stores)))

    def mark(self, what: str, sender: Sender, task: Task) -> None:
        """A named moment."""
        self.history.state(
            self.kernel.now,
            what,
            kind="mark",
            op_id=task.id,
            actor=sender.actor,
            place=sender.place,
            cause=task.cause,
        )

    # -- the run

    def run(self, progress: Callable[[float], None] | None = None) -> None:
        """Play the fault phase, then the quiet phase until all rests or its limit is reached."""
        horizon_us, limit_us = self.scenario.horizon, self.scenario.horizon + self.scenario.quiet_limit
        parts = 100 if progress is not None else 1
        for part in range(1, parts + 1):
            self.kernel.run(horizon_us * part // parts)
            if progress is not None:
                progress(part / parts)
        self.outside.close()
        self.history.state(horizon_us, "quiet", kind="config", deadline=limit_us)
        while self.kernel.now < limit_us:
            self.kernel.run(min(limit_us, self.kernel.now + REST_EVERY_US))
            if self.rests():
                break
        self.history.state(self.kernel.now, "end", kind="config", answer="complete")

    def take_apart(self) -> None:
        """Nobody needs this world any more. All in it know each other, so it would stay until Python's collector had
        looked at everything that any of them remembers. This way it is gone at once, and its memory is free again."""
        self.kernel.queue.clear()
        members = [member for replica in self.wire.replicas.values() for member in replica.members]
        for part in (*members, self.customers, self.workers, self.gauges, self.performer, self.wire, self):
            vars(part).clear()

    def rests(self) -> bool:
        """Nothing is left to do: for the design, for the queue, for any worker; and nobody sleeps who will go on."""
        return not (self.workers.busy or self.performer.frozen) and self.design.rests(self.stores, self.kernel.now)


def limits_of(scenario: Scenario, stores: Mapping[str, Store]) -> dict[str, Any]:
    """What a checker must know of a scenario and of whom a design asks for what, as the `limits` row tells it."""
    policy, services = scenario.policy, scenario.service
    verbs_of = understood(stores)
    return {
        "policy": policy.order,
        "pool": scenario.stock.pool,
        "ttl_us": policy.reservation_ttl,
        "decide_within_us": policy.decide_within,
        "send_horizon_us": policy.send_horizon,
        "lease_us": policy.lease,
        "key_retention_us": services.payment.key_retention,
        "safety_stock": scenario.stock.safety_stock,
        "below_zero": services.record.below_zero,
        "max_attempts": {
            verb: policy.patience[service].attempts for service, verbs in verbs_of.items() for verb in verbs
        },
        "queue_bounds": {
            name: service.queue_bound for name, service in services.items() if service.queue_bound is not None
        },
        "throttles": {name: shown(service.throttle) for name, service in services.items() if service.throttle},
        "account_throttles": {
            name: shown(service.account_throttle) for name, service in services.items() if service.account_throttle
        },
    }


def shown(throttle: Throttle) -> dict[str, float]:
    return {"per_s": throttle.per_s, "burst": throttle.burst}
