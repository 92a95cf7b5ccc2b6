"""A retry budget: every first try earns a little credit, every further try costs one, and without credit none is made.

So the load on a service that does not answer grows by a known part and no more, however patient each asker is. A small
store beside the asker, as the breaker is. Credit is counted in thousandths, as whole numbers.
source   Finagle's RetryBudget; gRPC A6, "retry throttling"; "Site Reliability Engineering" (2016), chapter 21
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, assert_never

from orderquake.model.flow import Change, Effect, effect
from orderquake.model.policy import BudgetPolicy

ONE_TRY = 1000


@effect
class Earn(Effect[None]):
    """A first try is made."""


@effect
class Spend(Effect[bool]):
    """May one try again? If so, it is paid for."""


class RetryBudget:
    """Begins full, so that the first trouble of a quiet day may be met."""

    def __init__(self, policy: BudgetPolicy) -> None:
        self.journal: list[Change] = []
        self.policy = policy
        self.credit = policy.burst * ONE_TRY

    def handle(self, ask: Earn | Spend, _now_us: int) -> bool | None:
        match ask:
            case Earn():
                self.credit = min(self.policy.burst * ONE_TRY, self.credit + self.policy.per_call_thousandths)
                return None
            case Spend():
                return self.spend()
            case _:
                assert_never(ask)

    def spend(self) -> bool:
        if self.credit < ONE_TRY:
            self.journal.append(Change("retry_budget", answer="spent"))
            return False
        self.credit -= ONE_TRY
        return True

    def snapshot(self) -> Hashable:
        return self.credit

    def restore(self, snapshot: Any) -> None:
        self.credit = snapshot
