"""Scenarios as files that run on their own: the tables of a scenario in TOML.

Writes; reading is `scenario_file`'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def to_toml(tables: Mapping[str, Any], comment: str = "") -> str:
    """The text of a scenario file. Entries that are None are left out.

    comment   stands above all, line by line

    >>> print(to_toml({"horizon": "5 min", "stock": {"skus": 3}, "fault": [{"kind": "down", "target": "record"}]}))
    horizon = "5 min"
    <BLANKLINE>
    [stock]
    skus = 3
    <BLANKLINE>
    [[fault]]
    kind = "down"
    target = "record"
    <BLANKLINE>
    """
    lines = [f"# {line}" for line in comment.splitlines()]
    if lines:
        lines.append("")
    lines += _pairs({key: value for key, value in tables.items() if not _is_section(value)})
    for key, value in tables.items():
        if _is_section(value):
            lines += _section(_key(key), value)
    return "\n".join(lines) + "\n"


def _is_section(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list | tuple) and bool(value) and _is_tables(value))


def _is_tables(values: Any) -> bool:
    return all(isinstance(value, Mapping) for value in values)


def _section(name: str, value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping):
        for entry in value:
            yield from ("", f"[[{name}]]", *_pairs(entry))
        return
    plain = {key: inner for key, inner in value.items() if not _is_group(inner)}
    groups = {key: inner for key, inner in value.items() if _is_group(inner)}
    if plain or not groups:
        yield from ("", f"[{name}]", *_pairs(plain))
    for key, inner in groups.items():
        yield from _section(f"{name}.{_key(key)}", inner)


def _is_group(value: Any) -> bool:
    """A table that reads better under a heading of its own than on one line: one of tables, or of many keys."""
    return isinstance(value, Mapping) and "kind" not in value and (_is_tables(value.values()) or len(value) > 4)


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items() if value is not None]


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Mapping():
            return "{ " + ", ".join(_pairs(value)) + " }" if value else "{}"
        case list() | tuple():
            return "[" + ", ".join(map(_value, value)) + "]"
        case _:
            raise TypeError(f"{type(value).__name__} has no place in a scenario file")
