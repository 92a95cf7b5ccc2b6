"""Stores with a planted bug that shows in what they answer, on the days on which the promises convict them."""

from __future__ import annotations

import pytest

from orderquake.model.mutants import MUTANTS
from orderquake.sim.explore.days import day_of
from orderquake.sim.explore.kills.planted import planted
from orderquake.sim.linear import check
from orderquake.sim.run import simulate


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("consumes_without_looking", "-> pinned"),
        pytest.param("subtracts_at_apply", "-> sold_out", marks=pytest.mark.slow),
        pytest.param("releases_twice", "lapses", marks=pytest.mark.slow),
    ],
)
def test_a_stock_that_answers_what_it_should_not_is_no_stock(name: str, answer: str) -> None:
    history = simulate(day_of(planted(name).day), on=MUTANTS[name], seed=1).history
    found = check(history, "stock")
    assert found.status == "invalid"
    assert answer in found.reason
    assert check(history, "order_cache").status == "valid", "the rows are not to blame"
