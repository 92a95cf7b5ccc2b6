"""How far two books tell different stories: units the shop's stock owner and the system of record disagree on.

    drift(sku) = the owner's on-hand - (the record's on-hand - sold but not yet posted)

The owner's on-hand is its base less the pinned lines it still carries; a line is sold but not posted from its pin until
it is shipped or put back. Live holds are no drift, so an order on its way through a healthy system makes none at all:
what drifts is what one side knows and the other does not yet. The books themselves are kept in `books.py`; here stand
the sums, the averages and the frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from orderquake.sim.history import History
from orderquake.sim.study.books import Changes, changes, previous
from orderquake.sim.study.grouping import Ints, begins, ends, highest_over

if TYPE_CHECKING:
    import pandas as pd

_SECOND = 1e6


def span(history: History) -> tuple[int, int]:
    """First and last moment of a history, microseconds; (0, 0) where nothing happened."""
    if not len(history):
        return 0, 0
    first, last = (row.time for row in history.rows_at([0, len(history) - 1]))
    return first, max(first, last)


def drift(history: History) -> pd.DataFrame:
    """Drift over time, as a step function: each row holds until the next, the last row is the end of the history.

    time_s              simulated time
    drift_units         sum over products of the absolute drift
    largest_sku_units   the largest absolute drift of one product
    """
    import pandas as pd

    time, total, largest = _totals(history)
    return pd.DataFrame({"time_s": time / _SECOND, "drift_units": total, "largest_sku_units": largest})


def _totals(history: History) -> tuple[Ints, Ints, Ints]:
    start, end = span(history)
    found = changes(history)
    by_sku = np.lexsort((found.time, found.sku))
    step = np.empty(found.time.size, np.int64)
    step[by_sku] = np.abs(found.drift[by_sku]) - np.abs(previous(found.sku[by_sku], found.drift[by_sku]))
    total = np.cumsum(step)
    largest = _largest(found, by_sku)
    is_last = ends(found.time)
    time, total, largest = found.time[is_last], total[is_last], largest[is_last]
    if not time.size or time[0] > start:
        time, total, largest = (
            np.concatenate(([first], rest)) for first, rest in ((start, time), (0, total), (0, largest))
        )
    if time[-1] < end:
        time, total, largest = np.append(time, end), np.append(total, total[-1]), np.append(largest, largest[-1])
    return time, total, largest


def _largest(found: Changes, by_sku: Ints) -> Ints:
    """The largest absolute drift of any product after each change; `by_sku` sorts the changes by product and time."""
    sku = found.sku[by_sku]
    until = np.append(by_sku[1:], found.sku.size)[: found.sku.size]
    until[ends(sku)] = found.sku.size
    return highest_over(by_sku, until, np.abs(found.drift[by_sku]), found.sku.size)


def drift_by_sku(history: History) -> pd.DataFrame:
    """Signed drift of each product at each change: sku, time_s, drift_units. Positive: the owner believes in units
    that are not there. A product that never drifts has no row; every product begins at 0."""
    import pandas as pd

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


@dataclass(frozen=True, slots=True)
class DriftSummary:
    """What a step function of drift amounts to over a window of time; each value counts for as long as it lasted.

    zero_share       share of the time without any drift
    largest_units    the largest value, however short
    before_refresh   the value just before each refresh that was applied
    share_of_time    value -> share of the time, ascending: tails are sums over it
    """

    mean_units: float
    variance: float
    zero_share: float
    largest_units: int
    before_refresh: tuple[int, ...]
    share_of_time: dict[int, float]

    def as_record(self) -> dict[str, Any]:
        """Plain numbers for JSON."""
        refreshes = self.before_refresh
        return {
            "mean_units": self.mean_units,
            "variance": self.variance,
            "zero_share": self.zero_share,
            "largest_units": self.largest_units,
            "before_refresh_mean_units": sum(refreshes) / len(refreshes) if refreshes else None,
            "refreshes": len(refreshes),
        }


def drift_summary(
    history: History, *, sku: str = "", since_us: int | None = None, until_us: int | None = None
) -> DriftSummary:
    """Time averages of the whole shop's drift, or with `sku` of one product's absolute drift, over [since, until).

    raises   ValueError where the window is empty
    """
    start, end = span(history)
    since, until = start if since_us is None else since_us, end if until_us is None else until_us
    if since >= until:
        raise ValueError(f"the window from {since} to {until} µs is empty; the history runs from {start} to {end} µs")
    time, value = _one_product(history, sku) if sku else _totals(history)[:2]
    edges = np.clip(np.append(time, max(until, end)), since, until)
    lasted = np.diff(edges)
    shares = {units: lasted_us / (until - since) for units, lasted_us in _by_value(value, lasted).items()}
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


def _by_value(value: Ints, lasted: Ints) -> dict[int, int]:
    """Value -> for how long in all, ascending; values that never lasted are none."""
    order = np.argsort(value, kind="stable")
    first = np.flatnonzero(begins(value[order]))
    most, total = (reckon.reduceat(lasted[order], first) for reckon in (np.maximum, np.add))
    seen = most > 0
    return dict(zip(value[order][first][seen].tolist(), total[seen].tolist(), strict=True))


def _one_product(history: History, sku: str) -> tuple[Ints, Ints]:
    found = changes(history)
    mine = found.sku == (found.names.index(sku) if sku in found.names else -1)
    start, _ = span(history)
    time, value = found.time[mine], np.abs(found.drift[mine])
    if time.size and time[0] == start:
        return time, value
    return np.concatenate(([start], time)), np.concatenate(([0], value))


def refresh_times(history: History, sku: str = "") -> Ints:
    """Moments at which a refresh was applied, microseconds, ascending: the summary rows (no SKU), where there are any,
    else the rows of the products themselves (of `sku` where one is named)."""
    table = history.table()
    offers = table.take(table.at("state", "rebase"))
    is_applied = offers.answer == table.code("applied")
    speaks = is_applied & (offers.sku == 0)
    if not speaks.any():
        speaks = is_applied & (offers.sku == table.code(sku)) if sku else is_applied
    return np.unique(offers.time[speaks])
