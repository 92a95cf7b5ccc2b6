"""Those who watch over checkers, and which of them notice a broken one.

Each is a test, or several, that every right checker passes; here they are run again with a broken one in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from inspect import signature
from itertools import product
from typing import Any

import pytest

from orderquake.sim.checkers import CHECKERS, all_checkers
from tests.checkers import (
    test_every_checker,
    test_failed_refunds,
    test_implied,
    test_judge,
    test_looks,
    test_order_edges,
    test_quiet_edges,
    test_second_opinion,
    test_slow_motion,
    test_stock_edges,
)
from tests.checkers.broken import BROKEN
from tests.checkers.cases import CASES
from tests.checkers.crowd import crowd, ended
from tests.checkers.judging import judge_both


def _cases(function: Any) -> Iterator[dict[str, Any]]:
    """What a test is called with, by its own marks."""
    ways: list[list[dict[str, Any]]] = []
    for mark in getattr(function, "pytestmark", []):
        if mark.name == "parametrize":
            names, values = mark.args
            names = [names] if isinstance(names, str) else list(names)
            names = names[0].split(",") if len(names) == 1 and "," in names[0] else names
            several = len(names) > 1
            ways.append([dict(zip(names, value if several else (value,), strict=True)) for value in values])
    for chosen in product(*ways):
        said = {name: value for each in chosen for name, value in each.items()}
        if set(signature(function).parameters) == set(said):
            yield said


def every_test_of(module: Any) -> None:
    """All tests of a module that need nothing but what they are called with."""
    ran = 0
    for name, function in vars(module).items():
        if name.startswith("test_") and callable(function):
            for said in _cases(function):
                function(**said)
                ran += 1
    assert ran


def judged_alike(_: str) -> None:
    for case in CASES.values():
        for build in (case.innocent, case.guilty, case.undecided):
            judge_both(build(), all_checkers())
    history = ended(crowd())
    assert {
        name: each.status for name, each in judge_both(history, all_checkers()).items() if each.status != "valid"
    } == {}
    test_judge.test_most_wrong_days_are_seen_to_be_wrong()


def nobody_else_objects(name: str) -> None:
    for other, case in CASES.items():
        if other != name:
            found = judge_both(case.guilty(), [CHECKERS[name]()])[name]
            assert found.status != "invalid", f"{name} objects to what {other} is about"


def two_ways(name: str) -> None:
    build, names = (
        (test_second_opinion.random_stock_story, test_second_opinion.TWINS[:1])
        if name == "never_oversold"
        else (test_second_opinion.random_money_story, test_second_opinion.TWINS[1:])
    )
    test_second_opinion.test_rows_and_columns_agree_about_histories_drawn_at_random(build, names)


def contradicted(name: str) -> None:
    test_second_opinion.test_a_fold_that_errs_is_contradicted_by_the_columns(name)


def implied(_: str) -> None:
    for build, expected, because in test_implied.IMPLIED:
        test_implied.test_where_one_promise_implies_another_both_object(build, expected, because)


def edges(_: str) -> None:
    for module in (test_order_edges, test_quiet_edges, test_failed_refunds, test_stock_edges):
        every_test_of(module)


def declared(name: str) -> None:
    test_looks.test_a_fold_reads_nothing_that_its_declaration_does_not_name(name)


WATCHERS: Mapping[str, Callable[[str], None]] = {
    "innocent": test_every_checker.test_the_innocent_are_found_innocent,
    "guilty": test_every_checker.test_the_guilty_are_found_guilty_with_a_witness_and_a_reason,
    "undecided": test_every_checker.test_where_the_history_does_not_say_neither_does_the_checker,
    "empty": test_every_checker.test_an_empty_history_tests_nothing,
    "others": nobody_else_objects,
    "implied": implied,
    "edges": edges,
    "shapes": judged_alike,
    "declared": declared,
    "columns": two_ways,
    "contradicted": contradicted,
    "slow motion": test_slow_motion.test_a_day_in_slow_motion_is_judged_as_it_was,
}
"""The innocent, guilty, undecided and empty histories of every checker; the guilty ones of all others; promises that
imply another; the edges; hearing all against sparing much; what a fold reads against what it says that it looks at;
the second implementation; and all of it ten thousand times as slow."""
ONLY_OF: Mapping[str, Sequence[str]] = {
    "columns": test_second_opinion.TWINS,
    "contradicted": test_second_opinion.TWINS,
    "declared": test_looks.SHAPED,
    "slow motion": test_slow_motion.TIMELESS,
}
"""Promises that a watcher can say something about; all of them, where nothing is said."""


def noticed_by(name: str, watchers: Iterable[str] = WATCHERS) -> list[str]:
    """Those who notice a broken checker, of these."""
    bug = BROKEN[name]
    found = []
    with pytest.MonkeyPatch.context() as patch:
        for where, attribute, instead in bug.patches:
            patch.setattr(where, attribute, instead)
        patch.setattr(test_second_opinion, "HISTORIES", 250)
        for watcher in watchers:
            if bug.of in ONLY_OF.get(watcher, CHECKERS):
                try:
                    WATCHERS[watcher](bug.of)
                except (AssertionError, pytest.fail.Exception):
                    found.append(watcher)
    return found
