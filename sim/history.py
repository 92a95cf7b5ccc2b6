"""The table in the middle: what was asked, what was answered, and what was done, in the order it happened.

Everything meets here: the worlds append rows, checkers judge them, measures count them, reports draw them. Nothing in
this file knows an order system, a clock or a checker.

A row is one of

    invoke   someone sent an ask                        (one an ask; `deadline` is when its patience ends)
    ok       the ask was answered, the answer is named  (one of ok, fail, info follows every invoke)
    fail     a definite refusal: it did not happen
    info     silence: we do not know
    state    a service changed something                (one row a line where lines are concerned)
    fault    the nemesis acted
    mark     a named rare moment was passed
    config   what a checker must know: opening stock, limits, the start of the quiet phase

`VOCABULARY` below names the operations of the `state` and `config` rows and the columns that each fills.
"""

from __future__ import annotations

import hashlib
import json
import marshal
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

import numpy as np

from orderquake.sim.table import Table as Table

if TYPE_CHECKING:
    import pandas as pd

NONE = -1
"""An absent number in `line`, `version`, `watermark`, `deadline` and `cause`; zero is a value, never an absence."""


class Row(NamedTuple):
    """One line of the history. Absent text is "", absent numbers are `NONE`, absent units and amounts are 0."""

    index: int  # type: ignore[assignment]  # the field's word; nobody asks a row where a value stands in it
    time: int
    """Simulated time, microseconds."""
    kind: str
    operation: str
    op_id: str
    """The ask this row belongs to: the task that sent it, and its ordinal there."""
    attempt: int
    key: str
    """Idempotency key, reservation token or submission id: whatever makes two asks the same ask."""
    actor: str
    """Who wrote the row: a worker, a job, a customer, a service."""
    place: str
    order: str
    line: int
    sku: str
    units: int
    amount: int
    """Money, integer minor units (pence)."""
    debit: str
    """Account that receives the units or the money; see VOCABULARY."""
    credit: str
    """Account that gives them."""
    answer: str
    is_new: bool
    """False where an idempotent service replayed an old answer and changed nothing."""
    from_state: str
    to_state: str
    version: int
    watermark: int
    """Simulated time up to which what the row says is complete (a snapshot's as-of time), microseconds."""
    deadline: int
    """When patience, a hold or a phase ends, microseconds."""
    cause: int
    """Index of the one row that led to this one."""
    witness: str
    """`outside`: an auditor of a real system would have it (customer answers, provider's and record's ledgers)."""


COLUMNS: tuple[tuple[str, str], ...] = tuple(
    (name, {int: "int64", bool: "bool", str: "str"}[kind]) for name, kind in get_type_hints(Row).items()
)
"""Column names and types, in the order of `Row`."""

