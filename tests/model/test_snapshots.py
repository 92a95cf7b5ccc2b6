"""What a store remembers is one hashable value, and whoever is given it goes on as the first would have."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model.order import State
from orderquake.model.order_cache import ListUnsynced
from orderquake.model.policy import MINUTE, Policy
from orderquake.model.record import Move
from tests.model.shop import Shop, order

STORES = list(Shop(mug=1).stores)


def busy() -> Shop:
    """A shop in the middle of everything: orders in all states, posts unheard of, goods that came in."""
    shop = Shop(policy=Policy(refund_delay_us=MINUTE), mug=4, bowl=1)
    shop.submit(
        order("ann", mug=1), order("bob", "declined"), order("cat", "stored_error"), order("dot", mug=1, bowl=1),
        order("eve", bowl=1), order("fay"),
    )  # fmt: skip
    shop.step("ann", 5)
    shop.step("dot", 5)
    shop.tick("post", "settle")
    for name, steps in (("bob", 2), ("cat", 2), ("eve", 4), ("fay", 3)):
        shop.step(name, steps)
    shop.ask(Move("receipt", "mug", 2))
    shop.wait(MINUTE)
    shop.tick("recover")
    return shop


def goes_on(shop: Shop) -> list[Any]:
    """Every ask from here to the end of the day, and its answer; the last is what is in the books."""
    log: list[Any] = []
    for name, store in shop.stores.items():

        def heard(ask: Any, now_us: int, name: str = name, handle: Any = store.handle) -> Any:
            answer = handle(ask, now_us)
            log.append((name, ask, type(answer), answer))
            return answer

        setattr(store, "handle", heard)  # noqa: B010
    shop.submit(order("gil", bowl=1))
    for _ in range(3):
        shop.recover()
        shop.close()
    shop.stock.lose_everything()
    shop.tick("rebuild")
    shop.recover()
    shop.close()
    return [*log, shop.books()]


def test_the_busy_shop_is_really_busy() -> None:
    shop = busy()
    assert len({row.state for row in shop.orders.rows.values()} - {State.REGISTERED}) >= 5
    assert all(store.snapshot() for store in shop.stores.values())
    assert len(goes_on(shop)) > 50


@pytest.mark.parametrize("name", STORES)
def test_a_snapshot_is_hashable_and_the_same_for_the_same_life(name: str) -> None:
    one, other = busy().stores[name].snapshot(), busy().stores[name].snapshot()
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize("name", STORES)
def test_a_store_that_was_restored_remembers_the_same(name: str) -> None:
    snapshot = busy().stores[name].snapshot()
    fresh = Shop(policy=Policy(refund_delay_us=MINUTE)).stores[name]
    fresh.restore(snapshot)
    assert fresh.snapshot() == snapshot
    assert not fresh.journal


@pytest.mark.parametrize("name", STORES)
def test_a_snapshot_is_not_touched_by_what_comes_later(name: str) -> None:
    shop = busy()
    snapshot = shop.stores[name].snapshot()
    text = repr(snapshot)
    goes_on(shop)
    assert repr(snapshot) == text
    assert shop.stores[name].snapshot() != snapshot


def test_a_shop_that_was_restored_goes_on_as_the_first_would_have() -> None:
    first, second = busy(), Shop(policy=Policy(refund_delay_us=MINUTE))
    second.now_us = first.now_us
    for name, store in first.stores.items():
        second.stores[name].restore(store.snapshot())
    assert goes_on(second) == goes_on(first)


@pytest.mark.parametrize("name", STORES)
def test_restoring_forgets_what_was_there_before(name: str) -> None:
    empty = Shop(mug=4).stores[name].snapshot()
    store = busy().stores[name]
    store.restore(empty)
    assert store.snapshot() == empty


@pytest.mark.parametrize("name", STORES)
def test_a_store_refuses_what_it_does_not_know(name: str) -> None:
    with pytest.raises(TypeError, match="does not know how to str"):
        Shop(mug=1).stores[name].handle("tell me", 0)


def test_a_list_that_was_begun_before_a_restore_is_read_on_after_it() -> None:
    shop = Shop(mug=4)
    shop.submit(order("ann"), order("bob"), order("cat"))
    following = shop.ask(ListUnsynced(0, 1)).following
    shop.cancel("ann")
    shop.step("ann", 2)
    shop.orders.restore(shop.orders.snapshot())
    assert [row.id for row in shop.ask(ListUnsynced(following, 9)).orders] == ["bob", "cat"]
