"""The services of a scenario: what each of them is asked with, how long it takes, how much it bears, and its moods.

The `[service.…]` tables of a scenario file and their defaults; where a default was measured, its source stands beside
it, and what is an assumption says so. Nothing is simulated here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field, model_validator

from orderquake.sim.demand import Part
from orderquake.sim.units import (
    HOUR,
    Count,
    Duration,
    Flag,
    Probability,
    Rate,
    Whole,
    refused,
)
from orderquake.sim.world.delays import Distribution, Latency, delay

T = TypeVar("T")


class ByName(Generic[T]):
    """A table whose keys are fixed names, each with its own defaults; it may be read as a mapping."""

    def __getitem__(self, name: str) -> T:
        if name not in self.names():
            raise KeyError(name)
        part: T = getattr(self, name)
        return part

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(cls.model_fields)  # type: ignore[attr-defined]

    def items(self) -> Iterator[tuple[str, T]]:
        return ((name, self[name]) for name in self.names())


class Throttle(Part):
    """A token bucket: so many a second, and so many at once.

    kind          a `policer` refuses what comes too soon; a `shaper` keeps it waiting for its token, first come first
    queue_bound   asks that may wait at a shaper, without limit where absent; more are refused
    """

    per_s: Rate
    burst: Count
    kind: Literal["policer", "shaper"] = "policer"
    queue_bound: Whole | None = None

    @model_validator(mode="after")
    def _check(self) -> Throttle:
        if self.queue_bound is not None and self.kind == "policer":
            raise refused(
                f'{self.queue_bound}, but nobody waits at a policer; expected kind = "shaper" beside it',
                key="queue_bound",
            )
        return self


class Service(Part):
    """Something that is asked over a network.

    latency           time to do one ask; `operations` overrides it by verb
    capacity          asks worked on at once, without limit where absent; the rest wait
    queue_bound       asks that may wait, without limit where absent; more are refused
    queue_patience    how long an ask waits for one of them; then it leaves, refused and not done
    throttle          for each verb by itself; `account_throttle` for all together
    place             where it stands, the first place where absent
    clock_drift_ppm   how much faster than time its clock runs, parts per million; a slow one is below zero
    """

    latency: Latency
    operations: Mapping[str, Latency] = Field(default_factory=dict)
    capacity: Count | None = None
    queue_bound: Whole | None = None
    queue_patience: Distribution | None = None
    throttle: Throttle | None = None
    account_throttle: Throttle | None = None
    place: str | None = None
    # A crystal is off by 20 to 200 parts per million: J. Corbett and others, "Spanner" (OSDI 2012), assume 200.
    clock_drift_ppm: Annotated[int, Field(ge=-100_000, le=100_000)] = 0


# A Redis-like cache: 96.5 % within 1 ms, as Redis's own benchmark page has it for 50 clients (GET 96.8 %, SET 99.2 %:
# github.com/antirez/redis 2.2.14, doc/Benchmarks.html); the median is an assumption, on the slow side.
_CACHE = delay(kind="lognormal", median="420 us", sigma=0.48)


class OrderCacheService(Service):
    latency: Latency = _CACHE


class StockService(Service):
    latency: Latency = _CACHE


class Webhooks(Part):
    """The provider tells the shop of every capture, hold, refund and failed refund.

    delay   from the event until the shop is told: before the answer or after it, and not in the order of the events
    lost    chance that it is never told
    twice   chance that it is told twice, each time after a delay of its own
    """

    # An assumption: all that providers promise is to try again for days (docs.stripe.com/webhooks: up to three).
    delay: Distribution = delay(kind="exponential", mean="5 s")
    lost: Probability = 0.0
    twice: Probability = 0.0


class PaymentService(Service):
    """The payment provider.

    declines             chance that a card is declined
    errors               chance of a 500 before anything was done; not stored
    stored_errors        chance of a 500 that is stored under the key and replayed
    key_retention        how long a key is remembered
    key_renewal          since when: its first_use, or every_use anew, as a window that slides
    refund_delay         from the refund's acceptance until it is settled
    refund_failures      chance that a customer's account is closed, so that the order's first refund fails
    refund_fails_after   from that refund's acceptance until it fails
    refund_cap           refuse to pay more of a charge back than was taken; hides designs that would pay back twice
    webhooks             how the shop is told of what happens; it is not, where absent
    """

    # An assumption, for want of a trustworthy public percentile; sweep the median from 0.2 to 3 s.
    latency: Latency = delay(kind="lognormal", median="700 ms", sigma=0.5)
    # docs.stripe.com/rate-limits: 25 requests a second for each endpoint, 100 for the account.
    throttle: Throttle | None = Throttle(per_s=25.0, burst=25)
    account_throttle: Throttle | None = Throttle(per_s=100.0, burst=100)
    # 3 to 4 % for physical goods: Ethoca's study of 2016 (banklesstimes.com/2016/12/14/
    # ethoca-study-unveils-major-false-decline-problem-for-merchants).
    declines: Probability = 0.04
    errors: Probability = 0.0
    stored_errors: Probability = 0.0
    key_retention: Duration = 24 * HOUR  # docs.stripe.com/api/idempotent_requests: at least 24 hours
    key_renewal: Literal["first_use", "every_use"] = "first_use"
    refund_delay: Latency = delay(kind="constant", value="0 s")
    refund_failures: Probability = 0.0
    refund_fails_after: Distribution = delay(kind="constant", value="3 days")  # an assumption; banks take days
    refund_cap: Flag = False
    webhooks: Webhooks | None = None


class RecordService(Service):
    """The system of record. `below_zero`: what it does with a post that would take stock below zero."""

    # p50 and p99 are assumptions; 15 calls at once is NetSuite's first tier (success.jitterbit.com, "NetSuite 2017.2
    # Concurrency Governance"; docs.oracle.com/en/cloud/saas/netsuite, subsect_1559222360).
    latency: Latency = delay(kind="lognormal", p50="500 ms", p99="5 s")
    capacity: Count | None = 15
    below_zero: Literal["backorder", "reject"] = "backorder"


class NoticeService(Service):
    latency: Latency = delay(kind="lognormal", median="30 ms", sigma=0.5)  # an assumption


class QueueService(Service):
    """The work queue. `line_bound`: orders that may stand in line, without limit where absent; more are refused."""

    latency: Latency = _CACHE
    line_bound: Count | None = None


class WorkflowService(Service):
    """A durable workflow service, where a design has one."""

    # An assumption: starting and describing an execution is a put and a get.
    latency: Latency = delay(kind="preset", name="dynamodb_put")
    # Measured from a handler's end to the next one's start, so a result takes no time of its own: all of it is in the
    # asking for the next step.
    operations: Mapping[str, Latency] = Field(
        default_factory=lambda: {
            "next_step": delay(kind="preset", name="step_functions_hop"),
            "record_result": delay(kind="constant", value="0 s"),
        }
    )


class Services(Part, ByName[Service]):
    order_cache: OrderCacheService = OrderCacheService()
    stock: StockService = StockService()
    payment: PaymentService = PaymentService()
    record: RecordService = RecordService()
    notice: NoticeService = NoticeService()
    queue: QueueService = QueueService()
    # Simplified: no fault strikes the workflow service itself; matters when the platform has a bad day of its own.
    workflow: WorkflowService = WorkflowService()

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The services that a day may strike."""
        return tuple(name for name in super().names() if name != "workflow")

    def __getitem__(self, name: str) -> Service:
        return self.workflow if name == "workflow" else super().__getitem__(name)
