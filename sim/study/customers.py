"""What customers did and heard: their submissions and the orders that these became, when orders came and were decided,
and who waited longest.

Reads the columns of a history and nothing else; no simulation engine and no model in this file.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from orderquake.sim.history import History
from orderquake.sim.study.grouping import NEVER, Bools, Codes, Ints, first_rows, last_rows, size_of
from orderquake.sim.table import Table


class Submissions(NamedTuple):
    """The rows in which a customer sends an order (`is_sent`) or hears that it is registered, in the order of rows.

    time    microseconds
    name    what the submission is called, as a code: by its key, or by its order where it has none
    order   the order that it became, as a code: the last one that any row names beside its key, else its name
    """

    time: Ints
    is_sent: Bools
    name: Codes
    order: Codes


def submissions(table: Table) -> Submissions:
    """Every customer's submissions."""
    some = table.take(np.sort(np.concatenate((table.at("invoke", "submit"), table.at("ok", "submit"))), kind="stable"))
    mine = some.actor == table.code("customer")
    order, key, is_sent = some.order[mine], some.key[mine], some.kind[mine] == table.code("invoke")
    name = np.where(key != 0, key, order)
    says_both = np.flatnonzero((key != 0) & (order != 0))
    last = last_rows(key[says_both], says_both, size_of(name))
    became = np.where(last[name] >= 0, order[last[name]], name)
    return Submissions(some.time[mine], is_sent, name, became)


def arrivals(history: History) -> Ints:
    """When each submission was first sent, microseconds, in the order of rows."""
    table = history.table()
    sent = table.at("invoke", "submit")
    order, key = table.order[sent], table.key[sent]
    return _first_moments(table, np.where(key != 0, key, order), sent)


def decisions(history: History) -> Ints:
    """When each order's customer was first told how it ended, microseconds, in the order of rows."""
    table = history.table()
    told = table.at("state", "notice")
    return _first_moments(table, table.order[told], told)


def _first_moments(table: Table, names: Codes, rows: Ints) -> Ints:
    first = first_rows(names, rows, size_of(names))
    moments: Ints = table.time[np.sort(first[first != NEVER])]
    return moments


def waited_longest(history: History) -> str:
    """The order whose customer waited longest from its submission for being told how it ended, the first of several;
    "" where nobody was told. Whoever is told of an order that was not sent before has not waited."""
    table = history.table()
    sent, told = table.at("invoke", "submit"), table.at("state", "notice")
    sent = sent[table.order[sent] != 0]
    order = table.order[told]
    first = first_rows(table.order[sent], sent, size_of(table.order[sent], order))[order]
    waited = table.time[told] - table.time[np.minimum(first, told)]
    if not len(told) or waited.max() < 0:
        return ""
    return table.text(int(order[waited.argmax()]))
