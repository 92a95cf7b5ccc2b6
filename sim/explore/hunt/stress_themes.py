"""What a small day of stress is about: a few circumstances that belong together, and the faults that go with them.

Rare races need two or three things at once (a reservation shorter than a worker's sleep, and somebody else who wants
the unit), which chance alone hardly ever brings together on so short a day. Most days have a theme; the others have
anything, anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from orderquake.sim.explore.swarm_luck import Luck, duration
from orderquake.sim.units import MS, SECOND

Asks: TypeAlias = tuple[tuple[str, str], ...]
"""(service, ask) that a fault may pick; one that is named twice is picked twice as often."""
LEASE_US: Final = 9 * SECOND
"""Just above the worker's deadline, so that who sleeps a while meets somebody else at its order."""
WITH_HOLDS: Final = ("authorise", "capture_hold", "void_hold", "look_up_hold")
"""What the provider is asked instead where the money is held first."""
ANYWHERE: Final[Asks] = (
    ("payment", "charge"), ("payment", "charge"), ("payment", "refund"), ("payment", "refund"), ("payment", "look_up"),
    ("payment", "ask_refund"), ("stock", "reserve"), ("stock", "consume"), ("stock", "release"), ("stock", "settle"),
    ("stock", "refresh"), ("stock", "ask_status"), ("order_cache", "register"), ("order_cache", "read_order"),
    ("order_cache", "write_order"), ("order_cache", "write_orders"), ("order_cache", "list_unposted"),
    ("record", "post"), ("record", "read_changes"), ("notice", "notify"), ("queue", "enqueue"), ("queue", "ack"),
)  # fmt: skip


def as_it_is(luck: Luck, tables: dict[str, Any]) -> None:
    """Nothing but what was drawn."""


def short_leases(luck: Luck, tables: dict[str, Any]) -> None:
    """Reservations that lapse while somebody sleeps, and a second customer right behind the first."""
    tables["policy"]["reservation_ttl"] = luck.time("ttl", 200 * MS, 1.2 * SECOND)
    orders = tables["workload"]["order"]
    if len(orders) == 1:
        orders.append({**orders[0], "number": 1, "card": "good"})
    for number, order in enumerate(orders):
        order["at"] = duration(SECOND + number * luck.decades(f"gap-{number}", 20 * MS, 1.5 * SECOND))
    tables["stock"]["units_per_sku"] = 1


def nothing_left(luck: Luck, tables: dict[str, Any]) -> None:
    """Too little on the shelf: money goes back; and sometimes a unit comes in after all."""
    tables["stock"]["units_per_sku"] = 1 if len(tables["workload"]["order"]) > 1 and luck.chance("one", 0.4) else 0
    if luck.chance("comes_in", 0.6):
        tables["stock"]["receipts"] = [{"at": luck.time("at", 2 * SECOND, 9 * SECOND), "sku": "sku-1", "units": 1}]
    if luck.chance("fails", 0.3):
        tables["workload"]["order"][0]["card"] = "refund_fails"


def busy_jobs(luck: Luck, tables: dict[str, Any]) -> None:
    """Jobs that run many times in the life of an order, and ways that take long beside them."""
    for job in ("inbound", "outbound"):
        tables["jobs"][job]["every"] = luck.time(job, 150 * MS, 800 * MS)
    tables["place"][0]["workers"] = luck.whole("workers", 2, 3)


@dataclass(frozen=True)
class Theme:
    """sets    what it makes of the tables
    kinds   of faults; none where it has none
    asks    that they strike, and `nth`, up to the how-manieth
    is_long pauses outlast the lease
    is_away a service goes away for a while, instead
    """

    sets: Callable[[Luck, dict[str, Any]], None] = as_it_is
    kinds: tuple[str, ...] = ()
    asks: Asks = ()
    nth: int = 2
    is_long: bool = False
    is_away: bool = False


