"""What a search has come to, for people: a verdict, and where there is no order, what stands in the way.

Nothing is searched here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from orderquake.sim.linear.model import Model, Operation
from orderquake.sim.linear.search import Found

Status = Literal["valid", "invalid", "unknown"]
LAST = 6
"""Operations of the legal prefix that are told; the rest is counted."""
AT_MOST = 12
"""Operations of one kind that are told."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Is there one order that explains every answer?

    status       valid: there is. invalid: there is none. unknown: nothing was asked, or the search was given up
    operations   how many had to be explained
    parts        how many independent parts they fall into
    reason       one sentence; "" where valid
    story        what stands in the way, line by line
    witness      rows of the history that show it, in order
    steps        how often the model was asked
    orders       part -> its operations in an order that explains them all; of a part that has none, the longest found
    """

    status: Status
    operations: int
    parts: int
    reason: str = ""
    story: tuple[str, ...] = ()
    witness: tuple[int, ...] = ()
    steps: int = 0
    orders: Mapping[str, tuple[Operation, ...]] | None = None

    def __str__(self) -> str:
        asked = f"{self.operations:,} operations on {self.parts:,} part{'s' * (self.parts != 1)}"
        head = {"valid": f"linearizable: {asked}", "invalid": f"not linearizable: {self.reason}"}
        return "\n".join((head.get(self.status, f"unknown: {self.reason}"), *(f"  {line}" for line in self.story)))


def told(parts: Mapping[str, Sequence[Operation]], found: Mapping[str, Found], model: Model[Any]) -> Verdict:
    """One verdict of all parts: of those that have no order, the one that goes wrong first; else what was given up."""
    operations, steps = sum(map(len, parts.values())), sum(each.steps for each in found.values())
    orders = {part: tuple(parts[part][n] for n in each.order) for part, each in found.items()}
    wrong = [part for part, each in found.items() if each.is_linear is False]
    unsure = [part for part, each in found.items() if each.is_linear is None]
    if wrong:
        first = min(wrong, key=lambda part: (parts[part][found[part].stuck].back or 0, part))
        reason, story, witness = conflict(first, parts[first], found[first], model)
        if len(wrong) > 1:
            reason += f" (and {len(wrong) - 1} more parts)"
        return Verdict("invalid", operations, len(parts), reason, story, witness, steps, orders)
    if unsure:
        reason = f"the search of {unsure[0] or 'the whole'} was given up after {found[unsure[0]].steps:,} steps"
        if len(unsure) > 1:
            reason += f" (and {len(unsure) - 1} more parts)"
        return Verdict("unknown", operations, len(parts), reason, steps=steps, orders=orders)
    if not operations:
        return Verdict("unknown", 0, 0, "not exercised: nothing was asked")
    return Verdict("valid", operations, len(parts), steps=steps, orders=orders)


def conflict(
    part: str, operations: Sequence[Operation], found: Found, model: Model[Any]
) -> tuple[str, tuple[str, ...], tuple[int, ...]]:
    """Reason, story and witness where there is no order: the longest legal prefix, and what does not go with it."""
    stuck = operations[found.stuck]
    assert stuck.back is not None, "only an answer can be wrong"
    before = [n for n in found.order if (operations[n].back or stuck.back) < stuck.call]
    beside = [
        n for n, each in enumerate(operations)
        if n != found.stuck and each.call <= stuck.back and each.back is not None and each.back >= stuck.call
    ]  # fmt: skip
    unsure = [n for n, each in enumerate(operations) if each.back is None and each.call <= stuck.back]

    def line(n: int) -> str:
        each = operations[n]
        said = model.tell(each.asked, each.answer)
        heard = "never answered" if each.back is None else f"to {each.back}"
        return f"{said}{f', by {each.who}' if each.who else ''} ({each.call} {heard})"

    reason = f"no order explains {line(found.stuck)}"
    explained = len(found.order)
    story = [f"{explained} of {len(operations)} operations{f' on {part}' if part else ''} can be put in order" + (
        ", the last of them:" if explained else "")]  # fmt: skip
    story += [f"  {line(n)}" for n in found.order[-LAST:]]
    story += [f"then {model.tell_state(part, state)}, and there is no way on to" for state in found.states[:1]]
    story += [f"or   {model.tell_state(part, state)}" for state in found.states[1:]]
    story.append(f"  {line(found.stuck)}")
    for what, some in (("under way at the same time:", beside), ("never answered, and of no help:", unsure)):
        if some:
            story += [what, *(f"  {line(n)}" for n in some[:AT_MOST])]
            story += [f"  and {len(some) - AT_MOST} more"] if len(some) > AT_MOST else []
    shown = (*before[-LAST:], *beside, found.stuck)
    return reason, tuple(story), tuple(sorted({row for n in shown for row in operations[n].rows}))
