"""What a checker is: a promise, judged by folding over the rows of a history.

A checker sees the history and nothing else: it may import `history`, never the model. A promise is about one
thing at a time, an order or a SKU, so a checker names the *part* a row belongs to and keeps one small
hashable state a part. That way a run of a million rows, a branch of a proof (which carries the states in its
fingerprint) and a stream from outside are all judged by the same few lines.
"""

from __future__ import annotations

import gc
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np

from orderquake.sim.checkers.groups import Ints
from orderquake.sim.checkers.shapes import Looks
from orderquake.sim.history import History, Row, Table

S = TypeVar("S", bound=Hashable)
Status = Literal["valid", "invalid", "unknown"]
EVERY: frozenset[str] = frozenset({"*"})
"""In `Checker.hears`: every operation of the kind."""
OUTAGES = frozenset({"down", "offline", "partition", "read_only"})
"""Faults that take a whole service away, or all that it would do; one that never recovers leaves it dead."""
SAID = frozenset({"limits", "residency", "quiet", "end"})
"""Config rows that say something of the whole run."""
WORST: Mapping[str, int] = {"valid": 0, "unknown": 1, "invalid": 2}


@dataclass(frozen=True, slots=True)
class Verdict:
    """valid, invalid with a witness, or unknown with a reason.

    obligations   how often the promise was really put to the test; a check that tested nothing is unknown
    witness       indices of the rows that show the violation, in order
    """

    status: Status
    obligations: int
    reason: str = ""
    witness: tuple[int, ...] = ()

    @classmethod
    def valid(cls, obligations: int) -> Verdict:
        return cls("valid", obligations) if obligations else cls("unknown", 0, "not exercised")

    @classmethod
    def invalid(cls, obligations: int, reason: str, witness: Iterable[int]) -> Verdict:
        return cls("invalid", obligations, reason, tuple(witness))

    @classmethod
    def unknown(cls, obligations: int, reason: str) -> Verdict:
        return cls("unknown", obligations, reason)

    @property
    def was_exercised(self) -> bool:
        return self.obligations > 0


@dataclass(slots=True)
class Context:
    """What the `config` and `fault` rows say of the whole run; the judge hears them before any checker does.

    limits     the JSON object of the `limits` row: policy, ttl_us, max_attempts, queue_bounds, pool and so on
    quiet_at   start of the quiet phase, microseconds, or None while it has not begun
    quiet_by   the moment by which all must have converged, or None
    ended_at   time of the `end` row, or None where the history just stops
    complete   the run went on until everything had ended (`end` row says `complete`)
    dead       services that went down and never came back: the only excuses there are
    residency  the JSON object of the `residency` row: what asks carry, who may ask, what stands where; see VOCABULARY
    """

    limits: dict[str, Any] = field(default_factory=dict)
    quiet_at: int | None = None
    quiet_by: int | None = None
    ended_at: int | None = None
    complete: bool = False
    dead: frozenset[str] = frozenset()
    _away: frozenset[tuple[str, str]] = frozenset()
    _text: str = "{}"
    residency: dict[str, Any] = field(default_factory=dict)
    _boundaries: str = "{}"

    def hear(self, row: Row) -> None:
        if row.kind == "config":
            if row.operation == "limits":
                self._text = row.answer
                self.limits = json.loads(row.answer)
            elif row.operation == "residency":
                self._boundaries = row.answer
                self.residency = json.loads(row.answer)
            elif row.operation == "quiet":
                self.quiet_at, self.quiet_by = row.time, row.deadline
            elif row.operation == "end":
                self.ended_at, self.complete = row.time, row.answer == "complete"
        elif row.kind == "fault" and row.operation in OUTAGES:
            if row.answer == "injected":
                self._away |= {(row.key, row.actor)}
            elif row.answer == "recovered":
                self._away -= {(row.key, row.actor)}
            self.dead = frozenset(service for _, service in self._away)

    @staticmethod
    def rows(table: Table) -> Ints:
        """The rows that say something of the whole run."""
        return np.sort(np.concatenate([table.at("config", *sorted(SAID)), table.at("fault", *sorted(OUTAGES))]))

    @classmethod
    def of(cls, history: History) -> Context:
        """What a whole history says."""
        context = cls()
        for row in history.rows_at(cls.rows(history.table()).tolist()):
            context.hear(row)
        return context

    def snapshot(self) -> Hashable:
        """All of it as one hashable value."""
        texts = self._text, self._boundaries
        return texts, self.quiet_at, self.quiet_by, self.ended_at, self.complete, self.dead, self._away

    def restore(self, snapshot: Any) -> None:
        """Go back to what `snapshot` returned."""
        texts, self.quiet_at, self.quiet_by, self.ended_at, self.complete, self.dead, self._away = snapshot
        text, drawn = texts
        if drawn != self._boundaries:
            self._boundaries, self.residency = drawn, json.loads(drawn)
        if text != self._text:
            self._text, self.limits = text, json.loads(text)


