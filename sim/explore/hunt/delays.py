"""Few single delays: a small day plays as it would, but for one or two events that come late.

The default order of events is kept but for so many deviations; most races need one or two (Emmi, Qadeer, Rakamaric,
"Delay-bounded scheduling", 2011). Which events there are is read off a run whose draws were noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from orderquake.sim.explore.hunt.changes import rested
from orderquake.sim.explore.hunt.found import Case
from orderquake.sim.explore.hunt.lateness import SHORTEST_US, later, longest_us, loosened, may_be_late
from orderquake.sim.explore.hunt.strategy import Ground, Play, seeds
from orderquake.sim.explore.hunt.stress import stressed
from orderquake.sim.explore.swarm_luck import Luck
from orderquake.sim.world.streams import TracedStreams

TRIES = 8
"""Runs with delays for each day."""


class Delays:
    """One or two late events on a small day, budget by budget: the first half of the tries has one."""

    name: ClassVar[str] = "delays"

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def turns(self, play: Play) -> Iterator[None]:
        ground = self.ground
        for seed in seeds(ground.seed):
            day = rested(loosened(stressed(seed, ground.design, ground.scenario, ground.is_outside)))
            noted = TracedStreams(seed)
            play(Case(day, seed), noted)
            events = may_be_late(noted.draws, day)
            luck = Luck(seed, "delays")
            for number in range(TRIES if events else 0):
                here = luck.under(number)
                chosen = {
                    here.whole(f"event-{which}", 0, len(events) - 1): here.decades(
                        f"by-{which}", SHORTEST_US, longest_us(day)
                    )
                    for which in range(1 if number < TRIES // 2 else 2)
                }
                play(Case(day, seed, tuple(later(events[which], round(by)) for which, by in chosen.items())))
            yield
