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

from orderquake.sim.explore.hunt import stress_circumstances as day
from orderquake.sim.explore.hunt import stress_happenings as fault
from orderquake.sim.explore.swarm_luck import Luck, duration
from orderquake.sim.units import MS, SECOND

AT_ASKS: Final = ("lose_ask", "lose_answer", "duplicate", "delay", "crash", "crash", "pause", "pause")
"""Kinds of faults that strike single asks, on a day without a theme."""
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


@dataclass(frozen=True)
class Theme:
    """sets    what it makes of the tables
    happens one of these happens besides, once; and one of `happens_too`
    kinds   of faults; none where it has none
    asks    that they strike; up to the how-manieth: `nth` at the Order Cache, `elsewhere` at other services
    when    a crash or a pause comes: before the ask is sent, or after it was answered
    is_long pauses outlast the lease
    sleeps_us   how long pauses are at least and at most, instead
    weight  how often it is picked, beside those that have 1
    is_away a service goes away for a while, instead
    """

    sets: Callable[[Luck, dict[str, Any]], None] = day.as_it_is
    happens: tuple[Callable[[Luck], dict[str, Any]], ...] = ()
    kinds: tuple[str, ...] = ()
    asks: Asks = ()
    nth: int = 2
    elsewhere: int = 2
    when: tuple[str, ...] = ("before", "after")
    is_long: bool = False
    is_away: bool = False
    happens_too: tuple[Callable[[Luck], dict[str, Any]], ...] = ()
    sleeps_us: tuple[float, float] | None = None
    weight: int = 1

    def besides(self, luck: Luck) -> Iterator[dict[str, Any]]:
        """What happens on its days, whatever else goes wrong."""
        for number, choices in enumerate((self.happens, self.happens_too)):
            if choices:
                here = luck.under(f"happens-{number}")
                yield {**here.pick("which", choices)(here), "must_be_seen": False}


