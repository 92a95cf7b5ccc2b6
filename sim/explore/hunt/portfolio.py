"""The hunt: strategies take turns until one of them has found a broken promise, or the budget is spent.

No strategy is best for every bug, so none is trusted alone: whoever has used the least time so far is next. What breaks
only a book inside the shop is kept, and the hunt goes on for a while to see whom it hurts. Time is this process's CPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orderquake.sim.choices import one_line
from orderquake.sim.explore.hunt.delays import Delays
from orderquake.sim.explore.hunt.driven import Driven, is_installed
from orderquake.sim.explore.hunt.found import Case, Clock, Failure, Found, NotFound, Spent, Watch, failures_in, play
from orderquake.sim.explore.hunt.priorities import Priorities
from orderquake.sim.explore.hunt.seeding import MonteCarlo, NamedDays, Stress, Swarm
from orderquake.sim.explore.hunt.shrinking import MOST_STEPS
from orderquake.sim.explore.hunt.strategy import AnyStrategy, Ground, Outcome
from orderquake.sim.report.story_steps import steps_of
from orderquake.sim.run import Run
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.streams import BadDeviation, Streams

STRATEGIES: dict[str, AnyStrategy] = {
    strategy.name: strategy for strategy in (Stress, NamedDays, Delays, Priorities, Driven, Swarm, MonteCarlo)
}
"""Every strategy by its name, in the order of their first turns."""
SHARES = {Stress.name: 12.0, NamedDays.name: 5.0}
"""How much of the time a strategy gets where others get `USUAL_SHARE`."""
USUAL_SHARE = 0.3
LOOK_FURTHER, LOOK_FURTHER_S = 30, 1.0
"""Runs, and CPU seconds, for which a hunt goes on after it has broken only a book inside, to see whom that hurts."""
LOOK_SHORTER_S = 8.0
"""CPU seconds for which it goes on after it has found only what is too long to tell."""
TOO_LONG = 3 * MOST_STEPS
"""Steps up to the breach of a run from which a short story is hardly to be had."""


class Ended(BaseException):
    """Something was found, and nothing worse is looked for."""


@dataclass
class Hunt:
    """One hunt under way: plays cases for the strategies, counts, and keeps the worst that was found.

    checkers   look for breaches of these only; all of them where None
    is_told    can what was found be told as it should? If not, the hunt goes on. Whatever is short can, where None
    """

    ground: Ground
    clock: Clock
    checkers: frozenset[str] | None = None
    watch: Watch | None = None
    is_told: Callable[[Found], bool] | None = None
    runs: int = 0
    crashes: int = 0
    crash: str = ""
    exercised: set[str] = field(default_factory=set)
    by_strategy: dict[str, int] = field(default_factory=dict)
    best: Found | None = None
    worth: tuple[bool, bool] = (False, False)
    since: int = 0
    since_s: float = 0.0
    turn: str = ""

    def play(self, case: Case, luck: Streams | None = None) -> Outcome:
        """See `strategy.Play`."""
        if self.clock.is_over:
            raise Spent
        if self.best is not None and self.has_looked_on():
            self.settle_for(self.best)
        try:
            run = play(case, self.ground.design, luck)
        except BadDeviation:
            raise
        except Exception as error:  # the design's own assertions, or ours: no verdict, and no run
            self.crashes += 1
            self.crash = self.crash or one_line(error)
            return Outcome(None)
        self.runs += 1
        self.by_strategy[self.turn] = self.by_strategy.get(self.turn, 0) + 1
        if self.watch is not None:
            self.watch(self.clock.spent_s, self.runs)
        self.exercised |= {name for name, verdict in run.verdicts.items() if verdict.was_exercised}
        failures = [one for one in failures_in(run.verdicts) if self.checkers is None or one.checker in self.checkers]
        if failures:
            self.keep(case, run, failures[0])
        return Outcome(run, tuple(failures))

    def keep(self, case: Case, run: Run, failure: Failure) -> None:
        """Keep the worst that was found, and end the hunt where it is bad enough and can be told. raises   Ended"""
        found = Found(self.ground.design, failure, case, self.turn, self.runs, self.clock.spent_s, self.crashes)
        is_felt = failure.is_felt or self.checkers is not None
        is_short = len(steps_of(run.history, max(failure.witness, default=None))) <= TOO_LONG
        if is_short and is_felt and self.is_told is not None:
            is_short = self.is_told(found)
        if self.best is None or (is_short, is_felt) > self.worth:
            if self.best is None or is_short > self.worth[0]:
                self.since, self.since_s = self.runs, self.clock.spent_s
            self.best, self.worth = found, (is_short, is_felt)
        if is_felt and is_short:
            raise Ended

    def settle_for(self, found: Found) -> None:
        """End the hunt with what there is; but go on where it is only a book inside, and cannot even be told.
        raises   Ended"""
        if self.worth == (True, False) and self.is_told is not None and not self.is_told(found):
            self.worth, self.since_s = (False, False), self.clock.spent_s
            return
        raise Ended

    def has_looked_on(self) -> bool:
        """Was something worse, or shorter, looked for long enough?"""
        is_short, _ = self.worth
        if is_short:
            return self.runs >= self.since + LOOK_FURTHER or self.clock.spent_s >= self.since_s + LOOK_FURTHER_S
        return self.clock.spent_s >= self.since_s + LOOK_SHORTER_S


def hunt_with(names: Sequence[str], hunting: Hunt) -> None:
    """Let these strategies take turns until the hunt ends. Nobody to take a turn ends it, too."""
    turns = {name: STRATEGIES[name](hunting.ground).turns(hunting.play) for name in names}
    used_s = dict.fromkeys(turns, 0.0)
    try:
        while turns:
            name = min(turns, key=lambda one: used_s[one] / SHARES.get(one, USUAL_SHARE))
            hunting.turn = name
            began = time.process_time()
            try:
                next(turns[name])
            except StopIteration:
                del turns[name]
            used_s[name] += time.process_time() - began
    except (Spent, Ended):
        return


def usual(scenario: Scenario | None) -> tuple[str, ...]:
    """The portfolio: all strategies, but to play the same scenario again and again only where one was named, other
    days only where none was, and Hypothesis only where it is installed."""
    away = {MonteCarlo.name} if scenario is None else {NamedDays.name}
    if not is_installed():
        away.add(Driven.name)
    return tuple(name for name in STRATEGIES if name not in away)


def hunted(
    ground: Ground,
    budget_s: float,
    strategies: Sequence[str],
    checkers: frozenset[str] | None = None,
    watch: Watch | None = None,
    is_told: Callable[[Found], bool] | None = None,
) -> Found | NotFound:
    """Hunt within a budget of CPU seconds; see `Hunt`."""
    hunting = Hunt(ground, Clock(budget_s), checkers, watch, is_told)
    hunt_with(strategies, hunting)
    if hunting.best is not None:
        return hunting.best
    return NotFound(
        hunting.runs, hunting.clock.spent_s, frozenset(hunting.exercised), hunting.crashes, hunting.crash,
        dict(hunting.by_strategy),
    )  # fmt: skip
