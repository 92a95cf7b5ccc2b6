"""What a shop may choose about its protocol: data, no behaviour. Every default names where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

from orderquake.model.flow import BackoffKind
from orderquake.model.order import STATE_TABLES, StateTable

OrderOfSteps: TypeAlias = Literal["pay_first", "reserve_first", "authorise_reserve_capture"]
"""Which of payment and reservation comes first; the third holds the money until the stock is certain."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """failures   tries in a row without an answer that open it
    open_us    how long it stays open
    probes     answers in a row that close it again"""

    failures: int = 5
    open_us: int = 10 * SECOND
    probes: int = 1


@dataclass(frozen=True, slots=True)
class BudgetPolicy:
    """per_call_thousandths   of a further try that a first try earns
    burst                  tries that may be saved up"""

    per_call_thousandths: int = 100
    burst: int = 10


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a service, how often to ask again, and how long to wait in between.

    timeout_us       for one answer
    attempts         in all, the first included
    base_us, cap_us  exponential backoff with full jitter (AWS architecture blog, "Exponential Backoff And Jitter")
    backoff          another kind of it
    breaker, budget  what stands between, so that askers do not make trouble worse; none where None
    hedge_after_us   ask once more where nothing came back by then, and take the first answer; never where None
    """

    timeout_us: int = 5 * SECOND
    attempts: int = 4
    base_us: int = SECOND // 10
    cap_us: int = 2 * SECOND
    backoff: BackoffKind = "full"
    breaker: BreakerPolicy | None = None
    budget: BudgetPolicy | None = None
    hedge_after_us: int | None = None

    @property
    def is_guarded(self) -> bool:
        """Is there more to a try than sending it?"""
        return self.breaker is not None or self.budget is not None or self.hedge_after_us is not None


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers of one shop.

    order               the order of steps: pay_first is the article's
    ttl_us              how long a reservation lasts
    decide_within_us    an order that is undecided for longer is cancelled or refunded
    send_horizon_us     charges and refunds are sent again only for this long after the first; then only looked up
    key_retention_us    how long the provider remembers a key; must exceed horizon + worker deadline + message life
    renews_keys         that time begins anew at every use; nobody may rely on it
    lease_us            of a worker on an order; longer than `worker_deadline_us`
    idle_us             recovery looks after orders nobody has written to for this long
    settle_after_us     settlement looks at captures that are at least so old
    batches             job -> how much it takes at once
    max_deliveries      after so many an order is a dead letter, until recovery finds it idle again
    """

    order: OrderOfSteps = "pay_first"
    ttl_us: int = 15 * MINUTE
    extends: bool = False
    expires_on_look: bool = True
    safety_stock: int = 0
    decide_within_us: int = 30 * MINUTE
    send_horizon_us: int = 12 * HOUR
    key_retention_us: int = 24 * HOUR  # Stripe prunes keys after at least 24 hours
    renews_keys: bool = False
    refund_delay_us: int = 0
    worker_deadline_us: int = 30 * SECOND
    lease_us: int = 45 * SECOND
    idle_us: int = MINUTE
    max_deliveries: int = 8
    settle_after_us: int = 5 * MINUTE
    batches: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    below_zero: Literal["backorder", "reject"] = "backorder"
    patience: Mapping[str, Patience] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def states(self) -> StateTable:
        return STATE_TABLES[self.order]

    def batch_of(self, job: str) -> int:
        """How much a job takes at once."""
        return self.batches.get(job, 200)

    def patience_with(self, service: str) -> Patience:
        return self.patience.get(service, _PATIENCE)


_PATIENCE = Patience()
