"""A real shop's till roll: who bought what, in which minute, and what was sent back.

Nothing here draws a number, knows SimPy or decides what a customer does: times and lines stand as they were
recorded. `python -m orderquake.sim.world.trace RAW OUT` makes the shipped one; its licence lies beside it.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, TypeAlias

SHIPPED = Path(__file__).parents[1] / "scenarios" / "data" / "online_retail.csv.gz"
"""The four busiest weeks of a real online retailer, one line a product and order."""

COLUMNS = ("placed_at", "number", "kind", "sku", "units", "amount_pence")
RAW_COLUMNS = ("placed_at", "invoice", "kind", "sku", "units", "price_pence", "country")
KINDS = ("sale", "cancellation")
MINUTE_US = 60_000_000
DAY_US = 24 * 60 * MINUTE_US

Line: TypeAlias = tuple[str, int, int]
"""A product, its units (above zero) and what they cost together in pence.

An amount, not a unit price: an invoice may name a product at two prices, and only the amount adds up exactly.
"""


@dataclass(frozen=True, slots=True)
class TraceOrder:
    """One sale, or one cancellation, as the shop recorded it.

    at_us    microseconds since the midnight before the trace's first order, local time
    number   the invoice's number; unique over sales and cancellations together
    lines    one a product, in the order in which the invoice names them first
    """

    at_us: int
    number: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """Sales and cancellations in the order they happened, and every product they name, sorted.

    Units and amounts of a cancellation are positive too. It names no sale: what it undoes is not recorded.
    `first_day` is the day whose midnight is moment 0.
    """

    first_day: date
    sales: tuple[TraceOrder, ...]
    cancellations: tuple[TraceOrder, ...]
    skus: tuple[str, ...]

    @property
    def days(self) -> tuple[date, ...]:
        """The days on which somebody ordered, in order."""
        numbers = sorted({order.at_us // DAY_US for order in self.sales})
        return tuple(self.first_day + timedelta(days=number) for number in numbers)


@dataclass(frozen=True, slots=True)
class Invoice:
    """An order before its minute is shared out: `placed_at` knows minutes only."""

    placed_at: datetime
    number: int
    kind: str
    lines: tuple[Line, ...]


def load_trace(path: Path | None = None) -> Trace:
    """The shipped trace, or another file of the same columns (plain or gzipped).

    Recorded times are whole minutes; the orders of one minute keep their order and are spread evenly over it.

    raises   ValueError naming file and line where a row is not what it must be; OSError where no file is
    """
    path = path or SHIPPED
    invoices = list(_invoices(path, COLUMNS))
    if not invoices:
        raise ValueError(f"{path}:1 holds no orders; expected at least one row below the column names")
    midnight = invoices[0].placed_at.replace(hour=0, minute=0, second=0, microsecond=0)
    crowd = Counter(invoice.placed_at for invoice in invoices)
    already: Counter[datetime] = Counter()
    orders: dict[str, list[TraceOrder]] = {kind: [] for kind in KINDS}
    for invoice in invoices:
        at = invoice.placed_at
        minute_us = (at - midnight) // timedelta(microseconds=1)
        at_us = minute_us + already[at] * MINUTE_US // crowd[at]
        already[at] += 1
        orders[invoice.kind].append(TraceOrder(at_us, invoice.number, invoice.lines))
    skus = {sku for invoice in invoices for sku, _, _ in invoice.lines}
    return Trace(midnight.date(), tuple(orders["sale"]), tuple(orders["cancellation"]), tuple(sorted(skus)))


def demand(trace: Trace, sales: Iterable[TraceOrder] | None = None) -> dict[str, int]:
    """Units sold of every product of the trace, in some of its sales or in all; no cancellation counts."""
    units = dict.fromkeys(trace.skus, 0)
    for order in trace.sales if sales is None else sales:
        for sku, ordered, _ in order.lines:
            units[sku] += ordered
    return units


def merge_lines(lines: Iterable[Line]) -> tuple[Line, ...]:
    """One line a product, in the order of first mention; units and pence are conserved.

    >>> merge_lines([("22423", 2, 2190), ("84879", 8, 1352), ("22423", 1, 1275)])
    (('22423', 3, 3465), ('84879', 8, 1352))
    """
    merged: dict[str, tuple[int, int]] = {}
    for sku, units, amount_pence in lines:
        so_far, so_far_pence = merged.get(sku, (0, 0))
        merged[sku] = so_far + units, so_far_pence + amount_pence
    return tuple((sku, units, amount_pence) for sku, (units, amount_pence) in merged.items())


def derive(raw: Path, out: Path) -> None:
    """Write the shipped form of a raw extract: lines merged, countries left out, the same bytes every time.

    raises   ValueError naming file and line, before anything is written
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for invoice in _invoices(raw, RAW_COLUMNS):
        head = invoice.placed_at.isoformat(timespec="minutes"), invoice.number, invoice.kind
        writer.writerows((*head, *line) for line in invoice.lines)
    # A gzip header may hold a name and a time; neither belongs in a file that is compared by its bytes.
    out.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))


