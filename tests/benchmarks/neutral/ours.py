"""The neutral workload on orderquake's kernel: a call a step, luck by name, and twelve rows an order in a History.

Rows are written as the wire of the product writes them. Luck comes from the product's streams, by name and by the
order's number; since every order will want all of its own, it is dealt at once, block by block. The race is no event,
again as in the product: whoever has drawn the answer's delay knows who wins. Every order asks each service once.
`play(..., engine="stock")` leaves the running to SimPy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from orderquake.sim.history import History
from orderquake.sim.recorder import Recorder
from orderquake.sim.world.kernel import Engine, Kernel
from orderquake.sim.world.streams import Streams
from tests.benchmarks.measure import Stopwatch
from tests.benchmarks.neutral.workload import LAWS, LIMIT_US, SLOTS, Rows, outcome_of

GAP, CANCEL, TO_SHOP, REGISTER, TO_STOCK, RESERVE, TO_PROVIDER, PAY, TO_PACKERS, PACK, TO_CUSTOMER, NOTICE = range(12)
"""Where an order's luck for each of `LAWS` stands."""
ENGINES: tuple[Engine, ...] = ("fast", "stock")


class Order:
    """An order under way.

    about   its id and no key, as the history wants them
    asked   row of the ask that it waits for; `submitted` the first of all, `cause` what led to what it does next
    holds   where it has a slot, if it does
    luck    what it draws, in the order of `LAWS`
    """

    __slots__ = ("about", "asked", "cause", "holds", "id", "is_late", "is_over", "luck", "submitted")

    def __init__(self, id: str, submitted: int, luck: tuple[int, ...]) -> None:
        self.id = id
        self.about = (id, "")
        self.submitted = self.asked = self.cause = submitted
        self.holds: Slots | None = None
        self.is_late = self.is_over = False
        self.luck = luck


class Slots:
    """So many at a time, the others in the order of their coming; who is over is passed over."""

    __slots__ = ("free", "line")

    def __init__(self, free: int) -> None:
        self.free = free
        self.line: deque[Order] = deque()

    def takes(self, order: Order) -> bool:
        """A slot for the order, or a place in line."""
        if self.free:
            self.free -= 1
            order.holds = self
            return True
        self.line.append(order)
        return False

    def left(self) -> Order | None:
        """A slot is left: who has it now?"""
        line = self.line
        while line:
            order = line.popleft()
            if not order.is_over:
                order.holds = self
                return order
        self.free += 1
        return None


def dealt(seed: int) -> Iterator[tuple[int, ...]]:
    """The luck of one order after the other, in the order of `LAWS`."""
    streams = Streams(seed)
    laws = [streams.of(name, law) for name, law in LAWS.items()]
    block = 0
    while True:
        yield from zip(*(stream.block(block, 0) for stream in laws), strict=True)
        block += 1


