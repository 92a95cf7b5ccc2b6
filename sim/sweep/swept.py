"""A sweep that was made: every cell with its runs, as tables and as maps.

Numbers only: means with their intervals, shares with theirs. How they look is in `orderquake.sim.report.sweep`.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderquake.sim.study.intervals import Estimate, Interval, mean_interval, share_interval
from orderquake.sim.sweep.cell import MEASURES, OVERSELLS, Cell, Reading
from orderquake.sim.sweep.question import Question
from orderquake.sim.sweep.store import Store, parquet
from orderquake.sim.units import SECOND, parse_duration

if TYPE_CHECKING:
    import pandas as pd

CHANCES: Final[Mapping[str, str]] = {
    "oversells": "runs in which somebody was promised a unit that was not there",
    "invalid": "runs that broke a promise",
    "unknown": "runs in which something could not be judged",
}
"""What may happen to a run: its share of the runs comes with the interval of Clopper and Pearson."""

SUFFIX: Final[Mapping[str, str]] = {
    "seconds": "_s", "units": "_units", "orders": "_orders", "charges": "_charges", "pence": "_pence",
    "share": "_share", "an order": "_per_order", "asks": "_asks", "USD a thousand orders": "_usd_per_thousand",
}  # fmt: skip
"""Unit of a measure -> how a column's name ends."""


class Share(NamedTuple):
    """hits of runs, and where the chance lies at 95 %."""

    hits: int
    runs: int
    interval: Interval


