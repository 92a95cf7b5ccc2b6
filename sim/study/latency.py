"""How long each step of an order's life took, from its asks and their answers, and how long customers waited.

Reads the columns of a history and nothing else; no simulation engine and no model in this file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from orderquake.sim.history import History
from orderquake.sim.study.customers import submissions
from orderquake.sim.study.grouping import NEVER, Bools, Ints, begins, first_rows, latest, numbered, pairs, size_of
from orderquake.sim.study.memory import remembered
from orderquake.sim.table import Table

if TYPE_CHECKING:
    import pandas as pd

ASKED: Mapping[str, str] = {
    "register": "register",
    "charge": "charge",
    "reserve": "reserve",
    "consume": "fulfil",
    "refund": "refund",
    "notify": "notice",
    "post": "post",
    "refresh": "refresh",
}
"""Operation of an ask -> the step of the order's life it is reported as."""

STEPS: tuple[str, ...] = (*ASKED.values(), "checkout", "decision")
"""Latency steps, in the order in which they are reported."""

QUANTILES: Mapping[str, float] = {"p50_s": 0.5, "p90_s": 0.9, "p99_s": 0.99, "p999_s": 0.999}
_SECOND = 1e6


class Asked(NamedTuple):
    """How long each ask of one step took, microseconds, and how many were never answered."""

    latency_us: Ints
    unanswered: int


@remembered
def latencies(history: History) -> dict[str, Asked]:
    """Every latency of every step, in the order in which they began.

    An ask lasts from the first attempt of its key to the first answer to any attempt: retries, and a crash with the
    recovery after it, count in full; an ask without a key is known by its `op_id`. `checkout` lasts from the intended
    arrival to the first registered answer, `decision` from the intended arrival to the first final answer.
    """
    table = history.table()
    return _of_asks(table) | _of_customers(table)


def _of_asks(table: Table) -> dict[str, Asked]:
    asks = table.at("invoke", *ASKED)
    rows = np.concatenate((asks, table.at("ok", *ASKED)))
    in_order = np.argsort(rows, kind="stable")
    rows, is_ask = rows[in_order], in_order < len(asks)
    operation, time = table.operation[rows], table.time[rows]
    ask, is_known, op = _asks_of(table.op[rows], is_ask)
    order, key = table.order[rows[ask]], table.key[rows[ask]]
    # What makes two asks the same ask: order and key, or else the op_id; an answer is called as its ask is.
    name = numbered(np.where(key != 0, pairs(order, key), -1 - op))
    is_heard = ~is_ask & (is_known | (key != 0))
    size = size_of(name)
    found = {}
    for verb, step in ASKED.items():
        is_verb = operation == table.code(verb)
        asked, heard = np.flatnonzero(is_verb & is_ask), np.flatnonzero(is_verb & is_heard)
        began = first_rows(name[asked], asked, size)
        names = np.flatnonzero(began != NEVER)
        began, ended = began[names], first_rows(name[heard], heard, size)[names]
        found[step] = _between(began, time[began], _moments(time, ended))
    return found


def _asks_of(op: Ints, is_ask: Bools) -> tuple[Ints, Bools, Ints]:
    """For each row the place of the latest ask with its op_id up to there, itself where there is none; whether there is
    one; and the number of its op_id."""
    by_op = np.argsort(op, kind="stable")
    number = np.cumsum(begins(op[by_op])) - 1
    last = latest(is_ask[by_op])
    is_known = (last >= 0) & (number[last] == number)
    ask = by_op[np.where(is_known, last, np.arange(len(op)))]
    back = np.empty(len(op), np.int64)
    back[by_op] = np.arange(len(op))
    return ask[back], is_known[back], number[back]


def _of_customers(table: Table) -> dict[str, Asked]:
    return {step: _between(*each) for step, each in _waits(table).items()}


def waits(history: History) -> dict[str, tuple[Ints, Ints]]:
    """`checkout` and `decision` -> when each order was first sent, and when its customer had that answer, NEVER where
    none came; microseconds."""
    return {step: (began, ended) for step, (_, began, ended) in _waits(history.table()).items()}


def _waits(table: Table) -> dict[str, tuple[Ints, Ints, Ints]]:
    """Of each order: the row that began it, and the moments as in `waits`."""
    time, is_sent, name, order = submissions(table)
    told = table.at("state", "notice")
    told = told[table.is_new[told]]
    size = size_of(name, order, table.order[told])
    became = np.zeros(size, np.int64)
    became[name] = order
    sent, arrived = _by_order(first_rows(name[is_sent], np.flatnonzero(is_sent), size), became, time)
    _, heard = _by_order(first_rows(name[~is_sent], np.flatnonzero(~is_sent), size), became, time)
    decided = _moments(table.time, first_rows(table.order[told], told, size))
    names = np.flatnonzero(sent != NEVER)
    return {
        "checkout": (sent[names], arrived[names], heard[names]),
        "decision": (sent[names], arrived[names], decided[names]),
    }


def _by_order(first: Ints, became: Ints, time: Ints) -> tuple[Ints, Ints]:
    """From the first row of each submission to the first row and the earliest moment of each order."""
    names = np.flatnonzero(first != NEVER)
    rows = first_rows(became[names], first[names], len(first))
    return rows, first_rows(became[names], time[first[names]], len(first))


def _moments(time: Ints, rows: Ints) -> Ints:
    """When each of these rows was written, NEVER for one that does not come."""
    moments = np.full(len(rows), NEVER, np.int64)
    comes = rows != NEVER
    moments[comes] = time[rows[comes]]
    return moments


def _between(rows: Ints, began: Ints, ended: Ints) -> Asked:
    """How long from `began` to `ended`, NEVER where it did not end, in the order of the rows in which they began."""
    order = np.argsort(rows, kind="stable")
    began, ended = began[order], ended[order]
    is_answered = ended != NEVER
    return Asked((ended - began)[is_answered], int(np.count_nonzero(~is_answered)))


def quantile(ordered: Ints, q: float) -> float:
    """The least value that at least a share `q` of the values stay within, in the values' unit; NaN where there are
    fewer than 1/(1 - q), because then no value can be expected beyond it and the quantile would be the largest value
    under another name: p99 is claimed from 100 values on, p99.9 from 1000."""
    n = len(ordered)
    if n == 0 or n < round(1 / (1 - q)):
        return math.nan
    return float(ordered[max(math.ceil(round(q * n, 9)), 1) - 1])


def latency(history: History) -> pd.DataFrame:
    """Latency by step: index `step`; n (answered), p50_s, p90_s, p99_s, p999_s, mean_s, unanswered.

    Quantiles are values that were really observed, and NaN where `quantile` does not claim them. What was never
    answered is counted in `unanswered`, not in the quantiles.
    """
    import pandas as pd

    asked = latencies(history)
    ordered = [np.sort(each.latency_us) for each in asked.values()]
    return pd.DataFrame(
        {"n": [len(each) for each in ordered]}
        | {name: [quantile(each, q) / _SECOND for each in ordered] for name, q in QUANTILES.items()}
        | {"mean_s": [float(each.mean()) / _SECOND if len(each) else math.nan for each in ordered]}
        | {"unanswered": [each.unanswered for each in asked.values()]},
        index=pd.Index(list(asked), name="step"),
    )
