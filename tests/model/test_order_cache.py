"""The Order Cache, move by move: whoever has not seen the latest version writes nothing."""

from __future__ import annotations

import pytest

from orderquake.model.flow import NEVER
from orderquake.model.order import Order, State, Sync
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
    ReadCursor,
    ReadOrder,
    ReadOrders,
    Register,
    Registered,
    WriteOrder,
    WriteOrders,
    Written,
)
from tests.model.shop import order


@pytest.fixture
def cache() -> OrderCache:
    cache = OrderCache()
    for now_us, name in enumerate(("ann", "bob", "cat")):
        assert type(cache.handle(Register(order(name)), now_us)) is Registered
    return cache


def write(cache: OrderCache, name: str, now_us: int = 10, **columns: object) -> Order:
    answer = cache.handle(WriteOrder(cache.rows[name]._replace(**columns)), now_us)  # type: ignore[arg-type]
    assert isinstance(answer, Written)
    return answer.order


def names(cache: OrderCache, ask: ListIdle | ListUnposted | ListUnsynced, now_us: int = 100) -> list[str]:
    return [row.id for row in cache.handle(ask, now_us).orders]


IDLE, UNPOSTED, UNSYNCED = ListIdle(0, 0, 9), ListUnposted(0, 9), ListUnsynced(0, 9)


# -- one row


def test_an_order_is_registered_once(cache: OrderCache) -> None:
    write(cache, "ann", state=State.CHARGING)
    assert type(cache.handle(Register(order("ann", mug=9)), 5)) is AlreadyRegistered
    assert cache.rows["ann"].state is State.CHARGING


def test_registering_stamps_version_and_moment(cache: OrderCache) -> None:
    assert (cache.rows["bob"].version, cache.rows["bob"].registered_at) == (1, 1)


def test_a_row_is_read_as_it_was_written(cache: OrderCache) -> None:
    written = write(cache, "ann", state=State.CHARGING)
    assert cache.handle(ReadOrder("ann"), 0) == Found(written)
    assert type(cache.handle(ReadOrder("zoe"), 0)) is NotRegistered
    assert [type(each) for each in cache.handle(ReadOrders(("zoe", "ann")), 0)] == [NotRegistered, Found]


def test_of_two_who_saw_the_same_version_one_writes(cache: OrderCache) -> None:
    seen = cache.rows["ann"]
    assert type(cache.handle(WriteOrder(seen._replace(cancel_asked=True)), 1)) is Written
    cache.journal.clear()
    assert type(cache.handle(WriteOrder(seen._replace(state=State.CHARGING)), 2)) is Conflict
    assert cache.rows["ann"].state is State.REGISTERED
    assert not cache.journal


def test_of_many_writes_each_succeeds_or_conflicts_by_itself(cache: OrderCache) -> None:
    old = cache.rows["ann"]
    write(cache, "ann", cancel_asked=True)
    answers = cache.handle(WriteOrders((old, cache.rows["bob"])), 0)
    assert [type(answer) for answer in answers] == [Conflict, Written]


def test_a_new_generation_is_stamped_by_the_cache_and_an_old_one_keeps_its_stamp(cache: OrderCache) -> None:
    assert cache.rows["ann"].charge_sent_at == NEVER
    assert write(cache, "ann", 7, generation=1).charge_sent_at == 7
    assert write(cache, "ann", 9, cancel_asked=True).charge_sent_at == 7
    both = write(cache, "ann", 11, generation=2, refund_generation=1)
    assert (both.charge_sent_at, both.refund_sent_at) == (11, 11)


def test_nobody_can_forge_a_stamp(cache: OrderCache) -> None:
    assert write(cache, "ann", 7, charge_sent_at=99).charge_sent_at == NEVER


# -- lists


def test_the_idle_are_listed_longest_idle_first(cache: OrderCache) -> None:
    write(cache, "ann", state=State.CHARGING)
    assert names(cache, IDLE) == ["bob", "cat", "ann"]


