"""What may go wrong in a scenario, and when; what each fault does, breaks and leaves to see, as a table.

One family of faults a file. Descriptions only: what carries them out lies in `world/faults`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeAlias, Union

from pydantic import Field

from orderquake.model.assumptions import Assumption
from orderquake.sim.nemesis import load, patterns, payment, record, services, time, wire, workers
from orderquake.sim.nemesis.base import SERVICES, AtService, Chancy, Fault, Lasting, ServiceName, Sudden
from orderquake.sim.nemesis.payment import BrownOut
from orderquake.sim.nemesis.services import Down, Slow, Wiped
from orderquake.sim.nemesis.wire import Duplicate, LoseAnswer, LoseAsk
from orderquake.sim.nemesis.workers import Crash, Pause

__all__ = [
    "FAMILIES",
    "FAULTS",
    "SERVICES",
    "AnyFault",
    "AtService",
    "BrownOut",
    "Chancy",
    "Crash",
    "Down",
    "Duplicate",
    "Fault",
    "FaultKind",
    "Lasting",
    "LoseAnswer",
    "LoseAsk",
    "Pause",
    "ServiceName",
    "Slow",
    "Sudden",
    "Wiped",
]

FAMILIES: Mapping[str, tuple[type[Fault], ...]] = {
    "wire": wire.FAULTS,
    "services": services.FAULTS,
    "workers": workers.FAULTS,
    "payment": payment.FAULTS,
    "record": record.FAULTS,
    "time": time.FAULTS,
    "load": load.FAULTS,
    "patterns": patterns.FAULTS,
}
"""Family -> its kinds of fault."""

_KINDS = tuple(kind for family in FAMILIES.values() for kind in family)

if TYPE_CHECKING:
    AnyFault: TypeAlias = Fault
else:
    AnyFault = Annotated[Union[_KINDS], Field(discriminator="kind")]  # noqa: UP007 - built from a tuple


class FaultKind(NamedTuple):
    """One line of the table of faults; see `Fault` for what each column says."""

    model: type[Fault]
    family: str
    does: str
    breaks: tuple[Assumption, ...]
    heals: str
    witness: str
    example: str


FAULTS: Mapping[str, FaultKind] = {
    str(kind.model_fields["kind"].default): FaultKind(
        kind, family, kind.does, tuple(sorted(kind.breaks)), kind.heals, kind.witness, kind.example
    )
    for family, kinds in FAMILIES.items()
    for kind in kinds
}
"""Fault kind -> what there is to know about it. `orderquake faults` prints it."""
