"""A history laid out for whoever looks for rare moments in it: who asked what, what was heard, what was done for it.

Rows are numbers here, and most questions are asked of many of them at once. Where there is no row the answer is NONE,
which every method takes for a row that says nothing. No order system is known in this file, and no point.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from orderquake.sim.checkers.groups import together
from orderquake.sim.history import NONE as NONE
from orderquake.sim.history import History
from orderquake.sim.study.grouping import NEVER, Bools, Codes, Ints, begins, running_totals

Rows: TypeAlias = Any
"""Row indices, or a yes or no for each: numpy has no type for what a comparison of arrays gives, or chooses."""
NO_ROWS: Ints = np.empty(0, np.int64)
TASK = 30
"""By how many bits an ask's number is shifted to leave the number of its task."""


class Series:
    """Rows by name, in order: which one came last before another row, which comes next after it.

    >>> orders = Series(np.array([7, 8, 7]), np.array([1, 3, 5]))
    >>> orders.before(np.array([7, 8]), np.array([5, 2])).tolist(), orders.after(np.array([7]), np.array([1])).tolist()
    ([1, -1], [5])
    """

    def __init__(self, names: Codes | Ints, rows: Ints) -> None:
        self.span = 2 + int(rows.max(initial=0))
        self.ordered = np.sort(names.astype(np.int64) * self.span + rows)
        self.padded = np.concatenate((np.array([-1], np.int64), self.ordered, np.array([NEVER], np.int64)))

    def _place(self, names: Codes | Ints, rows: Ints, side: Any) -> Ints:
        place: Ints = np.searchsorted(
            self.ordered, names.astype(np.int64) * self.span + np.clip(rows, 0, self.span - 1), side=side
        )
        return place

    def _rows(self, names: Codes | Ints, found: Ints) -> Ints:
        rows: Ints = np.where(found // self.span == names, found % self.span, NONE)
        return rows

    def before(self, names: Codes | Ints, rows: Ints) -> Ints:
        """The last row of each name that came before a row."""
        return self._rows(names, self.padded[self._place(names, rows, "left")])

    def after(self, names: Codes | Ints, rows: Ints) -> Ints:
        """The first row of each name that comes after a row."""
        return self._rows(names, self.padded[1 + self._place(names, rows, "right")])

    def has(self, names: Codes | Ints) -> Bools:
        """Whether a name has any row."""
        first = self.padded[1 + self._place(names, np.zeros(len(names), np.int64), "left")]
        found: Bools = first // self.span == names
        return found

    def count_before(self, names: Codes | Ints, rows: Ints) -> Ints:
        """How many rows of each name came before a row."""
        return self._place(names, rows, "left") - self._place(names, np.zeros(len(names), np.int64), "left")

    def between(self, names: Codes | Ints, since: Ints, until: Ints) -> Bools:
        """Whether a name has a row after one row and before another."""
        following = self.after(names, since)
        found: Bools = (following != NONE) & (following < until)
        return found


class Look:
    """One history, looked at by many. What is found out once is kept.

    answer_of  ask -> the row of its answer, refusal or silence
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.table = history.table()

    # -- rows

    def asks(self, *verbs: str) -> Ints:
        return self.table.at("invoke", *verbs)

    def done(self, *operations: str) -> Ints:
        """What services did."""
        return self.table.at("state", *operations)

    def anew(self, *operations: str) -> Ints:
        """What services did for the first time; replays are left out."""
        rows = self.done(*operations)
        return rows[self.table.is_new[rows]]

    def replayed(self, *operations: str) -> Ints:
        """Where services said again what they had done before."""
        rows = self.done(*operations)
        return rows[~self.table.is_new[rows]]

    def heard(self, verb: str, *answers: str) -> Ints:
        """The answers to a verb, or those of them that say one of these."""
        rows = self.table.at("ok", verb)
        return rows[self.says(rows, "answer", *answers)] if answers else rows

    def silences(self, *verbs: str) -> Ints:
        return self.table.at("info", *verbs)

    def refusals(self, *answers: str) -> Ints:
        rows = self.table.at("fail")
        return rows[self.says(rows, "answer", *answers)]

    def marks(self, name: str) -> Ints:
        return self.table.at("mark", name)

    def moves(self, to_state: str, *from_states: str) -> Ints:
        """Where orders came to a state, from one of these if any are named."""
        rows = self.done("order")
        rows = rows[self.says(rows, "to_state", to_state)]
        return rows[self.says(rows, "from_state", *from_states)] if from_states else rows

    # -- what rows say

    def says(self, rows: Ints, column: str, *texts: str) -> Rows:
        """Whether each row has one of these texts in a column."""
        values = getattr(self.table, column)[rows]
        found: Bools = np.zeros(len(rows), np.bool_)
        for text in texts:
            found |= values == self.table.code(text)
        return found & (rows != NONE)

    def cause(self, rows: Ints) -> Ints:
        """The row that led to each: of an answer or an effect the ask, of an ask what its asker had heard before."""
        return np.where(rows == NONE, NONE, self.table.cause[rows])

    def decided_by(self, asks: Ints) -> Ints:
        """What an asker had heard last when it decided to ask, asleep or awake meanwhile."""
        rows = self.cause(asks)
        while len(asleep := np.flatnonzero(self.says(rows, "kind", "mark"))):
            rows[asleep] = self.cause(rows[asleep])
        return rows

    def order(self, rows: Ints) -> Codes:
        return self.table.order[rows]

    def task(self, rows: Ints) -> Ints:
        """The flow that a row belongs to, as a number; every row of a worker's turn has the same."""
        return self.table.op[rows] >> TASK

    def is_by(self, rows: Ints, role: str) -> Rows:
        """Whether the actor of each row is of a role: `worker-eu-3` is a worker, `inbound` is inbound."""
        return self._are_by(role)[self.table.actor[rows]] & (rows != NONE)

    def _are_by(self, role: str) -> Bools:
        if role not in self._roles:
            actors = np.flatnonzero(np.bincount(self.table.actor))
            found = np.zeros(int(actors.max(initial=-1)) + 1, np.bool_)
            found[actors] = [text.split("-", 1)[0] == role for text in self.table.texts(actors.tolist())]
            self._roles[role] = found
        return self._roles[role]

    @cached_property
    def _roles(self) -> dict[str, Bools]:
        return {}

    @cached_property
    def limits(self) -> dict[str, Any]:
        """What the run said of its scenario."""
        rows = self.table.at("config", "limits")
        said = json.loads(self.table.text(int(self.table.answer[rows[0]])) or "{}") if len(rows) else {}
        return said if isinstance(said, dict) else {}

    # -- asks, answers, effects

    @cached_property
    def answer_of(self) -> Ints:
        table = self.table
        found: Ints = np.full(len(table) + 1, NONE, np.int64)  # the last place is NONE's
        rows = np.flatnonzero(self._is_kind("ok", "info", "fail"))
        asks = table.cause[rows]
        is_answer = (asks != NONE) & (table.kind[asks] == table.code("invoke"))
        found[asks[is_answer][::-1]] = rows[is_answer][::-1]
        return found

    def _is_kind(self, *kinds: str) -> Bools:
        found = np.zeros(len(self.table), np.bool_)
        for kind in kinds:
            found |= self.table.kind == self.table.code(kind)
        return found

    def are(self, rows: Ints) -> Bools:
        """A list of all rows, true for these; its last place is NONE's, and false."""
        found = np.zeros(len(self.table) + 1, np.bool_)
        found[rows[rows != NONE]] = True
        return found

    def led_to(self, asks: Ints, *operations: str) -> Bools:
        """Whether each ask led to an effect of one of these operations."""
        return self.are(self.cause(self.done(*operations)))[asks]

    def done_unheard(self, verb: str, *operations: str) -> Ints:
        """Silences about asks that had been done: the effects stood before the asker gave up."""
        rows = self.anew(*operations)
        asks = self.cause(rows)
        answers = self.answer_of[asks]
        is_lost = self.says(asks, "operation", verb) & self.says(answers, "answer", "silence") & (rows < answers)
        return np.unique(answers[is_lost])

    def done_late(self, *operations: str) -> Ints:
        """Effects that came about when their asker had been answered, or had given up: late asks and late copies."""
        rows = self.done(*operations)
        answers = self.answer_of[self.cause(rows)]
        late: Ints = rows[(answers != NONE) & (answers < rows)]
        return late

    # -- flows

    @cached_property
    def _span_of_task(self) -> tuple[Ints, Ints]:
        rows = np.flatnonzero(self._is_kind("invoke", "ok", "info", "fail", "mark"))
        tasks = self.task(rows)
        first = np.full(int(tasks.max(initial=0)) + 1, NONE, np.int64)
        last = first.copy()
        first[tasks[::-1]] = rows[::-1]
        last[tasks] = rows
        return first, last

    def began(self, rows: Ints) -> Ints:
        """The first row of each row's flow."""
        return self._span_of_task[0][self.task(rows)]

    def ended(self, rows: Ints) -> Ints:
        """The last row of each row's flow."""
        return self._span_of_task[1][self.task(rows)]

    def stopped_at(self, rows: Ints) -> Rows:
        """Those rows after which their flow did nothing more, though the run went on."""
        ends = self.table.at("config", "quiet")
        found = rows[self.ended(rows) == rows]
        return found[found < ends[0]] if len(ends) else found

    @cached_property
    def turns(self) -> Series:
        """What each worker's turn read, by order: the first read of a turn is where it takes the order up."""
        rows = self._turn_rows
        return Series(self.order(rows), rows)

    @cached_property
    def _turn_rows(self) -> Ints:
        rows = self.asks("read_order")
        rows = rows[self.is_by(rows, "worker")]
        first: Ints = rows[begins_of(self.task(rows))]
        return first

    def turn_before(self, rows: Ints) -> Ints:
        """The first read of the turn before, for rows that are the first of theirs."""
        return self.turns.before(self.order(rows), rows)

    # -- orders, goods

    @cached_property
    def steps(self) -> Series:
        """Changes of state, by order."""
        rows = self.done("order")
        return Series(self.order(rows), rows)

    def stands(self, rows: Ints, *states: str) -> Rows:
        """Whether the order of each row stood in one of these states just then."""
        return self.says(self.steps.before(self.order(rows), rows), "to_state", *states)

    @cached_property
    def shelf(self) -> Shelf:
        return Shelf(self, "cache.available", "hold", "free", "drop", "adopt", "rebase")

    @cached_property
    def record(self) -> Shelf:
        return Shelf(self, "record.on_hand", "ship", "receipt", "return", "correction", "foreign_sale")


class Shelf:
    """What one account held of each product, row by row.

    row        rows that moved something, by product and in order
    sku        the product of each
    left       units just after each
    is_first   the first of its product, or the first after everything was lost
    """

    def __init__(self, look: Look, account: str, *operations: str) -> None:
        table = look.table
        moves, openings = look.anew(*operations), table.at("config", "opening")
        moves = moves[
            (table.sku[moves] != 0)
            & (look.says(moves, "debit", account) | look.says(moves, "credit", account))
            & ~look.says(moves, "answer", "ignored")
        ]
        rows = np.concatenate((openings, moves))
        losses = look.done("epoch")
        losses = losses[look.says(losses, "answer", "lost")] if account.startswith("cache.") else NO_ROWS
        order = together(table.sku[rows])
        self.row = rows = rows[order]
        self.sku = table.sku[rows]
        life = np.searchsorted(losses, rows)
        units = np.where(look.says(rows, "credit", account), -table.units[rows], table.units[rows])
        self.is_first = begins(self.sku, life)
        self.left = running_totals(units, self.is_first)
        self.had = self.left - units
        self._order = np.argsort(rows, kind="stable")

    def place(self, rows: Ints) -> Ints:
        """Where these rows, which moved something, stand here."""
        found: Ints = self._order[np.searchsorted(self.row, rows, sorter=self._order)]
        return found

    @cached_property
    def series(self) -> Series:
        return Series(self.sku, self.row)

    def left_at(self, sku: Codes, rows: Ints) -> Ints:
        """Units of a product just before a row; 0 where nothing is known of it."""
        if not len(self.row):
            return np.zeros(len(rows), np.int64)
        last = self.series.before(sku, rows)
        return np.where(last == NONE, 0, self.left[self.place(np.where(last == NONE, self.row[0], last))])


def begins_of(names: Ints | Codes) -> Rows:
    """The first row of each name, whatever stands between its rows."""
    found = np.zeros(len(names), np.bool_)
    found[np.unique(names, return_index=True)[1]] = True
    return found


def overlapping(first: Ints, last: Ints) -> Ints:
    """Stretches, by number, that begin while an earlier one still lasts.

    >>> overlapping(np.array([1, 5, 6]), np.array([3, 9, 7])).tolist()
    [2]
    """
    if not len(first):
        return NO_ROWS
    order = np.argsort(first, kind="stable")
    reach = np.maximum.accumulate(last[order])
    found: Ints = np.sort(order[1:][first[order][1:] < reach[:-1]])
    return found
