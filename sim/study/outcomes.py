"""How the orders ended, counted. Reads the columns of a history and nothing else; no model in this file."""

from __future__ import annotations

import numpy as np

from orderquake.sim.history import History
from orderquake.sim.study.customers import submissions
from orderquake.sim.study.grouping import Codes, first_rows, last_rows, size_of
from orderquake.sim.study.memory import remembered

ENDINGS = ("fulfilled", "declined", "refunded", "cancelled")


def outcomes(history: History) -> dict[str, int]:
    """How the orders ended, in numbers of orders (`foreign_oversold_units` in units).

    accepted = fulfilled + declined + refunded + cancelled + pending; submitted counts all that was sent.
    """
    return dict(_outcomes(history))


@remembered
def _outcomes(history: History) -> dict[str, int]:
    from orderquake.sim.checkers.columns import foreign_oversold_units

    table = history.table()
    moves, tellings, lines = (table.at("state", operation) for operation in ("order", "notice", "ordered"))
    tellings = tellings[table.is_new[tellings]]
    moved, told, registered = table.order[moves], table.order[tellings], table.order[lines]
    size = size_of(moved, told, registered)
    # The order's own row is the word on where it stands; a notice speaks where the history has no such row.
    move, telling = last_rows(moved, moves, size), last_rows(told, tellings, size)
    is_registered = np.zeros(size, np.bool_)
    is_registered[registered] = True
    is_known = (move >= 0) | is_registered
    is_only_told = (telling >= 0) & ~is_known
    accepted = int(np.count_nonzero(is_known | is_only_told))
    stand = table.to_state[np.concatenate((move[move >= 0], telling[is_only_told]))]
    counts = {ending: int(np.count_nonzero(stand == table.code(ending))) for ending in ENDINGS}
    # Told that the goods come, and refunded after that.
    confirmations = tellings[table.to_state[tellings] == table.code("fulfilled")]
    refunds = np.concatenate((moves, tellings))
    refunds = refunds[table.to_state[refunds] == table.code("refunded")]
    confirmed = first_rows(table.order[confirmations], confirmations, size)
    is_refunded_after = confirmed < last_rows(table.order[refunds], refunds, size)
    posts = table.at("state", "post")
    posts = posts[table.is_new[posts] & (table.answer[posts] == table.code("posted"))]
    posted = np.where(table.key[posts] != 0, table.key[posts], table.order[posts])
    return {
        "submitted": _different(submissions(table).order),
        "accepted": accepted,
        **counts,
        "pending": accepted - sum(counts.values()),
        "dead_letters": _different(table.order[table.at("state", "dead_letter")]),
        "posted": _different(posted),
        "confirmed_then_refunded": int(np.count_nonzero(is_refunded_after)),
        "foreign_oversold_units": sum(foreign_oversold_units(history).values()),
    }


def _different(names: Codes) -> int:
    """How many different ones there are."""
    return int(np.count_nonzero(np.bincount(names)))
