"""Scenario files: found by name or path, read, and checked.

Files only. What a scenario is stands in `scenario.py`, how mistakes are told in `scenario_errors.py`, how a scenario is
varied in `settings.py`.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_errors import Problem, ScenarioError, describe, read_toml, suggestion, with_next_move
from orderquake.sim.settings import set_by_path

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
