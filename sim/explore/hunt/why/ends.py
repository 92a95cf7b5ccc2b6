"""Why an order never ended, a customer was never told, or somebody was asked too often."""

from __future__ import annotations

from collections.abc import Iterator

from orderquake.sim.explore.hunt.why.tale import Tale, moment
from orderquake.sim.history import Row
from orderquake.sim.report import words


def unended(tale: Tale) -> Iterator[str]:
    """Where the order stands, who touched it last and what became of them, and who has looked since."""
    order = tale.order
    yield from states(tale, order)
    yield from last_touch(tale, order)
    looks = [row for row in tale.asks("list_idle", everywhere=True) if row.time > tale.breach.time]
    lines = [row for row in tale.asks("enqueue", order=order, everywhere=True) if row.time > tale.breach.time]
    yield (
        f"Recovery has looked for idle orders {len(looks)} times since, and the order was put in line {len(lines)} "
        "times."
    )
    end = tale.all[-1]
    yield f"By {moment(end.time)}, when all had to be over, nobody was at work on it."


def states(tale: Tale, order: str, last: int = 3) -> Iterator[str]:
    """The order's last states."""
    moves = [row for row in tale.all if row.kind == "state" and row.operation == "order" and row.order == order]
    for row in [one for one in moves if one.from_state != one.to_state][-last:]:
        yield f"{tale.name(order).capitalize()}'s order became {words.plain(row.to_state)} {tale.at(row)}."


def last_touch(tale: Tale, order: str) -> Iterator[str]:
    """The last ask that anybody sent for it."""
    asks = [row for row in tale.all if row.kind == "invoke" and row.order == order and row.actor.startswith("worker")]
    if asks:
        row = asks[-1]
        yield f"The last that anybody did for it: {tale.described(row)}, {tale.heard(row)}."


def never_told(tale: Tale) -> Iterator[str]:
    """How the order ended, and what became of the telling."""
    order = tale.order
    yield from states(tale, order)
    told = [row for row in tale.all if row.kind == "state" and row.operation == "notice" and row.order == order]
    asks = tale.asks("notify", order=order, everywhere=True)
    for row in told:
        yield f"The customer was told {row.to_state} {tale.at(row)}."
    if not asks:
        yield "Nobody ever asked the notice board to tell the customer."
    for ask in asks[:2]:
        yield f"{tale.who(ask).capitalize()} asked {tale.at(ask)} that the customer be told, {tale.heard(ask)}."
    refunds = [
        row for row in tale.all
        if row.kind == "state" and row.operation == "refund" and row.order == order and row.is_new
    ]  # fmt: skip
    for row in refunds[:1]:
        yield f"{words.money(row.amount)} went back {tale.at(row)}, without a word."
    yield "Who hears nothing orders again, or calls."


def pressed(tale: Tale) -> Iterator[str]:
    """The attempts, one after the other, and what each of them heard."""
    row = tale.breach
    if row.kind != "invoke":
        yield from passes(tale, row)
        return
    mine = [
        ask for ask in tale.asks(row.operation, order=row.order)
        if ask.op_id.partition("#")[0] == row.op_id.partition("#")[0] and ask.attempt <= row.attempt
    ]  # fmt: skip
    for ask in mine[-(row.attempt + 1) :][:5]:
        yield f"Try {ask.attempt + 1}: {tale.described(ask)}, {tale.heard(ask)}."
    if len(mine) > 1:
        gap = mine[-1].time - (tale.end_of(mine[-2]) or mine[-2]).time
        yield f"The last try came {moment(gap)} after the one before had failed, which is no pause at all."
    yield "Who does not answer has trouble already; a promise to stop is what keeps its trouble from growing."


def passes(tale: Tale, row: Row) -> Iterator[str]:
    """A throttle that let too many pass."""
    marks = [one for one in tale.rows if one.kind == "mark" and one.operation == "admitted" and one.actor == row.actor]
    for one in marks[-4:]:
        yield f"{words.plain(row.actor).capitalize()} let a {words.plain(one.key)} pass {tale.at(one)}."
