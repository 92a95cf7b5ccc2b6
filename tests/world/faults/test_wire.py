"""The way to the services and back: what is lost, late, doubled, overtaken or cut off, is seen, heals, and is borne."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.assumptions import is_promised
from orderquake.model.mutants import MUTANTS
from orderquake.sim.nemesis import FAMILIES, FAULTS
from orderquake.sim.study.faults import faults
from orderquake.sim.units import MINUTE, SECOND
from tests.world.corner import LEG, MS, TRIP, Corner, constant, lapse
from tests.world.faults.days import POLICIES, bears, is_convicted, run, same_on_both_engines, shop
from tests.world.faults.naive import BelievesWhoComesLast

WINDOW = {"from": "1 min", "for": "3 min"}
LONG = {"kind": "exponential", "mean": "15 s"}
PLACES = ["eu-west", "us-east"]
STRIKES: dict[str, dict[str, Any]] = {
    "lose_ask": {"target": "stock", "probability": 0.1},
    "lose_answer": {"target": "payment", "probability": 0.1},
    "delay": {"target": "payment", "probability": 0.1, "by": LONG},
    "duplicate": {"target": "stock", "probability": 0.2},
    "reorder": {"target": "stock", "by": {"kind": "uniform", "low": "0 s", "high": "4 s"}},
    "partition": {"between": PLACES},
    "flapping": {"target": "stock"},
    "slow_link": {"between": PLACES, "add": {"kind": "exponential", "mean": "2 s"}},
}
"""Kind -> how it strikes the shop, for three minutes."""


def fault(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, **WINDOW, **(more or STRIKES[kind])}


# -- all of them


def test_every_kind_of_the_family_is_here() -> None:
    assert set(STRIKES) == {kind.model_fields["kind"].default for kind in FAMILIES["wire"]}
    assert all(is_promised(HotCold.requires, frozenset(FAULTS[kind].breaks)) for kind in STRIKES)


@pytest.mark.parametrize("kind", STRIKES)
@pytest.mark.parametrize(("order", "seed"), [*zip(POLICIES, (1, 2, 3), strict=True)])
def test_it_is_seen_heals_and_is_borne(kind: str, order: str, seed: int) -> None:
    bears(fault(kind), order, seed)


@pytest.mark.parametrize("kind", ["delay", "reorder", "partition", "flapping", "slow_link"])
def test_both_engines_tell_the_same_history(kind: str) -> None:
    same_on_both_engines(fault(kind))


CHARGES = {"target": "payment", "operation": "charge"}
BACK = {"target": "payment", "loses": "back"}
KEYS = MUTANTS["keys_each_attempt"]


@pytest.mark.parametrize(
    ("design", "struck", "by", "seed"),
    [
        (MUTANTS["never_recovers"], fault("lose_ask", target="queue", operation="enqueue", probability=0.9),
         "every_order_ends", 1),
        (KEYS, fault("lose_answer", probability=0.1, **CHARGES), "charged_once", 1),
        (KEYS, fault("delay", probability=0.1, by=LONG, **CHARGES), "charged_once", 1),
        (MUTANTS["forgets_dedup"], fault("duplicate", target="record", operation="post", probability=0.5),
         "posted_once", 3),
        (BelievesWhoComesLast,
         fault("reorder", target="stock", operation="refresh", by={"kind": "uniform", "low": "0 s", "high": "2 min"}),
         "fresh_snapshots_only", 1),
        (KEYS, fault("partition", **BACK), "charged_once", 1),
        (MUTANTS["never_gives_up"], fault("partition", between=PLACES), "backpressure_bounded", 1),
        (KEYS, fault("flapping", **BACK), "charged_once", 1),
        (KEYS, fault("slow_link", target="payment", add={"kind": "exponential", "mean": "5 s"}), "charged_once", 1),
    ],
    ids=lambda what: what.name if isinstance(what, type) else what.get("kind") if isinstance(what, dict) else str(what),
)  # fmt: skip
def test_a_design_that_does_not_reckon_with_it_is_convicted(
    design: type[Architecture], struck: dict[str, Any], by: str, seed: int
) -> None:
    calm = {"record": {"latency": {"kind": "constant", "value": "200 ms"}}}
    is_convicted(design, struck, by, seed, service=calm)


# -- to the microsecond


def test_a_delayed_ask_arrives_so_much_later_and_is_answered() -> None:
    corner = Corner([{"kind": "delay", "nth": 2, "by": constant(300 * MS)}])
    corner.at(0, "prompt")
    corner.at(1, "late")
    corner.run()
    assert corner.heard == [(TRIP, "prompt", "answer 1"), (1 + 300 * MS + TRIP, "late", "answer 2")]


def test_an_ask_that_is_delayed_beyond_patience_is_done_all_the_same() -> None:
    corner = Corner([{"kind": "delay", "nth": 1, "by": constant(300 * MS)}])
    corner.at(0, "impatient", timeout_us=100 * MS)
    corner.run()
    assert corner.heard == [(100 * MS, "impatient", "silence")]
    assert len(corner.store.handled) == 1


def test_asks_overtake_each_other_only_while_it_lasts() -> None:
    by = {"kind": "uniform", "low": "0 s", "high": "100 ms"}
    corner = Corner([{"kind": "reorder", "by": by, "from": "1 s", "for": "1 s"}])
    for number in range(100):
        corner.at(500 * MS + number * 20 * MS, f"{number:02d}")
    corner.run()
    order = [who for _, who in corner.store.handled]
    assert order[:25] == sorted(order[:25])
    assert order[25:75] != sorted(order[25:75])
    assert order[80:] == sorted(order[80:])
    (found,) = corner.faults
    assert found.strikes >= sum(other < one for one, other in pairwise(order))


def test_to_hold_up_a_single_ask_is_no_reordering() -> None:
    corner = Corner([{"kind": "reorder", "share": 1.0}])
    corner.at(0, "alone")
    corner.run()
    assert corner.faults[0].strikes == 0


@pytest.mark.parametrize(("loses", "done"), [("there", 0), ("back", 1), ("both", 0)])
def test_a_partition_of_one_way_loses_that_way_only(loses: str, done: int) -> None:
    corner = Corner([{"kind": "partition", "loses": loses, "for": "5 s"}])
    corner.at(0, "cut off", timeout_us=100 * MS)
    corner.at(6 * SECOND, "after")
    corner.run()
    assert corner.heard == [(100 * MS, "cut off", "silence"), (6 * SECOND + TRIP, "after", f"answer {done + 1}")]


def test_a_refusal_does_not_get_through_a_partition_either() -> None:
    corner = Corner(
        [{"kind": "partition", "loses": "back"}, {"kind": "throttled", "per_s": 0.001, "burst": 1}],
    )
    corner.at(0, "first", timeout_us=100 * MS)
    corner.at(1, "second", timeout_us=100 * MS)
    corner.run()
    assert [said for _, _, said in corner.heard] == ["silence", "silence"]
    assert len(corner.store.handled) == 1


def test_a_way_that_flaps_is_cut_and_clear_by_turns() -> None:
    corner = Corner(
        [{"kind": "flapping", "cut": constant(SECOND), "clear": constant(2 * SECOND), "from": "1 s", "for": "8 s"}]
    )
    for second in range(12):
        corner.at(second * SECOND + 500 * MS, f"{second:02d}", timeout_us=100 * MS)
    corner.run(20 * SECOND)
    assert [who for _, who, said in corner.heard if said == "silence"] == ["01", "04", "07"]
    rows = [(row.time // SECOND, row.answer) for row in corner.history if row.kind == "fault"]
    edges = [row for row in rows if row[1] != "witnessed"]
    assert edges == [(at, what) for cut in (1, 4, 7) for at, what in ((cut, "injected"), (cut + 1, "recovered"))]
    assert rows.count((1, "witnessed")) == 1


def test_a_slow_link_is_slow_in_both_directions() -> None:
    corner = Corner([{"kind": "slow_link", "factor": 3.0, "add": constant(5 * MS)}])
    corner.at(0, "somebody", lapse())
    corner.run()
    assert corner.heard == [(TRIP + 2 * (2 * LEG + 5 * MS), "somebody", "answer 1")]


def test_only_what_crosses_between_the_two_places_is_cut() -> None:
    """All services stand in eu-west: nobody there notices, and in us-east nothing is done for three minutes."""
    found = run(fault("partition"))
    (window,) = faults(found.history)
    assert (window.target, window.from_us, window.until_us) == ("eu-west - us-east", MINUTE, 4 * MINUTE)
    during = [row for row in found.history if MINUTE + SECOND < row.time < 4 * MINUTE]
    assert {row.place for row in during if row.kind == "info" and row.operation == "read_order"} <= {"us-east"}
    assert {row.place for row in during if row.kind == "ok" and row.operation == "read_order"} == {"eu-west"}


def test_each_fault_has_its_own_luck() -> None:
    """A second fault of the same kind elsewhere moves none of the first one's strikes."""

    def struck(*more: dict[str, Any]) -> list[float]:
        first = fault("lose_ask", target="notice", probability=0.1)
        found = run(first, *more, workload={"kind": "rounds", "rounds": 12, "buyers": 3, "every": "20 s"})
        lost = [row.cause for row in found.history if row.kind == "info" and row.operation == "notify"]
        asked = {row.index: row for row in found.history if row.kind == "invoke" and row.operation == "notify"}
        return sorted(asked[cause].order for cause in lost)  # type: ignore[misc]

    assert struck() == struck(fault("lose_ask", target="record", operation="read_changes", probability=0.1)) != []


def test_the_scenario_names_every_part_of_the_day() -> None:
    labels = [label for label, _ in shop(fault("lose_ask"), fault("partition")).plain_faults()]
    assert [label.rpartition("-")[0] for label in labels] == ["lose_ask", "partition"]
