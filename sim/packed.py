"""How a history is kept: rows of four shapes, packed into numpy arrays a block at a time.

Nearly all rows are an ask, its answer, or a change that a service made for an ask, and most of what their columns say
is said already: by the route of the ask, by the ask that the answer belongs to, by the kind of change. So each shape
keeps only what is its own. Rows that fit none of the three are kept whole.

    asks      a row of kind invoke that carries no goods and no money
    answers   a row of kind ok, fail or info that closes such an ask, whose row is its cause
    changes   a row of kind state that a service wrote for such an ask, whose row is its cause
    others    all the rest

Which shape a row takes is decided by what it says, never by who wrote it, and texts are numbered in the order of the
rows, block by block: so equal histories are packed alike, byte by byte, and a digest of the arrays names the rows.
Nothing in this file knows an order system.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count, islice
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

BLOCK = 1 << 13
"""Rows a block; every block but the last is whole. So few that what is packed is still in the processor's cache."""

ASKS: dict[str, Any] = {
    "index": np.int32, "time": np.int64, "route": np.int32, "order": np.int32, "key": np.int32, "task": np.int32,
    "ordinal": np.int32, "attempt": np.int32, "deadline": np.int64, "cause": np.int32,
}  # fmt: skip
ANSWERS: dict[str, Any] = {"index": np.int32, "time": np.int64, "said": np.int32, "cause": np.int32}
CHANGES: dict[str, Any] = {
    "index": np.int32, "time": np.int64, "service": np.int32, "cause": np.int32, "template": np.int32,
    "key": np.int32, "order": np.int32, "line": np.int32, "sku": np.int32, "units": np.int64, "amount": np.int64,
    "answer": np.int32, "version": np.int64, "watermark": np.int64, "deadline": np.int64,
}  # fmt: skip
OTHERS: dict[str, Any] = {
    "index": np.int32, "time": np.int64, "kind": np.int32, "operation": np.int32, "task": np.int32,
    "ordinal": np.int32, "attempt": np.int32, "key": np.int32, "actor": np.int32, "place": np.int32,
    "order": np.int32, "line": np.int32, "sku": np.int32, "units": np.int64, "amount": np.int64, "debit": np.int32,
    "credit": np.int32, "answer": np.int32, "is_new": np.bool_, "from_state": np.int32, "to_state": np.int32,
    "version": np.int64, "watermark": np.int64, "deadline": np.int64, "cause": np.int32, "witness": np.int32,
}  # fmt: skip
"""What each shape keeps, and in how many bytes; texts are codes."""

ALWAYS = ("", "invoke", "state", "inside", "outside")
"""Texts that have a number before any row says them; that of the absent text is 0."""
_WIDE = {"asks": 9, "answers": 4, "changes": 5, "others": 25}
"""How many values a row of each shape takes in the lists that it is written to first."""

_CHANGE = itemgetter(0, 7, 8, 10, 11, 12, 16)
"""Of a change: operation, debit, credit, is_new, from_state, to_state, is_outside. There are few different ones."""


class Codes(defaultdict[Any, int]):
    """Things, numbered from 0 in the order in which they were first met.

    >>> codes = Codes(["a", "b"])
    >>> codes["c"], codes["a"], codes.things
    (2, 0, ['a', 'b', 'c'])
    """

    def __init__(self, things: Iterable[Any] = ()) -> None:
        self._things = list(dict.fromkeys(things))
        super().__init__(count(len(self._things)).__next__, zip(self._things, count()))

    def __reduce__(self) -> tuple[type[Codes], tuple[list[Any]]]:
        return Codes, (self.things,)

    @property
    def things(self) -> list[Any]:
        """All of them, by number."""
        new = list(islice(reversed(self), len(self) - len(self._things)))
        self._things.extend(reversed(new))
        return self._things

    def of(self, values: Sequence[Any]) -> Array:
        """Each value's number."""
        return np.fromiter(map(self.__getitem__, values), np.int32, len(values))

    def copy(self) -> Codes:
        copy = Codes()
        copy.update(self)
        copy._things, copy.default_factory = list(self.things), count(len(self)).__next__
        return copy


