"""Orders one by one: who is on the list comes, and nobody else; what the list does not say hangs on the number."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from orderquake.sim.demand import Listed
from orderquake.sim.run import simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.streams import Streams
from orderquake.sim.world.workload import Arrival, demand_of

THREE: list[dict[str, Any]] = [
    {"at": "3 s", "wants": {"sku-2": 2}, "number": 7},
    {"at": "1 s", "wants": {"sku-1": 1, "sku-2": 1}, "number": 4, "card": "declined", "cancels_after": "5 s"},
    {"at": "9 s", "wants": {"sku-1": 1}, "number": 2, "clicks_twice": True},
]


def listed(orders: list[dict[str, Any]], **more: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "listed",
            "schema_version": 1,
            "question": "These and no others?",
            "horizon": "1 min",
            "place": [{"name": "here"}],
            "workload": {"kind": "orders", "order": orders} | more,
            "stock": {"skus": 2, "units_per_sku": 3},
        }
    )


def arrivals(scenario: Scenario, seed: int = 1) -> list[Arrival]:
    return list(demand_of(scenario, Streams(seed)).arrivals)


def test_they_come_at_their_moments_and_want_what_they_want() -> None:
    came = arrivals(listed(THREE))
    assert [(one.at_us, one.number) for one in came] == [(1_000_000, 4), (3_000_000, 7), (9_000_000, 2)]
    assert [[(line.sku, line.units) for line in one.lines] for one in came] == [
        [("sku-1", 1), ("sku-2", 1)],
        [("sku-2", 2)],
        [("sku-1", 1)],
    ]


def test_what_is_said_of_a_customer_is_not_drawn() -> None:
    first, _, last = arrivals(listed(THREE, clicks_twice=0.0))
    assert (first.card, first.cancels_after_us) == ("declined", 5_000_000)
    assert last.clicks_twice


def test_what_is_not_said_is_drawn_under_the_number() -> None:
    orders = [
        {"at": f"{place + 1} s", "wants": {"sku-1": 1}, "number": number} for place, number in enumerate(range(40))
    ]
    came = arrivals(listed(orders, clicks_twice=0.5))
    backwards = arrivals(listed([{**o, "at": f"{50 - p} s"} for p, o in enumerate(orders)], clicks_twice=0.5))
    twice = {one.number: one.clicks_twice for one in came}
    assert twice == {one.number: one.clicks_twice for one in backwards}
    assert set(twice.values()) == {True, False}


def test_leaving_an_order_out_moves_nobody_elses_luck() -> None:
    def journeys(scenario: Scenario, number: int) -> list[tuple[str, int]]:
        rows = list(simulate(scenario, seed=5).history)
        order = next(row.order for row in rows if row.operation == "submit" and row.key == f"s{number}")
        asked = {
            row.op_id: row for row in rows if row.kind == "invoke" and row.order == order and row.key != f"s{number}"
        }
        took = [(r.operation, r.time - asked[r.op_id].time) for r in rows if r.kind == "ok" and r.op_id in asked]
        return [one for one in took if one[0] in ("register", "charge", "reserve", "consume")]

    with_all, without = listed(THREE), listed([THREE[0], THREE[2]])
    for number in (2, 7):
        assert len(journeys(without, number)) >= 4
        assert journeys(with_all, number) == journeys(without, number)


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"number": 7}, "numbered 7 twice"),
        ({"wants": {"sku-9": 1}}, "sku-9"),
        ({"wants": {}}, "wants"),
        ({"wants": {"sku-1": 0}}, "wants"),
        ({"place": "mars"}, "mars"),
        ({"at": "2 min"}, "never reaches"),
        ({"card": "stolen"}, "card"),
    ],
)
def test_a_list_that_cannot_be_is_refused(change: dict[str, Any], phrase: str) -> None:
    with pytest.raises(ValidationError, match=phrase):
        listed([THREE[0], {**THREE[1], **change}])


def test_a_list_is_written_as_it_was_read() -> None:
    scenario = listed(THREE)
    again = Scenario.model_validate({**scenario.tables(), "name": scenario.name})
    assert again == scenario
    assert isinstance(again.workload, Listed)
