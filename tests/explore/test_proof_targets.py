"""The scopes that a proof of hot_cold must reach in a minute of one core, with all that they look at pinned."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.sim.explore.proof import prove

MINUTE_S = 60
ANY_ONE = ("crash", "lose_ask", "lose_answer", "duplicate", "lapse")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scope", "states", "transitions", "finals"),
    [
        ({"orders": 4}, 165_730, 627_896, 335),
        ({"orders": 3, "faults": ANY_ONE}, 207_023, 873_076, 550),
        (
            {"orders": 2, "faults": ("crash", "lose_answer", "duplicate", "lapse"), "each": True},
            406_514,
            1_732_925,
            732,
        ),
    ],
)
def test_what_a_minute_must_prove(scope: dict[str, Any], states: int, transitions: int, finals: int) -> None:
    proof = prove(skus=2, units=2, **scope)
    assert (proof.verdict, proof.is_complete, proof.can_end) == ("valid", True, True)
    assert (proof.states, proof.transitions, proof.finals) == (states, transitions, finals)
    assert proof.seconds <= MINUTE_S
