"""The four implementations of the neutral workload play the same, and the benchmark would notice if they did not."""

from __future__ import annotations

import pytest

from tests.benchmarks.neutral.agreement import disagreements, rows_with_one_luck, who_differs
from tests.benchmarks.neutral.workload import Outcome, outcome_of

OUTCOME = Outcome(fulfilled=9300, timed_out=500, cancelled=200, rows=118_000, response_us=520_000.0)


@pytest.mark.parametrize("seed", [1, 2])
def test_with_one_luck_all_write_the_same_rows(seed: int) -> None:
    assert who_differs(orders=600, seed=seed) == {"names": []}


def test_the_workload_is_what_it_says() -> None:
    rows = rows_with_one_luck(orders=600, seed=1)
    outcome = outcome_of(rows["idiomatic"])
    assert outcome.ended == 600
    assert 15 < outcome.timed_out < 50, "about 5 % lose the race"
    assert 3 < outcome.cancelled < 25, "about 2 % are cancelled"


def test_the_slots_are_contended() -> None:
    """Work without a line takes 16 ms on average; orders at the stock take longer than that."""
    rows = rows_with_one_luck(orders=600, seed=1)["bare"]
    asked = {order: time for time, kind, operation, order, _ in rows if (kind, operation) == ("invoke", "reserve")}
    stays = [time - asked[order] for time, kind, operation, order, _ in rows if (kind, operation) == ("ok", "reserve")]
    assert sum(stays) / len(stays) > 20_000


def test_an_order_writes_twelve_rows() -> None:
    rows = rows_with_one_luck(orders=50, seed=1)["bare"]
    fulfilled = next(order for _, _, operation, order, answer in rows if answer == "fulfilled")
    assert sum(order == fulfilled for _, _, _, order, _ in rows) == 12


@pytest.mark.parametrize(
    "other",
    [
        OUTCOME._replace(fulfilled=9299),
        OUTCOME._replace(fulfilled=9100, timed_out=700),
        OUTCOME._replace(fulfilled=9400, cancelled=100),
        OUTCOME._replace(response_us=530_000.0),
    ],
)
def test_another_workload_is_noticed(other: Outcome) -> None:
    assert disagreements({"one": [OUTCOME], "other": [other]})


def test_an_unlucky_difference_is_not_held_against_anybody() -> None:
    other = OUTCOME._replace(fulfilled=9280, timed_out=520, response_us=522_000.0)
    assert disagreements({"one": [OUTCOME], "other": [other]}) == []
