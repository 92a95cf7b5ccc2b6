"""A history by columns: numbers as numpy arrays, texts as codes into one list of texts.

For whoever adds up a million rows: checkers' second implementations, measures, digests. A column is made when it is
first asked for. Nothing in this file knows an order system.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from orderquake.sim.history import History

Ints: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[np.int32]
Bools: TypeAlias = npt.NDArray[np.bool_]


class Table:
    """All rows of a history up to now, by columns.

    len(table)       rows
    table.text(code) what a code stands for; code 0 is "", the absent text
    table.code(text) the code of a text, the same in every column; one that no row has where the text occurs nowhere

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
    kind: Codes
    operation: Codes
    key: Codes
    actor: Codes
    place: Codes
    order: Codes
    sku: Codes
    debit: Codes
    credit: Codes
    answer: Codes
    from_state: Codes
    to_state: Codes
    witness: Codes
    op: Ints
    """The ask that a row belongs to, as a number: the same for the same `op_id`, and for nothing else."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._rows = len(history)
        self._texts: list[str] = [""]
        self._codes: dict[str, int] = {"": 0}
        self._at: dict[tuple[int, int], Ints] | None = None

    def __len__(self) -> int:
        return self._rows

    def __getattr__(self, name: str) -> npt.NDArray[np.generic]:
        if name.startswith("_"):
            raise AttributeError(name)
        values = self._history.column("op_id" if name == "op" else name)
        column: npt.NDArray[np.generic]
        if values.dtype == object:
            codes, texts = self._codes, self._texts
            found = np.empty(len(values), np.int64 if name == "op" else np.int32)
            for index, value in enumerate(values):
                code = codes.get(value)
                if code is None:
                    code = codes[value] = len(texts)
                    texts.append(value)
                found[index] = code
            column = found
        else:
            column = values
        setattr(self, name, column)
        return column

    def code(self, text: str) -> int:
        code = self._codes.get(text)
        if code is None:
            code = self._codes[text] = len(self._texts)
            self._texts.append(text)
        return code

    def text(self, code: int) -> str:
        return self._texts[code]

    def texts(self, codes: Sequence[int] | Codes) -> list[str]:
        """What each of these codes stands for."""
        texts = self._texts
        return [texts[code] for code in codes]

    def at(self, kind: str, *operations: str) -> Ints:
        """Indices of the rows of a kind and of some operations (all, where none is named), in order."""
        if self._at is None:
            self._at = self._found()
        kind_code = self.code(kind)
        if operations:
            wanted = [(kind_code, self.code(operation)) for operation in operations]
        else:
            wanted = [key for key in self._at if key[0] == kind_code]
        found = [self._at[key] for key in wanted if key in self._at]
        if len(found) == 1:
            return found[0]
        return np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)

    def _found(self) -> dict[tuple[int, int], Ints]:
        kinds, operations = self.kind, self.operation
        names = 1 << 32
        both = kinds.astype(np.int64) * names + operations
        order = np.argsort(both, kind="stable")
        ordered = both[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.empty(0, np.int64)
        parts = np.split(order, starts[1:]) if len(starts) else []
        return {divmod(int(ordered[start]), names): part for start, part in zip(starts, parts, strict=True)}
