"""The checkers, as functions of what they have heard: each keeps its own small state, and hears each thing once.

What is promised is the checkers' business; here they are only fed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orderquake.sim.checkers.fold import Checker, Judge
from orderquake.sim.explore.proof.services import Services
from orderquake.sim.explore.proof.values import Numbered, Renaming, in_order
from orderquake.sim.history import History, Row
from orderquake.sim.recorder import values_of


class Panel:
    """Numbers for what all checkers together have seen (`seen`), and for what each of them has (`states`).

    broken   number of what all have seen -> checker -> reason, where a promise is broken for good
    """

    def __init__(self, checkers: Sequence[Checker[Any]], services: Services, heard: History) -> None:
        self.services = services
        self.judges = tuple(Judge([checker]) for checker in checkers)
        self.names = tuple(checker.name for checker in checkers)
        self.rows = len(heard)
        self.states = tuple(Numbered() for _ in checkers)
        self.reasons: list[dict[int, str]] = [{} for _ in checkers]
        self.seen = Numbered()
        self.broken: dict[int, dict[str, str]] = {}
        self.all_heard: dict[tuple[int, int], int] = {}
        self.one_heard: dict[tuple[int, int, int], int] = {}
        for judge in self.judges:
            judge.hear(heard)
        self.contexts: tuple[Any, ...] = tuple(judge.context.snapshot() for judge in self.judges)

    def first(self) -> int:
        return self.number(tuple(self.state(who) for who in range(len(self.judges))))

    def number(self, states: tuple[int, ...]) -> int:
        number = self.seen.number(states)
        if number not in self.broken:
            reasons = [(who, self.reasons[who].get(state)) for who, state in enumerate(states)]
            self.broken[number] = {self.names[who]: reason for who, reason in reasons if reason}
        return number

    def state(self, who: int) -> int:
        """The number of what one checker has seen by now."""
        parts: Any = self.judges[who].snapshot()
        return self.adopt(who, in_order(parts[1][0]))

    def adopt(self, who: int, parts: Any) -> int:
        """The number of what a checker may have seen."""
        number = self.states[who].number(parts)
        if number not in self.reasons[who]:
            self.restore(who, number)
            verdict = self.judges[who].verdicts()[self.names[who]]
            self.reasons[who][number] = verdict.reason if verdict.status == "invalid" else ""
        return number

    def hear(self, seen: int, journal: int) -> int:
        """What all have seen after a journal."""
        key = (seen, journal)
        found = self.all_heard.get(key)
        if found is None:
            states: tuple[int, ...] = self.seen.values[seen]
            after = tuple(self.hear_one(who, state, journal) for who, state in enumerate(states))
            found = self.all_heard[key] = seen if after == states else self.number(after)
        return found

    def hear_one(self, who: int, state: int, journal: int) -> int:
        key = (who, state, journal)
        found = self.one_heard.get(key)
        if found is None:
            self.restore(who, state)
            now_us, changes = self.services.journals.values[journal]
            for change in changes:
                self.step(who, values_of(change, now_us, "", 0, "", "", -1))
            found = self.one_heard[key] = self.state(who)
        return found

    def restore(self, who: int, state: int) -> None:
        self.judges[who].restore((self.contexts[who], (self.states[who].values[state],)))

    def step(self, who: int, values: tuple[Any, ...]) -> None:
        self.rows += 1  # no two rows of a search share an index, whatever branch they stand on
        self.judges[who].step(Row(self.rows, *values))

    def renamed(self, who: int, state: int, renaming: Renaming) -> Any:
        return in_order(renaming(self.states[who].values[state]))
