"""Is there an order? Searches for one in which the operations of one part could have happened one after the other.

Operations that do not overlap keep their order; those that do may come either way. The search goes from answer to
answer: whoever has been answered must have taken effect by then, and nobody else needs to (just-in-time linearization).
It goes back where it finds no way on, and never twice to the same place (the memo): what has been answered, what has
taken effect ahead of its answer, and the state.

sources   Wing and Gong, J. Parallel Distrib. Comput. 17 (1993); Lowe, "Testing for linearizability", Concurrency and
          Computation 29 (2017)
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from orderquake.sim.linear.model import NOBODY_KNOWS, Model, Operation

LOOK_AT_THE_CLOCK = 1 << 10
"""Steps between two looks at the clock."""
A_FEW = 4
"""States that are kept for the telling."""


class Found(NamedTuple):
    """What the search has come to. Operations are told by their places in the sequence that was searched.

    is_linear   None where the search was given up
    order       an order that explains all, or the longest that could be found
    stuck       the first operation whose answer no order explains, though all answered before it can be; -1 where none
    states      some states in which it was stuck
    steps       how often the model was asked
    """

    is_linear: bool | None
    order: tuple[int, ...]
    stuck: int = -1
    states: tuple[Any, ...] = ()
    steps: int = 0


class GivenUp(Exception):
    """The search took more steps, or more time, than it was allowed."""


class Place(NamedTuple):
    """Where the search can stand: so many operations have been answered, and these bits have taken effect ahead."""

    answered: int
    ahead: int
    state: Any


class Frame:
    """A place on the way, and what was done there.

    did      operations that took effect since the place before
    count    how many have taken effect by now
    ways     what else could be done here; None as long as only the next answer has been tried
    """

    __slots__ = ("count", "did", "place", "ways")

    def __init__(self, place: Place, did: tuple[int, ...], count: int) -> None:
        self.place = place
        self.did = did
        self.count = count
        self.ways: Iterator[tuple[Place, tuple[int, ...]]] | None = None


class Search:
    """One search. `run` may be called once."""

    def __init__(
        self, operations: Sequence[Operation], model: Model[Any], part: str, steps: int, seconds: float | None
    ) -> None:
        self.operations = operations
        self.model = model
        self.part = part
        self.step = model.step
        self.left = self.allowed = steps
        self.until = None if seconds is None else time.monotonic() + seconds
        self.back = sorted(
            (n for n, operation in enumerate(operations) if operation.back is not None),
            key=lambda n: (operations[n].back, n),
        )
        """Operations in the order of their answers."""
        self.bit: list[int] = [0] * len(operations)
        self.under_way: list[tuple[int, ...]] = []
        """For each answer, the other operations that had been asked and not answered."""
        self.unsure_by: list[int] = []
        """For each answer, how many operations had been asked that never were answered."""
        self.unsure: list[int] = []
        self.looks = [each.back is not None and model.looks(each.asked, each.answer) for each in operations]
        self.lay_out()

    def lay_out(self) -> None:
        """Go through the calls and answers once. Operations under way at the same time get different bits."""
        operations, free, top = self.operations, list[int](), 0
        calls = sorted(range(len(operations)), key=lambda n: (operations[n].call, n))
        pending: dict[int, bool] = {}
        at = 0
        for n in self.back:
            back = operations[n].back
            while at < len(calls) and operations[calls[at]].call <= back:  # type: ignore[operator]  # it was answered
                called = calls[at]
                at += 1
                self.bit[called] = 1 << (free.pop() if free else top)
                top = max(top, self.bit[called].bit_length())
                if operations[called].back is None:
                    self.unsure.append(called)
                else:
                    pending[called] = True
            del pending[n]
            free.append(self.bit[n].bit_length() - 1)
            self.under_way.append(tuple(pending))
            self.unsure_by.append(len(self.unsure))

    # -- one step

    def could(self, n: int, state: Any) -> tuple[bool, Any]:
        self.left -= 1
        if self.left < 0:
            raise GivenUp
        if self.until is not None and not self.left % LOOK_AT_THE_CLOCK and time.monotonic() > self.until:
            raise GivenUp
        operation = self.operations[n]
        return self.step(state, operation.asked, operation.answer if operation.back is not None else NOBODY_KNOWS)

    def does(self, n: int, place: Place) -> tuple[Place, tuple[int, ...]] | None:
        """Where the search stands when this operation takes effect; None where it cannot.

        Before a state is left, whoever only looks, and may have seen this one, has done so: it would change nothing
        later either, so it stands in nobody's way. Who changes something in some states is no such one: an order's row
        that is shown again is the same as before, and yet it matters which of two versions was shown last.
        """
        answered, ahead, state = place
        is_legal, after = self.could(n, state)
        if not is_legal:
            return None
        did: list[int] = []
        if not self.looks[n]:
            for other in self.under_way[answered]:
                if self.looks[other] and not ahead & self.bit[other] and self.could(other, state)[0]:
                    ahead |= self.bit[other]
                    did.append(other)
        did.append(n)
        if n == self.back[answered]:
            return Place(answered + 1, ahead, after), tuple(did)
        return Place(answered, ahead | self.bit[n], after), tuple(did)

    def other_ways(self, place: Place) -> Iterator[tuple[Place, tuple[int, ...]]]:
        """Something else takes effect first: of those who will be answered, then of those who never were."""
        answered, ahead, state = place
        for n in self.under_way[answered]:
            if not self.looks[n] and not ahead & self.bit[n]:
                found = self.does(n, place)
                if found is not None:
                    yield found
        for n in self.unsure[: self.unsure_by[answered]]:
            if not ahead & self.bit[n]:
                found = self.does(n, place)
                if found is not None and found[0].state != state:  # else it is as if it had not happened yet
                    yield found

    def on(self, place: Place) -> Place:
        """Past the answers of all that have taken effect already."""
        answered, ahead, state = place
        back, bit = self.back, self.bit
        while answered < len(back) and ahead & bit[back[answered]]:
            ahead ^= bit[back[answered]]
            answered += 1
        return Place(answered, ahead, state)

    # -- all of them

    def run(self) -> Found:
        dead: set[Place] = set()  # asked, never gone through
        way: list[Frame] = []
        farthest: tuple[int, ...] = ()
        stuck_at, count, states = -1, 0, dict[Any, None]()
        next_place: Place | None = Place(0, 0, self.model.start(self.part))
        did: tuple[int, ...] = ()
        try:
            while True:
                if next_place is not None:
                    place = self.on(next_place)
                    if place.answered == len(self.back):
                        order = tuple(n for frame in way for n in frame.did) + did
                        return Found(True, order, steps=self.allowed - self.left)
                    if not dead or place not in dead:
                        way.append(Frame(place, did, len(did) + (way[-1].count if way else 0)))
                        found = self.does(self.back[place.answered], place)
                        if found is not None:
                            next_place, did = found
                            continue
                if not way:
                    return Found(False, farthest, self.back[stuck_at], tuple(states)[:A_FEW], self.allowed - self.left)
                frame = way[-1]
                if frame.ways is None:
                    frame.ways = self.other_ways(frame.place)
                found = next(frame.ways, None)
                if found is not None:
                    next_place, did = found
                    continue
                dead.add(frame.place)
                if (frame.place.answered, -frame.count) > (stuck_at, -count):  # farther, or as far and with less ado
                    states = {frame.place.state: None} | (states if frame.place.answered == stuck_at else {})
                    stuck_at, count = frame.place.answered, frame.count
                    farthest = tuple(n for each in way for n in each.did)
                elif frame.place.answered == stuck_at and len(states) < A_FEW:
                    states[frame.place.state] = None
                way.pop()
                next_place = None
        except GivenUp:
            return Found(None, tuple(n for frame in way for n in frame.did), steps=self.allowed - max(0, self.left))
