"""Runs that nobody played: what they would have seen is drawn from a law, so that the right answer is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from orderquake.sim.asked import Asked
from orderquake.sim.planning.knob import Knob
from orderquake.sim.planning.probe import Probe, Probes
from orderquake.sim.planning.promise import Seen
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario

CALM = load_scenario("calm_day")


class PlainKnob(Knob):
    """The scenario is the same at every value: who asks for runs says the value."""

    asking: list[float] = []  # noqa: RUF012 - one for all, on purpose: a frozen dataclass has no room of its own

    def scenario(self, value: float) -> Scenario:
        self.asking[:] = [value]
        return self.asked.scenario

    def is_possible(self, value: float) -> bool:
        return self.least <= value <= self.most


def load(start: float, **options: Any) -> PlainKnob:
    """Something like a rate: larger is harder."""
    asked = Asked("calm_day", CALM, "hot_cold", {})
    settled = {"is_whole": False, "is_duration": False, "want": "largest", **options}
    return PlainKnob(asked, "workload.rate_per_s", start, **settled)


@dataclass
class MadeUp(Probes):
    """chance   value -> the share of orders that wait too long; spread: of that share from run to run."""

    chance: Callable[[float], float] = lambda _: 0.0
    orders: int = 2000
    spread: float = 0.2
    sent: int = 10
    luck: int = 0
    asked_for: list[tuple[float, int]] = field(default_factory=list)

    def at(self, scenario: Scenario, seeds: Sequence[int], failed: Any) -> list[Probe]:
        value = PlainKnob.asking[0]
        return [self.one(value, seed) for seed in seeds]

    def one(self, value: float, seed: int) -> Probe:
        self.asked_for.append((value, seed))
        # The day's mood belongs to the seed and is the same at every value, as luck is in a world.
        mood = np.random.default_rng((self.luck, seed)).gamma(1 / self.spread**2, self.spread**2)
        share = min(self.chance(value) * mood, 1.0)
        hits = int(np.random.default_rng((self.luck, seed, round(value * 1e6))).binomial(self.orders, share))
        return Probe(seed, "", "valid", (), (), self.sent, (Seen(hits, self.orders, share),), 0.0)
