"""The shop of a scenario: where it stands, what it sells, what it has decided.

The tables of a scenario file and their defaults; where a default was measured, its source stands beside it.
Services are in `services.py`, customers in `demand.py`, faults in `nemesis.py`; nothing is simulated here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from orderquake.model.flow import BackoffKind
from orderquake.model.policy import OrderOfSteps
from orderquake.sim.demand import Part
from orderquake.sim.services import ByName
from orderquake.sim.units import (
    HOUR,
    MINUTE,
    MS,
    SECOND,
    Count,
    Duration,
    Flag,
    Positive,
    Probability,
    Rate,
    Signed,
    Weight,
    Whole,
    format_duration,
    refused,
)
from orderquake.sim.world.delays import Distribution, Latency, delay

# -- where things are


class Place(Part):
    """Somewhere workers run.

    weight        its share of the customers, relative to the other places; 0 where nobody orders
    workers       how many; 0 where services stand and nobody works
    jurisdiction  whose law holds there, as `[residency]` names it
    front_bound   requests its front door takes on at once, without limit where absent; more are turned away
    cold_start    how long a worker needs that was idle for longer than `keep_warm`, or was killed; 0 s for never
    starts_cold   nobody is warm when the day begins
    """

    name: Annotated[str, Field(min_length=1)]
    weight: Weight = 1.0
    workers: Whole = 16  # an assumption
    jurisdiction: str | None = None
    front_bound: Count | None = None  # a queue of 64 in github.com/taubyte/tau, services/substrate/runtime
    cold_start: Distribution = delay(kind="constant", value="0 s")
    keep_warm: Duration = 5 * MINUTE  # 5 to 7 minutes: mikhail.io/serverless/coldstarts/aws/intervals
    starts_cold: Flag = False


class Domain(Part):
    """What fails together: a region, an operator, a building. Its name may stand where a fault asks for a place.

    places     with everything that stands there
    services   wherever they stand
    """

    name: Annotated[str, Field(min_length=1)]
    places: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


class Residency(Part):
    """What may be where, and who may ask what.

    personal   jurisdictions that personal data may be in
    refuses    an ask outside its asker's role is refused; otherwise the platform answers everybody
    """

    # Simplified: data are encrypted nowhere, and nobody listens on the way; matters when keys and carriers are judged.
    personal: Annotated[tuple[str, ...], Field(min_length=1)]
    refuses: Flag = True


class Link(Part):
    """What lies between two places; `latency` is one way."""

    between: tuple[str, str]
    latency: Latency


# One way is half of the round trip of 81 ms that was measured between eu-west-1 and us-east-1
# (acomputerscientistlearnsaws.blogspot.com, 2017); the tail is an assumption.
DEFAULT_PLACES = (Place(name="eu-west"), Place(name="us-east"))
DEFAULT_LINK = Link(between=("eu-west", "us-east"), latency=delay(kind="lognormal", p50="40 ms", p99="60 ms"))


# -- what is sold


class Scarce(Part):
    """The `hottest` products of a trace get only `cover` of what the trace wants of them."""

    hottest: Count
    cover: Annotated[float, Field(strict=True, gt=0, le=1)]


class ForeignSales(Part):
    """Others sell straight from the record: of each product, `units` at a time, `per_s` times a second."""

    per_s: Rate
    units: Count = 1


class Receipt(Part):
    """Goods come in at the record."""

    at: Duration
    sku: str
    units: Count


class Correction(Part):
    """A stock-take at the record finds more, or fewer."""

    at: Duration
    sku: str
    units: Signed


class Stock(Part):
    """What is on the shelves when the day begins.

    cover         with a trace: units of each product, as a share of what the trace wants of it
    safety_stock  units of each product that the Stock Cache never sells
    pool          ring_fenced: only our own orders, receipts and returns move it; shared: others sell, too
    """

    skus: Count = 100
    units_per_sku: Whole = 100
    pool: Literal["ring_fenced", "shared"] = "ring_fenced"
    safety_stock: Whole = 0
    cover: Positive | None = None
    scarce: Scarce | None = None
    foreign_sales: ForeignSales | None = None
    receipts: tuple[Receipt, ...] = ()
    corrections: tuple[Correction, ...] = ()

    def sku_names(self) -> tuple[str, ...]:
        """Names of the products where no trace brings its own, the most popular first.

        >>> Stock(skus=3).sku_names()
        ('sku-1', 'sku-2', 'sku-3')
        """
        width = len(str(self.skus))
        return tuple(f"sku-{number:0{width}d}" for number in range(1, self.skus + 1))


# -- what the shop decides


class Breaker(Part):
    """After `failures` tries in a row without an answer nobody asks for `opens_for`; then one at a time, until
    `probes` of them were answered."""

    # The numbers are assumptions.
    failures: Count = 5
    opens_for: Duration = 10 * SECOND
    probes: Count = 1

    @field_validator("opens_for")
    @classmethod
    def _more_than_zero(cls, value: int) -> int:
        if value == 0:
            raise refused('"0 s"; expected more than zero')
        return value


class RetryBudget(Part):
    """Every first try earns `per_call` of a further one; at most `burst` may be saved up."""

    # A tenth, and ten: "Site Reliability Engineering" (2016), chapter 21; gRPC A6 has the same ratio.
    per_call: Probability = 0.1
    burst: Count = 10


class Patience(Part):
    """How long to wait for a service, how often to ask in all, and how long to wait in between.

    backoff       none | exponential | equal | full | decorrelated
    breaker       stops asking a service that does not answer; there is none where absent
    retry_budget  bounds how much is asked again in all; there is none where absent
    hedge_after   asks once more where nothing came back by then, and takes the first answer; never where absent
    """

    # Full jitter: "Exponential Backoff and Jitter" (github.com/aws-samples/aws-arch-backoff-simulator). The numbers are
    # assumptions.
    timeout: Duration = 5 * SECOND
    attempts: Count = 4
    base: Duration = 100 * MS
    cap: Duration = 2 * SECOND
    backoff: BackoffKind = "full"
    breaker: Breaker | None = None
    retry_budget: RetryBudget | None = None
    hedge_after: Duration | None = None

    @model_validator(mode="after")
    def _check(self) -> Patience:
        if self.timeout == 0:
            raise refused('"0 s"; expected more than zero', key="timeout")
        if self.hedge_after is not None and self.hedge_after >= self.timeout:
            shown = format_duration(self.hedge_after), format_duration(self.timeout)
            text = f'"{shown[0]}", and nobody waits that long; expected less than timeout, "{shown[1]}"'
            raise refused(text, key="hedge_after")
        return self


class PatienceWithPayment(Patience):
    # Two retries, as Stripe's own client makes (github.com/stripe/stripe-python, stripe/__init__.py). The time-out is
    # an assumption.
    timeout: Duration = 8 * SECOND
    attempts: Count = 3


class PatienceWithRecord(Patience):
    # Assumptions: three times the record's assumed p99.
    timeout: Duration = 15 * SECOND
    attempts: Count = 3


class Patiences(Part, ByName[Patience]):
    order_cache: Patience = Patience()
    stock: Patience = Patience()
    payment: PatienceWithPayment = PatienceWithPayment()
    record: PatienceWithRecord = PatienceWithRecord()
    notice: Patience = Patience()
    queue: Patience = Patience()
    workflow: Patience = Patience()


class Policy(Part):
    """The protocol's numbers; `model/policy.py` says what each of them does.

    send_horizon    charges and refunds are sent again for this long after the first; later, only looked up
    message_life    the longest that a late copy of an ask may live
    Horizon, worker deadline and message life together stay below the provider's key retention.
    """

    # Where nothing is cited, a number of the protocol is an assumption.
    order: OrderOfSteps = "pay_first"
    # Shops hold stock for 10 minutes (spree/spree#13978, woocommerce/woocommerce#45246) or for 60
    # (woocommerce/woocommerce#22975).
    reservation_ttl: Duration = 15 * MINUTE
    extends: Flag = False
    expiry: Literal["on_look", "sweep"] = "on_look"
    decide_within: Duration = 30 * MINUTE
    send_horizon: Duration = 12 * HOUR
    message_life: Duration = HOUR
    worker_deadline: Duration = 30 * SECOND
    lease: Duration = 45 * SECOND
    idle: Duration = MINUTE
    settle_after: Duration = 5 * MINUTE
    max_deliveries: Count = 8
    patience: Patiences = Patiences()

    @field_validator("reservation_ttl", "decide_within", "worker_deadline", "lease", "idle")
    @classmethod
    def _more_than_zero(cls, value: int) -> int:
        if value == 0:
            raise refused('"0 s"; expected more than zero')
        return value


class Job(Part):
    """When a job runs: at `phase` + k * `every` for k = 1, 2, ..., each time up to `jitter` late.

    skips     chance that a run does not take place
    doubles   chance that it is started twice
    overlaps  may a run begin while another is under way? Where not, the clock passes over that tick. Where so, runs
              that are slow pile up; ARCHITECTURE.md tells how a service is jammed for good that way
    batch     how many it takes at once
    Jitters, batches and periods of which no source is named are assumptions.
    """

    every: Duration
    jitter: Duration = 0
    phase: Duration = 0
    skips: Probability = 0.0
    doubles: Probability = 0.0
    overlaps: Flag = True
    batch: Count = 200

    @field_validator("every")
    @classmethod
    def _more_than_zero(cls, value: int) -> int:
        if value == 0:
            raise refused('"0 s"; expected more than zero')
        return value


class Inbound(Job):
    # "every 5 minutes": taubyte/blog, building-resilient-low-latency-order-processing-system-taubyte.md
    every: Duration = 5 * MINUTE
    jitter: Duration = 5 * SECOND


class Outbound(Job):
    every: Duration = MINUTE  # an assumption: the same article says "periodically"
    jitter: Duration = 2 * SECOND


class Recovery(Job):
    every: Duration = 30 * SECOND
    jitter: Duration = SECOND


class Settlement(Job):
    every: Duration = 10 * MINUTE
    jitter: Duration = 5 * SECOND


class Rebuild(Job):
    every: Duration = 10 * SECOND


class Sweep(Job):
    every: Duration = 30 * SECOND


class Jobs(Part, ByName[Job]):
    inbound: Inbound = Inbound()
    outbound: Outbound = Outbound()
    recovery: Recovery = Recovery()
    settlement: Settlement = Settlement()
    rebuild: Rebuild = Rebuild()
    sweep: Sweep = Sweep()