def play(orders: int, seed: int, engine: Engine = "fast") -> History:
    """All orders, until the last of them has ended."""
    kernel, history, luck = Kernel(engine), History(), dealt(seed)
    stock, packers = Slots(SLOTS), Slots(SLOTS)
    after = kernel.after
    recorder = Recorder(history)
    written, put_ask, put_answer = recorder.written, recorder.put_ask, recorder.put_answer
    submits = recorder.route("submit", "customer", "home", "outside")
    registers, reserves, charges, packs, notices = (
        recorder.route(verb, "shop", "here") for verb in ("register", "reserve", "charge", "pack", "notice")
    )
    said = written.said
    is_registered, is_reserved, is_captured, is_packed, is_told, is_fulfilled, is_late = (
        said["ok", answer]
        for answer in ("registered", "reserved", "captured", "packed", "told", "fulfilled", "timed_out")
    )
    is_silent, is_cancelled = said["info", "silence"], said["info", "cancelled"]

    def come(comes: tuple[int, tuple[int, ...]]) -> None:
        number, mine = comes
        written.rows = 1 + (row := written.rows)
        order = Order(f"o{number}", row, mine)
        put_ask((row, kernel.now, submits, order.about, order.id, 0, 1, -1, -1))
        after(order.luck[TO_SHOP], at_shop, order)
        if (cancels_us := mine[CANCEL]) >= 0:
            after(cancels_us, cancel, order)
        number += 1
        if number < orders:
            next_one = next(luck)
            after(next_one[GAP], come, (number, next_one))

    def at_shop(order: Order) -> None:
        if order.is_over:
            return
        written.rows = 1 + (row := written.rows)
        order.asked = row
        put_ask((row, kernel.now, registers, order.about, order.id, 1, 1, -1, order.cause))
        after(order.luck[REGISTER], registered, order)

    def registered(order: Order) -> None:
        if order.is_over:
            return
        written.rows = 1 + (row := written.rows)
        order.cause = row
        put_answer((row, kernel.now, is_registered, order.asked))
        after(order.luck[TO_STOCK], at_stock, order)

    def at_stock(order: Order) -> None:
        if order.is_over:
            return
        written.rows = 1 + (row := written.rows)
        order.asked = row
        put_ask((row, kernel.now, reserves, order.about, order.id, 2, 1, -1, order.cause))
        if stock.takes(order):
            after(order.luck[RESERVE], reserved, order)

    def reserved(order: Order) -> None:
        if order.is_over:
            return
        written.rows = 1 + (row := written.rows)
        order.cause = row
        put_answer((row, kernel.now, is_reserved, order.asked))
        order.holds = None
        if (following := stock.left()) is not None:
            after(following.luck[RESERVE], reserved, following)
        after(order.luck[TO_PROVIDER], at_provider, order)

    def at_provider(order: Order) -> None:
        if order.is_over:
            return
        now = kernel.now
        written.rows = 1 + (row := written.rows)
        order.asked = row
        put_ask((row, now, charges, order.about, order.id, 3, 1, now + LIMIT_US, order.cause))
        pay_us = order.luck[PAY]
        if pay_us <= LIMIT_US:
            after(pay_us, captured, order)
        else:
            after(LIMIT_US, given_up, order)

    def captured(order: Order) -> None:
        if order.is_over:
            return
        written.rows = 1 + (row := written.rows)
        order.cause = row
        put_answer((row, kernel.now, is_captured, order.asked))
        after(order.luck[TO_PACKERS], at_packers, order)

    def given_up(order: Order) -> None:
        if order.is_over:
            return
        written.rows = 1 + (row := written.rows)
        order.cause = row
        put_answer((row, kernel.now, is_silent, order.asked))
        order.is_late = True
        after(order.luck[TO_CUSTOMER], at_customer, order)

    def at_packers(order: Order) -> None:
        if order.is_over:
            return
        written.rows = 1 + (row := written.rows)
        order.asked = row
        put_ask((row, kernel.now, packs, order.about, order.id, 4, 1, -1, order.cause))
        if packers.takes(order):
            after(order.luck[PACK], packed, order)

    def packed(order: Order) -> None:
        if order.is_over:
            return
        written.rows = 1 + (row := written.rows)
        order.cause = row
        put_answer((row, kernel.now, is_packed, order.asked))
        order.holds = None
        if (following := packers.left()) is not None:
            after(following.luck[PACK], packed, following)
        after(order.luck[TO_CUSTOMER], at_customer, order)

    def at_customer(order: Order) -> None:
        if order.is_over:
            return
        written.rows = 1 + (row := written.rows)
        order.asked = row
        put_ask((row, kernel.now, notices, order.about, order.id, 5, 1, -1, order.cause))
        after(order.luck[NOTICE], told, order)

    def told(order: Order) -> None:
        if order.is_over:
            return
        order.is_over = True
        now = kernel.now
        written.rows = 2 + (row := written.rows)
        put_answer((row, now, is_told, order.asked))
        put_answer((row + 1, now, is_late if order.is_late else is_fulfilled, order.submitted))

    def cancel(order: Order) -> None:
        if order.is_over:
            return
        order.is_over = True
        written.rows = 1 + (row := written.rows)
        put_answer((row, kernel.now, is_cancelled, order.submitted))
        if order.holds is stock and (following := stock.left()) is not None:
            after(following.luck[RESERVE], reserved, following)
        elif order.holds is packers and (following := packers.left()) is not None:
            after(following.luck[PACK], packed, following)

    first = next(luck)
    after(first[GAP], come, (0, first))
    kernel.run(2**62)
    return history


def rows(history: History) -> Rows:
    """What was written, as the workload wants to read it."""
    columns = (history.column(name).tolist() for name in ("time", "kind", "operation", "order", "answer"))
    return list(zip(*columns, strict=True))


def timed(orders: int, seed: int, collects: bool, engine: Engine = "fast") -> dict[str, Any]:
    """Microseconds an order until the rows are written, and until they are packed; what became of the orders."""
    watch = Stopwatch(collects)
    history = play(orders, seed, engine)
    us = watch.read() / orders * 1e6
    history.table()
    packed_us = watch.read() / orders * 1e6
    return {"us": us, "packed_us": packed_us, "outcome": outcome_of(rows(history)), "digest": history.digest}
