"""Why something may stay undone for ever: told by the ledgers and the fault rows alone.

A second opinion on what the checkers excuse, which shares no code with them. There are two excuses: the record has
refused a post for good, or a service that is needed was away when the history ended. Whether goods left is told by a
notice or by the record's book; only where both are missing may it stay open.
"""

from __future__ import annotations

from orderquake.sim.history import History

NEEDS_RECORD = ("posted_once", "books_converge")
"""Checkers of promises that only the record can keep."""
NEEDS: dict[str, tuple[str, ...]] = {
    "record": NEEDS_RECORD,
    "stock": ("books_converge", "reservation_hygiene"),
    "notice": ("notices_sent",),
    "payment": ("every_order_ends", "money_conserved", "refunded_right", *NEEDS_RECORD),
    "order_cache": ("every_order_ends", "money_conserved", "refunded_right", "notices_sent", *NEEDS_RECORD),
}
"""Service -> promises that stay open without it."""


def excuses(history: History) -> dict[str, str]:
    """Checker -> why it may be unable to tell.

    >>> history = History()
    >>> index = history.state(5, "post", order="o-1", key="o-1/final", answer="rejected", witness="outside")
    >>> excuses(history)["posted_once"]
    'the record refuses the post of o-1 for good'
    """
    table, found = history.table(), dict[str, str]()
    for row in history.rows_at(table.at("state", "post")):
        if row.answer == "rejected":
            for name in NEEDS_RECORD:
                found.setdefault(name, f"the record refuses the post of {row.order} for good")
    away = away_at_the_end(history)
    for service in away:
        for name in NEEDS.get(service, ()):
            found.setdefault(name, f"{service} was away when all ended")
    if "notice" in away and "posted_once" in found:
        found.setdefault("refunded_right", "neither a notice nor the record's book can tell whether the goods left")
    return found


OUTAGES = ("down", "offline", "partition", "read_only")
"""Faults after which nobody does what the service is there for."""


def away_at_the_end(history: History) -> list[str]:
    """Services that went down and did not come back, in the order of their going."""
    down: dict[str, str] = {}  # label -> service
    for row in history.rows_at(history.table().at("fault", *OUTAGES)):
        if row.answer == "injected":
            down[row.key] = row.actor
        elif row.answer == "recovered":
            down.pop(row.key, None)
    return list(dict.fromkeys(down.values()))
