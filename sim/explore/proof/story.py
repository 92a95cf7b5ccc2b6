"""Stories: how a state came about, ask by ask, in the names that the orders have from the beginning to the end.

A path of the search is a list of moves, each in the names of the state it is made in; here they are made once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orderquake.sim.explore.exhaustive import TOLD, Step
from orderquake.sim.explore.proof.budget import ERRS
from orderquake.sim.explore.proof.moves import Explorer, Move, State
from orderquake.sim.explore.proof.search import Search
from orderquake.sim.explore.proof.values import Renaming

NOBODY = "fault"
WORDS: Mapping[str, str] = {
    "crash": "whoever asked dies before hearing of it",
    "crash_before": "whoever asked dies while the ask is still on its way",
    "lose_ask": "the ask does not arrive",
    "lose_answer": "the answer is lost",
    "duplicate": "it arrives once more",
    "lapse": "the reservation's deadline comes",
    "lease": "the lease runs out, and a second worker takes the order",
    "cancel": "the customer cancels",
    "time": "the clock moves on",
}


@dataclass(frozen=True)
class Struck:
    """What went wrong, in the place of an ask. `ask` is what it struck, None where it was none."""

    verb: str
    about: str
    ask: Any = None


class Teller:
    """Makes a path once more, and tells it."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.explorer: Explorer = search.explorer
        self.names = {order_id: order_id for order_id in self.explorer.ids}
        self.steps: list[Step] = []

    def story(self, number: int) -> list[Step]:
        """All steps that lead to a state."""
        search, ids = self.search, self.explorer.ids
        state, left = self.explorer.first, self.explorer.budget.full
        for at in search.path(number):
            outcome = search.way_to(at)
            for move in outcome.moves:
                state, left = self.made(state, left, move)
            assert self.explorer.tidied(state) == outcome.state, "a story came out otherwise than it was found"
            state, places = search.canonical(outcome.state)
            if places:
                self.names = {ids[place]: self.names[ids[number]] for place, number in enumerate(places)}
        return self.steps

    def made(self, state: State, left: int, move: Move) -> tuple[State, int]:
        """One move, made and told."""
        explorer = self.explorer
        if move.who < 0:
            moves = explorer.fault_moves(state, left)
        else:
            stands = dict(explorer.parties(state))
            moves = explorer.party_moves(state, left, move.who, stands[move.who])
        for after, less, _, again in moves:
            if again == move:
                self.tell(state, move)
                return after, less
        raise AssertionError(f"the story does not go on: {move}")

    def tell(self, state: State, move: Move) -> None:
        what = move.what
        if what == "ask":
            self.tell_ask(state, move.who, move.detail)
        elif what in ("cancel", "lease"):
            self.fault(what, self.names[self.explorer.ids[move.detail]])
        elif what == "time":
            self.fault(what, f"to {self.explorer.clock.moments[move.detail] / 1e6:g} s")
        elif what in ("lapse", "duplicate"):
            self.fault(what, "", move.detail)
            if what == "duplicate":
                self.tell_ask(state, -1, move.detail)
        else:
            if what not in ("crash_before", "lose_ask"):
                self.tell_ask(state, move.who, move.detail, errs=what)
            self.fault(what, "", move.detail)

    def tell_ask(self, state: State, who: int, ask: int, errs: str = "") -> None:
        explorer = self.explorer
        _, answer = explorer.asked(state, ask, ERRS.get(errs, ""))
        renaming = Renaming(self.names)
        wanted: Any = renaming(explorer.services.asks.values[ask])
        said = renaming(explorer.services.answers.values[answer])
        is_told = wanted.verb in TOLD and who >= 0
        self.steps.append(Step(self.party(who, wanted), wanted, said, is_told))

    def fault(self, verb: str, about: str, ask: int | None = None) -> None:
        struck: Any = None
        if ask is not None:
            struck = Renaming(self.names)(self.explorer.services.asks.values[ask])
            order, _ = struck.about()
            about = struck.verb + (f" of {order}" if order else "")
        self.steps.append(Step(NOBODY, Struck(verb, about, struck), WORDS.get(verb, ""), True))

    def party(self, who: int, ask: Any) -> str:
        explorer = self.explorer
        if who < 0:
            return "the wire"
        if who < len(explorer.workers):
            return f"order {self.names[explorer.ids[who]]}"
        jobs = tuple(explorer.jobs)
        if who - len(explorer.workers) < len(jobs):
            return jobs[who - len(explorer.workers)]
        return f"second worker of {ask.about()[0]}"


def told(step: Step) -> str:
    """A step in one line."""
    if isinstance(step.ask, Struck):
        text = f"{step.ask.verb}: {step.answer}" if step.answer else f"{step.ask.verb}: the provider errs so"
        return f"{text} ({step.ask.about})" if step.ask.about else text
    return str(step)
