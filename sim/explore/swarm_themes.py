"""Themes: small biases on a drawn day that lead to rare moments more often than chance alone would.

Most days have one. Rare moments need two or three circumstances at a time: a reservation that is shorter than the way
to its owner, and a worker that sleeps on it. Chance meets each of them often, and all of them hardly ever.
"""

from __future__ import annotations

from dataclasses import replace

from orderquake.model.verbs import VERBS
from orderquake.sim.explore.swarm_luck import Luck
from orderquake.sim.explore.swarm_theme import (
    ALL_DAY,
    Theme,
    Value,
    Wish,
    all_day,
    always,
    count,
    law,
    one_of,
    share,
    time,
)
from orderquake.sim.units import MINUTE, MS, SECOND

SHARE = 0.8
"""Of the days that have a theme."""


def theme_of(luck: Luck) -> str:
    """The name of a day's theme, "" where it has none."""
    return luck.pick("which", tuple(THEMES)) if luck.chance("is_there", SHARE) else ""


AFTER: dict[str, Value] = {"when": always("after")}
BEFORE: dict[str, Value] = {"when": always("before")}
MONEY = ("charge", "authorise", "capture_hold")
ON: dict[str, Value] = {"outlives_deadline": always(True)}


def sleep(low_us: float, high_us: float) -> dict[str, Value]:
    return {"length": law(low_us, high_us, 2 * MINUTE)} | ON


NAP, DOZE = sleep(15 * SECOND, 60 * SECOND), sleep(5 * SECOND, 40 * SECOND)
LATE: dict[str, Value] = {"by": law(SECOND, 10 * SECOND, MINUTE)}
HEALED: dict[str, Value] = {"heals": always(None)}
RARELY, OFTEN = (0.1, 0.4), (0.3, 0.9)
AWAY: dict[str, Value] = {"from": time(20 * SECOND, 60 * SECOND), "for": time(310 * SECOND, 340 * SECOND)}

SELDOM = {
    "order_cache": ("read_orders", "write_orders", "list_unsynced", "read_cursor", "move_cursor"),
    "stock": ("release", "extend", "refresh", "settle", "adopt", "open_again"),
    "payment": ("look_up", "look_up_hold", "void_hold", "refund", "ask_refund", "list_captures", "list_failed_refunds"),
}
"""What is asked on few days only, or few times a day."""

QUICK: dict[str, Value] = {
    "policy.worker_deadline": time(10 * SECOND, 12 * SECOND),
    "policy.lease": time(13 * SECOND, 20 * SECOND),
    "policy.idle": time(5 * SECOND, 15 * SECOND),
    "jobs.recovery.every": time(5 * SECOND, 15 * SECOND),
}
"""Whoever sleeps or dies is soon replaced."""
SCARCE: dict[str, Value] = {"stock.units_per_sku": count(1, 6), "stock.safety_stock": always(0)}
AMPLE: dict[str, Value] = {"stock.units_per_sku": count(20, 100), "stock.safety_stock": always(0)}
DECLINED: dict[str, Value] = AMPLE | {
    "policy.order": one_of("reserve_first", "reserve_first", "pay_first", "authorise_reserve_capture"),
    "service.payment.declines": share(0.2, 0.6),
}
"""Who has reserved and cannot pay has something to release."""

