"""Orders of one run share its luck: an interval over runs counts the runs, however many orders there are in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from orderquake.sim.report import summary


@dataclass
class Run:
    """One replication, as far as a summary asks for its latency: fifty orders, who all had a good day or a bad one."""

    orders: np.ndarray[Any, Any]

    def latency(self) -> pd.DataFrame:
        columns = {"p50_s": np.median, "p99_s": np.max, "mean_s": np.mean}
        return pd.DataFrame({name: [float(of(self.orders))] for name, of in columns.items()}, index=["checkout"])


def runs(luck: np.random.Generator, many: int) -> list[Run]:
    days = luck.normal(10.0, 1.0, many)
    return [Run(day + luck.normal(0.0, 0.2, 50)) for day in days]


def spread(some: list[Run]) -> dict[str, Any]:
    values: list[float] = summary._latencies(some)["checkout"]["p50_s"]  # type: ignore[arg-type]
    return summary._spread(values)


def test_as_many_values_are_claimed_as_there_were_runs() -> None:
    assert spread(runs(np.random.default_rng(1), 20))["runs"] == 20


def test_the_interval_covers_the_median_of_days_as_often_as_it_says() -> None:
    """150 tries at 95 %: fewer than 128 would be five standard errors off (false alarm below 1e-6)."""
    luck = np.random.default_rng(3)
    covered = 0
    for _ in range(150):
        low, high = spread(runs(luck, 12))["interval"]
        covered += low <= 10.0 <= high
    assert covered >= 128
