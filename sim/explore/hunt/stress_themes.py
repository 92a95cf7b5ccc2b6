"""What a small day of stress is about: a few circumstances that belong together, and the faults that go with them.

Rare races need two or three things at once (a reservation shorter than a worker's sleep, and somebody else who wants
the unit), which chance alone hardly ever brings together on so short a day. Most days have a theme; the others have
anything, anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from orderquake.sim.explore.swarm_luck import Luck, duration
from orderquake.sim.units import MS, SECOND, parse_duration

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


def spread_out(luck: Luck, tables: dict[str, Any], most_us: float = 12 * SECOND) -> None:
    """Two or three customers, some before and some after whatever happens to the shop."""
    orders = tables["workload"]["order"]
    for number in range(len(orders), luck.whole("how_many", 2, 3)):
        orders.append({**orders[0], "number": number, "card": "good"})
    for number, order in enumerate(orders):
        order["at"] = duration(luck.decades(f"at-{number}", 300 * MS, most_us))
    orders.sort(key=lambda order: parse_duration(order["at"]))


def shelves_to_rebuild(luck: Luck, tables: dict[str, Any]) -> None:
    """The last units, posts that are soon on their way or wait, and a rebuild that begins at once."""
    spread_out(luck, tables)
    tables["stock"]["units_per_sku"] = luck.pick("units", (1, 1, 1, 2))
    tables["service"]["record"]["latency"] = constant(luck.decades("record", 50 * MS, 2 * SECOND))
    for job, low_us, high_us in (("rebuild", 300 * MS, 2 * SECOND), ("outbound", 500 * MS, 8 * SECOND)):
        tables["jobs"][job]["every"] = luck.time(job, low_us, high_us)


def many_snapshots(luck: Luck, tables: dict[str, Any]) -> None:
    """Pages that are read often, and one beside the other; goods that come in and are counted anew."""
    spread_out(luck, tables)
    jobs = tables["jobs"]
    for job in ("inbound", "outbound"):
        jobs[job]["every"] = luck.time(job, 300 * MS, 1.5 * SECOND)
    if luck.chance("one_beside_the_other", 0.5):
        jobs["inbound"]["doubles"] = 0.3
    skus = tables["stock"]["skus"] = max(tables["stock"]["skus"], luck.whole("skus", 1, 2))
    if skus == 2 and luck.chance("pages", 0.7):
        jobs["inbound"]["batch"] = 1
    tables["service"]["record"]["latency"] = constant(luck.decades("record", 50 * MS, 2 * SECOND))
    for key, units in (("receipts", 1), ("corrections", -1)):
        if luck.chance(key, 0.5):
            sku = f"sku-{luck.whole(f'{key}/sku', 1, skus)}"
            tables["stock"][key] = [{"at": luck.time(f"{key}/at", SECOND, 9 * SECOND), "sku": sku, "units": units}]


def few_snapshots(luck: Luck, tables: dict[str, Any]) -> None:
    """Goods come in, and are sold and posted before anybody reads of them; two more customers come later."""
    many_snapshots(luck, tables)
    orders = tables["workload"]["order"]
    while len(orders) < 3:
        orders.append({**orders[0], "number": len(orders), "card": "good"})
    for number, order in enumerate(orders):
        early, late = (300 * MS, 1.5 * SECOND) if number == 0 else (4 * SECOND, 12 * SECOND)
        order["at"] = duration(luck.decades(f"comes-{number}", early, late))
    orders.sort(key=lambda order: parse_duration(order["at"]))
    tables["stock"]["units_per_sku"] = 1
    tables["stock"]["receipts"] = [{"at": luck.time("in", 200 * MS, 2 * SECOND), "sku": "sku-1", "units": 1}]
    tables["jobs"]["inbound"]["every"] = luck.time("slowly", 1.5 * SECOND, 6 * SECOND)


def refusals(luck: Luck, tables: dict[str, Any]) -> None:
    """A stock-take finds fewer than were sold, and the record books nothing below zero."""
    spread_out(luck, tables, 5 * SECOND)
    tables["service"]["record"]["below_zero"] = "reject"
    tables["stock"]["units_per_sku"] = luck.whole("units", 1, 3)
    tables["stock"]["corrections"] = [
        {"at": luck.time("at", 300 * MS, 4 * SECOND), "sku": "sku-1", "units": -luck.whole("gone", 1, 2)}
    ]
    if luck.chance("comes_in", 0.5):
        tables["stock"]["receipts"] = [{"at": luck.time("in", 3 * SECOND, 12 * SECOND), "sku": "sku-1", "units": 2}]
    tables["jobs"]["outbound"]["every"] = luck.time("outbound", SECOND, 4 * SECOND)


def second_thoughts(luck: Luck, tables: dict[str, Any]) -> None:
    """Everybody cancels, sooner or later than the shop decides, and somebody else would take the unit."""
    spread_out(luck, tables, 4 * SECOND)
    for number, order in enumerate(tables["workload"]["order"]):
        if number == 0 or luck.chance(f"cancels-{number}", 0.5):
            order["cancels_after"] = luck.time(f"after-{number}", 20 * MS, 4 * SECOND)
    tables["stock"]["units_per_sku"] = 1


def second_holds(luck: Luck, tables: dict[str, Any]) -> None:
    """Holds that lapse, are extended, and are made anew, while copies of old asks are on their way."""
    short_leases(luck, tables)
    tables["policy"]["extends"] = luck.chance("extends", 0.7)
    tables["policy"]["reservation_ttl"] = luck.time("ttl", 300 * MS, 4 * SECOND)
    tables["service"]["stock"]["latency"] = constant(
        luck.decades("stock", 20 * MS, 400 * MS)
    )  # below anybody's patience


LATEST_US: Final = 3.8 * SECOND
"""By so much an ask may be late where memories are short: below the life of any message."""


def short_memories(luck: Luck, tables: dict[str, Any]) -> None:
    """A provider that forgets keys as soon as it may, and workers that give up early."""
    life_us, horizon_us = luck.decades("life", 4 * SECOND, 6 * SECOND), luck.decades("horizon", SECOND, 4 * SECOND)
    deadline_us = 2 * SECOND
    tables["policy"] |= {
        "message_life": duration(life_us), "send_horizon": duration(horizon_us),
        "worker_deadline": duration(deadline_us), "lease": "2500 ms", "idle": "1 s",
    }  # fmt: skip
    patience = tables["policy"]["patience"]
    patience["payment"] = patience["payment"] | {"timeout": luck.time("timeout", 300 * MS, SECOND), "attempts": 2}
    tables["jobs"]["recovery"]["every"] = "1 s"
    kept_us = life_us + horizon_us + deadline_us + luck.decades("room", 200 * MS, SECOND)
    tables["service"]["payment"] |= {
        "key_retention": f"{1 + round(kept_us / MS)} ms", "latency": constant(luck.decades("pay", 20 * MS, 200 * MS)),
    }  # fmt: skip
    if luck.chance("nothing_left", 0.4):
        nothing_left(luck, tables)


# -- what happens to a shop besides, once


def provider_is_silent(luck: Luck) -> dict[str, Any]:
    return {
        "kind": luck.pick("kind", ("lose_answer", "lose_answer", "lose_ask")), "target": "payment",
        "operation": luck.pick("verb", ("charge", "charge", "refund")), "probability": luck.pick("share", (0.6, 1.0)),
        "for": luck.time("for", 3 * SECOND, 18 * SECOND),
    }  # fmt: skip


def money_is_late(luck: Luck) -> dict[str, Any]:
    return {
        "kind": "delay", "target": "payment", "operation": luck.pick("verb", ("charge", "charge", "refund")),
        "probability": luck.pick("share", (0.3, 0.6)), "by": constant(luck.decades("by", 2 * SECOND, LATEST_US)),
    }  # fmt: skip


def lost(luck: Luck) -> dict[str, Any]:
    return {"kind": "wiped", "target": "stock", "at": luck.time("at", 800 * MS, 12 * SECOND)}


def copy_lags(luck: Luck) -> dict[str, Any]:
    return {"kind": "stale_replica", "lag": luck.time("lag", 2 * SECOND, 10 * SECOND)} | _window(luck)


def feed_is_empty(luck: Luck) -> dict[str, Any]:
    return {"kind": "zero_feed"} | _window(luck)


def pages_overtake(luck: Luck) -> dict[str, Any]:
    kind = luck.pick("kind", ("delay", "duplicate"))
    key, span = ("by", 12 * SECOND) if kind == "delay" else ("after", 12 * SECOND)
    return {
        "kind": kind, "target": "stock", "operation": "refresh", "nth": luck.whole("nth", 1, 4),
        key: constant(luck.decades("late", 500 * MS, span)),
    }  # fmt: skip


def set_back(luck: Luck) -> dict[str, Any]:
    return {
        "kind": "clock_jump", "target": "stock", "by": luck.time("by", SECOND, 12 * SECOND),
        "direction": luck.pick("direction", ("behind", "behind", "ahead")),
        "at": luck.time("at", 500 * MS, 8 * SECOND),
    }  # fmt: skip


def _window(luck: Luck) -> dict[str, Any]:
    return {"from": luck.time("from", 500 * MS, 8 * SECOND), "for": luck.time("for", 2 * SECOND, 12 * SECOND)}


@dataclass(frozen=True)
class Theme:
    """sets    what it makes of the tables
    happens one of these happens besides, once; and one of `happens_too`
    kinds   of faults; none where it has none
    asks    that they strike, and `nth`, up to the how-manieth
    is_long pauses outlast the lease
    is_away a service goes away for a while, instead
    """

    sets: Callable[[Luck, dict[str, Any]], None] = as_it_is
    happens: tuple[Callable[[Luck], dict[str, Any]], ...] = ()
    kinds: tuple[str, ...] = ()
    asks: Asks = ()
    nth: int = 2
    is_long: bool = False
    is_away: bool = False
    happens_too: tuple[Callable[[Luck], dict[str, Any]], ...] = ()

    def besides(self, luck: Luck) -> Iterator[dict[str, Any]]:
        """What happens on its days, whatever else goes wrong."""
        for number, choices in enumerate((self.happens, self.happens_too)):
            if choices:
                here = luck.under(f"happens-{number}")
                yield {**here.pick("which", choices)(here), "must_be_seen": False}


THEMES: Final[Mapping[str, Theme]] = MappingProxyType({
    "sleepers": Theme(
        as_it_is, (), ("pause",),
        (("order_cache", "write_order"), ("order_cache", "write_order"), ("order_cache", "read_order"),
         ("notice", "notify"), ("payment", "charge"), ("payment", "refund"), ("stock", "consume"),
         ("stock", "reserve"), ("stock", "release")),
        nth=7, is_long=True,
    ),
    "lapses": Theme(
        short_leases, (), ("pause", "pause", "delay"),
        (("stock", "consume"), ("stock", "consume"), ("order_cache", "write_order"), ("order_cache", "read_order")),
        nth=6,
    ),
    "sold_out": Theme(
        nothing_left, (), ("crash", "crash", "lose_answer", "pause", "lose_ask"),
        (("payment", "refund"), ("payment", "refund"), ("order_cache", "write_order"), ("stock", "release"),
         ("payment", "ask_refund")),
        nth=5, is_long=True,
    ),
    "silence": Theme(
        as_it_is, (), ("lose_answer", "delay", "crash", "lose_ask", "duplicate"),
        (("payment", "charge"), ("payment", "refund"), ("payment", "charge")),
    ),
    "books": Theme(
        as_it_is, (), ("duplicate", "lose_answer", "crash", "delay", "pause"),
        (("record", "post"), ("record", "post"), ("record", "read_changes"), ("stock", "settle"), ("stock", "refresh"),
         ("order_cache", "write_orders")),
    ),
    "races": Theme(busy_jobs),
    "away": Theme(is_away=True),
    "lost shelves": Theme(
        shelves_to_rebuild, (lost,), ("pause", "delay", "crash", "lose_ask"),
        (("stock", "consume"), ("stock", "settle"), ("record", "post"), ("stock", "adopt"), ("stock", "refresh"),
         ("order_cache", "write_order"), ("order_cache", "write_orders")),
        nth=4, is_long=True,
    ),
    "lost shelves, old copy": Theme(shelves_to_rebuild, (lost,), happens_too=(copy_lags,)),
    "snapshots": Theme(
        many_snapshots, (feed_is_empty, pages_overtake, pages_overtake),
        ("lose_answer", "crash", "delay", "duplicate"),
        (("record", "post"), ("stock", "refresh"), ("stock", "settle"), ("record", "read_changes")),
    ),
    "old copy": Theme(few_snapshots, (copy_lags,)),
    "lost in between": Theme(
        shelves_to_rebuild, (lost,), ("pause", "delay"), (("order_cache", "write_order"), ("stock", "consume")),
        nth=5, is_long=True,
    ),
    "wrong clocks": Theme(
        short_leases, (set_back,), ("pause", "delay"), (("stock", "consume"), ("order_cache", "write_order")), nth=4,
    ),
    "refusals": Theme(refusals),
    "short memories": Theme(short_memories, (provider_is_silent,), happens_too=(money_is_late,)),
    "second thoughts": Theme(
        second_thoughts, (), ("delay", "pause", "lose_answer", "crash"),
        (("stock", "consume"), ("order_cache", "write_order"), ("stock", "reserve"), ("payment", "charge"),
         ("stock", "release")),
        nth=4,
    ),
    "second holds": Theme(
        second_holds, (), ("duplicate", "delay", "pause", "lose_answer"),
        (("stock", "consume"), ("stock", "consume"), ("stock", "reserve"), ("stock", "extend"), ("stock", "release")),
        nth=3,
    ),
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
