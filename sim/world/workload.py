"""Who comes when and wants what: the customers of a scenario, drawn or replayed, one after the other.

Everything about a customer is drawn under the customer's number, so that leaving one out changes no other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from orderquake.model.order import Line
from orderquake.model.payment import DECLINED, GOOD, STORED_ERROR, STORED_ERROR_PAID
from orderquake.sim.demand import TRACES, FlashSale, PoissonDemand, Rounds, Shoppers, Trace, Zipf
from orderquake.sim.scenario import Scenario
from orderquake.sim.units import DAY
from orderquake.sim.world.streams import Exponential, Streams


class Arrival(NamedTuple):
    """A customer with a basket.

    cancels_after_us   from the intended arrival, or None for one who does not cancel
    """

    at_us: int
    number: int
    place: str
    lines: tuple[Line, ...]
    card: str
    clicks_twice: bool
    walks_away: bool
    cancels_after_us: int | None


class Basket(NamedTuple):
    at_us: int
    number: int
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Demand:
    """What the world needs to know of a workload.

    arrivals   in time order, made one by one as they are needed
    opening    units on the shelves at the start, by product
    returns    goods that come back to the record: (when, product, units)
    """

    arrivals: Iterator[Arrival]
    opening: Mapping[str, int]
    returns: tuple[tuple[int, str, int], ...]


def demand_of(scenario: Scenario, streams: Streams) -> Demand:
    """The workload of a scenario, with the luck of one run."""
    workload = scenario.workload
    returns: tuple[tuple[int, str, int], ...] = ()
    if isinstance(workload, Trace):
        opening, baskets, returns = _replayed(scenario, workload)
    else:
        opening = dict.fromkeys(scenario.stock.sku_names(), scenario.stock.units_per_sku)
        if isinstance(workload, Rounds):
            baskets = _rounds(scenario, workload, streams)
        elif isinstance(workload, PoissonDemand):
            baskets = _filled(_poisson(scenario, workload, streams), scenario, workload, streams)
        else:
            baskets = _filled(_flash(workload, streams), scenario, workload, streams)
    return Demand(_with_manners(baskets, scenario, streams), opening, returns)


# -- when they come


def _poisson(scenario: Scenario, workload: PoissonDemand, streams: Streams) -> Iterator[tuple[int, int]]:
    mean_us = 1_000_000 / workload.rate_per_s
    gaps = streams.of("arrivals/gap", Exponential(mean_us))
    at, number = gaps.draw(0), 0
    while at < scenario.horizon:
        yield round(at), number
        number += 1
        at += gaps.draw(number)


def _flash(workload: FlashSale, streams: Streams) -> Iterator[tuple[int, int]]:
    import numpy as np

    spread = streams.generator("arrivals/flash").random(workload.orders)
    if workload.shape == "decaying":
        # Exponential with mean over/5, conditioned on falling within `over`.
        spread = -np.log1p(-spread * -np.expm1(-5.0)) / 5.0
    moments = np.rint(spread * workload.over).astype(np.int64)
    for number in np.argsort(moments, kind="stable").tolist():
        yield workload.starts + int(moments[number]), number


def _rounds(scenario: Scenario, workload: Rounds, streams: Streams) -> Iterator[Basket]:
    names = scenario.stock.sku_names()
    within = streams.uniform("arrivals/within")
    prices = prices_of(scenario, streams)
    number = 0
    for turn in range(workload.rounds):
        sku = names[turn % len(names)]
        moments = sorted(
            (turn * workload.every + int(within.draw(number + i) * workload.within), number + i)
            for i in range(workload.buyers)
        )
        for at_us, buyer in moments:
            yield Basket(at_us, buyer, (Line(sku, 1, prices(sku)),))
        number += workload.buyers


# -- what they want


def prices_of(scenario: Scenario, streams: Streams) -> Callable[[str], int]:
    """Every product's price, pence, drawn once."""
    workload = scenario.workload
    if isinstance(workload, Trace):
        raise TypeError("a trace brings its own prices")
    low, high = workload.price_pence.low, workload.price_pence.high
    names = scenario.stock.sku_names()
    drawn = streams.generator("prices").integers(low, high + 1, len(names)).tolist()
    return dict(zip(names, drawn, strict=True)).__getitem__


