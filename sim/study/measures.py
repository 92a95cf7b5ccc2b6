"""What a run amounts to in numbers: the one place to look for a measure. Each is worked out in a file of its own.

Measures read the columns of a history and nothing else; no simulation engine and no model in this room.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from orderquake.sim.study.customers import arrivals, decisions, waited_longest
from orderquake.sim.study.drift import DriftSummary, drift, drift_by_sku, drift_summary, span
from orderquake.sim.study.faults import Window, faults
from orderquake.sim.study.grouping import Ints
from orderquake.sim.study.latency import STEPS, Asked, latencies, latency, quantile
from orderquake.sim.study.outcomes import outcomes
from orderquake.sim.study.sold_out import sold_out
from orderquake.sim.study.staleness import StalenessSummary, is_copied, staleness, staleness_summary

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "STEPS",
    "Asked",
    "DriftSummary",
    "Gauges",
    "Ints",
    "StalenessSummary",
    "Window",
    "arrivals",
    "as_record",
    "decisions",
    "drift",
    "drift_by_sku",
    "drift_summary",
    "faults",
    "gauge_frame",
    "is_copied",
    "latencies",
    "latency",
    "outcomes",
    "quantile",
    "sold_out",
    "span",
    "staleness",
    "staleness_summary",
    "waited_longest",
]

Gauges: TypeAlias = Mapping[str, tuple[Sequence[int], Sequence[float]]]
"""Gauge name (`queue.payment`, `utilisation.payment`, `backlog.unposted`) -> its sample times (µs) and values."""

_SECOND = 1e6


def gauge_frame(gauges: Gauges) -> pd.DataFrame:
    """Every gauge in one long table: gauge, time_s, value."""
    import pandas as pd

    names = [name for name in gauges for _ in gauges[name][0]]
    times = [time / _SECOND for name in gauges for time in gauges[name][0]]
    values = [float(value) for name in gauges for value in gauges[name][1]]
    return pd.DataFrame({"gauge": names, "time_s": times, "value": values})


def as_record(frame: pd.DataFrame) -> dict[str, dict[str, float | int | None]]:
    """An indexed frame as plain JSON: index -> column -> number, with None where a number is not claimed."""
    return {
        str(index): {
            str(column): None if isinstance(value, float) and math.isnan(value) else value
            for column, value in row.items()
        }
        for index, row in frame.astype(object).to_dict(orient="index").items()
    }
