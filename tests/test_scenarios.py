"""Every scenario that comes along earns what it expects, and its faults are seen to strike."""

from __future__ import annotations

import pytest

from orderquake.sim.run import simulate
from orderquake.sim.scenario_file import load_scenario, scenario_names

LONG = {"retail_peak": (1,)}
"""Scenarios that take more than a few seconds, and the seeds that must do."""
DAYS = [(name, seed) for name in scenario_names() for seed in LONG.get(name, (1, 2, 3))]


def test_every_scenario_expects_something() -> None:
    assert not [name for name in scenario_names() if not load_scenario(name).expect]


@pytest.mark.parametrize(("name", "seed"), DAYS)
def test_a_scenario_earns_what_it_expects(name: str, seed: int) -> None:
    scenario = load_scenario(name)
    for design, expected in scenario.expect.items():
        run = simulate(scenario, on=design, seed=seed)
        assert run.verdict == expected, {k: v.reason for k, v in run.verdicts.items() if v.status != "valid"}
        assert not run.notes, "every fault that must be seen was seen"
        assert all(run.verdicts[checker].was_exercised for checker in scenario.must_exercise)
        witnessed = {row.key for row in run.history if row.kind == "fault" and row.answer == "witnessed"}
        written = {key.partition(".")[0] for key in witnessed}  # a pattern consists of several
        assert written == {fault.label() for fault in scenario.fault}


def test_customers_are_served_while_the_record_is_away() -> None:
    """Ten minutes without a record: orders are accepted and end, and nothing is posted until it is back."""
    run = simulate("record_offline", seed=1)
    rows = run.history.frame()
    edges = rows.query("kind == 'fault' and operation == 'down'").set_index("answer").time
    during = rows.time.between(edges["injected"] + 1_000_000, edges["recovered"])
    accepted = rows[during & (rows.kind == "ok") & (rows.operation == "submit")]
    decided = rows[during & (rows.operation == "notice") & rows.is_new]
    assert len(accepted) > 500
    assert len(decided) > 500
    assert rows[during & (rows.operation == "post") & (rows.kind == "state")].empty
    assert run.verdicts["every_order_ends"].status == run.verdicts["posted_once"].status == "valid"
