"""How many customers come when: rates that change with the hour of the day or the week, or from moment to moment.

Steps of constant rate, and where they are read from; nobody is drawn here. `python -m orderquake.sim.rates OUT` counts
the shipped ones afresh from the shipped trace.
"""

from __future__ import annotations

import argparse
import csv
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from orderquake.sim.units import DAY, HOUR, SECOND, format_duration, refused

SHIPPED = Path(__file__).parent / "scenarios" / "data" / "online_retail_hours.csv"
"""Orders a second of a real online retailer, by the hour of the week, Monday's midnight first."""
BY_HOUR, BY_SECOND = ("hour", "rate_per_s"), ("from_s", "rate_per_s")


class Rates(NamedTuple):
    """A rate that changes in steps.

    steps        (from when, microseconds; how many a second), the first from 0, in the order of time
    repeats_us   after so long it begins again; None for a last step that lasts

    >>> Rates(((0, 2.0), (60 * SECOND, 0.5)), 90 * SECOND).at(100 * SECOND)
    2.0
    """

    steps: tuple[tuple[int, float], ...]
    repeats_us: int | None

    def at(self, moment_us: float) -> float:
        """How many a second at that moment."""
        if self.repeats_us is not None:
            moment_us %= self.repeats_us
        return self.steps[bisect_right(self.steps, moment_us, key=lambda step: step[0]) - 1][1]

    @property
    def most(self) -> float:
        return max(rate for _, rate in self.steps)


def read_rates(path: Path) -> Rates:
    """Rates of a csv file: columns `hour` (0 to 23, or 0 to 167 from Monday on) or `from_s`, and `rate_per_s`.

    raises   ValueError, which reads on after the file's name, where a line is not what it must be; OSError
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = tuple(next(rows, ()))
        if header not in (BY_HOUR, BY_SECOND):
            raise ValueError(f"has the columns {','.join(header) or '(none)'}; expected {_either(BY_HOUR, BY_SECOND)}")
        steps = tuple(_steps(rows, HOUR if header == BY_HOUR else SECOND, header))
    if not any(rate for _, rate in steps):
        raise ValueError("has no rate above zero; expected one at least")
    if header == BY_SECOND:
        return Rates(steps, None)
    if len(steps) not in (24, 168):
        raise ValueError(f"has {len(steps)} hours; expected the 24 of a day or the 168 of a week")
    return Rates(steps, len(steps) * HOUR)


def _steps(rows: Iterable[list[str]], unit_us: int, header: tuple[str, str]) -> Iterator[tuple[int, float]]:
    before = -1
    for number, cells in enumerate(rows, start=2):
        if len(cells) != 2:
            raise ValueError(f"has {len(cells)} fields in line {number}; expected {' and '.join(header)}")
        try:
            begins, rate = float(cells[0]), float(cells[1])
        except ValueError:
            raise ValueError(f'has "{",".join(cells)}" in line {number}; expected two numbers') from None
        if not (math.isfinite(begins) and math.isfinite(rate)) or rate < 0:
            raise ValueError(f'has "{",".join(cells)}" in line {number}; expected finite numbers, no rate below zero')
        at_us = round(begins * unit_us)
        if before < 0 and at_us != 0:
            raise ValueError(f"begins with {header[0]} {cells[0]} in line {number}; expected 0")
        if at_us <= before or (header == BY_HOUR and at_us != (number - 2) * HOUR):
            expected = "more than in the line above" if header == BY_SECOND else f"{number - 2}, every hour once"
            raise ValueError(f"has {header[0]} {cells[0]} in line {number}; expected {expected}")
        yield at_us, rate
        before = at_us


def table_of(folder: Path, shown: str) -> dict[str, Any]:
    """A file's rates as a scenario writes them: `steps`, and `repeats` where they do.

    raises   a refusal of the key `file`
    """
    try:
        steps, repeats_us = read_rates(folder / shown)
    except ValueError as error:
        raise refused(f'"{shown}", which {error}', key="file") from None
    except OSError as error:
        text = f'"{shown}", which cannot be read ({type(error).__name__}); expected a csv file beside the scenario'
        raise refused(text, key="file") from None
    table: dict[str, Any] = {"steps": [{"from": format_duration(at), "rate_per_s": rate} for at, rate in steps]}
    return table if repeats_us is None else {**table, "repeats": format_duration(repeats_us)}


def _either(*columns: tuple[str, str]) -> str:
    return " or ".join(",".join(names) for names in columns)


def count_trace(trace_path: Path | None = None) -> Iterator[tuple[int, float]]:
    """Sales a second for every hour of the week, Monday's midnight first, over the hours that the trace has seen.

    An hour was seen if it began before the last order: what the record does not reach counts for nothing, while days on
    which the shop was closed count as they are, zero.
    """
    from orderquake.sim.world.trace import load_trace

    trace = load_trace(trace_path)
    monday = trace.first_day - timedelta(days=trace.first_day.weekday())
    offset = (trace.first_day - monday).days * DAY
    sales = Counter((offset + order.at_us) // HOUR % 168 for order in trace.sales)
    seen = Counter(hour % 168 for hour in range(offset // HOUR, (offset + trace.sales[-1].at_us) // HOUR + 1))
    for hour in range(168):
        yield hour, sales[hour] / (seen[hour] * HOUR / SECOND) if seen[hour] else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m orderquake.sim.rates", description=count_trace.__doc__)
    parser.add_argument("out", type=Path, help=f"columns {','.join(BY_HOUR)}")
    lines = [f"{hour},{rate:.9f}" for hour, rate in count_trace()]
    parser.parse_args().out.write_text("\n".join([",".join(BY_HOUR), *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