THEMES: Final[Mapping[str, Theme]] = MappingProxyType({
    "sleepers": Theme(
        day.as_it_is, (), ("pause",),
        (("order_cache", "write_order"), ("order_cache", "write_order"), ("order_cache", "read_order"),
         ("notice", "notify"), ("payment", "charge"), ("payment", "refund"), ("stock", "consume"),
         ("stock", "reserve"), ("stock", "release")),
        nth=7, is_long=True,
    ),
    "lapses": Theme(
        day.short_leases, (), ("pause", "pause", "delay"),
        (("stock", "consume"), ("stock", "consume"), ("order_cache", "write_order"), ("order_cache", "read_order")),
        nth=6,
    ),
    "sold_out": Theme(
        day.nothing_left, (), ("crash", "crash", "lose_answer", "pause", "lose_ask"),
        (("payment", "refund"), ("payment", "refund"), ("order_cache", "write_order"), ("stock", "release"),
         ("payment", "ask_refund")),
        nth=5, elsewhere=1, is_long=True,
    ),
    "silence": Theme(
        day.as_it_is, (), ("lose_answer", "delay", "crash", "lose_ask", "duplicate"),
        (("payment", "charge"), ("payment", "refund"), ("payment", "charge")),
    ),
    "books": Theme(
        day.as_it_is, (), ("duplicate", "lose_answer", "crash", "delay", "pause"),
        (("record", "post"), ("record", "post"), ("record", "read_changes"), ("stock", "settle"), ("stock", "refresh"),
         ("order_cache", "write_orders")),
    ),
    "races": Theme(day.busy_jobs),
    "away": Theme(is_away=True),
    "lost shelves": Theme(
        day.shelves_to_rebuild, (fault.lost,), ("pause", "delay", "crash", "lose_ask"),
        (("stock", "consume"), ("stock", "settle"), ("record", "post"), ("stock", "adopt"), ("stock", "refresh"),
         ("order_cache", "write_order"), ("order_cache", "write_orders")),
        nth=4, is_long=True,
    ),
    "lost shelves, old copy": Theme(day.shelves_to_rebuild, (fault.lost,), happens_too=(fault.copy_lags,)),
    "lost after a post": Theme(day.lost_after_a_post, (fault.lost_soon,), happens_too=(fault.copy_stands_still,)),
    "snapshots": Theme(
        day.many_snapshots, (fault.feed_is_empty, fault.pages_overtake, fault.pages_overtake),
        ("lose_answer", "crash", "delay", "duplicate"),
        (("record", "post"), ("stock", "refresh"), ("stock", "settle"), ("record", "read_changes")),
        weight=2,
    ),
    "old copy": Theme(day.few_snapshots, (fault.copy_lags,)),
    "old copy, late reader": Theme(day.late_reader, (fault.copy_lags_for_long,), weight=2),
    "lost in between": Theme(
        day.asleep_at_the_loss, (fault.lost_soon,), ("pause", "pause", "delay"),
        (("order_cache", "write_order"), ("order_cache", "write_order"), ("stock", "consume")),
        nth=5, sleeps_us=(2 * SECOND, 8 * SECOND),
    ),
    "lost in its sleep": Theme(
        day.lost_in_its_sleep, (fault.lost_at_once,), ("pause",), (("stock", "consume"),),
        elsewhere=1, when=("after",), sleeps_us=(3 * SECOND, 8 * SECOND), weight=2,
    ),
    "overtaken": Theme(
        day.overtaken, (), ("pause", "pause", "delay", "crash"),
        (("stock", "consume"), ("order_cache", "write_order"), ("order_cache", "write_order"), ("record", "post"),
         ("stock", "settle"), ("stock", "refresh")),
        nth=6, sleeps_us=(SECOND, 8 * SECOND),
    ),
    "overtaken at the shelf": Theme(
        day.overtaken, (), ("pause", "pause", "pause", "crash"), (("stock", "consume"), ("stock", "settle")),
        elsewhere=1, when=("after",), sleeps_us=(2 * SECOND, 9 * SECOND), weight=2,
    ),
    "late money": Theme(
        day.late_money, (), ("crash", "pause", "lose_answer", "delay", "lose_ask"),
        (("payment", "charge"), ("payment", "charge"), ("stock", "extend"), ("stock", "consume"),
         ("order_cache", "write_order")),
        nth=4, sleeps_us=(SECOND, 8 * SECOND), weight=2,
    ),
    "refunds fail": Theme(
        day.refunds_fail, (), ("crash", "crash", "lose_answer", "pause", "delay", "duplicate"),
        (("payment", "refund"), ("payment", "refund"), ("payment", "ask_refund"), ("order_cache", "write_order"),
         ("order_cache", "write_orders"), ("notice", "notify")),
        nth=5, sleeps_us=(SECOND, 12 * SECOND),
    ),
    "refunds fail at once": Theme(
        day.refunds_fail_at_once, (), ("crash", "lose_answer", "lose_answer", "pause"), (("payment", "refund"),),
        nth=1, when=("after",), sleeps_us=(SECOND, 6 * SECOND), weight=2,
    ),
    "a bad service": Theme(day.as_it_is, (fault.often_in_trouble,), AT_ASKS, ANYWHERE, nth=4),
    "apart": Theme(day.apart, (fault.cut_off,), AT_ASKS, ANYWHERE, nth=4, weight=3),
    "both far": Theme(day.both_far, (fault.cut_off_from_each_other,)),
    "old asks": Theme(
        day.old_asks, (fault.consume_is_late,), ("crash", "crash", "pause", "lose_answer"),
        (("stock", "reserve"), ("stock", "reserve"), ("order_cache", "write_order"), ("stock", "release")),
        nth=6,
    ),
    "old asks, forgotten hold": Theme(
        day.old_asks, (fault.consume_is_late,), happens_too=(fault.second_hold_is_forgotten,), weight=2
    ),
    "silent books": Theme(day.early_customers, (fault.books_are_silent,), weight=2),
    "dead letters": Theme(day.given_up, (fault.out_of_reach,)),
    "pages": Theme(day.pages, (fault.copy_lags_a_moment, fault.copy_lags), happens_too=(fault.copy_lags_a_moment,)),
    "pages, read once": Theme(day.read_once, (fault.copy_lags_at_the_second,), weight=2),
    "wrong clocks": Theme(
        day.short_leases, (fault.set_back,), ("pause", "delay"),
        (("stock", "consume"), ("order_cache", "write_order")),
        nth=4,
    ),
    "refusals": Theme(day.refusals, weight=2),
    "missing goods": Theme(day.missing_goods, weight=2),
    "short memories": Theme(
        day.short_memories, (fault.provider_is_silent,), happens_too=(fault.money_is_late,), weight=2
    ),
    "short memories, late charges": Theme(
        day.short_memories, (fault.charges_are_unheard,), happens_too=(fault.charges_come_last,), weight=2
    ),
    "second thoughts": Theme(
        day.second_thoughts, (), ("delay", "pause", "lose_answer", "crash"),
        (("stock", "consume"), ("order_cache", "write_order"), ("stock", "reserve"), ("payment", "charge"),
         ("stock", "release")),
        nth=4,
    ),
    "second holds": Theme(
        day.second_holds, (), ("duplicate", "delay", "pause", "lose_answer"),
        (("stock", "consume"), ("stock", "consume"), ("stock", "reserve"), ("stock", "extend"), ("stock", "release")),
        nth=3,
    ),
})  # fmt: skip
"""Theme -> what it is."""
PICKED: Final = tuple(name for name, theme in THEMES.items() for _ in range(theme.weight))
NO_THEME: Final = Theme(kinds=AT_ASKS, asks=ANYWHERE, nth=6)
"""Anything, anywhere."""
SHARE: Final = 0.8
"""Of the days that have a theme."""


