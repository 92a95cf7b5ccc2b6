"""Drift and staleness a second time, row by row: books that hear one row after the other, and keep dictionaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from orderquake.sim.history import NONE, Row
from orderquake.sim.study.books import Changes
from orderquake.sim.study.grouping import Ints
from orderquake.sim.study.measures import DriftSummary, StalenessSummary

_SECOND = 1e6
_AT_THE_OWNER = {"opening", "rebase", "pin", "adopt", "free", "drop", "epoch"}
_AT_THE_RECORD = {"ship", "foreign_sale", "receipt", "return", "correction"}
_MOVES = frozenset(_AT_THE_OWNER | _AT_THE_RECORD | {"order"})
_WITHOUT_GOODS = frozenset({"refund_pending", "refunded", "void_pending", "cancelled", "declined"})


@dataclass(slots=True)
class Books:
    """The owner's and the record's word on every product, moved one row at a time.

    owner      sku -> base less pinned lines; a product whose owner has lost its memory is absent until rebased
    shop       sku -> the record's on-hand less what is sold but not posted
    is_open    False while the owner rebuilds: it sells nothing, and nothing is compared
    """

    owner: dict[str, int] = field(default_factory=dict)
    shop: dict[str, int] = field(default_factory=dict)
    is_open: bool = True
    _pins: dict[tuple[str, str], int] = field(default_factory=dict)
    _unposted: dict[tuple[str, str], int] = field(default_factory=dict)
    _shipped: set[tuple[str, str]] = field(default_factory=set)
    _orphans: dict[str, set[str]] = field(default_factory=dict)

    def gap(self, sku: str) -> int:
        """Drift of one product, 0 where the owner has no word to compare."""
        return self.owner[sku] - self.shop.get(sku, 0) if self.is_open and sku in self.owner else 0

    def hear(self, row: Row) -> tuple[str, ...]:
        """Move the books by one row; the products whose drift may have changed."""
        what, sku, units = row.operation, row.sku, row.units
        line = row.order, sku
        if what == "order":
            return self._ended_without_goods(row.order) if row.to_state in _WITHOUT_GOODS else ()
        if what == "epoch":
            return self._epoch(row.answer, sku)
        if not sku or not row.is_new:
            return ()
        if what == "opening":
            self.owner[sku] = self.shop[sku] = units
        elif what == "rebase":
            if row.answer == "applied":
                self.owner[sku] = self.owner.get(sku, 0) + units
        elif what == "pin" or what == "adopt":
            self._pin(line, units)
        elif what == "free" or what == "drop":
            if row.credit == "cache.pinned":
                self._unpin(line, units, is_back_on_sale=what == "free")
        elif what == "ship":
            self._shipped.add(line)
            self._move(sku, self._unposted.pop(line, 0) - units)
        elif what == "foreign_sale":
            self._move(sku, -units)
        else:
            self._move(sku, units)
        return (sku,)

    def _move(self, sku: str, units: int) -> None:
        self.shop[sku] = self.shop.get(sku, 0) + units

    def _pin(self, line: tuple[str, str], units: int) -> None:
        order, sku = line
        self.owner[sku] = self.owner.get(sku, 0) - units
        self._pins[line] = self._pins.get(line, 0) + 1
        if order in self._orphans:
            self._orphans[order].discard(sku)
        if line not in self._unposted and line not in self._shipped:
            self._unposted[line] = units
            self._move(sku, -units)

    def _unpin(self, line: tuple[str, str], units: int, *, is_back_on_sale: bool) -> None:
        _, sku = line
        self.owner[sku] = self.owner.get(sku, 0) + units
        left = self._pins.pop(line, 1) - 1
        if left > 0:
            self._pins[line] = left
        elif is_back_on_sale:
            self._move(sku, self._unposted.pop(line, 0))

    def _epoch(self, answer: str, sku: str) -> tuple[str, ...]:
        touched = (sku,) if sku else tuple(self.shop)
        if answer == "lost":
            self.is_open = False
            for product in touched:
                self.owner.pop(product, None)
            for order, product in [line for line in self._pins if line[1] in touched]:
                del self._pins[order, product]
                if (order, product) in self._unposted:
                    self._orphans.setdefault(order, set()).add(product)
        else:
            self.is_open = True
        return tuple(self.shop)

    def _ended_without_goods(self, order: str) -> tuple[str, ...]:
        """An order whose pin was lost with the owner's memory can no longer be freed by it: its end is its release."""
        if order not in self._orphans:
            return ()
        touched = tuple(sorted(self._orphans.pop(order)))
        for sku in touched:
            self._move(sku, self._unposted.pop((order, sku), 0))
        return touched


