"""A scenario in as few lines as say it: what is as usual is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from orderquake.sim.scenario import Scenario

ALWAYS = ("kind", "schema_version", "question", "must_be_seen")
"""Keys that are told even where they are as usual: a table is read by them."""


def brief_tables(scenario: Scenario) -> dict[str, Any]:
    """The tables of a file that says all this, without what is as usual anyway."""
    brief: dict[str, Any] = _brief(scenario.tables(), scenario)
    if (
        "place" in brief and not scenario.link
    ):  # a file without links, and with places, is read so; one without either has two places
        brief.pop("link", None)
    name = scenario.name
    return brief if Scenario.model_validate({**brief, "name": name}) == scenario else scenario.tables()


def _brief(data: Any, part: Any) -> Any:
    """The part's own data less what it has by default."""
    if isinstance(part, BaseModel) and isinstance(data, Mapping):
        kept = {}
        for name, field in type(part).model_fields.items():
            key = field.alias or name
            if key not in data:
                continue
            value = getattr(part, name)
            if key in ALWAYS or field.is_required() or value != field.get_default(call_default_factory=True):
                usual = field.get_default(call_default_factory=True) if not field.is_required() else None
                kept[key] = _brief_within(data[key], value, usual)
        return kept
    if isinstance(part, Mapping) and isinstance(data, Mapping):
        return {key: _brief(data[key], value) for key, value in part.items()}
    if isinstance(part, tuple | list) and isinstance(data, list):
        return [_brief(item, value) for item, value in zip(data, part, strict=True)]
    return data


def _brief_within(data: Any, value: Any, usual: Any) -> Any:
    """A table whose usual values are not those of its class has to say what differs from its class."""
    if isinstance(value, BaseModel) and isinstance(usual, BaseModel) and type(value) is type(usual):
        if usual == type(value).model_construct():
            return _brief(data, value)
        own = type(value)
        try:
            is_plain = usual == own()
        except ValueError:
            is_plain = False
        return _brief(data, value) if is_plain else data
    return _brief(data, value)
