"""A short story as beats: who says what to whom, in order, with faults among them; each actor has a lane.

Diagrams, tables and notebooks draw beats. For runs of a few orders; one order of a long run is told by `story.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from orderquake.sim.history import NONE, History, Row
from orderquake.sim.report import words
from orderquake.sim.report.story_steps import Step, names_in, steps_of

LANES: Final = (
    "customer", "workers", "payment", "order cache", "stock cache", "record", "jobs",
)  # fmt: skip
"""From left to right; only those that are used are drawn."""
LANE_OF: Final = {
    "order_cache": "order cache", "stock": "stock cache", "record": "record", "payment": "payment",
    "notice": "customer", "queue": "workers", "customer": "customer", "workflow": "workers",
}  # fmt: skip
ANSWERS: Final = {
    "charge": "payment", "look_up": "payment", "authorise": "payment", "capture_hold": "payment",
    "void_hold": "payment", "refund": "payment", "ask_refund": "payment", "list_captures": "payment",
    "post": "record", "read_changes": "record", "notify": "customer",
}  # fmt: skip
"""Ask -> the lane of whoever answers; all others are the stock's, but for what only the Order Cache hears."""
OF_ORDERS: Final = frozenset({
    "register", "read_order", "write_order", "write_orders", "list_idle", "list_unposted", "read_orders", "ordered",
})  # fmt: skip


class Beat(NamedTuple):
    """One line of a diagram.

    kind      ask, act (nobody asked), told, came (a customer), fault
    number    of the step, from 1; 0 for what is none
    row       its last row in the history
    """

    kind: str
    time_us: int
    here: str
    there: str
    text: str
    row: int
    number: int = 0


def beats_of(history: History, until: int | None = None) -> list[Beat]:
    """The beats up to a row, in order."""
    names = names_in(history)
    rows = list(history)[: None if until is None else until + 1]
    by_index = {row.index: row for row in rows}
    steps = steps_of(history, until)
    beats = [_of_step(step, number, by_index) for number, step in enumerate(steps, start=1)]
    beats += [beat for row in rows if (beat := _of_row(row, names, by_index)) is not None]
    return sorted(beats, key=lambda beat: beat.row)


def _of_step(step: Step, number: int, rows: dict[int, Row]) -> Beat:
    first = rows[step.rows[0]]
    text = f"{step.ask.replace('_', ' ')}: {step.outcome}" if step.ask else step.outcome
    if first.kind != "invoke":
        lane = LANE_OF.get(first.actor, "workers")
        return Beat("act", step.time_us, lane, lane, text, step.row, number)
    here = lane_of(first.actor)
    doer = next((rows[index].actor for index in step.rows[1:] if rows[index].kind == "state"), "")
    there = LANE_OF.get(doer) or answers(step.ask)
    who = f"{step.who}, " if here == "workers" and step.who else ""
    return Beat("ask", step.time_us, here, there, f"{who}{text}", step.row, number)


def answers(ask: str) -> str:
    """The lane of whoever answers an ask."""
    return ANSWERS.get(ask) or ("order cache" if ask in OF_ORDERS else "stock cache")


def lane_of(actor: str) -> str:
    """The lane of somebody who asks."""
    if actor.startswith(("worker", "front")):
        return "workers"
    return LANE_OF.get(actor, "jobs")


def _of_row(row: Row, names: dict[str, str], rows: dict[int, Row]) -> Beat | None:
    who = names.get(row.order, row.order)
    if row.kind == "invoke" and row.operation in ("submit", "cancel"):
        says = {"submit": "orders", "cancel": "wants to cancel"}[row.operation] + (" again" if row.attempt else "")
        return Beat("came", row.time, "customer", "workers", f"{who} {says}", row.index)
    if row.kind == "state" and row.operation == "notice" and row.is_new:
        return Beat("told", row.time, "workers", "customer", f"{who} is told: {row.to_state}", row.index)
    if row.kind == "state" and row.operation == "sync" and row.to_state == "posting":
        return None
    if row.kind == "fault" and row.answer in ("witnessed", "injected", "recovered"):
        return _of_fault(row, names, rows)
    if row.kind == "mark" and row.operation in ("paused", "woke", "worker_killed_at_deadline"):
        return Beat(
            "fault", row.time, "workers", "workers", f"{who}: {words.plain(row.operation)}".lstrip(": "), row.index
        )
    return None


def _of_fault(row: Row, names: dict[str, str], rows: dict[int, Row]) -> Beat | None:
    cause = rows.get(row.cause) if row.cause != NONE else None
    what = words.plain(row.operation)
    lane = LANE_OF.get(row.actor, "workers")
    if row.answer == "witnessed" and cause is not None and cause.kind == "invoke":
        who = names.get(cause.order, cause.actor)
        return Beat("fault", row.time, lane, lane, f"{what}: {who}, {words.plain(cause.operation)}", row.index)
    if row.operation in ("down", "offline", "partition", "read_only", "slow", "wiped", "stale_reads"):
        said = {"injected": "begins", "recovered": "ends"}.get(row.answer)
        return Beat("fault", row.time, lane, lane, f"{what} {said}", row.index) if said else None
    return Beat("fault", row.time, lane, lane, what, row.index) if row.answer == "witnessed" else None


def lanes_of(beats: Sequence[Beat]) -> list[str]:
    """The lanes that are used, from left to right."""
    used = {lane for beat in beats for lane in (beat.here, beat.there)}
    return [lane for lane in LANES if lane in used]


def window_of(beats: Sequence[Beat], witness: Sequence[int]) -> tuple[int, int]:
    """First and last beat of the breach: from the first row that shows it to the last."""
    if not beats:
        return 0, 0
    first, last = min(witness, default=beats[-1].row), max(witness, default=beats[-1].row)
    inside = [place for place, beat in enumerate(beats) if first <= beat.row <= last]
    return (inside[0], inside[-1]) if inside else (len(beats) - 1, len(beats) - 1)
