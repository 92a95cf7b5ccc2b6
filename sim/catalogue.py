"""What there is: scenarios, designs, promises, faults, and the schema of scenario files, as entries with a name each.

Reads the registers and describes them; how a list looks is in `console.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

Entry: TypeAlias = dict[str, Any]
"""What can be said of one thing, plain; under `name` what it is called by."""


def scenarios() -> Iterator[Entry]:
    """The scenarios that come along."""
    from orderquake.sim.scenario_file import load_scenario, scenario_names
    from orderquake.sim.units import format_duration

    for name in scenario_names():
        scenario = load_scenario(name)
        yield {
            "name": name,
            "question": scenario.question,
            "workload": scenario.workload.kind,
            "horizon": format_duration(scenario.horizon),
            "faults": [fault.kind for fault in scenario.fault],
            "expect": dict(scenario.expect),
        }


def architectures() -> Iterator[Entry]:
    """The designs, and what each of them requires."""
    from orderquake.model.architectures import ARCHITECTURES

    for name, design in ARCHITECTURES.items():
        yield {"name": name, "says": first_sentence(design), "requires": sorted(design.requires)}


def checkers() -> Iterator[Entry]:
    """The promises that histories are judged by."""
    from orderquake.sim.checkers import CHECKERS

    for name, checker in CHECKERS.items():
        yield {"name": name, "says": first_sentence(checker)}


def points() -> Iterator[Entry]:
    """The rare moments that a campaign must have met."""
    from orderquake.sim.study.points import listing

    yield from listing()


def faults() -> Iterator[Entry]:
    """What may go wrong, and how a scenario asks for it."""
    from orderquake.sim.nemesis import FAULTS

    for name, fault in FAULTS.items():
        yield {
            "name": name,
            "does": fault.does,
            "breaks": list(fault.breaks),
            "heals": fault.heals,
            "witness": fault.witness,
            "example": fault.example,
        }


def matrix() -> Iterator[Entry]:
    """Each kind of fault: the steps that it can strike, and the others by the reason why it cannot."""
    from orderquake.sim.nemesis import FAULTS
    from orderquake.sim.nemesis.matrix import by_reason, feasible

    for name, fault in FAULTS.items():
        yield {"name": name, "family": fault.family, "strikes": list(feasible(name)), "spares": by_reason(name)}


def first_sentence(thing: type) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((thing.__doc__ or "").strip().split("\n\n")[0].split())
