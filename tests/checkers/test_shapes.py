"""Shapes are what they say: two parts have one exactly where a fold that looks only so far cannot tell them apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from math import gcd
from typing import Any

import numpy as np
import pytest

from orderquake.sim.checkers import CHECKERS
from orderquake.sim.checkers.groups import merged, since, sizes, together, within
from orderquake.sim.checkers.judge import judge_by_shape, judge_fully
from orderquake.sim.checkers.money_conserved import MoneyConserved
from orderquake.sim.checkers.reservation_hygiene import ReservationHygiene
from orderquake.sim.checkers.shapes import COMPUTED, Looks, of_order, parts_by_shape
from orderquake.sim.history import History, Row
from tests.checkers.crowd import crowd, history_of
from tests.checkers.histories import Story
from tests.checkers.test_judge import CROWD, RUN
from tests.checkers.test_looks import SHAPED, looks_of, odd_orders, the_table_changes_at_noon

# -- by arrays as by hand


def cell(history: History, row: Row, column: str) -> Any:
    if column in COMPUTED:
        return int(COMPUTED[column](history.table(), np.array([row.index]))[0])
    return getattr(row, column)


def shape_by_hand(history: History, looks: Looks, rows: list[Row]) -> Hashable:
    """What is left of a part's rows without names, amounts and moments, as nested tuples."""
    looked_at = [looks.rows[row.operation] for row in rows]
    written: list[Any] = [tuple(row.operation for row in rows)]
    for column in looks.as_they_are:
        at = [row for row, columns in zip(rows, looked_at, strict=True) if column in columns]
        written += [(column, cell(history, row, column)) for row in at]
    for names in looks.names:
        met: dict[Any, int] = {}
        for place, (row, at) in enumerate(zip(rows, looked_at, strict=True)):
            if names[0] in at:
                written.append(met.setdefault(tuple(getattr(row, name) for name in names), place))
    if looks.sums:
        sums = [getattr(row, looks.sums) for row, at in zip(rows, looked_at, strict=True) if looks.sums in at]
        unit = 1 if min(sums, default=0) < 0 else gcd(*sums) or 1
        written.append(tuple(value // unit for value in sums))
    moments = [
        getattr(row, each) for row, at in zip(rows, looked_at, strict=True) for each in looks.moments if each in at
    ]
    ranks = {moment: rank for rank, moment in enumerate(sorted(set(moments)))}
    written.append(tuple(ranks[moment] for moment in moments))
    return tuple(written)


def partition(named: Iterable[tuple[Hashable, int]]) -> set[frozenset[int]]:
    """Which first rows of parts go together."""
    groups: dict[Hashable, set[int]] = defaultdict(set)
    for shape, first in named:
        groups[shape].add(first)
    return {frozenset(group) for group in groups.values()}


@pytest.mark.parametrize("name", SHAPED)
@pytest.mark.parametrize(
    "history", [history_of(CROWD), history_of(RUN), odd_orders(), the_table_changes_at_noon()],
    ids=["crowd", "run", "odd", "noon"],
)  # fmt: skip
def test_shapes_by_arrays_are_shapes_by_hand(name: str, history: History) -> None:
    checker, looks = CHECKERS[name](), looks_of(name)
    heard: dict[str, list[Row]] = defaultdict(list)
    for row in history:
        if row.operation in checker.hears.get(row.kind, ()) and row.operation in looks.rows:
            heard[checker.part(row)].append(row)
    by_hand = partition((shape_by_hand(history, looks, rows), rows[0].index) for rows in heard.values())
    pairs = [(each, kind) for kind in checker.hears for each in sorted(checker.hears[kind] - checker.echoed)]
    parts = parts_by_shape(history.table(), looks, [(each, history.table().at(kind, each)) for each, kind in pairs])
    assert partition(zip(parts.shape.tolist(), parts.rows[parts.starts].tolist(), strict=True)) == by_hand


# -- what is taken out, and what is not


def shapes_of(checker: Any, *stories: Story) -> list[int]:
    """In how many shapes the parts of each story come."""
    found = []
    for story in stories:
        table, operations = story.history.table(), sorted(checker.looks.rows)
        found.append(
            len(parts_by_shape(table, checker.looks, [(each, table.at("state", each)) for each in operations]).example)
        )
    return found


def test_orders_of_all_prices_have_one_shape() -> None:
    assert shapes_of(MoneyConserved, crowd(["bought"], 2), crowd(["bought"], 9)) == [1, 1]


def test_two_amounts_in_one_order_are_in_proportion() -> None:
    story = Story()
    for order, captured, refunded in (("ann", 6, 4), ("bob", 9, 6), ("cleo", 9, 7)):
        story.register(order, mug=1)
        story.history = history_of(row for row in (row[1:] for row in story.history) if row[2] != "order")
        story.capture(order, captured)
        story.refund(order, refunded)
    assert shapes_of(MoneyConserved, story) == [2]


def test_a_debt_keeps_its_amount() -> None:
    """-1 stands for an absence in some folds: negative amounts enter as they are."""
    story = Story()
    for order, amount in (("ann", -1), ("bob", -5), ("cleo", -5)):
        story.row("capture", order=order, amount=amount)
    assert shapes_of(MoneyConserved, story) == [2]


def test_tokens_pinned_at_different_moments_have_one_shape_while_they_are_in_time() -> None:
    story = Story()
    for order, seconds in (("ann", 1), ("bob", 100), ("cleo", 800), ("dan", 899), ("eve", 900), ("finn", 901)):
        story.register(order, mug=1)
        story.hold(order)
        story.wait(seconds - 1)
        story.pin(order)
    assert shapes_of(ReservationHygiene, story) == [3], "in time, at the deadline, and too late"


# -- planted mistakes


def disagree(checker: Any, history: History) -> bool:
    return judge_by_shape(history, [checker()]) != judge_fully(history, [checker()])


def test_amounts_that_are_added_up_are_more_than_names(monkeypatch: pytest.MonkeyPatch) -> None:
    story = crowd(["bought"], 1)
    for order, second in (("ann", 40), ("bob", 41)):
        story.register(order, mug=1)
        story.pay(order)
        story.refund(order, 60)
        story.refund(order, second)
    history = story.end()
    assert not disagree(MoneyConserved, history)
    monkeypatch.setattr(MoneyConserved, "looks", MoneyConserved.looks._replace(sums="", names=(("amount",),)))
    assert disagree(MoneyConserved, history)


def test_units_asked_for_belong_to_the_name_of_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    checker = CHECKERS["posted_once"]
    story = crowd(["bought"], 2)
    for order in ("bought-0", "bought-1"):
        story.sync_up(order)
    story.register("ann", mug=1)
    story.pay("ann")
    story.reserve("ann")
    story.fulfil("ann")
    story.tell("ann")
    story.post("ann")
    story.ship("ann", "mug", units=2)
    history = story.end()
    assert not disagree(checker, history)
    monkeypatch.setattr(
        checker,
        "looks",
        Looks({**looks_of("posted_once").rows, "ordered": ("sku",), "ship": ("sku",)}, names=(("sku",),)),
    )
    assert disagree(checker, history)


def test_a_part_that_is_another_by_columns_than_by_rows_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    story = crowd(["bought"], 2)
    story.hold("bought-1", token="another")
    monkeypatch.setattr(ReservationHygiene, "looks", ReservationHygiene.looks._replace(parts=of_order))
    with pytest.raises(AssertionError, match="the parts of reservation_hygiene as columns are not its parts as rows"):
        disagree(ReservationHygiene, story.end())


# -- groups


def test_rows_are_brought_together_in_order_whatever_the_numbers_of_their_groups() -> None:
    dice = np.random.default_rng(3)
    for top in (1, 3, 60_000, 70_000, 2**31, 2**40):
        first, second = dice.integers(0, top, 500), dice.integers(0, 4, 500)
        assert together(first, second).tolist() == np.lexsort((np.arange(500), second, first)).tolist()


def test_nothing_can_be_grouped() -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert [
        len(each) for each in (together(nothing), merged(nothing), within(nothing, nothing), since(nothing, nothing))
    ] == [0] * 4
    assert sizes(nothing, 0).tolist() == []