def span(history: Sequence[Row]) -> tuple[int, int]:
    times = [row.time for row in history]
    return (times[0], max(times[-1], times[0])) if times else (0, 0)


def changes(history: Sequence[Row]) -> Changes:
    """The drift of every product as a step function."""
    books, moves = Books(), _MOVES
    names: dict[str, int] = {}
    last: dict[str, int] = {}
    times: list[int] = []
    skus: list[int] = []
    drifts: list[int] = []
    for row in history:
        if row.operation in moves and (row.kind == "state" or row.kind == "config"):
            for sku in books.hear(row):
                if (gap := books.gap(sku)) != last.get(sku, 0):
                    last[sku] = gap
                    times.append(row.time)
                    skus.append(names.setdefault(sku, len(names)))
                    drifts.append(gap)
    return _one_an_instant(
        np.array(times, np.int64), np.array(skus, np.int64), np.array(drifts, np.int64), tuple(names)
    )


def _one_an_instant(time: Ints, sku: Ints, drift: Ints, names: tuple[str, ...]) -> Changes:
    """What a product drifts between two rows of one atomic step is nobody's drift: keep what the instant ends with."""
    by_sku = np.lexsort((time, sku))  # stable, so rows of one instant stay in the order they were written
    time, sku, drift = time[by_sku], sku[by_sku], drift[by_sku]
    if time.size:
        is_last = np.append((np.diff(time) != 0) | (np.diff(sku) != 0), True)
        time, sku, drift = time[is_last], sku[is_last], drift[is_last]
        before = _previous(sku, drift)
        time, sku, drift = time[drift != before], sku[drift != before], drift[drift != before]
    by_time = np.argsort(time, kind="stable")
    return Changes(time[by_time], sku[by_time], drift[by_time], names)


def _previous(sku: Ints, drift: Ints) -> Ints:
    """The value that each change replaced, given changes sorted by product and then time; every product begins at 0."""
    before = np.concatenate((np.zeros(1, np.int64), drift[:-1]))
    before[np.append(True, np.diff(sku) != 0)] = 0
    return before


def totals(history: Sequence[Row]) -> tuple[Ints, Ints, Ints]:
    start, end = span(history)
    found = changes(history)
    by_sku = np.lexsort((found.time, found.sku))
    step = np.zeros(found.time.size, np.int64)
    if found.time.size:
        step[by_sku] = np.abs(found.drift[by_sku]) - np.abs(_previous(found.sku[by_sku], found.drift[by_sku]))
    total = np.cumsum(step)
    largest = np.fromiter(_running_largest(found), np.int64, found.time.size)
    is_last = np.append(np.diff(found.time) != 0, True)[: found.time.size]
    time, total, largest = found.time[is_last], total[is_last], largest[is_last]
    if not time.size or time[0] > start:
        time, total, largest = (
            np.concatenate(([first], rest)) for first, rest in ((start, time), (0, total), (0, largest))
        )
    if time[-1] < end:
        time, total, largest = np.append(time, end), np.append(total, total[-1]), np.append(largest, largest[-1])
    return time, total, largest


def _running_largest(found: Changes) -> Iterator[int]:
    """The largest absolute drift of any product after each change."""
    now: dict[int, int] = {}
    products: dict[int, int] = {}  # absolute drift -> how many products have it
    largest = 0
    for sku, value in zip(found.sku.tolist(), np.abs(found.drift).tolist(), strict=True):
        products[now.get(sku, 0)] = products.get(now.get(sku, 0), 0) - 1
        now[sku] = value
        products[value] = products.get(value, 0) + 1
        largest = max(largest, value)
        while largest and products.get(largest, 0) <= 0:
            largest -= 1
        yield largest


def drift(history: Sequence[Row]) -> pd.DataFrame:
    time, total, largest = totals(history)
    return pd.DataFrame({"time_s": time / _SECOND, "drift_units": total, "largest_sku_units": largest})


