"""What can be said more simply of the shop itself: its places, shelves, services, policy, jobs, and its day's length.

A plain value is one that a reader passes over: no limit, no jitter, a constant, a round number. Demand and faults are
in `reductions.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from orderquake.sim.demand import Listed
from orderquake.sim.explore.hunt.changes import changed, constant, on_the_beat, rounder
from orderquake.sim.scenario import Scenario
from orderquake.sim.services import Service
from orderquake.sim.shop import Patiences, Place, Stock
from orderquake.sim.units import MINUTE, MS, SECOND, format_duration
from orderquake.sim.world.delays import Constant, Delay, delay

if TYPE_CHECKING:
    from orderquake.sim.explore.hunt.found import Case
    from orderquake.sim.explore.hunt.reductions import Reduction

PLAIN_POLICY: Mapping[str, Any] = {
    "order": "pay_first",
    "reservation_ttl": MINUTE,
    "extends": False,
    "expiry": "on_look",
    "decide_within": 2 * MINUTE,
    "send_horizon": MINUTE,
    "message_life": MINUTE,
    "worker_deadline": 15 * SECOND,
    "lease": 20 * SECOND,
    "idle": 2 * SECOND,
    "settle_after": 5 * SECOND,
    "max_deliveries": 8,
    "patience": Patiences.model_validate(
        {name: {"timeout": "5 s", "attempts": 3, "base": "50 ms", "cap": "200 ms"} for name in Patiences.names()}
    ),
}
"""What a reader of a small story need not think about."""
PLAIN_PAYMENT: Mapping[str, Any] = {
    "throttle": None, "account_throttle": None, "declines": 0.0, "errors": 0.0, "stored_errors": 0.0,
    "refund_failures": 0.0, "webhooks": None, "refund_cap": False, "refund_delay": constant(0),
    "key_retention": 4 * MINUTE,
}  # fmt: skip
LATENCY_US: Mapping[str, int] = {"payment": 500 * MS, "record": 100 * MS}
CALM_JOB = {"jitter": 0, "phase": 0, "skips": 0.0, "doubles": 0.0, "overlaps": True, "batch": 200}
EVERY_US = (10 * SECOND, 5 * SECOND, 2 * SECOND, SECOND)


def offered(name: str, case: Case, scenario: Scenario | None) -> Iterator[Reduction]:
    from orderquake.sim.explore.hunt.reductions import of_scenario

    return of_scenario(name, case, scenario)


def all_plain(case: Case) -> Iterator[Reduction]:
    """A great deal at once, in the hope that none of it matters."""
    scenario = case.scenario
    services = _with_services(scenario, lambda name, service: _plain_service(name, service))
    policy = scenario.policy.model_copy(update={**PLAIN_POLICY, "order": scenario.policy.order})
    jobs = _with_jobs(scenario, lambda job: _calm_job(job))
    slow = _with_jobs(scenario, lambda job: _calm_job(job, max(job.every, EVERY_US[0])))
    for name, update in (
        ("plain services and policy, slow jobs", {"service": services, "policy": policy, "jobs": slow}),
        ("plain services, policy and jobs", {"service": services, "policy": policy, "jobs": jobs}),
        ("plain services", {"service": services}),
        ("plain policy", {"policy": policy}),
        ("slow jobs", {"jobs": slow}),
        ("plain jobs", {"jobs": jobs}),
    ):
        yield from offered(name, case, changed(scenario, **update))


def frame(case: Case) -> Iterator[Reduction]:
    """The length of the day, and what is only watched."""
    scenario = case.scenario
    still = {"alert": (), "must_see": (), "must_exercise": (), "expect": {}, "gauge_every": 36_000 * SECOND}
    yield from offered("unwatched", case, changed(scenario, **still))
    for seconds in (4, 6, 8, 12, 16, 24):
        if seconds * SECOND < scenario.horizon:
            yield from offered(f"a day of {seconds} s", case, changed(scenario, horizon=seconds * SECOND))
    for us in on_the_beat(scenario.horizon):
        yield from offered(f"a day of {format_duration(us)}", case, changed(scenario, horizon=us))


def places(case: Case) -> Iterator[Reduction]:
    scenario = case.scenario
    one = Place(name=scenario.place[0].name, workers=scenario.place[0].workers)
    if len(scenario.place) > 1:
        services = _with_services(scenario, lambda _, service: service.model_copy(update={"place": None}))
        workload = scenario.workload
        if isinstance(workload, Listed):
            orders = tuple(order.model_copy(update={"place": None}) for order in workload.order)
            workload = workload.model_copy(update={"order": orders})
        update = {"place": (one,), "link": (), "service": services, "workload": workload}
        yield from offered("one place", case, changed(scenario, **update))
        return
    yield from offered("a plain place", case, changed(scenario, place=(one,)))
    for workers in (1, 2):
        if workers < one.workers:
            fewer = scenario.place[0].model_copy(update={"workers": workers})
            yield from offered(f"{workers} workers", case, changed(scenario, place=(fewer,)))
    for latency in _plainer_laws(scenario.local_latency, MS):
        yield from offered(f"legs of {latency}", case, changed(scenario, local_latency=latency))


def shelves(case: Case) -> Iterator[Reduction]:
    scenario = case.scenario
    stock = scenario.stock
    for name, value in (
        ("receipts", ()), ("corrections", ()), ("safety_stock", 0), ("foreign_sales", None), ("pool", "ring_fenced")
    ):  # fmt: skip
        if getattr(stock, name) != value:
            plainer = stock.model_copy(update={name: value})
            yield from offered(f"stock without {name}", case, changed(scenario, stock=plainer))
    for units in (0, 1, 2, stock.units_per_sku // 2, stock.units_per_sku - 1):
        if 0 <= units < stock.units_per_sku:
            fewer = stock.model_copy(update={"units_per_sku": units})
            yield from offered(f"{units} units", case, changed(scenario, stock=fewer))
    yield from offered("only products that are wanted", case, _only_wanted(scenario))


def _only_wanted(scenario: Scenario) -> Scenario | None:
    """Fewer products, under new names; the orders' own order of naming decides which is the first."""
    workload, stock = scenario.workload, scenario.stock
    if not isinstance(workload, Listed):
        return None
    used = dict.fromkeys(
        [sku for order in workload.order for sku in order.wants]
        + [receipt.sku for receipt in stock.receipts]
        + [correction.sku for correction in stock.corrections]
    )
    if len(used) >= stock.skus:
        return None
    renamed = dict(zip(used, Stock(skus=len(used)).sku_names(), strict=True))
    orders = tuple(
        order.model_copy(update={"wants": {renamed[sku]: units for sku, units in order.wants.items()}})
        for order in workload.order
    )
    events = {
        kind: tuple(event.model_copy(update={"sku": renamed[event.sku]}) for event in getattr(stock, kind))
        for kind in ("receipts", "corrections")
    }
    return changed(
        scenario,
        workload=workload.model_copy(update={"order": orders}),
        stock=stock.model_copy(update={"skus": len(used), **events}),
    )


