"""The search: every state of a scope, those with the fewest told steps first, until a promise is broken or all is seen.

What the moves are is told in `moves.py`, what a story looks like in `story.py`, and whether all can end in `ends.py`.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from orderquake.sim.explore.proof.flows import BrokenRule
from orderquake.sim.explore.proof.moves import Explorer, Move, State
from orderquake.sim.explore.proof.private import NOBODY, Private
from orderquake.sim.explore.proof.symmetry import Places, Symmetry

LONGEST_STEP = 10_000
"""Private asks one after the other; more of them are no order's step but a circle."""
RULE = "protocol_rules"
"""In the place of a checker's name, where a flow found one of its own rules broken."""


class Outcome(NamedTuple):
    """What one move led to, once all private asks after it are done.

    told       steps that a story counts
    is_quiet   nothing went wrong
    moves      all of them, the first included; empty where nobody wants to know
    """

    state: State
    left: int
    told: int
    is_quiet: bool
    moves: tuple[Move, ...]


class Search:
    """One search.

    is_reduced    private asks are taken at once
    is_shortest   but none that a story counts, and fewest told steps first, so that the first violation has the
                  shortest story; else what needs fewest faults is looked at first, so that whatever can be had with
                  fewer is known by then
    left, cost, parent, nth    of each state: faults left, told steps, where it was found, as the how manieth outcome
    """

    def __init__(
        self, explorer: Explorer, symmetry: Symmetry | None, *, is_reduced: bool, is_shortest: bool, keeps_edges: bool
    ) -> None:
        self.explorer = explorer
        self.symmetry = symmetry
        self.is_shortest = is_shortest
        self.private = Private(explorer, is_shortest) if is_reduced else None
        self.states: list[State] = []
        self.left, self.cost, self.parent, self.nth = array("i"), array("i"), array("i"), array("i")
        self.found: dict[State, int | tuple[int, ...]] = {}
        self.from_, self.to = array("i"), array("i")
        self.keeps_edges = keeps_edges
        self.transitions = 0
        self.levels: list[list[int]] = [[]]
        self.final: list[int] = []
        self.broken: dict[int, dict[str, str]] = {}
        self.is_complete = False

    # -- one state

    def beginnings(self, tells: bool = False) -> Iterator[Outcome]:
        """The first state, and what can go wrong on the way to it."""
        yield from self.settled(Outcome(self.explorer.first, self.explorer.budget.full, 0, True, ()), tells)

    def outcomes(self, state: State, left: int, tells: bool = False) -> Iterator[Outcome]:
        """All that may become of a state, in an order that is always the same."""
        for after, less, told, move in self.moves(state, left):
            yield from self.settled(Outcome(after, less, told, move.what == "ask", (move,) if tells else ()), tells)

    def moves(self, state: State, left: int) -> Iterator[tuple[State, int, int, Move]]:
        explorer = self.explorer
        for who, stand in explorer.parties(state):
            yield from explorer.party_moves(state, left, who, stand)
        if left:
            yield from explorer.fault_moves(state, left)

    def settled(self, outcome: Outcome, tells: bool) -> Iterator[Outcome]:
        """An outcome once all private asks are done, and whatever can go wrong with those."""
        private, explorer = self.private, self.explorer
        if private is None:
            yield outcome._replace(state=explorer.tidied(outcome.state))
            return
        broken, seen_at, first = explorer.panel.broken, explorer.seen_at, explorer.workers.start
        waiting = [outcome]
        for _ in range(LONGEST_STEP):
            if not waiting:
                return
            state, left, told, is_quiet, moves = waiting.pop()
            who = NOBODY if broken[state[seen_at]] else private.party(state, left)
            if who == NOBODY:
                yield Outcome(explorer.tidied(state), left, told, is_quiet, moves)
                continue
            for after, less, more, move in explorer.party_moves(state, left, who, state[first + who]):
                made = (*moves, move) if tells else moves
                waiting.append(Outcome(after, less, told + more, is_quiet and move.what == "ask", made))
        raise BrokenRule("an order's step does not come to an end")

    def canonical(self, state: State) -> tuple[State, Places]:
        return (state, ()) if self.symmetry is None else self.symmetry.canonical(state)

    # -- all of them

    def run(self, limit: int, advance: Callable[[float], None] | None = None) -> None:
        """Look at every reachable state; stop at a violation, or after so many."""
        was_collecting = gc.isenabled()
        gc.disable()  # states are tuples of numbers: there are no circles among them to look for
        try:
            self.is_complete = self.look_at_all(limit, advance)
        finally:
            if was_collecting:
                gc.enable()

    def look_at_all(self, limit: int, advance: Callable[[float], None] | None) -> bool:
        for nth, outcome in enumerate(self.beginnings()):
            self.add(outcome, -1, nth)
        seen_at, broken = self.explorer.seen_at, self.explorer.panel.broken
        level = looked = 0
        while level < len(self.levels):
            if not self.levels[level]:
                level += 1
                continue
            number = self.levels[level].pop()
            if self.is_shortest and self.cost[number] != level:
                continue  # found again by fewer steps, and looked at then
            if (other := self.cover_of(number)) is not None:
                self.edge(number, other)
                continue
            looked += 1
            if looked > limit:
                return False
            if advance is not None and not looked % 1000:
                advance(looked)
            if reasons := broken[self.states[number][seen_at]]:
                self.broken[number] = reasons
                return False
            try:
                self.expand(number)
            except BrokenRule as rule:
                self.broken[number] = {RULE: str(rule)}
                return False
        return True

    def expand(self, number: int) -> None:
        is_final = True
        for nth, outcome in enumerate(self.outcomes(self.states[number], self.left[number])):
            self.transitions += 1
            at = self.add(outcome, number, nth)
            if outcome.is_quiet and at != number:
                is_final = False
                self.edge(number, at)
        if is_final or self.explorer.is_at_rest(self.states[number]):
            self.final.append(number)

    def edge(self, number: int, after: int) -> None:
        if self.keeps_edges:
            self.from_.append(number)
            self.to.append(after)

    def add(self, outcome: Outcome, parent: int, nth: int) -> int:
        """The number of the state that stands for an outcome, or of one from which all can happen that can from it."""
        state, _ = self.canonical(outcome.state)
        left, cost = outcome.left, outcome.told + (self.cost[parent] if parent >= 0 else 0)
        known = self.found.get(state)
        others = () if known is None else (known,) if isinstance(known, int) else known
        for other in others:
            if self.left[other] == left:
                if self.is_shortest and cost < self.cost[other]:
                    self.cost[other], self.parent[other], self.nth[other] = cost, parent, nth
                    self.wait(other)
                return other
            if self.explorer.budget.covers(self.left[other], left) and self.cost[other] <= cost:
                return other
        number = len(self.states)
        self.states.append(state)
        self.left.append(left)
        self.cost.append(cost)
        self.parent.append(parent)
        self.nth.append(nth)
        self.found[state] = number if known is None else (*others, number)
        self.wait(number)
        return number

    def cover_of(self, number: int) -> int | None:
        """A state that is the same with more left to go wrong, and is known by now (in a story: by no more steps)."""
        known = self.found[self.states[number]]
        if isinstance(known, int):
            return None
        for other in known:
            if (
                other != number
                and self.explorer.budget.covers(self.left[other], self.left[number])
                and (not self.is_shortest or self.cost[other] <= self.cost[number])
            ):
                return other
        return None

    def wait(self, number: int) -> None:
        """In line: by told steps, or by what has gone wrong."""
        level = self.cost[number] if self.is_shortest else self.explorer.budget.gone_wrong(self.left[number])
        while len(self.levels) <= level:
            self.levels.append([])
        self.levels[level].append(number)

    def path(self, number: int) -> list[int]:
        """The states that lead to one, it included, from the first on."""
        path = [number]
        while (number := self.parent[number]) >= 0:
            path.append(number)
        return path[::-1]

    def way_to(self, number: int) -> Outcome:
        """How a state was found from the one before, told."""
        parent, nth = self.parent[number], self.nth[number]
        outcomes = self.beginnings(True) if parent < 0 else self.outcomes(self.states[parent], self.left[parent], True)
        return next(islice(outcomes, nth, None))
