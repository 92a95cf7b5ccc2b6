"""The steps of the workflow that a fault may strike, asks of services and runs of jobs; and how a kind says which
it spares.

Names only. What comes of them for all kinds together is in `matrix.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from orderquake.model.verbs import VERBS

JOBS: tuple[str, ...] = ("inbound", "outbound", "recovery", "settlement", "rebuild", "sweep")
"""Jobs that a ticker starts."""
ASKS: tuple[str, ...] = tuple(verb for verbs in VERBS.values() for verb in verbs)
STEPS: tuple[str, ...] = (*ASKS, *JOBS)

READS: frozenset[str] = frozenset(
    {
        "read_order", "read_orders", "list_idle", "list_unposted", "list_unsynced", "read_cursor", "ask_status",
        "look_up", "look_up_hold", "ask_refund", "list_captures", "list_failed_refunds", "read_changes",
    }
)  # fmt: skip
"""Verbs that change nothing."""
TURNS: frozenset[str] = frozenset(
    {
        "read_order", "write_order", "reserve", "consume", "release", "extend", "notify", "ack",
        *VERBS["payment"],
    }
) - {"list_captures", "list_failed_refunds"}  # fmt: skip
"""Verbs of workers' turns; all others are asked by front doors, by jobs, or by who takes an order from the queue."""
OFF_THE_WIRE: frozenset[str] = frozenset({"move"})
"""Done at the service itself: deliveries, stock-takes, tills."""


class Spared(NamedTuple):
    """Steps that a kind of fault cannot strike, and why, in one sentence for all of them."""

    steps: frozenset[str]
    why: str


def none_of_jobs(why: str) -> tuple[Spared, ...]:
    return (Spared(frozenset(JOBS), why),)


def only(steps: Iterable[str], why: str) -> tuple[Spared, ...]:
    """All other steps are spared."""
    return (Spared(frozenset(STEPS) - frozenset(steps), why),)


def all_steps(why: str) -> tuple[Spared, ...]:
    """No step is struck."""
    return only((), why)
