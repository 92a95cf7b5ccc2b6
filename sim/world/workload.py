"""Who comes and wants what: the customers of a scenario, drawn or replayed, one after the other; when they come is in
`moments.py`.

Everything about a customer is drawn under the customer's number, so that leaving one out changes no other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias, assert_never

from orderquake.model.order import Line
from orderquake.model.payment import DECLINED, GOOD, REFUND_FAILS, STORED_ERROR, STORED_ERROR_PAID
from orderquake.sim.demand import (
    Alike,
    Bursts,
    Closed,
    FlashSale,
    Hot,
    Listed,
    PoissonDemand,
    Popularity,
    Profile,
    Renewal,
    Rounds,
    Shoppers,
    Trace,
    Traced,
    Zipf,
)
from orderquake.sim.listed import CardName, numbered
from orderquake.sim.scenario import Scenario
from orderquake.sim.world import moments
from orderquake.sim.world.rush import Rush
from orderquake.sim.world.streams import Streams

Open: TypeAlias = PoissonDemand | Bursts | Profile | Renewal | FlashSale
"""Workloads whose customers come whatever the shop does, and fill a basket."""


class Arrival(NamedTuple):
    """A customer with a basket.

    cancels_after_us   from the intended arrival, or None for one who does not cancel
    faults             labels of the load faults without which nobody would have come, or wanted just this
    """

    at_us: int
    number: int
    place: str
    lines: tuple[Line, ...]
    card: str
    clicks_twice: bool
    walks_away: bool
    cancels_after_us: int | None
    faults: tuple[str, ...] = ()


class Basket(NamedTuple):
    """Who wants what, when; `faults` as in an arrival."""

    at_us: int
    number: int
    lines: tuple[Line, ...]
    faults: tuple[str, ...] = ()


class Loop(NamedTuple):
    """Customers who come again: the n-th order of customer k has the number n * customers + k.

    think_us   by number: what passes before that order
    arrival    by moment and number: that order
    """

    customers: int
    gives_up_us: int
    think_us: Callable[[int], int]
    arrival: Callable[[int, int], Arrival]


@dataclass(frozen=True)
class Demand:
    """What the world needs to know of a workload.

    arrivals   in time order, made one by one as they are needed; of an open workload
    opening    units on the shelves at the start, by product
    returns    goods that come back to the record: (when, product, units)
    loop       of a closed workload, which has no arrivals of its own accord
    """

    arrivals: Iterator[Arrival]
    opening: Mapping[str, int]
    returns: tuple[tuple[int, str, int], ...] = ()
    loop: Loop | None = None


def demand_of(scenario: Scenario, streams: Streams) -> Demand:
    """The workload of a scenario, with the luck of one run."""
    workload = scenario.workload
    behave = _manners(scenario, streams)
    if isinstance(workload, Trace):
        from orderquake.sim.world.replayed import replayed

        opening, baskets, returns = replayed(scenario, workload, streams)
        return Demand(arrivals_of(baskets, Rush(scenario, streams, opening), behave), opening, returns)
    opening = dict.fromkeys(scenario.stock.sku_names(), scenario.stock.units_per_sku)
    if isinstance(workload, Rounds):
        baskets = _rounds(scenario, workload, streams)
        return Demand(arrivals_of(baskets, Rush(scenario, streams, opening), behave), opening)
    if isinstance(workload, Listed):
        customers = listed_arrivals(scenario, workload, streams, behave)
        return Demand(Rush(scenario, streams, opening).arrivals(customers, lambda basket: behave(*basket)), opening)
    fill = _filler(scenario, workload, streams)
    rush = Rush(scenario, streams, opening, fill)
    if isinstance(workload, Closed):
        thinks: Any = streams.of("customer/think", workload.think)

        def order(at_us: int, number: int) -> Arrival:
            return behave(*rush.changed(Basket(at_us, number, fill(number))))

        return Demand(iter(()), opening, loop=Loop(workload.customers, workload.gives_up, thinks.draw, order))
    come = moments_of(scenario, workload, streams)
    baskets = (Basket(at_us, number, fill(number)) for at_us, number in come)
    return Demand(arrivals_of(baskets, rush, behave), opening)


def arrivals_of(baskets: Iterator[Basket], rush: Rush, behave: Callable[..., Arrival]) -> Iterator[Arrival]:
    """Whoever fills a basket, and whoever comes because of a load fault."""
    customers = (behave(*basket) for basket in rush.baskets(baskets))
    return rush.arrivals(customers, lambda basket: behave(*basket))


def moments_of(scenario: Scenario, workload: Open, streams: Streams) -> moments.Moments:
    """When the customers of an open workload come."""
    match workload:
        case PoissonDemand():
            return moments.poisson(workload, scenario.horizon, streams)
        case Bursts():
            return moments.bursts(workload, scenario.horizon, streams)
        case Profile():
            return moments.profile(workload, scenario.horizon, streams)
        case Renewal():
            return moments.renewal(workload, scenario.horizon, streams)
        case FlashSale():
            return moments.flash_sale(workload, streams)
        case _:
            assert_never(workload)


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


def _rounds(scenario: Scenario, workload: Rounds, streams: Streams) -> Iterator[Basket]:
    names = scenario.stock.sku_names()
    prices = prices_of(scenario, streams)
    for at_us, number, turn in moments.rounds(workload, streams):
        sku = names[turn % len(names)]
        yield Basket(at_us, number, (Line(sku, 1, prices(sku)),))


def listed_arrivals(
    scenario: Scenario, workload: Listed, streams: Streams, behave: Callable[..., Arrival]
) -> Iterator[Arrival]:
    """The orders of a list; what one says of its customer is not drawn."""
    prices = prices_of(scenario, streams)
    for number, order in numbered(workload.order):
        lines = tuple(Line(sku, units, units * prices(sku)) for sku, units in order.wants.items())
        drawn = behave(order.at, number, lines)
        yield drawn._replace(
            place=drawn.place if order.place is None else order.place,
            card=drawn.card if order.card is None else CARDS[order.card],
            clicks_twice=drawn.clicks_twice if order.clicks_twice is None else order.clicks_twice,
            cancels_after_us=drawn.cancels_after_us if order.cancels_after is None else order.cancels_after,
        )


CARDS: Mapping[CardName, str] = {
    "good": GOOD,
    "declined": DECLINED,
    "stored_error": STORED_ERROR,
    "stored_error_paid": STORED_ERROR_PAID,
    "refund_fails": REFUND_FAILS,
}
"""A card as scenario files name it -> as the provider does."""


def _filler(scenario: Scenario, workload: Shoppers, streams: Streams) -> Callable[[int], tuple[Line, ...]]:
    """What the customer of a number puts in the basket."""
    names = scenario.stock.sku_names()
    weights = list(accumulate(weights_of(workload.popularity, len(names))))
    total = weights[-1]
    prices = prices_of(scenario, streams)
    how_many = streams.of("basket/lines", workload.basket.lines)
    units_of = streams.of("basket/units", workload.basket.units)
    which = streams.uniform("basket/sku")

    def fill(number: int) -> tuple[Line, ...]:
        basket: dict[str, int] = {}
        for line in range(how_many.draw(number)):
            sku = names[bisect_left(weights, which.draw(number, line) * total)]
            basket[sku] = basket.get(sku, 0) + units_of.draw(number, line)
        return tuple(Line(sku, units, units * prices(sku)) for sku, units in basket.items())

    return fill


def weights_of(popularity: Popularity, skus: int) -> list[float]:
    """How much each product is wanted, the most popular first.

    >>> [round(weight, 3) for weight in weights_of(Hot(share=0.8, skus=2), 4)]
    [0.4, 0.4, 0.1, 0.1]
    """
    match popularity:
        case Zipf(exponent=exponent):
            return [(rank + 1) ** -exponent for rank in range(skus)]
        case Alike():
            return [1.0] * skus
        case Hot(share=share, skus=hot, rest=rest):
            others = weights_of(rest, skus - hot)
            return [share / hot] * hot + [(1 - share) * weight / sum(others) for weight in others]
        case Traced():
            raise TypeError("a trace brings its own products")
        case _:
            assert_never(popularity)


# -- how they behave


# Simplified: a customer of a closed workload may order from another place each time; matters when places differ.
def _manners(scenario: Scenario, streams: Streams) -> Callable[..., Arrival]:
    """What becomes of a moment, a number and a basket: a customer."""
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

    def behave(at_us: int, number: int, lines: tuple[Line, ...], faults: tuple[str, ...] = ()) -> Arrival:
        return Arrival(
            at_us,
            number,
            names[bisect_left(shares, where.draw(number) * shares[-1])] if len(names) > 1 else names[0],
            lines,
            _card(card.draw(number), payment.declines, payment.stored_errors, payment.refund_failures),
            workload.clicks_twice > 0 and twice.draw(number) < workload.clicks_twice,
            workload.walks_away > 0 and away.draw(number) < workload.walks_away,
            after.draw(number) if workload.cancels > 0 and cancels.draw(number) < workload.cancels else None,
            faults,
        )

    return behave


def _card(luck: float, declines: float, stored_errors: float, refund_failures: float) -> str:
    """Which of the provider's behaviours this customer's card meets; half of the stored errors have taken the money."""
    if luck < declines:
        return DECLINED
    if luck < declines + stored_errors / 2:
        return STORED_ERROR
    if luck < declines + stored_errors:
        return STORED_ERROR_PAID
    if luck < declines + stored_errors + refund_failures:
        return REFUND_FAILS
    return GOOD
