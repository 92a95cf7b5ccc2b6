"""What a checker has found about one order or one product, and how many findings become one verdict.

No promise is judged in this file.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from orderquake.sim.checkers.fold import Checker, Context, Status, Verdict
from orderquake.sim.history import Row

S = TypeVar("S", bound=Hashable)
Kinds: TypeAlias = Mapping[str, frozenset[str]]
"""What a checker hears: kind of row -> operations."""


class Aside(int):
    """A number kept for the telling, not for the judging: the index of a row to show, a count of obligations.

    All asides are equal. Two branches of a proof that differ only in when a thing happened are one branch,
    and a checker's state, which is part of the branch's fingerprint, must not tell them apart.

    >>> Aside(3) == Aside(8), hash(Aside(3)) == hash(Aside(8)), int(Aside(3))
    (True, True, 3)
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Aside)

    def __ne__(self, other: object) -> bool:
        return not isinstance(other, Aside)

    def __hash__(self) -> int:
        return 0


NOTHING = Aside(0)
NOWHERE = Aside(-1)


class Finding(NamedTuple):
    """The judgement of one part. One that is invalid replaces the part's state, so that it never goes away.

    witness   indices of the rows that show it, in order
    """

    status: Status
    obligations: Aside
    reason: str = ""
    witness: tuple[Aside, ...] = ()


def kept(obligations: int) -> Finding:
    """The promise was put to the test so often, and kept."""
    return Finding("valid", Aside(obligations))


def broken(obligations: int, reason: str, *witness: int) -> Finding:
    """The promise was broken; `witness` in any order, absent rows negative."""
    shown = sorted({int(index) for index in witness if index >= 0})
    return Finding("invalid", Aside(obligations), reason, tuple(Aside(index) for index in shown))


def undecided(obligations: int, reason: str) -> Finding:
    """The history does not say."""
    return Finding("unknown", Aside(obligations), reason)


def is_over(context: Context) -> bool:
    """Everything has ended, or the run has reached the moment by which it should have (at exactly that
    moment: yes)."""
    if context.ended_at is None:
        return False
    return context.complete or (context.quiet_by is not None and context.ended_at >= context.quiet_by)


def not_by_the_end(context: Context, needs: frozenset[str], obligations: int, reason: str, *witness: int) -> Finding:
    """What an obligation still open amounts to: undecided while the history goes on or what it needs is dead
    for ever."""
    if not is_over(context):
        return undecided(obligations, f"{reason}, but the history ends before all had to be over")
    if excuses := sorted(needs & context.dead):
        return undecided(obligations, f"{reason}, but {' and '.join(excuses)} never came back")
    return broken(obligations, reason, *witness)


def conclude(findings: Iterable[Finding]) -> Verdict:
    """One verdict of many findings, in any order: the worst, and among the broken the one whose last row came
    first."""
    obligations = 0
    worst: list[Finding] = []
    pending: list[Finding] = []
    for finding in findings:
        obligations += finding.obligations
        if finding.status == "invalid":
            worst.append(finding)
        elif finding.status == "unknown":
            pending.append(finding)
    if worst:
        first = min(worst, key=_when_it_showed)
        return Verdict.invalid(obligations, _counted(first.reason, len(worst)), (int(i) for i in first.witness))
    if pending:
        return Verdict.unknown(obligations, _counted(min(finding.reason for finding in pending), len(pending)))
    return Verdict.valid(obligations)


def _when_it_showed(finding: Finding) -> tuple[list[int], str]:
    return [int(index) for index in reversed(finding.witness)], finding.reason


def _counted(reason: str, number: int) -> str:
    return reason if number == 1 else f"{reason} (and {number - 1} more)"


class PartByPart(Checker[S | Finding], Generic[S]):
    """A promise about one thing at a time, where the first violation in a part is all that is said of the
    part."""

    @abstractmethod
    def hear(self, state: S, row: Row, context: Context) -> S | Finding:
        """The part's state after one more row, or the finding that the promise is broken."""

    @abstractmethod
    def settle(self, part: str, state: S, context: Context) -> Finding:
        """The judgement of one part, so far as the history goes; no obligations where it was not tested."""

    def step(self, state: S | Finding, row: Row, context: Context) -> S | Finding:
        return state if isinstance(state, Finding) else self.hear(state, row, context)

    def findings(self, parts: Mapping[str, S | Finding], context: Context) -> dict[str, Finding]:
        """Part -> its judgement, so far as the history goes."""
        return {
            part: state if isinstance(state, Finding) else self.settle(part, state, context)
            for part, state in parts.items()
        }

    def verdict(self, parts: Mapping[str, S | Finding], context: Context) -> Verdict:
        return conclude(self.findings(parts, context).values())