def services(case: Case) -> Iterator[Reduction]:
    """Each service by itself: everything plain, then one thing after the other."""
    scenario = case.scenario
    for which in scenario.service.names():
        service = scenario.service[which]
        plain = _plain_service(which, service)
        differing = [name for name in type(service).model_fields if getattr(service, name) != getattr(plain, name)]
        updates: list[tuple[str, dict[str, Any]]] = [("plain", {n: getattr(plain, n) for n in differing})]
        if len(differing) > 1:
            updates += [(f"with plain {name}", {name: getattr(plain, name)}) for name in differing]
        for field in ("latency", "refund_delay", "refund_fails_after"):
            law = getattr(service, field, None)
            if law is not None and law != getattr(plain, field):
                updates += [(f"{field} {one}", {field: one}) for one in _plainer_laws(law, None)]
        for name, update in updates:
            if update:
                made = _with_services(scenario, lambda n, s, w=which, u=update: s.model_copy(update=u) if n == w else s)
                yield from offered(f"{which} {name}", case, changed(scenario, service=made))


def policy(case: Case) -> Iterator[Reduction]:
    scenario = case.scenario
    for name, value in PLAIN_POLICY.items():
        now = getattr(scenario.policy, name)
        if now != value:
            plainer = scenario.policy.model_copy(update={name: value})
            yield from offered(f"plain {name}", case, changed(scenario, policy=plainer))
            for us in rounder(now) if type(now) is int and now > 100 else ():
                plainer = scenario.policy.model_copy(update={name: us})
                yield from offered(f"{name} {format_duration(us)}", case, changed(scenario, policy=plainer))


def jobs(case: Case) -> Iterator[Reduction]:
    scenario = case.scenario
    for which in scenario.jobs.names():
        job = scenario.jobs[which]
        updates: list[dict[str, Any]] = [
            {name: value} for name, value in CALM_JOB.items() if getattr(job, name) != value
        ]
        updates += [{"every": us} for us in EVERY_US if us > job.every]
        updates += [{"every": us} for us in on_the_beat(job.every) if us]
        updates += [{"phase": us} for us in on_the_beat(job.phase)]
        for update in updates:
            told = ", ".join(f"{name} {value}" for name, value in update.items())
            made = _with_jobs(scenario, lambda one, w=job, u=update: one.model_copy(update=u) if one is w else one)
            yield from offered(f"{which} with {told}", case, changed(scenario, jobs=made))


# -- plain parts


def _with_services(scenario: Scenario, change: Callable[..., Service]) -> Any:
    old = scenario.service
    return old.model_copy(update={name: change(name, old[name]) for name in old.names()})


def _with_jobs(scenario: Scenario, change: Callable[..., Any]) -> Any:
    old = scenario.jobs
    return old.model_copy(update={name: change(old[name]) for name in old.names()})


def _plain_service(name: str, service: Service) -> Service:
    plain: dict[str, Any] = {
        "latency": constant(LATENCY_US.get(name, 10 * MS)), "operations": {}, "capacity": None, "queue_bound": None,
        "queue_patience": None, "throttle": None, "account_throttle": None,
    }  # fmt: skip
    if name == "payment":
        plain |= {**PLAIN_PAYMENT, "refund_fails_after": constant(5 * SECOND)}
    if name == "record":
        plain["below_zero"] = "backorder"
    if name == "queue":
        plain["line_bound"] = None
    return service.model_copy(update=plain)


def _calm_job(job: Any, every_us: int = 0) -> Any:
    every = every_us or job.every
    return job.model_copy(update={"every": every} | CALM_JOB)


def _plainer_laws(law: Any, plain_us: int | None) -> Iterator[Delay]:
    """A constant near its mean; of a constant, rounder ones."""
    if plain_us is not None and law != constant(plain_us):
        yield constant(plain_us)
    if not isinstance(law, Constant):
        mean = getattr(law, "mean_us", None)
        if mean is not None:
            yield constant(round(mean))
        return
    for us in rounder(law.value):
        yield delay(kind="constant", value=f"{us} us")


SHOP = (frame, places, shelves, services, policy, jobs)
