"""Settings: values that whoever plays a scenario puts in the place of its own, each under a dotted path.

`policy.order=reserve_first` is read, applied to a scenario, and written again for the line that plays it once more.
Settings are a set: their order does not matter, for what lies around is set before what lies inside. What a scenario
is stands in `scenario.py`, how mistakes are told in `scenario_errors.py`; no file is opened here.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any, TypeAlias

from pydantic import ValidationError

from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_errors import Problem, ScenarioError, Spots, describe, dotted, suggestion, with_next_move

Settings: TypeAlias = Mapping[str, Any]
"""Dotted path -> value, as in a scenario file: durations and dates are text."""

_PATH = re.compile(r"[^.\[\]\s]+(\.[^.\[\]\s]+|\[\d+\])*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_EXAMPLE = "expected PATH=VALUE, such as --set policy.order=reserve_first"


# -- as words


def read_settings(words: Sequence[str]) -> dict[str, Any]:
    """What was said on a command line: `PATH=VALUE` each, the value in TOML or, where it is none, a plain word.

    raises   ScenarioError, one line a word that is no setting, or that sets what is set already

    >>> read_settings(["policy.order=reserve_first", "horizon=2 h", "fault[0].probability=0.3", "fault.1.nth=4"])
    {'policy.order': 'reserve_first', 'horizon': '2 h', 'fault.0.probability': 0.3, 'fault.1.nth': 4}
    """
    settings: dict[str, Any] = {}
    problems: list[Problem] = []
    for word in words:
        path, equals, value = word.partition("=")
        path = path.strip()
        if not equals:
            problems.append(_wrong(word, f"has no value; {_EXAMPLE}"))
        elif not _PATH.fullmatch(path):
            problems.append(_wrong(word, f"has no path before the equals sign; {_EXAMPLE}"))
        elif (name := ".".join(map(str, _keys(path)))) in settings:
            problems.append(_wrong(word, f"sets {name} a second time; expected every path once"))
        else:
            settings[name] = _read(value)
    if problems:
        raise ScenarioError(problems)
    return settings


def write_settings(settings: Settings) -> list[str]:
    """The words that `read_settings` reads the same settings from, in the order of their paths.

    >>> write_settings({"policy.order": "reserve_first", "fault": [{"kind": "down", "from": "5"}], "horizon": "2 h"})
    ['fault=[{ kind = "down", from = "5" }]', 'horizon=2 h', 'policy.order=reserve_first']
    """
    return [f"{path}={_written(value)}" for path, value in sorted(settings.items())]


def tag_of(settings: Settings) -> str:
    """Eight hexadecimal digits that tell these settings from others, or nothing where there are none."""
    words = "\n".join(write_settings(settings))
    return hashlib.blake2b(words.encode(), digest_size=4).hexdigest() if words else ""


def _wrong(word: str, text: str) -> Problem:
    return Problem("", None, f'--set "{word}" {text}')


def _read(text: str) -> Any:
    try:
        found = tomllib.loads(f"value = {text}")
    except ValueError:
        return text.strip()
    return _plain(found["value"]) if len(found) == 1 else text.strip()


def _plain(value: Any) -> Any:
    """Dates and times as the text that they are in a scenario's tables."""
    match value:
        case date() | time():
            return value.isoformat()
        case list():
            return [_plain(entry) for entry in value]
        case dict():
            return {key: _plain(entry) for key, entry in value.items()}
    return value


def _written(value: Any) -> str:
    return value if isinstance(value, str) and _read(value) == value else _toml(value)


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case Mapping():
            pairs = (f"{key if _BARE_KEY.fullmatch(key) else _toml(key)} = {_toml(value[key])}" for key in value)
            return f"{{ {', '.join(pairs)} }}" if value else "{}"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)


# -- in a scenario


def set_by_path(scenario: Scenario, path: str, value: Any) -> Scenario:
    """The scenario with one value changed: `set_by_path(calm, "service.payment.throttle.per_s", 10)`.

    path     keys as in the file, with dots; entries of arrays by number, from 0: `fault.0.for`, `fault[0].for`
    value    as in the file: durations in quotes
    raises   ScenarioError where there is no such key, or where the value does not fit
    """
    return with_settings(scenario, {path: value})


def with_settings(scenario: Scenario, settings: Settings) -> Scenario:
    """The scenario with all these values changed at once; files that they name are looked for in the working directory.

    raises   ScenarioError where there is no such key, or where a value does not fit
    """
    if not settings:
        return scenario
    data = scenario.tables()
    for path, value in sorted(settings.items(), key=lambda setting: list(map(str, _keys(setting[0])))):
        _put(data, path, value)
    shown = f"{scenario.name} with {', '.join(write_settings(settings))}:"
    try:
        made = Scenario.model_validate({**data, "name": scenario.name}, context={"folder": "."})
    except ValidationError as error:
        raise ScenarioError(describe(error, Scenario, data, Spots({}), shown)) from None
    tables = made.tables()
    if lost := [text for path, value in settings.items() if (text := _lost(tables, path, value))]:
        raise ScenarioError(Problem(shown, None, text) for text in lost)
    return made


def _keys(path: str) -> list[str | int]:
    return [int(key) if key.isdecimal() else key for key in re.findall(r"[^.\[\]]+", path)]


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    """Change one value in the tables; tables on the way that are not there yet are made.

    raises   ScenarioError where the path ends in the air
    """
    here: Any = data
    keys = _keys(path)
    for depth, key in enumerate(keys):
        is_last = depth == len(keys) - 1
        match here, key:
            case list(), int() if key < len(here):
                if is_last:
                    here[key] = value
                here = here[key]
            case dict(), str():
                if is_last:
                    here[key] = value
                here = here.setdefault(key, {})
            case _:
                text = f"{path} leads nowhere: {dotted(tuple(keys[:depth]))} has no entry {key}; {_entries(here)}"
                raise ScenarioError([Problem("", None, with_next_move(text, "orderquake schema"))])


def _entries(here: Any) -> str:
    match here:
        case []:
            return "it is empty"
        case [_]:
            return "expected 0, its only one"
        case list():
            return f"expected a number from 0 to {len(here) - 1}"
        case dict():
            return f"expected one of {', '.join(here)}"
    return "it is a single value"


def _lost(tables: Any, path: str, value: Any) -> str | None:
    """Why a value that was put in is not in the scenario that came out; None where it is, or is an absence itself."""
    here, keys = tables, _keys(path)
    for depth, key in enumerate(keys):
        try:
            here = here[key]
        except KeyError:
            if value is None and depth == len(keys) - 1:
                return None
            near = suggestion(str(key), here, "; did you mean {}?")
            text = f"{dotted(tuple(keys[: depth + 1]))} is not a key here; expected one of {', '.join(here)}{near}"
            return with_next_move(text, "orderquake schema")
    return None
