"""Do both implementations of every measure say the same? Equal is to the bit, with the same names and types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from orderquake.sim.history import History, Row
from orderquake.sim.report import story
from orderquake.sim.study import books, drift, measures
from tests.study import books_by_rows, by_rows

Measure = Callable[..., Any]


def outcomes(history: History) -> dict[str, int]:
    """All but the units that other channels took: those are the checkers' own, who have a second opinion of theirs."""
    return {name: number for name, number in measures.outcomes(history).items() if name != "foreign_oversold_units"}


WHOLE: dict[str, tuple[Measure, Measure]] = {
    "latencies": (measures.latencies, by_rows.latencies),
    "outcomes": (outcomes, by_rows.outcomes),
    "faults": (measures.faults, by_rows.faults),
    "sold_out": (measures.sold_out, by_rows.sold_out),
    "arrivals": (measures.arrivals, by_rows.arrivals),
    "decisions": (measures.decisions, by_rows.decisions),
    "waited_longest": (measures.waited_longest, by_rows.waited_longest),
    "orders": (story.orders, by_rows.orders),
    "span": (measures.span, books_by_rows.span),
    "changes": (books.changes, books_by_rows.changes),
    "drift": (measures.drift, books_by_rows.drift),
    "drift_by_sku": (measures.drift_by_sku, books_by_rows.drift_by_sku),
}
ONE_ORDER: dict[str, tuple[Measure, Measure]] = {"story": (story.rows_of, by_rows.rows_of)}
ONE_PRODUCT: dict[str, tuple[Measure, Measure]] = {
    "refresh_times": (drift.refresh_times, books_by_rows.refresh_times),
    "staleness": (measures.staleness, books_by_rows.staleness),
}
IN_A_WINDOW: dict[str, tuple[Measure, Measure]] = {
    "drift_summary": (measures.drift_summary, books_by_rows.drift_summary),
    "staleness_summary": (measures.staleness_summary, books_by_rows.staleness_summary),
}


def disagreements(history: History, only: str = "") -> set[str]:
    """Measures whose two implementations, by columns and by rows, disagree about a history; all are asked, or one."""
    rows = list(history)
    return {
        name
        for (name, (by_columns, by_rows)), asked in _questions(rows)
        if only in ("", name) and not _are_same(_said(by_columns, history, asked), _said(by_rows, rows, asked))
    }


def _questions(rows: Sequence[Row]) -> Iterator[tuple[tuple[str, tuple[Measure, Measure]], tuple[Any, ...]]]:
    """Every measure, and what it is asked about: the history, some orders, some products, some windows of time."""
    yield from ((each, ()) for each in WHOLE.items())
    yield from ((each, (order,)) for each in ONE_ORDER.items() for order in _some(row.order for row in rows))
    skus = _some(row.sku for row in rows)
    yield from ((each, (sku,)) for each in ONE_PRODUCT.items() for sku in skus)
    since, until = books_by_rows.span(rows)
    third = (until - since) // 3
    windows = ((None, None), (since + third, None), (since + third, until - third), (until, since))
    yield from ((each, (sku, *window)) for each in IN_A_WINDOW.items() for sku in skus for window in windows)


def _some(names: Iterator[str], most: int = 3) -> list[str]:
    """No name, some of those that there are, and one that there is not."""
    known = sorted(set(names) - {""})
    return ["", *known[:: -(-len(known) // most) or 1], "nowhere"]


def _said(measure: Measure, history: Any, asked: tuple[Any, ...]) -> Any:
    named = dict(zip(("sku", "since_us", "until_us"), asked, strict=True)) if len(asked) == 3 else {}
    try:
        return measure(history, **named) if named else measure(history, *asked)
    except ValueError as error:
        return str(error)


def _are_same(ours: Any, theirs: Any) -> bool:
    if type(ours) is not type(theirs):
        return False
    if isinstance(theirs, pd.DataFrame):
        return list(ours.dtypes) == list(theirs.dtypes) and ours.equals(theirs)
    if isinstance(theirs, np.ndarray):
        return ours.dtype == theirs.dtype and np.array_equal(ours, theirs)
    if isinstance(theirs, dict):
        return list(ours) == list(theirs) and all(_are_same(ours[key], value) for key, value in theirs.items())
    if isinstance(theirs, list | tuple):
        return len(ours) == len(theirs) and all(map(_are_same, ours, theirs))
    return bool(ours == theirs)
