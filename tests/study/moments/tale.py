"""Histories told in few words: who asks, what is answered, what a service does for it. A second passes with each row.

A case is a function with the name of its point. It tells the moment where `is_met`, and else what comes nearest to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from orderquake.sim.history import NONE, History

S = 1_000_000


class Ask:
    """One ask under way; what is not said otherwise concerns its order and its key."""

    def __init__(self, tale: Tale, task: str, verb: str, columns: dict[str, Any]) -> None:
        self.tale, self.task, self.verb, self.columns = tale, task, verb, columns
        self.row = tale.row(verb, kind="invoke", **columns)
        self.heard = NONE

    def says(self, answer: str, kind: str = "ok") -> Ask:
        columns = {name: self.columns[name] for name in ("order", "key", "actor", "op_id", "attempt")}
        self.heard = self.tale.row(self.verb, kind=kind, answer=answer, cause=self.row, **columns)
        self.tale.last[self.task] = self.heard
        return self

    def silent(self, why: str = "silence") -> Ask:
        return self.says(why, "info")

    def refused(self, why: str) -> Ask:
        return self.says(why, "fail")

    def does(self, operation: str, **columns: Any) -> Ask:
        filled = {"order": self.columns["order"], "key": self.columns["key"], "op_id": self.columns["op_id"], **columns}
        self.tale.row(operation, cause=self.row, **filled)
        return self


class Tale:
    """A history so far."""

    def __init__(self) -> None:
        self.history = History()
        self.now = 0
        self.last: dict[str, int] = {}
        self.asked: dict[str, int] = {}

    def row(self, operation: str, **columns: Any) -> int:
        self.now += S
        return self.history.state(self.now, operation, **columns)

    def limits(self, **said: Any) -> None:
        self.row("limits", kind="config", answer=json.dumps(said))

    def opening(self, sku: str = "mug", units: int = 1) -> None:
        self.row("opening", kind="config", sku=sku, units=units, version=0)

    def ask(self, verb: str, order: str = "ann", by: str = "worker-1", turn: str = "", **columns: Any) -> Ask:
        task = turn or by
        self.asked[task] = self.asked.get(task, 0) + 1
        filled = {"order": order, "key": "", "actor": by, "op_id": f"{task}#{self.asked[task]}", "attempt": 0,
                  "cause": self.last.get(task, NONE)}  # fmt: skip
        return Ask(self, task, verb, {**filled, **columns})

    def read(self, by: str = "worker-1", order: str = "ann", turn: str = "") -> Ask:
        return self.ask("read_order", order, by, turn).says("found")

    def write(
        self, to: str, was: str = "", by: str = "worker-1", order: str = "ann", turn: str = "", **cols: Any
    ) -> Ask:
        """Write an order's next state, and hear that it is written."""
        ask = self.ask("write_order", order, by, turn).does("order", from_state=was, to_state=to, **cols)
        return ask.says("written")

    def lose(self, by: str = "worker-1", order: str = "ann", turn: str = "", **columns: Any) -> Ask:
        """Lose the compare-and-set."""
        return self.ask("write_order", order, by, turn, **columns).says("conflict")

    def stands(self, state: str, order: str = "ann", **columns: Any) -> int:
        """The order is in a state, however it came there."""
        return self.row("order", order=order, to_state=state, **columns)

    def customer(self, operation: str, order: str = "ann", times: int = 1) -> Ask:
        return self.ask(
            operation, order, "customer", f"{order}.{operation}{times}", key=f"s-{order}", witness="outside"
        )

    def answered(self, operation: str, answer: str, order: str = "ann") -> None:
        """A customer hears of something that the shop did, wherever that stands."""
        self.row(operation, kind="ok", order=order, actor="customer", op_id=f"{order}.{operation}1", answer=answer)

    def sleep(self, before: str = "write_order", by: str = "worker-1", when: str = "before") -> int:
        return self._mark("paused", by, before, when, self.last.get(by, NONE))

    def wake(self, slept: int, before: str = "write_order", by: str = "worker-1", when: str = "before") -> None:
        self._mark("woke", by, before, when, slept)

    def _mark(self, what: str, by: str, key: str, when: str, cause: int) -> int:
        row = self.row(what, kind="mark", op_id=by, actor=by, key=key, order="ann", answer=when, cause=cause)
        self.last[by] = row
        return row

    def killed(self, by: str = "worker-1") -> None:
        self.row("worker_killed_at_deadline", kind="mark", op_id=by, actor=by, cause=self.last.get(by, NONE))

    def hold(self, order: str = "ann", sku: str = "mug", units: int = 1, key: str = "", **columns: Any) -> None:
        """A reservation that was made, whoever asked."""
        accounts = {"debit": "cache.held", "credit": "cache.available"}
        self.row("hold", order=order, key=key or f"{order}/1", sku=sku, units=units, **{**accounts, **columns})

    def free(self, order: str = "ann", sku: str = "mug", why: str = "lapsed", key: str = "", **columns: Any) -> None:
        accounts = {"debit": "cache.available", "credit": "cache.held"}
        columns = {**accounts, **columns}
        self.row("free", order=order, key=key or f"{order}/1", sku=sku, units=1, answer=why, **columns)

    def rebase(self, ask: Ask | None = None, sku: str = "mug", units: int = 0, **columns: Any) -> None:
        """A snapshot of a product is offered, by some ask to refresh."""
        cause = NONE if ask is None else ask.row
        accounts = {"debit": "cache.available", "credit": "cache.base", "answer": "applied", "version": 1}
        self.row("rebase", sku=sku, units=units, cause=cause, **{**accounts, **columns})

    def lost(self) -> None:
        self.row("epoch", answer="lost")

    def quiet(self) -> None:
        self.row("quiet", kind="config")


def read_and_taken(t: Tale) -> Ask:
    """The record is read; the ask that offers what was read."""
    t.ask("read_changes", order="", by="inbound").says("changed")
    return t.ask("refresh", order="", by="inbound")


Case: TypeAlias = Callable[[Tale, bool], None]
CASES: dict[str, Case] = {}


def case(told: Case) -> Case:
    """Put a case among the others, under the name of its point."""
    CASES[told.__name__] = told  # type: ignore[attr-defined]
    return told
