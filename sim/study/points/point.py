"""What a point is: a rare moment with a name, and how to find the rows at which a history passed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from orderquake.sim.study.points.look import Look, Rows

PAY_FIRST, RESERVE_FIRST, AUTHORISE = "pay_first", "reserve_first", "authorise_reserve_capture"
POLICIES: tuple[str, ...] = (PAY_FIRST, RESERVE_FIRST, AUTHORISE)
"""Orders of steps, as the history's limits name them."""


class Passed(NamedTuple):
    """How often a point was passed, and the index of the row at which it was first; NONE where it never was."""

    times: int
    first_row: int


@dataclass(frozen=True, slots=True)
class Point:
    """A moment that a sound design comes through, and that a campaign must have met before it may speak of the design.

    name       a sentence in snake case
    says       the same with the reason why it matters
    policies   those under which it can occur at all
    is_beyond  only where a required assumption is broken; a campaign inside a contract does not meet it
    rows       where a history passes it, a row each time
    """

    name: str
    says: str
    family: str
    policies: tuple[str, ...]
    rows: Callable[[Look], Rows]
    is_beyond: bool = False

    def passed(self, look: Look) -> Passed:
        rows = self.rows(look)
        return Passed(len(rows), int(rows.min())) if len(rows) else Passed(0, -1)


def family(name: str) -> Callable[..., Callable[[Callable[[Look], Rows]], Point]]:
    """The decorator with which a file of points makes its functions points: called with the policies, or with none
    where the point can occur under all."""

    def under(*policies: str, is_beyond: bool = False) -> Callable[[Callable[[Look], Rows]], Point]:
        def made(rows: Callable[[Look], Rows]) -> Point:
            says = " ".join((rows.__doc__ or "").split())
            return Point(rows.__name__, says, name, policies or POLICIES, rows, is_beyond)

        return made

    return under
