"""What folds say they look at is what they look at: no less, or the guilty pass for their neighbours, and no more.

Three ways to find a declaration that forgets something: watch the fold read, drop each entry and see the guilty pass,
and compare with hearing every row (in `test_judge.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from orderquake.sim.checkers import CHECKERS
from orderquake.sim.checkers.finding import PartByPart
from orderquake.sim.checkers.fold import Judge
from orderquake.sim.checkers.judge import judge_by_shape, judge_fully
from orderquake.sim.checkers.shapes import COMPUTED, Looks, of_key
from orderquake.sim.history import History, Row
from tests.checkers.cases import CASES
from tests.checkers.crowd import COURSES, NAMES, bare, changed, crowd, ended, history_of, others

SHAPED = sorted(name for name, checker in CHECKERS.items() if checker.looks is not None)
ALWAYS = {"index", "kind", "operation"}
ONLY_TOLD = {"charged_once": {"amount", "key"}, "posted_once": {"key"}, "reservation_hygiene": {"key"}}
"""What stands in a reason, and decides nothing; the name of the part does, too."""
LOOKED_UP = {"is_late": {"time"}, "limits": set[str]()}
"""The columns of the row itself that a computed one is made of."""


def looks_of(name: str) -> Looks:
    looks = CHECKERS[name].looks
    assert looks is not None
    return looks


def shaped(name: str) -> PartByPart[Any]:
    checker = CHECKERS[name]()
    assert isinstance(checker, PartByPart)
    return checker


def test_the_promises_about_orders_and_their_tokens_are_judged_by_shape() -> None:
    assert SHAPED == [
        "charged_once", "every_order_ends", "legal_transitions", "money_conserved", "notices_sent", "posted_once",
        "refunded_right", "reservation_hygiene",
    ]  # fmt: skip


@pytest.mark.parametrize("name", SHAPED)
def test_a_declaration_names_every_operation_that_is_heard_and_only_columns_that_there_are(name: str) -> None:
    checker, looks = CHECKERS[name], looks_of(name)
    assert set(looks.rows) == set().union(*checker.hears.values()) - checker.echoed
    assert {column for columns in looks.rows.values() for column in columns} <= {*NAMES, *COMPUTED}
    for names in looks.names:
        for columns in looks.rows.values():
            assert set(names) <= set(columns) or not set(names) & set(columns), "a name is read whole"


# -- no less than they look at


class Watched(Row):
    """A row that notes which of its columns are read."""

    read: set[tuple[str, str]]

    def __getattribute__(self, name: str) -> Any:
        if name in Row._fields:
            Watched.read.add((tuple.__getitem__(self, Row._fields.index("operation")), name))
        return super().__getattribute__(name)


def made_up() -> Iterator[History]:
    """Good days and bad."""
    for case in CASES.values():
        for build in (case.innocent, case.guilty, case.undecided):
            yield build()
    yield ended(crowd())
    rows = bare(ended(crowd(each=1)))
    for index, row in enumerate(rows):
        for column in ("to_state", "amount", "deadline", "sku", "is_new"):
            if row[1] == "state" and index % 3 == len(column) % 3:
                yield history_of(changed(rows, index, column, others(Row(index, *row), column, rows)[0]))


@pytest.mark.parametrize("name", SHAPED)
def test_a_fold_reads_nothing_that_its_declaration_does_not_name(name: str) -> None:
    looks, checker = looks_of(name), shaped(name)
    Watched.read = set()
    for history in made_up():
        panel = Judge([checker])
        for row in history:
            if row.kind in checker.hears and row.operation in looks.rows:
                state = panel._parts[0].get(checker.part(row), checker.start())
                panel._parts[0][checker.part(row)] = checker.step(state, Watched(*row), panel.context)
            elif row.kind == "config":
                panel.step(row)
    part = "key" if looks.parts is of_key else "order"
    told = ALWAYS | ONLY_TOLD.get(name, set()) | {part}
    read = {(operation, column) for operation, column in Watched.read if column not in told}
    named = {(operation, column) for operation, columns in looks.rows.items() for column in columns}
    computed = {(operation, each) for operation, column in named for each in LOOKED_UP.get(column, set())}
    assert read <= named | computed
    assert {(operation, column) for operation, column in named if column not in LOOKED_UP} <= read, "and all of that"


# -- and no more: whatever is dropped is missed


class Entry(NamedTuple):
    checker: str
    operation: str
    column: str


ENTRIES = [
    Entry(name, operation, column)
    for name in SHAPED
    for operation, columns in looks_of(name).rows.items()
    for column in columns
]


def without(looks: Looks, operation: str, column: str) -> Looks:
    """The declaration, but for one entry. Where a name is of several columns, it is of the others then."""
    rows = {**looks.rows, operation: tuple(each for each in looks.rows[operation] if each != column)}
    names = tuple(tuple(each for each in name if each != column) for name in looks.names if column in name)
    if names and any(names):
        rows = {each: tuple(at for at in columns if at != column) for each, columns in looks.rows.items()}
        return looks._replace(rows=rows, names=names)
    return looks._replace(rows=rows)


def the_table_changes_at_noon() -> History:
    """One is declined before noon, when that is legal, and one after."""
    story = crowd(["declined"], 1)
    story.row("limits", kind="config", answer=json.dumps({"policy": "authorise_reserve_capture"}))
    COURSES["declined"](story, "late", 1)
    return story.end()


def an_order_ends_late() -> History:
    story = crowd(["cancelled"], 1)
    story.quiet(within=60)
    story.wait(60)
    COURSES["cancelled"](story, "late", 1)
    return story.end()


def odd_orders() -> History:
    """Courses that break some promise or other, and differ from what is right in a single cell."""
    story = crowd(["bought"], 1)
    for number in range(3):
        name = f"-{number}"
        story.row("submit", kind="ok", key="unheard" + name, order="unheard" + name, answer="turned_away")
        for order in ("told" + name, "misbooked" + name, "booked" + name, "refused" + name, "heard-late" + name):
            story.register(order, mug=1)
            story.pay(order)
        story.tell("told" + name, "fulfilled")
        story.tell("misbooked" + name, "fulfilled")
        story.post("misbooked" + name, is_new=False, answer="posted", to_state="fulfilled", amount=7)
        story.post("misbooked" + name, answer="rejected", to_state="fulfilled", amount=7)
        story.post("booked" + name, to_state="fulfilled")
        story.move("refused" + name, "fulfilled")
        story.post("refused" + name, answer="rejected")
        story.post("refused" + name)
        story.ship("refused" + name, "mug")
        story.move("heard-late" + name, "refund_pending")
        story.refund("heard-late" + name)
        story.row("refund_failed", order="heard-late" + name, amount=100, debit="provider", credit="customer")
        story.refund("heard-late" + name, is_new=False, debit="", credit="")
        story.move("heard-late" + name, "refunded")
        story.pay_back("heard-late" + name)
    return story.end()


def with_one_cell_wrong(entry: Entry) -> Iterator[History]:
    """Days on which that column says something else in one row of that operation, of one order among its like."""
    if entry.column in COMPUTED:
        yield the_table_changes_at_noon() if entry.column == "limits" else an_order_ends_late()
        return
    for history in (ended(crowd()), odd_orders()):
        rows = bare(history)
        for row in reversed(list(history)):
            is_one = row.operation == entry.operation and row.kind in CHECKERS[entry.checker].hears
            if is_one and not row.order.endswith("-0"):
                for other in others(row, entry.column, rows):
                    yield history_of(changed(rows, row.index, entry.column, other))


@pytest.mark.parametrize("entry", ENTRIES, ids="-".join)
def test_what_a_declaration_forgets_lets_the_guilty_pass(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    name = entry.checker
    forgetful = without(looks_of(name), entry.operation, entry.column)
    for history in with_one_cell_wrong(entry):
        fully = judge_fully(history, [shaped(name)])
        assert judge_by_shape(history, [shaped(name)]) == fully
        with monkeypatch.context() as patch:
            patch.setattr(CHECKERS[name], "looks", forgetful)
            if judge_by_shape(history, [shaped(name)]) != fully:
                return
    pytest.fail("nothing was missed")