class Checker(ABC, Generic[S]):
    """A promise. Subclass it, say what it hears, and it judges runs, proofs and streams.

    name     how scenarios name it: a claim, such as `charged_once`
    hears    kind -> operations it wants to see, or `EVERY` of the kind; other rows never reach it
    echoed   operations whose rows also mean something for other parts; see `echoes`
    hears_first_attempts   False for a checker that wants of the `invoke` rows only those of asks that are asked again
    looks    what it looks at in a row, so that one part may be heard for all that are alike; see `shapes.py`

    `looks` and `screen` spare work and decide nothing; a checker without them is folded over all that it hears. They
    speak for the class that has them and not for its subclasses, which may hear otherwise.
    """

    name: ClassVar[str]
    hears: ClassVar[Mapping[str, frozenset[str]]]
    echoed: ClassVar[frozenset[str]] = frozenset()
    hears_first_attempts: ClassVar[bool] = True
    looks: ClassVar[Looks | None] = None

    def part(self, row: Row) -> str:
        """Which thing the row is about: an order by default. Rows of one part are folded together, in
        order."""
        return row.order

    def echoes(self, row: Row, parts: Mapping[str, S]) -> Iterable[tuple[str, Row]]:
        """What a row of an `echoed` operation also means for other parts: (part, row) pairs, heard next.

        A notice names an order, and a promise about SKUs must hear it a line at a time: the order's own part
        has kept its lines, so the checker looks there and tells the notice again, once a SKU. `parts` is for
        looking only; all that is remembered stays in it, so that a snapshot of the parts is a snapshot of the
        checker.
        """
        return ()

    def rows(self, table: Table) -> Ints:
        """The rows of a history that reach the checker, in no order."""
        found = [np.empty(0, dtype=np.int64)]
        for kind, operations in self.hears.items():
            rows = table.at(kind) if operations is EVERY else table.at(kind, *operations)
            if kind == "invoke" and not self.hears_first_attempts:
                rows = rows[table.attempt[rows] != 0]
            found.append(rows)
        return np.concatenate(found)

    def screen(self, history: History, context: Context) -> int | None:
        """How often a whole history put the promise to the test, where whole columns show at a glance that every part
        kept it; None where they do not. See `shelves.py`."""
        return None

    @abstractmethod
    def start(self) -> S:
        """The state of a part nothing has been heard of: small, hashable, immutable."""

    @abstractmethod
    def step(self, state: S, row: Row, context: Context) -> S:
        """The state after one more row. A violation seen is kept in the state; it never goes away."""

    @abstractmethod
    def verdict(self, parts: Mapping[str, S], context: Context) -> Verdict:
        """The judgement over all parts, so far as the history goes."""


Hearer = tuple[
    Callable[[Row], str],
    Callable[[Any, Row, Context], Any],
    Callable[[], Any],
    Callable[[Row, Mapping[str, Any]], Iterable[tuple[str, Row]]] | None,
    dict[str, Any],
]
"""A checker's `part`, `step`, `start`, `echoes` (None where nothing is echoed) and its parts' states."""