class Shape:
    """The rows of one shape, by columns, block after block."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self.types = columns
        self.blocks: dict[str, list[Array]] = {name: [] for name in columns}

    def add(self, block: dict[str, Array]) -> None:
        for name, blocks in self.blocks.items():
            blocks.append(block[name])

    def column(self, name: str) -> Array:
        """The whole column."""
        blocks = self.blocks[name]
        if len(blocks) != 1:
            blocks[:] = [np.concatenate(blocks) if blocks else np.empty(0, self.types[name])]
        return blocks[0]

    def copy(self) -> Shape:
        copy = Shape(self.types)
        copy.blocks = {name: list(blocks) for name, blocks in self.blocks.items()}
        return copy


class Packed:
    """Rows as arrays.

    rows      how many there are
    texts     all texts; code 0 is "", the absent one
    routes    (operation, actor, place, witness) of asks
    said      (kind, answer) of answers
    services  (actor, place) of who makes changes
    templates what a kind of change always says; see `_CHANGE`
    The last four by number, in texts.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.texts = Codes(ALWAYS)
        self.routes: list[tuple[str, ...]] = []
        self.said: list[tuple[str, ...]] = []
        self.services: list[tuple[str, ...]] = []
        self.templates = Codes()
        self.asks, self.answers, self.changes, self.others = map(Shape, (ASKS, ANSWERS, CHANGES, OTHERS))
        self._asked: dict[str, Array] = {}

    def copy(self) -> Packed:
        """One that may grow without this one's knowing; the arrays are shared, which nobody changes."""
        copy = Packed()
        copy.rows, copy.texts, copy.templates = self.rows, self.texts.copy(), self.templates.copy()
        copy.routes, copy.said, copy.services = list(self.routes), list(self.said), list(self.services)
        for shape in _WIDE:
            setattr(copy, shape, getattr(self, shape).copy())
        return copy

    def asked(self, shape: str) -> Array:
        """Where among the asks the ask of each answer, or of each change, stands."""
        if shape not in self._asked:
            place = np.empty(self.rows, np.int32)
            asks = self.asks.column("index")
            place[asks] = np.arange(len(asks), dtype=np.int32)
            for name in ("answers", "changes"):
                self._asked[name] = place[getattr(self, name).column("cause")]
        return self._asked[shape]

    def digest(self) -> str:
        """Thirty-two hexadecimal digits."""
        hashed = hashlib.blake2b(digest_size=16)
        for shape in (self.asks, self.answers, self.changes, self.others):
            for name in shape.types:
                hashed.update(np.ascontiguousarray(shape.column(name)).data)
        for names in (self.texts.things, self.routes, self.said, self.services, self.templates.things):
            hashed.update(repr(names).encode("utf-8", "surrogatepass"))
        return hashed.hexdigest()

    def add(self, cuts: dict[str, int], written: Written, rows: int) -> None:
        """Pack `rows` more rows: so many values of each list."""
        self.rows += rows
        self._asked.clear()
        self._add_asks(cuts["asks"], written)
        self._add_answers(cuts["answers"], written)
        self._add_changes(cuts["changes"], written)
        self._add_others(cuts["others"], written)

    def _add_asks(self, cut: int, written: Written) -> None:
        flat = written.asks
        abouts = flat[3:cut:9]
        route = _ints(flat[2:cut:9], np.int32)
        self._meet(self.routes, written.routes.things, route)
        self.asks.add({
            "index": _ints(flat[0:cut:9], np.int32),
            "time": _ints(flat[1:cut:9], np.int64),
            "route": route,
            "order": self.texts.of([about[0] for about in abouts]),
            "key": self.texts.of([about[1] for about in abouts]),
            "task": self.texts.of(flat[4:cut:9]),
            "ordinal": _ints(flat[5:cut:9], np.int32),
            "attempt": _ints(flat[6:cut:9], np.int32),
            "deadline": _ints(flat[7:cut:9], np.int64),
            "cause": _ints(flat[8:cut:9], np.int32),
        })  # fmt: skip

    def _add_answers(self, cut: int, written: Written) -> None:
        flat = written.answers
        said = _ints(flat[2:cut:4], np.int32)
        self._meet(self.said, written.said.things, said)
        self.answers.add({
            "index": _ints(flat[0:cut:4], np.int32),
            "time": _ints(flat[1:cut:4], np.int64),
            "said": said,
            "cause": _ints(flat[3:cut:4], np.int32),
        })  # fmt: skip

    def _add_changes(self, cut: int, written: Written) -> None:
        flat = written.changes
        changes = flat[4:cut:5]
        service = _ints(flat[2:cut:5], np.int32)
        self._meet(self.services, written.services.things, service)
        known = len(self.templates)
        template = self.templates.of(list(map(_CHANGE, changes)))
        for said in self.templates.things[known:]:
            for text in said:
                if type(text) is str:
                    self.texts[text]
        columns = list(zip(*changes, strict=True)) or [()] * 17
        self.changes.add({
            "index": _ints(flat[0:cut:5], np.int32),
            "time": _ints(flat[1:cut:5], np.int64),
            "service": service,
            "cause": _ints(flat[3:cut:5], np.int32),
            "template": template,
            "key": self.texts.of(columns[1]),
            "order": self.texts.of(columns[2]),
            "line": _ints(columns[3], np.int32),
            "sku": self.texts.of(columns[4]),
            "units": _ints(columns[5], np.int64),
            "amount": _ints(columns[6], np.int64),
            "answer": self.texts.of(columns[9]),
            "version": _ints(columns[13], np.int64),
            "watermark": _ints(columns[14], np.int64),
            "deadline": _ints(columns[15], np.int64),
        })  # fmt: skip

    def _add_others(self, cut: int, written: Written) -> None:
        flat, wide = written.others, _WIDE["others"]
        op_ids = [op_id_parts(op_id) for op_id in flat[4:cut:wide]]
        block = {"task": self.texts.of([task for task, _ in op_ids]),
                 "ordinal": _ints([ordinal for _, ordinal in op_ids], np.int32)}  # fmt: skip
        names = [name for name in OTHERS if name != "ordinal"]
        for place, name in enumerate(names):
            if name != "task":
                values, kind = flat[place:cut:wide], OTHERS[name]
                block[name] = self.texts.of(values) if name in TEXTS else np.fromiter(values, kind, len(values))
        self.others.add(block)

    def _meet(self, known: list[tuple[str, ...]], written: Sequence[tuple[str, ...]], codes: Array) -> None:
        """Take over what these rows name for the first time."""
        if len(codes):
            for names in written[len(known) : int(codes.max()) + 1]:
                known.append(names)
                for name in names:
                    self.texts[name]