def theme_of(luck: Luck) -> Theme | None:
    return THEMES[luck.pick("which", PICKED)] if luck.chance("is_there", SHARE) else None


def at_an_ask(luck: Luck, theme: Theme, holds: bool) -> dict[str, Any]:
    """A fault of the theme that strikes one ask of a kind, or some.

    holds   the policy puts money on hold first, and never charges
    """
    kind = luck.pick("kind", theme.kinds)
    target, verb = luck.pick("ask", theme.asks)
    if holds and target == "payment":
        verb = luck.pick("hold", WITH_HOLDS)
    table: dict[str, Any] = {"kind": kind, "target": target, "operation": verb, "must_be_seen": False}
    if luck.chance("often", 0.12):
        table |= {"probability": luck.pick("probability", (0.3, 0.6, 1.0)), "at_most": luck.whole("at_most", 1, 3)}
    else:
        table["nth"] = luck.whole("nth", 1, theme.nth if target == "order_cache" else min(theme.nth, theme.elsewhere))
    if kind in ("crash", "pause"):
        table["when"] = luck.pick("when", theme.when)
    if kind == "pause":
        long = theme.is_long or luck.chance("is_long", 0.3)
        usual = (LEASE_US + 0.2 * SECOND, LEASE_US + 6 * SECOND) if long else (0.2 * SECOND, 4.0 * SECOND)
        low, high = theme.sleeps_us or usual
        table |= {
            "length": day.constant(luck.decades("length", low, high)),
            "outlives_deadline": long or luck.chance("o", 0.5),
        }
    if kind == "delay":
        table["by"] = day.constant(luck.decades("by", 0.1 * SECOND, 20 * SECOND))
    if kind == "duplicate":
        table["after"] = day.constant(luck.decades("after", 5 * MS, 15 * SECOND))
    return table


def away(luck: Luck) -> dict[str, Any]:
    """A service that is down for a while."""
    target = luck.pick("target", ("payment", "stock", "record", "order_cache", "notice", "queue"))
    since, lasts = luck.decades("from", 500 * MS, 8 * SECOND), luck.decades("for", 2 * SECOND, 14 * SECOND)
    return {"kind": "down", "target": target, "from": duration(since), "for": duration(lasts), "must_be_seen": False}
