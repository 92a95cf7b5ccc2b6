"""When customers come: the moments of every open workload, each with the number that finds its customer's luck.

In the order of time, one after the other, from the scenario's zero on. What they want and how they behave is next door,
in `workload.py`; nothing here looks at a product.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import TypeAlias

import numpy as np

from orderquake.sim.demand import Bursts, FlashSale, Geometric, PoissonDemand, Profile, Renewal, Rounds
from orderquake.sim.units import SECOND
from orderquake.sim.world.delays import Delay
from orderquake.sim.world.streams import Exponential, Streams

Moments: TypeAlias = Iterator[tuple[int, int]]
"""When, microseconds, and the customer's number; numbers are unique and need not be in order, nor without gaps."""


class Unrounded:
    """A distribution of gaps, not rounded, so that many small ones add up right."""

    def __init__(self, gap: Delay) -> None:
        self.gap = gap

    def sample(self, generator: np.random.Generator, n: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.maximum(self.gap.draw(generator, n), 0.0)


def poisson(workload: PoissonDemand, horizon_us: int, streams: Streams) -> Moments:
    return _one_by_one(Exponential(SECOND / workload.rate_per_s), horizon_us, streams)


def renewal(workload: Renewal, horizon_us: int, streams: Streams) -> Moments:
    return _one_by_one(Unrounded(workload.gap), horizon_us, streams)


def _one_by_one(gap: Exponential | Unrounded, horizon_us: int, streams: Streams) -> Moments:
    gaps = streams.of("arrivals/gap", gap)
    at, number = gaps.draw(0), 0
    while at < horizon_us:
        yield round(at), number
        number += 1
        at += gaps.draw(number)


def bursts(workload: Bursts, horizon_us: int, streams: Streams) -> Moments:
    """The first burst may have begun before the scenario did: it is as busy at its beginning as later."""
    gaps = streams.of("arrivals/gap", Exponential(SECOND * workload.mean_size / workload.rate_per_s))
    sizes = streams.of("arrivals/burst", Geometric(mean=workload.mean_size))
    within = streams.uniform("arrivals/within")
    coming: list[tuple[float, int]] = []
    burst, number, begins = 0, 0, gaps.draw(0) - workload.within
    while True:
        while coming and coming[0][0] < min(begins, horizon_us):
            at, who = heappop(coming)
            if at >= 0:
                yield round(at), who
        if begins >= horizon_us:
            return
        for _ in range(sizes.draw(burst)):
            heappush(coming, (begins + within.draw(number) * workload.within, number))
            number += 1
        burst += 1
        begins += gaps.draw(burst)


def profile(workload: Profile, horizon_us: int, streams: Streams) -> Moments:
    """By thinning: as many as at the busiest moment come by, and each comes in with the chance that the moment has.
    source   Lewis and Shedler (1979)

    Who does not come in keeps a number, so that a busier hour adds customers to that hour and moves nobody else.
    """
    rates = workload.rates()
    most = rates.most
    gaps = streams.of("arrivals/gap", Exponential(SECOND / (most * workload.scale)))
    comes_in = streams.uniform("arrivals/thinning")
    at, number = gaps.draw(0), 0
    while at < horizon_us:
        if comes_in.draw(number) * most < rates.at(at + workload.begins):
            yield round(at), number
        number += 1
        at += gaps.draw(number)


def flash_sale(workload: FlashSale, streams: Streams) -> Moments:
    spread = streams.generator("arrivals/flash").random(workload.orders)
    if workload.shape == "decaying":
        # Exponential with mean over/5, conditioned on falling within `over`.
        spread = -np.log1p(-spread * -np.expm1(-5.0)) / 5.0
    moments = np.rint(spread * workload.over).astype(np.int64)
    for number in np.argsort(moments, kind="stable").tolist():
        yield workload.starts + int(moments[number]), number


def rounds(workload: Rounds, streams: Streams) -> Iterator[tuple[int, int, int]]:
    """When, who, and in which round."""
    within = streams.uniform("arrivals/within")
    for turn in range(workload.rounds):
        first = turn * workload.buyers
        for at_us, number in sorted(
            (turn * workload.every + int(within.draw(number) * workload.within), number)
            for number in range(first, first + workload.buyers)
        ):
            yield at_us, number, turn
