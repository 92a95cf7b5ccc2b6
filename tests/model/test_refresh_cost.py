"""A refresh costs what has changed, however large the catalogue. Counted, not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from orderquake.model.record import Move, ReadChanges, SystemOfRecord
from orderquake.model.stock import AskStatus, Refresh, StockCache

CHANGES = 50
OURS = ("record.py", "stock.py", "commitments.py")


def steps_of(call: Callable[[], Any]) -> int:
    """Lines of the record and the Stock Cache that a call runs; what a collector or a tracer runs is left out."""
    count = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal count
        count += event == "line" and frame.f_code.co_filename.endswith(OURS)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def refresh_of(skus: int, changed: int = CHANGES) -> int:
    """Lines run by one refresh of a catalogue of so many products, of which a few have changed."""
    opening = {f"sku-{number}": 10 for number in range(skus)}
    record, stock = SystemOfRecord(opening), StockCache(opening)
    for number in range(changed):
        record.handle(Move("receipt", f"sku-{number * skus // changed}", 1), 0)

    def refresh() -> None:
        status = stock.handle(AskStatus(), 0)
        changes = record.handle(ReadChanges(status.cursor, status.cursor, 1_000), 0)
        assert len(changes.items) == changed
        stock.handle(Refresh(status.epoch, changes), 0)

    return steps_of(refresh)


@pytest.mark.parametrize("skus", [10_000, 100_000])
def test_a_refresh_of_a_large_catalogue_costs_what_one_of_a_small_does(skus: int) -> None:
    assert refresh_of(skus) == refresh_of(100)


def test_a_refresh_of_twice_the_changes_costs_twice() -> None:
    one, two, four = (refresh_of(10_000, changed) for changed in (50, 100, 200))
    assert four - two == 2 * (two - one)


def test_a_refresh_when_nothing_has_changed_costs_next_to_nothing() -> None:
    assert refresh_of(100_000, changed=0) < refresh_of(100, changed=5)
