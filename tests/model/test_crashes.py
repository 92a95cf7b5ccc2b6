"""A crash between any two lines is healed: whoever dies, and wherever, the books end as if nobody had died.

Three ways to die at an ask: before it is sent; after it was done and before the answer is heard; and before it arrives,
so that it is done by nobody's order much later, when others have long gone on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Literal, NamedTuple

import pytest

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.flow import Store
from orderquake.model.mutants.consumes_without_looking import ConsumesWithoutLooking
from orderquake.model.mutants.refunds_before_writing import RefundsBeforeWriting
from orderquake.model.order import STATE_TABLES, State
from orderquake.model.policy import MINUTE, Policy
from tests.model.shop import Books, Shop, order, pages_of

When = Literal["before", "after", "late"]


class Crash(Exception):
    """The asker dies here."""


class Wire:
    """Between the askers and the stores: counts the asks, and at the n-th the asker dies."""

    def __init__(self, stores: Mapping[str, Store]) -> None:
        self.asks = 0
        self.dies_at = 0
        self.when: When = "before"
        self.late: list[Callable[[int], Any]] = []
        for store in stores.values():
            setattr(store, "handle", partial(self.carry, store.handle))  # noqa: B010  # a store is a class, not a slot

    def carry(self, handle: Callable[[Any, int], Any], ask: Any, now_us: int) -> Any:
        self.asks += 1
        if self.asks != self.dies_at:
            return handle(ask, now_us)
        if self.when == "after":
            handle(ask, now_us)
        elif self.when == "late":
            self.late.append(partial(handle, ask))
        raise Crash(type(ask).__name__)


class Day(NamedTuple):
    """What happens at once, each part by somebody who may die, and what it should come to."""

    acts: tuple[Callable[[Shop], None], ...]
    policy: Policy = Policy()
    mug: int = 5


def submitted(*names: str, card: str = "good") -> Callable[[Shop], None]:
    return lambda shop: shop.submit(*(order(name, card) for name in names))


def brought_to(state: State, name: str) -> Callable[[Shop], None]:
    def act(shop: Shop) -> None:
        while shop.row(name).state is not state:
            shop.step(name)

    return act


def cancelled(name: str) -> Callable[[Shop], None]:
    return lambda shop: shop.cancel(name)


def ticked(*flows: str) -> Callable[[Shop], None]:
    return lambda shop: shop.tick(*flows)


def works(shop: Shop) -> None:
    shop.work()


def goods_come_in(shop: Shop) -> None:
    for sku in ("mug", "bowl", "vase"):
        shop.record.move("receipt", sku, 2)


def lost(shop: Shop) -> None:
    shop.stock.lose_everything()


CLOSED = ticked("post", "refresh")
AUTHORISE = Policy(order="authorise_reserve_capture")
DAYS = {
    "fulfilled": Day((submitted("ann"), works, CLOSED)),
    "declined": Day((submitted("ann", card="declined"), works)),
    "sold out": Day((submitted("ann"), works, CLOSED), mug=0),
    "two want the last": Day((submitted("ann", "bob"), works, CLOSED), mug=1),
    "cancelled before the charge": Day((submitted("ann"), cancelled("ann"), works)),
    "cancelled when reserved": Day((submitted("ann"), brought_to(State.RESERVED, "ann"), cancelled("ann"), works,
                                    CLOSED)),
    "a stored error": Day((submitted("ann", card="stored_error"), works, CLOSED)),
    "a stored error that took the money": Day((submitted("ann", card="stored_error_paid"), works, CLOSED)),
    "a pending refund": Day((submitted("ann"), works, CLOSED), Policy(refund_delay_us=MINUTE), mug=0),
    "goods come in, page by page": Day((goods_come_in, submitted("ann"), works, CLOSED), Policy(batches=pages_of(1))),
    "the cache is lost": Day((submitted("ann", "bob"), brought_to(State.FULFILLED, "ann"),
                              brought_to(State.RESERVED, "bob"), lost, ticked("rebuild"), works, CLOSED)),
    "reserve first": Day((submitted("ann"), works, CLOSED), Policy(order="reserve_first", extends=True)),
    "reserve first, declined": Day((submitted("ann", card="declined"), works), Policy(order="reserve_first")),
    "authorise first": Day((submitted("ann"), works, CLOSED), AUTHORISE),
    "authorise first, declined": Day((submitted("ann", card="declined"), works), AUTHORISE),
    "authorise first, two want the last": Day((submitted("ann", "bob"), works, CLOSED), AUTHORISE, mug=1),
    "authorise first, a stored error": Day((submitted("ann", card="stored_error_paid"), works, CLOSED), AUTHORISE),
    "reserve first, two want the last": Day((submitted("ann", "bob"), works, CLOSED), Policy(order="reserve_first"),
                                            mug=1),
}  # fmt: skip


def lived(day: Day, dies_at: int = 0, when: When = "before") -> tuple[Books, bool, int]:
    """The books after a day on which somebody dies at the n-th ask, whether all rests, and how many asks there were.

    Another one comes at once and does what the dead one was about; then recovery and the jobs come round as always.
    """
    shop = Shop(policy=day.policy, mug=day.mug)
    wire = Wire(shop.stores)
    wire.dies_at, wire.when = dies_at, when
    for act in day.acts:
        try:
            act(shop)
        except Crash:
            act(shop)
    asks, wire.dies_at = wire.asks, 0
    shop.recover()
    for arrive in wire.late:
        arrive(shop.now_us)
    shop.recover()
    shop.tick("rebuild", "post", "refresh")
    shop.wait(day.policy.ttl_us)  # what nobody will ever consume lapses
    shop.recover()
    shop.close()
    return shop.books(), shop.rests(), asks


def whoever(books: Books) -> Books:
    """The books without names: who of several wins a race is nobody's promise."""
    by_name = (books.states, books.synced, books.captures, books.net, books.told)
    fates = sorted(str([column[name] for column in by_name]) for name in books.states)
    anybody = {f"number {number}": fate for number, fate in enumerate(fates)}
    return Books(anybody, {}, books.on_hand, books.promised, {}, {}, {}, (str(len(books.posts)),))


