"""The busiest hour of a real shop, on its own: what is played to find the load that a promise still bears.

Four weeks at a hundred times their customers are a quarter of a million orders a run, nearly all of them at hours that
are easily borne. The hour that decides is played alone, or the busiest part of it where even that is too much, and
faults that lie elsewhere stay out of it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from orderquake.sim.demand import TRACES, Trace
from orderquake.sim.scenario import Scenario
from orderquake.sim.units import DAY, HOUR, format_duration
from orderquake.sim.world.trace import load_trace

ORDERS = 500
"""A search begins where a run has so many orders: fewer say nothing of a p99."""


class Stretch(NamedTuple):
    """settings: what makes a scenario of it; orders: those of the trace in it; says: which hour it is."""

    settings: dict[str, Any]
    orders: int
    says: str


def busiest_hour(scenario: Scenario, workload: Trace, parts: int = 1) -> Stretch:
    """The hour with the most orders among the days that the scenario plays; the first of several that are alike.

    parts   only the part with the most orders, where the hour is cut into so many
    """
    trace = load_trace(None if workload.name in TRACES else Path(workload.name))
    days = [
        day
        for day in trace.days
        if (workload.first_day is None or day >= workload.first_day)
        and (workload.last_day is None or day <= workload.last_day)
    ]
    hours = Counter(order.at_us // HOUR for order in trace.sales)
    wanted = {(day - trace.first_day).days for day in days}
    hour, orders = max(
        ((hour, number) for hour, number in hours.items() if hour * HOUR // DAY in wanted),
        key=lambda one: (one[1], -one[0]),
    )
    number, of_day = divmod(hour, 24)
    day = next(day for day in days if (day - trace.first_day).days == number)
    of_parts = Counter(order.at_us * parts // HOUR for order in trace.sales if order.at_us // HOUR == hour)
    part, orders = max(of_parts.items(), key=lambda one: (one[1], -one[0]))
    length = round(HOUR / parts / workload.speed_up)
    settings: dict[str, Any] = {
        "workload.first_day": day.isoformat(),
        "workload.last_day": day.isoformat(),
        "workload.begins": format_duration(part * HOUR // parts % DAY),
        "horizon": format_duration(length),
    }
    if scenario.fault:
        settings["fault"] = []
    minute = part % parts * 60 // parts
    what = "hour" if parts == 1 else f"{format_duration(HOUR // parts)}"
    says = f"the busiest {what}, {day:%A}, {day.day} {day:%B %Y}, from {of_day}:{minute:02}, alone"
    if workload.speed_up != 1:
        says += f", in {format_duration(length)}"
    return Stretch(settings, orders, says + (", without the scenario's faults" if scenario.fault else ""))
