"""What is said of the design in the article that this project is about, sentence by sentence, and how each is tested.

A claim is put to the test on one day by promises (which hold or are broken) and by numbers (whose interval lies on the
right side of a limit, or not). Only measures and verdicts are read here; the days are played in `claimed.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

Found: TypeAlias = Literal["holds", "fails", "undecided"]
WORST: Sequence[Found] = ("fails", "undecided", "holds")


class Day(NamedTuple):
    """A scenario that comes along, and what is set in it so that it is short."""

    scenario: str
    settings: tuple[str, ...] = ()


class Promises(NamedTuple):
    """Checkers that must not object in any run."""

    names: tuple[str, ...]


class Number(NamedTuple):
    """A measure of `compare` that must stay at or below, or above, a limit; `source` is where the limit comes from."""

    measure: str
    side: Literal["at most", "at least"]
    limit: float
    source: str


class FewerThan(NamedTuple):
    """A measure that must be lower than another design's, on the same seeds."""

    measure: str
    design: str


Test: TypeAlias = Promises | Number | FewerThan


class Claim(NamedTuple):
    """says   the claim, in our words"""

    name: str
    says: str
    day: str
    tests: tuple[Test, ...]


DESIGNS = ("article", "hot_cold", "escrow", "claims", "central", "orchestrated")
"""The article to the letter on the store that it names, and beside it what else one could build."""

_ORDERS = "workload.orders=500"
_SMALL_RUSH = (_ORDERS, "workload.over=30 s", "stock.units_per_sku=15", "horizon=3 min")
_LOSES = ", ".join(
    f'{{kind="{kind}",target="{service}",probability=0.03}}'
    for service in ("order_cache", "stock", "payment", "record", "notice", "queue")
    for kind in ("lose_ask", "lose_answer", "duplicate")
).replace('kind="duplicate"', 'kind="duplicate",after={kind="exponential",mean="5 s"}')
_COLD = ",".join(
    f'{{name="{place}",starts_cold=true,cold_start={{kind="preset",name="lambda_init_go"}}}}'
    for place in ("eu-west", "us-east")
)
_LINK = 'link=[{between=["eu-west","us-east"],latency={kind="lognormal",p50="40 ms",p99="60 ms"}}]'

DAYS: Mapping[str, Day] = {
    "rush": Day("flash_sale", _SMALL_RUSH),
    "cold rush": Day("flash_sale", (*_SMALL_RUSH, f"place=[{_COLD}]", _LINK)),
    "record away": Day(
        "record_offline", ("horizon=9 min", "workload.rate_per_s=1.0", "fault.0.from=3 min", "fault.0.for=4 min")
    ),
    "provider hangs": Day("payment_hangs"),
    "nothing arrives for sure": Day("payment_hangs", (f"fault=[{_LOSES}]",)),
    "quiet hours": Day("record_offline", ("horizon=22 min", "workload.rate_per_s=0.2", "fault=[]")),
    "two laws": Day("residency", ("horizon=5 min", "fault=[]")),
}
"""Name -> what is played."""

_NIELSEN = "nngroup.com/articles/response-times-3-important-limits: 0.1 s feels instant, 1 s keeps the thought"
_AN_ASSUMPTION = "an assumption"
CLAIMS: tuple[Claim, ...] = (
    Claim(
        "instant response",
        "Customers hear at once that their order is taken.",
        "rush",
        (Number("checkout_p50", "at most", 0.1, _NIELSEN),),
    ),
    Claim(
        "short and predictable hot path",
        "Nothing that a customer waits for at the checkout takes long, not even for one in a hundred.",
        "rush",
        (Number("checkout_p99", "at most", 1.0, _NIELSEN),),
    ),
    Claim(
        "little start-up overhead",
        "Workers that must start first are hardly noticed.",
        "cold rush",
        (Number("checkout_p99", "at most", 1.0, _NIELSEN),),
    ),
    Claim(
        "orders go on without the main database",
        "While the record is away, orders are taken and decided as ever.",
        "record away",
        (
            Number("registered_while_away", "at least", 0.99, _AN_ASSUMPTION),
            Number("decided_while_away", "at least", 0.95, f"{_AN_ASSUMPTION}: who came in the last seconds may wait"),
        ),
    ),
    Claim(
        "no overselling",
        "Nobody is sold what is not there, in a rush on few goods.",
        "rush",
        (Promises(("never_oversold",)),),
    ),
    Claim(
        "stock is let go of",
        "What was reserved for an order that fails or times out is on sale again.",
        "provider hangs",
        (Promises(("reservation_hygiene", "units_conserved")), Number("stranded", "at most", 0.0, "none may be left")),
    ),
    Claim(
        "refund and notice on every failure",
        "Whoever paid and gets nothing is paid back, and everybody is told how it ended.",
        "provider hangs",
        (
            Promises(("refunded_right", "notices_sent", "every_order_ends")),
            Number("unrefunded", "at most", 0.0, "no penny may be kept"),
        ),
    ),
    Claim(
        "drift stays within the refresh",
        "With a refresh every five minutes, the picture of the stock is never much older than that.",
        "quiet hours",
        (Number("staleness", "at most", 320.0, "the article's 5 minutes, 5 s of jitter, 15 s to read and apply"),),
    ),
    Claim(
        "exactly-once accounting",
        "Each order is charged once and booked once, and the till agrees; `orderquake audit` makes the trail.",
        "nothing arrives for sure",
        (Promises(("charged_once", "posted_once", "money_conserved")),),
    ),
    Claim(
        "every step may be tried again",
        "Asks and answers get lost or come twice at every service, and nothing is done twice or forgotten.",
        "nothing arrives for sure",
        (Promises(("never_oversold", "legal_transitions", "refunded_right", "every_order_ends", "notices_sent")),),
    ),
    Claim(
        "back-pressure",
        "The payment provider and the record are never asked more often than they allow.",
        "rush",
        (Promises(("backpressure_bounded",)),),
    ),
    Claim(
        "residency boundaries",
        "Personal data stays under one law, cards with the provider, and the Order Cache holds the least it needs.",
        "two laws",
        (
            Promises(
                (
                    "personal_data_stays_home",
                    "payment_secrets_contained",
                    "order_cache_holds_minimum",
                    "asks_within_role",
                )
            ),
        ),
    ),
    Claim(
        "fewer hops than orchestration",
        "An order needs fewer asks one after the other than where a workflow service drives it.",
        "rush",
        (FewerThan("hops", "orchestrated"),),
    ),
)

NOT_TESTED: Mapping[str, str] = {
    "It runs on any hardware, near the customer.": "Latencies are drawn from published laws; no machine is measured.",
    "It costs less to run, and less to build.": "compare bills what is used by list price; people's time is not in it.",
    "It scales to any load.": "A day's load is what its scenario says; no run speaks of others.",
    "Data are encrypted, at rest and on the way.": "There are no data in the model, only what kind they are.",
    "It satisfies the regulator.": "Places and kinds of data are judged; contracts and auditors are not.",
    "Deploying it from a repository is simple.": "Nothing is deployed here but versions of a design, as a fault.",
}
"""Sentence -> why it cannot be tested here."""
