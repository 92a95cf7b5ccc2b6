"""Strategies that play whole days: a scenario with other luck, named days, drawn ones, and small days of stress."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from orderquake.model.architecture import Architecture
from orderquake.sim.demand import Listed
from orderquake.sim.explore.days import day_names, day_of
from orderquake.sim.explore.hunt.found import Case
from orderquake.sim.explore.hunt.listing import narrowed
from orderquake.sim.explore.hunt.strategy import Ground, Play, seeds
from orderquake.sim.explore.hunt.stress import stressed
from orderquake.sim.explore.swarm import NothingBreaks, broken_by, drawn
from orderquake.sim.explore.swarm_faults import Day
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario

DAYS = ("stale_refresh", "lossy_payments", "slow_stock", "bad_provider")
"""What is played seed by seed where no scenario was named."""
SLICE = 8
"""Small runs a turn."""


class MonteCarlo:
    """The scenario as it is, with one seed after the other: what happens by itself."""

    name: ClassVar[str] = "monte_carlo"

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def turns(self, play: Play) -> Iterator[None]:
        named = self.ground.scenario
        days = (named,) if named is not None else tuple(map(load_scenario, DAYS))
        for seed in seeds(self.ground.seed):
            for day in days:
                play(Case(day, seed))
                yield


OTHER_LUCK, MORE_LUCK = 6, 24
"""Seeds with which a named day that failed is played with ever more of its customers, as long as they are few, and
with those alone whom the breach names."""
FEW_ORDERS = 20


class NamedDays:
    """Days that were made for one kind of mistake each (`explore/days`), one after the other, then with other luck.

    They have too many customers for a story; so where something breaks, the day is played with fewer.
    """

    name: ClassVar[str] = "days"

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def turns(self, play: Play) -> Iterator[None]:
        ground = self.ground
        days = [day for day in map(day_of, day_names()) if ground.is_outside or is_inside(day, ground.design)]
        for seed in seeds(ground.seed) if days else ():
            for day in days:
                case = Case(day, seed)
                outcome = play(case)
                yield
                if outcome.run is not None and outcome.failures:
                    cases = tuple(narrowed(case, outcome.run, outcome.failures[0]))
                    few = tuple(fewer for fewer in cases if orders_in(fewer) <= FEW_ORDERS)
                    for fewer in cases:
                        play(fewer)
                    yield
                    for other in range(seed + 1, seed + MORE_LUCK):
                        for fewer in few if other < seed + OTHER_LUCK else few[:1]:
                            play(fewer._replace(seed=other))
                        yield


def orders_in(case: Case) -> int:
    """How many are on the list of a case that `narrowed` made."""
    workload = case.scenario.workload
    return len(workload.order) if isinstance(workload, Listed) else FEW_ORDERS + 1


def is_inside(day: Scenario, design: type[Architecture]) -> bool:
    """Does no fault of the day take away what the design requires?"""
    calm = Day.of(day)
    return not any(broken_by(fault, calm) & design.requires for fault in day.fault)


class Swarm:
    """Days whose every knob is drawn, with faults inside the contract of the design (or outside, where asked)."""

    name: ClassVar[str] = "swarm"

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def turns(self, play: Play) -> Iterator[None]:
        ground = self.ground
        for seed in seeds(ground.seed):
            try:
                day = drawn(seed, ground.design, ground.is_outside)
            except NothingBreaks:
                day = drawn(seed, ground.design)
            play(Case(day.scenario, seed))
            yield


class Stress:
    """Small days with dense races; see `stress.py`. Finds most, and what it finds is nearly a story already."""

    name: ClassVar[str] = "stress"

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def turns(self, play: Play) -> Iterator[None]:
        ground = self.ground
        for seed in seeds(ground.seed):
            play(Case(stressed(seed, ground.design, ground.scenario, ground.is_outside), seed))
            if seed % SLICE == 0:
                yield
