"""Measures a history once: a report asks for the same columns of a million rows many times over."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from orderquake.sim.history import History

T = TypeVar("T")


def remembered(measure: Callable[[History], T]) -> Callable[[History], T]:
    """Keep what was measured while the history lives and has not grown. The answer is shared: leave it as it is."""
    kept: WeakKeyDictionary[History, tuple[int, T]] = WeakKeyDictionary()

    @wraps(measure)
    def recall(history: History) -> T:
        known = kept.get(history)
        if known is None or known[0] != len(history):
            known = kept[history] = (len(history), measure(history))
        return known[1]

    return recall
