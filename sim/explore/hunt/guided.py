"""Small days of stress, led by what they showed: a day that reached something new is kept, and changed in one part.

New is a pair of changes in a row, of one order or one product, that no run before has had.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from orderquake.sim.explore.hunt.found import Case
from orderquake.sim.explore.hunt.seeding import SLICE
from orderquake.sim.explore.hunt.strategy import Ground, Play, seeds
from orderquake.sim.explore.hunt.stress import stressed_by
from orderquake.sim.explore.swarm_luck import Luck
from orderquake.sim.history import History

PARTS = ("orders", "service", "policy", "jobs", "faults-0")
MOST_KEPT = 60


class Mixed(Luck):
    """The luck of one seed, but for some parts, which have that of others."""

    def __init__(self, seed: int, parts: tuple[tuple[str, int], ...]) -> None:
        super().__init__(seed, "stress")
        self.parts = dict(parts)

    def under(self, name: object) -> Luck:
        return Luck(self.parts.get(str(name), self.seed), f"{self.path}/{name}")


class Guided:
    """Every other day is a kept one with one part drawn anew."""

    name: ClassVar[str] = "guided"

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def turns(self, play: Play) -> Iterator[None]:
        ground = self.ground
        seen: set[tuple[str, str, str]] = set()
        kept: list[tuple[int, tuple[tuple[str, int], ...]]] = []
        for seed in seeds(ground.seed):
            luck = Luck(seed, "guided")
            day: tuple[int, tuple[tuple[str, int], ...]] = (seed, ())
            if kept and seed % 2:
                first, parts = luck.pick("which", kept)
                day = first, (*parts, (luck.pick("part", PARTS), seed))
            scenario = stressed_by(Mixed(*day), ground.design, ground.scenario, ground.is_outside)
            outcome = play(Case(scenario, seed))
            if outcome.run is not None and (new := pairs_of(outcome.run.history) - seen):
                seen |= new
                kept = [*kept[-MOST_KEPT:], day]
            if seed % SLICE == 0:
                yield


def pairs_of(history: History) -> set[tuple[str, str, str]]:
    """Which change followed which, of one order or one product."""
    last: dict[str, str] = {}
    found = set()
    for row in history:
        if row.kind in ("state", "fault"):
            about = row.order or row.sku
            now = f"{row.operation}/{row.answer or row.to_state}/{row.is_new}" if row.kind == "state" else row.operation
            found.add((last.get(about, ""), now, row.kind))
            last[about] = now
    return found
