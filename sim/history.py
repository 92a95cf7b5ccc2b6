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

`VOCABULARY` (in vocabulary.py) names the operations of the `state` and `config` rows and the columns that each fills.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

import numpy as np

from orderquake.sim.packed import BLOCK, Packed, Written, op_id_parts
from orderquake.sim.table import Table as Table
from orderquake.sim.vocabulary import VOCABULARY as VOCABULARY

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


class History:
    """An append-only table of rows, with a digest that names it.

    Rows are packed into arrays a block at a time; see packed.py. `append` takes the columns after `index` in the order
    of `Row`; the worlds, which cannot afford that, write through a `Recorder`.

    >>> history = History()
    >>> history.state(5, "foreign_sale", actor="record", sku="mug", units=2, version=1, witness="outside")
    0
    >>> [row.sku for row in history], len(history.digest) == 32
    (['mug'], True)
    """

    def __init__(self) -> None:
        self.written = Written()
        self._packed = Packed()
        self._table: Table | None = None
        self._raw: list[tuple[Any, ...]] = []
        self._asked: dict[int, tuple[Any, ...]] = {}  # asks that `append` has seen: row -> what their answers repeat

    def __len__(self) -> int:
        return self.written.rows

    def __getitem__(self, index: int) -> Row:
        rows = len(self)
        if not -rows <= index < rows:
            raise IndexError(f"no row {index}; the history has {rows}")
        return next(self.rows_at([index % rows]))

    def __iter__(self) -> Iterator[Row]:
        return self.rows_at(range(len(self)))

    def rows_at(self, indices: Sequence[int] | np.ndarray[Any, Any]) -> Iterator[Row]:
        """Some rows, in the order asked for."""
        make, table = Row._make, self.table()
        for start in range(0, len(indices), _CHUNK):
            wanted = np.asarray(indices[start : start + _CHUNK], dtype=np.int64)
            some = table if len(wanted) == len(table) else table.take(wanted)
            yield from map(make, zip(wanted.tolist(), *map(some.values, _NAMES), strict=True))

    def raw(self) -> Sequence[tuple[Any, ...]]:
        """The rows as bare tuples without their index. Unpacks everything: for tests and small histories."""
        if len(self._raw) != len(self):
            self._raw = [row[1:] for row in self]
        return self._raw

    def places(self) -> dict[tuple[str, str], list[int]]:
        table = self.table()
        return {(table.text(k), table.text(o)): at.tolist() for (k, o), at in table._found().items()}

    def table(self) -> Table:
        """The rows by columns; made once for as long as no row is added."""
        if self._table is None or len(self._table) != len(self):
            self.pack()
            packed, rows = self._packed, len(self)
            if packed.rows < rows:
                # The last block is not whole yet, so what it says first may still change places.
                packed = packed.copy()
                packed.add(self.written.until(rows), self.written, rows - packed.rows)
            self._table = Table(packed)
        return self._table

    def pack(self, spare: int = 0) -> None:
        """Pack the blocks that are whole, but for the last `spare`; a long run that never did would take ten times the
        memory. One that packs as it goes spares two: lists that are never cut to less than half give no memory back,
        and need not ask for it again, page by page, which costs as much as to write the rows."""
        written, packed = self.written, self._packed
        while written.rows - packed.rows >= BLOCK * (1 + spare):
            cuts = written.until(packed.rows + BLOCK)
            packed.add(cuts, written, BLOCK)
            written.forget(cuts)

    def append(self, values: tuple[Any, ...]) -> int:
        """Add a row (every column of `Row` but `index`) and return its index."""
        written = self.written
        index = written.rows
        written.rows = index + 1
        (time, kind, operation, op_id, attempt, key, actor, place, order, line, sku, units, amount, debit, credit,
         answer, is_new, from_state, to_state, version, watermark, deadline, cause, witness) = values  # fmt: skip
        if kind == "invoke" and values[9:21] == _PLAIN:
            task, ordinal = op_id_parts(op_id)
            route = written.routes[operation, actor, place, witness]
            written.asks.extend((index, time, route, (order, key), task, ordinal, attempt, deadline, cause))
            self._asked[index] = (op_id, attempt, operation, key, actor, place, order, witness)
            return index
        asked = self._asked.get(cause, _NEVER)
        if (
            kind in ("ok", "fail", "info")
            and asked == (op_id, attempt, operation, key, actor, place, order, witness)
            and (*values[9:15], *values[16:22]) == _PLAIN_ANSWER
        ):
            written.answers.extend((index, time, written.said[kind, answer], cause))
        elif kind == "state" and asked[:2] == (op_id, attempt) and witness in ("outside", "inside"):
            change = (operation, key, order, line, sku, units, amount, debit, credit, answer, is_new, from_state,
                      to_state, version, watermark, deadline, witness == "outside")  # fmt: skip
            written.changes.extend((index, time, written.services[actor, place], cause, change))
        else:
            written.others.append(index)
            written.others.extend(values)
        return index

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
        return self.table().digest()

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """One column as a numpy array: int64, bool, or object for text.

        raises   KeyError where there is no such column
        """
        kinds = dict(COLUMNS)
        if name not in kinds:
            raise KeyError(f"no column {name!r}; columns are {', '.join(kinds)}")
        if name == "index":
            return np.arange(len(self), dtype=np.int64)
        values = self.table().values(name)
        dtype: Any = object if kinds[name] == "str" else kinds[name]
        return np.array(values, dtype=dtype)

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

        history = cls()
        for batch in pq.ParquetFile(path).iter_batches(BLOCK, columns=list(_NAMES)):
            columns = {name: batch.column(name).to_pylist() for name in _NAMES}
            for values in zip(*columns.values(), strict=True):
                history.append(values)
            history.pack()
        return history


_CHUNK = 1 << 16
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
_PLAIN = tuple(_DEFAULTS[name] for name in _NAMES[9:21])
"""What the columns from `line` to `watermark` say of an ask that carries no goods and no money."""
_PLAIN_ANSWER = tuple(_DEFAULTS[name] for name in (*_NAMES[9:15], *_NAMES[16:22]))
_NEVER: tuple[Any, ...] = ()


def first_difference(left: History, right: History) -> int | None:
    """Index of the first row in which two histories differ, or None where they are equal to the byte."""
    for index, (ours, theirs) in enumerate(zip(left, right, strict=False)):
        if ours != theirs:
            return index
    return None if len(left) == len(right) else min(len(left), len(right))
