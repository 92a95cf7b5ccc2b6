"""Judges a whole history: every part of it by the checkers' folds, or as few parts as are needed to know the same.

The folds are the only judges. `judge_fully` lets them hear every row. `judge` spares them what cannot matter: a promise
that whole columns show to be kept, and the parts that are like one which they have found valid. Both give the same
verdicts on every history, to the reason and the witness; where anything is not plainly valid the folds hear it all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np

from orderquake.sim.checkers.finding import Finding, PartByPart, conclude, kept
from orderquake.sim.checkers.fold import EVERY, Checker, Context, Judge, Verdict
from orderquake.sim.checkers.groups import Bools
from orderquake.sim.checkers.shapes import Parts, parts_by_shape
from orderquake.sim.history import History, Row, Table

FEW = 2_500
"""Rows that are sooner heard than looked over for what may be spared."""


def judge_fully(history: History, checkers: Iterable[Checker[Any]]) -> dict[str, Verdict]:
    """Verdicts of the checkers on a whole history, by hearing every row."""
    panel = Judge(checkers)
    panel.hear(history)
    return panel.verdicts()


def judge(history: History, checkers: Iterable[Checker[Any]]) -> dict[str, Verdict]:
    """The verdicts of `judge_fully`, many times faster where most of a long history is valid."""
    return judge_fully(history, checkers) if len(history) < FEW else judge_sparingly(history, checkers)


def judge_sparingly(history: History, checkers: Iterable[Checker[Any]]) -> dict[str, Verdict]:
    """The verdicts of `judge_fully`: by a screen where it is sure, else by shapes where there are some, else fully."""
    checkers = tuple(checkers)
    table, context = history.table(), Context.of(history)
    verdicts: dict[str, Verdict] = {}
    shaped: list[PartByPart[Any]] = []
    others: list[Checker[Any]] = []
    for checker in checkers:
        tests = checker.screen(history, context) if _declares(checker, "screen") else None
        if tests is not None:
            verdicts[checker.name] = Verdict.valid(tests)
        elif has_shapes(checker, table):
            shaped.append(checker)
        else:
            others.append(checker)
    verdicts |= judge_by_shape(history, shaped) | (judge_fully(history, others) if others else {})
    return {checker.name: verdicts[checker.name] for checker in checkers}


def _declares(checker: Checker[Any], name: str) -> bool:
    """Whether the checker's own class says it; what it inherits was said of another fold."""
    return vars(type(checker)).get(name) is not None


def has_shapes(checker: Checker[Any], table: Table) -> TypeGuard[PartByPart[Any]]:
    """Whether its findings depend on nothing but what it says it looks at in the rows of each part."""
    return (
        isinstance(checker, PartByPart)
        and _declares(checker, "looks")
        and type(checker).verdict is PartByPart.verdict
        and EVERY not in checker.hears.values()
        and not checker.hears.keys() & {"invoke", "config", "fault"}
        and not any(len(table.at(kind, *checker.echoed)) for kind in checker.hears if checker.echoed)
    )


def judge_by_shape(history: History, checkers: Sequence[PartByPart[Any]]) -> dict[str, Verdict]:
    """The verdicts of checkers that have shapes. They hear an example of each; where it is plainly valid, so are all
    parts of its shape, and where it is not they hear all of those."""
    parts = [_parts_of(checker, history.table()) for checker in checkers]
    examples = _findings(history, checkers, parts, [each.are_examples() for each in parts])
    valid, doubtful = [], []
    for each, found in zip(parts, examples, strict=True):
        plainly = [part for part, finding in found.items() if finding.status == "valid"]
        valid.append(kept(int(sum(found[part].obligations * each.alike(part) for part in plainly))))
        doubtful.append(~each.are_like(plainly))
    others = _findings(history, checkers, parts, doubtful)
    return {
        checker.name: conclude([of_valid, *found.values()])
        for checker, of_valid, found in zip(checkers, valid, others, strict=True)
    }


def _parts_of(checker: PartByPart[Any], table: Table) -> Parts:
    assert checker.looks is not None
    heard = [
        (operation, table.at(kind, operation))
        for kind, operations in checker.hears.items()
        for operation in sorted(operations - checker.echoed)
    ]
    return parts_by_shape(table, checker.looks, heard)


def _findings(
    history: History, checkers: Sequence[PartByPart[Any]], parts: Sequence[Parts], chosen: Sequence[Bools]
) -> list[Mapping[int, Finding]]:
    """For each checker: its findings about the parts that are chosen for it, by the numbers of the parts."""
    said = Context.rows(history.table())
    wanted = [np.union1d(said, each.rows_of(mine)).tolist() for each, mine in zip(parts, chosen, strict=True)]
    together = sorted(set().union(*wanted))
    rows: dict[int, Row] = dict(zip(together, history.rows_at(together), strict=True))
    findings: list[Mapping[int, Finding]] = []
    for checker, each, mine, indices in zip(checkers, parts, chosen, wanted, strict=True):
        numbers = np.flatnonzero(mine)
        panel = Judge([checker])
        panel.hear_rows(rows[index] for index in indices if len(numbers))
        found = checker.findings(panel.parts(checker), panel.context)
        names = [checker.part(rows[index]) for index in each.rows[each.starts[numbers]].tolist()]
        assert sorted(names) == sorted(found), f"the parts of {checker.name} as columns are not its parts as rows"
        findings.append({number: found[name] for number, name in zip(numbers.tolist(), names, strict=True)})
    return findings