def _invoices(path: Path, columns: tuple[str, ...]) -> Iterator[Invoice]:
    """The invoices of a file in its order, whole: rows of one invoice must stand together."""
    seen: set[int] = set()
    placed_at, number, kind = datetime(1, 1, 1), -1, ""  # noqa: DTZ001 - the trace knows local times only
    lines: list[Line] = []
    for where, row in _rows(path, columns):
        when, which, what, line = _parsed(where, row)
        if which == number:
            if what != kind:
                raise ValueError(f'{where} kind is "{what}"; expected "{kind}" as in the order\'s rows above')
            lines.append(line)
            continue
        if which in seen:
            raise ValueError(f"{where} order {which} appears again; expected its rows to stand together")
        if when < placed_at:
            raise ValueError(
                f"{where} placed_at is {when.isoformat(timespec='minutes')}, before the order above "
                f"({placed_at.isoformat(timespec='minutes')}); expected orders sorted by time"
            )
        if lines:
            yield Invoice(placed_at, number, kind, merge_lines(lines))
        # An invoice may straddle two minutes; its first row says when it was placed.
        placed_at, number, kind, lines = when, which, what, [line]
        seen.add(which)
    if lines:
        yield Invoice(placed_at, number, kind, merge_lines(lines))


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row by column, and where it stands ("file:line")."""
    last = 0
    try:
        with _open(path) as file:
            reader = csv.reader(file, strict=True)
            if (header := tuple(next(reader, ()))) != columns:
                raise ValueError(f"{path}:1 columns are {','.join(header) or 'missing'}; expected {','.join(columns)}")
            last = reader.line_num
            for cells in reader:
                last = reader.line_num
                where = f"{path}:{last}"
                if len(cells) != len(columns):
                    raise ValueError(f"{where} has {len(cells)} fields; expected {len(columns)}: {','.join(columns)}")
                yield where, dict(zip(columns, cells, strict=True))
    except (csv.Error, UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path}:{last + 1} cannot be read on: {error}; is the file whole?") from error


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _parsed(where: str, row: dict[str, str]) -> tuple[datetime, int, str, Line]:
    """When, which order, what kind, and the line; in the raw extract a cancellation's units are negative."""
    try:
        placed_at = datetime.fromisoformat(row["placed_at"])
    except ValueError:
        raise ValueError(f'{where} placed_at is "{row["placed_at"]}"; expected a time like 2011-11-14T08:10') from None
    if placed_at.tzinfo or placed_at.second or placed_at.microsecond:
        raise ValueError(f'{where} placed_at is "{row["placed_at"]}"; expected a local time in whole minutes')
    kind = row["kind"]
    if kind not in KINDS:
        raise ValueError(f'{where} kind is "{kind}"; expected {" or ".join(KINDS)}')
    if not row["sku"]:
        raise ValueError(f"{where} sku is empty; expected a product")
    if "invoice" in row:
        number = _integer(where, "invoice", row["invoice"].removeprefix("C"), at_least=0)
        units_text = row["units"].removeprefix("-") if kind == "cancellation" else row["units"]
        units = _integer(where, "units", units_text, at_least=1)
        amount_pence = units * _integer(where, "price_pence", row["price_pence"], at_least=1)
    else:
        number = _integer(where, "number", row["number"], at_least=0)
        units = _integer(where, "units", row["units"], at_least=1)
        amount_pence = _integer(where, "amount_pence", row["amount_pence"], at_least=1)
    return placed_at, number, kind, (row["sku"], units, amount_pence)


def _integer(where: str, name: str, text: str, *, at_least: int) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < at_least:
        raise ValueError(f'{where} {name} is "{text}"; expected a whole number, at least {at_least}')
    return int(text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m orderquake.sim.world.trace", description=derive.__doc__)
    parser.add_argument("raw", type=Path, help=f"columns {','.join(RAW_COLUMNS)}; plain or gzipped")
    parser.add_argument("out", type=Path, help=f"columns {','.join(COLUMNS)}; gzipped")
    asked = parser.parse_args()
    try:
        derive(asked.raw, asked.out)
    except (ValueError, OSError) as error:
        parser.exit(3, f"{error}\n")


if __name__ == "__main__":
    main()
