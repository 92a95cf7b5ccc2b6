"""Strategies that draw whole days: the scenario as it is with other luck, days of the swarm, small days of stress."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from orderquake.sim.explore.hunt.found import Case
from orderquake.sim.explore.hunt.strategy import Ground, Play, seeds
from orderquake.sim.explore.hunt.stress import stressed
from orderquake.sim.explore.swarm import NothingBreaks, drawn
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
