"""The ways to catch a bug that are independent of each other: each tries until a checker says that a promise is broken.

timed        the day that the mutant names, in simulated time, seed after seed
exhaustive   every interleaving of two orders and the jobs, nothing going wrong, shortest stories first
random       made-up days at small scope, with crashes, losses, late copies and jumps of the clock, seed after seed
told         a story told by hand at small scope, for those that made-up days seldom meet

What only makes an assertion fail is counted as a crash, and is no kill.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

from orderquake.model.architecture import Architecture
from orderquake.model.mutants import CANARY
from orderquake.model.order import Line, Order
from orderquake.model.policy import OrderOfSteps, Policy
from orderquake.sim.checkers import all_checkers
from orderquake.sim.explore.exhaustive import Exhaustive
from orderquake.sim.explore.kills.planted import Planted, day_of
from orderquake.sim.explore.kills.small_world import Scope
from orderquake.sim.explore.kills.stories import STORIES, played
from orderquake.sim.explore.kills.walks import walk
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
STATES = 5_000
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
    except AssertionError as error:
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


class Searched(NamedTuple):
    """What a search of one scope found: checker -> reason, the steps of the shortest story, and states seen."""

    violation: Mapping[str, str]
    steps: int
    states: int


class Said(NamedTuple):
    """An answer and its kind: answers without fields are equal as tuples, and `Pinned()` is not `Lapsed()`."""

    kind: str
    answer: Any


class Explorer(Exhaustive):
    """The search, with answers told apart by their kinds."""

    def handle(self, service: str, before: Hashable, ask: Any) -> tuple[Hashable, Any, tuple[Any, ...]]:
        after, answer, journal = super().handle(service, before, ask)
        return after, Said(type(answer).__name__, answer), journal

    def rerun(self, flow: str, arguments: tuple[Any, ...], answers: tuple[Any, ...]) -> Any:
        return super().rerun(flow, arguments, tuple(said.answer for said in answers))


def search(kind: type[Architecture], scope: Scope, jobs: Mapping[str, int]) -> Searched:
    """The adapter: whichever explorer there is, asked for one scope."""
    explorer = Explorer(kind(scope.policy), scope.orders, dict(scope.opening), all_checkers(), jobs, scope.limits())
    proof = explorer.search(STATES)
    return Searched(proof.violation, proof.steps, proof.states)


def an_order(name: str, units: int = 1, card: str = "good") -> Order:
    return Order(name, (Line("mug", units, 100 * units),), 100 * units, card)


def scopes(design: str) -> Iterator[tuple[str, Scope, dict[str, int]]]:
    """Small scopes, the cheapest first: two orders for one unit, one order in two hands; then the two and jobs."""
    alone: tuple[OrderOfSteps, ...] = ("reserve_first", "pay_first", "authorise_reserve_capture")
    with_jobs: tuple[tuple[OrderOfSteps, dict[str, int]], ...] = (("reserve_first", {"refresh": 1, "post": 1}),)
    ticks: tuple[tuple[OrderOfSteps, dict[str, int]], ...] = tuple((order, {}) for order in alone)
    for policy, jobs in ticks + (with_jobs if design in ("hot_cold", "escrow") else ()):
        rivals = Scope(Policy(order=policy), {"mug": 1}, (an_order("ann"), an_order("bob")))
        yield f"{policy}, two orders, one unit, {_told(jobs)}", rivals, jobs
        if not jobs:
            twice = Scope(Policy(order=policy), {"mug": 1}, (an_order("ann", card="stored_error_paid"),) * 2)
            yield f"{policy}, one order in two hands, {_told(jobs)}", twice, jobs


def _told(jobs: Mapping[str, int]) -> str:
    return ", ".join(f"{name} x{times}" for name, times in jobs.items()) or "no jobs"


def exhaustively(mutant: Planted) -> Kill:
    """Scope after scope, until a promise is broken."""
    kill = Kill("exhaustive", of=1)
    began = time.process_time()
    for number, (what, scope, jobs) in enumerate(scopes(mutant.design), start=1):
        try:
            found = search(mutant.kind, scope, jobs)
        except (AssertionError, KeyError, AttributeError, TypeError):
            kill.crashes += 1
            continue
        if found.violation:
            kill.killed, kill.runs, kill.seconds = 1, number, time.process_time() - began
            kill.steps, kill.caught, kill.how = found.steps, dict.fromkeys(found.violation, 1), what
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
