"""What a run as a whole comes to."""

from __future__ import annotations

import pytest

from orderquake.sim.checkers.fold import Verdict
from orderquake.sim.checkers.verdicts import run_verdict

VALID, IDLE = Verdict.valid(3), Verdict.valid(0)
INVALID, UNKNOWN = Verdict.invalid(3, "broken", [1]), Verdict.unknown(3, "cut short")


@pytest.mark.parametrize(
    ("named", "other", "expected"),
    [
        (VALID, VALID, "valid"),
        (VALID, IDLE, "valid"),
        (VALID, UNKNOWN, "valid"),
        (VALID, INVALID, "invalid"),
        (UNKNOWN, VALID, "unknown"),
        (IDLE, VALID, "unknown"),
        (IDLE, INVALID, "invalid"),
        (INVALID, VALID, "invalid"),
    ],
)
def test_a_run_is_as_good_as_the_worst_that_counts(named: Verdict, other: Verdict, expected: str) -> None:
    assert run_verdict({"named": named, "other": other}, ["named"]) == expected


def test_a_promise_that_nobody_was_asked_about_makes_the_run_unknown() -> None:
    assert run_verdict({"other": VALID}, ["named"]) == "unknown"


def test_a_run_that_must_exercise_nothing_is_not_valid() -> None:
    assert run_verdict({"other": VALID}, []) == "unknown"
    assert run_verdict({"other": INVALID}, []) == "invalid"
