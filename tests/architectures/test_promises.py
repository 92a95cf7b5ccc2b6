"""The contract of each design against every kind of fault that there is: where it promises something, it keeps it; and
who can still be served on a day when the record is away."""

from __future__ import annotations

import tomllib

import pytest

from orderquake.model.architectures import ARCHITECTURES
from orderquake.model.assumptions import Assumption, is_promised
from orderquake.sim.nemesis import FAULTS
from orderquake.sim.run import Run, simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario, set_by_path
from tests.architectures.test_conformance import SOUND

NEW = [name for name in SOUND if name != "hot_cold"]  # hot_cold meets every fault in tests/world/faults
ORDINARY = {
    "schema_version": 1,
    "question": "Does it keep what it promises on this day?",
    "horizon": "20 min",
    "must_exercise": ["never_oversold", "charged_once", "refunded_right", "posted_once", "every_order_ends"],
    "workload": {"kind": "poisson", "rate_per_s": 0.12, "cancels": 0.05, "clicks_twice": 0.05},
    "stock": {"skus": 8, "units_per_sku": 12},
}


def day_with(kind: str) -> Scenario:
    """An ordinary day with one fault, as its own example asks for it."""
    return Scenario.model_validate({**ORDINARY, **tomllib.loads(FAULTS[kind].example)})


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("name", NEW)
def test_what_is_promised_is_kept(name: str, kind: str) -> None:
    day = day_with(kind)
    broken: frozenset[Assumption] = frozenset().union(*(fault.broken() for fault in day.fault))
    run = simulate(day, on=name, seed=1)
    if is_promised(ARCHITECTURES[name].requires, broken):
        wrong = {claim: verdict.reason for claim, verdict in run.verdicts.items() if verdict.status == "invalid"}
        assert not wrong
        assert run.verdict == "valid" or run.notes, "unknown only where the fault had nothing to strike"


def test_no_design_promises_anything_without_keys_or_commits() -> None:
    for name, design in ARCHITECTURES.items():
        assert {Assumption.KEYS_OUTLIVE_ASKS, Assumption.RECORD_KEEPS_COMMITS} <= design.requires, name


@pytest.mark.parametrize("name", ["central", "reserve_in_record", "orchestrated_repaired"])
def test_where_all_ask_one_table_other_channels_take_nothing_that_is_promised(name: str) -> None:
    crowded = set_by_path(load_scenario("shared_pool"), "stock.safety_stock", 0)
    assert simulate(crowded, on="hot_cold", seed=1).outcomes()["foreign_oversold_units"] > 0
    run = simulate(crowded, on=name, seed=1)
    assert run.verdicts["never_oversold"].status == "valid"
    assert run.outcomes()["foreign_oversold_units"] == 0


# -- while the record is away


def served(run: Run) -> dict[str, int]:
    """How many hear that their order is registered, and how it ended, while the record is away."""
    rows = run.history.frame()
    edges = rows.query("kind == 'fault' and operation == 'down'").set_index("answer").time
    during = rows.time.between(edges["injected"] + 2_000_000, edges["recovered"])
    notices = rows[during & (rows.operation == "notice") & rows.is_new]
    return {
        "registered": len(rows[during & (rows.kind == "ok") & (rows.operation == "submit")]),
        "fulfilled": int((notices.to_state == "fulfilled").sum()),
        "declined": int((notices.to_state == "declined").sum()),
    }


@pytest.mark.parametrize(
    ("name", "registers", "fulfils"),
    [
        ("hot_cold", True, True),
        ("reserve_in_record", True, False),
        ("orchestrated_repaired", True, False),
        ("central", False, False),
    ],
)
def test_who_can_be_served_while_the_record_is_away(name: str, registers: bool, fulfils: bool) -> None:
    run = simulate("record_offline", on=name, seed=1)
    found = served(run)
    assert (found["registered"] > 500) == registers
    assert (found["fulfilled"] > 100) == fulfils
    assert registers or found["registered"] == 0
    assert fulfils or found["fulfilled"] == 0
    assert run.verdict == "valid"


def test_time_outs_cost_customers_money_where_samples_are_copied() -> None:
    run = simulate("payment_hangs", on="orchestrated", seed=1)
    assert run.verdicts["refunded_right"].status == "invalid"
    assert run.verdicts["every_order_ends"].status == "invalid"
    assert simulate("payment_hangs", on="orchestrated_repaired", seed=1).verdict == "valid"
