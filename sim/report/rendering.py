"""From values to HTML: the templates, escaped unless a template says otherwise. No number is worked out here."""

from __future__ import annotations

import json
import math
import platform
import shlex
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import Any, Protocol

from orderquake.sim.study.subject import Question, Replication

_LIBRARIES = ("orderquake", "numpy", "simpy", "scipy", "pandas", "matplotlib")


def render(template: str, values: Mapping[str, Any]) -> str:
    """Fill a template of this room."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    folder = files("orderquake.sim.report") / "templates"
    environment = Environment(
        loader=FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(values)


def fact(label: str, value: str, *, is_code: bool = False) -> dict[str, Any]:
    """One line of a list of facts."""
    return {"label": label, "value": value, "is_code": is_code}


def key_number(label: str, value: str, note: str = "") -> dict[str, str]:
    """One cell of the header's strip."""
    return {"label": label, "value": value, "note": note}


def scenario_json(scenario: Question) -> str:
    """The scenario's canonical form, laid out for reading."""
    text: str = import_module("orderquake.sim.scenario").canonical_json(scenario)
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False)


class Asked(Protocol):
    """How runs were asked for, where somebody did so on a command line."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What was set in the scenario: dotted path -> value."""

    def set_words(self) -> Sequence[str]:
        """The settings, PATH=VALUE each."""

    def again(self, seed: int) -> str:
        """The line that plays one seed again."""


def command(run: Replication, asked: Asked | None = None) -> str:
    """The line that plays this run again, to the bit."""
    if asked is not None:
        return asked.again(run.seed)
    return shlex.join(("orderquake", "run", run.scenario.name, "--on", run.architecture, "--seed", str(run.seed)))


def facts_of(asked: Asked | None) -> list[dict[str, Any]]:
    """What was set in the scenario, a fact each."""
    return [fact("Set in the scenario", word, is_code=True) for word in (asked.set_words() if asked else ())]


def versions() -> str:
    """Python, and the libraries whose versions could change a number or a picture."""
    found = [f"Python {platform.python_version()}"]
    for library in _LIBRARIES:
        try:
            found.append(f"{library} {version(library)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def as_json(value: Any) -> str:
    """JSON that every reader accepts: a number that is none (NaN, infinity) becomes null."""
    return json.dumps(_claimed(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _claimed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _claimed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_claimed(item) for item in value]
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
