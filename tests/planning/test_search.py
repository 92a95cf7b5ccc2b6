"""The search knows nothing of runs: a line of values, and for each of them kept, missed or undecided."""

from __future__ import annotations

import math

import pytest

from orderquake.sim.planning.promise import Side
from orderquake.sim.planning.search import Line, search


def line(start: float = 0.0, easiest: float = -6.0, hardest: float = 6.0, apart: float = 0.05) -> Line:
    return Line(start, easiest, hardest, math.log(2), apart, lambda at: round(at, 6))


def between(low: float, high: float) -> tuple[list[float], object]:
    asked: list[float] = []

    def ask(at: float) -> Side:
        asked.append(at)
        return "kept" if at < low else "missed" if at > high else "undecided"

    return asked, ask


@pytest.mark.parametrize("truth", [-5.5, -0.01, 0.3, 5.9])
def test_it_closes_in_on_where_the_promise_breaks(truth: float) -> None:
    asked, ask = between(truth, truth)
    found = search(line(), ask)  # type: ignore[arg-type]
    assert found.status == "found"
    assert found.kept is not None and found.missed is not None
    assert found.kept < truth < found.missed
    assert found.missed - found.kept <= 0.05
    assert len(asked) == len(set(asked)) <= 24
    assert not found.contradictions()


def test_what_is_undecided_lies_within_the_answer_and_is_told() -> None:
    _, ask = between(1.0, 1.5)
    found = search(line(), ask)  # type: ignore[arg-type]
    assert found.kept is not None and found.missed is not None
    assert 0.9 < found.kept < 1.0 and 1.5 < found.missed < 1.6
    assert found.undecided()
    assert all(1.0 <= at <= 1.5 for at in found.undecided())


def test_a_promise_that_is_kept_everywhere_is_kept_at_least_so_far() -> None:
    found = search(line(), lambda _: "kept")
    assert (found.status, found.kept, found.missed) == ("at_least", 6.0, None)


def test_a_promise_that_is_missed_everywhere_is_not_to_be_had() -> None:
    found = search(line(), lambda _: "missed")
    assert (found.status, found.kept, found.missed) == ("unreachable", None, -6.0)


def test_nothing_sure_is_no_answer() -> None:
    assert search(line(), lambda _: "undecided").status == "undecided"


def test_no_more_values_are_probed_than_allowed() -> None:
    asked, ask = between(1.0, 1.0)
    found = search(line(apart=0.0), ask, most=9)  # type: ignore[arg-type]
    assert len(asked) == 9
    assert found.kept is not None and found.missed is not None


def test_whole_values_end_side_by_side() -> None:
    def snap(at: float) -> float:
        return math.log1p(round(math.expm1(at)))

    whole = Line(math.log1p(0), math.log1p(0), math.log1p(1023), math.log(2), 1e-9, snap)
    found = search(whole, lambda at: "kept" if round(math.expm1(at)) <= 13 else "missed")
    assert found.kept is not None and found.missed is not None
    assert (round(math.expm1(found.kept)), round(math.expm1(found.missed))) == (13, 14)


def test_a_promise_that_breaks_and_mends_is_told() -> None:
    def ask(at: float) -> Side:
        return "missed" if 0.5 < at < 1.0 or at > 3 else "kept"

    found = search(line(start=2.0), ask)
    found.sides[0.75] = "missed"
    assert (0.75, 2.0) in found.contradictions()
