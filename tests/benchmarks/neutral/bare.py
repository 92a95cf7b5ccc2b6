"""The neutral workload as the fastest plain Python that one would write by hand: tuples on a heap, a function a step,
counters and deques for the slots, luck dealt from numpy blocks, rows that are tuples. It can do nothing else.

The race is no event: whoever has drawn the answer's delay knows who wins. A cancelled order leaves its entry on the
heap (or in line), and is passed over there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import Any

from tests.benchmarks.measure import Stopwatch
from tests.benchmarks.neutral.workload import LIMIT_US, SLOTS, Rows, dealt, outcome_of

BareRow = tuple[int, str, str, str, str, str]


class Order:
    """An order under way. `holds` is the slot it has: "", "stock" or "packers"."""

    __slots__ = ("end", "holds", "is_over", "luck", "name")

    def __init__(self, name: str, luck: tuple[int, ...]) -> None:
        self.name = name
        self.luck = luck
        self.is_over = False
        self.holds = ""
        self.end = "fulfilled"


def play(orders: int, luck: Iterator[tuple[int, ...]]) -> list[BareRow]:
    """All orders, until the last of them has ended."""
    heap: list[tuple[int, int, Callable[[int, Any], None], Any]] = []
    rows: list[BareRow] = []
    write = rows.append
    serial = 0
    stock_free = packers_free = SLOTS
    stock_line: deque[Order] = deque()
    packers_line: deque[Order] = deque()

    def come(now: int, number: int) -> None:
        nonlocal serial
        order = Order(f"o{number}", luck_now[0])
        name, mine = order.name, order.luck
        write((now, "invoke", "submit", name, "customer", ""))
        serial += 1
        heappush(heap, (now + mine[2], serial, at_shop, order))
        if mine[1] >= 0:
            serial += 1
            heappush(heap, (now + mine[1], serial, cancel, order))
        number += 1
        if number < orders:
            luck_now[0] = following = next(luck)
            serial += 1
            heappush(heap, (now + following[0], serial, come, number))

    def at_shop(now: int, order: Order) -> None:
        nonlocal serial
        if order.is_over:
            return
        write((now, "invoke", "register", order.name, "shop", ""))
        serial += 1
        heappush(heap, (now + order.luck[3], serial, registered, order))

    def registered(now: int, order: Order) -> None:
        nonlocal serial
        if order.is_over:
            return
        write((now, "ok", "register", order.name, "shop", "registered"))
        serial += 1
        heappush(heap, (now + order.luck[4], serial, at_stock, order))

    def at_stock(now: int, order: Order) -> None:
        nonlocal serial, stock_free
        if order.is_over:
            return
        write((now, "invoke", "reserve", order.name, "shop", ""))
        if stock_free:
            stock_free -= 1
            order.holds = "stock"
            serial += 1
            heappush(heap, (now + order.luck[5], serial, reserved, order))
        else:
            stock_line.append(order)

    def leave_stock(now: int) -> None:
        nonlocal serial, stock_free
        while stock_line:
            order = stock_line.popleft()
            if not order.is_over:
                order.holds = "stock"
                serial += 1
                heappush(heap, (now + order.luck[5], serial, reserved, order))
                return
        stock_free += 1

    def reserved(now: int, order: Order) -> None:
        nonlocal serial
        if order.is_over:
            return
        write((now, "ok", "reserve", order.name, "shop", "reserved"))
        order.holds = ""
        leave_stock(now)
        serial += 1
        heappush(heap, (now + order.luck[6], serial, at_provider, order))

    def at_provider(now: int, order: Order) -> None:
        nonlocal serial
        if order.is_over:
            return
        write((now, "invoke", "charge", order.name, "shop", ""))
        serial += 1
        if (pay_us := order.luck[7]) <= LIMIT_US:
            heappush(heap, (now + pay_us, serial, captured, order))
        else:
            heappush(heap, (now + LIMIT_US, serial, given_up, order))

    def captured(now: int, order: Order) -> None:
        nonlocal serial
        if order.is_over:
            return
        write((now, "ok", "charge", order.name, "shop", "captured"))
        serial += 1
        heappush(heap, (now + order.luck[8], serial, at_packers, order))

    def given_up(now: int, order: Order) -> None:
        nonlocal serial
        if order.is_over:
            return
        write((now, "info", "charge", order.name, "shop", "silence"))
        order.end = "timed_out"
        serial += 1
        heappush(heap, (now + order.luck[10], serial, at_customer, order))

    def at_packers(now: int, order: Order) -> None:
        nonlocal serial, packers_free
        if order.is_over:
            return
        write((now, "invoke", "pack", order.name, "shop", ""))
        if packers_free:
            packers_free -= 1
            order.holds = "packers"
            serial += 1
            heappush(heap, (now + order.luck[9], serial, packed, order))
        else:
            packers_line.append(order)

    def leave_packers(now: int) -> None:
        nonlocal serial, packers_free
        while packers_line:
            order = packers_line.popleft()
            if not order.is_over:
                order.holds = "packers"
                serial += 1
                heappush(heap, (now + order.luck[9], serial, packed, order))
                return
        packers_free += 1

    def packed(now: int, order: Order) -> None:
        nonlocal serial
        if order.is_over:
            return
        write((now, "ok", "pack", order.name, "shop", "packed"))
        order.holds = ""
        leave_packers(now)
        serial += 1
        heappush(heap, (now + order.luck[10], serial, at_customer, order))

    def at_customer(now: int, order: Order) -> None:
        nonlocal serial
        if order.is_over:
            return
        write((now, "invoke", "notice", order.name, "shop", ""))
        serial += 1
        heappush(heap, (now + order.luck[11], serial, told, order))

    def told(now: int, order: Order) -> None:
        if order.is_over:
            return
        order.is_over = True
        write((now, "ok", "notice", order.name, "shop", "told"))
        write((now, "ok", "submit", order.name, "customer", order.end))

    def cancel(now: int, order: Order) -> None:
        if order.is_over:
            return
        order.is_over = True
        write((now, "info", "submit", order.name, "customer", "cancelled"))
        if order.holds == "stock":
            leave_stock(now)
        elif order.holds == "packers":
            leave_packers(now)

    luck_now = [next(luck)]
    heappush(heap, (luck_now[0][0], 0, come, 0))
    while heap:
        now, _, step, what = heappop(heap)
        step(now, what)
    return rows


def play_seed(orders: int, seed: int) -> list[BareRow]:
    return play(orders, dealt(seed))


def rows(written: list[BareRow]) -> Rows:
    """What was written, as the workload wants to read it."""
    return [(time, kind, operation, order, answer) for time, kind, operation, order, _, answer in written]


def timed(orders: int, seed: int, collects: bool) -> dict[str, Any]:
    """Microseconds an order, and what became of the orders."""
    watch = Stopwatch(collects)
    written = play_seed(orders, seed)
    return {"us": watch.read() / orders * 1e6, "outcome": outcome_of(rows(written))}
