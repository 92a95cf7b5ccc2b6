"""Bad days with a name: what they consist of, when each part begins and ends, and that each part is seen."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model import architectures
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.assumptions import is_promised
from orderquake.model.mutants import MUTANTS
from orderquake.sim.nemesis import FAMILIES
from orderquake.sim.scenario import Scenario, canonical_json
from orderquake.sim.study.faults import faults
from orderquake.sim.units import SECOND
from tests.world.faults.days import POLICIES, bears, convicts, is_convicted, run, same_on_both_engines, shop
from tests.world.faults.test_workers import CRASH, GOODS_COME_IN

IN_TURN = ["stock", "order_cache", "queue"]
STRIKES: dict[str, dict[str, Any]] = {
    "swizzle_outage": {"services": IN_TURN, "gap": "20 s", "from": "1 min"},
    "rolling_restart": {"services": IN_TURN, "each": "20 s", "from": "1 min"},
    "regional_evacuation": {"place": "us-east", "from": "1 min", "for": "2 min"},
    "bad_deploy": {"design": "hot_cold", "canary_for": "1 min", "full_for": "1 min", "from": "1 min"},
}
"""Kind -> how it strikes the shop."""


def pattern(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, **(more or STRIKES[kind])}


def timetable(*struck: dict[str, Any], **tables: Any) -> list[tuple[str, str, str, int, int]]:
    """Label, kind, target, first and last second of each part."""
    scenario = shop(*struck, **tables)
    return [
        (label, part.kind, part.where(), *(at // SECOND for at in part.window(scenario.horizon)))
        for label, part in scenario.plain_faults()
    ]


def test_every_kind_of_the_family_is_here() -> None:
    assert set(STRIKES) == {kind.model_fields["kind"].default for kind in FAMILIES["patterns"]}


@pytest.mark.parametrize("kind", STRIKES)
@pytest.mark.parametrize(("order", "seed"), [*zip(POLICIES, (1, 2, 3), strict=True)])
def test_each_part_is_seen_heals_and_is_borne(kind: str, order: str, seed: int) -> None:
    bears(pattern(kind), order, seed)


@pytest.mark.parametrize("kind", STRIKES)
def test_it_breaks_no_less_than_its_parts(kind: str) -> None:
    (fault,) = shop(pattern(kind)).fault
    assert fault.broken() >= frozenset().union(*(part.broken() for part in fault.parts(shop())))
    assert is_promised(HotCold.requires, fault.broken())


@pytest.mark.parametrize("kind", STRIKES)
def test_both_engines_tell_the_same_history(kind: str) -> None:
    same_on_both_engines(pattern(kind))


@pytest.mark.parametrize("kind", ["swizzle_outage", "rolling_restart", "regional_evacuation"])
def test_a_design_that_never_gives_up_is_convicted(kind: str) -> None:
    is_convicted(MUTANTS["never_gives_up"], pattern(kind), "backpressure_bounded")


def test_a_bad_version_is_convicted_when_it_is_rolled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(architectures.ARCHITECTURES, "bad", MUTANTS["refunds_before_writing"])  # type: ignore[arg-type]
    bad = {"kind": "bad_deploy", "design": "bad", "canary": 0.2, "canary_for": "1 min", "full_for": "2 min",
           "from": "1 min"}  # fmt: skip
    assert convicts(run(CRASH, stock=GOODS_COME_IN)) == []
    assert "refunded_right" in convicts(run(CRASH, bad, stock=GOODS_COME_IN))


# -- what they consist of


def test_services_come_back_in_another_order_than_they_went() -> None:
    returns = ["order_cache", "stock", "queue"]
    swizzle = pattern("swizzle_outage", services=IN_TURN, returns=returns, gap="10 s", hold="5 s", **{"from": "60 s"})
    label = shop(swizzle).fault[0].label()
    assert timetable(swizzle) == [
        (f"{label}.1", "down", "stock", 60, 105),
        (f"{label}.2", "down", "order_cache", 70, 95),
        (f"{label}.3", "down", "queue", 80, 115),
    ]


def test_the_last_to_go_comes_back_first_where_nothing_else_is_said() -> None:
    swizzle = pattern("swizzle_outage", services=IN_TURN, gap="10 s", hold="5 s", **{"from": "60 s"})
    assert [until for *_, until in timetable(swizzle)] == [115, 105, 95]


def test_restarts_roll_from_one_to_the_next() -> None:
    rolling = pattern("rolling_restart", services=IN_TURN, each="5 s", gap="20 s", **{"from": "60 s"})
    assert [row[2:] for row in timetable(rolling)] == [
        ("stock", 60, 65), ("order_cache", 85, 90), ("queue", 110, 115),
    ]  # fmt: skip


def test_an_evacuated_place_takes_its_services_along() -> None:
    gone = pattern("regional_evacuation", place="us-east", **{"from": "60 s", "for": "60 s"})
    found = timetable(gone, service={"record": {"place": "us-east"}})
    assert [row[1:] for row in found] == [
        ("down", "record", 60, 120),
        ("partition", "us-east - eu-west", 60, 120),
        ("cold_start_storm", "us-east", 119, 120),
    ]


def test_a_deployment_goes_to_few_then_to_all_and_back() -> None:
    deploy = pattern("bad_deploy", design="hot_cold", canary=0.2, canary_for="30 s", full_for="60 s")
    parts = dict(shop(deploy).plain_faults())
    assert [part.model_dump()["share"] for part in parts.values() if part.kind == "old_version"] == [0.2, 1.0]
    assert [row[1:] for row in timetable(deploy)] == [
        ("old_version", "workers", 0, 30),
        ("old_version", "workers", 30, 90),
        ("cold_start_storm", "workers", 0, 0),
        ("cold_start_storm", "workers", 30, 30),
        ("cold_start_storm", "workers", 89, 90),
    ]


# -- how they are told


def test_a_run_shows_each_part_by_itself() -> None:
    found = run(pattern("swizzle_outage"))
    assert [(window.kind, window.target, window.label) for window in faults(found.history)] == [
        ("down", name, f"{shop(pattern('swizzle_outage')).fault[0].label()}.{number}")
        for number, name in enumerate(IN_TURN, start=1)
    ]


def test_the_scenario_keeps_the_pattern_as_it_was_written() -> None:
    scenario = shop(pattern("swizzle_outage"), pattern("bad_deploy"))
    assert [fault.kind for fault in scenario.fault] == ["swizzle_outage", "bad_deploy"]
    assert Scenario.model_validate_json(canonical_json(scenario)) == scenario
