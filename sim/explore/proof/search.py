"""The search: every state of a scope, those with the fewest told steps first, until a promise is broken or all is seen.

What the moves are is told in `moves.py`, what a story looks like in `story.py`, and whether all can end in `ends.py`.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Callable
from typing import Any

from orderquake.sim.explore.proof.flows import BrokenRule
from orderquake.sim.explore.proof.moves import READS, Explorer, Move, State
from orderquake.sim.explore.proof.private import Private
from orderquake.sim.explore.proof.symmetry import Places, Symmetry

LONGEST_STEP = 10_000
"""Private asks one after the other; more of them are no order's step but a circle."""
RULE = "protocol_rules"
"""In the place of a checker's name, where a flow found one of its own rules broken."""
QUIET = frozenset({"ask"})


class Search:
    """One search.

    is_reduced    private asks are taken at once
    is_shortest   but none that a story counts, so that the first violation has the shortest story
    """

    def __init__(
        self, explorer: Explorer, symmetry: Symmetry | None, *, is_reduced: bool, is_shortest: bool, keeps_edges: bool
    ) -> None:
        self.explorer = explorer
        self.symmetry = symmetry
        self.is_shortest = is_shortest
        self.private = Private(explorer, is_shortest) if is_reduced else None
        self.states: list[State] = []
        self.left = array("i")
        self.cost = array("i")
        self.parent = array("i")
        self.move: list[Move | None] = []
        self.found: dict[State, int | tuple[int, ...]] = {}
        self.from_, self.to = array("i"), array("i")
        self.keeps_edges = keeps_edges
        self.transitions = 0
        self.levels: list[list[int]] = [[]]
        self.final: list[int] = []
        self.broken: dict[int, dict[str, str]] = {}
        self.is_complete = False

    # -- one state

    def closed(self, state: State, left: int) -> tuple[State, int]:
        """A state once all private asks are done that nothing can go wrong with; and the told steps among them."""
        private, explorer = self.private, self.explorer
        told = 0
        if private is not None:
            for _ in range(LONGEST_STEP):
                who = private.party(state, left)
                if who < 0:
                    break
                stand = state[explorer.workers.start + who]
                verb = explorer.services.asks.values[explorer.flows.asks[stand]].verb
                if left and verb not in READS:
                    break
                ((state, _, cost, _),) = explorer.party_moves(state, left, who, stand)
                told += cost
            else:
                raise BrokenRule("an order's step does not come to an end")
        return explorer.tidied(state), told

    def next_ones(self, state: State, left: int) -> list[tuple[State, int, int, Move]]:
        """All moves from a state."""
        explorer = self.explorer
        who = -1 if self.private is None else self.private.party(state, left)
        if who >= 0:  # workers and jobs stand side by side
            return list(explorer.party_moves(state, left, who, state[explorer.workers.start + who]))
        moves: list[tuple[State, int, int, Move]] = []
        for party, stand in explorer.parties(state):
            moves += explorer.party_moves(state, left, party, stand)
        if left:
            moves += explorer.fault_moves(state, left)
        return moves

    def canonical(self, state: State) -> tuple[State, Places]:
        return (state, ()) if self.symmetry is None else self.symmetry.canonical(state)

    # -- all of them

    def run(self, limit: int, advance: Callable[[float], None] | None = None) -> None:
        """Look at every reachable state; stop at a violation, or after so many."""
        was_collecting = gc.isenabled()
        gc.disable()  # states are tuples of numbers: there are no circles among them to look for
        try:
            self.look_at_all(limit, advance)
        finally:
            if was_collecting:
                gc.enable()

    def look_at_all(self, limit: int, advance: Callable[[float], None] | None) -> None:
        first, told = self.closed(self.explorer.first, self.explorer.budget.full)
        self.add(self.canonical(first)[0], self.explorer.budget.full, told, -1, None)
        level = 0
        seen_at, broken = self.explorer.seen_at, self.explorer.panel.broken
        looked = 0
        while level < len(self.levels):
            waiting = self.levels[level]
            if not waiting:
                level += 1
                continue
            number = waiting.pop()
            if self.cost[number] != level:
                continue  # found again by fewer steps, and looked at then
            looked += 1
            if looked > limit:
                return
            if advance is not None and not looked % 1000:
                advance(looked)
            state = self.states[number]
            if reasons := broken[state[seen_at]]:
                self.broken[number] = reasons
                return
            try:
                self.expand(number, state, self.left[number], level)
            except BrokenRule as rule:
                self.broken[number] = {RULE: str(rule)}
                return
        self.is_complete = True

    def expand(self, number: int, state: State, left: int, cost: int) -> None:
        is_final = True
        full = self.keeps_edges
        for after, less, told, move in self.next_ones(state, left):
            self.transitions += 1
            after, more = self.closed(after, less)
            after, _ = self.canonical(after)
            at = self.add(after, less, cost + told + more, number, move)
            if move.what == "ask" and at != number:
                is_final = False
                if full:
                    self.from_.append(number)
                    self.to.append(at)
        if is_final:
            self.final.append(number)

    def add(self, state: State, left: int, cost: int, parent: int, move: Move | None) -> int:
        """The number of a state, or of one from which all can happen that can from it."""
        known = self.found.get(state)
        if known is not None:
            covers = self.explorer.budget.covers
            for other in (known,) if isinstance(known, int) else known:
                if covers(self.left[other], left):
                    if self.cost[other] <= cost or not self.is_shortest:
                        return other
                    if self.left[other] == left:
                        self.cost[other], self.parent[other], self.move[other] = cost, parent, move
                        self.wait(other, cost)
                        return other
        number = len(self.states)
        self.states.append(state)
        self.left.append(left)
        self.cost.append(cost)
        self.parent.append(parent)
        self.move.append(move)
        self.wait(number, cost)
        if known is None:
            self.found[state] = number
        else:
            self.found[state] = (*((known,) if isinstance(known, int) else known), number)
        return number

    def wait(self, number: int, cost: int) -> None:
        while len(self.levels) <= cost:
            self.levels.append([])
        self.levels[cost].append(number)

    def path(self, number: int) -> list[Move]:
        """The moves that lead to a state, each in the names of the state it is made in."""
        moves: list[Move] = []
        while (move := self.move[number]) is not None:
            moves.append(move)
            number = self.parent[number]
        return moves[::-1]


