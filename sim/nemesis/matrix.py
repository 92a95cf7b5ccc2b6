"""Which kind of fault can strike which step of the workflow, and why not where it cannot.

A cell is a kind and a step. What a kind spares it says itself; what follows from its target is added here.
"""

from __future__ import annotations

from functools import cache
from typing import get_args

from orderquake.model.assumptions import Assumption
from orderquake.model.verbs import VERBS
from orderquake.sim.nemesis import FAULTS
from orderquake.sim.nemesis.steps import OFF_THE_WIRE, STEPS, Spared

SERVICE_OF = {verb: service for service, verbs in VERBS.items() for verb in verbs}
"""Verb -> the service that is asked; runs of jobs are absent."""
AT_THE_SERVICE = "it is done at the service itself, and goes over no wire"


def spared(kind: str) -> tuple[Spared, ...]:
    """All rules of a kind, the kind's own first: each step is spared by the first rule that names it."""
    model = FAULTS[kind].model
    services = services_of(kind)
    rules = [*model.spares, Spared(OFF_THE_WIRE, AT_THE_SERVICE)]
    if services:
        others = frozenset(verb for service, verbs in VERBS.items() if service not in services for verb in verbs)
        rules.append(Spared(others, f"it strikes {', '.join(services)} only"))
    return tuple(rules)


def services_of(kind: str) -> tuple[str, ...]:
    """The services that its `target` may name; () where it names something else, or may name anything."""
    target = FAULTS[kind].model.model_fields["target"].annotation
    names = [name for part in (target, *get_args(target)) for name in get_args(part) if isinstance(name, str)]
    return tuple(name for name in names if name in VERBS)


@cache
def reasons(kind: str) -> dict[str, str]:
    """Step -> why this kind cannot strike it; steps that it can strike are absent."""
    found: dict[str, str] = {}
    for rule in spared(kind):
        for step in STEPS:
            if step in rule.steps:
                found.setdefault(step, rule.why)
    return found


def feasible(kind: str) -> tuple[str, ...]:
    """The steps that a kind can strike, in the workflow's order."""
    return tuple(step for step in STEPS if step not in reasons(kind))


def by_reason(kind: str) -> dict[str, list[str]]:
    """Why -> the steps that a kind cannot strike."""
    found: dict[str, list[str]] = {}
    for step, why in reasons(kind).items():
        found.setdefault(why, []).append(step)
    return found


def beyond(kind: str, requires: frozenset[Assumption]) -> tuple[str, ...]:
    """The steps that a kind can strike only by taking away something that is required: they lie outside a contract."""
    model = FAULTS[kind].model
    return tuple(step for step in feasible(kind) if model.broken_at(SERVICE_OF.get(step, "")) & requires)
