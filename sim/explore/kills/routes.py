"""The ways to catch a bug that are independent of each other: each tries until a checker says that a promise is broken.

timed        the day that the mutant names, in simulated time, seed after seed
exhaustive   every interleaving of a few orders, jobs and faults, shortest stories first
random       made-up days at small scope, with crashes, losses, late copies and jumps of the clock, seed after seed
told         a story told by hand at small scope, for those that made-up days seldom meet

What only makes an assertion fail is counted as a crash, and is no kill.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

from orderquake.model.mutants import CANARY
from orderquake.model.policy import OrderOfSteps
from orderquake.sim.explore.days import day_of
from orderquake.sim.explore.kills.planted import Planted
from orderquake.sim.explore.kills.stories import STORIES, played
from orderquake.sim.explore.kills.walks import walk
from orderquake.sim.explore.proof import prove
from orderquake.sim.explore.proof.budget import FAULTS
from orderquake.sim.run import simulate

APART = 1_000
"""Seeds of one replication lie so far from those of the next."""
SURE_AFTER = 5
"""Where so many replications each take a single run, no race decides, and no more are made."""
HOPELESS_AFTER = 2
"""Where so many find nothing, no more are made either."""
RUNS = {"timed": 6, "random": 150}
"""Runs of one replication at most, by route."""
DAYS_FOR_THE_CANARY = 400
"""Its day is so small that a table can play enough of them."""
STATES = 20_000
"""States that the explorer looks at in one scope, at most."""


class Try(NamedTuple):
    """One run of a route.

    caught   checkers that convict
    steps    of the story that leads there, in asks that count; 0 where a route does not know
    crash    what an assertion said, "" where none failed
    """

    caught: tuple[str, ...]
    steps: int = 0
    crash: str = ""


@dataclass
class Kill:
    """What one route found, over all its replications.

    runs, seconds   until the first kill, the median over the replications that ended in one; CPU seconds
    killed, of      replications that ended in a kill, and all
    steps           of the shortest story
    caught          checker -> replications in which it convicted
    crashes         runs in which an assertion failed
    """

    route: str
    runs: float = 0
    seconds: float = 0.0
    killed: int = 0
    of: int = 0
    steps: int = 0
    caught: dict[str, int] = field(default_factory=dict)
    crashes: int = 0
    how: str = ""

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"killed": self.killed, "of": self.of, "caught": self.caught, "crashes": self.crashes}
        if self.killed:
            told |= {"runs": self.runs, "seconds": round(self.seconds, 3)}
        if self.steps:
            told["steps"] = self.steps
        if self.how:
            told["how"] = self.how
        return told


def attempt(run: Callable[[], Try]) -> Try:
    """A run, or its crash."""
    try:
        return run()
    except (AssertionError, KeyError) as error:
        return Try((), 0, str(error).split("\n")[0] or "an assertion failed")


# -- in simulated time


def timed_try(mutant: Planted, seed: int) -> Try:
    """The mutant's own day."""
    run = simulate(day_of(mutant.day), on=mutant.kind, seed=seed)
    return Try(tuple(name for name, verdict in run.verdicts.items() if verdict.status == "invalid"))


# -- made-up days


def random_try(mutant: Planted, seed: int) -> Try:
    """One walk."""
    world = walk(mutant.kind, seed)
    broken = world.judged()
    return Try(tuple(broken), world.steps_to(broken))


# -- stories told by hand


def told(mutant: Planted) -> Kill:
    """The mutant's story, where somebody has told one."""
    kill = Kill("told")
    if mutant.name not in STORIES:
        return kill
    began = time.process_time()
    tried = attempt(lambda: story_try(mutant))
    kill.of, kill.crashes = 1, int(bool(tried.crash))
    if tried.caught:
        kill.killed, kill.runs, kill.seconds = 1, 1, time.process_time() - began
        kill.steps, kill.caught = tried.steps, dict.fromkeys(tried.caught, 1)
    return kill


def story_try(mutant: Planted) -> Try:
    world = played(mutant.name, mutant.kind)
    broken = world.judged()
    return Try(tuple(broken), world.steps_to(broken))


