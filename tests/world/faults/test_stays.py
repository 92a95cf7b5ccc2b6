"""Faults that nobody heals: what needed the dead is excused, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.sim.explore.campaign_run import outcome_of
from orderquake.sim.explore.excuses import away_at_the_end, excuses
from orderquake.sim.explore.swarm import Drawn, drawn
from orderquake.sim.explore.swarm_faults import MAY_DIE
from orderquake.sim.run import simulate
from orderquake.sim.units import HOUR
from tests.world.faults.days import life, shop


def told(*faults: dict[str, Any], order: str = "pay_first", **tables: Any) -> tuple[Any, Any]:
    scenario = shop(*faults, order=order, quiet_limit="4 h", must_exercise=["every_order_ends"], **tables)
    run = simulate(scenario, seed=1)
    return run, outcome_of(Drawn(1, {}, scenario), run)


def dead(target: str, kind: str = "down", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "target": target, "from": "60 s", "heals": False, **more}


@pytest.mark.parametrize("order", ["pay_first", "reserve_first", "authorise_reserve_capture"])
@pytest.mark.parametrize("target", MAY_DIE)
def test_who_stays_dead_excuses_what_only_he_could_do(target: str, order: str) -> None:
    run, outcome = told(dead(target), order=order)
    assert outcome["verdict"] == "valid", outcome
    assert away_at_the_end(run.history) == [target]
    assert set(outcome["excused"]) <= set(excuses(run.history))
    assert all(run.verdicts[name].status != "invalid" for name in run.verdicts)
    assert life(run, "down") == ["injected", "witnessed"]
    assert run.history[len(run.history) - 1].time <= run.scenario.horizon + 4 * HOUR


@pytest.mark.parametrize(("kind", "more"), [("offline", {}), ("partition", {}), ("read_only", {"writes": "lost"})])
def test_there_is_more_than_one_way_to_be_dead(kind: str, more: dict[str, Any]) -> None:
    run, outcome = told(dead("record", kind, **more))
    assert (outcome["verdict"], set(outcome["excused"])) == ("valid", {"posted_once", "books_converge"})
    assert run.verdicts["every_order_ends"].status == "valid"


@pytest.mark.parametrize("target", ["queue", "stock"])
def test_nobody_alive_is_excused(target: str) -> None:
    """With Order Cache and provider alive every order must end, and whatever has ended must be posted."""
    run, outcome = told(dead(target), order="reserve_first")
    assert "every_order_ends" not in excuses(run.history)
    assert "posted_once" not in excuses(run.history)
    assert outcome["verdict"] == "invalid"


def test_a_second_outage_that_heals_does_not_wake_the_dead() -> None:
    run, outcome = told(dead("record"), {"kind": "partition", "target": "record", "from": "90 s", "for": "10 s"})
    assert outcome["verdict"] == "valid"
    assert away_at_the_end(run.history) == ["record"]


def test_who_was_healed_is_no_excuse() -> None:
    run, outcome = told({"kind": "down", "target": "record", "from": "60 s", "for": "20 s"})
    assert (outcome["verdict"], excuses(run.history), "excused" in outcome) == ("valid", {}, False)


def test_a_day_may_leave_some_dead_and_the_same_for_all_its_faults() -> None:
    days = [drawn(seed, HotCold).scenario for seed in range(1, 400)]
    found = [day for day in days if any(not getattr(fault, "is_healed", True) for fault in day.fault)]
    assert len(found) > 3
    for scenario in found:
        for fault in scenario.fault:
            if not getattr(fault, "is_healed", True):
                assert fault.where() in MAY_DIE
                assert fault.window(scenario.horizon)[1] == scenario.horizon


def test_who_waits_for_a_dead_provider_holds_no_goods_for_ever() -> None:
    """A hold is extended for as long as its order is wanted, and not once it is too late to decide."""
    policy = {
        "order": "reserve_first", "extends": True, "reservation_ttl": "2 min", "decide_within": "10 min",
        "worker_deadline": "20 s", "lease": "25 s", "idle": "20 s",
    }  # fmt: skip
    run, outcome = told(dead("payment"), policy=policy)
    extended = [row.time for row in run.history if row.operation == "extend" and row.kind == "state"]
    assert extended and max(extended) < run.scenario.horizon + run.scenario.policy.decide_within
    assert run.verdicts["reservation_hygiene"].status == "valid"
    assert outcome["verdict"] == "valid", outcome
