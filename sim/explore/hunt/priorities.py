"""Random priorities: every order and every job gets a rank, and whoever has a low one is late in all it does.

In the manner of PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized scheduler with probabilistic guarantees
of finding bugs", 2010), told as delays: a rank is a lateness of each of a flow's events, and at `DEPTH` - 1 moments a
flow falls to the last rank. PCT's bound of 1/(n k^(d-1)) is *not* claimed: it needs a scheduler that obeys priorities
strictly, and here a flow of low rank still moves while a higher one waits for the payment provider.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from orderquake.sim.explore.hunt.changes import rested
from orderquake.sim.explore.hunt.found import Case
from orderquake.sim.explore.hunt.lateness import SHORTEST_US, Late, later, loosened, may_be_late
from orderquake.sim.explore.hunt.strategy import Ground, Play, seeds
from orderquake.sim.explore.hunt.stress import stressed
from orderquake.sim.explore.swarm_luck import Luck
from orderquake.sim.units import SECOND
from orderquake.sim.world.streams import Deviation, TracedStreams

DEPTH = 2
"""Ordering constraints that a bug is thought to need; one flow changes its rank in between."""
TRIES = 4
"""Rankings for each day."""


class Priorities:
    """A ranking of all flows of a small day, and another one."""

    name: ClassVar[str] = "priorities"

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def turns(self, play: Play) -> Iterator[None]:
        ground = self.ground
        for seed in seeds(ground.seed):
            day = rested(loosened(stressed(seed, ground.design, ground.scenario, ground.is_outside)))
            noted = TracedStreams(seed)
            play(Case(day, seed), noted)
            events = may_be_late(noted.draws, day)
            luck = Luck(seed, "priorities")
            for number in range(TRIES if events else 0):
                play(Case(day, seed, ranked(events, luck.under(number))))
            yield


def ranked(events: list[Late], luck: Luck) -> tuple[Deviation, ...]:
    """The delays of one ranking."""
    groups = list(dict.fromkeys(event.group for event in events))
    order = sorted(groups, key=luck.share)
    rank = {group: place for place, group in enumerate(order)}
    falls = {luck.whole(f"fall-{change}", 0, len(events) - 1) for change in range(DEPTH - 1)}
    unit_us = luck.decades("unit", SHORTEST_US, SECOND)
    late: list[Deviation] = []
    for place, event in enumerate(events):
        if place in falls:
            rank[event.group] = len(groups)
        by_us = round(rank[event.group] * unit_us / max(1, len(groups)))
        if by_us and event.sort != "leg":  # a rank counts once an event, at its work
            late.append(later(event, by_us))
    return tuple(late)
