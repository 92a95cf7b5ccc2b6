"""Rare events against numbers that somebody else has worked out: importance splitting over the product's own runs.

A waiting line that grows long, refreshes that fail many times in a row, and a shared shelf that is oversold although
many units are held back. Each of them happens too seldom to be waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify

import pytest

from orderquake.sim.rare import estimate, split
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.streams import Streams
from tests.known import formulas
from tests.known.bench import Corner, Pays, exponential, poisson, shop
from tests.known.conftest import SLOW, Agrees, Effort
from tests.known.table import known
from tests.known.test_drift import CYCLE_S, polling

GARVELS = "gambler's ruin; the splitting literature's first example"


class Cycle(Corner):
    """From the first customer at an idle till until it is idle again; the score is how many are in the house.

    A service here is memoryless, so what is left of the one under way belongs to the luck from now on. It must: runs
    that go on from a level would all share one long service, and what that is worth, exp((1 - rho) * its length) lines,
    has no finite square from rho = 1/2 down. No number of runs would be enough.
    """

    def __init__(self, scenario: Scenario, streams: Streams) -> None:
        super().__init__(scenario, Pays, streams)
        self.till = self.wire.replicas["payment"]

    def score(self) -> float:
        return len(self.made.arrivals) - self.gone

    def rekey(self, luck: object) -> None:
        super().rekey(luck)
        queue, ends = self.kernel.queue, self.till.finish
        rest = self.streams.of("what is left of a service", self.till.config.latency)
        for place, (_, rank, run, argument) in enumerate(queue):
            if run == ends:
                queue[place] = (queue[0][0] + rest.draw(0), rank, run, argument)
        heapify(queue)

    def play(self, look: Callable[[], bool]) -> None:
        def looks() -> bool:
            return look() or not self.score()

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
        lambda luck: Cycle(scenario, luck),
        levels,
        effort=20 * effort.longer,
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
    found = split(scenario, event, levels=levels, effort=120 * effort.longer, repetitions=20, seed=effort.seeds[0])
    chance = formulas.failures_in_a_row(skips, row, ticks)
    chances = [each.chance for each in found.estimate.repetitions]
    agrees(
        f"{row} of {ticks} refreshes fail in a row, {skips:.0%} each", chances, chance, 0.9 * chance, full=0.3 * chance
    )