THEMES: dict[str, Theme] = {
    "deaths at the provider": Theme(
        QUICK | SCARCE,
        (
            all_day("crash", "payment", "charge", more=AFTER),
            all_day("crash", "payment", "authorise", "capture_hold", more=AFTER),
            all_day("crash", "payment", "refund", "void_hold", more=AFTER),
            all_day("lose_answer", "payment", "refund", "charge", "void_hold"),
        ),
    ),
    "deaths at the shelves": Theme(
        QUICK | DECLINED,
        (
            all_day("crash", "stock", "reserve", more=AFTER),
            all_day("crash", "stock", "consume", more=AFTER),
            all_day("crash", "stock", "release", more=AFTER),
            all_day("crash", "order_cache", "write_order", more=BEFORE, chances=RARELY),
            all_day("crash", "notice", "notify", more=AFTER),
        ),
    ),
    "deaths of the posting job": Theme(
        {"jobs.outbound.every": time(5 * SECOND, 15 * SECOND), "jobs.outbound.batch": count(1, 8)},
        (
            all_day("crash", "record", "post", more=BEFORE),
            all_day("crash", "order_cache", "write_orders", more=AFTER),
            all_day("crash", "record", "post", more=AFTER),
            all_day("crash", "stock", "settle", more=BEFORE),
            all_day("lose_answer", "record", "post"),
        ),
    ),
    "sleep on a reservation": Theme(
        QUICK
        | AMPLE
        | {
            "policy.reservation_ttl": time(5 * SECOND, 15 * SECOND),
            "policy.decide_within": time(2 * MINUTE, 10 * MINUTE),
            "policy.order": one_of("pay_first", "pay_first", "authorise_reserve_capture", "reserve_first"),
        },
        (
            all_day("pause", "stock", "consume", more=BEFORE | NAP, chances=(0.2, 0.6)),
            all_day("pause", "stock", "reserve", "consume", more=AFTER | NAP),
            all_day("delay", "stock", "consume", more={"by": law(5 * SECOND, 15 * SECOND, MINUTE)}),
        ),
    ),
    "sleep on a decision": Theme(
        QUICK | DECLINED,
        (
            all_day("pause", "order_cache", "read_order", more=AFTER | NAP, chances=RARELY),
            all_day("pause", "order_cache", "write_order", more=BEFORE | NAP, chances=RARELY),
            all_day("pause", "payment", *MONEY, "refund", more=BEFORE | NAP, chances=RARELY),
            all_day("pause", "stock", "release", more=AFTER | NAP, chances=OFTEN),
        ),
    ),
    "reservations as short as the way": Theme(
        {
            "policy.reservation_ttl": time(300 * MS, 3 * SECOND),
            "policy.extends": one_of(True, False),
            "policy.expiry": one_of("sweep", "on_look"),
            "policy.decide_within": time(20 * SECOND, 2 * MINUTE),
            "policy.order": one_of("pay_first", "reserve_first", "authorise_reserve_capture"),
            "policy.patience.stock.timeout": time(8 * SECOND, 10 * SECOND),
            "policy.patience.order_cache.timeout": time(8 * SECOND, 10 * SECOND),
            "service.stock.latency": law(100 * MS, 800 * MS, 5 * SECOND),
            "service.order_cache.latency": law(50 * MS, 400 * MS, 4 * SECOND),
            "jobs.sweep.every": time(5 * SECOND, 20 * SECOND),
        }
        | SCARCE,
    ),
    "reservations that just last": Theme(
        {
            "policy.order": one_of("pay_first", "reserve_first", "authorise_reserve_capture"),
            "policy.reservation_ttl": time(800 * MS, 4 * SECOND),
            "policy.extends": one_of(True, False),
            "service.stock.latency": law(20 * MS, 200 * MS, 2 * SECOND),
            "service.order_cache.latency": law(20 * MS, 300 * MS, 2 * SECOND),
        },
        (all_day("lose_answer", "stock", "consume", "reserve", "release"),),
    ),
    "answers of the shelves are lost": Theme(
        DECLINED | {"policy.patience.stock.attempts": one_of(1, 1, 2, 3)},
        (
            all_day("lose_answer", "stock", "consume"),
            all_day("lose_answer", "stock", "release", chances=OFTEN),
            all_day("lose_answer", "stock", "refresh"),
            all_day("lose_answer", "stock", "reserve"),
            all_day("delay", "stock", "reserve", more={"by": law(5 * SECOND, 20 * SECOND, MINUTE)}),
        ),
    ),
    "answers of the provider are lost": Theme(
        SCARCE
        | {
            "policy.order": one_of("pay_first", "authorise_reserve_capture", "reserve_first"),
            "service.payment.refund_failures": share(0.2, 0.6),
            "service.payment.refund_fails_after": law(SECOND, 4 * SECOND, MINUTE),
        },
        (
            all_day("lose_answer", "payment", "void_hold", chances=OFTEN),
            all_day("lose_answer", "payment", "refund", chances=OFTEN),
            all_day("crash", "payment", "refund", more=AFTER, chances=OFTEN),
            all_day("duplicate", "payment", *MONEY, more={"after": law(2 * SECOND, 20 * SECOND, MINUTE)}),
        ),
    ),
    "keys grow old": Theme(
        SCARCE
        | {
            "horizon": time(9 * MINUTE, 10 * MINUTE),
            "service.payment.key_retention": time(280 * SECOND, 300 * SECOND),
            "policy.send_horizon": time(12 * SECOND, 16 * SECOND),
            "policy.message_life": time(240 * SECOND, 250 * SECOND),
            "policy.worker_deadline": time(10 * SECOND, 12 * SECOND),
            "policy.lease": time(13 * SECOND, 20 * SECOND),
            "policy.idle": time(5 * SECOND, 15 * SECOND),
            "jobs.recovery.every": time(5 * SECOND, 15 * SECOND),
        }
        | {"stock.units_per_sku": count(1, 40)},
        (
            Wish("down", {"target": always("payment")} | AWAY, 0.6),
            all_day("lose_ask", "payment", "refund", "charge", chances=(0.5, 0.95)),
        ),
    ),
    "the shelves are lost again and again": Theme(
        QUICK
        | {
            "policy.reservation_ttl": time(2 * MINUTE, 10 * MINUTE),
            "local_latency": law(100 * MS, 600 * MS, 3 * SECOND),
            "service.stock.latency": law(100 * MS, 900 * MS, 4 * SECOND),
            "service.record.latency": law(SECOND, 5 * SECOND, 20 * SECOND),
            "policy.patience.record.timeout": time(9 * SECOND, 10 * SECOND),
            "policy.patience.stock.timeout": time(5 * SECOND, 10 * SECOND),
            "jobs.outbound.every": time(5 * SECOND, 12 * SECOND),
            "jobs.inbound.every": time(5 * SECOND, 12 * SECOND),
            "jobs.rebuild.every": time(2 * SECOND, 5 * SECOND),
            "jobs.rebuild.doubles": share(0.1, 0.5),
        },
        (
            *(Wish("wiped", {"target": always("stock")}, 0.9) for _ in range(4)),
            all_day("pause", "stock", "consume", more=BEFORE | DOZE, chances=OFTEN),
            all_day("delay", "stock", "refresh", "adopt", more={"by": law(2 * SECOND, 20 * SECOND, MINUTE)}),
        ),
    ),
    "snapshots overtake each other": Theme(
        {
            "jobs.inbound.every": time(5 * SECOND, 10 * SECOND),
            "jobs.inbound.doubles": share(0.1, 0.5),
            "jobs.outbound.every": time(5 * SECOND, 10 * SECOND),
            "jobs.outbound.doubles": share(0.1, 0.5),
            "service.record.latency": law(500 * MS, 4 * SECOND, 20 * SECOND),
        },
        (
            all_day("delay", "stock", "refresh", more={"by": law(5 * SECOND, 20 * SECOND, MINUTE)}),
            all_day("duplicate", "stock", "refresh", more={"after": law(5 * SECOND, 20 * SECOND, MINUTE)}),
            all_day("delay", "stock", "settle", more={"by": law(5 * SECOND, 20 * SECOND, MINUTE)}),
        ),
    ),
    "the record refuses": Theme(
        {
            "service.record.below_zero": always("reject"),
            "stock.pool": always("shared"),
            "stock.foreign_sales": lambda luck: {
                "per_s": luck.decades("per_s", 0.02, 0.2), "units": luck.whole("units", 2, 5)
            },
            "jobs.outbound.every": time(5 * SECOND, 20 * SECOND),
            "policy.patience.record.attempts": one_of(1, 2),
        },
        (all_day("lose_answer", "record", "post", chances=OFTEN),),
    ),
    "narrow doors": Theme(
        {
            "horizon": time(50 * SECOND, 90 * SECOND),
            "place.*.front_bound": count(2, 5),
            "place.*.workers": count(4, 16),
            "service.order_cache.latency": law(50 * MS, 250 * MS, SECOND),
            "service.order_cache.capacity": count(6, 10),
            "service.stock.latency": law(150 * MS, 600 * MS, 2 * SECOND),
            "service.stock.capacity": count(1, 2),
            "service.stock.queue_bound": count(1, 2),
            "service.stock.queue_patience": law(50 * MS, 400 * MS, SECOND),
            "policy.patience.stock.attempts": count(5, 6),
            "policy.patience.order_cache.attempts": count(5, 6),
            "workload.retries": lambda luck: {
                "after": luck.time("after", 2 * SECOND, 5 * SECOND), "at_most": luck.whole("at_most", 2, 6)
            },
        },
    ),
    "settlement in a hurry": Theme(
        QUICK
        | SCARCE
        | {
            "policy.order": one_of("pay_first", "reserve_first"),
            "policy.settle_after": time(SECOND, 5 * SECOND),
            "jobs.settlement.every": time(2 * SECOND, 5 * SECOND),
            "jobs.settlement.doubles": share(0.2, 0.5),
            "service.payment.refund_failures": share(0.3, 0.6),
            "service.payment.refund_fails_after": law(SECOND, 5 * SECOND, MINUTE),
            "service.order_cache.latency": law(20 * MS, 250 * MS, 2 * SECOND),
        },
        (
            all_day("pause", "order_cache", "write_order", more=BEFORE | DOZE, chances=RARELY),
            all_day("delay", "order_cache", "write_order", more=LATE, chances=RARELY),
        ),
    ),
    "clocks and cancellations": Theme(
        {
            "workload.cancels": share(0.2, 0.6),
            "workload.cancels_after": law(50 * MS, SECOND, 20 * SECOND),
            "service.order_cache.latency": law(20 * MS, 250 * MS, 2 * SECOND),
            "policy.expiry": one_of("sweep", "on_look"),
            "policy.reservation_ttl": time(5 * SECOND, 30 * SECOND),
        },
        (
            Wish("clock_skew", {"target": always("stock"), "by": time(2 * SECOND, 30 * SECOND)}),
            all_day("lose_ask", "order_cache", "register", chances=RARELY),
            all_day("pause", "stock", "reserve", more=AFTER | DOZE, chances=(0.1, 0.5)),
        ),
    ),
    "one pair of hands": Theme(
        {
            f"service.{service}.latency": law(50 * MS, 500 * MS, 2 * SECOND) for service in VERBS
        },
        tuple(
            Wish("capacity_cut", {"target": always(service), "to": count(1, 2)} | ALL_DAY, 0.4) for service in VERBS
        ),
    ),
    "trouble where few come": Theme(
        QUICK
        | SCARCE
        | {
            "policy.patience.stock.attempts": count(1, 3),
            "policy.extends": one_of(True, True, False),
            "policy.settle_after": time(SECOND, 5 * SECOND),
            "jobs.settlement.every": time(2 * SECOND, 5 * SECOND),
            "jobs.rebuild.every": time(2 * SECOND, 5 * SECOND),
            "jobs.rebuild.doubles": share(0.1, 0.5),
            "service.order_cache.latency": law(50 * MS, 400 * MS, 4 * SECOND),
            "service.stock.latency": law(50 * MS, 500 * MS, 4 * SECOND),
        },
        (
            Wish("wiped", {"target": always("stock")}, 0.5),
            Wish("wiped", {"target": always("stock")}, 0.5),
            *(
                replace(all_day(kind, service, *verbs, chances=OFTEN), chance=0.25)
                for kind in ("lose_ask", "lose_answer", "delay", "duplicate", "crash", "pause")
                for service, verbs in SELDOM.items()
            ),
            *(
                Wish(
                    "applied_but_answer_lost",
                    {"target": always("stock"), "operation": always(verb), "nth": count(1, 2)} | ALL_DAY,
                    0.3,
                )
                for verb in ("extend", "adopt", "open_again")
            ),
            Wish(
                "reorder", {"target": always("stock"), "operation": always("adopt"), "share": share(*OFTEN)} | ALL_DAY
            ),
            *(
                Wish(kind, {"target": always(service), "for": time(2 * SECOND, 20 * SECOND)} | HEALED, 0.5)
                for kind, service in (("down", "order_cache"), ("read_only", "stock"), ("partition", "stock"))
                for _ in range(4)
            ),
        ),
    ),
}  # fmt: skip
"""Name -> theme. Each leads to moments that fewer than one in two hundred plain days come through."""