TEXTS = frozenset({"kind", "operation", "key", "actor", "place", "order", "sku", "debit", "credit", "answer",
                   "from_state", "to_state", "witness"})  # fmt: skip


class Written:
    """Rows as they are written: one flat list of values a shape, cut off at the front as blocks are packed.

    Whoever writes takes the next index from `rows`, counts it up, and extends one list:

        asks      index, time, route, (order, key), task, ordinal (-1 for none), attempt, deadline, cause
        answers   index, time, said, cause
        changes   index, time, service, cause, change
        others    index and the other columns of a row
    """

    __slots__ = ("answers", "asks", "changes", "others", "routes", "rows", "said", "services")

    def __init__(self) -> None:
        self.rows = 0
        self.asks: list[Any] = []
        self.answers: list[Any] = []
        self.changes: list[Any] = []
        self.others: list[Any] = []
        self.routes = Codes()
        self.said = Codes()
        self.services = Codes()

    def until(self, end: int) -> dict[str, int]:
        """How many values of each list were written for the rows before `end`."""
        cuts: dict[str, int] = {}
        for shape, wide in _WIDE.items():
            values: list[Any] = getattr(self, shape)
            starts = range(0, len(values), wide)
            cuts[shape] = bisect_left(starts, end, key=values.__getitem__) * wide
        return cuts

    def forget(self, cuts: dict[str, int]) -> None:
        """Drop what `until` counted."""
        for shape, cut in cuts.items():
            del getattr(self, shape)[:cut]


def op_id_parts(op_id: str) -> tuple[str, int]:
    """The task that asked and its ordinal there, -1 where the name has none.

    >>> op_id_parts("worker-eu-west-3.7#2"), op_id_parts("s12.0")
    (('worker-eu-west-3.7', 2), ('s12.0', -1))
    """
    task, _, ordinal = op_id.rpartition("#")
    if task and ordinal.isascii() and ordinal.isdecimal() and ordinal[0] != "0" and len(ordinal) < 10:
        return task, int(ordinal)
    return op_id, -1


def _ints(values: Sequence[int], kind: Any) -> Array:
    return np.fromiter(values, kind, len(values))
