"""Scenario files: found by name or path, read, checked, and varied by a dotted path.

Files and paths only. What a scenario is stands in `scenario.py`, how mistakes are told in `scenario_errors.py`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_errors import (
    Problem,
    ScenarioError,
    Spots,
    describe,
    read_toml,
    suggestion,
    with_next_move,
)

__all__ = ["ScenarioError", "load_scenario", "scenario_names", "set_by_path"]

SHIPPED = Path(__file__).parent / "scenarios"


def scenario_names() -> tuple[str, ...]:
    """Names of the scenarios that ship with the package, in alphabetical order."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.toml")))


def load_scenario(path_or_name: str | Path) -> Scenario:
    """The scenario in a file, or one of those that ship with the package.

    raises   ScenarioError, one line a problem, each with its place in the file
    """
    path, shown = _find(path_or_name)
    data, spots = read_toml(path, shown)
    if "name" in data:
        raise ScenarioError(
            [Problem(shown, spots.of(("name",), key=True), "name is not a key here; the file's name is the scenario's")]
        )
    try:
        return Scenario.model_validate({**data, "name": path.stem}, context={"folder": str(path.parent)})
    except ValidationError as error:
        raise ScenarioError(describe(error, Scenario, data, spots, shown)) from None


def _find(path_or_name: str | Path) -> tuple[Path, str]:
    text = str(path_or_name)
    if isinstance(path_or_name, Path) or text.endswith(".toml") or "/" in text:
        path = Path(path_or_name)
        shown = path.name if path.parent == SHIPPED else text
        if path.is_file():
            return path, shown
        near = suggestion(path.stem, scenario_names(), "; did you mean the scenario {}?")
        found = f"is not a file; expected a scenario in TOML{near}"
        raise ScenarioError([Problem(shown, None, with_next_move(found, "orderquake scenarios"))])
    if text in scenario_names():
        return SHIPPED / f"{text}.toml", f"{text}.toml"
    near = suggestion(text, scenario_names(), "; did you mean {}?")
    found = f'no scenario is called "{text}"; expected a name or a path to a .toml file{near}'
    raise ScenarioError([Problem("", None, with_next_move(found, "orderquake scenarios"))])


def set_by_path(scenario: Scenario, path: str, value: Any) -> Scenario:
    """The scenario with one value changed: `set_by_path(calm, "service.payment.throttle.per_s", 10)`.

    path     keys as in the file, with dots; entries of arrays by number: `fault.0.for`, `fault[0].for`
    value    as in the file: durations in quotes
    raises   ScenarioError where there is no such key, or where the value does not fit
    """
    keys = [int(key) if key.isdigit() else key for key in re.findall(r"[^.\[\]]+", path)]
    data = scenario.tables()
    here: Any = data
    for depth, key in enumerate(keys):
        is_there = isinstance(key, int) and key < len(here) if isinstance(here, list) else isinstance(key, str)
        if not isinstance(here, dict | list) or not is_there:
            at = ".".join(map(str, keys[:depth]))
            raise ScenarioError([Problem("", None, f"{path} leads nowhere: {at or 'a scenario'} has no entry {key}")])
        if depth == len(keys) - 1:
            here[key] = value
        elif isinstance(here, dict):
            here = here.setdefault(key, {})
        else:
            here = here[int(key)]
    try:
        return Scenario.model_validate({**data, "name": scenario.name})
    except ValidationError as error:
        raise ScenarioError(
            describe(error, Scenario, data, Spots({}), f"{path} = {json.dumps(value, default=str)}:")
        ) from None
