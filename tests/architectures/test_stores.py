"""Shelves, the table of orders, and the workflow service: what each answers, remembers, and writes down."""

from __future__ import annotations

import pytest

from orderquake.model.architectures import ARCHITECTURES
from orderquake.model.architectures.orchestrated import TASK_TIMEOUT_US, TOKEN_LIFE_US, ForgetfulShelves
from orderquake.model.flow import Store
from orderquake.model.order import Order, State
from orderquake.model.order_cache import Conflict, Found, NotRegistered, Written
from orderquake.model.order_table import CentralRecord, RegisterInTable, WriteRow
from orderquake.model.record import Booking, Move, Post
from orderquake.model.shelves import GiveBack, ReserveForGood, Shelves, reservation_of
from orderquake.model.stock import Released, Reserved, SoldOut
from orderquake.model.verbs import EVERY_VERB, VERBS, understood
from orderquake.model.workflow import Ended, NextStep, RecordResult, StartExecution, WorkflowEngine
from tests.architectures.small_days import DAYS
from tests.model.shop import Shop, lines, order

ONE_MUG = lines(mug=1)


def written(store: Store) -> list[tuple[str, int]]:
    """What a store has noted of goods since last asked: operation and units."""
    found = [(change.operation, change.units) for change in store.journal if change.sku]
    store.journal.clear()
    return found


# -- shelves


@pytest.fixture
def shelves() -> Shelves:
    return Shelves({"mug": 2, "bowl": 1})


def test_a_reservation_is_the_orders_for_good(shelves: Shelves) -> None:
    for moment in (0, 10**15):
        assert shelves.handle(ReserveForGood("ann", ONE_MUG), moment) == Reserved(reservation_of("ann"))
    assert shelves.atp("mug") == 1
    assert written(shelves) == [("hold", 1)]


def test_all_lines_or_none(shelves: Shelves) -> None:
    assert shelves.handle(ReserveForGood("ann", lines(mug=1, bowl=2)), 0) == SoldOut("bowl", 1)
    assert (shelves.atp("mug"), written(shelves)) == (2, [])


def test_what_was_given_back_cannot_be_claimed_again(shelves: Shelves) -> None:
    shelves.handle(ReserveForGood("ann", ONE_MUG), 0)
    for _ in range(2):
        assert shelves.handle(GiveBack("ann"), 0) == Released()
    assert isinstance(shelves.handle(ReserveForGood("ann", ONE_MUG), 0), SoldOut)
    assert shelves.atp("mug") == 2
    assert written(shelves) == [("hold", 1), ("free", 1)]


def test_giving_back_closes_the_door_to_a_claim_that_is_still_on_its_way(shelves: Shelves) -> None:
    shelves.handle(GiveBack("ann"), 0)
    assert isinstance(shelves.handle(ReserveForGood("ann", ONE_MUG), 0), SoldOut)


def test_goods_and_reservation_leave_together(shelves: Shelves) -> None:
    shelves.handle(ReserveForGood("ann", ONE_MUG), 0)
    booking = Booking("ann/final", "ann", "fulfilled", ONE_MUG, 100)
    for _ in range(2):
        shelves.handle(Post((booking,)), 0)
    assert (shelves.on_hand["mug"], shelves.atp("mug")) == (1, 1)
    assert written(shelves) == [("hold", 1), ("ship", 1), ("rebase", -1), ("drop", 1)]
    assert isinstance(shelves.handle(ReserveForGood("ann", ONE_MUG), 0), SoldOut)


def test_another_channel_gets_only_what_nobody_holds(shelves: Shelves) -> None:
    shelves.handle(ReserveForGood("ann", ONE_MUG), 0)
    for _ in range(2):
        shelves.handle(Move("foreign_sale", "mug", 1), 0)
    assert (shelves.on_hand["mug"], shelves.atp("mug")) == (1, 0)
    shelves.handle(Move("correction", "mug", -1), 0)
    assert shelves.atp("mug") == -1, "a stock-take is a fact"


def test_safety_stock_is_never_sold() -> None:
    careful = Shelves({"mug": 2}, safety_stock=2)
    assert careful.handle(ReserveForGood("ann", ONE_MUG), 0) == SoldOut("mug", 0)


def test_a_forgotten_token_reserves_again() -> None:
    forgetful = ForgetfulShelves({"mug": 2})
    for moment, left in ((0, 1), (TOKEN_LIFE_US - 1, 1), (TOKEN_LIFE_US, 0)):
        forgetful.handle(ReserveForGood("ann", ONE_MUG), moment)
        assert forgetful.atp("mug") == left


# -- the table of orders


@pytest.fixture
def central() -> CentralRecord:
    record = CentralRecord({"mug": 1})
    for name in ("ann", "bob"):
        record.handle(RegisterInTable(order(name)), 0)
    record.journal.clear()
    return record


def paid(record: CentralRecord, name: str) -> Order:
    row = record.rows.rows[name]._replace(state=State.PAID)
    record.rows.rows[name] = row
    return row


