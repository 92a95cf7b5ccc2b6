"""Single events that may come late: which draws of a run decide when something happens, and what later would be.

Messages and work may be late, and so may the ticks of a job's clock; nothing is ever early, and no event is moved that
could not have come at that moment (a tick is late by no more than its jitter allows, a message by no more than any
message lives). So whatever a sound design promises of slow days it promises of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from orderquake.sim.scenario import Scenario
from orderquake.sim.units import MS, SECOND
from orderquake.sim.world.delays import delay
from orderquake.sim.world.streams import Deviation, Draw

Sort: TypeAlias = Literal["leg", "work", "tick"]
ALMOST: float = 0.99
"""A tick that is as late as it may be, as a share of its jitter."""


class Late(NamedTuple):
    """One event that may come later: its draw, and the group that it belongs to (an order, or a job)."""

    draw: Draw
    sort: Sort
    group: str


def loosened(scenario: Scenario) -> Scenario:
    """The same day, but so that every leg, every piece of work and every tick is drawn, and can be overruled by name.

    Legs and work vary by a few microseconds; a tick has nearly its period to be late in.
    """
    services = {}
    for name in (*scenario.service.names(), "workflow"):
        service = scenario.service[name]
        latency = service.latency
        middle_us = round(getattr(latency, "mean_us", 0)) or 1
        spread = delay(kind="uniform", low=f"{middle_us} us", high=f"{middle_us + 7} us")
        services[name] = service.model_copy(update={"latency": spread})
    jobs = {name: job.model_copy(update={"jitter": max(1, job.every * 4 // 5)}) for name, job in scenario.jobs.items()}
    leg_us = round(getattr(scenario.local_latency, "mean_us", 0)) or 1
    return scenario.model_copy(
        update={
            "service": scenario.service.model_copy(update=services),
            "jobs": scenario.jobs.model_copy(update=jobs),
            "local_latency": delay(kind="uniform", low=f"{leg_us} us", high=f"{leg_us + 7} us"),
        }
    )


def may_be_late(draws: Sequence[Draw], scenario: Scenario) -> list[Late]:
    """The events of a traced run that may come late, in the order of their drawing, each once."""
    found: dict[tuple[str, int, int], Late] = {}
    jobs = scenario.jobs.names()
    for draw in draws:
        sort = sort_of(draw.stream)
        if sort is None:
            continue
        first = draw.stream.split("/")[0]
        group = draw.stream.split("/")[1] if sort == "tick" else first if first in jobs else f"order-{draw.number}"
        found.setdefault((draw.stream, draw.number, draw.attempt), Late(draw, sort, group))
    return list(found.values())


def sort_of(stream: str) -> Sort | None:
    """What kind of event a stream's draws time; None for what has no moment, or must keep it.

    >>> sort_of("here>here/stock.reserve/out"), sort_of("inbound/stock.refresh"), sort_of("ticker/inbound/jitter")
    ('leg', 'work', 'tick')
    >>> sort_of("customer/card") is None
    True
    """
    last = stream.rsplit("/", 1)[-1]
    if stream.startswith("ticker/"):
        return "tick" if last == "jitter" else None
    if stream.startswith(("fault/", "arrivals/", "basket/", "patience/", "weather/", "provider/")):
        return None
    if last in ("out", "back") and ">" in stream:
        return "leg"
    if stream.startswith("customer/"):
        return "leg" if last == "leg" else None
    return "work" if "." in last else None


def later(event: Late, by_us: int) -> Deviation:
    """The event, later by so much; a tick as late as its clock allows."""
    draw = event.draw
    value = ALMOST if event.sort == "tick" else int(draw.value) + by_us
    return Deviation(draw.stream, draw.number, draw.attempt, value)


def longest_us(scenario: Scenario) -> int:
    """The most by which a single message is made late here: well below what any message may live."""
    return max(SECOND, min(scenario.policy.message_life // 3, 20 * SECOND))


SHORTEST_US = 20 * MS
