"""What may be watched of a world on its way to a rare event: numbers by name, each larger the nearer it is.

Every score is read off the stores and the waiting lines as they stand; reading changes nothing, and nothing is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from orderquake.model.notice import Notify
from orderquake.model.order import Line, State
from orderquake.model.record import Post, Posted
from orderquake.model.stock import Applied, Refresh
from orderquake.sim.units import SECOND
from orderquake.sim.world.world import World


class BadEvent(ValueError):
    """An event that cannot be watched. The text says what was found, and what is expected."""


class Watched:
    """A world, and what has to be remembered between two looks; it hears what services answer, and changes nothing.

    refreshed_us   when the Stock Cache last applied a snapshot
    told           units that customers were told they get, by product
    posted         units that left the record's shelf for the shop's own orders, by product
    worst          what `oversold` found when it last looked, at `worst_at`
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.refreshed_us = 0
        self.told: dict[str, int] = {}
        self.posted: dict[str, int] = {}
        self.heard: dict[str, str] = {}
        stores: Any = world.stores
        self.record: Any = stores["record"]
        self.worst_at, self.worst = (-1, -1), 0
        self.rows: Any = world.design.order_rows(stores).rows
        for name in ("stock", "record", "notice"):
            if (replica := world.wire.replicas.get(name)) is not None:
                replica.after = self.then(replica.after)

    def then(self, usually: Callable[[Any, Any], None] | None) -> Callable[[Any, Any], None]:
        """Whoever was told before is still told first."""

        def after(ask: Any, answer: Any) -> None:
            if usually is not None:
                usually(ask, answer)
            self.hear(ask, answer)

        return after

    def hear(self, ask: Any, answer: Any) -> None:
        if isinstance(ask, Refresh) and isinstance(answer, Applied):
            self.refreshed_us = self.world.kernel.now
        elif isinstance(ask, Notify) and ask.outcome == State.FULFILLED and ask.order_id not in self.heard:
            self.heard[ask.order_id] = ask.outcome
            self.add(self.told, self.rows[ask.order_id].lines)
        elif isinstance(ask, Post):
            for booking, said in zip(ask.bookings, answer, strict=True):
                if isinstance(said, Posted) and booking.key not in self.heard and booking.outcome == State.FULFILLED:
                    self.heard[booking.key] = booking.outcome
                    self.add(self.posted, booking.lines)

    @staticmethod
    def add(to: dict[str, int], lines: tuple[Line, ...]) -> None:
        for line in lines:
            to[line.sku] = to.get(line.sku, 0) + line.units


Score: TypeAlias = Callable[[Watched], float]


def unposted(watched: Watched) -> float:
    """Finished orders that the record has not heard of."""
    stores: Any = watched.world.stores
    return len(watched.world.design.order_rows(stores).unposted.entries)


def open_orders(watched: Watched) -> float:
    """Orders that have not ended."""
    stores: Any = watched.world.stores
    return len(watched.world.design.order_rows(stores).open.entries)


def staleness(watched: Watched) -> float:
    """Seconds since the Stock Cache last took in what the record had to say."""
    return (watched.world.kernel.now - watched.refreshed_us) / SECOND


def oversold(watched: Watched) -> float:
    """Units of one product that customers were told they get and that are not there for them, the worst product's; what
    others have sold from a shared shelf counts as gone. Below zero, as long as so many are left."""
    changes = watched.record.head, len(watched.heard)
    if changes != watched.worst_at:
        told, posted = watched.told, watched.posted
        left = (units + posted.get(sku, 0) - told.get(sku, 0) for sku, units in watched.record.on_hand.items())
        watched.worst_at, watched.worst = changes, -min(left)
    return watched.worst


def unserved_in_line(service: str) -> Score:
    """Asks at a service: waiting, and being worked on."""

    def score(watched: Watched) -> float:
        replica = watched.world.wire.replicas[service]
        return len(replica.waiting) + replica.busy

    score.__doc__ = f"Asks at the service {service}: waiting, and being worked on."
    return score


def orders_in_line(watched: Watched) -> float:
    """Orders that wait for a worker."""
    stores: Any = watched.world.stores
    return len(stores["queue"].waiting)


def dead_letters(watched: Watched) -> float:
    """Orders that were delivered too often."""
    stores: Any = watched.world.stores
    return len(stores["queue"].dead)


SCORES: Mapping[str, Score] = {
    "dead_letters": dead_letters,
    "open_orders": open_orders,
    "orders_in_line": orders_in_line,
    "oversold": oversold,
    "payment_in_line": unserved_in_line("payment"),
    "record_in_line": unserved_in_line("record"),
    "staleness_s": staleness,
    "stock_in_line": unserved_in_line("stock"),
    "unposted": unposted,
}


class Event(NamedTuple):
    """A score, and how far it has to get."""

    score: str
    target: float

    def __str__(self) -> str:
        return f"{self.score} >= {self.target:g}"


def parse_event(text: str) -> Event:
    """An event as one says it on the command line.

    >>> parse_event("staleness_s >= 1800")
    Event(score='staleness_s', target=1800.0)
    """
    match = re.fullmatch(r"\s*(\w+)\s*>=\s*(-?[0-9.]+(?:e[0-9]+)?)\s*", text)
    if match is None:
        raise BadEvent(f'the event is {text!r}; expected NAME >= NUMBER, as "unposted >= 500"')
    if match[1] not in SCORES:
        raise BadEvent(f"there is no score {match[1]!r}; expected one of {', '.join(SCORES)}")
    return Event(match[1], float(match[2]))