TRIES: Mapping[str, Callable[[Planted, int], Try]] = {"timed": timed_try, "random": random_try}


def runs_of(route: str, mutant: Planted) -> int:
    """Runs of one replication at most."""
    return DAYS_FOR_THE_CANARY if (route, mutant.name) == ("timed", CANARY) else RUNS[route]


def by_seeds(route: str, mutant: Planted, seeds: int) -> Kill:
    """Replications of a route that goes seed after seed."""
    kill, needed, took = Kill(route), [], []
    for replication in range(seeds):
        began = time.process_time()
        for run in range(1, runs_of(route, mutant) + 1):
            seed = replication * APART + run
            tried = attempt(lambda seed=seed: TRIES[route](mutant, seed))  # type: ignore[misc]
            kill.crashes += bool(tried.crash)
            if tried.caught:
                needed.append(run)
                took.append(time.process_time() - began)
                for checker in tried.caught:
                    kill.caught[checker] = kill.caught.get(checker, 0) + 1
                if tried.steps:
                    kill.steps = min(kill.steps or tried.steps, tried.steps)
                break
        kill.of += 1
        if not needed and kill.of == HOPELESS_AFTER:
            break
        if kill.of == len(needed) == SURE_AFTER and max(needed) == 1:
            break
    kill.killed = len(needed)
    if needed:
        kill.runs, kill.seconds = median(needed), median(took)
    return kill


# -- every interleaving

POLICIES: tuple[OrderOfSteps, ...] = ("reserve_first", "pay_first", "authorise_reserve_capture")
BOTH_JOBS: Mapping[str, int] = {"refresh": 1, "post": 1}


class Small(NamedTuple):
    """A scope of the prover: so many orders for one unit, with at most so many faults in all."""

    policy: OrderOfSteps
    orders: int
    jobs: Mapping[str, int]
    faults: tuple[str, ...] = ()
    at_most: int = 0

    def __str__(self) -> str:
        jobs = "both jobs" if self.jobs else "no jobs"
        faults = f"at most {self.at_most} of {', '.join(self.faults)}" if self.faults else "no fault"
        return f"{self.policy}, {self.orders} orders for one unit, {jobs}, {faults}"


def scopes() -> Iterator[Small]:
    """The cheapest first: rivals, rivals and jobs, one order with two faults of any kind, rivals and jobs and one."""
    yield from (Small(policy, 2, {}) for policy in POLICIES)
    yield from (Small(policy, 2, BOTH_JOBS) for policy in POLICIES[:2])
    # Without customers who cancel: their flow reads and writes until nobody is faster, and so has no last state.
    any_kind = tuple(fault for fault in FAULTS if fault != "cancel")
    yield from (Small(policy, 1, {}, any_kind, 2) for policy in POLICIES)
    often = ("crash", "lose_answer", "duplicate", "lapse")
    yield from (Small(policy, 2, BOTH_JOBS, often, 1) for policy in POLICIES[:2])


def exhaustively(mutant: Planted) -> Kill:
    """Scope after scope, until a promise is broken."""
    kill = Kill("exhaustive", of=1)
    began = time.process_time()
    for number, scope in enumerate(scopes(), start=1):
        try:
            found = prove(
                mutant.kind, scope.orders, 1, 1, scope.faults, scope.at_most, policy=scope.policy, jobs=scope.jobs,
                limit=STATES,
            )  # fmt: skip
        except (AssertionError, KeyError, AttributeError, TypeError, ValueError, RecursionError):
            kill.crashes += 1
            continue
        if found.violation:
            kill.killed, kill.runs, kill.seconds = 1, number, time.process_time() - began
            kill.steps, kill.caught, kill.how = found.steps, dict.fromkeys(found.violation, 1), str(scope)
            break
    return kill


ROUTES = ("timed", "exhaustive", "random", "told")


def killed_by(route: str, mutant: Planted, seeds: int) -> Kill:
    """What a route makes of a mutant."""
    match route:
        case "exhaustive":
            return exhaustively(mutant)
        case "told":
            return told(mutant)
    return by_seeds(route, mutant, seeds)
