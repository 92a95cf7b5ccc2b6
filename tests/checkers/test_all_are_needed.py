"""Every checker on disk is in the register, and none could be left out: to its guilty history nobody else objects."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from orderquake.sim import checkers
from orderquake.sim.checkers import CHECKERS
from orderquake.sim.checkers.fold import Checker
from tests.checkers.cases import CASES
from tests.checkers.judging import judge_both


def test_every_checker_on_disk_is_registered() -> None:
    on_disk = {
        each
        for path in sorted(Path(checkers.__file__).parent.glob("*.py"))
        for each in vars(importlib.import_module(f"orderquake.sim.checkers.{path.stem}")).values()
        if path.stem != "__init__" and isinstance(each, type) and issubclass(each, Checker) and "name" in vars(each)
    }
    assert on_disk == set(CHECKERS.values())


@pytest.mark.parametrize("name", CHECKERS)
def test_without_this_one_its_guilty_would_go_free(name: str) -> None:
    others = [checker() for other, checker in CHECKERS.items() if other != name]
    history = CASES[name].guilty()
    assert not [other for other, found in judge_both(history, others).items() if found.status == "invalid"]
    assert judge_both(history, [CHECKERS[name]()])[name].status == "invalid"
