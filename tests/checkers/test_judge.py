"""Sparing the folds changes nothing: verdicts, obligations, reasons and witnesses are those of hearing every row."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderquake.model.mutants import EQUIVALENT, MUTANTS
from orderquake.sim.checkers import CHECKERS, all_checkers
from orderquake.sim.checkers.charged_once import ChargedOnce
from orderquake.sim.checkers.fold import Context, Judge, Verdict
from orderquake.sim.checkers.judge import FEW, judge, judge_fully, judge_sparingly
from orderquake.sim.checkers.never_oversold import NeverOversold
from orderquake.sim.explore.days import day_of
from orderquake.sim.explore.kills.planted import planted
from orderquake.sim.history import History, Row
from orderquake.sim.run import judged, simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario, scenario_names, set_by_path
from tests.checkers.cases import CASES
from tests.checkers.crowd import Bare, bare, changed, crowd, ended, history_of, others
from tests.checkers.judging import judge_both
from tests.checkers.test_second_opinion import random_money_story, random_stock_story

POLICIES = ("pay_first", "reserve_first", "authorise_reserve_capture")
THINNED = {"rate_per_s": 0.1, "orders": 0.1, "rounds": 0.1, "scale": 0.1}
"""Key of a workload, and what it is multiplied by, so that some hundred orders are left of a scenario."""


def small(name: str) -> Scenario:
    scenario = load_scenario(name)
    for key, share in THINNED.items():
        if value := getattr(scenario.workload, key, None):
            scenario = set_by_path(scenario, f"workload.{key}", type(value)(share * value))
    if name == "retail_peak":  # a trace is not thinned out, but cut
        scenario = set_by_path(set_by_path(scenario, "fault", []), "horizon", "5 h")
    return scenario


# -- the same, whatever has happened


def test_every_history_written_by_hand_is_judged_alike() -> None:
    for case in CASES.values():
        for build in (case.innocent, case.guilty, case.undecided, History):
            judge_both(build(), all_checkers())


@pytest.mark.parametrize("build", [random_stock_story, random_money_story])
def test_small_histories_drawn_at_random_are_judged_alike(build: Any) -> None:
    seen: Counter[str] = Counter()
    for seed in range(250):
        seen.update(verdict.status for verdict in judge_both(build(Random(seed)), all_checkers()).values())
    assert min(seen[status] for status in ("valid", "invalid", "unknown")) > 250


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_under_every_policy_is_judged_alike(name: str, policy: str) -> None:
    history = simulate(set_by_path(small(name), "policy.order", policy), seed=2).history
    judge_both(history, all_checkers())
    judge_both(history_of(bare(history)[: len(history) // 2]), all_checkers())  # and a run that just stops


WITH_A_DAY = [name for name in MUTANTS if name not in EQUIVALENT]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if at % 5 else name for at, name in enumerate(WITH_A_DAY)],
)
def test_every_planted_bug_is_judged_alike(name: str) -> None:
    run = simulate(day_of(planted(name).day), on=MUTANTS[name], seed=1)
    assert judge_both(run.history, all_checkers()) == run.verdicts


CROWD = bare(ended(crowd()))
RUN = bare(simulate(small("lossy_payments"), seed=5).history)
CUT = 1_200
"""Rows of the run that are judged; the crowd's day is whole."""
COLUMNS = ("time", "kind", "operation", "attempt", "key", "actor", "order", "sku", "units", "amount", "debit", "credit",
           "answer", "is_new", "from_state", "to_state", "version", "deadline")  # fmt: skip
"""Those that some promise looks at."""
TOLD = ("operation", "answer")
"""Columns of the `limits` row that must stay what they are, or nobody can read it."""
KINDS_OF_CHANGE = ("drop", "repeat", "swap", "change", "change", "change")


def edited(rows: list[Bare], kind: str, here: int, column: str, which: int) -> list[Bare]:
    """The rows with one thing wrong."""
    here %= len(rows)
    if kind == "drop":
        return rows[:here] + rows[here + 1 :]
    if kind == "repeat":
        return rows[: here + 1] + rows[here:]
    if kind == "swap":
        there = which % len(rows)
        rows = list(rows)
        rows[here], rows[there] = rows[there], rows[here]
        return rows
    row = Row(here, *rows[here])
    said = [value for value in others(row, column, rows) if (column, value) != ("operation", "limits")]
    return (
        rows if row.operation == "limits" and column in TOLD else changed(rows, here, column, said[which % len(said)])
    )


