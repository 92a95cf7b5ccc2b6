"""What a run writes down of where data may be and who may ask what, and who is refused. Judges nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orderquake.model.boundaries import Role
from orderquake.model.flow import Ask
from orderquake.model.verbs import kinds

if TYPE_CHECKING:
    from orderquake.sim.world.world import World


def role_of(actor: str) -> Role:
    """By the first word of who asks: `worker-eu-west-3` is a worker, and whoever is no worker and no front is a job.

    >>> role_of("front-eu-west").value, role_of("outbound").value
    ('front', 'job')
    """
    word = actor.partition("-")[0]
    return Role(word) if word in (Role.FRONT, Role.WORKER) else Role.JOB


def draw(world: World) -> None:
    """Write the table that checkers read, and tell the wire whom to refuse; nothing where nobody has asked for it."""
    residency = world.scenario.residency
    if residency is None:
        return
    asks = kinds(world.stores)
    world.history.state(0, "residency", kind="config", answer=json.dumps(table_of(world, asks)))
    if residency.refuses:
        world.wire.askers = {verb: kind.askers for verb, kind in asks.items()}


def table_of(world: World, asks: Mapping[str, type[Ask[Any]]]) -> dict[str, Any]:
    """In words of the history: operations, services, places, actors' first words."""
    scenario, adds = world.scenario, world.design.adds
    assert scenario.residency is not None
    return {
        "carries": {verb: sorted(kind.carries | adds.get(verb, frozenset())) for verb, kind in asks.items()},
        "askers": {verb: sorted(kind.askers) for verb, kind in asks.items()},
        "service": {verb: kind.service for verb, kind in asks.items()},
        "stands": {name: [each.place for each in one.members] for name, one in world.wire.replicas.items()},
        "jurisdiction": {place.name: place.jurisdiction for place in scenario.place},
        "personal": list(scenario.residency.personal),
    }
