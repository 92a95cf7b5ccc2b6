"""Where a promise begins to break: bisection when every look is noisy, by a procedure that is stated beforehand.

Each probed value is kept, missed, or undecided; an undecided value is no evidence for either side, so the search goes
on at both sides of it, and the answer carries it. Nothing here knows what a value is, or how it is judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from orderquake.sim.planning.promise import Side

Status = Literal["found", "at_least", "unreachable", "undecided"]
Ask = Callable[[float], Side]


@dataclass
class Line:
    """The values that may be probed, by how hard it is to keep a promise there.

    step         how far a stride goes, in hardness
    apart        two values that are no farther apart than this are neighbours
    snap         the nearest hardness that a value can have, or None where there is none
    """

    start: float
    easiest: float
    hardest: float
    step: float
    apart: float
    snap: Callable[[float], float]


@dataclass
class Searched:
    """What a search came to. kept and missed: the hardest that is surely kept, the easiest that is surely missed."""

    status: Status
    kept: float | None
    missed: float | None
    sides: dict[float, Side] = field(default_factory=dict)

    def undecided(self) -> list[float]:
        """What lies between and is neither."""
        return sorted(at for at, side in self.sides.items() if side == "undecided" and self._is_between(at))

    def contradictions(self) -> list[tuple[float, float]]:
        """Pairs of a value that is missed and a harder one that is kept: it does not break once and for all."""
        return [
            (easy, hard)
            for easy, side in sorted(self.sides.items())
            for hard, other in sorted(self.sides.items())
            if easy < hard and side == "missed" and other == "kept"
        ]

    def _is_between(self, at: float) -> bool:
        return (self.kept is None or at > self.kept) and (self.missed is None or at < self.missed)


def search(line: Line, ask: Ask, most: int = 24) -> Searched:
    """Stride outwards from the start until one value is kept and a harder one missed; then halve what lies between.

    most   values that are probed at most; what is not settled by then stays as wide as it is
    """
    sides: dict[float, Side] = {}

    def side(at: float) -> Side:
        if at not in sides:
            sides[at] = ask(at)
        return sides[at]

    def is_spent() -> bool:
        return len(sides) >= most

    def stride(from_here: float, towards: float, until: Side) -> None:
        """Go on until a value is on the side looked for, or the line ends."""
        at = from_here
        while side(at) != until and at != towards and not is_spent():
            further = at + line.step if towards > at else at - line.step
            further = min(further, towards) if towards > at else max(further, towards)
            further = line.snap(further)
            at = towards if further == at else further

    side(line.start)
    stride(line.start, line.hardest, "missed")
    stride(line.start, line.easiest, "kept")
    while not is_spent():
        gap = _widest(sides, line)
        if gap is None:
            break
        side(gap)
    kept, missed = _edges(sides)
    if kept is not None and missed is not None:
        return Searched("found", kept, missed, sides)
    if kept is not None:
        is_through = sides.get(line.hardest) == "kept"
        return Searched("at_least" if is_through else "undecided", kept, None, sides)
    if missed is not None and sides.get(line.easiest) == "missed":
        return Searched("unreachable", None, missed, sides)
    return Searched("undecided", None, missed, sides)


def _edges(sides: dict[float, Side]) -> tuple[float | None, float | None]:
    """The easiest that is missed, and the hardest that is kept and easier than it."""
    missed = min((at for at, side in sides.items() if side == "missed"), default=None)
    kept = max((at for at, side in sides.items() if side == "kept" and (missed is None or at < missed)), default=None)
    return kept, missed


def _widest(sides: dict[float, Side], line: Line) -> float | None:
    """Where to look next: in the middle between an edge and whatever is known next to it, the wider gap first."""
    kept, missed = _edges(sides)
    if kept is None or missed is None:
        return None
    inside = [at for at in sorted(sides) if kept <= at <= missed]
    gaps = [(inside[1] - kept, kept, inside[1]), (missed - inside[-2], inside[-2], missed)]
    for width, low, high in sorted(gaps, reverse=True):
        if width > line.apart:
            middle = line.snap((low + high) / 2)
            if low < middle < high and middle not in sides:
                return middle
    return None