ORDER_OF: Callable[[Row], str] = attrgetter("order")
"""What `Checker.part` says, several times faster."""


class Judge:
    """Several checkers listening to one stream of rows; each row is offered only to those that hear it.

    `snapshot` and `restore` let the explorer branch; `verdicts` may be asked at any time.
    """

    def __init__(self, checkers: Iterable[Checker[Any]]) -> None:
        self.checkers = tuple(checkers)
        self.context = Context()
        self._parts: tuple[dict[str, Any], ...] = tuple({} for _ in self.checkers)
        self._routes: dict[tuple[str, str], tuple[Hearer, ...]] = {}

    def _route(self, kind: str, operation: str) -> tuple[Hearer, ...]:
        """Who hears such rows, in the order of the checkers; found once and remembered. Most rows are first attempts:
        they go by a kind of their own, `first`, so that nobody builds a row only to look at its attempt."""
        heard_as = "invoke" if kind == "first" else kind
        found = self._routes[kind, operation] = tuple(
            (
                ORDER_OF if type(checker).part is Checker.part else checker.part,
                checker.step,
                checker.start,
                checker.echoes if operation in checker.echoed else None,
                parts,
            )
            for checker, parts in zip(self.checkers, self._parts, strict=True)
            if (wanted := checker.hears.get(heard_as)) is not None
            and (wanted is EVERY or operation in wanted)
            and (checker.hears_first_attempts or kind != "first")
        )
        return found

    def step(self, row: Row) -> None:
        """Hear one row."""
        if row.kind == "config" or row.kind == "fault":
            self.context.hear(row)
        kind = "first" if row.kind == "invoke" and not row.attempt else row.kind
        hearers = self._routes.get((kind, row.operation))
        if hearers is None:
            hearers = self._route(kind, row.operation)
        if hearers:
            self._offer(row, hearers)

    def _offer(self, row: Row, hearers: tuple[Hearer, ...]) -> None:
        context = self.context
        for part, step, start, echoes, parts in hearers:
            name = part(row)
            state = parts.get(name)
            parts[name] = step(start() if state is None else state, row, context)
            if echoes is not None:
                for name, echo in echoes(row, parts):
                    state = parts.get(name)
                    parts[name] = step(start() if state is None else state, echo, context)

    def hear(self, history: History) -> None:
        """Hear a whole history; the same as `step` on every row, without building the rows nobody hears."""
        table = history.table()
        heard = [Context.rows(table), *(checker.rows(table) for checker in self.checkers)]
        self.hear_rows(history.rows_at(np.unique(np.concatenate(heard)).tolist()))

    def hear_rows(self, rows: Iterable[Row]) -> None:
        """Hear some rows of a history, in order."""
        # States are trees of tuples, so there are no cycles to find; looking for them among a million rows would take
        # as long as the judging.
        was_collecting = gc.isenabled()
        gc.disable()
        try:
            for row in rows:
                self.step(row)
        finally:
            if was_collecting:
                gc.enable()

    def parts(self, checker: Checker[Any]) -> Mapping[str, Any]:
        """The parts that a checker of this panel has heard of, and how they stand."""
        return self._parts[self.checkers.index(checker)]

    def verdicts(self) -> dict[str, Verdict]:
        """Checker name -> verdict, for what has been heard so far."""
        return {
            checker.name: checker.verdict(parts, self.context)
            for checker, parts in zip(self.checkers, self._parts, strict=True)
        }

    def snapshot(self) -> Hashable:
        """Every checker's states, and the context they were heard in, as one hashable value."""
        return (
            self.context.snapshot(),
            tuple(tuple(sorted(parts.items(), key=lambda item: item[0])) for parts in self._parts),
        )

    def restore(self, snapshot: Any) -> None:
        """Go back to what `snapshot` returned."""
        context, states = snapshot
        self.context.restore(context)
        for parts, saved in zip(self._parts, states, strict=True):
            parts.clear()
            parts.update(saved)
