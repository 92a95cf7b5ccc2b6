"""Asking one checker, or all of them, about a history: both ways, which must come to the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orderquake.sim.checkers import CHECKERS, all_checkers
from orderquake.sim.checkers.fold import Checker, Verdict
from orderquake.sim.checkers.judge import has_shapes, judge_by_shape, judge_fully, judge_sparingly
from orderquake.sim.history import History


def judge_both(history: History, checkers: Iterable[Checker[Any]]) -> dict[str, Verdict]:
    """Verdicts by hearing every row, and they are the same by hearing no more than is needed: as `judge` does it, and
    by shapes also where a screen would have been sure."""
    checkers = tuple(checkers)
    fully = judge_fully(history, checkers)
    assert judge_sparingly(history, checkers) == fully
    shaped = [checker for checker in checkers if has_shapes(checker, history.table())]
    assert judge_by_shape(history, shaped) == {checker.name: fully[checker.name] for checker in shaped}
    return fully


def verdict(name: str, history: History) -> Verdict:
    return judge_both(history, [CHECKERS[name]()])[name]


def status(name: str, history: History) -> str:
    return verdict(name, history).status


def objectors(history: History) -> set[str]:
    """Names of the checkers that find the history invalid."""
    return {name for name, found in judge_both(history, all_checkers()).items() if found.status == "invalid"}
