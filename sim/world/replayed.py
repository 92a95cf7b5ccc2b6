"""A real shop's orders, played again: as they were, a stretch of them, or so many times as many in the same hours.

Whether an order comes once more is drawn under the order's number, so that a larger scale keeps every customer of a
smaller one. How a trace is read is in `trace.py`; how customers behave is in `workload.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from orderquake.model.order import Line
from orderquake.sim.demand import TRACES, Trace
from orderquake.sim.scenario import Scenario
from orderquake.sim.units import DAY, MINUTE
from orderquake.sim.world.streams import Stream, Streams
from orderquake.sim.world.trace import TraceOrder, demand, load_trace

if TYPE_CHECKING:
    from orderquake.sim.world.workload import Basket

ABOUT_US = 30 * MINUTE
"""By the shop's clock: whoever is added to an order's customer comes within the half hour about that moment."""


def replayed(
    scenario: Scenario, workload: Trace, streams: Streams
) -> tuple[dict[str, int], Iterator[Basket], tuple[tuple[int, str, int], ...]]:
    """Units on the shelves, who wants what, and what comes back: (when, product, units)."""
    from orderquake.sim.world.workload import Basket

    trace = load_trace(None if workload.name in TRACES else Path(workload.name))
    first_us, last_us = workload.begins, None
    if workload.first_day is not None:
        first_us += (workload.first_day - trace.first_day).days * DAY
    if workload.last_day is not None:
        last_us = ((workload.last_day - trace.first_day).days + 1) * DAY

    def chosen(at_us: int) -> bool:
        return at_us >= first_us and (last_us is None or at_us < last_us)

    def moment(at_us: int) -> int:
        return int((at_us - first_us) / workload.speed_up)

    sales = [order for order in trace.sales if chosen(order.at_us) and moment(order.at_us) < scenario.horizon]
    coming = [(moment(order.at_us), number, order) for number, order in enumerate(sales)]
    if workload.scale != 1.0:
        about_us = int(ABOUT_US / workload.speed_up)
        coming = list(_scaled(coming, workload.scale, len(trace.sales), about_us, scenario.horizon, streams))
        coming.sort(key=lambda one: one[:2])
    opening = opening_of(scenario, demand(trace, (order for _, _, order in coming)))
    baskets = (Basket(at_us, number, tuple(Line(*line) for line in order.lines)) for at_us, number, order in coming)
    one_more = streams.uniform("returns/one_more") if workload.scale != 1.0 else None
    returns = tuple(
        (moment(order.at_us), sku, units * times)
        for number, order in enumerate(trace.cancellations)
        if workload.returns and chosen(order.at_us) and moment(order.at_us) < scenario.horizon
        if (times := how_often(workload.scale, one_more, number))
        for sku, units, _ in order.lines
        if sku in opening
    )
    return opening, baskets, returns


def how_often(scale: float, one_more: Stream | None, number: int) -> int:
    """How many times something of a trace comes: `scale` times on average, and never less often for a larger one."""
    return int(scale + (0.0 if one_more is None else one_more.draw(number)))


def _scaled(
    coming: list[tuple[int, int, TraceOrder]], scale: float, orders: int, about_us: int, horizon: int, streams: Streams
) -> Iterator[tuple[int, int, TraceOrder]]:
    """The first customer of an order comes when its own did; others about then, with numbers and luck of their own."""
    one_more, when = streams.uniform("trace/one_more"), streams.uniform("trace/when")
    for at_us, number, order in coming:
        for one in range(how_often(scale, one_more, number)):
            moved = int((when.draw(number, one) - 0.5) * about_us) if one else 0
            yield within(at_us + moved, horizon), number + one * orders, order


def within(at_us: int, horizon: int) -> int:
    """The moment, mirrored at the ends of the day: nobody comes outside, and nobody waits at the door for the opening.

    >>> within(-3, 10), within(4, 10), within(12, 10), within(-25, 10)
    (2, 4, 7, 4)
    """
    at_us %= 2 * horizon
    return at_us if at_us < horizon else 2 * horizon - 1 - at_us


def opening_of(scenario: Scenario, wanted: Mapping[str, int]) -> dict[str, int]:
    """Units on the shelves before a traced day: a share of what will be wanted, less of the scarce ones, and at least
    one of what anybody wants."""
    stock = scenario.stock
    cover = 1.0 if stock.cover is None else stock.cover
    opening = {sku: max(int(units * cover), units > 0) for sku, units in wanted.items()}
    if stock.scarce is not None:
        for sku in sorted(wanted, key=lambda sku: (-wanted[sku], sku))[: stock.scarce.hottest]:
            opening[sku] = max(1, int(wanted[sku] * stock.scarce.cover))
    return opening
