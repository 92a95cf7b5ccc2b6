"""Do all implementations play the same? With one luck they write the same rows; with each its own, much the same."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping

from orderquake.sim.world.streams import Streams
from tests.benchmarks.neutral import bare, idiomatic, ours
from tests.benchmarks.neutral.workload import LAWS, LIMIT_US, Outcome, Rows

SIGMAS = 4.5
"""How far shares may lie apart, in standard errors of their difference: one false alarm in 150,000 comparisons."""
RESPONSE_WITHIN = 0.01
"""How far mean responses may lie apart. With 140,000 orders a side, the luck of the draw moves them by 0.2 %."""


def dealt_by_name(seed: int) -> Iterator[tuple[int, ...]]:
    """The luck of one order after the other, as orderquake's streams hold it."""
    streams = Streams(seed)
    draws = [streams.of(name, law).draw for name, law in LAWS.items()]
    number = 0
    while True:
        yield tuple(draw(number) for draw in draws)
        number += 1


class Loaded(random.Random):
    """Dice that show what an order was dealt, in the order in which the SimPy script throws them."""

    def __init__(self, luck: tuple[int, ...]) -> None:
        super().__init__()
        gap, self.cancel_us, *self.sleeps = luck
        self.sleeps.insert(0, gap)

    def expovariate(self, lambd: float = 1.0) -> float:
        return self.sleeps.pop(0)

    def lognormvariate(self, mu: float, sigma: float) -> float:
        pay_us = self.sleeps.pop(0)
        if pay_us > LIMIT_US:
            del self.sleeps[:2]  # nobody travels to the packers
        return pay_us

    def random(self) -> float:
        return 0.0 if self.cancel_us >= 0 else 1.0

    def uniform(self, a: float, b: float) -> float:
        return self.cancel_us


class Comparable(idiomatic.Shop):
    """The SimPy script with the luck of orderquake's streams."""

    def __init__(self, seed: int) -> None:
        super().__init__(random.Random(seed))
        self.luck = dealt_by_name(seed)

    def dice_of(self, number: int) -> random.Random:
        return Loaded(next(self.luck))


def rows_with_one_luck(orders: int, seed: int) -> dict[str, Rows]:
    """The rows that each implementation writes, in a common order, when all have the same luck."""
    shop = idiomatic.play(orders, Comparable(seed))
    kept = {"idiomatic": idiomatic.rows(shop), "bare": bare.rows(bare.play(orders, dealt_by_name(seed)))}
    for engine in ours.ENGINES:
        kept[f"ours, {engine}"] = ours.rows(ours.play(orders, seed, engine))
    return {name: sorted(rows) for name, rows in kept.items()}


def who_differs(orders: int, seed: int) -> dict[str, list[str]]:
    """Names of those who, with one luck, do not write what idiomatic SimPy writes."""
    rows = rows_with_one_luck(orders, seed)
    return {"names": [name for name, written in rows.items() if written != rows["idiomatic"]]}


def disagreements(outcomes: Mapping[str, Iterable[Outcome]]) -> list[str]:
    """Sentences about who differs from the first by more than luck explains; none where all agree."""
    pooled = {name: pool(several) for name, several in outcomes.items()}
    (first, one), *others = pooled.items()
    said: list[str] = []
    for name, other in others:
        if one.ended != other.ended:
            said.append(f"{one.ended:,} orders ended with {first}, {other.ended:,} with {name}")
        shares: dict[str, Callable[[Outcome], int]] = {
            "timed out": lambda outcome: outcome.timed_out,
            "were cancelled": lambda outcome: outcome.cancelled,
        }
        for what, count in shares.items():
            share = (count(one) + count(other)) / (one.ended + other.ended)
            error = math.sqrt(share * (1 - share) * (1 / one.ended + 1 / other.ended))
            if abs(count(one) / one.ended - count(other) / other.ended) > SIGMAS * error:
                said.append(f"{count(one):,} orders {what} with {first}, {count(other):,} with {name}")
        if abs(one.response_us / other.response_us - 1) > RESPONSE_WITHIN:
            said.append(f"an order takes {one.response_us:,.0f} us with {first}, {other.response_us:,.0f} with {name}")
    return said


def pool(several: Iterable[Outcome]) -> Outcome:
    """One outcome of many runs."""
    several = list(several)
    told = [outcome.fulfilled + outcome.timed_out for outcome in several]
    return Outcome(
        fulfilled=sum(outcome.fulfilled for outcome in several),
        timed_out=sum(outcome.timed_out for outcome in several),
        cancelled=sum(outcome.cancelled for outcome in several),
        rows=sum(outcome.rows for outcome in several),
        response_us=sum(n * outcome.response_us for n, outcome in zip(told, several, strict=True)) / sum(told),
    )