@pytest.mark.parametrize(("now_us", "idle"), [(10, []), (50, ["ann"]), (51, ["ann", "bob"])])
def test_an_order_is_idle_when_it_was_left_alone_for_so_long(cache: OrderCache, now_us: int, idle: list[str]) -> None:
    assert names(cache, ListIdle(50, 0, 9), now_us) == idle


def test_what_is_closed_is_not_idle(cache: OrderCache) -> None:
    write(cache, "ann", state=State.DECLINED)
    assert "ann" in names(cache, IDLE), "the customer has not been told"
    write(cache, "ann", is_told=True)
    assert "ann" not in names(cache, IDLE)


def test_only_fulfilled_and_refunded_orders_wait_to_be_posted(cache: OrderCache) -> None:
    write(cache, "cat", state=State.FULFILLED)
    write(cache, "ann", state=State.REFUNDED)
    write(cache, "bob", state=State.DECLINED)
    assert names(cache, UNPOSTED) == ["cat", "ann"]


def test_an_order_waits_until_it_is_posted_or_set_aside(cache: OrderCache) -> None:
    for name in ("ann", "bob"):
        write(cache, name, state=State.FULFILLED)
        write(cache, name, sync=Sync.POSTING)
    assert names(cache, UNPOSTED) == ["ann", "bob"]
    write(cache, "ann", sync=Sync.POSTED)
    write(cache, "bob", sync=Sync.DEAD_LETTER)
    assert names(cache, UNPOSTED) == []


def test_a_refund_that_failed_is_not_posted(cache: OrderCache) -> None:
    write(cache, "ann", state=State.REFUNDED)
    write(cache, "ann", state=State.REFUND_PENDING)
    assert names(cache, UNPOSTED) == []


def test_an_order_is_unsynced_until_it_is_closed_and_the_record_has_it(cache: OrderCache) -> None:
    write(cache, "ann", state=State.FULFILLED, sync=Sync.POSTED)
    assert names(cache, UNSYNCED) == ["ann", "bob", "cat"]
    write(cache, "ann", is_told=True)
    assert names(cache, UNSYNCED) == ["bob", "cat"]


def test_goods_that_the_record_refuses_to_book_stay_promised_and_hold_nobody_up(cache: OrderCache) -> None:
    for name in ("ann", "bob", "cat"):
        write(cache, name, state=State.REFUNDED if name == "cat" else State.FULFILLED, is_told=True)
        assert not cache.rests
        write(cache, name, sync=Sync.POSTED if name == "bob" else Sync.DEAD_LETTER)
    assert names(cache, UNSYNCED) == ["ann"]
    assert cache.rests


def test_an_order_that_is_reopened_is_unsynced_again(cache: OrderCache) -> None:
    write(cache, "ann", state=State.DECLINED, is_told=True)
    write(cache, "ann", state=State.REFUND_PENDING, is_told=False)
    assert "ann" in names(cache, UNSYNCED)


# -- pages and cursors


def test_pages_follow_each_other(cache: OrderCache) -> None:
    first = cache.handle(ListUnsynced(0, 2), 0)
    assert ([row.id for row in first.orders], first.following) == (["ann", "bob"], 2)
    rest = cache.handle(ListUnsynced(first.following, 2), 0)
    assert ([row.id for row in rest.orders], rest.following) == (["cat"], None)


def test_a_page_that_is_just_full_is_the_last(cache: OrderCache) -> None:
    assert cache.handle(ListUnsynced(0, 3), 0).following is None


def test_who_leaves_the_list_between_two_pages_hides_nobody(cache: OrderCache) -> None:
    following = cache.handle(ListUnsynced(0, 1), 0).following
    write(cache, "ann", state=State.CANCELLED, is_told=True)
    assert [row.id for row in cache.handle(ListUnsynced(following, 9), 0).orders] == ["bob", "cat"]


def test_a_cursor_only_moves_forward(cache: OrderCache) -> None:
    assert cache.handle(ReadCursor("settlement"), 0) == 0
    assert cache.handle(MoveCursor("settlement", 7), 0) == 7
    assert cache.handle(MoveCursor("settlement", 3), 0) == 7
    assert cache.handle(ReadCursor("settlement"), 0) == 7
