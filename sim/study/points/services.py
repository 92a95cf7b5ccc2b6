"""Moments of services under load and of the clock that starts the jobs: turned away, throttled, at the last attempt."""

from __future__ import annotations

import numpy as np

from orderquake.sim.study.grouping import Bools, begins
from orderquake.sim.study.points.look import Look, Rows, overlapping
from orderquake.sim.study.points.point import family

point = family("services")

JOBS = ("inbound", "outbound", "recovery", "settlement", "sweep", "rebuild")
FINAL = ("fulfilled", "refunded", "declined", "cancelled")


def _runs(look: Look) -> Rows:
    """The first ask of each run of a job."""
    rows = look.table.at("invoke", *FIRST_ASKS)
    is_job: Bools = np.zeros(len(rows), np.bool_)
    for job in JOBS:
        is_job |= look.is_by(rows, job)
    rows = rows[is_job]
    return rows[look.began(rows) == rows]


FIRST_ASKS = ("ask_status", "list_unposted", "list_idle", "read_cursor", "lapse")
"""With what a job's run begins."""


@point()
def a_call_was_throttled(look: Look) -> Rows:
    """A definite no: nothing was done."""
    return look.refusals("throttled", "account_throttled")


@point()
def a_service_had_no_room_in_its_line(look: Look) -> Rows:
    """Full is a definite no, and no silence."""
    return look.refusals("queue_full")


@point()
def somebody_in_line_was_turned_away(look: Look) -> Rows:
    """It had waited there for long, and nothing was done."""
    return look.refusals("reneged")


@point()
def a_refused_ask_was_sent_again_and_answered(look: Look) -> Rows:
    """Being turned away cost time and nothing else."""
    asks = look.cause(look.table.at("ok"))
    rows = look.table.at("ok")
    is_ask = look.says(asks, "kind", "invoke")
    return rows[is_ask & look.says(look.cause(asks), "kind", "fail")]


@point()
def the_last_attempt_was_answered(look: Look) -> Rows:
    """One more silence, and patience would have ended."""
    attempts = look.limits.get("max_attempts", {})
    if not isinstance(attempts, dict):
        return look.refusals()[:0]
    asks = look.table.at("invoke")
    late = asks[look.table.attempt[asks] > 0]
    answers = look.answer_of[late]
    late, answers = (each[look.says(answers, "kind", "ok")] for each in (late, answers))
    most = np.array([attempts.get(verb, 0) for verb in look.table.texts(look.table.operation[late].tolist())], np.int64)
    return answers[look.table.attempt[late] == most - 1]


@point()
def a_job_was_started_twice_at_once(look: Look) -> Rows:
    """The clock struck twice."""
    rows, table = _runs(look), look.table
    rows = rows[np.lexsort((rows, table.time[rows], table.actor[rows]))]
    return rows[~begins(table.actor[rows], table.time[rows])]


@point()
def a_job_began_before_its_last_run_had_ended(look: Look) -> Rows:
    """A clock waits for nobody."""
    rows, actors = _runs(look), look.table.actor
    found = []
    for actor in np.unique(actors[rows]).tolist():
        mine = rows[actors[rows] == actor]
        found.append(mine[overlapping(mine, look.ended(mine))])
    return np.concatenate(found) if found else rows


@point()
def an_order_ended_only_when_all_was_quiet(look: Look) -> Rows:
    """The faults were over, and something was still to be done."""
    rows, quiet = look.done("order"), look.table.at("config", "quiet")
    rows = rows[look.says(rows, "to_state", *FINAL)]
    return rows[rows > quiet[0]] if len(quiet) else rows[:0]
