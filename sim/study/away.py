"""Who was served while something was away: the record, the payment provider, or a place. Reads the history only."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from orderquake.sim.history import History
from orderquake.sim.study.customers import submissions
from orderquake.sim.study.faults import Window, faults
from orderquake.sim.study.grouping import NEVER, Ints, first_rows, size_of

OUTAGES = ("down", "offline")
CUTS = ("partition",)
AWAY: Mapping[str, tuple[str, ...]] = {"record": ("record",), "provider": ("payment",), "region": ()}
"""What is away -> the services that are then down; a region is away when places are cut off from each other."""


def answered_while_away(history: History, who: str = "record") -> tuple[float, float]:
    """Of those who came while it was away: the share that heard that their order is registered, and the share that
    heard how it ended, before it was back. NaN where it never was away, or nobody came."""
    windows = [window for window in faults(history) if _is_away(window, who)]
    if not windows:
        return math.nan, math.nan
    table = history.table()
    sent = submissions(table)
    told = table.at("state", "notice")
    size = size_of(sent.order, table.order[told])
    rows = np.arange(len(sent.time))
    first, heard = (first_rows(sent.order[is_], rows[is_], size) for is_ in (sent.is_sent, ~sent.is_sent))
    ended = first_rows(table.order[told], told, size)
    come = first != NEVER
    arrived = sent.time[first[come]]
    registered, decided = moments(sent.time, heard[come]), moments(table.time, ended[come])
    came = answered = knew = 0
    for since, until in _apart(windows):
        here = (arrived >= since) & (arrived < until)
        came += int(here.sum())
        answered += int((registered[here] < until).sum())
        knew += int((decided[here] < until).sum())
    return (answered / came, knew / came) if came else (math.nan, math.nan)


def _is_away(window: Window, who: str) -> bool:
    kinds = CUTS if who == "region" else OUTAGES
    return window.kind in kinds and window.until_us is not None and (who == "region" or window.target in AWAY[who])


def _apart(windows: list[Window]) -> list[tuple[int, int]]:
    """Their moments, so that none counts twice: a place may be cut off from several others at once."""
    found: list[tuple[int, int]] = []
    for since, until in sorted((window.from_us, window.until_us or 0) for window in windows):
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(until, found[-1][1]))
        else:
            found.append((since, until))
    return found


def moments(time: Ints, rows: Ints) -> Ints:
    """When each of these rows was written, NEVER for one that does not come."""
    found = np.full(len(rows), NEVER, np.int64)
    found[rows != NEVER] = time[rows[rows != NEVER]]
    return found
