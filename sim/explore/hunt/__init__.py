"""The hunt: look for a broken promise with a portfolio of strategies, shrink what is found to the smallest story, and
write it down with a test that keeps it broken or fixed.

    story = hunt_story("overwrites_on_refresh")
    write_counterexample(story, Path("story"))

Nothing heavy is imported before somebody hunts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orderquake.model.architecture import Architecture
    from orderquake.sim.explore.hunt.found import Found as Found
    from orderquake.sim.explore.hunt.found import NotFound as NotFound
    from orderquake.sim.explore.hunt.found import Watch
    from orderquake.sim.explore.hunt.story import Story as Story
    from orderquake.sim.scenario import Scenario


def hunt(
    on: str | type[Architecture],
    scenario: Scenario | str | None = None,
    budget_s: float = 10.0,
    seed: int = 1,
    strategies: Sequence[str] | None = None,
    *,
    checkers: Collection[str] | None = None,
    is_outside: bool = False,
    watch: Watch | None = None,
    is_told: Callable[[Found], bool] | None = None,
) -> Found | NotFound:
    """Look for a broken promise.

    on          a design's name, "module:Class", a planted bug's name, or a class
    scenario    the day to play, and to take the policy from; small days of stress and drawn days where absent
    budget_s    seconds of this process's CPU
    seed        the first; everything that is drawn hangs on it, but how far a budget reaches hangs on the machine
    strategies  their names; a portfolio of all that can help where absent
    checkers    look for breaches of these promises only
    is_outside  faults need not keep to the design's contract
    watch       told seconds spent and runs made
    is_told     told of what was found and is short: does it do, or should the hunt go on? It does, where absent
    raises      KeyError where there is no such design or strategy, ScenarioError for a scenario that does not hold
    """
    from orderquake.sim.designs import design_named
    from orderquake.sim.explore.hunt.portfolio import STRATEGIES, hunted, usual
    from orderquake.sim.explore.hunt.strategy import Ground
    from orderquake.sim.scenario_file import load_scenario

    design = design_named(on) if isinstance(on, str) else on
    day = load_scenario(scenario) if isinstance(scenario, str) else scenario
    names = tuple(strategies) if strategies is not None else usual(day)
    for name in names:
        if name not in STRATEGIES:
            raise KeyError(f"no strategy {name!r}; there are {', '.join(STRATEGIES)}")
    return hunted(
        Ground(design, day, seed, is_outside), budget_s, names, None if checkers is None else frozenset(checkers),
        watch, is_told,
    )  # fmt: skip


def hunt_story(
    on: str | type[Architecture],
    scenario: Scenario | str | None = None,
    budget_s: float = 10.0,
    seed: int = 1,
    strategies: Sequence[str] | None = None,
    *,
    checkers: Collection[str] | None = None,
    is_outside: bool = False,
    watch: Watch | None = None,
) -> Story | NotFound:
    """Look for a broken promise until one is found whose story can be told, or the budget, which shrinking takes its
    part of, is spent; then the best story that there is. What it is asked, and what it raises, is as in `hunt`."""
    from orderquake.sim.explore.hunt.found import Clock, NotFound
    from orderquake.sim.explore.hunt.teller import Teller

    teller, clock = Teller(), Clock(budget_s)
    found = hunt(
        on, scenario, budget_s, seed, strategies, checkers=checkers, is_outside=is_outside, watch=watch,
        is_told=teller.tells,
    )  # fmt: skip
    return found if isinstance(found, NotFound) else teller.best(found, budget_s - clock.spent_s)


def shrink(found: Found, budget_s: float = 20.0) -> Story:
    """The smallest story that breaks the same promise in the same way, within so many seconds of CPU."""
    from orderquake.sim.explore.hunt.story import story_of

    return story_of(found, budget_s)


def write_counterexample(story: Story, folder: Path) -> Path:
    """Write the folder of a counterexample; it is there as a whole or not at all.

    raises   OutError where something else is there
    """
    from orderquake.sim.explore.hunt.counterexample import write

    return write(story, folder)
