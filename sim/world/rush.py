"""What a bad day makes of the demand: more customers, other wishes, bots. Everybody else stays who they were.

Faults of load act here, before anybody comes; who owes being here, or what is wanted, to one of them carries its label.
Whoever is added has a number, and so luck, that nobody else has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from heapq import heappop, heappush, merge
from typing import TYPE_CHECKING

from orderquake.model.order import Line
from orderquake.sim.nemesis.load import Bot, FlashCrowd, HotSku
from orderquake.sim.scenario import Scenario
from orderquake.sim.units import SECOND
from orderquake.sim.world.streams import Exponential, Streams

if TYPE_CHECKING:
    from orderquake.sim.world.workload import Arrival, Basket

BESIDES = 40
"""Bits below which the numbers of those lie who come anyway; above, whose company they are, or which bot's."""
BOTS = 1 << 60
FAIR_PENCE = 1_000


class Rush:
    """The load faults of a scenario, at work on its demand.

    fill   what the customer of a number would put in the basket; None where the workload says who wants what
    """

    def __init__(
        self,
        scenario: Scenario,
        streams: Streams,
        opening: Mapping[str, int],
        fill: Callable[[int], tuple[Line, ...]] | None = None,
    ) -> None:
        self.horizon = scenario.horizon
        self.streams = streams
        self.hottest = next(iter(opening), "")
        self.fill = fill
        faults = list(enumerate(scenario.plain_faults(), start=1))
        self.crowds = [(n, label, fault) for n, (label, fault) in faults if isinstance(fault, FlashCrowd)]
        self.hot = [(label, fault) for _, (label, fault) in faults if isinstance(fault, HotSku)]
        self.bots = [(n, label, fault) for n, (label, fault) in faults if isinstance(fault, Bot)]

    def baskets(self, baskets: Iterator[Basket]) -> Iterator[Basket]:
        """Everybody's basket, company included, in the order of time."""
        for number, label, fault in self.crowds:
            baskets = self.with_company(baskets, number, label, fault)
        return map(self.changed, baskets) if self.hot else baskets

    def with_company(self, baskets: Iterator[Basket], which: int, label: str, fault: FlashCrowd) -> Iterator[Basket]:
        since_us, until_us = fault.window(self.horizon)
        one_more = self.streams.uniform(f"fault/{label}/one_more")
        when = self.streams.uniform(f"fault/{label}/when")
        whole = int(fault.factor - 1)
        coming: list[Basket] = []
        for basket in baskets:
            at_us, number = basket.at_us, basket.number
            while coming and coming[0].at_us < at_us:
                yield heappop(coming)
            yield basket
            if since_us <= at_us < until_us and number < 1 << BESIDES:  # company brings no company
                within_us = min(fault.within, until_us - at_us)
                for one in range(whole + (one_more.draw(number) < fault.factor - 1 - whole)):
                    friend = number + ((which << 12) + one + 1 << BESIDES)
                    heappush(
                        coming,
                        basket._replace(
                            at_us=at_us + int(when.draw(number, one) * within_us),
                            number=friend,
                            lines=basket.lines if self.fill is None else self.fill(friend),
                            faults=(*basket.faults, label),
                        ),
                    )
        while coming:
            yield heappop(coming)

    # Simplified: who takes the hot product pays what the other would have cost; matters when the till is what counts.
    def changed(self, basket: Basket) -> Basket:
        """The basket as it is under the influence of what everybody wants."""
        for label, fault in self.hot:
            since_us, until_us = fault.window(self.horizon)
            sku = fault.sku or self.hottest
            first, *others = basket.lines
            if not since_us <= basket.at_us < until_us or any(line.sku == sku for line in basket.lines):
                continue
            if self.streams.uniform(f"fault/{label}/customer").draw(basket.number) < fault.share:
                basket = basket._replace(lines=(first._replace(sku=sku), *others), faults=(*basket.faults, label))
        return basket

    def arrivals(self, arrivals: Iterator[Arrival], behave: Callable[[Basket], Arrival]) -> Iterator[Arrival]:
        """Customers, and bots between them."""
        if not self.bots:
            return arrivals
        bots = (self.of_bot(which, label, fault, behave) for which, label, fault in self.bots)
        return merge(arrivals, *bots, key=lambda arrival: arrival.at_us)

    # Simplified: a bot's goods have a price of their own; matters to nobody, for it never pays.
    def of_bot(self, which: int, label: str, fault: Bot, behave: Callable[[Basket], Arrival]) -> Iterator[Arrival]:
        from orderquake.sim.world.workload import Basket

        since_us, until_us = fault.window(self.horizon)
        gaps = self.streams.of(f"fault/{label}/gap", Exponential(SECOND / fault.per_s))
        lines = (Line(fault.sku or self.hottest, fault.units, fault.units * FAIR_PENCE),)
        at, index = since_us + gaps.draw(0), 0
        while at < until_us:
            arrival = behave(Basket(round(at), BOTS + (which << BESIDES) + index, lines, (label,)))
            yield arrival._replace(clicks_twice=False, walks_away=True, cancels_after_us=None)
            index += 1
            at += gaps.draw(index)


def is_of_bot(number: int, which: int) -> bool:
    """Is this the number of a customer of the bot that stands at this place in the scenario, from 1?"""
    return number >> BESIDES == (BOTS >> BESIDES) + which
