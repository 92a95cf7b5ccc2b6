"""Those who do the work: they are killed, start cold, or run another version; it is seen, heals, and is borne."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model import architectures
from orderquake.model.architecture import Architecture
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.assumptions import is_promised
from orderquake.model.mutants import MUTANTS
from orderquake.sim.nemesis import FAMILIES, FAULTS
from orderquake.sim.run import Run
from orderquake.sim.units import MINUTE, SECOND
from tests.world.faults.days import POLICIES, bears, convicts, is_convicted, rows, run, same_on_both_engines

WINDOW = {"from": "1 min", "for": "4 min"}
STRIKES: dict[str, dict[str, Any]] = {
    "crash": {"target": "payment", "when": "after", "probability": 0.1, **WINDOW},
    "pause": {"target": "stock", "when": "before", "probability": 0.1, "outlives_deadline": True, **WINDOW},
    "killed_at_deadline": {"target": "payment", "when": "after", "probability": 0.1, **WINDOW},
    "cold_start_storm": {"at": "2 min"},
    "old_version": {"design": "hot_cold", **WINDOW},
}
"""Kind -> how it strikes the shop."""

GOODS_COME_IN = {
    "skus": 12,
    "units_per_sku": 10,
    "receipts": [
        {"at": f"{at} s", "sku": f"sku-{number:02d}", "units": 8}
        for at in range(120, 340, 40)
        for number in range(1, 13)
    ],
}
"""So that who was sold out, and died before it was written down, finds the goods there the next time."""


def fault(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, **(more or STRIKES[kind])}


REFUND = {"target": "payment", "operation": "refund", "when": "after", "probability": 0.9, **WINDOW}


# -- all of them


def test_every_kind_of_the_family_is_here() -> None:
    assert set(STRIKES) == {kind.model_fields["kind"].default for kind in FAMILIES["workers"]}
    assert all(is_promised(HotCold.requires, frozenset(FAULTS[kind].breaks)) for kind in STRIKES)


@pytest.mark.parametrize("kind", STRIKES)
@pytest.mark.parametrize(("order", "seed"), [*zip(POLICIES, (1, 2, 3), strict=True)])
def test_it_is_seen_heals_and_is_borne(kind: str, order: str, seed: int) -> None:
    bears(fault(kind), order, seed)


@pytest.mark.parametrize("kind", ["killed_at_deadline", "cold_start_storm", "old_version"])
def test_both_engines_tell_the_same_history(kind: str) -> None:
    same_on_both_engines(fault(kind))


@pytest.mark.parametrize(
    ("name", "struck", "by", "tables"),
    [
        ("refunds_before_writing", fault("crash", **REFUND), "refunded_right", {"stock": GOODS_COME_IN}),
        ("refunds_before_writing", fault("killed_at_deadline", **REFUND), "refunded_right", {"stock": GOODS_COME_IN}),
        ("consumes_without_looking",
         fault("pause", **STRIKES["pause"] | {"operation": "consume", "probability": 0.3}), "never_oversold", {}),
    ],
    ids=["crash", "killed_at_deadline", "pause"],
)  # fmt: skip
def test_a_design_that_does_not_reckon_with_it_is_convicted(
    name: str, struck: dict[str, Any], by: str, tables: dict[str, Any]
) -> None:
    is_convicted(MUTANTS[name], struck, by, **tables)


# -- killed at the deadline


def test_only_workers_are_killed_and_the_kill_is_the_witness() -> None:
    """Somebody registers or cancels at the front door, too, and jobs read orders: none of them has a deadline."""
    found = run(fault("killed_at_deadline", target="order_cache", when="after", probability=0.01))
    killed = rows(found, "mark", "worker_killed_at_deadline")
    (end,) = [row for row in rows(found, "fault") if row.answer == "recovered"]
    seen, *_ = [row for row in rows(found, "fault") if row.answer == "witnessed"]
    assert len(killed) >= 2
    assert 0 < end.units <= len(killed)
    assert min(row.time for row in killed) <= seen.time <= min(row.time for row in killed) + 20 * SECOND
    assert all(row.actor.startswith("worker-") for row in rows(found, "mark", "paused"))


def test_at_most_so_many_are_killed() -> None:
    found = run(fault("killed_at_deadline", target="payment", when="after", probability=1.0, at_most=2))
    assert len(rows(found, "mark", "worker_killed_at_deadline")) == 2


# -- cold starts


def test_after_a_storm_everybody_starts_anew_once() -> None:
    takes = {"kind": "constant", "value": "7 s"}
    found = run({"kind": "cold_start_storm", "at": "2 min", "takes": takes})
    starts = rows(found, "mark", "cold_start")
    assert starts, "nobody starts cold in this shop on other days"
    assert rows(run(), "mark", "cold_start") == []
    assert all(row.time >= 2 * MINUTE and row.deadline == row.time + 7 * SECOND for row in starts)
    assert len({row.actor for row in starts}) == len(starts)


def test_a_storm_may_strike_one_place() -> None:
    found = run({"kind": "cold_start_storm", "at": "2 min", "target": "us-east"})
    assert {row.place for row in rows(found, "mark", "cold_start")} == {"us-east"}


def test_customers_wait_longer_after_a_storm() -> None:
    """It harms no promise of any design here: a turn begins with its lease. What it costs is time."""
    takes = {"kind": "constant", "value": "20 s"}
    calm, storm = run(), run({"kind": "cold_start_storm", "at": "2 min", "takes": takes})
    assert storm.latency().loc["decision", "p99_s"] > calm.latency().loc["decision", "p99_s"] + 5


# -- two versions at once


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> type[Architecture]:
    """An old version that refunds before it has written so."""
    old = MUTANTS["refunds_before_writing"]
    monkeypatch.setitem(architectures.ARCHITECTURES, "planted", old)  # type: ignore[arg-type]
    return old


CRASH = fault("crash", **REFUND)


def test_an_old_version_does_what_it_would_have_done_alone(planted: type[Architecture]) -> None:
    """Workers die after a refund. The sound design bears it; a share of the turns that refunds first does not."""
    old = {"kind": "old_version", "design": "planted", "share": 0.5, **WINDOW}
    assert convicts(run(CRASH, stock=GOODS_COME_IN)) == []
    assert "refunded_right" in convicts(run(CRASH, old, stock=GOODS_COME_IN))


def test_a_sound_old_version_changes_nothing() -> None:
    """Its turns tell the same story over the same stores, with the same luck."""

    def told(found: Run) -> list[tuple[object, ...]]:
        return [
            (row.time, row.kind, row.operation, row.order, row.answer) for row in found.history if row.kind != "fault"
        ]

    assert [row for row in told(run(fault("old_version"))) if row[2] != "limits"] == [
        row for row in told(run()) if row[2] != "limits"
    ]


def test_it_takes_its_share_of_the_turns_in_its_place(planted: type[Architecture]) -> None:
    found = run({"kind": "old_version", "design": "planted", "target": "us-east", "share": 0.5, **WINDOW})
    (end,) = [row for row in rows(found, "fault") if row.answer == "recovered"]
    turns = [
        row
        for row in rows(found, "ok", "lease", "leased")
        if row.place == "us-east" and MINUTE <= row.time < 5 * MINUTE
    ]
    # Half of some hundred turns; outside of five standard errors once in a million seeds or more.
    assert abs(end.units - len(turns) / 2) <= 2.5 * len(turns) ** 0.5
