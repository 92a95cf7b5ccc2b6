"""The scope of a proof: which design, how many orders of what, which faults, which guards; and what it came to.

Nothing is searched here.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from orderquake.model.architecture import Architecture
from orderquake.model.order import STATE_TABLES, Line, Order
from orderquake.model.policy import OrderOfSteps, Policy
from orderquake.sim.checkers import CHECKERS
from orderquake.sim.checkers.fold import Checker
from orderquake.sim.explore.campaign_run import design_named
from orderquake.sim.explore.exhaustive import Step
from orderquake.sim.explore.proof.budget import FAULTS, Budget
from orderquake.sim.explore.proof.guards import GUARDS, NEEDS, guards_of
from orderquake.sim.explore.proof.story import told

PRICE = 100
SKUS = ("mug", "bowl", "cup", "jug", "pot", "tray")
MOST_ORDERS = 9
UNHEARD = frozenset({"backpressure_bounded"})
"""Judged from asks and not from what services do; a search knows no rates."""
MUTANTS = "orderquake.model.mutants"
JOBS: Mapping[str, int] = {"refresh": 1, "post": 1}


class ScopeError(ValueError):
    """The scope cannot be proved; the text says what to do."""


def design_called(on: str | type[Architecture]) -> type[Architecture]:
    """A design, or a planted bug, by name; "package.module:Class" for one of one's own. raises   ScopeError"""
    if not isinstance(on, str):
        return on
    mutants: Mapping[str, type[Architecture]] = importlib.import_module(MUTANTS).MUTANTS
    if on in mutants:
        return mutants[on]
    try:
        return design_named(on)
    except KeyError as error:
        raise ScopeError(str(error.args[0])) from error


@dataclass(frozen=True)
class Scope:
    """What a proof covers; see `prove` for the meaning of each."""

    design: type[Architecture]
    orders: tuple[Order, ...]
    opening: Mapping[str, int]
    faults: tuple[str, ...]
    at_most: int
    each: bool
    policy: OrderOfSteps
    drop: tuple[str, ...]
    jobs: Mapping[str, int]
    promises: tuple[str, ...] = ()

    @property
    def limits(self) -> str:
        return json.dumps({"policy": self.policy, "pool": "ring_fenced"})

    @property
    def guards(self) -> tuple[str, ...]:
        return guards_of(self.faults, self.drop)

    def budget(self) -> Budget:
        return Budget(self.faults, self.at_most, self.each)

    def rules(self) -> Policy:
        return Policy(order=self.policy)

    def __str__(self) -> str:
        shelves = ", ".join(f"{units} {sku}" for sku, units in self.opening.items())
        jobs = ", ".join(f"{flow} x{runs}" for flow, runs in self.jobs.items() if runs) or "no job"
        return f"{self.design.name}, {self.policy}: {len(self.orders)} orders for {shelves}; {jobs}; {self.budget()}"


def scope_of(
    on: str | type[Architecture],
    orders: int | Sequence[Order],
    skus: int,
    units: int,
    faults: Sequence[str],
    at_most: int,
    each: bool,
    policy: str,
    drop: Sequence[str],
    jobs: Mapping[str, int] | None,
) -> Scope:
    """The scope that was asked for. raises   ScopeError"""
    for word, known, what in [(fault, FAULTS, "fault") for fault in faults] + [(one, GUARDS, "guard") for one in drop]:
        if word not in known:
            raise ScopeError(f'no {what} is called "{word}"; there are {", ".join(known)}')
    if not 1 <= skus <= len(SKUS):
        raise ScopeError(f"{skus} products; expected 1 to {len(SKUS)}")
    if units < 0 or at_most < 0:
        raise ScopeError("units and faults are counted from 0")
    if isinstance(orders, int):
        if not 1 <= orders <= MOST_ORDERS:
            raise ScopeError(f"{orders} orders; expected 1 to {MOST_ORDERS}")
        lines = tuple(Line(sku, 1, PRICE) for sku in SKUS[:skus])
        orders = [Order(f"o-{number}", lines, PRICE * skus) for number in range(1, orders + 1)]
    needed = {fault: most for guard in drop for fault, most in NEEDS[guard].items()}
    if needed:
        faults, each, at_most = (*faults, *(fault for fault in needed if fault not in faults)), True, max(1, at_most)
    if policy not in STATE_TABLES:
        raise ScopeError(f'no policy is called "{policy}"; there are {", ".join(STATE_TABLES)}')
    design = design_called(on)
    flows = {job.flow for job in design(Policy(order=policy)).jobs()}  # type: ignore[arg-type]
    opening = dict.fromkeys(SKUS[:skus], units)
    wanted = JOBS if jobs is None else jobs
    return Scope(
        design,
        tuple(orders),
        opening,
        tuple(dict.fromkeys(faults)) if at_most else (),
        at_most,
        each,
        policy,  # type: ignore[arg-type]
        tuple(drop),
        {flow: runs for flow, runs in wanted.items() if flow in flows},
    )


def panel(promises: Sequence[str] = ()) -> tuple[Checker[Any], ...]:
    """The promises that a search judges: all that it can hear of, or these alone. raises   ScopeError"""
    heard = {name: checker for name, checker in CHECKERS.items() if name not in UNHEARD}
    for name in promises:
        if name not in heard:
            raise ScopeError(f'no promise that a search can judge is called "{name}"; there are {", ".join(heard)}')
    return tuple(checker() for name, checker in heard.items() if not promises or name in promises)


@dataclass
class Proof:
    """What a search covered, and what it found.

    verdict      valid: all was seen and nothing is broken; invalid; unknown: it was cut off
    violation    checker -> reason, of the shortest story; empty if there is none
    story        what leads to it, in order
    states, transitions, finals   seen in all; finals are states at which nobody in scope has anything left to do
    is_complete  nothing in scope was left out
    growth       states by told steps, where it was cut off
    guards       what was taken for granted about time
    seconds      of processor time
    """

    scope: Scope
    checkers: tuple[str, ...]
    guards: tuple[str, ...]
    states: int = 0
    transitions: int = 0
    finals: int = 0
    is_complete: bool = False
    can_end: bool = False
    violation: Mapping[str, str] = field(default_factory=dict)
    story: Sequence[Step] = ()
    growth: Sequence[int] = ()
    seconds: float = 0.0

    @property
    def verdict(self) -> Literal["valid", "invalid", "unknown"]:
        if self.violation:
            return "invalid"
        return "valid" if self.is_complete else "unknown"

    @property
    def steps(self) -> int:
        """Length of the story in steps that count; a fault is one."""
        return sum(step.is_told for step in self.story)

    def lines(self) -> list[str]:
        """The story, a line a step that counts."""
        return [told(step) for step in self.story if step.is_told]

    def __str__(self) -> str:
        covered = f"{self.scope}: {self.states:,} states, {self.transitions:,} transitions, {self.finals:,} final"
        if not self.violation:
            return f"{covered}; nothing violated" + ("" if self.is_complete else ", but the search was cut short")
        why = "; ".join(f"{name}: {reason}" for name, reason in self.violation.items())
        return f"{covered}; {why}, in {self.steps} steps\n" + "\n".join(
            f"  {number:2}  {line}" for number, line in enumerate(self.lines(), start=1)
        )
