"""The table of known answers: one entry a question, with the run that answers it and the points it is asked at.

An entry is a function marked `known`: it takes an effort, somebody who judges (`agrees`), and the parameters of the
question; it lets parts of the product run, and holds what comes out against a reference. The tests of this folder are
these functions; `report` runs the same ones and writes the table down. The points are the function's own
`parametrize` marks: those marked `slow` belong to the full form alone.
"""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import pytest

Run = TypeVar("Run", bound=Callable[..., None])

SECTIONS: Mapping[int, str] = {
    1: "Stations and throttles",
    2: "Stock held by reservations",
    3: "Drift of the stock cache",
    4: "Retries",
    5: "Tails",
    6: "TTLs and clocks",
    7: "Exactly once, and for how long a key is remembered",
    8: "Availability and outages",
    9: "Replicated caches",
    10: "Split stock",
    11: "Output analysis and rare events",
    12: "Real shapes",
}


@dataclass(frozen=True)
class Point:
    """Parameters at which a question is asked. `is_slow` keeps it out of the quick form."""

    given: Mapping[str, Any]
    is_slow: bool

    def __str__(self) -> str:
        return ", ".join(f"{name}={_shown(value)}" for name, value in self.given.items())


def _shown(value: Any) -> str:
    if isinstance(value, type | Callable):  # type: ignore[arg-type]
        return str(value.__name__)
    return f"{value:g}" if isinstance(value, float) else str(value).replace(" ", "")


@dataclass(frozen=True)
class Entry:
    """One question.

    name      under which it is asked for: `--row erlang_c`
    section   see `SECTIONS`
    question  what is asked, in a sentence
    source    who has answered it before
    run       `run(effort, agrees, **parameters)`
    by_length only longer replications make it narrower, not more of them: short ones, of splitting, end in nothing
    only_full the small form cannot see it
    """

    name: str
    section: int
    question: str
    source: str
    run: Callable[..., None] = field(repr=False)
    by_length: bool = False

    @property
    def marks(self) -> list[pytest.Mark]:
        return list(getattr(self.run, "pytestmark", []))

    @property
    def only_full(self) -> bool:
        return any(
            mark.name == "slow" or (mark.name == "parametrize" and mark.args[0] == "effort") for mark in self.marks
        )

    def points(self) -> tuple[Point, ...]:
        """All combinations of the function's `parametrize` marks; one point without parameters where there are none."""
        choices = [_choices(mark) for mark in self.marks if mark.name == "parametrize" and mark.args[0] != "effort"]
        defaults = self.parameters()
        return tuple(
            Point(
                {name: given for name in defaults for each, _ in chosen for key, given in each.items() if key == name},
                self.only_full or any(is_slow for _, is_slow in chosen),
            )
            for chosen in product(*choices[::-1])
        )

    def parameters(self) -> dict[str, Any]:
        """Name -> the type that it is read as."""
        hints = typing.get_type_hints(self.run)
        names = [name for name in inspect.signature(self.run).parameters if name not in ("effort", "agrees")]
        return {name: hints.get(name, str) for name in names}


def _choices(mark: pytest.Mark) -> list[tuple[dict[str, Any], bool]]:
    names, values = mark.args
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",")]
    made = []
    for value in values:
        marks = getattr(value, "marks", ())
        given = value.values if hasattr(value, "marks") else value if len(names) > 1 else (value,)
        made.append((dict(zip(names, given, strict=True)), any(each.name == "slow" for each in marks)))
    return made


TABLE: dict[str, Entry] = {}


def known(name: str, section: int, question: str, source: str, *, by_length: bool = False) -> Callable[[Run], Run]:
    """Mark a test of this folder as an entry of the table (see `Entry`). It stands above its `parametrize` marks."""

    def enter(run: Run) -> Run:
        if name in TABLE and TABLE[name].run.__module__ != run.__module__:
            raise ValueError(f"two known answers are called {name!r}; expected one")
        TABLE[name] = Entry(name, section, question, source, run, by_length)
        return run

    return enter


def entries() -> Iterator[Entry]:
    """The whole table, by section, in the order of the files."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        importlib.import_module(f"tests.known.{path.stem}")
    yield from sorted(TABLE.values(), key=lambda entry: entry.section)
