"""What a theme is: knobs that it sets within its own limits, and faults that it asks for; all else stays as drawn.

The themes themselves are in `swarm_themes.py`. None asks for what a design's contract rules out: its faults are held
against the contract as all others are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from orderquake.sim.explore.swarm_faults import CannotDraw, Day, drawn_table, fitting
from orderquake.sim.explore.swarm_luck import Luck
from orderquake.sim.nemesis import Fault

Value: TypeAlias = Callable[[Luck], Any]
"""How a knob finds its value."""
TRIES = 6


def time(low_us: float, high_us: float) -> Value:
    return lambda luck: luck.time("value", low_us, high_us)


def law(low_us: float, high_us: float, most_us: float) -> Value:
    return lambda luck: luck.law("value", low_us, high_us, most_us)


def share(low: float, high: float) -> Value:
    return lambda luck: luck.decades("value", low, high)


def count(low: int, high: int) -> Value:
    return lambda luck: luck.count("value", low, high)


def one_of(*options: Any) -> Value:
    return lambda luck: luck.pick("value", options)


def always(value: Any) -> Value:
    return lambda _: value


@dataclass(frozen=True)
class Wish:
    """A fault that a theme asks for; what it does not say is drawn as usual.

    chance   of its being there
    """

    kind: str
    keys: Mapping[str, Value] = field(default_factory=dict)
    chance: float = 1.0


@dataclass(frozen=True)
class Theme:
    """sets    dotted path into the tables -> value; `*` stands for each of a list
    wishes  faults"""

    sets: Mapping[str, Value] = field(default_factory=dict)
    wishes: tuple[Wish, ...] = ()

    def apply(self, luck: Luck, tables: dict[str, Any]) -> None:
        """Change the tables of a day."""
        for path, value in self.sets.items():
            for holder, key in _places(tables, path.split(".")):
                holder[key] = value(luck.under(path))

    def faults(self, luck: Luck, day: Day, kinds: Mapping[str, type[Fault]]) -> Iterator[tuple[dict[str, Any], Fault]]:
        """Those of its faults that are there, and fit the day."""
        for number, wish in enumerate(self.wishes):
            here = luck.under(f"wish-{number}")
            if wish.kind not in kinds or not here.chance("is_there", wish.chance):
                continue
            found = _fault(kinds[wish.kind], wish, here, day)
            if found is not None:
                yield found


def _places(table: Any, path: list[str]) -> Iterator[tuple[dict[str, Any], str]]:
    """Where a dotted path leads: tables, and the key in each."""
    here, *others = path
    if not others:
        yield table, here
    elif here == "*":
        for each in table:
            yield from _places(each, others)
    else:
        yield from _places(table.setdefault(here, {}), others)


def _fault(kind: type[Fault], wish: Wish, luck: Luck, day: Day) -> tuple[dict[str, Any], Fault] | None:
    for attempt in range(TRIES):
        here = luck.under(attempt)
        try:
            table = drawn_table(kind, here, day)
        except CannotDraw:
            return None
        for key, value in wish.keys.items():
            said = value(here.under(key))
            if said is None:
                table.pop(key, None)
            else:
                table[key] = said
        if "probability" in wish.keys:
            table.pop("nth", None)
        if (fault := fitting(kind, table, day)) is not None:
            return table, fault
    return None


# -- what strikes single asks all day long

ALL_DAY: dict[str, Value] = {"from": always(None), "for": always(None)}


def all_day(
    kind: str,
    target: str,
    *verbs: str,
    more: Mapping[str, Value] = MappingProxyType({}),
    chances: tuple[float, float] = (0.1, 0.6),
) -> Wish:
    """A fault that strikes some of the asks of one of these verbs, from the beginning to the end."""
    said: dict[str, Value] = {
        "target": always(target), "operation": one_of(*verbs), "probability": share(*chances),
    } | ALL_DAY  # fmt: skip
    return Wish(kind, said | dict(more), 0.8)
