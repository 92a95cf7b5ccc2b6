"""Writes into the history what happens in a world: asks, answers, and what the services did. The one place that knows
the order of the columns, so that rows can be appended bare."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

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


def values_of(
    change: Change, time: int, op_id: str, attempt: int, actor: str, place: str, cause: int
) -> tuple[Any, ...]:
    """The row of what a service did, without its index."""
    (operation, key, order, line, sku, units, amount, debit, credit, answer, is_new, from_state, to_state,
     version, watermark, deadline, is_outside) = change  # fmt: skip
    return (time, "state", operation, op_id, attempt, key, actor, place, order, line, sku, units, amount,
            debit, credit, answer, is_new, from_state, to_state, version, watermark, deadline, cause,
            "outside" if is_outside else "inside")  # fmt: skip


class Recorder:
    """A history, and the few shapes of rows that worlds append to it.

    The wire and the services, through whose hands everything goes, take an index from `written` and put the values of
    an ask, an answer or a change themselves, in the order that `Written` says; all else is told by a method.

    said_of   type of answer -> its number, for those that were written before
    """

    __slots__ = ("history", "put_answer", "put_ask", "put_change", "said_of", "written")

    def __init__(self, history: History) -> None:
        self.history = history
        self.written = written = history.written
        self.put_ask = written.asks.extend
        self.put_answer = written.answers.extend
        self.put_change = written.changes.extend
        self.said_of: dict[type, int] = {}

    def route(self, verb: str, actor: str, place: str, witness: str = "inside") -> int:
        """The number of a route; to be asked for when its first ask is written, not before."""
        return self.written.routes[verb, actor, place, witness]

    def service(self, actor: str, place: str) -> int:
        """The number of who makes changes; to be asked for when the first is written."""
        return self.written.services[actor, place]

    def said(self, answer: object, kind: str = "ok") -> int:
        """The number of a named answer of some kind; to be asked for when it is written."""
        number = self.said_of.get(type(answer))
        if number is None:
            number = self.said_of[type(answer)] = self.written.said[kind, name_of(answer)]
        return number

    def without_answer(self, time: int, kind: str, why: str, cause: int) -> int:
        """An ask was refused (`fail`), or not answered (`info`), or answered at once. Returns the row's index."""
        written = self.written
        index = written.rows
        written.rows = index + 1
        written.answers.extend((index, time, written.said[kind, why], cause))
        return index

    def admitted(
        self, time: int, verb: str, about: tuple[str, str], op_id: str, actor: str, place: str, cause: int
    ) -> None:
        """A throttle let a call pass."""
        written = self.written
        index = written.rows
        written.rows = index + 1
        written.others.extend(
            (index, time, "mark", "admitted", op_id, 0, verb, actor, place, about[0], -1, "", 0, 0, "", "", "", True,
             "", "", -1, -1, -1, cause, "inside")
        )  # fmt: skip

    def acted(self, time: int, journal: Sequence[Change], op_id: str, actor: str, place: str) -> None:
        """Somebody at the service itself did something, a row each: a delivery, a stock-take, a restart."""
        for change in journal:
            self.history.append(values_of(change, time, op_id, 0, actor, place, -1))

    def submitted(self, time: int, operation: str, op_id: str, attempt: int, key: str, place: str, order: str) -> int:
        """A customer wants something. Returns the row's index."""
        written = self.written
        index = written.rows
        written.rows = index + 1
        route = written.routes[operation, "customer", place, "outside"]
        written.asks.extend((index, time, route, (order, key), op_id, -1, attempt, -1, -1))
        return index

    def heard(
        self, time: int, operation: str, kind: str, op_id: str, attempt: int, key: str, place: str, order: str,
        answer: str, cause: int, asked: int,
    ) -> None:  # fmt: skip
        """What a customer was answered, and the row that led to it; `asked` is the row of what the customer wanted."""
        if cause == asked:
            self.without_answer(time, kind, answer, cause)
            return
        written = self.written
        index = written.rows
        written.rows = index + 1
        written.others.extend(
            (index, time, kind, operation, op_id, attempt, key, "customer", place, order, -1, "", 0, 0, "", "", answer,
             True, "", "", -1, -1, -1, cause, "outside")
        )  # fmt: skip
