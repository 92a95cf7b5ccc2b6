"""Stores that keep orders, against dictionaries of rows and lists of names: the Order Cache, the workflow service, and
the table of orders in the record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from orderquake.model.flow import Instant
from orderquake.model.order import POSTABLE, Order, State, Sync
from orderquake.model.order_cache import (
    AlreadyRegistered,
    Conflict,
    Found,
    ListIdle,
    ListUnposted,
    ListUnsynced,
    MoveCursor,
    NotRegistered,
    OrderCache,
    Page,
    ReadCursor,
    ReadOrder,
    Register,
    Registered,
    WriteOrder,
    Written,
)
from orderquake.model.order_table import CentralRecord, ReadRow, RegisterInTable, WriteRow
from orderquake.model.shelves import reservation_of
from orderquake.model.stock import SoldOut
from orderquake.model.workflow import Ended, NextStep, RecordResult, StartExecution, WorkflowEngine
from tests.model.shop import order
from tests.model.twins import NAMES, Twins, case_of, is_noticed


class Orders(Twins):
    """The Order Cache: a dictionary of rows, and three lists of names."""

    make = OrderCache

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, Order] = {}
        self.written: dict[str, int] = {}
        self.open: list[str] = []
        self.unposted: list[str] = []
        self.unsynced: list[str] = []
        self.cursors = {"settlement": 0, "posted": 0}

    @rule(name=NAMES)
    def register(self, name: str) -> None:
        answer = self.ask(Register(order(name)))
        assert type(answer) is (AlreadyRegistered if name in self.rows else Registered)
        if name not in self.rows:
            self.rows[name] = order(name)._replace(version=1, registered_at=Instant(self.now))
            self.written[name] = self.now
            self.open.append(name)
            self.unsynced.append(name)

    @rule(name=NAMES)
    def read(self, name: str) -> None:
        assert self.ask(ReadOrder(name)) == (Found(self.rows[name]) if name in self.rows else NotRegistered())

    @rule(
        name=NAMES, behind=st.integers(0, 1), state=st.sampled_from(list(State)), sync=st.sampled_from(list(Sync)),
        generation=st.integers(0, 2), refunds=st.integers(0, 2), upto=st.integers(0, 5),
    )  # fmt: skip
    def write(self, name: str, behind: int, state: State, sync: Sync, generation: int, refunds: int, upto: int) -> None:
        old = self.rows.get(name, order(name))
        meant = old._replace(
            state=state, sync=sync, generation=generation, refund_generation=refunds, posted_upto=upto,
            version=old.version - behind, registered_at=Instant(77),
        )  # fmt: skip
        answer = self.ask(WriteOrder(meant))
        if name not in self.rows or behind:
            assert type(answer) is Conflict
            return
        new = meant._replace(version=old.version + 1, registered_at=old.registered_at)
        new = new._replace(charge_sent_at=Instant(self.now) if generation != old.generation else old.charge_sent_at)
        new = new._replace(refund_sent_at=Instant(self.now) if refunds != old.refund_generation else old.refund_sent_at)
        assert answer == Written(new)
        self.rows[name], self.written[name] = new, self.now
        self.cursors["posted"] = max(upto, self.cursors["posted"])
        self.open = [each for each in self.open if each != name] + ([] if new.is_closed else [name])
        for queue, belongs in (
            (self.unposted, new.state in POSTABLE and not new.is_synced),
            (self.unsynced, not (new.is_synced and new.is_closed) or new.is_owed),
        ):
            if belongs and name not in queue:
                queue.append(name)
            elif not belongs and name in queue:
                queue.remove(name)

    def listed(self, kind: Any, limit: int, *said: int) -> list[str]:
        found: list[str] = []
        after: int | None = 0
        while after is not None:
            page: Page = self.ask(kind(*said, after, limit))
            assert len(page.orders) <= limit
            assert all(row == self.rows[row.id] for row in page.orders)
            found += [row.id for row in page.orders]
            after = page.following
        return found

    @rule(limit=st.integers(1, 3), idle_us=st.integers(0, 9))
    def list_all(self, limit: int, idle_us: int) -> None:
        idle = [name for name in self.open if self.written[name] <= self.now - idle_us]
        assert self.listed(ListIdle, limit, idle_us) == idle
        assert self.listed(ListUnposted, limit) == self.unposted
        assert self.listed(ListUnsynced, limit) == self.unsynced

    @rule(to=st.integers(0, 9))
    def move_cursor(self, to: int) -> None:
        self.cursors["settlement"] = max(to, self.cursors["settlement"])
        assert self.ask(MoveCursor("settlement", to)) == self.cursors["settlement"]
        assert self.ask(ReadCursor("posted")) == self.cursors["posted"]

    @invariant()
    def rests_when_nothing_is_to_be_done(self) -> None:
        assert self.store.rests == (not self.open and not self.unposted)


TIMEOUT_US = 12


class Workflow(Twins):
    """The workflow service: a row an execution, and who has been handed what since when."""

    make = staticmethod(lambda: WorkflowEngine(TIMEOUT_US))

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, Order] = {}
        self.handed: dict[str, tuple[int, int]] = {}
        self.failed: dict[str, bool] = {}

    def is_over(self, name: str) -> bool:
        row = self.rows[name]
        version, since = self.handed.get(name, (0, 0))
        done = row.is_closed and row.is_synced
        if not done and version == row.version and self.now - since >= TIMEOUT_US:
            self.failed[name] = True
        return done or name in self.failed

    @rule(name=NAMES)
    def start(self, name: str) -> None:
        answer = self.ask(StartExecution(order(name)))
        assert type(answer) is (AlreadyRegistered if name in self.rows else Registered)
        self.rows.setdefault(name, order(name)._replace(version=1, registered_at=Instant(self.now)))

    @rule(name=NAMES)
    def next_step(self, name: str) -> None:
        answer = self.ask(NextStep(name))
        if name not in self.rows:
            assert answer == NotRegistered()
        elif self.is_over(name):
            assert answer == Ended()
        else:
            assert answer == Found(self.rows[name])
            if self.handed.get(name, (0, 0))[0] != self.rows[name].version:
                self.handed[name] = (self.rows[name].version, self.now)

    @rule(
        name=NAMES,
        behind=st.integers(0, 1),
        state=st.sampled_from([State.PAID, State.FULFILLED, State.CANCELLED, None]),
    )
    def record_result(self, name: str, behind: int, state: State | None) -> None:
        row = self.rows.get(name, order(name))
        meant = row._replace(version=row.version - behind, state=state or row.state)
        answer = self.ask(RecordResult(meant))
        if name not in self.rows or behind:
            assert answer == Conflict()
        elif self.is_over(name):
            assert answer == Ended()
        else:
            self.handed.pop(name, None)
            self.rows[name] = row if meant == row else meant._replace(version=row.version + 1)
            assert answer == Written(self.rows[name])


ONE_MUG = {"mug": 1}


class Table(Twins):
    """The record with a table of orders: a row and its goods change together or not at all."""

    make = staticmethod(lambda: CentralRecord(ONE_MUG))

    def __init__(self) -> None:
        super().__init__()
        self.on_hand = dict(ONE_MUG)
        self.rows: dict[str, Order] = {}
        self.held: dict[str, bool] = {}
        self.over: dict[str, bool] = {}
        self.posted: dict[str, bool] = {}

    def atp(self) -> int:
        return self.on_hand["mug"] - len(self.held)

    @rule(name=NAMES)
    def register(self, name: str) -> None:
        self.ask(RegisterInTable(order(name)))
        self.rows.setdefault(name, order(name)._replace(version=1, registered_at=Instant(self.now)))

    @rule(
        name=NAMES, behind=st.integers(0, 3), has_token=st.booleans(),
        state=st.sampled_from([State.PAID, State.RESERVED, State.FULFILLED, State.REFUNDED]),
    )  # fmt: skip
    def write(self, name: str, behind: int, has_token: bool, state: State) -> None:
        old = self.rows.get(name, order(name))
        if state is State.FULFILLED and name not in self.held:
            return  # nobody fulfils what is not reserved
        behind = behind == 3
        token = reservation_of(name) if has_token or state is State.FULFILLED else ""
        meant = old._replace(state=state, token=token, version=old.version - behind)
        answer = self.ask(WriteRow(meant))
        if name not in self.rows or behind:
            assert answer == Conflict()
            return
        takes, lets_go = bool(token) and not old.token, bool(old.token) and not token
        if takes and name not in self.held and (name in self.over or self.atp() < 1):
            assert type(answer) is SoldOut
            return
        self.rows[name] = meant._replace(version=old.version + 1)
        assert answer == Written(self.rows[name])
        if takes:
            self.held.setdefault(name, True)
        if lets_go:
            self.held.pop(name, None)
            self.over[name] = True
        if state is not old.state and state in POSTABLE and name not in self.posted:
            self.posted[name] = True
            if state is State.FULFILLED:
                self.on_hand["mug"] -= 1
                self.held.pop(name, None)
                self.over[name] = True

    @rule(name=NAMES)
    def read(self, name: str) -> None:
        assert self.ask(ReadRow(name)) == (Found(self.rows[name]) if name in self.rows else NotRegistered())

    @invariant()
    def goods_and_rows_agree(self) -> None:
        assert (self.store.on_hand["mug"], self.store.atp("mug")) == (self.on_hand["mug"], self.atp())


TestOrders = case_of(Orders)
TestWorkflow = case_of(Workflow)
TestTable = case_of(Table)


# -- and it notices


class WritesOver(OrderCache):
    """Whoever writes last is right."""

    def write(self, order: Order, now_us: int) -> Any:
        old = self.rows.get(order.id)
        return super().write(order if old is None else order._replace(version=old.version), now_us)


class ForgetsThePlaceInLine(OrderCache):
    """After a restore the lists are in the order of the rows."""

    def restore(self, snapshot: Any) -> None:
        super().restore(snapshot)
        self.open.entries = {name: self.open.entries[name] for name in self.rows if name in self.open.entries}


class NeverTimesOut(WorkflowEngine):
    def times_out(self, row: Order, now_us: int) -> bool:
        return False


class WritesTheRowFirst(CentralRecord):
    """A row is written although there was nothing to reserve."""

    def commit(self, order: Order, now_us: int) -> Any:
        answer = super().commit(order, now_us)
        return self.rows.write(order, now_us) if isinstance(answer, SoldOut) else answer


PLANTED: list[tuple[Any, Callable[[], Any]]] = [
    (Orders, WritesOver),
    (Orders, ForgetsThePlaceInLine),
    (Workflow, lambda: NeverTimesOut(TIMEOUT_US)),
    (Table, lambda: WritesTheRowFirst(ONE_MUG)),
]


@pytest.mark.parametrize(("machine", "make"), PLANTED, ids=lambda each: getattr(each, "__name__", ""))
def test_the_oracle_notices_a_store_that_errs(machine: Any, make: Callable[[], Any]) -> None:
    is_noticed(machine, make)