def drift_by_sku(history: Sequence[Row]) -> pd.DataFrame:
    found = changes(history)
    by_sku = np.lexsort((found.time, found.sku))
    names = np.array(found.names, dtype=object)
    return pd.DataFrame(
        {
            "sku": names[found.sku[by_sku]] if names.size else names,
            "time_s": found.time[by_sku] / _SECOND,
            "drift_units": found.drift[by_sku],
        }
    )


def drift_summary(
    history: Sequence[Row], *, sku: str = "", since_us: int | None = None, until_us: int | None = None
) -> DriftSummary:
    start, end = span(history)
    since, until = start if since_us is None else since_us, end if until_us is None else until_us
    if since >= until:
        raise ValueError(f"the window from {since} to {until} µs is empty; the history runs from {start} to {end} µs")
    time, value = _one_product(history, sku) if sku else totals(history)[:2]
    edges = np.clip(np.append(time, max(until, end)), since, until)
    lasted = np.diff(edges)
    shares = {
        int(units): float(lasted[value == units].sum() / (until - since)) for units in np.unique(value[lasted > 0])
    }
    mean = sum(units * share for units, share in shares.items())
    refreshes = refresh_times(history, sku)
    refreshes = refreshes[(refreshes >= since) & (refreshes < until)]
    before = value[np.maximum(np.searchsorted(time, refreshes, side="left") - 1, 0)]
    return DriftSummary(
        mean_units=mean,
        variance=sum((units - mean) ** 2 * share for units, share in shares.items()),
        zero_share=shares.get(0, 0.0),
        largest_units=max(shares, default=0),
        before_refresh=tuple(before.tolist()),
        share_of_time=shares,
    )


def _one_product(history: Sequence[Row], sku: str) -> tuple[Ints, Ints]:
    found = changes(history)
    mine = found.sku == (found.names.index(sku) if sku in found.names else -1)
    start, _ = span(history)
    time, value = found.time[mine], np.abs(found.drift[mine])
    if time.size and time[0] == start:
        return time, value
    return np.concatenate(([start], time)), np.concatenate(([0], value))


def refresh_times(history: Sequence[Row], sku: str = "") -> Ints:
    applied = [
        (row.time, row.sku)
        for row in history
        if row.operation == "rebase" and row.kind == "state" and row.answer == "applied"
    ]
    whole = sorted({time for time, product in applied if not product})
    return np.array(whole or sorted({time for time, product in applied if not sku or product == sku}), np.int64)


def _as_of(history: Sequence[Row], sku: str) -> tuple[Ints, Ints, int]:
    start, _ = span(history)
    offers = [
        (row.time, row.watermark, row.sku, row.answer)
        for row in history
        if row.operation == "rebase" and row.kind == "state" and row.watermark != NONE
    ]
    if not sku and any(not product for _, _, product, _ in offers):
        offers = [offer for offer in offers if not offer[2]]
    times, marks, late = [start], [start], 0
    for time, watermark, product, answer in offers:
        if sku and product and product != sku:
            continue
        if answer != "applied" or watermark < marks[-1]:
            late += 1
            continue
        times.append(time)
        marks.append(watermark)
    return np.array(times, np.int64), np.array(marks, np.int64), late


def staleness(history: Sequence[Row], sku: str = "") -> pd.DataFrame:
    time, mark, _ = _as_of(history, sku)
    _, end = span(history)
    at = np.append(time, end)
    before = at - np.concatenate(([mark[0]], mark))
    after = at - np.append(mark, mark[-1])
    return pd.DataFrame({"time_s": at / _SECOND, "before_s": before / _SECOND, "after_s": after / _SECOND})


def staleness_summary(
    history: Sequence[Row], *, sku: str = "", since_us: int | None = None, until_us: int | None = None
) -> StalenessSummary:
    start, end = span(history)
    since, until = start if since_us is None else since_us, end if until_us is None else until_us
    if since >= until:
        raise ValueError(f"the window from {since} to {until} µs is empty; the history runs from {start} to {end} µs")
    time, mark, ignored = _as_of(history, sku)
    edges = np.clip(np.append(time, until), since, until)
    low, high = edges[:-1], edges[1:]
    area = ((low + high) / 2 - mark) * (high - low)
    inside = high > low
    return StalenessSummary(
        mean_s=float(area.sum() / (until - since) / _SECOND),
        largest_s=float((high - mark)[inside].max() / _SECOND),
        refreshes=int(((time[1:] >= since) & (time[1:] < until)).sum()),
        ignored=ignored,
    )
