"""What stands between an asker and a service that may be in trouble: its breaker and its retry budget, by service.

Whoever performs flows keeps one `Guards` for each crowd of askers that share their experience, and asks it what a flow
wants to know. Nothing waits, and nothing is sent, in this file.
"""

from __future__ import annotations

from collections.abc import Iterator

from orderquake.model.breaker import Breaker, Tried, Try
from orderquake.model.flow import GO, OPEN, SPENT, Change, Heard, Permission, Permit
from orderquake.model.policy import Policy
from orderquake.model.retry_budget import Earn, RetryBudget, Spend


class Guards:
    """Made when a service is first asked about; without a breaker or a budget in the policy, everybody may go."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.breakers: dict[str, Breaker | None] = {}
        self.budgets: dict[str, RetryBudget | None] = {}

    def permit(self, asked: Permit, now_us: int) -> Permission:
        """The budget first: who may not try again need not know whether the breaker is open."""
        breaker, budget = self.of(asked.service)
        if budget is not None:
            if not asked.attempt:
                budget.handle(Earn(), now_us)
            elif not budget.handle(Spend(), now_us):
                return SPENT
        return GO if breaker is None or breaker.handle(Try(), now_us) else OPEN

    def hear(self, heard: Heard, now_us: int) -> None:
        breaker, _ = self.of(heard.service)
        if breaker is not None:
            breaker.handle(Tried(heard.is_answered), now_us)

    def of(self, service: str) -> tuple[Breaker | None, RetryBudget | None]:
        if service not in self.breakers:
            patience = self.policy.patience_with(service)
            self.breakers[service] = None if patience.breaker is None else Breaker(patience.breaker)
            self.budgets[service] = None if patience.budget is None else RetryBudget(patience.budget)
        return self.breakers[service], self.budgets[service]

    def told(self, service: str) -> Iterator[Change]:
        """What has changed since somebody last asked."""
        for store in self.of(service):
            if store is not None:
                yield from store.journal
                store.journal.clear()
