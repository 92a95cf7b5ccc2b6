"""Asking one checker, or all of them, about a history."""

from __future__ import annotations

from orderquake.sim.checkers import CHECKERS, all_checkers
from orderquake.sim.checkers.fold import Verdict, judge
from orderquake.sim.history import History


def verdict(name: str, history: History) -> Verdict:
    return judge(history, [CHECKERS[name]()])[name]


def status(name: str, history: History) -> str:
    return verdict(name, history).status


def objectors(history: History) -> set[str]:
    """Names of the checkers that find the history invalid."""
    return {name for name, found in judge(history, all_checkers()).items() if found.status == "invalid"}
