"""The windows in which faults were at work. Reads the history's fault rows and nothing else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from orderquake.sim.history import History
from orderquake.sim.study.grouping import begins, latest, running_totals


class Window(NamedTuple):
    """A fault while it lasted. until_us is None where it was never healed; witnessed counts the times it really bit:
    its witness rows, or the count that a fault row carries in `units` where the witness is written down only once."""

    kind: str
    target: str
    label: str
    from_us: int
    until_us: int | None
    injected: int
    witnessed: int


def faults(history: History) -> list[Window]:
    """The windows in which faults were at work, in the order in which they began.

    What bites although its window is over, a late copy, say, is counted in the window that was.
    """
    table = history.table()
    rows = table.at("fault")
    if not len(rows):
        return []
    some = table.take(rows)
    order = np.lexsort((rows, some.key, some.actor, some.operation))
    rows, kind, target, label = rows[order], some.operation[order], some.actor[order], some.key[order]
    answer, time, units = some.answer[order], some.time[order], some.units[order]
    is_witness, is_end = answer == table.code("witnessed"), answer == table.code("recovered")
    is_fault = begins(kind, target, label)
    # A window begins with the first row of its fault, and with the first one after an end that is no witness.
    fault = np.cumsum(is_fault)
    before = np.append(-1, latest(~is_witness)[:-1])
    is_over = (before >= 0) & (fault[before] == fault) & is_end[before]
    is_first = is_fault | (is_over & ~is_witness)
    first = np.flatnonzero(is_first)
    window = np.cumsum(is_first) - 1
    injected = np.bincount(window[~is_witness & ~is_end], minlength=len(first))
    witnessed = np.bincount(window[is_witness], minlength=len(first))
    # The end may say how often it bit until then; what bites later comes on top.
    ends = np.flatnonzero(is_end)
    until_then = running_totals(is_witness.astype(np.int64), is_first)[ends]
    witnessed[window[ends]] += np.maximum(until_then, units[ends]) - until_then
    end = np.full(len(first), -1, np.int64)
    end[window[ends]] = ends
    began = np.argsort(rows[first], kind="stable")
    named = (table.texts(column[first[began]].tolist()) for column in (kind, target, label))
    healed = np.where(end >= 0, time[end], -1)
    counted = (column[began].tolist() for column in (time[first], end, healed, injected, witnessed))
    return [
        Window(what, where, name, since, until if ended >= 0 else None, done, bites)
        for what, where, name, since, ended, until, done, bites in zip(*named, *counted, strict=True)
    ]
