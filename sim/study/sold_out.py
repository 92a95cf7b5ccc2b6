"""Products that ran out: whose last unit for sale was promised at some moment. Reads the columns of a history and
nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from orderquake.sim.history import History
from orderquake.sim.study.grouping import NEVER, Ints, begins, ends, first_rows, last_rows, running_totals, size_of
from orderquake.sim.table import Table

if TYPE_CHECKING:
    import pandas as pd

FOR_SALE = ("cache.available", "record.available")
"""The account of units for sale: the Stock Cache's, or that of a record that keeps the reservations itself."""
_SECOND = 1e6


def sold_out(history: History) -> pd.DataFrame:
    """Products whose last unit for sale was promised at some moment: sku, opening_units, first_s (of the first time),
    is_out (nothing is for sale at the end)."""
    import pandas as pd

    table = history.table()
    moves, openings = _moves(table), table.at("config", "opening")
    rows = np.concatenate((moves, openings))
    is_opening = np.arange(len(rows)) >= len(moves)
    comes = is_opening | np.isin(table.debit[rows], [table.code(account) for account in FOR_SALE])
    # Between two rows of one atomic step nothing is for sale or not: look when the instant is over, that is, before the
    # first move of another one. Instants are counted from 1.
    instants = np.cumsum(begins(table.time[moves]))
    instant = np.concatenate((instants, np.append(0, instants)[np.searchsorted(moves, openings)]))
    order = np.lexsort((rows, table.sku[rows]))
    rows, instant, is_opening, comes = rows[order], instant[order], is_opening[order], comes[order]
    sku, units = table.sku[rows], table.units[rows]
    left = running_totals(np.where(comes, units, -units), begins(sku) | is_opening)
    # A row a product and instant: what is left, and the row that was the first to touch it, if any did.
    last = np.flatnonzero(ends(sku, instant))
    first_move = first_rows(np.cumsum(begins(sku, instant))[~is_opening] - 1, rows[~is_opening], len(last))
    out = np.flatnonzero((left[last] <= 0) & (first_move != NEVER))
    out = out[begins(sku[last[out]])]
    out = out[np.argsort(first_move[out], kind="stable")]
    found = sku[last[out]]
    opening = last_rows(table.sku[openings], openings, size_of(sku))[found]
    at_end = np.zeros(size_of(sku), np.int64)
    at_end[sku[ends(sku)]] = left[ends(sku)]
    return pd.DataFrame(
        {
            "sku": table.texts(found.tolist()),
            "opening_units": np.where(opening >= 0, table.units[opening], 0).tolist(),
            "first_s": (table.time[first_move[out]] / _SECOND).tolist(),
            "is_out": (at_end[found] <= 0).tolist(),
        }
    )


def _moves(table: Table) -> Ints:
    """Rows that put units on sale or take them off it."""
    rows, accounts = table.at("state"), [table.code(account) for account in FOR_SALE]
    rows = rows[(np.isin(table.debit[rows], accounts) | np.isin(table.credit[rows], accounts)) & table.is_new[rows]]
    is_ignored = (table.operation[rows] == table.code("rebase")) & (table.answer[rows] != table.code("applied"))
    moves: Ints = rows[~is_ignored]
    return moves