THEMES: Final[Mapping[str, Theme]] = MappingProxyType({
    "sleepers": Theme(
        as_it_is, ("pause",),
        (("order_cache", "write_order"), ("order_cache", "write_order"), ("order_cache", "read_order"),
         ("notice", "notify"), ("payment", "charge"), ("payment", "refund"), ("stock", "consume"),
         ("stock", "reserve"), ("stock", "release")),
        nth=7, is_long=True,
    ),
    "lapses": Theme(
        short_leases, ("pause", "pause", "delay"),
        (("stock", "consume"), ("stock", "consume"), ("order_cache", "write_order"), ("order_cache", "read_order")),
        nth=6,
    ),
    "sold_out": Theme(
        nothing_left, ("crash", "crash", "lose_answer", "pause", "lose_ask"),
        (("payment", "refund"), ("payment", "refund"), ("order_cache", "write_order"), ("stock", "release"),
         ("payment", "ask_refund")),
        nth=5, is_long=True,
    ),
    "silence": Theme(
        as_it_is, ("lose_answer", "delay", "crash", "lose_ask", "duplicate"),
        (("payment", "charge"), ("payment", "refund"), ("payment", "charge")),
    ),
    "books": Theme(
        as_it_is, ("duplicate", "lose_answer", "crash", "delay", "pause"),
        (("record", "post"), ("record", "post"), ("record", "read_changes"), ("stock", "settle"), ("stock", "refresh"),
         ("order_cache", "write_orders")),
    ),
    "races": Theme(busy_jobs),
    "away": Theme(is_away=True),
})  # fmt: skip
"""Theme -> what it is. A day that has none takes its faults from `ANYWHERE`."""
SHARE: Final = 0.7
"""Of the days that have a theme."""


def theme_of(luck: Luck) -> Theme | None:
    return THEMES[luck.pick("which", tuple(THEMES))] if luck.chance("is_there", SHARE) else None


def at_an_ask(luck: Luck, kinds: tuple[str, ...], asks: Asks, nth: int, is_long: bool, holds: bool) -> dict[str, Any]:
    """A fault that strikes one ask of a kind, or some.

    holds   the policy puts money on hold first, and never charges
    """
    kind = luck.pick("kind", kinds)
    target, verb = luck.pick("ask", asks)
    if holds and target == "payment":
        verb = luck.pick("hold", WITH_HOLDS)
    table: dict[str, Any] = {"kind": kind, "target": target, "operation": verb, "must_be_seen": False}
    if luck.chance("often", 0.12):
        table |= {"probability": luck.pick("probability", (0.3, 0.6, 1.0)), "at_most": luck.whole("at_most", 1, 3)}
    else:
        table["nth"] = luck.whole("nth", 1, nth if target == "order_cache" else min(nth, 2))
    if kind in ("crash", "pause"):
        table["when"] = luck.pick("when", ("before", "after"))
    if kind == "pause":
        long = is_long or luck.chance("is_long", 0.3)
        low, high = (LEASE_US + 0.2 * SECOND, LEASE_US + 6 * SECOND) if long else (0.2 * SECOND, 4 * SECOND)
        table |= {
            "length": constant(luck.decades("length", low, high)),
            "outlives_deadline": long or luck.chance("o", 0.5),
        }
    if kind == "delay":
        table["by"] = constant(luck.decades("by", 0.1 * SECOND, 20 * SECOND))
    if kind == "duplicate":
        table["after"] = constant(luck.decades("after", 5 * MS, 15 * SECOND))
    return table


def away(luck: Luck) -> dict[str, Any]:
    """A service that is down for a while."""
    target = luck.pick("target", ("payment", "stock", "record", "order_cache", "notice", "queue"))
    since, lasts = luck.decades("from", 500 * MS, 8 * SECOND), luck.decades("for", 2 * SECOND, 14 * SECOND)
    return {"kind": "down", "target": target, "from": duration(since), "for": duration(lasts), "must_be_seen": False}


def constant(us: float) -> dict[str, str]:
    return {"kind": "constant", "value": duration(us)}
