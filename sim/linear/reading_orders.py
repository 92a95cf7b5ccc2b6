"""What the Order Cache was asked and answered, read from a history.

A write that changes neither state nor sync leaves no row, so of one that was never answered it may stay unknown whether
it took effect. Of what a job writes many at a time only those are known that left a row.
"""

from __future__ import annotations

from collections.abc import Iterator

from orderquake.sim.history import History, Row
from orderquake.sim.linear.asks import Ask, asks_of
from orderquake.sim.linear.model import Operation
from orderquake.sim.linear.orders import NOT_SAID, UNHEARD, Batch, Reads, Registers, Writes

CHANGES = ("order", "sync")


def order_operations(history: History, believes_ledger: bool) -> Iterator[Operation]:
    for ask in asks_of(history, ("register", "read_order", "write_order", "write_orders"), CHANGES):
        match ask.row.operation:
            case "read_order":
                if ask.answer is not None:
                    yield ask.operation(Reads(ask.row.order, ask.task))
            case "register":
                yield from changed(ask, believes_ledger, "registered")
            case "write_order":
                yield from changed(ask, believes_ledger, "written")
            case _:
                yield from batch(ask)


def changed(ask: Ask, believes_ledger: bool, done: str) -> Iterator[Operation]:
    """A registration or a write, and what a copy of it did."""
    order, task, did = ask.row.order, ask.task, ask.did

    def asked(rows: tuple[Row, ...]) -> Registers | Writes:
        if done == "registered":
            return Registers(order)
        return Writes(order, task, rows[0].version if rows else NOT_SAID)

    if ask.answer is not None:
        own = did[:1] if ask.answer == done else ()
        yield ask.operation(asked(own[0] if own else ()), own[0] if own else ())
        did = did[len(own) :]
    elif not did:
        leaves_a_row = done == "registered"
        if not ask.is_refused and not (believes_ledger and leaves_a_row):
            yield ask.open_operation(asked(()))
    elif not believes_ledger:
        yield ask.open_operation(asked(did[0]))
        did = did[1:]
    for rows in did:
        yield ask.as_said_by(rows, asked(rows), UNHEARD if done == "written" else done)


def batch(ask: Ask) -> Iterator[Operation]:
    for rows in ask.did:
        versions = {row.order: row for row in rows}
        for order, row in versions.items():
            yield ask.as_said_by((row,), Batch(order, row.version), UNHEARD)
