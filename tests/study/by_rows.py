"""The measures a second time, row by row, as somebody would who reads the history from its beginning: slow and obvious.

Drift and staleness are next door, in `books_by_rows.py`. What both implementations share is not measured here: frames,
quantiles, and the units that other channels took.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from orderquake.sim.history import Row
from orderquake.sim.study.grouping import Ints
from orderquake.sim.study.latency import ASKED, Asked
from orderquake.sim.study.measures import Window
from orderquake.sim.study.outcomes import ENDINGS

_SECOND = 1e6


def latencies(history: Sequence[Row]) -> dict[str, Asked]:
    begun: dict[str, dict[tuple[str, ...], int]] = {operation: {} for operation in ASKED}
    ended: dict[str, dict[tuple[str, ...], int]] = {operation: {} for operation in ASKED}
    names: dict[str, tuple[str, ...]] = {}
    arrived: dict[str, int] = {}
    heard: dict[str, int] = {}
    decided: dict[str, int] = {}
    order_of: dict[str, str] = {}
    for row in history:
        kind, operation = row.kind, row.operation
        if kind == "invoke":
            if operation in begun:
                key = row.key
                name = (row.order, key) if key else (row.op_id,)
                names[row.op_id] = name
                begun[operation].setdefault(name, row.time)
            elif operation == "submit" and row.actor == "customer":
                arrived.setdefault(_order(row, order_of), row.time)
        elif kind == "ok":
            if operation in begun:
                name = names.get(row.op_id) or ((row.order, row.key) if row.key else ())
                ended[operation].setdefault(name, row.time)
            elif operation == "submit" and row.actor == "customer":
                heard.setdefault(_order(row, order_of), row.time)
        elif operation == "notice" and kind == "state" and row.is_new:
            decided.setdefault(row.order, row.time)
    found = {step: _between(begun[operation], ended[operation]) for operation, step in ASKED.items()}
    # An answer may be the first to say which order a submission became.
    arrivals: dict[str, int] = {}
    answers: dict[str, int] = {}
    for source, named in ((arrived, arrivals), (heard, answers)):
        for submission, time in source.items():
            order = order_of.get(submission, submission)
            named[order] = min(time, named.get(order, time))
    found["checkout"] = _between(arrivals, answers)
    found["decision"] = _between(arrivals, decided)
    return found


def _order(row: Row, order_of: dict[str, str]) -> str:
    """What a submission is called: its key, which learns its order as soon as any row names both."""
    order, key = row.order, row.key
    if order and key:
        order_of[key] = order
    return str(key or order)


def _between(begun: Mapping[Any, int], ended: Mapping[Any, int]) -> Asked:
    took = [ended[name] - time for name, time in begun.items() if name in ended]
    return Asked(np.array(took, np.int64), len(begun) - len(took))


def outcomes(history: Sequence[Row]) -> dict[str, int]:
    """All but the units that other channels took, which the checkers measure."""
    submitted: set[str] = set()
    order_of: dict[str, str] = {}
    state: dict[str, str] = {}
    told: dict[str, str] = {}
    confirmed: set[str] = set()
    refunded_after: set[str] = set()
    dead: set[str] = set()
    posted: set[str] = set()
    for row in history:
        kind, operation, order = row.kind, row.operation, row.order
        if kind == "invoke" or kind == "ok":
            if operation == "submit" and row.actor == "customer":
                submitted.add(_order(row, order_of))
        elif kind != "state":
            continue
        elif operation == "order":
            state[order] = row.to_state
            if row.to_state == "refunded" and order in confirmed:
                refunded_after.add(order)
        elif operation == "ordered":
            state.setdefault(order, "registered")
        elif operation == "notice" and row.is_new:
            told[order] = row.to_state
            if row.to_state == "fulfilled":
                confirmed.add(order)
            elif row.to_state == "refunded" and order in confirmed:
                refunded_after.add(order)
        elif operation == "dead_letter":
            dead.add(order)
        elif operation == "post" and row.is_new and row.answer == "posted":
            posted.add(row.key or order)
    # The order's own row is the word on where it stands; a notice speaks where the history has no such row.
    stand = list({**told, **state}.values())
    counts = {ending: stand.count(ending) for ending in ENDINGS}
    return {
        "submitted": len({order_of.get(name, name) for name in submitted}),
        "accepted": len(stand),
        **counts,
        "pending": len(stand) - sum(counts.values()),
        "dead_letters": len(dead),
        "posted": len(posted),
        "confirmed_then_refunded": len(refunded_after),
    }


def faults(history: Sequence[Row]) -> list[Window]:
    open_windows: dict[tuple[str, str, str], int] = {}
    windows: list[Window] = []
    for row in history:
        if row.kind != "fault":
            continue
        name, time, answer = (row.operation, row.actor, row.key), row.time, row.answer
        where = open_windows.get(name)
        if where is None:
            if answer == "witnessed":  # it bites although its window is over: a late copy, say
                where = next((i for i in reversed(range(len(windows))) if windows[i][:3] == name), None)
            if where is None:
                open_windows[name] = where = len(windows)
                windows.append(Window(*name, time, None, 0, 0))
        window = windows[where]
        if answer == "recovered":
            windows[where] = window._replace(until_us=time, witnessed=max(window.witnessed, row.units))
            del open_windows[name]
        elif answer == "witnessed":
            windows[where] = window._replace(witnessed=window.witnessed + 1)
        else:
            windows[where] = window._replace(injected=window.injected + 1)
    return windows


def sold_out(history: Sequence[Row]) -> pd.DataFrame:
    left: dict[str, int] = {}
    opening: dict[str, int] = {}
    first: dict[str, int] = {}
    now, touched = 0, dict[str, None]()

    def look() -> None:
        """Between two rows of one atomic step nothing is for sale or not: look when the instant is over."""
        for sku in touched:
            if left[sku] <= 0:
                first.setdefault(sku, now)
        touched.clear()

    for row in history:
        if row.operation == "opening" and row.kind == "config":
            opening[row.sku] = left[row.sku] = row.units
        elif row.kind == "state" and row.is_new and "cache.available" in (row.debit, row.credit):
            if row.operation == "rebase" and row.answer != "applied":
                continue
            if row.time != now:
                look()
                now = row.time
            sku = row.sku
            left[sku] = left.get(sku, 0) + (row.units if row.debit == "cache.available" else -row.units)
            touched[sku] = None
    look()
    return pd.DataFrame(
        {
            "sku": list(first),
            "opening_units": [opening.get(sku, 0) for sku in first],
            "first_s": [time / _SECOND for time in first.values()],
            "is_out": [left[sku] <= 0 for sku in first],
        }
    )


def arrivals(history: Sequence[Row]) -> Ints:
    arrived: dict[str, int] = {}
    for row in history:
        if row.operation == "submit" and row.kind == "invoke":
            arrived.setdefault(row.key or row.order, row.time)
    return np.array(list(arrived.values()), np.int64)


def decisions(history: Sequence[Row]) -> Ints:
    decided: dict[str, int] = {}
    for row in history:
        if row.operation == "notice" and row.kind == "state":
            decided.setdefault(row.order, row.time)
    return np.array(list(decided.values()), np.int64)


def waited_longest(history: Sequence[Row]) -> str:
    arrived: dict[str, int] = {}
    longest, slowest = -1, ""
    for row in history:
        if row.operation == "submit" and row.kind == "invoke" and row.order:
            arrived.setdefault(row.order, row.time)
        elif row.operation == "notice" and row.kind == "state":
            waited = row.time - arrived.get(row.order, row.time)
            if waited > longest:
                longest, slowest = waited, row.order
    return slowest


def orders(history: Sequence[Row]) -> list[str]:
    """Every order that the history names, in the order of their first row."""
    return list(dict.fromkeys(row.order for row in history if row.order))


def rows_of(history: Sequence[Row], order: str) -> list[Row]:
    """Rows of the order, and of the faults that bit its asks or began and ended in its lifetime."""
    rows = list(history)
    own = [row.index for row in rows if row.order == order]
    if not own:
        return []
    asks = {rows[index].op_id for index in own} - {""}
    bites = [
        row.index
        for row in rows[own[0] : own[-1] + 1]
        if row.kind == "fault"
        and row.order != order
        and (row.op_id in asks or (not row.order and row.answer != "witnessed"))
    ]
    return [rows[index] for index in sorted(own + bites)]
