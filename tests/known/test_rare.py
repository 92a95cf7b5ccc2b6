"""Rare events against numbers that somebody else has worked out: importance splitting over the product's own runs.

A waiting line that grows long, refreshes that fail many times in a row, and a shared shelf that is oversold although
many units are held back. Each of them happens too seldom to be waited for.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from orderquake.sim.rare import estimate, split
from orderquake.sim.scenario import Scenario
from orderquake.sim.units import SECOND
from orderquake.sim.world.streams import Streams
from orderquake.sim.world.wire import Sending
from orderquake.sim.world.workload import Arrival
from tests.known import formulas
from tests.known.bench import Corner, Pays, exponential, poisson, shop
from tests.known.conftest import SLOW, Agrees, Effort
from tests.known.table import known
from tests.known.test_drift import CYCLE_S, polling

GARVELS = "gambler's ruin; the splitting literature's first example"


class Cycle(Corner):
    """From the first customer at an idle till until it is idle again.

    Whoever waits for a long line must also see what is settled already: one long service lets many come, and the next
    customer may be far off. So the score is the logarithm, to the base 1 / rho, of what keeps its mean at every event:
    (1 / rho) ** line * exp((1 - rho) * (work left - time to the next customer)), with services of mean one. What an
    event draws counts from the next event on, since it may be drawn anew. Seen by the line alone, runs with one long
    service decide everything from rho = 1/2 down: of exp((1 - rho) * work), the square has no mean.
    source   Wald's martingale; Garvels, Van Ommeren and Kroese, "On the importance function in splitting simulation"
    """

    def __init__(self, scenario: Scenario, streams: Streams, rho: float, length: int) -> None:
        self.follows_us = self.works_until_us = 0
        self.drew_next = self.drew_work = False
        super().__init__(scenario, Pays, streams)
        self.length = length
        self.worth = (1 - rho) / (math.log(1 / rho) * SECOND)
        self.till = till = self.wire.replicas["payment"]
        work = till.work

        def noted(sending: Sending) -> int:
            took_us = work(sending)
            self.works_until_us, self.drew_work = self.kernel.now + took_us, True
            return took_us

        till.work = noted  # type: ignore[method-assign]

    def expect(self, following: Arrival) -> None:
        self.follows_us, self.drew_next = following.at_us, True
        super().expect(following)

    def score(self) -> float:
        line = len(self.till.waiting) + self.till.busy
        if line >= self.length:
            return self.length
        now = self.kernel.now
        work_us = 0 if self.drew_work else max(0, self.works_until_us - now)
        next_us = 0 if self.drew_next else self.follows_us - now
        return min(line + self.worth * (work_us - next_us), self.length - 0.5)

    def play(self, look: Callable[[], bool]) -> None:
        has_begun = False

        def looks() -> bool:
            nonlocal has_begun
            ends = look()
            self.drew_next = self.drew_work = False
            has_begun = has_begun or self.till.busy > 0
            return ends or (has_begun and not self.till.busy)

        self.kernel.watch(self.made.scenario.horizon, looks)


@known("long_line", 11, "How likely is a line of L before the till is idle again?", GARVELS, by_length=True)
@pytest.mark.parametrize(
    ("rho", "length"),
    [(0.5, 8), pytest.param(0.5, 20, marks=SLOW), pytest.param(0.4, 20, marks=SLOW)],
)
def test_a_till_has_a_line_as_long_as_known(effort: Effort, agrees: Agrees, rho: float, length: int) -> None:
    """A level for every customer, chosen beforehand."""
    scenario = shop(100_000.0, poisson(rho), service={"payment": {"latency": exponential(1.0), "capacity": 1}})
    levels = range(2, length + 1)
    found = estimate(
        lambda luck: Cycle(scenario, luck, rho, length),
        levels,
        effort=30 * effort.longer,
        repetitions=20,
        seed=effort.seeds[0],
    )
    chance = formulas.line_before_idle(rho, length)
    chances = [each.chance for each in found.repetitions]
    agrees(f"rho {rho:g}, a line of {length}", chances, chance, 0.9 * chance, full=0.3 * chance)


@known(
    "missed_refreshes",
    11,
    "How likely are so many failed refreshes in a row?",
    "a Markov chain of two lines",
    by_length=True,
)
@pytest.mark.parametrize(("skips", "row", "ticks"), [(0.2, 4, 8), pytest.param(0.1, 7, 8, marks=SLOW)])
def test_refreshes_fail_in_a_row_as_often_as_known(
    effort: Effort, agrees: Agrees, skips: float, row: int, ticks: int
) -> None:
    """The world itself, from a scenario; a level in the middle of every cycle."""
    scenario = polling(ticks + 0.9, 1e-6, skips=skips)
    levels = [(n + 0.5) * CYCLE_S for n in range(1, row + 1)]
    event = f"staleness_s >= {levels[-1]:g}"
    found = split(scenario, event, levels=levels, effort=20 * effort.longer, repetitions=20, seed=effort.seeds[0])
    chance = formulas.failures_in_a_row(skips, row, ticks)
    chances = [each.chance for each in found.estimate.repetitions]
    agrees(
        f"{row} of {ticks} refreshes fail in a row, {skips:.0%} each", chances, chance, 0.9 * chance, full=0.3 * chance
    )
