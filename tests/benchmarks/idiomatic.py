"""The flash sale as a practised SimPy user would write it: the same path, the same hops, and nothing else.

Processes, a Resource where there is a capacity, a Store for the queue, `timeout` for every leg and every piece of work,
a race against a time-out wherever the protocol has a limit to its patience, scalar draws, dictionaries. No faults, no
checkers, no recovery; nobody loses a message here, so nobody asks twice. What one would make a frame of afterwards is
kept as a list of dictionaries, one an ask and one a change of state; `keeps_rows = False` leaves even that out. With
`is_lean`, only the provider is waited for with a limit, and every other ask is taken on trust.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Generator
from itertools import accumulate
from typing import Any

import simpy

Process = Generator[simpy.Event, Any, Any]

LOCAL, CACHE_MEDIAN, CACHE_SIGMA = 250.0, math.log(420.0), 0.48
PAY_MEDIAN, PAY_SIGMA = math.log(700_000.0), 0.5
NOTICE_MEDIAN, NOTICE_SIGMA = math.log(30_000.0), 0.5
ABROAD_MEDIAN, ABROAD_SIGMA = math.log(40_000.0), math.log(60 / 40) / 2.3263
PLACES = ("eu-west", "us-east")


class Shop:
    """The whole shop: a queue between the front and thirty-two workers, caches as dictionaries."""

    def __init__(self, orders: int, seed: int, is_lean: bool, keeps_rows: bool) -> None:
        self.is_lean = is_lean
        self.keeps_rows = keeps_rows
        self.log: list[dict[str, Any]] = []
        self.env = simpy.Environment()
        self.dice = random.Random(seed)
        self.queue = simpy.Store(self.env)
        self.rows: dict[str, dict[str, Any]] = {}
        self.skus = [f"sku-{n}" for n in range(20)]
        self.weights = list(accumulate((rank + 1) ** -1.1 for rank in range(20)))
        self.stock = dict.fromkeys(self.skus, 50)
        self.asks = 0
        self.decided = 0
        self.unposted: list[str] = []
        self.record = simpy.Resource(self.env, capacity=15)
        for place in PLACES:
            for _ in range(16):
                self.env.process(self.worker(place))
        self.env.process(self.outbound())
        for number in range(orders):
            self.env.process(self.customer(number))

    # -- hops

    def leg(self, place: str) -> float:
        if place == "eu-west":
            return LOCAL
        return self.dice.lognormvariate(ABROAD_MEDIAN, ABROAD_SIGMA)

    def hop(self, place: str, what: str, order: str, median: float, sigma: float) -> Process:
        """A leg there, the work, a leg back."""
        self.asks += 1
        began = self.env.now
        yield self.env.timeout(self.leg(place))
        yield self.env.timeout(self.dice.lognormvariate(median, sigma))
        yield self.env.timeout(self.leg(place))
        if self.keeps_rows:
            self.log.append(
                {"time": self.env.now, "order": order, "ask": what, "place": place, "took": self.env.now - began}
            )

    def becomes(self, order: str, state: str) -> None:
        """An order's row is written."""
        if self.keeps_rows:
            self.log.append({"time": self.env.now, "order": order, "state": state})

    def race(self, hop: Process, limit_us: float) -> Process:
        """The hop, or the end of patience."""
        yield self.env.process(hop) | self.env.timeout(limit_us)

    def ask(
        self, place: str, what: str, order: str = "", median: float = CACHE_MEDIAN, sigma: float = CACHE_SIGMA
    ) -> Process:
        """One ask of a cache, a queue, the record or the notice."""
        hop = self.hop(place, what, order, median, sigma)
        return hop if self.is_lean else self.race(hop, 5_000_000)

    def pay(self, place: str, what: str, order: str) -> Process:
        """An ask of the provider."""
        return self.race(self.hop(place, what, order, PAY_MEDIAN, PAY_SIGMA), 8_000_000)

    # -- who does what

    def customer(self, number: int) -> Process:
        dice = self.dice
        place = PLACES[dice.random() < 0.5]
        yield self.env.timeout(10_000_000 + min(60_000_000, dice.expovariate(1 / 12_000_000)))
        sku = self.skus[bisect_left(self.weights, dice.random() * self.weights[-1])]
        order = f"o{number}"
        yield self.env.timeout(LOCAL)
        yield from self.ask(place, "register", order)
        self.rows[order] = {"state": "registered", "sku": sku, "is_good": dice.random() >= 0.04}
        self.env.process(self.answer())
        yield from self.ask(place, "enqueue", order)
        yield self.queue.put(order)

    def answer(self) -> Process:
        yield self.env.timeout(LOCAL)

    def worker(self, place: str) -> Process:
        while True:
            order = yield self.queue.get()
            yield from self.ask(place, "lease")
            while (yield from self.step(order, place)):
                pass
            yield from self.ask(place, "ack", order)

    def step(self, order: str, place: str) -> Process:
        yield from self.ask(place, "read", order)
        row = self.rows[order]
        match row["state"]:
            case "registered":
                state = "charging"
            case "charging":
                yield from self.pay(place, "charge", order)
                state = "paid" if row["is_good"] else "declined"
            case "paid":
                yield from self.ask(place, "reserve", order)
                if self.stock[row["sku"]] > 0:
                    self.stock[row["sku"]] -= 1
                    state = "reserved"
                else:
                    state = "refund_pending"
            case "reserved":
                yield from self.ask(place, "consume", order)
                state = "fulfilled"
            case "refund_pending":
                yield from self.pay(place, "refund", order)
                state = "refunded"
            case _:
                yield from self.ask(place, "notify", order, NOTICE_MEDIAN, NOTICE_SIGMA)
                state = row["state"]
                row["is_told"] = True
        yield from self.ask(place, "write", order)
        row["state"] = state
        self.becomes(order, state)
        if row.get("is_told"):
            self.decided += 1
            if state != "declined":
                self.unposted.append(order)
            return False
        return True

    def outbound(self) -> Process:
        while True:
            yield self.env.timeout(60_000_000)
            while self.unposted:
                page, self.unposted = self.unposted[:200], self.unposted[200:]
                yield from self.ask("eu-west", "list")
                yield from self.ask("eu-west", "freeze")
                with self.record.request() as slot:
                    yield slot
                    yield from self.ask("eu-west", "post", "", math.log(500_000.0), 1.0)
                for order in page:
                    self.rows[order]["sync"] = "posted"
                    self.becomes(order, "posted")
                yield from self.ask("eu-west", "settle")
                yield from self.ask("eu-west", "sync")


def play(orders: int, seed: int, is_lean: bool = False, keeps_rows: bool = True) -> Shop:
    """The sale, to the end of its fifth minute."""
    shop = Shop(orders, seed, is_lean, keeps_rows)
    shop.env.run(until=300_000_000)
    return shop
