"""How long the quiet phase may take: by when all must have converged, term by term, from what a scenario says.

A bound and not an estimate: each term is the worst that its cause can do once faults have stopped and customers stay
away, with chances of one in a million taken for never. It holds for designs that recover, settle and refresh by jobs,
and where these cannot jam a service: `unjammed`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from orderquake.sim.demand import Bursts as BurstsDemand
from orderquake.sim.demand import Closed, FlashSale, Listed, PoissonDemand, Profile, Renewal, Rounds, Trace
from orderquake.sim.nemesis import Fault
from orderquake.sim.scenario import Scenario
from orderquake.sim.shop import Job
from orderquake.sim.units import SECOND
from orderquake.sim.world.delays import Delay, Latency
from orderquake.sim.world.rhythms import Profile as ByTheHour
from orderquake.sim.world.rhythms import Rhythm, Spells, Windows

NEVER = 1e-6
"""A chance that is taken for none."""
ASKS = 18
"""What an order still has to ask for, at most, from its registration to its notice; see ARCHITECTURE.md."""
LOOK_US = 10 * SECOND
"""How often somebody looks whether all is at rest."""
ROOM = 0.5
"""Of what a service bears, the most that jobs may ask of it whose runs overlap."""


def quiet_bound(scenario: Scenario) -> int:
    """Microseconds from the horizon on within which everything has ended and all books agree."""
    return sum(quiet_terms(scenario).values())


def quiet_terms(scenario: Scenario) -> dict[str, int]:
    """What the bound consists of, microseconds by cause."""
    policy, jobs, payment = scenario.policy, scenario.jobs, scenario.service.payment
    orders = orders_of(scenario)
    patience = max(patient.attempts * (patient.timeout + patient.cap) for _, patient in policy.patience.items())
    settlement = period_of(jobs.settlement) + policy.settle_after
    comes_back = payment.refund_failures > 0 or any(fault.kind.startswith("refund") for fault in scenario.fault)
    late = 1 + round(orders * min(1.0, payment.stored_errors + payment.refund_failures + 0.1 * bool(scenario.fault)))
    return {
        "whoever sleeps wakes, and late copies arrive": _longest_in_faults(scenario),
        "a lease runs out, and recovery finds the order": policy.lease + policy.idle + 2 * period_of(jobs.recovery),
        "a silent charge is given up": payment.key_retention + policy.message_life,
        "an order asks what it still has to ask": ASKS * max(patience, policy.worker_deadline),
        "all orders at once wait for hands and tokens": round(orders * ASKS * _slowest(scenario)),
        "a reservation lapses, or the shop decides": max(policy.reservation_ttl, policy.decide_within),
        "refunds arrive or come back": longest(payment.refund_delay)
        + (2 * longest(payment.refund_fails_after) if comes_back else 0),
        "settlement returns what was taken too late, one after the other": 2 * late * settlement,
        "a lost stock is rebuilt": 4 * period_of(jobs.rebuild),
        "reservations are swept": period_of(jobs.sweep),
        "the outbound job posts": 3 * period_of(jobs.outbound) + patience,
        "two refreshes": 3 * period_of(jobs.inbound) + patience,
        "somebody looks": 2 * LOOK_US,
    }


def unjammed(scenario: Scenario) -> Scenario:
    """The same, its jobs one run after the other where overlapping runs might jam a service."""
    if not jobs_can_jam(scenario):
        return scenario
    one_by_one = {name: job.model_copy(update={"overlaps": False}) for name, job in scenario.jobs.items()}
    return scenario.model_copy(update={"jobs": scenario.jobs.model_copy(update=one_by_one)})


def jobs_can_jam(scenario: Scenario) -> bool:
    """Could the jobs keep a service busy with nothing but asking again?

    A service that was slow for a while has a queue. Whoever waits in it gives up and asks anew, and where runs overlap,
    ever more of them do. If that alone is more than the service can bear, the queue never becomes shorter, and no
    answer is in time any more, long after the cause has gone: a metastable failure (Bronson and others, "Metastable
    failures in distributed systems", HotOS 2021). Taken here: every job asks every service once a run, as often as
    patience allows; that is more than any of ours does.
    """
    runs_per_us = sum((1 + job.doubles) / job.every for _, job in scenario.jobs.items() if job.overlaps)
    for name, service in scenario.service.items():
        tries_per_us = runs_per_us * scenario.policy.patience[name].attempts
        laws = (service.latency, *service.operations.values())
        if service.capacity is not None and tries_per_us * max(map(_mean, laws)) > ROOM * service.capacity:
            return True
    return False


def period_of(job: Job) -> int:
    """The longest between two runs of a job that both take place, microseconds."""
    skipped = math.ceil(math.log(NEVER) / math.log(job.skips)) if 0 < job.skips < 1 else 0
    return job.every * (1 + skipped) + job.jitter


def longest(law: Latency) -> int:
    """What nearly no draw exceeds, microseconds."""
    if isinstance(law, Windows):
        return max(longest(law.of), *(_changed(law.of, window.factor, window.of) for window in law.windows))
    if isinstance(law, ByTheHour):
        return round(longest(law.of) * max(1.0, *law.factors))
    if isinstance(law, Spells):
        return max(longest(law.of), _changed(law.of, law.factor, law.slow))
    assert not isinstance(law, Rhythm)
    if math.isfinite(law.mean_us) and math.isfinite(law.variance):
        return round(law.mean_us + 10 * math.sqrt(law.variance))
    drawn = law.draw(np.random.Generator(np.random.Philox(key=0)), 4096)
    return round(2 * float(drawn.max()))


def _changed(law: Latency, factor: float | None, instead: Latency | None) -> int:
    return longest(instead) if instead is not None else round(longest(law) * (factor or 1.0))


def orders_of(scenario: Scenario) -> int:
    """How many orders may come: the expected number, and half as many again."""
    workload, seconds, expected = scenario.workload, scenario.horizon / SECOND, 0.0
    match workload:
        case FlashSale():
            expected = float(workload.orders)
        case Rounds():
            expected = float(workload.rounds * workload.buyers)
        case Listed():
            expected = float(len(workload.order))
        case PoissonDemand() | BurstsDemand():
            expected = workload.rate_per_s * seconds
        case Profile():
            expected = max((step.rate_per_s for step in workload.steps), default=1.0) * workload.scale * seconds
        case Renewal():
            expected = scenario.horizon / workload.gap.mean_us
        case Closed():
            expected = workload.customers * (1 + scenario.horizon / workload.think.mean_us)
        case Trace():
            expected = 1_000.0
    return math.ceil(1.5 * expected) + 10


def _slowest(scenario: Scenario) -> float:
    """Microseconds that one ask keeps all others waiting, at the service where that is longest."""
    waits = [0.0]
    for name in scenario.service.names():
        service = scenario.service[name]
        if service.capacity is not None:
            laws = (service.latency, *service.operations.values())
            waits.append(max(_mean(law) for law in laws) / service.capacity)
        waits += [SECOND / throttle.per_s for throttle in (service.throttle, service.account_throttle) if throttle]
    journey = max(_mean(service.latency) for _, service in scenario.service.items())
    journey += 2 * max((_mean(link.latency) for link in scenario.link), default=0.0)
    return max(*waits, journey / sum(place.workers for place in scenario.place))


def _mean(law: Latency) -> float:
    mean = law.mean_us if isinstance(law, Delay) else float(longest(law))
    return mean if math.isfinite(mean) else float(longest(law))


def _longest_in_faults(scenario: Scenario) -> int:
    return sum(sorted((max(lengths_in(fault), default=0) for fault in scenario.fault), reverse=True)[:3])


def lengths_in(part: Any) -> Iterator[int]:
    """Every length of time in a fault, or in a part of it, that is not its window, microseconds."""
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(part, Fault) and name in ("since", "lasts", "until", "at"):
            continue
        if isinstance(value, Delay | Rhythm):
            yield longest(value)  # type: ignore[arg-type]  # all rhythms there are
        elif type(value) is int:
            yield value  # a duration, or a count of so few that it makes no difference
        elif hasattr(value, "model_fields"):
            yield from lengths_in(value)
