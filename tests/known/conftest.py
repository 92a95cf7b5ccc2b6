"""The tests' side of the table: how much effort a test makes, and that a gate which is not met fails it.

A sound product fails the 150 gates of this folder's small form for about 6 % of all choices of seeds; the seeds of a
test follow from its name.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.known.gates import Agrees, Effort, Gate

__all__ = ["BIG", "ONLY_BIG", "SLOW", "Agrees", "Effort"]

SLOW = pytest.mark.slow
BIG = pytest.param(True, id="big", marks=SLOW)
ONLY_BIG = pytest.mark.parametrize("effort", [BIG], indirect=True)
"""For what cannot be seen with little effort."""


@pytest.fixture(params=[pytest.param(False, id="small"), BIG])
def effort(request: pytest.FixtureRequest) -> Effort:
    """Every test has a small form, and a slow one with five times the patience."""
    name = request.node.name
    return Effort.of(name, 5, 2.1) if request.param else Effort.of(name)


@pytest.fixture
def agrees(record_property: Callable[[str, object], None], effort: Effort) -> Agrees:
    """`agrees(what, a value a replication, reference, half-width allowed)`."""

    def tell(gate: Gate) -> None:
        record_property(gate.what, str(gate))
        assert gate.is_met, str(gate)

    return Agrees(effort, tell)
