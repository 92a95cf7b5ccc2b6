"""Many promises, one answer: what a run as a whole comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orderquake.sim.checkers.fold import WORST, Status, Verdict


def run_verdict(verdicts: Mapping[str, Verdict], must_exercise: Iterable[str]) -> Status:
    """The worst of the checkers that the scenario must exercise, and of all that are invalid.

    A checker that must be exercised and was not, or was not asked at all, makes the run unknown; so does a
    scenario that exercises nothing. What others could not tell does not count.

    >>> run_verdict({"charged_once": Verdict.valid(3), "notices_sent": Verdict.valid(0)}, ["charged_once"])
    'valid'
    >>> run_verdict({"charged_once": Verdict.valid(3), "notices_sent": Verdict.valid(0)}, ["notices_sent"])
    'unknown'
    """
    statuses: list[Status] = [verdict.status for verdict in verdicts.values() if verdict.status == "invalid"]
    named = tuple(must_exercise)
    for name in named:
        verdict = verdicts.get(name)
        tested = verdict is not None and (verdict.was_exercised or verdict.status == "invalid")
        statuses.append(verdict.status if verdict is not None and tested else "unknown")
    return max(statuses, key=WORST.__getitem__, default="unknown")
