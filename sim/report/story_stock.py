"""What stands on the shelves, in the books and in the cache after each beat of a short story.

Counted from the history's own moves of units: nothing is judged, and no store is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from orderquake.sim.history import History
from orderquake.sim.report.story_beats import Beat
from orderquake.sim.report.story_steps import names_in


class Standing(NamedTuple):
    """One product at one moment, units.

    on_hand   the truth: what was there at the opening and came in, less what customers were told they get
    record    the record's own count
    cache     what the Stock Cache would still promise
    reserved  held and pinned
    sold      customers told "fulfilled"
    """

    on_hand: int = 0
    record: int = 0
    cache: int = 0
    reserved: int = 0
    sold: int = 0


class Moment(NamedTuple):
    """How things stand after a beat: product -> its counts, customer -> the state of the order."""

    stock: dict[str, Standing]
    orders: dict[str, str]
    money_pence: int


CACHE = ("cache.available", "record.available")


def standings(history: History, beats: Sequence[Beat]) -> list[Moment]:
    """How things stand before the first beat, and after each."""
    names = names_in(history)
    ends = [beat.row for beat in beats]
    stock: dict[str, Standing] = {}
    orders: dict[str, str] = {}
    lines: dict[str, list[tuple[str, int]]] = {}
    money = 0
    found: list[Moment] = []
    place = 0
    for row in history:
        while place <= len(ends) and row.index > (ends[place - 1] if place else _before_first(ends)):
            found.append(Moment(dict(stock), dict(orders), money))
            place += 1
        if row.operation == "opening":
            stock[row.sku] = Standing(row.units, row.units, row.units)
        if row.kind != "state":
            continue
        if row.operation == "ordered":
            lines.setdefault(row.order, []).append((row.sku, row.units))
        elif row.operation == "order" and row.to_state:
            orders[names.get(row.order, row.order)] = row.to_state
        elif row.operation == "notice" and row.is_new and row.to_state == "fulfilled":
            for sku, units in lines.get(row.order, ()):
                stock[sku] = stock[sku]._replace(on_hand=stock[sku].on_hand - units, sold=stock[sku].sold + units)
        if row.operation in ("capture", "refund", "refund_failed") and row.is_new:
            money += row.amount if row.debit == "provider" else -row.amount
        if row.sku in stock:
            stock[row.sku] = moved(stock[row.sku], row.operation, row.debit, row.credit, row.units)
    while len(found) <= len(ends):
        found.append(Moment(dict(stock), dict(orders), money))
    return found


def _before_first(ends: Sequence[int]) -> int:
    return -1 if not ends else max(-1, ends[0] - 1)


def moved(standing: Standing, operation: str, debit: str, credit: str, units: int) -> Standing:
    """After one move of units between accounts; the debit receives."""
    on_hand, record, cache, reserved, sold = standing
    cache += units * ((debit in CACHE) - (credit in CACHE))
    kept = [account.endswith((".held", ".pinned")) for account in (debit, credit)]
    reserved += units * (kept[0] - kept[1])
    record += units * ((debit == "record.on_hand") - (credit == "record.on_hand"))
    if operation in ("receipt", "return", "correction"):
        on_hand += units
    if operation == "foreign_sale":
        on_hand -= units
    return Standing(on_hand, record, cache, reserved, sold)


def table_of(history: History, beats: Sequence[Beat]) -> str:
    """The states after each beat, as a Markdown table."""
    moments = standings(history, beats)
    customers = list(moments[-1].orders)
    skus = list(moments[-1].stock)
    heads = ["", "time", "what happens", *customers]
    heads += [f"{sku}: on hand, record, cache, reserved, sold" for sku in skus] + ["money"]
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |"]
    for beat, after in zip(beats, moments[1:], strict=True):
        cells = [
            str(beat.number or ""), f"{beat.time_us / 1e6:.3f} s", beat.text.replace("|", "/"),
            *(after.orders.get(customer, "").replace("_", " ") for customer in customers),
            *(", ".join(map(str, after.stock[sku])) for sku in skus), f"{after.money_pence / 100:,.2f}",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
