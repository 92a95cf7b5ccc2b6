"""The hunt: look for a broken promise with a portfolio of strategies, shrink what is found to the smallest story, and
write it down with a test that keeps it broken or fixed.

    found = hunt("overwrites_on_refresh")
    story = shrink(found)
    write_counterexample(story, Path("story"))

Nothing heavy is imported before somebody hunts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
        Ground(design, day, seed, is_outside), budget_s, names, None if checkers is None else frozenset(checkers), watch
    )


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
