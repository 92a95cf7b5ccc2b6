"""Days that show: each was made for one kind of mistake, on which a design that makes it fails within a run or two.

They are small as shops go, and large as stories go: some minutes, some hundred orders, all that belongs to the mistake.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario, scenario_names

FOLDER = Path(__file__).parent


@cache
def day_of(name: str) -> Scenario:
    """The day of a name, or else the scenario of that name that comes along."""
    return load_scenario(name if name in scenario_names() else FOLDER / f"{name}.toml")


def day_names() -> tuple[str, ...]:
    """In alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