@dataclass
class Swept:
    """readings   identity of a cell -> its runs; a cell that failed has none
    failed     identity of a cell -> why it could not be played
    others     finished cells in the folder that are of other code, or of an older question
    """

    question: Question
    store: Store
    readings: Mapping[str, Sequence[Reading]] = field(repr=False)
    failed: Mapping[str, str]
    others: int = 0

    @property
    def folder(self) -> Path:
        return self.store.folder

    @property
    def cells(self) -> list[Cell]:
        return self.question.cells

    def of(self, cell: Cell) -> Sequence[Reading]:
        """The runs of a cell, in the order of their seeds."""
        return self.readings.get(cell.identity, ())

    def mean(self, cell: Cell, measure: str) -> Estimate | None:
        """Over the runs that can claim the measure; None where none can."""
        claimed = [value for one in self.of(cell) if not math.isnan(value := one.measures[measure])]
        return mean_interval(claimed) if claimed else None

    def share(self, cell: Cell, chance: str) -> Share | None:
        """How often something happened, with its interval; None where the cell was not played."""
        runs = self.of(cell)
        if not runs:
            return None
        hits = sum(OVERSELLS in one.broken if chance == "oversells" else one.verdict == chance for one in runs)
        return Share(hits, len(runs), share_interval(hits, len(runs)))

    # -- as tables

    def frame(self) -> pd.DataFrame:
        """A row a cell: where it lies, how often a promise was broken, the mean of every measure and its half-width.

        Columns are named, and end in their unit; durations that are varied are in seconds.
        """
        frame: pd.DataFrame = self.cells_table.to_pandas()
        return frame

    def runs(self) -> pd.DataFrame:
        """A row a run."""
        frame: pd.DataFrame = self.runs_table.to_pandas()
        return frame

    @cached_property
    def cells_table(self) -> Any:
        import pyarrow as pa

        return pa.Table.from_pylist([self._cell_row(cell) for cell in self.cells], self._schema())

    def _schema(self) -> Any:
        import pyarrow as pa

        fields: list[Any] = [("cell", pa.int64()), ("design", pa.string())]
        fields += [(name, _type(column)) for name, column in self.columns.items()]
        fields += [("runs", pa.int64()), ("failed", pa.string())]
        for chance in CHANCES:
            fields += [(f"{chance}_runs", pa.int64())]
            fields += [(f"{chance}_{part}", pa.float64()) for part in ("share", "low", "high")]
        for measure, (unit, _) in MEASURES.items():
            name = column_of(measure, unit)
            fields += [(name, pa.float64()), (f"{name}_half_width", pa.float64()), (f"{name}_runs", pa.int64())]
        return pa.schema(fields)

    def _cell_row(self, cell: Cell) -> dict[str, Any]:
        row: dict[str, Any] = {"cell": cell.number, "design": cell.on, "runs": len(self.of(cell))}
        row |= {name: column[cell.number] for name, column in self.columns.items()}
        row["failed"] = self.failed.get(cell.identity)
        for chance in CHANCES:
            if (found := self.share(cell, chance)) is not None:
                row |= {
                    f"{chance}_runs": found.hits, f"{chance}_share": found.hits / found.runs,
                    f"{chance}_low": found.interval.low, f"{chance}_high": found.interval.high,
                }  # fmt: skip
        for measure, (unit, _) in MEASURES.items():
            one, name = self.mean(cell, measure), column_of(measure, unit)
            row[f"{name}_runs"] = one.replications if one else 0
            if one is not None:
                row[name] = one.mean
                row[f"{name}_half_width"] = one.half_width if math.isfinite(one.half_width) else None
        return row

    @cached_property
    def runs_table(self) -> Any:
        import pyarrow as pa

        fields: list[Any] = [("cell", pa.int64()), ("design", pa.string())]
        fields += [(name, _type(column)) for name, column in self.columns.items()]
        fields += [(name, pa.string()) for name in ("digest", "verdict", "broken", "notes")]
        fields[2:2] = [("seed", pa.int64())]
        fields += [(column_of(measure, unit), pa.float64()) for measure, (unit, _) in MEASURES.items()]
        rows = [
            {
                "cell": cell.number, "design": cell.on, "seed": one.seed, "digest": one.digest, "verdict": one.verdict,
                "broken": "; ".join(one.broken), "notes": "; ".join(one.notes),
                **{name: column[cell.number] for name, column in self.columns.items()},
                **{column_of(name, unit): _claimed(one.measures[name]) for name, (unit, _) in MEASURES.items()},
            }
            for cell in self.cells
            for one in self.of(cell)
        ]  # fmt: skip
        return pa.Table.from_pylist(rows, pa.schema(fields))

    @cached_property
    def columns(self) -> dict[str, list[Any]]:
        """What is varied, a column a path, a value a cell: seconds where all are durations, else numbers or words."""
        columns: dict[str, list[Any]] = {}
        for path in self.question.paths:
            values = [cell.settings[path] for cell in self.cells]
            seconds = [seconds_in(value) for value in values]
            if None not in seconds:
                columns[f"{path}_s"] = seconds
            elif all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
                columns[path] = values if all(isinstance(value, int) for value in values) else list(map(float, values))
            else:
                columns[path] = [value if isinstance(value, str) else repr(value) for value in values]
        return columns


def column_of(measure: str, unit: str) -> str:
    """
    >>> column_of("checkout_p99", "seconds"), column_of("messages", "an order")
    ('checkout_p99_s', 'messages_per_order')
    """
    return measure + SUFFIX[unit]


def seconds_in(value: Any) -> float | None:
    """The seconds of a duration; None for anything else.

    >>> seconds_in("2 min"), seconds_in("pay_first"), seconds_in(5)
    (120.0, None, None)
    """
    if not isinstance(value, str):
        return None
    try:
        return parse_duration(value) / SECOND
    except ValueError:
        return None


def _type(column: Sequence[Any]) -> Any:
    import pyarrow as pa

    if all(isinstance(value, str) for value in column):
        return pa.string()
    return pa.int64() if all(isinstance(value, int) for value in column) else pa.float64()


def _claimed(value: float) -> float | None:
    return None if math.isnan(value) else value


def write_tables(made: Swept) -> None:
    """`sweep.parquet`, `sweep.csv` and `runs.parquet`, byte for byte the same whoever played the cells."""
    from pyarrow import csv

    pages = io.BytesIO()
    csv.write_csv(made.cells_table, pages)
    made.store.put("runs.parquet", parquet(made.runs_table))
    made.store.put("sweep.csv", pages.getvalue())
    made.store.put("sweep.parquet", parquet(made.cells_table))
