"""Guards: what a proof takes for granted about time, by name, and what becomes of it when one is dropped.

Moments are the policy's own bounds. Where time is no fault it stands still, and every bound holds; where it is, the
clock may jump from any bound to any later one, and the guards that are left say what is over by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orderquake.model.policy import Policy
from orderquake.sim.explore.proof.flows import limits_of

GUARDS: Mapping[str, str] = {
    "message_life": "no ask arrives later than key retention less send horizon after it was sent",
    "worker_deadline": "no worker sleeps longer than its deadline in the middle of a step",
    "send_horizon": "a charge or refund is sent again only within the send horizon",
    "key_retention": "the provider remembers a key for as long as it says",
    "decide_within": "every order is decided in time, so that none is given up for lateness",
}
"""Name -> what is taken for granted. The last one is only taken where time stands still."""

NEEDS: Mapping[str, Mapping[str, int]] = {
    "message_life": {"time": 1, "duplicate": 1},
    "worker_deadline": {"time": 1, "lose_answer": 1},
    "send_horizon": {"time": 1, "lose_answer": 1},
    "key_retention": {"time": 1, "lose_answer": 1},
    "decide_within": {"time": 1},
}
"""Guard -> the faults that it guards against; to drop it is to let them come."""

LONG = 1 << 62


@dataclass(frozen=True)
class Clock:
    """How time may pass.

    moments             microseconds; the first is now
    always              limits of `Within` that are taken never to run out
    worker_deadline_us, message_life_us    who waits so long is dead by then
    """

    moments: tuple[int, ...] = (0,)
    always: frozenset[int] = frozenset()
    worker_deadline_us: int = LONG
    message_life_us: int = LONG

    @property
    def runs(self) -> bool:
        return len(self.moments) > 1


def clock_of(policy: Policy, faults: Sequence[str], dropped: Sequence[str]) -> Clock:
    """The clock of a proof."""
    if "time" not in faults:
        return Clock()
    return Clock(
        tuple(sorted({0, *limits_of(policy).values()})),
        frozenset({policy.send_horizon_us} if "send_horizon" in dropped else ()),
        LONG if "worker_deadline" in dropped else policy.worker_deadline_us,
        LONG if "message_life" in dropped else policy.key_retention_us - policy.send_horizon_us,
    )


def guards_of(faults: Sequence[str], dropped: Sequence[str]) -> tuple[str, ...]:
    """The guards that are in force."""
    return tuple(
        guard for guard in GUARDS if guard not in dropped and not (guard == "decide_within" and "time" in faults)
    )