@pytest.mark.parametrize("when", ["before", "after", "late"])
@pytest.mark.parametrize("name", DAYS)
def test_a_crash_at_any_ask_is_healed(name: str, when: When) -> None:
    day = DAYS[name]
    undisturbed, rests, asks = lived(day)
    assert rests
    assert asks > 9
    for dies_at in range(1, asks + 1):
        books, rests, _ = lived(day, dies_at, when)
        assert whoever(books) == whoever(undisturbed), f"died {when} ask {dies_at}"
        assert rests, f"died {when} ask {dies_at}"


def test_on_an_undisturbed_day_all_is_done_once() -> None:
    books, _, _ = lived(DAYS["two want the last"])
    assert books == Books(
        states={"ann": "fulfilled", "bob": "refunded"},
        synced={"ann": "posted", "bob": "posted"},
        on_hand={"mug": 0},
        promised={"mug": 0},
        captures={"ann": 1, "bob": 1},
        net={"ann": 100, "bob": 0},
        told={"ann": ("fulfilled",), "bob": ("refunded",)},
        posts=("ann/final", "bob/final"),
    )


# -- what happens while somebody lies dead


def goods_come_in_and_are_seen(shop: Shop) -> None:
    shop.record.move("receipt", "mug", 2)
    shop.tick("refresh")


def another_buys_when_holds_have_run_out(shop: Shop) -> None:
    shop.wait(shop.design.policy.ttl_us)
    shop.submit(order("bob"))
    while shop.step("bob"):
        pass


def the_customer_changes_her_mind(shop: Shop) -> None:
    shop.cancel("ann")


def the_cache_is_lost_and_rebuilt(shop: Shop) -> None:
    lost(shop)
    shop.tick("rebuild")


MEANWHILE = (
    goods_come_in_and_are_seen,
    another_buys_when_holds_have_run_out,
    the_customer_changes_her_mind,
    the_cache_is_lost_and_rebuilt,
)


def objections(day: Day, meanwhile: Callable[[Shop], None], design: type[Architecture], when: When) -> list[str]:
    """What is wrong in the end, for every ask at which ann's worker may die; how it ends may differ, what fits not."""
    wrong: list[str] = []
    dies_at = 0  # nobody dies; then the first ask, and so on
    asks = 1
    while dies_at <= asks:
        shop = Shop(policy=day.policy, mug=day.mug, design=design)
        shop.submit(order("ann"))
        wire = Wire(shop.stores)
        wire.dies_at, wire.when = dies_at, when
        with suppress(Crash):
            shop.work()
        asks = asks if dies_at else wire.asks
        wire.dies_at = 0
        meanwhile(shop)
        shop.recover()
        for arrive in wire.late:
            arrive(shop.now_us)
        shop.recover()
        shop.close()
        shop.wait(day.policy.ttl_us)
        shop.recover()
        shop.close()
        books = shop.books()
        wrong += [
            f"{dies_at}: {name} is {state}, paid {books.net[name]} in {books.captures[name]}, told {books.told[name]}"
            for name, state in books.states.items()
            if books.net[name] != 100 * (state == "fulfilled")
            or books.captures[name] > 1
            or books.told[name] != (state,)
        ]
        if not shop.rests() or books.promised != books.on_hand or min(books.on_hand.values()) < 0:
            wrong.append(f"{dies_at}: {books.on_hand} on hand, {books.promised} to be promised")
        dies_at += 1
    return wrong


@pytest.mark.parametrize("when", ["before", "after", "late"])
@pytest.mark.parametrize("mug", [0, 1])
@pytest.mark.parametrize("policy", STATE_TABLES)
@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_whatever_happens_meanwhile_money_and_goods_fit_how_the_order_ends(
    meanwhile: Callable[[Shop], None], policy: Any, mug: int, when: When
) -> None:
    day = Day((), Policy(order=policy, ttl_us=MINUTE), mug)
    assert objections(day, meanwhile, HotCold, when) == []


@pytest.mark.parametrize(
    ("planted", "meanwhile", "mug", "says"),
    [
        (RefundsBeforeWriting, goods_come_in_and_are_seen, 0, "ann is fulfilled, paid 0"),
        (ConsumesWithoutLooking, another_buys_when_holds_have_run_out, 1, "-1} on hand"),
    ],
)
def test_who_forgets_a_rule_is_found_out(
    planted: type[Architecture], meanwhile: Callable[[Shop], None], mug: int, says: str
) -> None:
    day = Day((), Policy(ttl_us=MINUTE), mug)
    assert any(says in each for each in objections(day, meanwhile, planted, "after"))
