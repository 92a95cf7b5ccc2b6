"""Every promise meets an innocent, a guilty, an undecided and an empty history; to one, only it objects."""

from __future__ import annotations

import pytest

from orderquake.sim.checkers import CHECKERS, all_checkers
from orderquake.sim.checkers.columns import second_opinion
from orderquake.sim.checkers.fold import Judge
from orderquake.sim.history import History
from tests.checkers.cases import CASES, innocent
from tests.checkers.histories import without_inside_rows
from tests.checkers.judging import judge_both

EVERY = pytest.mark.parametrize("name", CHECKERS)


def test_every_checker_has_its_histories() -> None:
    assert list(CASES) == list(CHECKERS)


@EVERY
def test_a_checker_is_named_as_it_is_registered_and_says_what_it_hears(name: str) -> None:
    first_line = (CHECKERS[name].__doc__ or "").splitlines()[0]
    assert CHECKERS[name].name == name
    assert " Hears: " in first_line
    assert first_line.endswith(".")


@EVERY
def test_the_innocent_are_found_innocent(name: str) -> None:
    verdict = judge_both(CASES[name].innocent(), [CHECKERS[name]()])[name]
    assert (verdict.status, verdict.reason) == ("valid", "")
    assert verdict.obligations > 0


@EVERY
def test_the_guilty_are_found_guilty_with_a_witness_and_a_reason(name: str) -> None:
    history = CASES[name].guilty()
    verdict = judge_both(history, [CHECKERS[name]()])[name]
    assert verdict.status == "invalid"
    assert verdict.obligations > 0
    assert CASES[name].says in verdict.reason
    assert verdict.witness
    assert list(verdict.witness) == sorted(set(verdict.witness))
    assert all(type(index) is int and 0 <= index < len(history) for index in verdict.witness)


@EVERY
def test_only_this_checker_objects_to_its_guilty_history(name: str) -> None:
    verdicts = judge_both(CASES[name].guilty(), all_checkers())
    assert {each for each, verdict in verdicts.items() if verdict.status == "invalid"} == {name}


@EVERY
def test_where_the_history_does_not_say_neither_does_the_checker(name: str) -> None:
    verdict = judge_both(CASES[name].undecided(), [CHECKERS[name]()])[name]
    assert verdict.status == "unknown"
    assert verdict.reason


@EVERY
def test_an_empty_history_tests_nothing(name: str) -> None:
    verdict = judge_both(History(), [CHECKERS[name]()])[name]
    assert (verdict.status, verdict.obligations, verdict.reason) == ("unknown", 0, "not exercised")


def test_one_good_day_exercises_every_promise_and_keeps_it() -> None:
    verdicts = judge_both(innocent(), all_checkers())
    assert {name: verdict for name, verdict in verdicts.items() if verdict.status != "valid"} == {}


def test_rows_and_columns_agree_about_every_history_written_by_hand() -> None:
    for case in CASES.values():
        for build in (case.innocent, case.guilty, case.undecided, History):
            history = build()
            assert second_opinion(history, judge_both(history, all_checkers())) == [], build.__name__


@EVERY
def test_a_checker_that_claims_only_outside_witnesses_needs_no_others(name: str) -> None:
    if "inside" in (CHECKERS[name].__doc__ or ""):
        pytest.skip("hears inside rows, and says so")
    for build in (CASES[name].innocent, CASES[name].guilty):
        history = build()
        whole = judge_both(history, [CHECKERS[name]()])[name]
        outside = judge_both(without_inside_rows(history), [CHECKERS[name]()])[name]
        assert (whole.status, whole.obligations, whole.reason) == (
            outside.status,
            outside.obligations,
            outside.reason,
        )


def test_the_two_promises_about_money_taken_are_judged_from_outside_alone() -> None:
    outside = {name for name, checker in CHECKERS.items() if "inside" not in (checker.__doc__ or "")}
    assert outside == {"charged_once", "refunded_right"}


@EVERY
def test_a_checker_goes_on_from_a_snapshot_as_if_nothing_had_happened(name: str) -> None:
    for build in (CASES[name].innocent, CASES[name].guilty, CASES[name].undecided):
        history = build()
        panel = Judge([CHECKERS[name]()])
        for cut in range(0, len(history), 7):
            panel = Judge([CHECKERS[name]()])
            for index in range(cut):
                panel.step(history[index])
            saved = panel.snapshot()
            assert hash(saved) == hash(panel.snapshot())
            for index in range(cut, len(history)):
                panel.step(history[index])
            first, last = panel.verdicts(), panel.snapshot()
            panel.restore(saved)
            assert panel.snapshot() == saved
            for index in range(cut, len(history)):
                panel.step(history[index])
            assert panel.verdicts() == first
            assert panel.snapshot() == last
        assert panel.verdicts() == judge_both(history, [CHECKERS[name]()])


def test_a_snapshot_keeps_what_is_dead_and_what_the_limits_are() -> None:
    history = innocent()
    panel = Judge(all_checkers())
    panel.hear(history)
    before = panel.snapshot()
    panel.step(history[0]._replace(kind="fault", operation="down", actor="record", answer="injected"))
    panel.step(history[0]._replace(kind="config", operation="limits", answer="{}"))
    assert panel.context.dead == {"record"}
    panel.restore(before)
    assert panel.context.dead == frozenset()
    assert panel.context.limits["policy"] == "pay_first"


def test_branches_that_differ_only_in_when_things_happened_are_one_branch() -> None:
    early, late = History(), History()
    late.state(0, "mark", kind="mark")
    for history in (early, late):
        history.state(9, "capture", order="ann", amount=100, debit="provider", credit="customer", witness="outside")
    panels = [Judge([CHECKERS["charged_once"]()]) for _ in range(2)]
    for panel, history in zip(panels, (early, late), strict=True):
        panel.hear(history)
    assert panels[0].snapshot() == panels[1].snapshot()
    assert hash(panels[0].snapshot()) == hash(panels[1].snapshot())
