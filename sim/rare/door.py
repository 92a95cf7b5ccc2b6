"""The front door: a scenario, an event, and how likely it is that a run gets there before its horizon."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from orderquake.model.architecture import Architecture
from orderquake.sim.rare.levels import levels_for
from orderquake.sim.rare.paths import Path, Subject, walk
from orderquake.sim.rare.scores import SCORES, Event, Score, Watched, parse_event
from orderquake.sim.rare.splitting import FEWEST, BadLevels, Estimate, estimate
from orderquake.sim.run import design_of, policy_of, refuse_weak_store
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.world.streams import Streams
from orderquake.sim.world.world import World


class Day:
    """A scenario's fault phase on a design, as a course."""

    # Simplified: a rare event is looked for up to the horizon, not in the quiet phase; matters when it comes late.
    def __init__(self, scenario: Scenario, design: Architecture, luck: Streams, score: Score) -> None:
        self.world = World(scenario, design, 0, luck=luck)
        self.watched = Watched(self.world)
        self.watch = score

    def play(self, look: Callable[[], bool]) -> None:
        self.world.kernel.watch(self.world.scenario.horizon, look)

    def score(self) -> float:
        return self.watch(self.watched)

    def rekey(self, luck: str) -> None:
        self.world.rekey(luck)


@dataclass(frozen=True)
class Rarity:
    """How rare an event of a scenario is.

    event      what was asked for, in words
    estimate   with its interval, its levels and the path of a run in which it happens
    pilot_s    CPU seconds that it took to find the levels; 0 where they were given
    """

    scenario: Scenario
    architecture: str
    event: str
    seed: int
    estimate: Estimate
    pilot_s: float
    subject: Subject

    @property
    def chance(self) -> float:
        return self.estimate.chance

    @property
    def low(self) -> float:
        return self.estimate.low

    @property
    def high(self) -> float:
        return self.estimate.high

    @property
    def relative_error(self) -> float:
        return self.estimate.relative_error

    def play(self, path: Path | None = None) -> World:
        """Play a run in which it happens, up to that moment; its `history` tells how.

        raises   ValueError where there is none
        """
        path = path or self.estimate.arrived
        if path is None:
            raise ValueError("no run got there, so there is none to play; expected a larger effort")
        played: list[Day] = []

        def subject(luck: Streams) -> Any:
            played.append(self.subject(luck))  # type: ignore[arg-type]
            return played[0]

        walk(subject, path, self.estimate.levels[-1])
        return played[0].world

    def as_record(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {
            "scenario": self.scenario.name,
            "architecture": self.architecture,
            "event": self.event,
            "seed": self.seed,
            **self.estimate.as_record(),
            "pilot_s": round(self.pilot_s, 2),
        }


def split(
    scenario: Scenario | str | File,
    event: str | Event | tuple[Score, float],
    on: str | type[Architecture] = "hot_cold",
    levels: Sequence[float] | None = None,
    effort: int = 200,
    repetitions: int = FEWEST,
    seed: int = 1,
    processes: int = 1,
    told: Callable[[int], None] | None = None,
) -> Rarity:
    """The chance that in a run of the scenario the event happens before the horizon.

    event        "unposted >= 500", or a score of one's own and how far it has to get
    levels       scores on the way, the last one where the event is; found by a pilot where absent
    effort       runs a stage; `repetitions` of it all say how sure the result is
    told         told how many repetitions are done
    raises       BadLevels, ScenarioError, KeyError (no such design), BadEvent, TooRare (the pilot did not get there)
    """
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    if isinstance(event, str):
        event = parse_event(event)
    if isinstance(event, Event):
        name, score, target = str(event), SCORES[event.score], event.target
    else:
        score, target = event
        name = f"{getattr(score, '__name__', 'score')} >= {target:g}"
    subject = days_of(scenario, on, score)
    began = time.process_time()
    if levels is None:
        levels, pilot_s = levels_for(subject, target, runs=max(100, effort), seed=seed), time.process_time() - began
    else:
        pilot_s = 0.0
    if levels[-1] != target:
        raise BadLevels(f"the last level is {levels[-1]:g}; expected {target:g}, which is where the event happens")
    found = estimate(subject, levels, effort, repetitions, seed, processes, told)
    return Rarity(scenario, design_of(on).name, name, seed, found, pilot_s, subject)


def days_of(scenario: Scenario, on: str | type[Architecture], score: Score) -> Subject:
    """Runs of a scenario on a design, watched by a score."""
    kind, policy = design_of(on), policy_of(scenario)
    refuse_weak_store(scenario, kind(policy))
    return lambda luck: Day(scenario, kind(policy), luck, score)