VOCABULARY: dict[str, str] = {
    # customers, outside
    "submit": (
        "invoke/ok/info rows of actor `customer`: key = submission id; `time` of the first invoke is the "
        "intended arrival; ok.answer = registered"
    ),
    "cancel": "invoke/ok/info rows of actor `customer`; ok.answer = flagged | too_late",
    # Order Cache, inside
    "ordered": "one row a line, once, when the order is registered: line, sku, units, amount (of the line)",
    "order": (
        "the order's state changed: from_state -> to_state, version, amount = total, key = reservation token now held"
    ),
    "sync": "the order's sync state changed: from_state -> to_state",
    # Stock Cache, inside. Accounts: cache.available, cache.held, cache.pinned, cache.base
    "hold": (
        "a line was reserved: key = token, line, sku, units, deadline = when it lapses, version = base "
        "version at the grant; cache.held from cache.available"
    ),
    "extend": "a live reservation's deadline moved: key = token, deadline (one row a line)",
    "pin": "a live hold was consumed: key = token, deadline = the hold's deadline; cache.pinned from cache.held",
    "free": (
        "a line went back on sale: key = token, answer = released | lapsed; cache.available from cache.held "
        "or cache.pinned"
    ),
    "drop": (
        "a posted line's commitment moved to the record: key = token, version = L of its post; "
        "cache.available from cache.pinned (or cache.held)"
    ),
    "rebase": (
        "a snapshot was offered for a SKU: version = its V, watermark = its as-of time, answer = applied | "
        "ignored, units = new base - old base; cache.available from cache.base"
    ),
    "adopt": "a rebuild pinned a line again: key = token; cache.pinned from cache.available",
    "epoch": (
        "the Stock Cache began anew: version = epoch, answer = lost | open; all its units are void until rebased"
    ),
    # Payment provider, outside. Accounts: provider, customer, refunds_pending
    "capture": (
        "money was taken: key, amount, answer = capture id; provider from customer. A replay has is_new = "
        "False and no accounts"
    ),
    "authorisation": "the provider put money on hold: key, amount, answer = auth id; no money moves",
    "void": "a hold was let go: key = auth id, amount",
    "decline": "the provider declined: key, amount",
    "refund": (
        "money was given back: key, amount, answer = refund id; customer from provider. A replay has is_new = False"
    ),
    "refund_failed": (
        "a refund came back, days after it was accepted: key, amount, answer = refund id; provider from customer"
    ),
    # System of record, outside. Accounts: record.on_hand, record.shipped, supplier, returns, adjustment, channel
    "post": (
        "one row an order in a batch: key = order/final, to_state = fulfilled | refunded, amount = money "
        "booked, answer = posted | duplicate | rejected, is_new"
    ),
    "ship": (
        "one row a line of a new fulfilled post: key, line, sku, units, version = L; record.shipped from record.on_hand"
    ),
    "receipt": "goods came in: sku, units, version; record.on_hand from supplier",
    "return": "goods came back: sku, units, version; record.on_hand from returns",
    "correction": "stock-take: sku, units (may be negative), version; record.on_hand from adjustment",
    "foreign_sale": "another channel sold: sku, units, version; channel from record.on_hand",
    # Notice, outside
    "notice": "the customer was answered: to_state = fulfilled | declined | refunded | cancelled, is_new",
    # Work queue, inside
    "dead_letter": "a delivery was given up: order, units = deliveries",
    # marks
    "webhook": "mark: the provider tells the shop that something has become of an order's money",
    "admitted": "mark of a service with a throttle: actor = service, key = verb, a call was let pass",
    "cold_start": "mark of a worker whose turn begins cold",
    "paused": "mark of a worker that froze: key = the fault's label, deadline = when it wakes",
    "woke": "mark of a worker that goes on where it stood",
    "worker_killed_at_deadline": "mark of a worker whose turn took too long",
    # config
    "opening": "config, one row a SKU: sku, units on hand at the start (base version 0)",
    "limits": "config: answer = JSON object of what a checker must know of the scenario",
    "quiet": "config: the fault phase ends at `time`; deadline = the latest moment by which all must have converged",
    "end": "config, last row: the run ended at `time`; answer = complete | cut_short",
}

Digest = Callable[[bytes], Any]
_BLOCK = 4096


