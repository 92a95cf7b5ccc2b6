"""What happens to a shop on a small day of stress besides, once: one fault each, at a moment that goes with a theme."""

from __future__ import annotations

from typing import Any

from orderquake.sim.explore.hunt.stress_circumstances import FIRST_READ_US, LATEST_US, constant
from orderquake.sim.explore.swarm_luck import Luck
from orderquake.sim.units import MS, SECOND


def out_of_reach(luck: Luck) -> dict[str, Any]:
    """A service that a worker needs is away for longer than its deliveries last."""
    return {
        "kind": "down", "target": luck.pick("target", ("payment", "payment", "stock", "notice")),
        "from": luck.time("from", 100 * MS, 3 * SECOND), "for": luck.time("for", 6 * SECOND, 14 * SECOND),
    }  # fmt: skip


def provider_is_silent(luck: Luck) -> dict[str, Any]:
    return {
        "kind": luck.pick("kind", ("lose_answer", "lose_answer", "lose_answer", "lose_ask")), "target": "payment",
        "operation": luck.pick("verb", ("charge", "charge", "refund")), "probability": luck.pick("share", (0.6, 1.0)),
        "for": luck.time("for", 4 * SECOND, 18 * SECOND),
    }  # fmt: skip


def money_is_late(luck: Luck) -> dict[str, Any]:
    by_us = LATEST_US if luck.chance("latest", 0.5) else luck.decades("by", 2.5 * SECOND, LATEST_US)
    return {
        "kind": "delay", "target": "payment", "operation": luck.pick("verb", ("charge", "charge", "refund")),
        "probability": luck.pick("share", (0.2, 0.5, 1.0)), "by": constant(by_us),
    }  # fmt: skip


def charges_are_unheard(luck: Luck) -> dict[str, Any]:
    return {
        "kind": "lose_answer", "target": "payment", "operation": "charge", "probability": 1.0,
        "for": luck.time("for", 8 * SECOND, 16 * SECOND),
    }  # fmt: skip


def charges_come_last(luck: Luck) -> dict[str, Any]:
    """As late as a message may, now and then."""
    return {
        "kind": "delay", "target": "payment", "operation": "charge", "probability": luck.pick("share", (0.3, 0.5)),
        "by": constant(LATEST_US),
    }  # fmt: skip


def lost(luck: Luck) -> dict[str, Any]:
    return {"kind": "wiped", "target": "stock", "at": luck.time("at", 800 * MS, 12 * SECOND)}


def copy_lags(luck: Luck) -> dict[str, Any]:
    return {"kind": "stale_replica", "lag": luck.time("lag", 2 * SECOND, 10 * SECOND)} | _window(luck)


def copy_lags_for_long(luck: Luck) -> dict[str, Any]:
    return {
        "kind": "stale_replica", "lag": luck.time("lag", 1.5 * SECOND, 7 * SECOND),
        "from": luck.time("from", 300 * MS, 2 * SECOND), "for": luck.time("for", 8 * SECOND, 14 * SECOND),
    }  # fmt: skip


def copy_stands_still(luck: Luck) -> dict[str, Any]:
    return {
        "kind": "stale_replica", "lag": luck.time("lag", 8 * SECOND, 15 * SECOND),
        "from": luck.time("from", 100 * MS, SECOND), "for": luck.time("for", 10 * SECOND, 16 * SECOND),
    }  # fmt: skip


def lost_soon(luck: Luck) -> dict[str, Any]:
    return {"kind": "wiped", "target": "stock", "at": luck.time("at", 1.5 * SECOND, 6 * SECOND)}


def lost_at_once(luck: Luck) -> dict[str, Any]:
    return {"kind": "wiped", "target": "stock", "at": luck.time("at", SECOND, 4 * SECOND)}


def often_in_trouble(luck: Luck) -> dict[str, Any]:
    """One service, whatever it is asked, for a while."""
    kind = luck.pick("kind", ("lose_ask", "lose_answer", "lose_answer", "duplicate", "delay", "crash", "pause"))
    table: dict[str, Any] = {
        "kind": kind, "target": luck.pick("target", ("payment", "stock", "record", "order_cache", "queue")),
        "probability": luck.pick("probability", (0.1, 0.3, 0.6)), "for": luck.time("for", 4 * SECOND, 16 * SECOND),
    }  # fmt: skip
    if kind in ("crash", "pause"):
        table["when"] = luck.pick("when", ("before", "after"))
    if kind == "pause":
        table |= {"length": constant(luck.decades("length", 500 * MS, 4 * SECOND)), "outlives_deadline": True}
    if kind == "delay":
        table["by"] = constant(luck.decades("by", 200 * MS, 8 * SECOND))
    if kind == "duplicate":
        table["after"] = constant(luck.decades("after", 5 * MS, 10 * SECOND))
    return table


def copy_lags_a_moment(luck: Luck) -> dict[str, Any]:
    return {
        "kind": "stale_replica", "lag": luck.time("lag", 600 * MS, 5 * SECOND),
        "from": luck.time("from", 2.5 * SECOND, 7 * SECOND), "for": luck.time("for", 300 * MS, 2 * SECOND),
    }  # fmt: skip


def copy_lags_at_the_second(luck: Luck) -> dict[str, Any]:
    """The first page came from the record itself."""
    return {
        "kind": "stale_replica", "lag": luck.time("lag", 800 * MS, 4 * SECOND),
        "from": luck.time("from", FIRST_READ_US + 400 * MS, FIRST_READ_US + 2.2 * SECOND),
        "for": luck.time("for", 300 * MS, 2 * SECOND),
    }  # fmt: skip


def consume_is_late(luck: Luck) -> dict[str, Any]:
    return {
        "kind": "delay", "target": "stock", "operation": "consume", "nth": 1,
        "by": constant(luck.decades("by", 500 * MS, 4 * SECOND)),
    }  # fmt: skip


def second_hold_is_forgotten(luck: Luck) -> dict[str, Any]:
    """Whoever made the second hold dies before it is written down."""
    return {
        "kind": luck.pick("kind", ("crash", "crash", "pause")), "target": "stock", "operation": "reserve", "nth": 2,
        "when": "after", "length": constant(luck.decades("length", SECOND, 4 * SECOND)),
    }  # fmt: skip


def books_are_silent(luck: Luck) -> dict[str, Any]:
    return {
        "kind": luck.pick("kind", ("lose_answer", "lose_answer", "lose_ask")), "target": "record", "operation": "post",
        "probability": luck.pick("share", (0.6, 1.0)),
        "for": luck.time("long", 21 * SECOND, 23.5 * SECOND) if luck.chance("is_long", 0.6)
        else luck.time("for", 4 * SECOND, 21 * SECOND),
    }  # fmt: skip


def cut_off(luck: Luck) -> dict[str, Any]:
    return {
        "kind": "partition", "between": ["here", "there"], "from": luck.time("from", 300 * MS, 5 * SECOND),
        "for": luck.time("for", 500 * MS, 6 * SECOND),
    }  # fmt: skip


def cut_off_from_each_other(luck: Luck) -> dict[str, Any]:
    return {
        "kind": "partition", "between": ["there", "yonder"], "from": luck.time("from", 50 * MS, SECOND),
        "for": luck.time("for", 3 * SECOND, 10 * SECOND),
    }  # fmt: skip


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
