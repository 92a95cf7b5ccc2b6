"""How operations are read from a history: by hand, an ask at a time."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

from orderquake.sim import linear
from orderquake.sim.history import History
from orderquake.sim.linear import Operation, check, operations_of
from orderquake.sim.linear.orders import UNHEARD, Batch, Reads, Registers, Writes
from orderquake.sim.linear.register import Read, Swap, Write
from orderquake.sim.linear.stock import HAPPENED, Adopts, Consume, Lapses, Loses, Moves, Opens, Release, Reserve


class Told:
    """A history with one or two mugs, told an ask at a time."""

    def __init__(self, **opening: int) -> None:
        self.history = History()
        self.now = 0
        for sku, units in (opening or {"mug": 1}).items():
            self.history.state(0, "opening", kind="config", sku=sku, units=units)

    def ordered(self, order: str, **lines: int) -> None:
        for number, (sku, units) in enumerate(lines.items()):
            self.history.state(0, "ordered", order=order, line=number, sku=sku, units=units)

    def ask(self, verb: str, order: str, task: str = "w", **columns: Any) -> int:
        self.now += 1
        number = len(self.history)
        about = {"order": order, "op_id": f"{task}#{number}", "actor": task}
        return self.history.state(self.now, verb, kind="invoke", **about | columns)

    def did(self, cause: int, operation: str, **columns: Any) -> int:
        self.now += 1
        about = {"order": self.history[cause].order if cause >= 0 else "", "actor": "stock"}
        return self.history.state(self.now, operation, cause=cause, **about | columns)

    def heard(self, ask: int, answer: str, kind: str = "ok") -> int:
        self.now += 1
        row = self.history[ask]
        return self.history.state(
            self.now, row.operation, kind=kind, cause=ask, order=row.order, op_id=row.op_id, key=row.key,
            actor=row.actor, answer=answer,
        )  # fmt: skip

    def held(self, ask: int, sku: str = "mug", token: str = "ann/1.1", units: int = 1) -> int:
        return self.did(ask, "hold", key=token, sku=sku, units=units)

    def read(self, service: str = "stock", believes_ledger: bool = True) -> list[tuple[int, int | None, Any, Any]]:
        return [tuple(each[:4]) for each in operations_of(self.history, service, believes_ledger)]  # type: ignore[misc]


RESERVED = Reserve("mug", "ann", 1, "ann/1.1", True)


def test_an_ask_that_was_answered_is_between_its_call_and_its_answer() -> None:
    told = Told()
    told.ordered("ann", mug=1)
    ask = told.ask("reserve", "ann")
    told.held(ask)
    back = told.heard(ask, "reserved")
    assert told.read() == [(ask, back, RESERVED, "reserved")]


def test_an_ask_that_was_refused_did_not_happen() -> None:
    told = Told()
    told.ordered("ann", mug=1)
    told.heard(told.ask("reserve", "ann"), "queue_full", kind="fail")
    assert told.read() == []


@pytest.mark.parametrize("is_silent", [True, False])
def test_of_an_ask_that_was_never_answered_the_owners_rows_say_what_became_of_it(is_silent: bool) -> None:
    told = Told()
    told.ordered("ann", mug=1)
    in_vain, done = told.ask("reserve", "ann"), told.ask("reserve", "ann")
    row = told.held(done)
    if is_silent:
        told.heard(done, "silence", kind="info")
        told.heard(in_vain, "silence", kind="info")
    assert told.read() == [(done, row, RESERVED, "reserved")]
    assert told.read(believes_ledger=False) == [
        (in_vain, None, RESERVED._replace(token="ann/?"), None),
        (done, None, RESERVED, None),
    ]


def test_what_the_wire_brought_twice_is_done_by_somebody_who_waits_for_no_answer() -> None:
    told = Told(mug=2)
    told.ordered("ann", mug=1)
    ask = told.ask("reserve", "ann")
    told.held(ask)
    back = told.heard(ask, "reserved")
    release = told.ask("release", "ann", key="ann/1.1")
    told.did(release, "free", key="ann/1.1", sku="mug", units=1, answer="released")
    told.heard(release, "released")
    again = told.held(ask, token="ann/1.2")
    copy = (ask, again, RESERVED._replace(token="ann/1.2"), "reserved")
    assert told.read()[:2] == [(ask, back, RESERVED, "reserved"), copy]
    assert check(told.history).status == "valid"


def test_an_order_of_two_lines_is_judged_on_each_shelf_and_not_for_the_other() -> None:
    told = Told(mug=1, bowl=0)
    told.ordered("ann", mug=1, bowl=1)
    told.heard(told.ask("reserve", "ann"), "sold_out")
    assert [each[2] for each in told.read()] == [
        Reserve("mug", "ann", 1, "", False), Reserve("bowl", "ann", 1, "", False),
    ]  # fmt: skip
    assert check(told.history).status == "valid", "the bowl was short"
    told.ordered("bob", mug=1)
    told.heard(told.ask("reserve", "bob"), "sold_out")
    assert check(told.history).status == "invalid", "the mug is there"


def test_what_the_owner_does_by_itself_is_read_from_its_rows() -> None:
    told = Told(mug=3)
    told.ordered("ann", mug=1)
    reserve = told.ask("reserve", "ann")
    told.held(reserve)
    told.heard(reserve, "reserved")
    refresh = told.ask("refresh", "")
    moved = told.did(refresh, "rebase", sku="mug", units=5, answer="applied")
    told.now -= 1  # in one step
    dropped = told.did(refresh, "drop", order="ann", key="ann/1.1", sku="mug", units=1)
    told.did(refresh, "rebase", sku="mug", units=9, answer="refused", is_new=False)
    told.did(refresh, "rebase", answer="applied")  # of no product
    lost = told.did(-1, "epoch", answer="lost", version=2)
    adopted = told.did(told.ask("adopt", ""), "adopt", order="bob", key="bob/1.2", sku="mug", units=1)
    opened = told.did(told.ask("open_again", ""), "epoch", answer="open", version=2)
    assert told.read()[1:] == [
        (adopted, adopted, Adopts("mug", "bob", "bob/1.2", 1), HAPPENED),
        (moved, dropped, Moves("mug", 5, (("ann", "ann/1.1"),)), HAPPENED),
        (lost, lost, Loses("mug"), HAPPENED),
        (opened, opened, Opens("mug"), HAPPENED),
    ]
    assert check(told.history).status == "valid"


def test_what_lapses_does_so_when_its_row_says_and_the_consume_that_finds_it_gone_comes_after() -> None:
    told = Told()
    told.ordered("ann", mug=1)
    reserve = told.ask("reserve", "ann")
    told.held(reserve)
    told.heard(reserve, "reserved")
    consume = told.ask("consume", "ann", key="ann/1.1")
    row = told.did(consume, "free", key="ann/1.1", sku="mug", units=1, answer="lapsed")
    back = told.heard(consume, "lapsed")
    assert told.read()[1:] == [
        (consume, back, Consume("mug", "ann", "ann/1.1", True), "lapsed"),
        (row, row, Lapses("mug", "ann", "ann/1.1"), HAPPENED),
    ]
    assert check(told.history).status == "valid"


def test_a_release_names_what_it_releases() -> None:
    told = Told()
    told.ordered("ann", mug=1)
    ask = told.ask("release", "ann", key="ann/1.1")
    back = told.heard(ask, "released")
    assert told.read() == [(ask, back, Release("mug", "ann", "ann/1.1"), "released")]


def test_units_that_are_never_sold_are_not_missed() -> None:
    told = Told(mug=1)
    told.history.state(0, "limits", kind="config", answer='{"safety_stock": 1}')
    told.ordered("ann", mug=1)
    told.heard(told.ask("reserve", "ann"), "sold_out")
    assert check(told.history).status == "valid"


# -- orders


def test_a_row_is_registered_read_and_written_by_tasks() -> None:
    told = Told()
    register = told.ask("register", "ann", "front")
    registered = told.heard(register, "registered")
    read = told.ask("read_order", "ann", "w.1")
    found = told.heard(read, "found")
    write = told.ask("write_order", "ann", "w.1")
    told.did(write, "order", to_state="charging", version=2)
    written = told.heard(write, "written")
    unheard = told.ask("write_order", "ann", "w.1")
    row = told.did(unheard, "order", to_state="paid", version=3)
    told.heard(unheard, "silence", kind="info")
    quiet = told.ask("write_order", "ann", "w.1")
    batch = told.ask("write_orders", "", "outbound")
    synced = told.did(batch, "sync", order="ann", to_state="posting", version=4)
    assert told.read("order_cache") == [
        (register, registered, Registers("ann"), "registered"),
        (read, found, Reads("ann", "w.1"), "found"),
        (write, written, Writes("ann", "w.1", 2), "written"),
        (unheard, row, Writes("ann", "w.1", 3), UNHEARD),
        (quiet, None, Writes("ann", "w.1", -1), None),
        (batch, synced, Batch("ann", 4), UNHEARD),
    ]


def test_who_did_not_hear_that_it_has_written_meets_a_conflict_when_it_tries_again() -> None:
    told = Told()
    told.heard(told.ask("register", "ann", "front"), "registered")
    told.heard(told.ask("read_order", "ann"), "found")
    first = told.ask("write_order", "ann")
    told.did(first, "order", to_state="charging", version=2)
    told.heard(first, "silence", kind="info")
    told.heard(told.ask("write_order", "ann"), "conflict")
    assert check(told.history, "order_cache").status == "valid"
    told.heard(told.ask("write_order", "ann"), "written")
    assert check(told.history, "order_cache").status == "invalid", "it has not read since"


def test_versions_that_do_not_count_the_writes_are_seen() -> None:
    told = Told()
    told.heard(told.ask("register", "ann", "front"), "registered")
    told.heard(told.ask("read_order", "ann"), "found")
    write = told.ask("write_order", "ann")
    told.did(write, "order", to_state="charging", version=3)
    told.heard(write, "written")
    assert check(told.history, "order_cache").status == "invalid"


# -- registers


def test_a_history_of_keys_and_values_is_read_as_registers() -> None:
    told = Told()
    read, write, swap = (
        told.ask("read", "", key="x"),
        told.ask("write", "", key="x", to_state="1"),
        told.ask("cas", "", key="x", from_state="1", to_state="2"),
    )
    told.ask("read", "", key="x")
    told.heard(told.ask("write", "", key="x", to_state="7"), "refused", kind="fail")
    seen, swapped = told.heard(read, "1"), told.heard(swap, "done")
    assert told.read("kv") == [
        (read, seen, Read("x"), "1"),
        (write, None, Write("x", "1"), None),
        (swap, swapped, Swap("x", "1", "2"), "done"),
    ]
    assert check(told.history, "kv").status == "valid"


# -- the front door


def test_it_knows_the_history_and_nothing_else_of_ours() -> None:
    files = sorted(Path(linear.__file__).parent.glob("*.py"))
    allowed = {"orderquake.sim.history"} | {f"orderquake.sim.linear.{file.stem}" for file in files}
    imported = {
        name
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom)
            else [each.name for each in node.names] if isinstance(node, ast.Import)
            else []
        )
    }  # fmt: skip
    assert len(files) >= 9
    assert not {name for name in imported - allowed if name.partition(".")[0] not in sys.stdlib_module_names}


def test_an_order_that_explains_all_is_kept_for_each_part() -> None:
    told = Told()
    told.ordered("ann", mug=1)
    ask = told.ask("reserve", "ann")
    told.held(ask)
    told.heard(ask, "reserved")
    orders = check(told.history).orders
    assert orders is not None
    assert [type(each) for each in orders["mug"]] == [Operation]