def test_the_row_and_the_shelf_change_together_or_not_at_all(central: CentralRecord) -> None:
    reserved = {
        name: paid(central, name)._replace(state=State.RESERVED, token=reservation_of(name)) for name in ("ann", "bob")
    }
    assert isinstance(central.handle(WriteRow(reserved["ann"]), 0), Written)
    assert central.handle(WriteRow(reserved["bob"]), 0) == SoldOut("mug", 0)
    assert central.handle(WriteRow(reserved["ann"]), 0) == Conflict()
    assert [central.rows.rows[name].state for name in ("ann", "bob")] == [State.RESERVED, State.PAID]
    assert written(central) == [("hold", 1)]


def test_fulfilled_is_booked_and_shipped_in_the_same_step(central: CentralRecord) -> None:
    row = paid(central, "ann")._replace(state=State.RESERVED, token=reservation_of("ann"))
    row = central.handle(WriteRow(row), 0).order
    central.journal.clear()
    central.handle(WriteRow(row._replace(state=State.FULFILLED)), 0)
    assert [change.operation for change in central.journal] == ["order", "post", "ship", "rebase", "drop"]
    assert central.on_hand["mug"] == 0


def test_letting_go_in_the_row_puts_the_units_back(central: CentralRecord) -> None:
    row = paid(central, "ann")._replace(state=State.REFUND_PENDING, token=reservation_of("ann"))
    row = central.handle(WriteRow(row), 0).order
    central.handle(WriteRow(row._replace(token="")), 0)
    assert central.atp("mug") == 1
    assert written(central) == [("hold", 1), ("free", 1)]


# -- the workflow service


def engine_with_ann(timeout_us: int | None = None) -> WorkflowEngine:
    engine = WorkflowEngine(timeout_us)
    for _ in range(2):
        engine.handle(StartExecution(order("ann")), 0)
    return engine


def bill(engine: WorkflowEngine) -> list[str]:
    return [change.answer for change in engine.journal if change.operation == "transition"]


def test_a_step_is_handed_out_until_its_result_is_recorded() -> None:
    engine = engine_with_ann()
    for moment in (0, 10**12):
        assert isinstance(engine.handle(NextStep("ann"), moment), Found)
    row = engine.rows["ann"]
    charging = row._replace(state=State.CHARGING, generation=1)
    assert isinstance(engine.handle(RecordResult(charging), 0), Written)
    assert engine.handle(RecordResult(charging), 0) == Conflict()
    assert bill(engine) == ["started", "retried", "done"]


def test_a_result_that_decides_nothing_lets_the_execution_wait() -> None:
    engine = engine_with_ann(TASK_TIMEOUT_US)
    engine.handle(NextStep("ann"), 0)
    engine.handle(RecordResult(engine.rows["ann"]), 0)
    assert isinstance(engine.handle(NextStep("ann"), 10**12), Found), "who waits does not time out"
    assert bill(engine) == ["started", "waits"]


@pytest.mark.parametrize("is_late_result", [True, False])
def test_a_task_without_result_ends_its_execution_where_time_outs_are_not_caught(is_late_result: bool) -> None:
    engine = engine_with_ann(TASK_TIMEOUT_US)
    engine.handle(NextStep("ann"), 0)
    late = RecordResult(engine.rows["ann"]._replace(state=State.CHARGING)) if is_late_result else NextStep("ann")
    assert engine.handle(late, TASK_TIMEOUT_US) == Ended()
    assert engine.rows["ann"].state is State.REGISTERED
    assert not engine.unsynced.entries
    assert bill(engine)[-1] == "timed_out"


def test_nobody_gets_a_step_of_an_unknown_execution() -> None:
    assert WorkflowEngine().handle(NextStep("zoe"), 0) == NotRegistered()


# -- all of them


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_store_can_be_put_back_as_it_was(name: str) -> None:
    day = DAYS["last unit"]
    shop = Shop(policy=day.policy, mug=day.mug, design=ARCHITECTURES[name])
    snapshots = []
    for act in day.acts:
        act(shop)
        snapshots.append({service: store.snapshot() for service, store in shop.stores.items()})
        assert hash(tuple(snapshots[-1].values()))
    for service, store in shop.stores.items():
        store.restore(snapshots[1][service])
        assert store.snapshot() == snapshots[1][service]
    for act in day.acts[2:]:
        act(shop)
    for service, store in shop.stores.items():
        assert store.snapshot() == snapshots[-1][service], service


def test_hot_cold_understands_what_it_always_did() -> None:
    assert understood(ARCHITECTURES["hot_cold"](DAYS["fulfilled"].policy).stores({})) == VERBS


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_verb_of_a_design_is_a_known_one(name: str) -> None:
    found = understood(ARCHITECTURES[name](DAYS["fulfilled"].policy).stores({}))
    assert all(set(verbs) <= set(EVERY_VERB[service]) and verbs for service, verbs in found.items())


def test_the_central_record_understands_orders_and_stock() -> None:
    verbs = understood(ARCHITECTURES["central"](DAYS["fulfilled"].policy).stores({}))
    assert {"register", "write_order", "reserve", "post"} <= set(verbs["record"])
    assert "order_cache" not in verbs
