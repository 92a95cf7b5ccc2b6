"""The neutral workload as a practised SimPy user writes it: a process an order, Resources by `with`, `|` for the race,
an interrupt for the cancelling customer, scalar draws, rows that are dictionaries."""

from __future__ import annotations

import random
from collections.abc import Generator
from typing import Any

import simpy

from tests.benchmarks.measure import Stopwatch
from tests.benchmarks.neutral.workload import (
    CANCELS,
    CANCELS_WITHIN_US,
    GAP_US,
    LEG_US,
    LIMIT_US,
    NOTICE_US,
    PACK_US,
    PAY_MU,
    PAY_SIGMA,
    REGISTER_US,
    RESERVE_US,
    SLOTS,
    Rows,
    outcome_of,
)

Process = Generator[simpy.Event, Any, None]


class Shop:
    """Everything an order needs to find."""

    def __init__(self, dice: random.Random) -> None:
        self.env = simpy.Environment()
        self.dice = dice
        self.stock = simpy.Resource(self.env, capacity=SLOTS)
        self.packers = simpy.Resource(self.env, capacity=SLOTS)
        self.rows: list[dict[str, Any]] = []

    def write(self, kind: str, operation: str, order: str, actor: str, answer: str = "") -> None:
        self.rows.append(
            {
                "time": self.env.now,
                "kind": kind,
                "operation": operation,
                "order": order,
                "actor": actor,
                "answer": answer,
            }
        )

    def dice_of(self, number: int) -> random.Random:
        """Everybody throws the same dice, unless somebody wants to compare."""
        return self.dice

    def customers(self, orders: int) -> Process:
        env = self.env
        for number in range(orders):
            dice = self.dice_of(number)
            yield env.timeout(dice.expovariate(1 / GAP_US))
            order = env.process(self.order(f"o{number}", dice))
            if dice.random() < CANCELS:
                env.process(self.cancel(order, dice.uniform(0, CANCELS_WITHIN_US)))

    def cancel(self, order: simpy.Process, after_us: float) -> Process:
        yield self.env.timeout(after_us)
        if order.is_alive:
            order.interrupt()

    def order(self, order: str, dice: random.Random) -> Process:
        env, write = self.env, self.write
        try:
            write("invoke", "submit", order, "customer")
            yield env.timeout(dice.expovariate(1 / LEG_US))
            write("invoke", "register", order, "shop")
            yield env.timeout(dice.expovariate(1 / REGISTER_US))
            write("ok", "register", order, "shop", "registered")
            yield env.timeout(dice.expovariate(1 / LEG_US))
            write("invoke", "reserve", order, "shop")
            with self.stock.request() as slot:
                yield slot
                yield env.timeout(dice.expovariate(1 / RESERVE_US))
                write("ok", "reserve", order, "shop", "reserved")
            yield env.timeout(dice.expovariate(1 / LEG_US))
            write("invoke", "charge", order, "shop")
            payment = env.timeout(dice.lognormvariate(PAY_MU, PAY_SIGMA))
            heard = yield payment | env.timeout(LIMIT_US)
            if payment in heard:
                write("ok", "charge", order, "shop", "captured")
                yield env.timeout(dice.expovariate(1 / LEG_US))
                write("invoke", "pack", order, "shop")
                with self.packers.request() as slot:
                    yield slot
                    yield env.timeout(dice.expovariate(1 / PACK_US))
                    write("ok", "pack", order, "shop", "packed")
                end = "fulfilled"
            else:
                write("info", "charge", order, "shop", "silence")
                end = "timed_out"
            yield env.timeout(dice.expovariate(1 / LEG_US))
            write("invoke", "notice", order, "shop")
            yield env.timeout(dice.expovariate(1 / NOTICE_US))
            write("ok", "notice", order, "shop", "told")
            write("ok", "submit", order, "customer", end)
        except simpy.Interrupt:
            write("info", "submit", order, "customer", "cancelled")


def play(orders: int, shop: Shop) -> Shop:
    """All orders, until the last of them has ended."""
    shop.env.process(shop.customers(orders))
    shop.env.run()
    return shop


def play_seed(orders: int, seed: int) -> Shop:
    return play(orders, Shop(random.Random(seed)))


def rows(shop: Shop) -> Rows:
    """What was written, as the workload wants to read it."""
    return [(row["time"], row["kind"], row["operation"], row["order"], row["answer"]) for row in shop.rows]


def timed(orders: int, seed: int, collects: bool) -> dict[str, Any]:
    """Microseconds an order, and what became of the orders."""
    watch = Stopwatch(collects)
    shop = play_seed(orders, seed)
    return {"us": watch.read() / orders * 1e6, "outcome": outcome_of(rows(shop))}
