"""How old the shop's picture of the stock is: now less the as-of time of the snapshot last applied.

A saw-tooth: it grows by a second a second and falls when a refresh is applied, to that snapshot's own age. Reads the
history and nothing else.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from orderquake.sim.history import NONE, History
from orderquake.sim.study.drift import span
from orderquake.sim.study.grouping import Ints

if TYPE_CHECKING:
    import pandas as pd

_SECOND = 1e6


def is_copied(history: History) -> bool:
    """Is there a picture to grow old? Not where the record keeps the reservations itself: it moves its base along with
    every version, and nobody has copied anything."""
    table = history.table()
    bases = table.at("state", "rebase")
    return not len(bases) or bool((table.watermark[bases] != NONE).any())


def _as_of(history: History, sku: str) -> tuple[Ints, Ints, int]:
    """When the as-of time moved, to what, and how many snapshots came too late to move it.

    A refresh writes one summary row (no SKU), which speaks for every product; where a history has none, and for one
    product, the rows of the products count, too.
    """
    start, _ = span(history)
    table = history.table()
    offers = table.take(table.at("state", "rebase"))
    speaks = offers.watermark != NONE
    is_whole = speaks & (offers.sku == 0)
    if sku:
        speaks &= is_whole | (offers.sku == table.code(sku))
    elif is_whole.any():
        speaks = is_whole
    time, mark = offers.time[speaks], offers.watermark[speaks]
    is_applied = offers.answer[speaks] == table.code("applied")
    newest = np.maximum.accumulate(np.append(start, np.where(is_applied, mark, start)))[:-1]
    moves = is_applied & (mark >= newest)
    late = int(np.count_nonzero(~moves))
    return np.append(start, time[moves]), np.append(start, mark[moves]), late


def staleness(history: History, sku: str = "") -> pd.DataFrame:
    """The saw-tooth of the whole cache, or of one product, from the opening to the end of the history.

    time_s     simulated time: start, every applied refresh, end
    before_s   staleness as the moment is reached
    after_s    staleness as it is left; between two rows it grows with the clock
    """
    import pandas as pd

    time, mark, _ = _as_of(history, sku)
    _, end = span(history)
    at = np.append(time, end)
    before = at - np.concatenate(([mark[0]], mark))
    after = at - np.append(mark, mark[-1])
    return pd.DataFrame({"time_s": at / _SECOND, "before_s": before / _SECOND, "after_s": after / _SECOND})


@dataclass(frozen=True, slots=True)
class StalenessSummary:
    """mean_s is the area under the saw-tooth over its length; refreshes were applied, ignored came too late."""

    mean_s: float
    largest_s: float
    refreshes: int
    ignored: int

    def as_record(self) -> dict[str, Any]:
        """Plain numbers for JSON."""
        return asdict(self)


def staleness_summary(
    history: History, *, sku: str = "", since_us: int | None = None, until_us: int | None = None
) -> StalenessSummary:
    """Staleness over [since, until), the whole history by default.

    raises   ValueError where the window is empty
    """
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
