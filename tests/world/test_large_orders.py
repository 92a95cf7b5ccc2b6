"""Very large orders go through the whole system in one piece, or not at all: the retailer's longest and largest, and
one of a thousand products while the answers of the Stock Cache are lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest

from orderquake.model.policy import OrderOfSteps
from orderquake.sim.history import Row
from orderquake.sim.run import Run, simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.customers import order_id_of
from orderquake.sim.world.trace import Line, TraceOrder, load_trace

POLICIES = get_args(OrderOfSteps)
SMALL, LARGE = order_id_of("s0"), order_id_of("s1")
"""A trace's orders are numbered in the order of their coming: the small one comes first where there are two."""

SALES = load_trace().sales
LONGEST = max(SALES, key=lambda order: len(order.lines))
LARGEST = max(SALES, key=lambda order: sum(units for _, units, _ in order.lines))
REAL = {"748 lines": LONGEST, "80,995 units": LARGEST}


def units_of(order: TraceOrder) -> int:
    return sum(units for _, units, _ in order.lines)


def pence_of(order: TraceOrder) -> int:
    return sum(pence for _, _, pence in order.lines)


def hottest(order: TraceOrder) -> tuple[str, int]:
    """The product that most units are wanted of, and how many."""
    return min(((sku, units) for sku, units, _ in order.lines), key=lambda line: (-line[1], line[0]))


def play(
    folder: Path,
    orders: Sequence[Sequence[Line]],
    policy: str,
    faults: Sequence[Mapping[str, Any]] = (),
    declines: float = 0.0,
    **stock: Any,
) -> Run:
    """A day of these orders, ten minutes apart, on shelves that hold all that is wanted unless `stock` says less."""
    rows = (
        f"2011-12-05T00:{10 * number:02d},{number},sale,{sku},{units},{pence}\n"
        for number, lines in enumerate(orders)
        for sku, units, pence in lines
    )
    (folder / "day.csv").write_text("placed_at,number,kind,sku,units,amount_pence\n" + "".join(rows), encoding="utf-8")
    scenario = Scenario.model_validate(
        {
            "schema_version": 1,
            "question": "Does a very large order come through in one piece?",
            "horizon": "1 h",
            "must_exercise": ["never_oversold", "units_conserved", "reservation_hygiene", "every_order_ends"],
            "workload": {"kind": "trace", "name": "day.csv"},
            "stock": stock,
            "service": {"payment": {"declines": declines}},
            "policy": {"order": policy},
            "fault": list(faults),
        },
        context={"folder": str(folder)},
    )
    return simulate(scenario)


def rows_of(run: Run, order: str, operation: str) -> list[Row]:
    return [row for row in run.history if row.order == order and row.kind == "state" and row.operation == operation]


def judged_well(run: Run) -> bool:
    return run.verdict == "valid" and all(verdict.status != "invalid" for verdict in run.verdicts.values())


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("which", REAL)
def test_an_order_that_the_shelves_can_fill_is_paid_reserved_fulfilled_and_posted(
    tmp_path: Path, which: str, policy: str
) -> None:
    order = REAL[which]
    run = play(tmp_path, [order.lines], policy)
    large = order_id_of("s0")
    assert judged_well(run)
    assert run.outcomes()["fulfilled"] == run.outcomes()["posted"] == 1
    for operation in ("ordered", "hold", "pin", "ship"):
        told = {row.sku: row.units for row in rows_of(run, large, operation)}
        assert told == {sku: units for sku, units, _ in order.lines}, operation
    assert [row.amount for row in rows_of(run, large, "capture") if row.is_new] == [pence_of(order)]
    assert [row.amount for row in rows_of(run, large, "post") if row.is_new] == [pence_of(order)]
    assert not rows_of(run, large, "refund")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("which", REAL)
def test_an_order_that_lacks_one_unit_is_paid_back_whole_and_takes_nothing(
    tmp_path: Path, which: str, policy: str
) -> None:
    """A customer before it took one unit of what it wants most; the shelves held just enough for the large one."""
    order = REAL[which]
    sku, units = hottest(order)
    scarce = {"hottest": 1, "cover": (units + 0.5) / (units + 1)}
    run = play(tmp_path, [[(sku, 1, 99)], order.lines], policy, scarce=scarce)
    assert {row.sku: row.units for row in run.history if row.operation == "opening"}[sku] == units
    assert judged_well(run)
    assert (run.outcomes()["fulfilled"], run.outcomes()["refunded"] + run.outcomes()["cancelled"]) == (1, 1)
    assert [row.units for row in rows_of(run, SMALL, "ship")] == [1]
    assert not [row for held in ("hold", "pin", "ship") for row in rows_of(run, LARGE, held)]
    taken = sum(row.amount for row in rows_of(run, LARGE, "capture") if row.is_new)
    back = sum(row.amount for row in rows_of(run, LARGE, "refund") if row.is_new)
    assert taken == back == (pence_of(order) if policy == "pay_first" else 0)


# -- a thousand products, and the Stock Cache is not heard

THOUSAND: tuple[Line, ...] = tuple((f"sku-{number:04d}", 2, 500) for number in range(1_000))


def unheard(operation: str, nth: int) -> dict[str, Any]:
    """The Stock Cache does what it is asked, but its nth answer is lost; whoever asked asks again."""
    return {"kind": "lose_answer", "target": "stock", "operation": operation, "nth": nth}


def moves(run: Run, order: str) -> list[tuple[str, int]]:
    """What the Stock Cache did for an order, moment by moment: the operation, and how many products it concerned."""
    found: dict[tuple[int, str, str], set[str]] = {}
    for row in run.history:
        if row.order == order and row.kind == "state" and row.operation in ("hold", "extend", "pin", "free"):
            found.setdefault((row.time, row.operation, row.key), set()).add(row.sku)
    return [(operation, len(skus)) for (_, operation, _), skus in found.items()]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_thousand_products_are_reserved_at_once_and_once_though_the_answers_are_lost(
    tmp_path: Path, policy: str
) -> None:
    run = play(tmp_path, [THOUSAND], policy, [unheard("reserve", 1), unheard("consume", 1)])
    order = order_id_of("s0")
    assert judged_well(run)
    assert run.outcomes()["fulfilled"] == 1
    assert moves(run, order) == [("hold", 1_000), ("pin", 1_000)]
    asked = [row.operation for row in run.history if row.kind == "invoke" and row.order == order]
    assert asked.count("reserve") == asked.count("consume") == 2


@pytest.mark.parametrize("policy", POLICIES)
def test_a_thousand_products_of_which_one_is_short_are_not_reserved_at_all(tmp_path: Path, policy: str) -> None:
    scarce = {"hottest": 1, "cover": 0.9}  # two of three
    run = play(
        tmp_path,
        [[("sku-0500", 1, 250)], THOUSAND],
        policy,
        [unheard("reserve", 2)],
        scarce=scarce,
    )
    assert judged_well(run)
    assert moves(run, SMALL) == [("hold", 1), ("pin", 1)]
    assert moves(run, LARGE) == []
    assert run.outcomes()["refunded"] + run.outcomes()["cancelled"] == 1


def test_a_thousand_products_go_back_at_once_and_once_when_the_card_is_declined(tmp_path: Path) -> None:
    run = play(tmp_path, [THOUSAND], "reserve_first", [unheard("reserve", 1), unheard("release", 1)], declines=1.0)
    assert judged_well(run)
    assert run.outcomes()["declined"] == 1
    assert moves(run, order_id_of("s0")) == [("hold", 1_000), ("free", 1_000)]
