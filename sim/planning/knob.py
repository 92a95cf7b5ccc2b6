"""What a plan turns: one number of a scenario, by its dotted path, and which way is harder.

Rates, scales, counts and durations are numbers; everything else is refused by name. Nothing is simulated here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from orderquake.sim.asked import Asked, Mistake
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_errors import ScenarioError
from orderquake.sim.settings import set_by_path, with_settings
from orderquake.sim.units import format_duration, parse_duration

Want = Literal["largest", "smallest"]

LOADS: Mapping[str, str] = {
    "poisson": "workload.rate_per_s",
    "bursts": "workload.rate_per_s",
    "profile": "workload.scale",
    "trace": "workload.scale",
    "flash_sale": "workload.orders",
    "rounds": "workload.buyers",
    "closed": "workload.customers",
}
"""Kind of workload -> what makes more of it."""
LOAD_PATHS = (*dict.fromkeys(LOADS.values()), "workload.speed_up")


@dataclass(frozen=True, slots=True)
class Knob:
    """A number of a scenario.

    start      where a search begins: the scenario's own value, where that may be probed
    own        the scenario's own value; both are microseconds where it is a duration
    base       settings that hold at every value
    least, most   values that may be probed, inclusive
    """

    asked: Asked
    path: str
    start: float
    is_whole: bool
    is_duration: bool
    want: Want | None = None
    least: float = 0.0
    most: float = math.inf
    base: Mapping[str, Any] | None = None
    own: float = 0.0

    @property
    def is_load(self) -> bool:
        return self.path in LOAD_PATHS

    def written(self, value: float) -> Any:
        """The value as a scenario file has it."""
        if self.is_duration:
            return format_duration(round(value))
        return round(value) if self.is_whole else float(f"{value:.6g}")

    def rounded(self, value: float) -> float:
        """The nearest value that can be written."""
        if self.is_duration:
            # Three digits are enough for anything that somebody is to type.
            digits = max(0, math.floor(math.log10(value)) - 2) if value >= 1 else 0
            return float(round(value, -digits))
        return float(round(value)) if self.is_whole else float(f"{value:.3g}")

    def in_words(self, value: float) -> str:
        return str(self.written(value))

    def settings(self, value: float) -> dict[str, Any]:
        """All that is set in the scenario at a value."""
        return {**(self.base or {}), self.path: self.written(value)}

    def scenario(self, value: float) -> Scenario:
        """raises   ScenarioError where the value does not fit"""
        return with_settings(self.asked.scenario, self.settings(value))

    def is_possible(self, value: float) -> bool:
        """Does the scenario hold together with it?"""
        if not self.least <= value <= self.most:
            return False
        try:
            self.scenario(value)
        except ScenarioError:
            return False
        return True

    def command(self, value: float, seed: int) -> str:
        """The line that plays one seed at a value."""
        asked = self.asked
        return asked._replace(settings={**asked.settings, **self.settings(value)}).again(seed)

    # -- where a value lies: `hardness` grows the harder it is to keep a promise

    def hardness(self, value: float) -> float:
        where = math.log1p(value) if self.is_whole else math.log(max(value, 1e-12))
        return where if self.want != "smallest" else -where

    def at(self, hardness: float) -> float:
        """The value at a hardness, as near as it can be written."""
        where = hardness if self.want != "smallest" else -hardness
        return self.rounded(math.expm1(where) if self.is_whole else math.exp(where))


def default_path(scenario: Scenario) -> str:
    """The load of a scenario. raises   Mistake where its workload has no such number"""
    kind = scenario.workload.kind
    if kind not in LOADS:
        raise Mistake(
            f'{scenario.name} has a workload of kind "{kind}", which no one number makes larger; say what to vary, as '
            "--find service.payment.throttle.per_s"
        )
    return LOADS[kind]


def knob_of(asked: Asked, path: str, want: Want | None, between: str = "") -> Knob:
    """The number that a path leads to.

    between   "LOW,HIGH" as a scenario file would have them, or nothing
    raises    Mistake where it is no number; ScenarioError where it leads nowhere
    """
    path = ".".join(path.replace("[", ".").replace("]", "").split("."))
    found = _value_at(asked.scenario, path)
    ends = [word.strip() for word in between.split(",")] if between else []
    if ends and len(ends) != 2:
        raise Mistake(f'--between "{between}" names {len(ends)} ends; expected two: --between 1,100 or "10 s,15 min"')
    if found is None and ends:
        found = _read(ends[0])
    value, is_duration = _number(asked, path, found)
    is_whole = isinstance(found, int) and not is_duration
    if path in LOAD_PATHS:
        want = want or "largest"
    knob = Knob(asked, path, value, is_whole, is_duration, want, own=value)
    if ends:
        low, high = (_end(between, word, is_duration) for word in ends)
        if not low < high:
            raise Mistake(f'--between "{between}" is empty; expected the smaller end first')
        knob = replace(knob, least=low, most=high, start=value if low <= value <= high else low)
        for end in (low, high):
            knob.scenario(end)
    return knob


def _value_at(scenario: Scenario, path: str) -> Any:
    here: Any = scenario.tables()
    for key in path.split("."):
        try:
            here = here[int(key)] if isinstance(here, list) else here[key]
        except (KeyError, IndexError, ValueError, TypeError):
            set_by_path(scenario, path, 1)  # tells what there is instead; what may be set and is not, has no value
            return None
    return here


def _read(word: str) -> Any:
    try:
        return int(word)
    except ValueError:
        try:
            return float(word)
        except ValueError:
            return word


def _number(asked: Asked, path: str, found: Any) -> tuple[float, bool]:
    if isinstance(found, str):
        try:
            return float(parse_duration(found)), True
        except ValueError:
            pass
    if isinstance(found, int | float) and not isinstance(found, bool):
        return float(found), False
    name = asked.scenario.name
    if found is None:
        raise Mistake(f"--find {path}: {name} sets no number there; say where to look, as --between 1,100")
    shown = "a table" if isinstance(found, dict) else "a list" if isinstance(found, list) else f'"{found}"'
    raise Mistake(f"--find {path} is {shown} in {name}, not a number; expected a rate, a count or a duration")


def _end(between: str, word: str, is_duration: bool) -> float:
    try:
        return float(parse_duration(word)) if is_duration else float(word)
    except ValueError as error:
        expected = 'durations such as "10 s,15 min"' if is_duration else "numbers such as 1,100"
        raise Mistake(f'--between "{between}" has the end "{word}"; expected {expected}') from error
