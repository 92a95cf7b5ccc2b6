"""Writes into the history what happens in a world: asks, answers, and what the services did. The one place that knows
the order of the columns, so that rows can be appended bare."""

from __future__ import annotations

import re
from collections.abc import Sequence

from orderquake.model.flow import Change
from orderquake.sim.history import History

_NAMES: dict[type, str] = {tuple: "many", int: "number"}


def name_of(answer: object) -> str:
    """An answer's name as the history spells it: `SoldOut` is sold_out."""
    kind = type(answer)
    name = _NAMES.get(kind)
    if name is None:
        name = _NAMES[kind] = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
    return name


class Recorder:
    """A history, and the few shapes of rows that worlds append to it. Every method returns the row's index."""

    __slots__ = ("_rows", "history")

    def __init__(self, history: History) -> None:
        self.history = history
        self._rows = history.rows_to_append()

    def invoke(
        self,
        time: int,
        verb: str,
        about: tuple[str, str],
        op_id: str,
        attempt: int,
        actor: str,
        place: str,
        deadline: int,
        cause: int,
    ) -> int:
        """An ask was sent; `about` is the order it concerns and its key."""
        rows = self._rows
        rows.append(
            (time, "invoke", verb, op_id, attempt, about[1], actor, place, about[0], -1, "", 0, 0, "", "", "", True,
             "", "", -1, -1, deadline, cause, "inside")
        )  # fmt: skip
        return len(rows) - 1

    def completion(
        self,
        time: int,
        kind: str,
        verb: str,
        about: tuple[str, str],
        op_id: str,
        attempt: int,
        actor: str,
        place: str,
        answer: str,
        cause: int,
    ) -> int:
        """An ask was answered (`ok`), refused (`fail`) or not answered (`info`)."""
        rows = self._rows
        rows.append(
            (time, kind, verb, op_id, attempt, about[1], actor, place, about[0], -1, "", 0, 0, "", "", answer, True,
             "", "", -1, -1, -1, cause, "inside")
        )  # fmt: skip
        return len(rows) - 1

    def admitted(
        self, time: int, verb: str, about: tuple[str, str], op_id: str, actor: str, place: str, cause: int
    ) -> None:
        """A throttle let a call pass."""
        self._rows.append(
            (time, "mark", "admitted", op_id, 0, verb, actor, place, about[0], -1, "", 0, 0, "", "", "", True,
             "", "", -1, -1, -1, cause, "inside")
        )  # fmt: skip

    def changes(
        self,
        time: int,
        journal: Sequence[Change],
        op_id: str,
        attempt: int,
        actor: str,
        place: str,
        cause: int,
    ) -> int:
        """What a service did, a row each. Returns the index of the last row."""
        rows = self._rows
        for change in journal:
            (operation, key, order, line, sku, units, amount, debit, credit, answer, is_new, from_state, to_state,
             version, watermark, deadline, is_outside) = change  # fmt: skip
            rows.append(
                (time, "state", operation, op_id, attempt, key, actor, place, order, line, sku, units, amount,
                 debit, credit, answer, is_new, from_state, to_state, version, watermark, deadline, cause,
                 "outside" if is_outside else "inside")
            )  # fmt: skip
        return len(rows) - 1

    def customer(
        self, time: int, kind: str, operation: str, op_id: str, attempt: int, key: str, place: str, order: str,
        answer: str, cause: int,
    ) -> int:  # fmt: skip
        """What a customer did or heard."""
        rows = self._rows
        rows.append(
            (time, kind, operation, op_id, attempt, key, "customer", place, order, -1, "", 0, 0, "", "", answer,
             True, "", "", -1, -1, -1, cause, "outside")
        )  # fmt: skip
        return len(rows) - 1