@settings(max_examples=150, deadline=None)
@given(
    is_run=st.booleans(),
    edits=st.lists(
        st.tuples(
            st.sampled_from(KINDS_OF_CHANGE),
            st.integers(0, 10_000),
            st.sampled_from(COLUMNS),
            st.integers(0, 10_000),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_a_day_in_which_something_went_wrong_is_judged_alike(
    is_run: bool, edits: list[tuple[str, int, str, int]]
) -> None:
    rows = RUN[:CUT] if is_run else CROWD
    for edit in edits:
        rows = edited(rows, *edit)
    judge_both(history_of(rows), all_checkers())


def test_most_wrong_days_are_seen_to_be_wrong() -> None:
    """The edits above are no empty threat."""
    dice, wrong = Random(1), 0
    for _ in range(60):
        rows = edited(CROWD, "change", dice.randrange(10_000), dice.choice(COLUMNS), dice.randrange(10_000))
        wrong += any(verdict.status != "valid" for verdict in judge_fully(history_of(rows), all_checkers()).values())
    assert wrong > 10


# -- and much is spared


def rows_heard(monkeypatch: pytest.MonkeyPatch, history: History) -> int:
    heard: list[Row] = []
    step = Judge.step
    monkeypatch.setattr(Judge, "step", lambda self, row: (heard.append(row), step(self, row))[1])
    judge_sparingly(history, all_checkers())
    return len(heard)


def test_a_course_is_heard_once_however_many_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (rows_heard(monkeypatch, ended(crowd(["bought", "paid_back"], each))) for each in (2, 20))
    assert few == many < 100


def test_one_who_went_another_way_is_heard_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A double charge among forty: found, and nobody else has to be heard for it."""
    story = crowd(["bought", "paid_back"], 20)
    story.capture("bought-7")
    assert rows_heard(monkeypatch, ended(story)) < 150 < len(story.history) / 5
    found = judge_sparingly(story.history, all_checkers())
    assert {name for name, verdict in found.items() if verdict.status == "invalid"} >= {"charged_once"}


def test_short_histories_are_heard_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("looked over")

    monkeypatch.setattr("orderquake.sim.checkers.judge.judge_sparingly", refuse)
    history = ended(crowd())
    assert len(history) < FEW
    assert judge(history, all_checkers()) == judge_fully(history, all_checkers())
    with pytest.raises(AssertionError, match="looked over"):
        judge(history_of(bare(history) * 5), all_checkers())


class Lenient(ChargedOnce):
    """A fold of somebody else's, which declares nothing: it must not be spared what its parent could be."""

    name = "lenient"

    def hear(self, state: Any, row: Row, context: Context) -> Any:
        return super().hear(state, row._replace(is_new=row.is_new and row.amount != 666), context)


class Blind(NeverOversold):
    name = "blind"

    def settle(self, part: str, state: Any, context: Context) -> Any:
        return super().settle(part, state, context)._replace(status="unknown", reason="who knows")


def test_what_a_checker_inherits_was_said_of_another_fold() -> None:
    story = crowd(["bought"])
    story.row("capture", order="somebody", amount=666)
    found = judge_both(ended(story), [Lenient(), Blind()])
    assert found["lenient"].status == "unknown"
    assert found["blind"].reason.startswith("who knows")


# -- a doubted run is judged three ways


def doubted(history: History, is_doubted: bool) -> dict[str, Verdict]:
    scenario = load_scenario("calm_day")
    return judged(scenario, "hot_cold", 7, history, {}, 0.0, is_doubted=is_doubted).verdicts


def test_a_doubted_run_is_the_same_run() -> None:
    history = history_of(RUN)
    assert len(history) > FEW
    assert doubted(history, is_doubted=True) == doubted(history, is_doubted=False)
    scenario = small("shared_pool")
    plain, second = (simulate(scenario, seed=3, is_doubted=is_doubted) for is_doubted in (False, True))
    assert (plain.digest, plain.verdicts) == (second.digest, second.verdicts)


def test_a_screen_that_errs_is_contradicted_in_a_doubted_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CHECKERS["books_converge"], "screen", lambda *_: 17)
    history = history_of(RUN)
    assert doubted(history, is_doubted=False)["books_converge"] == Verdict.valid(17)
    with pytest.raises(AssertionError, match=r"disagree on calm_day with seed 7: .+books_converge: Verdict.*=17"):
        doubted(history, is_doubted=True)


def test_a_fold_that_errs_is_contradicted_in_a_doubted_run(monkeypatch: pytest.MonkeyPatch) -> None:
    story = crowd(["bought"], 60)
    story.capture("bought-1")
    history = history_of(bare(ended(story)))
    monkeypatch.setattr(ChargedOnce, "hear", lambda self, state, row, context: state._replace(number=1))
    with pytest.raises(AssertionError, match="charged_once: valid by rows, invalid by columns"):
        doubted(history, is_doubted=True)
