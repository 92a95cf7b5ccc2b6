"""Days small enough to go through one trouble at a time: at each ask that a design makes, and in each way.

The plain loop performs the flows; a wire between askers and stores counts the asks and lets one of them go wrong.
Whoever was at work then is gone, or goes on without knowing; others come, and in the end the books must be as if
nothing had been.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

from orderquake.model.architecture import Architecture
from orderquake.model.flow import PatienceEnded, Store
from orderquake.model.order import State
from orderquake.model.payment import ServerError
from orderquake.model.policy import HOUR, MINUTE, Policy
from tests.model.shop import Books, Shop, order

Trouble = Literal[
    "dies before",  # the asker dies before the ask is sent
    "dies after",  # it was done, and the asker dies before it hears so
    "dies, done late",  # the asker dies, and the ask arrives when others have long gone on
    "ask lost",  # nothing was done, and silence
    "answer lost",  # it was done, and silence
    "done twice",  # the wire delivers it twice
    "done again late",  # a copy arrives when all is over
    "service away",  # nothing is done, and silence, until somebody else has come
    "service mute",  # everything is done, and silence, until somebody else has come
]
TROUBLES: tuple[Trouble, ...] = get_args(Trouble)


class Died(Exception):
    """The asker is gone."""


class Wire:
    """Between the askers and the stores: at the n-th ask there is trouble.

    late     copies of asks that are still on their way
    silent   the service that gives no answer for a while
    """

    def __init__(self, stores: Mapping[str, Store], at: int, trouble: Trouble) -> None:
        self.asks = 0
        self.at = at
        self.trouble = trouble
        self.late: list[Callable[[int], Any]] = []
        self.silent = ""
        for name, store in stores.items():
            setattr(store, "handle", partial(self.carry, name, store.handle))  # noqa: B010  # a class, not a slot

    def carry(self, service: str, handle: Callable[[Any, int], Any], ask: Any, now_us: int) -> Any:
        self.asks += 1
        is_now = self.asks == self.at
        if is_now and self.trouble.startswith("service"):
            self.silent = service
        if self.silent == service:
            if self.trouble == "service mute":
                handle(ask, now_us)
            return ServerError()
        if not is_now:
            return handle(ask, now_us)
        return self.strike(handle, ask, now_us)

    def strike(self, handle: Callable[[Any, int], Any], ask: Any, now_us: int) -> Any:
        if self.trouble in ("dies, done late", "done again late"):
            self.late.append(partial(handle, ask))
        if self.trouble in ("dies after", "answer lost", "done twice"):
            first = handle(ask, now_us)
            if self.trouble == "done twice":
                handle(ask, now_us)
                return first
        if self.trouble.startswith("dies"):
            raise Died(type(ask).__name__)
        return handle(ask, now_us) if self.trouble == "done again late" else ServerError()

    def calm(self) -> None:
        self.at, self.silent = 0, ""


class Day(NamedTuple):
    """What happens, each part by somebody who may die, in a shop with so many mugs."""

    acts: tuple[Callable[[Shop], None], ...]
    policy: Policy = Policy()
    mug: int = 5


def submitted(*names: str, card: str = "good") -> Callable[[Shop], None]:
    return lambda shop: shop.submit(*(order(name, card) for name in names))


def works(shop: Shop) -> None:
    shop.work()


def some_steps(shop: Shop) -> None:
    """As far as the money, and no further."""
    for _ in range(8):
        if "ann" not in shop.orders.rows or shop.row("ann").state in (State.PAID, State.AUTHORISED):
            return
        shop.step("ann")


def cancelled(shop: Shop) -> None:
    shop.cancel("ann")


def closed(shop: Shop) -> None:
    shop.tick("post", "refresh")


RESERVE_FIRST, AUTHORISE = Policy(order="reserve_first", extends=True), Policy(order="authorise_reserve_capture")
DAYS: Mapping[str, Day] = {
    "fulfilled": Day((submitted("ann"), works, closed)),
    "two clicks": Day((submitted("ann", "ann"), works, submitted("ann"), works, closed)),
    "declined": Day((submitted("ann", card="declined"), works)),
    "last unit": Day((submitted("ann", "bob"), works, closed), mug=1),
    "sold out": Day((submitted("ann"), works, closed), mug=0),
    "cancelled at once": Day((submitted("ann"), cancelled, works)),
    "cancelled when paid": Day((submitted("ann"), some_steps, cancelled, works, closed)),
    "a stored error that took the money": Day((submitted("ann", card="stored_error_paid"), works, closed)),
    "a refund that is pending": Day((submitted("ann"), works, closed), Policy(refund_delay_us=MINUTE), mug=0),
    "reserve first, last unit": Day((submitted("ann", "bob"), works, closed), RESERVE_FIRST, mug=1),
    "reserve first, declined": Day((submitted("ann", card="declined"), works), RESERVE_FIRST),
    "authorise first, last unit": Day((submitted("ann", "bob"), works, closed), AUTHORISE, mug=1),
    "authorise first, cancelled": Day((submitted("ann"), some_steps, cancelled, works, closed), AUTHORISE),
}


class Lived(NamedTuple):
    books: Books
    rests: bool
    asks: int
    open_promises: int
    """Units that somebody still promises, and nobody will ever take."""


def lived(design: type[Architecture], day: Day, at: int = 0, trouble: Trouble = "dies before") -> Lived:
    """How a day ends on which there is trouble at the n-th ask; 0 is an undisturbed one.

    After trouble another one comes and does what was not finished; recovery and the jobs come round as always.
    """
    shop = Shop(policy=day.policy, mug=day.mug, design=design)
    wire = Wire(shop.stores, at, trouble)
    for act in day.acts:
        try:
            act(shop)
        except (Died, PatienceEnded):
            wire.calm()
            act(shop)
    asks = wire.asks
    wire.calm()
    shop.recover()
    shop.wait(HOUR // 4)
    for arrive in wire.late:
        arrive(shop.now_us)
    for _ in range(3):
        shop.wait(day.policy.ttl_us)  # what nobody will ever consume lapses, where it does
        shop.recover()
        shop.close()
    promised = sum(shop.record.on_hand.values()) - sum(map(shop.atp, shop.record.on_hand))
    return Lived(shop.books(), shop.rests(), asks, promised)


def told_of(one: Lived) -> tuple[Any, ...]:
    """A day's end without names: who of several wins a race is nobody's promise, nor is how often one is told."""
    states, synced, on_hand, promised, captures, net, told, posts = one.books
    fates = sorted(
        (states[name], synced[name], captures[name], net[name], tuple(sorted(told[name]))) for name in states
    )
    return fates, on_hand, promised, len(posts), one.rests, one.open_promises
