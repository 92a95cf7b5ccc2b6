"""Faults drawn from nothing but their own descriptions: whatever kind is in the table of faults can be drawn.

Each key is drawn by its name where names mean the same everywhere (`from`, `for`, `at`, `target`, `operation`), and by
its type otherwise. A kind that knows better says so by a class method `drawn(luck, day) -> dict | None`. What does not
fit the kind or the scenario is drawn again; a kind that never fits is left out, and told by `undrawable`.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic.fields import FieldInfo

from orderquake.model.architectures import ARCHITECTURES
from orderquake.model.verbs import VERBS
from orderquake.sim.explore.swarm_luck import Luck
from orderquake.sim.nemesis import Fault, Lasting
from orderquake.sim.nemesis.base import MayStay
from orderquake.sim.scenario import Scenario
from orderquake.sim.units import MINUTE, MS, SECOND, parse_duration
from orderquake.sim.world.shapes import Delay

LONGEST_US = MINUTE
"""Nothing that a drawn fault delays is later than so much: far below the life of any message."""
TRIES = 12
"""How often a fault is drawn before it is given up for this run."""


MAY_DIE = ("record", "notice", "payment", "order_cache")
"""Services that may stay dead through the quiet phase. Of a shop without its queue or its Stock Cache hot_cold cannot
promise yet that every order ends, and nothing excuses that; a scenario may ask for it."""
SOME_DIE, EACH_DIES = 0.15, 0.5
"""Share of runs in which the quiet phase does not heal all; share of the services that stay dead then."""


class CannotDraw(Exception):
    """A key of a type that nobody has told how to draw. The text names it."""


@dataclass(frozen=True)
class Day:
    """What a drawn fault must know of the day it is drawn for.

    scenario   the day as it is without any fault
    names      what a free text may name: places, services, jobs, verbs, products
    """

    scenario: Scenario
    names: tuple[str, ...]

    @classmethod
    def of(cls, scenario: Scenario) -> Day:
        services = scenario.service.names()
        verbs = tuple(verb for service in services for verb in VERBS[service])
        skus = scenario.stock.sku_names()[:3]
        return cls(scenario, (*(p.name for p in scenario.place), *services, *scenario.jobs.names(), *verbs, *skus))


def drawn_fault(kind: type[Fault], luck: Luck, day: Day) -> tuple[dict[str, Any], Fault] | None:
    """A fault of this kind that fits the day, as a file writes it and as it is read; None where none was found."""
    for attempt in range(TRIES):
        here = luck.under(attempt)
        own = getattr(kind, "drawn", None)
        table = own(here, day) if own is not None else drawn_table(kind, here, day)
        if table is None:
            continue
        if (fault := fitting(kind, table, day)) is not None:
            return table, fault
    return None


def fitting(kind: type[Fault], table: dict[str, Any], day: Day) -> Fault | None:
    """The fault of a table, where it is one and fits the day."""
    try:
        fault = kind.model_validate(table)
    except ValidationError:
        return None
    is_within = fault.window(day.scenario.horizon)[1] <= day.scenario.horizon
    return fault if is_within and fault.fits(day.scenario) else None


def undrawable(kinds: Mapping[str, type[Fault]], day: Day) -> dict[str, str]:
    """Kinds that cannot be drawn at all, and why."""
    found = {}
    for name, kind in kinds.items():
        try:
            if all(drawn_fault(kind, Luck(seed, f"undrawable/{name}"), day) is None for seed in range(20)):
                found[name] = "nothing that was drawn fitted this scenario"
        except CannotDraw as error:
            found[name] = str(error)
    return found


def who_stays_dead(luck: Luck) -> tuple[str, ...]:
    """The services that nobody heals when faults stop: the same for all faults of a run."""
    here = Luck(luck.seed, "swarm/stays_dead")
    return tuple(name for name in MAY_DIE if here.chance("some", SOME_DIE) and here.chance(name, EACH_DIES))


def drawn_table(kind: type[Fault], luck: Luck, day: Day) -> dict[str, Any]:
    """All keys of a fault. raises   CannotDraw"""
    table: dict[str, Any] = {"kind": kind.model_fields["kind"].default}
    horizon_us = day.scenario.horizon
    for name, field in kind.model_fields.items():
        key = field.alias or name
        if name in ("kind", "until", "is_healed"):
            continue
        if (
            name in ("target", "between")
            and not field.is_required()
            and {"target", "between"} <= kind.model_fields.keys()
        ):
            is_between = len(day.scenario.place) > 1 and luck.chance("is_between", 0.3)
            if is_between != (name == "between"):
                continue
        if (
            name == "target"
            and field.default is None
            and "between" not in kind.model_fields
            and luck.chance("all", 0.3)
        ):
            continue
        if name == "must_be_seen":
            table[key] = False
        elif name == "at":
            table[key] = luck.time("at", 0.02 * horizon_us, 0.98 * horizon_us)
        elif name == "since" and issubclass(kind, Lasting):
            # What strikes single asks may go on all day; nobody could order on a day on which all is away.
            if {"probability", "share"} & kind.model_fields.keys() and luck.chance("is_always", 0.4):
                continue
            table |= _window(luck, horizon_us)
        elif name == "lasts" and issubclass(kind, Lasting):
            continue
        elif name == "operation":
            verbs = VERBS.get(table.get("target", kind.model_fields["target"].default), ())
            if verbs and luck.chance("has_operation", 0.5):
                table[key] = luck.pick("operation", verbs)
        elif name == "between":
            places = [place.name for place in day.scenario.place]
            first = luck.whole("first", 0, len(places) - 1)
            table[key] = [places[first], places[(first + luck.whole("other", 1, len(places) - 1)) % len(places)]]
        elif _must_be_given(name, field) or luck.chance(f"{name}/is_given", 0.5):
            value = drawn_value(name, _whole_type(field), luck.under(name), day, field.default)
            if value is not None:
                table[key] = value
    if "nth" in table:
        table.pop("probability", None)
    whom = table.get("target", kind.model_fields["target"].default)
    if issubclass(kind, MayStay) and whom in who_stays_dead(luck):
        table.pop("for", None)  # late, so that there are orders whose end can be asked for
        table |= {"from": luck.time("from", 0.4 * horizon_us, 0.8 * horizon_us), "heals": False}
    return table


def _must_be_given(name: str, field: FieldInfo) -> bool:
    """Where the usual value is missing, or too long for so short a day."""
    usual = field.default.mean_us if isinstance(field.default, Delay) else field.default
    is_long = isinstance(usual, int | float) and usual > LONGEST_US
    return field.is_required() or name in ("probability", "target") or is_long


def _window(luck: Luck, horizon_us: int) -> dict[str, Any]:
    since = luck.time("from", 0.01 * horizon_us, 0.8 * horizon_us)
    room_us = horizon_us - parse_duration(since)
    lasts = luck.time("for", min(0.02 * horizon_us, 0.4 * room_us), min(0.4 * horizon_us, 0.95 * room_us))
    return {"from": since, "for": lasts}


def _whole_type(field: FieldInfo) -> Any:
    """Pydantic takes a type's notes apart; here they are put together again."""
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def drawn_value(name: str, kind: Any, luck: Luck, day: Day, default: Any = None) -> Any:
    """A value of this type, as a file writes it; None for one that is left out. raises   CannotDraw"""
    origin = get_origin(kind)
    if kind in (None, type(None)):
        return None
    if origin is Annotated and any(isinstance(note, BeforeValidator) for note in get_args(kind)[1:]):  # a duration
        usual_us = default if isinstance(default, int) and default else 5 * SECOND
        return luck.time("time", max(MS, usual_us / 10), max(10 * MS, min(usual_us * 3, LONGEST_US)))
    if origin is Annotated:
        inner, *notes = get_args(kind)
        return (
            _number(name, inner, notes, luck) if inner in (int, float) else drawn_value(name, inner, luck, day, default)
        )
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(kind) if option is not type(None)]
        if all(_is_law(option) for option in options):
            return _law(luck, default)
        return drawn_value(name, luck.pick("option", options), luck, day, default)
    if origin is Literal:
        return luck.pick("one", get_args(kind))
    if origin in (tuple, list):
        item, *_ = get_args(kind)
        values = [drawn_value(name, item, luck.under(n), day) for n in range(luck.whole("how_many", 1, 3))]
        return [value for number, value in enumerate(values) if value not in values[:number]]
    if kind is bool:
        return luck.chance("flag", 0.5)
    if kind is str:
        return luck.pick("name", tuple(ARCHITECTURES) if name == "design" else day.names)
    if kind in (int, float):
        return _number(name, kind, [], luck)
    if isinstance(kind, type) and issubclass(kind, Delay):
        return _law(luck, default)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {
            field.alias or key: drawn_value(key, _whole_type(field), luck.under(key), day, field.default)
            for key, field in kind.model_fields.items()
            if field.is_required() or luck.chance(f"{key}/is_given", 0.5)
        }
    raise CannotDraw(f"{name} is of a type that cannot be drawn: {kind}")


