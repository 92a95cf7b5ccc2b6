"""Values as keys: whatever a state is made of gets a number, and equal numbers mean the same thing.

Two answers without fields are equal tuples in Python whatever they are called, and so are a charge's answer and a
hold's; a search that took them for one would go on from the wrong one. So kinds count here, all the way down.
No service, flow or checker is known in this file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from orderquake.sim.checkers.finding import Aside

STAR, OTHER = "o-*", "o-?"
"""What an order is called where only one matters: that one, and any other."""


def typed(value: Any) -> Hashable:
    """A key that only values of the same kinds share.

    >>> from orderquake.model.stock import Lapsed, Pinned
    >>> Lapsed() == Pinned(), typed(Lapsed()) == typed(Pinned()), typed((1,)) == typed((True,))
    (True, False, False)
    """
    kind = type(value)
    if kind is str or kind is int or value is None:
        return value  # type: ignore[no-any-return]
    if kind is tuple:
        return tuple(map(typed, value))
    return kind, value  # a field of a named tuple, or of an ask, is of one kind


class Numbered:
    """Values by number, each kind of value once."""

    __slots__ = ("number_of", "values")

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.number_of: dict[Hashable, int] = {}

    def number(self, value: Any) -> int:
        """The number of a value; a new one where it has none."""
        key = typed(value)
        found = self.number_of.get(key)
        if found is None:
            found = self.number_of[key] = len(self.values)
            self.values.append(value)
        return found

    def __len__(self) -> int:
        return len(self.values)


Names = Mapping[str, str]
"""Order id -> what it is to be called."""


class Renaming:
    """Orders called otherwise, in whatever value, and in whatever names are made of theirs (keys, tokens, charges)."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.pattern = re.compile("|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or r"\0\0")
        self.known: dict[str, str] = {}

    def text(self, value: str) -> str:
        found = self.known.get(value)
        if found is None:
            found = self.known[value] = self.pattern.sub(lambda match: self.names[match[0]], value)
        return found

    def __call__(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind is tuple:
            return tuple(map(self, value))
        if isinstance(value, tuple):
            return tuple.__new__(kind, map(self, value))
        if kind is int or kind is bool or value is None:
            return value
        if names := getattr(kind, "__match_args__", None):
            return kind(*(self(getattr(value, name)) for name in names))
        return value


def are_distinct(orders: Sequence[str], others: Sequence[str]) -> bool:
    """Can an order's id be told in any text that it is part of?

    >>> are_distinct(["o-1", "o-2"], ["mug"]), are_distinct(["ann", "anna"], []), are_distinct(["mu"], ["mug"])
    (True, False, False)
    """
    return not any(one in other for one in orders for other in (*orders, *others) if one is not other)


def in_order(values: Sequence[Any]) -> tuple[Any, ...]:
    """Sorted by what they say; kinds may be mixed."""
    return tuple(sorted(values, key=_said))


def _said(value: Any) -> str:
    """What a value says, without what is only for the telling.

    >>> _said(("mug", Aside(3))) == _said(("mug", Aside(8)))
    True
    """
    kind = type(value)
    if kind is Aside:
        return ""
    if isinstance(value, tuple):
        return "|".join(map(_said, value))
    return repr(value)


Normal = Callable[[Any], Any]
"""A snapshot as the one among all those that nobody can tell from it."""
