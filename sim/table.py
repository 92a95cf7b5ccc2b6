"""A history by columns: numbers as numpy arrays, texts as codes into one list of texts.

For whoever adds up a million rows: checkers' second implementations, measures, digests. A column is made when it is
first asked for. Nothing in this file knows an order system.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from orderquake.sim.packed import OTHERS, TEXTS, Codes, Packed, Shape

Ints: TypeAlias = npt.NDArray[np.int64]
CodeArray: TypeAlias = npt.NDArray[np.int32]
Bools: TypeAlias = npt.NDArray[np.bool_]

NOT_SAID = -1
"""Code of a text that occurs nowhere."""
_SHAPES = ("asks", "answers", "changes", "others")
_ABSENT = {"line": -1, "version": -1, "watermark": -1, "deadline": -1, "is_new": True}
_OF_ROUTE = ("operation", "actor", "place", "witness")
_OF_SAID = ("kind", "answer")
_OF_SERVICE = ("actor", "place")
_OF_TEMPLATE = ("operation", "debit", "credit", "is_new", "from_state", "to_state", "witness")
_ORDINALS = 1 << 30


class Table:
    """Rows of a history, by columns.

    len(table)       rows
    table.text(code) what a code stands for; code 0 is "", the absent text
    table.code(text) the code of a text, the same in every column; NOT_SAID where it occurs nowhere

    >>> from orderquake.sim.history import History
    >>> history = History()
    >>> for sku in ("mug", "hat", "mug"):
    ...     _ = history.state(7, "foreign_sale", sku=sku, units=2)
    >>> table = history.table()
    >>> table.units.tolist(), (table.sku == table.code("mug")).tolist(), table.at("state", "foreign_sale").tolist()
    ([2, 2, 2], [True, False, True], [0, 1, 2])
    """

    # Numbers, one a row
    time: Ints
    attempt: Ints
    line: Ints
    units: Ints
    amount: Ints
    version: Ints
    watermark: Ints
    deadline: Ints
    cause: Ints
    is_new: Bools
    # Texts, as codes, one a row
    kind: CodeArray
    operation: CodeArray
    key: CodeArray
    actor: CodeArray
    place: CodeArray
    order: CodeArray
    sku: CodeArray
    debit: CodeArray
    credit: CodeArray
    answer: CodeArray
    from_state: CodeArray
    to_state: CodeArray
    witness: CodeArray
    op: Ints
    """The ask that a row belongs to, as a number: the same for the same `op_id`, and for nothing else."""

    def __init__(self, packed: Packed, some: dict[str, tuple[Any, Any]] | None = None, rows: int = 0) -> None:
        self._packed = packed
        self._rows = packed.rows if some is None else rows
        # Shape -> the rows of this table that have it, and where they stand in the arrays
        self._some = some or {name: (getattr(packed, name).column("index"), slice(None)) for name in _SHAPES}
        self._kept: dict[str, Any] = {}

    def __len__(self) -> int:
        return self._rows

    def __getattr__(self, name: str) -> Any:
        if name not in _COLUMNS:
            raise AttributeError(name)
        column = self._column(name)
        setattr(self, name, column)
        return column

    def code(self, text: str) -> int:
        return self._packed.texts.get(text, NOT_SAID)

    def text(self, code: int) -> str:
        text: str = self._packed.texts.things[code]
        return text

    def texts(self, codes: Sequence[int] | CodeArray) -> list[str]:
        """What each of these codes stands for."""
        return list(map(self._packed.texts.things.__getitem__, codes))

    def values(self, name: str) -> list[Any]:
        """A column as Python's own numbers and texts, `op_id` as well."""
        if name == "op_id":
            return [
                task if ordinal < 0 else f"{task}#{ordinal}"
                for task, ordinal in zip(self.texts(self._column("task").tolist()), self._column("ordinal").tolist(),
                                         strict=True)
            ]  # fmt: skip
        column: list[Any] = getattr(self, name).tolist()
        return self.texts(column) if name in TEXTS else column

    def take(self, indices: Ints) -> Table:
        """A table of some of these rows, in the order asked for; `cause` and `index` still count in the whole one."""
        assert self._some["asks"][1] == slice(None), "rows are taken from a whole table"
        some: dict[str, tuple[Any, Any]] = {}
        for name in _SHAPES:
            index = self._shape(name).column("index")
            place = np.searchsorted(index, indices)
            place[place == len(index)] = 0
            here = np.flatnonzero(index[place] == indices) if len(index) else np.empty(0, np.int64)
            some[name] = here, place[here]
        return Table(self._packed, some, len(indices))

    def at(self, kind: str, *operations: str) -> Ints:
        """Indices of the rows of a kind and of some operations (all, where none is named), in order."""
        if "at" not in self._kept:
            self._kept["at"] = self._found()
        places: dict[tuple[int, int], Ints] = self._kept["at"]
        kind_code = self.code(kind)
        if operations:
            wanted = [(kind_code, self.code(operation)) for operation in operations]
        else:
            wanted = [key for key in places if key[0] == kind_code]
        found = [places[key] for key in wanted if key in places]
        if len(found) == 1:
            return found[0]
        return np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)

    def digest(self) -> str:
        """Thirty-two hexadecimal digits that name the rows of a whole table."""
        return self._packed.digest()

    # -- how columns are put together

    def _shape(self, name: str) -> Shape:
        shape: Shape = getattr(self._packed, name)
        return shape

    def _column(self, name: str) -> Any:
        kind = np.int64 if name in _NUMBERS else np.bool_ if name == "is_new" else np.int32
        column: npt.NDArray[Any] = np.full(self._rows, _ABSENT.get(name, 0), kind)
        for shape in _SHAPES:
            rows, places = self._some[shape]
            if len(rows):
                values = getattr(self, f"_of_{shape}")(name, places)
                if values is not None:
                    column[rows] = values
        return column

    def _of_asks(self, name: str, places: Any) -> Any:
        asks = self._packed.asks
        if name == "op":
            return _op(asks.column("task")[places], asks.column("ordinal")[places])
        if name == "kind":
            return self.code("invoke")
        if name in _OF_ROUTE:
            return self._names("routes", _OF_ROUTE, name)[asks.column("route")[places]]
        return asks.column(name)[places] if name in asks.types else None

    def _of_answers(self, name: str, places: Any) -> Any:
        answers = self._packed.answers
        if name in _OF_SAID:
            return self._names("said", _OF_SAID, name)[answers.column("said")[places]]
        if name in ("time", "cause"):
            return answers.column(name)[places]
        if name in ("attempt", "key", "order", "task", "ordinal", "op", *_OF_ROUTE):
            return self._of_asks(name, self._packed.asked("answers")[places])
        return None

    def _of_changes(self, name: str, places: Any) -> Any:
        changes = self._packed.changes
        if name == "kind":
            return self.code("state")
        if name in _OF_SERVICE:
            return self._names("services", _OF_SERVICE, name)[changes.column("service")[places]]
        if name in _OF_TEMPLATE:
            return self._template(name)[changes.column("template")[places]]
        if name in ("attempt", "task", "ordinal", "op"):
            return self._of_asks(name, self._packed.asked("changes")[places])
        return changes.column(name)[places]

    def _of_others(self, name: str, places: Any) -> Any:
        others = self._packed.others
        if name == "op":
            return _op(others.column("task")[places], others.column("ordinal")[places])
        return others.column(name)[places]

    def _names(self, which: str, columns: tuple[str, ...], name: str) -> Any:
        place, texts = columns.index(name), self._packed.texts
        return np.array([texts[each[place]] for each in getattr(self._packed, which)], np.int32)

    def _template(self, name: str) -> Any:
        place, things = _OF_TEMPLATE.index(name), self._packed.templates.things
        if name == "is_new":
            return np.array([each[place] for each in things], np.bool_)
        said = [("outside" if each[place] else "inside") if name == "witness" else each[place] for each in things]
        return np.array([self.code(text) for text in said], np.int32)

    def _found(self) -> dict[tuple[int, int], Ints]:
        """(kind, operation) -> rows. The pairs are few, so that sorting by them is counting."""
        packed, pairs, number = self._packed, Codes(), np.zeros(self._rows, np.uint16)
        invoke, state = self.code("invoke"), self.code("state")
        of_route = self._names("routes", _OF_ROUTE, "operation").tolist()
        of_said = self._names("said", _OF_SAID, "kind").tolist()
        rows, places = self._some["asks"]
        route = packed.asks.column("route")
        if len(rows):
            number[rows] = _numbers([pairs[invoke, operation] for operation in of_route])[route[places]]
        rows, places = self._some["answers"]
        if len(rows):
            of_both = _numbers([pairs[kind, operation] for kind in of_said for operation in of_route])
            said, asked = packed.answers.column("said")[places], route[packed.asked("answers")[places]]
            number[rows] = of_both[said * len(of_route) + asked]
        rows, places = self._some["changes"]
        if len(rows):
            of_template = _numbers([pairs[state, operation] for operation in self._template("operation").tolist()])
            number[rows] = of_template[packed.changes.column("template")[places]]
        rows, places = self._some["others"]
        if len(rows):
            both = packed.others.column("kind").astype(np.int64) << 32 | packed.others.column("operation")
            few, back = np.unique(both[places], return_inverse=True)
            number[rows] = _numbers([pairs[divmod(pair, 1 << 32)] for pair in few.tolist()])[back]
        order = np.argsort(number, kind="stable")
        ends = np.cumsum(np.bincount(number, minlength=len(pairs)))
        parts = np.split(order, ends[:-1]) if len(pairs) else []
        return dict(zip(pairs.things, parts, strict=True))


def _numbers(values: list[int]) -> Any:
    return np.array(values, np.uint16)


def _op(task: Any, ordinal: Any) -> Any:
    return task.astype(np.int64) * _ORDINALS + ordinal + 1


_NUMBERS = frozenset({"time", "attempt", "line", "units", "amount", "version", "watermark", "deadline", "cause", "op"})
_COLUMNS = frozenset({name for name in OTHERS if name not in ("index", "task", "ordinal")} | {"op"})