def _is_law(option: Any) -> bool:
    return isinstance(option, type) and (
        issubclass(option, Delay) or option.__name__ in ("Windows", "Profile", "Spells")
    )


def _law(luck: Luck, default: Any) -> dict[str, Any]:
    usual_us = default.mean_us if isinstance(default, Delay) else 5 * SECOND
    high_us = max(20 * MS, usual_us * 2)
    return luck.law("law", min(max(2 * MS, usual_us / 20), high_us / 2), high_us, LONGEST_US)


def _number(name: str, kind: type, notes: list[Any], luck: Luck) -> int | float:
    """A number within its limits; without an upper one, whatever is usual: chances below a half, factors, counts."""
    low, high = 0.0, float("inf")
    for note in (inner for outer in notes for inner in getattr(outer, "metadata", [outer])):
        if isinstance(note, Ge | Gt):
            low = max(low, float(getattr(note, "ge", None) or getattr(note, "gt", None) or 0))
        if isinstance(note, Le | Lt):
            high = min(high, float(getattr(note, "le", None) or getattr(note, "lt", None) or 0))
    if kind is int:
        return luck.count("count", max(1, int(low)), int(min(high, 20)))
    if high <= 1:
        return luck.decades("chance", max(low, 0.02), min(high, 0.6))
    if name == "factor":
        return luck.decades("factor", max(low, 1.5), min(high, 20.0))
    return luck.decades("number", max(low, 0.1), min(high, 10.0))
