"""What a strategy is: it plays a few cases at a time, and is told what came of each.

All strategies stand behind this one interface, so that a portfolio can take turns with them and a bake-off can let each
run alone. None of them judges anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from orderquake.model.architecture import Architecture
from orderquake.sim.explore.hunt.found import Case, Failure
from orderquake.sim.run import Run
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.streams import Streams


@dataclass(frozen=True)
class Ground:
    """Where a hunt takes place.

    scenario    the day that was named, or None
    is_outside  faults need not keep to the contract of the design
    """

    design: type[Architecture]
    scenario: Scenario | None
    seed: int
    is_outside: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a case: how it ran, or None where the design or the harness failed, and what it broke."""

    run: Run | None
    failures: tuple[Failure, ...] = ()


class Play(Protocol):
    """Plays a case and judges it; counts, keeps what was found, and ends the hunt when its time is over."""

    def __call__(self, case: Case, luck: Streams | None = None) -> Outcome: ...


class Strategy(Protocol):
    """One way to look for a broken promise.

    name   how `--strategies` and the bake-off name it
    """

    name: ClassVar[str]

    def __init__(self, ground: Ground) -> None: ...

    def turns(self, play: Play) -> Iterator[None]:
        """Play cases, for ever if need be; yield after a few, so that others have their turn."""


def seeds(first: int) -> Iterator[int]:
    """first, first + 1, and so on."""
    while True:
        yield first
        first += 1


AnyStrategy = type[Strategy] | Any
