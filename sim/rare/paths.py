"""One run whose luck turns: played from its beginning with the luck of a seed, and with another from a chosen event on.

A live world cannot be copied, but it can be played again: luck is found by name, so the same seed leads to the same
event, and from there a new key leads elsewhere. So a path is only the seed and the events at which its luck turned; it
can be told, judged and explained like any run. Nothing is estimated in this file.

Luck turns just before the event that reached a level, so that what this event draws for later (when the next customer
comes, say) is drawn anew. That is right only if the event reaches the level whatever it draws: so every walk looks, and
one that does not arrive there again is a mistake, never a result.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

from orderquake.sim.world.streams import Streams


class Path(NamedTuple):
    """A run by its luck.

    root   the luck that it begins with
    turns  (event, luck): from this event on, counted from 1, it has this luck instead; events never decrease

    >>> Path("7").turned(310, "7/a")
    Path(root='7', turns=((310, '7/a'),))
    """

    root: str
    turns: tuple[tuple[int, str], ...] = ()

    def turned(self, event: int, luck: str) -> Path:
        return Path(self.root, (*self.turns, (event, luck)))


class Course(Protocol):
    """A run that is about to be played, and can be watched."""

    def play(self, look: Callable[[], bool]) -> None:
        """Play it to its end, and look after every event; stop for good where `look` says so."""

    def score(self) -> float:
        """How far the run is on its way to the event. Reading changes nothing."""

    def rekey(self, luck: str) -> None:
        """Another luck from now on."""


Subject = Callable[[Streams], Course]
"""Makes a run with this luck, from its beginning."""


class Walk(NamedTuple):
    """What one path did after its last turn.

    first    events after which the score was first at the level, None where it never was
    records  (score, events): every time that the score was higher than ever before, where somebody asked for it
    events   in all
    """

    first: int | None
    records: tuple[tuple[float, int], ...]
    events: int


class NotThere(AssertionError):
    """The event that reached a level did not reach it with other luck. The text says where."""


def walk(subject: Subject, path: Path, level: float, floor: float = -math.inf, keeps_records: bool = False) -> Walk:
    """Play a path until its score is at the level, or to the end of the run.

    floor    the level that the last turn's event had reached
    raises   NotThere where it does not reach it again
    """
    course = subject(Streams(path.root))
    turns = list(path.turns[::-1])
    records: list[tuple[float, int]] = []
    count, highest, first = 0, float("-inf"), None

    def turn() -> None:
        while turns and turns[-1][0] == count + 1:
            course.rekey(turns.pop()[1])

    def look() -> bool:
        nonlocal count, highest, first
        count += 1
        if turns:
            turn()
            return False
        if count < begins:
            return False
        score = course.score()
        if count == begins and score < floor:
            raise NotThere(
                f"event {count} of {path} had reached {floor:g}, and with other luck it is {score:g}: what is drawn in"
                " that very event decides the score; expected a score that is settled before anything more is drawn"
            )
        if keeps_records and score > highest:
            highest = score
            records.append((score, count))
        if score >= level:
            first = count
            return True
        return False

    begins = path.turns[-1][0] if path.turns else 0
    turn()
    course.play(look)
    assert not turns, "a path did not get to the event where its luck turned: the run is not the same twice"
    return Walk(first, tuple(records), count)
