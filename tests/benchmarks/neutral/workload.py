"""The neutral order workload: what every implementation plays, and how its rows are read. Nobody's engine is in here.

Orders come at random (a Poisson process). Each of them

    travels to the shop            sleep 1       rows: submit is asked; register is asked
    is registered                  sleep 2       rows: registered
    travels to the stock           sleep 3       rows: reserve is asked
    waits for one of 4 slots, and
    is reserved                    sleep 4       rows: reserved
    travels to the provider        sleep 5       rows: charge is asked
    is paid, or not in time        one race      rows: captured, or silence
    travels to the packers         sleep 6       rows: pack is asked      (not after a silence)
    waits for one of 4 slots, and
    is packed                      sleep 7       rows: packed             (not after a silence)
    travels to the customer        sleep 8       rows: notice is asked
    is told the end                sleep 9       rows: told, fulfilled or timed_out

that is nine sleeps, two resources with a line in order of arrival, a race and twelve rows. About 5 % lose the race. Of
all orders 2 % are cancelled by their customer at some moment of their first half second, wherever they are: asleep, in
line, holding a slot, or in the race; a slot is passed on, a last row is written, and nothing more happens.

A row says when, invoke or ok or info, which operation, which order, who wrote it, and what was answered.
Time is in microseconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np

GAP_US = 5_000
LEG_US = 20_000
REGISTER_US = 5_000
RESERVE_US = 16_000
PAY_MEDIAN_US, PAY_SIGMA = 300_000, 0.5
PAY_MU = math.log(PAY_MEDIAN_US)
LIMIT_US = 680_000
PACK_US = 17_000
NOTICE_US = 30_000
SLOTS = 4
CANCELS = 0.02
CANCELS_WITHIN_US = 500_000


Rows: TypeAlias = list[tuple[float, str, str, str, str]]
"""Time, kind, operation, order, answer: what every implementation has written, whatever else its rows say."""


class Outcome(NamedTuple):
    """What became of the orders: counts, and the mean time from coming to being told, of those who were told."""

    fulfilled: int
    timed_out: int
    cancelled: int
    rows: int
    response_us: float

    @property
    def ended(self) -> int:
        return self.fulfilled + self.timed_out + self.cancelled


def outcome_of(rows: Rows) -> Outcome:
    """Read the rows of a run."""
    came: dict[str, float] = {}
    ends = {"fulfilled": 0, "timed_out": 0, "cancelled": 0}
    told_us, total = 0.0, 0
    for time, kind, operation, order, answer in rows:
        total += 1
        if operation == "submit":
            if kind == "invoke":
                came[order] = time
            else:
                ends[answer] += 1
                since = came.pop(order)
                told_us += time - since if answer != "cancelled" else 0
    assert not came, f"{len(came)} orders never ended, {next(iter(came))} among them"
    return Outcome(**ends, rows=total, response_us=told_us / (ends["fulfilled"] + ends["timed_out"]))


# -- luck in blocks, in whole microseconds


class Exponential:
    """Sleeps of this mean."""

    def __init__(self, mean_us: float) -> None:
        self.mean_us = mean_us

    def sample(self, generator: np.random.Generator, n: int) -> Any:
        return generator.exponential(self.mean_us, n).astype(np.int64)


class Payment:
    """How long the provider takes."""

    def sample(self, generator: np.random.Generator, n: int) -> Any:
        return generator.lognormal(PAY_MU, PAY_SIGMA, n).astype(np.int64)


class Cancel:
    """When the customer cancels, counted from coming; -1 for those who never do."""

    def sample(self, generator: np.random.Generator, n: int) -> Any:
        moments = generator.random(n) / CANCELS
        return np.where(moments < 1, moments * CANCELS_WITHIN_US, -1).astype(np.int64)


LAWS: dict[str, Exponential | Payment | Cancel] = {
    "gap": Exponential(GAP_US),
    "cancel": Cancel(),
    "to_shop": Exponential(LEG_US),
    "register": Exponential(REGISTER_US),
    "to_stock": Exponential(LEG_US),
    "reserve": Exponential(RESERVE_US),
    "to_provider": Exponential(LEG_US),
    "pay": Payment(),
    "to_packers": Exponential(LEG_US),
    "pack": Exponential(PACK_US),
    "to_customer": Exponential(LEG_US),
    "notice": Exponential(NOTICE_US),
}
"""What an order draws, by name; `gap` is the time from the coming of the order before."""


def dealt(seed: int) -> Iterator[tuple[int, ...]]:
    """The luck of one order after the other, in the order of `LAWS`, drawn by numpy in blocks of 1,024."""
    generator = np.random.default_rng(seed)
    while True:
        yield from zip(*(law.sample(generator, 1024).tolist() for law in LAWS.values()), strict=True)
