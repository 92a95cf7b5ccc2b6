"""What is varied in a sweep: a path of the scenario, and the values that it takes or the stretch that it moves in.

`policy.reservation_ttl=30s,2min,15min` is read here, and `workload.rate_per_s=1..20`. Where the points of a sweep lie
on these axes is decided in `layout.py`; what a scenario knows of its paths stands in `settings.py`. Nothing is played.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from orderquake.sim.asked import Mistake
from orderquake.sim.scenario import Scenario
from orderquake.sim.settings import read_settings, with_settings, write_settings
from orderquake.sim.units import format_duration, parse_duration

Kind: TypeAlias = Literal["duration", "whole", "number"]

DIGITS = 4
"""Figures that a value on a stretch is rounded to: finer steps change nothing but the length of the words."""


@dataclass(frozen=True)
class Choice:
    """A path, and every value that it takes, as a scenario file has them."""

    path: str
    values: tuple[Any, ...]

    def at(self, share: float) -> Any:
        """The value at a share of the way, from 0 to 1.

        >>> [Choice("stock.skus", (5, 10)).at(share) for share in (0.0, 0.49, 0.5, 1.0)]
        [5, 5, 10, 10]
        """
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    def ends(self) -> tuple[Any, ...]:
        """Values that are looked at before anything is played."""
        return self.values

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "values": list(self.values)}


@dataclass(frozen=True)
class Stretch:
    """A path, and the lowest and the highest value that it takes.

    low, high   microseconds for a duration
    is_log      equal steps are equal ratios
    """

    path: str
    low: float
    high: float
    kind: Kind
    is_log: bool = False

    def at(self, share: float) -> Any:
        """The value at a share of the way, from 0 to 1, as a scenario file has it.

        >>> Stretch("policy.reservation_ttl", 30e6, 900e6, "duration").at(0.5)
        '7 min 45 s'
        >>> Stretch("stock.skus", 1, 3, "whole").at(1.0), Stretch("x", 1, 100, "number", is_log=True).at(0.5)
        (3, 10.0)
        """
        if self.kind == "whole" and not self.is_log:
            return int(min(math.floor(self.low + share * (self.high - self.low + 1)), self.high))
        if self.is_log:
            value = self.low * (self.high / self.low) ** share
        else:
            value = self.low + share * (self.high - self.low)
        if self.kind == "number":
            return _rounded(value)
        return format_duration(round(_rounded(value))) if self.kind == "duration" else round(value)

    def ends(self) -> tuple[Any, ...]:
        """Values that are looked at before anything is played."""
        return self.at(0.0), self.at(1.0)

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "from": self.at(0.0), "to": self.at(1.0), "is_log": self.is_log}


Axis: TypeAlias = Choice | Stretch


def _rounded(value: float) -> float:
    if value == 0:
        return 0.0
    return float(round(value, DIGITS - 1 - math.floor(math.log10(abs(value)))))


# -- read


def read_choices(words: Sequence[str]) -> list[Choice]:
    """`PATH=VALUE,VALUE,...` each.

    raises   Mistake, ScenarioError

    >>> read_choices(["policy.reservation_ttl=30s,2min", "stock.skus=5,10"])[0]
    Choice(path='policy.reservation_ttl', values=('30s', '2min'))
    """
    return [Choice(*_choice(word)) for word in words]


def _choice(word: str) -> tuple[str, tuple[Any, ...]]:
    path, equals, said = word.partition("=")
    if not equals or not said.strip():
        raise Mistake(
            f'--vary "{word}" has no values; expected PATH=VALUE,VALUE, such as --vary policy.reservation_ttl=30s,2min'
        )
    read = [read_settings([f"{path}={value.strip()}"]) for value in _split(said)]
    name = next(iter(read[0]))
    return name, tuple(each[name] for each in read)


def _split(text: str) -> Iterator[str]:
    """At commas that stand in no bracket and in no quotes.

    >>> list(_split('[1, 2],"a,b",c'))
    ['[1, 2]', '"a,b"', 'c']
    """
    depth, quote, begun = 0, "", 0
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "[{":
            depth += 1
        elif letter in "]}":
            depth -= 1
        elif letter == "," and depth == 0:
            yield text[begun:place]
            begun = place + 1
    yield text[begun:]


def read_stretches(words: Sequence[str]) -> list[Stretch]:
    """`PATH=LOW..HIGH` each, or `PATH=LOW..HIGH:log` for equal ratios.

    raises   Mistake

    >>> read_stretches(["policy.reservation_ttl=30s..15min:log"])[0].at(0.5)
    '164300 ms'
    """
    return [_stretch(word) for word in words]


def _stretch(word: str) -> Stretch:
    path, _, said = word.partition("=")
    said, _, scale = said.partition(":")
    low, dots, high = said.partition("..")
    if not path.strip() or not dots or not low.strip() or not high.strip() or scale not in ("", "log"):
        example = "such as --range policy.reservation_ttl=30s..15min, or 30s..15min:log for equal ratios"
        raise Mistake(f'--range "{word}" is no range; expected PATH=LOW..HIGH, {example}')
    (name,) = read_settings([f"{path}=0"])
    return stretch(name, low.strip(), high.strip(), is_log=scale == "log")


def stretch(path: str, low: Any, high: Any, *, is_log: bool = False) -> Stretch:
    """A stretch between two values as a scenario file has them. raises   Mistake where they are none"""
    (one, kind), (other, another) = _number(path, low), _number(path, high)
    if "duration" in (kind, another) and kind != another:
        raise Mistake(f"--range {path}={low}..{high} mixes a duration and a number; expected two of a kind")
    if one >= other:
        raise Mistake(f"--range {path}={low}..{high} ends before it begins; expected LOW below HIGH")
    if is_log and one <= 0:
        raise Mistake(f"--range {path}={low}..{high}:log begins at {low}; expected more than zero for equal ratios")
    return Stretch(path, one, other, "number" if "number" in (kind, another) else kind, is_log)


def _number(path: str, said: Any) -> tuple[float, Kind]:
    if isinstance(said, int | float) and not isinstance(said, bool):
        return said, "whole" if isinstance(said, int) else "number"
    text = str(said)
    for read, kind in ((int, "whole"), (float, "number"), (parse_duration, "duration")):
        try:
            found = read(text)
        except ValueError:
            continue
        if math.isfinite(found):
            return found, kind  # type: ignore[return-value]
    raise Mistake(f'--range {path} has "{said}" for an end; expected a number, or a duration such as 30s')


# -- checked


def check_axes(axes: Sequence[Axis], scenario: Scenario) -> None:
    """Let the scenario look at every value of each axis, with the first of the others, before anything is played.

    raises   Mistake where a path is varied twice, or a value comes twice; ScenarioError where there is no such path, or
    a value does not fit
    """
    paths = [axis.path for axis in axes]
    for path in paths:
        if paths.count(path) > 1:
            raise Mistake(f"{path} is varied twice; expected every path once, with all its values")
    first = {axis.path: axis.ends()[0] for axis in axes}
    for axis in axes:
        made: dict[str, str] = {}
        for value in axis.ends():
            shown = write_settings({axis.path: value})[0]
            same = made.setdefault(as_made(with_settings(scenario, {**first, axis.path: value}), axis.path), shown)
            if same != shown or list(axis.ends()).count(value) > 1:
                raise Mistake(f"--vary {shown} is the same as {same}; expected every value of {axis.path} once")


def as_made(scenario: Scenario, path: str) -> str:
    """What stands at a path of a scenario, in the one way in which it writes it.

    >>> from orderquake.sim.scenario_file import load_scenario
    >>> as_made(load_scenario("calm_day"), "policy.reservation_ttl")
    "'15 min'"
    """
    here: Any = scenario.tables()
    for key in path.split("."):
        if isinstance(here, list):
            here = here[int(key)]
        elif isinstance(here, Mapping):
            here = here.get(key)
    return repr(here)
