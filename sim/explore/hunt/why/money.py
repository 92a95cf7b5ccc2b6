"""Why money was taken twice, paid back twice, or kept for nothing: told from the provider's ledger and its keys."""

from __future__ import annotations

from collections.abc import Iterator

from orderquake.sim.explore.hunt.why.tale import Tale, moment
from orderquake.sim.history import Row
from orderquake.sim.report import words


def charged_twice(tale: Tale) -> Iterator[str]:
    yield from moved(tale, "capture", "captured", tale.order)
    yield "The provider knows an ask by its key alone, and takes the money once for each key."


def money_wrong(tale: Tale) -> Iterator[str]:
    """All that moved the order's money, how the order ended, and what nobody did about it."""
    order = tale.order or next((row.order for row in tale.state("capture")), "")
    name = tale.name(order)
    yield from moved(tale, "capture", "captured", order)
    yield from moved(tale, "refund", "paid back", order)
    for row in tale.state("refund_failed", order=order):
        looks = [ask for ask in tale.asks("ask_refund", order=order, everywhere=True) if ask.time > row.time]
        nobody = "nobody asked again" if not looks else f"it was asked about {len(looks)} times since"
        yield f"The refund came back {tale.at(row)}: {words.money(row.amount)} is owed once more, and {nobody}."
    for row in tale.state("notice", order=order):
        if row.is_new:
            yield f"{name.capitalize()} was told {row.to_state} {tale.at(row)}."
    states = tale.state("order", order=order)
    undecided = [row for row in states if row.to_state in ("refund_pending", "void_pending")]
    refunds = tale.state("refund", order=order)
    if refunds and (not undecided or undecided[0].index > refunds[0].index):
        came = f"came {tale.at(undecided[0])}" if undecided else "never came"
        yield f"The money went back before anybody had written down that it should; that decision {came}."
    if states:
        yield f"The order's row stands at {words.plain(states[-1].to_state)} since {moment(states[-1].time)}."


def moved(tale: Tale, operation: str, said: str, order: str) -> Iterator[str]:
    """Each movement of one kind: under which key, who asked, what they heard; and why it was asked again."""
    rows = [row for row in tale.state(operation, order=order) if row.is_new]
    before: Row | None = None
    for row in rows[:3]:
        ask = tale.ask_of(row)
        whom = f" for {tale.who(ask)}" if ask is not None else ""
        amount = words.money(row.amount)
        key = short_key(row.key, order)
        if before is None:
            heard = f", {tale.who_heard(ask)}" if ask is not None else ""
            yield f"{amount} was {said} {tale.at(row)} under key {key}{whom}{heard}."
        else:
            yield from again(tale, before, row, said, whom, order)
        before = row


def again(tale: Tale, before: Row, row: Row, said: str, whom: str, order: str) -> Iterator[str]:
    """Once more: the same key, long forgotten, or another one."""
    old, new = short_key(before.key, order), short_key(row.key, order)
    which = f"under key {new}" if old != new else f"under key {new} again, which had been forgotten"
    yield (
        f"The provider had done so under key {old}, and was asked again {which}{whom}: "
        f"{words.money(row.amount)} was {said} once more {tale.at(row)}."
    )


def short_key(key: str, order: str) -> str:
    """A key without the order's id, which says nothing new.

    >>> short_key("o-1/charge/1/2", "o-1")
    'charge/1/2'
    """
    return key.removeprefix(f"{order}/") or key