def _filled(
    moments: Iterator[tuple[int, int]], scenario: Scenario, workload: Shoppers, streams: Streams
) -> Iterator[Basket]:
    names = scenario.stock.sku_names()
    exponent = workload.popularity.exponent if isinstance(workload.popularity, Zipf) else 0.0
    weights = list(accumulate((rank + 1) ** -exponent for rank in range(len(names))))
    total = weights[-1]
    prices = prices_of(scenario, streams)
    how_many = streams.of("basket/lines", workload.basket.lines)
    units_of = streams.of("basket/units", workload.basket.units)
    which = streams.uniform("basket/sku")
    for at_us, number in moments:
        basket: dict[str, int] = {}
        for line in range(how_many.draw(number)):
            sku = names[bisect_left(weights, which.draw(number, line) * total)]
            basket[sku] = basket.get(sku, 0) + units_of.draw(number, line)
        yield Basket(at_us, number, tuple(Line(sku, units, units * prices(sku)) for sku, units in basket.items()))


def _replayed(
    scenario: Scenario, workload: Trace
) -> tuple[dict[str, int], Iterator[Basket], tuple[tuple[int, str, int], ...]]:
    from orderquake.sim.world.trace import demand, load_trace

    trace = load_trace(None if workload.name in TRACES else Path(workload.name))
    first_us, last_us = 0, None
    if workload.first_day is not None:
        first_us = (workload.first_day - trace.first_day).days * DAY
    if workload.last_day is not None:
        last_us = ((workload.last_day - trace.first_day).days + 1) * DAY

    def chosen(at_us: int) -> bool:
        return at_us >= first_us and (last_us is None or at_us < last_us)

    def scaled(at_us: int) -> int:
        return int((at_us - first_us) / workload.speed_up)

    sales = [order for order in trace.sales if chosen(order.at_us) and scaled(order.at_us) < scenario.horizon]
    wanted = demand(trace, sales)
    opening = opening_of(scenario, wanted)
    baskets = (
        Basket(scaled(order.at_us), number, tuple(Line(*line) for line in order.lines))
        for number, order in enumerate(sales)
    )
    returns = tuple(
        (scaled(order.at_us), sku, units)
        for order in trace.cancellations
        if workload.returns and chosen(order.at_us) and scaled(order.at_us) < scenario.horizon
        for sku, units, _ in order.lines
        if sku in opening
    )
    return opening, baskets, returns


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


# -- how they behave


def _with_manners(baskets: Iterator[Basket], scenario: Scenario, streams: Streams) -> Iterator[Arrival]:
    workload = scenario.workload
    payment = scenario.service.payment
    names = [place.name for place in scenario.place]
    shares = list(accumulate(place.weight for place in scenario.place))
    where = streams.uniform("customer/place")
    card = streams.uniform("customer/card")
    twice = streams.uniform("customer/clicks_twice")
    away = streams.uniform("customer/walks_away")
    cancels = streams.uniform("customer/cancels")
    after = streams.of("customer/cancels_after", workload.cancels_after)
    for at_us, number, lines in baskets:
        yield Arrival(
            at_us,
            number,
            names[bisect_left(shares, where.draw(number) * shares[-1])] if len(names) > 1 else names[0],
            lines,
            _card(card.draw(number), payment.declines, payment.stored_errors),
            workload.clicks_twice > 0 and twice.draw(number) < workload.clicks_twice,
            workload.walks_away > 0 and away.draw(number) < workload.walks_away,
            after.draw(number) if workload.cancels > 0 and cancels.draw(number) < workload.cancels else None,
        )


def _card(luck: float, declines: float, stored_errors: float) -> str:
    """Which of the provider's behaviours this customer's card meets; half of the stored errors have taken the money."""
    if luck < declines:
        return DECLINED
    if luck < declines + stored_errors / 2:
        return STORED_ERROR
    if luck < declines + stored_errors:
        return STORED_ERROR_PAID
    return GOOD