class History:
    """An append-only table of rows, with a rolling digest that names it.

    `append` takes the columns after `index` in the order of `Row`; it is called once or twice a hop, so it stays bare.

    >>> history = History()
    >>> history.state(5, "foreign_sale", actor="record", sku="mug", units=2, version=1, witness="outside")
    0
    >>> [row.sku for row in history], len(history.digest) == 32
    (['mug'], True)
    """

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []
        self._hash = hashlib.blake2b(digest_size=16)
        self._hashed = 0
        self._places: dict[tuple[str, str], list[int]] = {}
        self._placed = 0
        self._table: Table | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Row:
        if index < 0:
            index += len(self._rows)
        return Row(index, *self._rows[index])

    def __iter__(self) -> Iterator[Row]:
        make = Row._make
        for index, values in enumerate(self._rows):
            yield make((index, *values))

    def raw(self) -> Sequence[tuple[Any, ...]]:
        """The rows as bare tuples without their index, for loops that cannot afford more."""
        return self._rows

    def places(self) -> dict[tuple[str, str], list[int]]:
        """Kind and operation -> indices of such rows, in order; counted once for as long as no row is added."""
        if self._placed != len(self._rows):
            places: dict[tuple[str, str], list[int]] = {}
            for index, values in enumerate(self._rows):
                key = values[1], values[2]
                if key in places:
                    places[key].append(index)
                else:
                    places[key] = [index]
            self._places, self._placed = places, len(self._rows)
        return self._places

    def table(self) -> Table:
        """The rows by columns; made once for as long as no row is added."""
        if self._table is None or len(self._table) != len(self._rows):
            self._table = Table(self)
        return self._table

    def rows_at(self, indices: Iterable[int]) -> Iterator[Row]:
        """Some rows, in the order asked for."""
        make, rows = Row._make, self._rows
        for index in indices:
            yield make((index, *rows[index]))

    def rows_to_append(self) -> list[tuple[Any, ...]]:
        """The table itself, for a recorder that appends bare rows (every column of `Row` but `index`)."""
        return self._rows

    def append(self, values: tuple[Any, ...]) -> int:
        """Add a row (every column of `Row` but `index`) and return its index."""
        self._rows.append(values)
        return len(self._rows) - 1

    def state(self, time: int, operation: str, *, kind: str = "state", **columns: Any) -> int:
        """Add a row by naming its columns; what is not named is absent. For tests and rare rows."""
        unknown = columns.keys() - _DEFAULTS.keys()
        if unknown:
            raise TypeError(f"no such column: {', '.join(sorted(unknown))}; see COLUMNS")
        filled = {**_DEFAULTS, **columns, "time": time, "kind": kind, "operation": operation}
        return self.append(tuple(filled[name] for name in _NAMES))

    @property
    def digest(self) -> str:
        """Thirty-two hexadecimal digits that two histories share only if every row is the same."""
        rows = self._rows
        while self._hashed < len(rows):
            # Format 2 of marshal writes values only: no reference counts, no interning, so equal rows are equal bytes.
            # Rows are hashed in blocks on the same boundaries whenever the digest is read.
            end = min(self._hashed - self._hashed % _BLOCK + _BLOCK, len(rows))
            if end % _BLOCK and end == len(rows):
                tail = self._hash.copy()
                tail.update(marshal.dumps(rows[self._hashed : end], 2))
                return tail.hexdigest()
            self._hash.update(marshal.dumps(rows[self._hashed : end], 2))
            self._hashed = end
        return self._hash.hexdigest()

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """One column as a numpy array: int64, bool, or object for text.

        raises   KeyError where there is no such column
        """
        kinds = dict(COLUMNS)
        if name == "index":
            return np.arange(len(self._rows), dtype=np.int64)
        where = _NAMES.index(name) if name in kinds else None
        if where is None:
            raise KeyError(f"no column {name!r}; columns are {', '.join(kinds)}")
        dtype: Any = object if kinds[name] == "str" else kinds[name]
        return np.array([values[where] for values in self._rows], dtype=dtype)

    def frame(self) -> pd.DataFrame:
        """The whole table as a pandas frame, one column a field of `Row`, times in microseconds."""
        import pandas as pd

        return pd.DataFrame({name: self.column(name) for name, _ in COLUMNS})

    def write_parquet(self, path: Path) -> None:
        """Write the analysis form: one Parquet file, text columns dictionary-encoded."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        types: dict[str, Any] = {"int64": pa.int64(), "bool": pa.bool_(), "str": pa.string()}
        table = pa.table(
            {name: pa.array(self.column(name), type=types[dtype]) for name, dtype in COLUMNS},
        )
        pq.write_table(table, path, compression="zstd")

    def write_jsonl(self, path: Path) -> None:
        """Write the exchange form: one JSON object a row."""
        with path.open("w", encoding="utf-8") as lines:
            for row in self:
                lines.write(json.dumps(row._asdict(), separators=(",", ":")) + "\n")

    @classmethod
    def read_parquet(cls, path: Path) -> History:
        """Read what `write_parquet` wrote. raises   FileNotFoundError, pyarrow.ArrowInvalid"""
        import pyarrow.parquet as pq

        table = pq.read_table(path, columns=list(_NAMES))
        history = cls()
        history._rows = list(zip(*(table.column(name).to_pylist() for name in _NAMES), strict=True))
        return history


_NAMES: tuple[str, ...] = tuple(name for name, _ in COLUMNS if name != "index")
_DEFAULTS: dict[str, Any] = {
    name: {"int64": 0, "bool": False, "str": ""}[dtype] for name, dtype in COLUMNS if name != "index"
} | {
    "line": NONE,
    "version": NONE,
    "watermark": NONE,
    "deadline": NONE,
    "cause": NONE,
    "is_new": True,
    "witness": "inside",
}


def first_difference(left: History, right: History) -> int | None:
    """Index of the first row in which two histories differ, or None where they are equal to the byte."""
    for index, (ours, theirs) in enumerate(zip(left.raw(), right.raw(), strict=False)):
        if ours != theirs:
            return index
    return None if len(left) == len(right) else min(len(left), len(right))
