"""Invariants of an order system, as you would write them for your own: copy this file and change the scenario."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderquake.sim.run import Run, simulate
from orderquake.sim.scenario_file import load_scenario, set_by_path

RUSH = set_by_path(load_scenario("last_unit"), "workload.rounds", 20)
"""Four buyers want the same last unit within a second, twenty times over."""


@pytest.fixture(scope="module", params=[1, 2, 3])
def run(request: pytest.FixtureRequest) -> Run:
    return simulate(RUSH, seed=request.param)


def test_no_unit_is_sold_twice(run: Run) -> None:
    verdict = run.verdicts["never_oversold"]
    assert verdict.status == "valid", verdict.reason
    assert verdict.was_exercised


def test_exactly_one_buyer_gets_each_unit(run: Run) -> None:
    assert run.outcomes()["fulfilled"] == 20


def test_whoever_gets_nothing_keeps_the_money(run: Run) -> None:
    moved = {"capture": 1, "refund": -1}
    taken: dict[str, int] = {}
    told: dict[str, str] = {}
    for row in run.history:
        if row.operation in moved and row.kind == "state" and row.is_new:
            taken[row.order] = taken.get(row.order, 0) + moved[row.operation] * row.amount
        elif row.operation == "notice":
            told[row.order] = row.to_state
    assert all((taken.get(order, 0) > 0) == (outcome == "fulfilled") for order, outcome in told.items())


def test_nine_in_ten_customers_hear_within_a_second_that_their_order_is_registered(run: Run) -> None:
    assert run.latency()["p90_s"]["checkout"] < 1.0


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), lost=st.sampled_from([0.1, 0.3]))
def test_lost_answers_from_the_payment_provider_cost_nobody_anything(seed: int, lost: float) -> None:
    fault = {"kind": "lose_answer", "target": "payment", "probability": lost}
    run = simulate(set_by_path(RUSH, "fault", [fault]), seed=seed)
    assert run.verdict == "valid", run.verdicts
