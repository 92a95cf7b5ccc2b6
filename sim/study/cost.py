"""What a thousand orders cost a shop that rents everything: a line for each thing that somebody bills, with its source.

Quantities are counted in a history, prices are published ones, and every line names where its price was read. Money is
in whole trillionths of a currency's unit, and no rate of exchange is assumed: dollars and pounds are added up apart.
What has no price by the piece (a system of record's licence, storage, staff) is left out, and `LEFT_OUT` says so.

Reads the columns of a history and nothing else; no simulation engine and no model in this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from orderquake.sim.history import History
from orderquake.sim.study.outcomes import outcomes

if TYPE_CHECKING:
    import pandas as pd

    from orderquake.sim.table import Ints, Table

PICO = 10**12
FUNCTION_MB = 128
"""Memory of a worker's function, as in the public sample that the workflow designs are modelled on."""

LEFT_OUT = (
    "the system of record's licence and its calls",
    "storage, network traffic between regions, logs, staff",
    "free tiers and volume discounts",
    "what functions compute themselves: they are billed for waiting, and their own work takes no time here",
)


class Price(NamedTuple):
    """What one of something costs.

    pico       trillionths of the currency's unit, for one
    in_words   as its source states it
    source     where it was read, and of when it is
    """

    what: str
    counts: str
    currency: str
    pico: int
    in_words: str
    source: str


_LAMBDA = "aws.amazon.com/lambda/pricing, US East; docs.aws.amazon.com, How AWS Pricing Works, Lambda"
_DYNAMO = "DynamoDB on demand, US East, since November 2024 (airbyte.com/data-engineering-resources/dynamodb-pricing)"
_STRIPE = "support.stripe.com, Pricing updates for businesses in the United Kingdom, from 10 April 2023"

PRICES: Mapping[str, Price] = {
    "transitions": Price(
        "workflow steps",
        "steps that executions entered, repeats included",
        "USD",
        25_000_000,
        "25 USD a million",
        "Step Functions, standard: aws.amazon.com/blogs/compute/building-cost-effective-aws-step-functions-workflows",
    ),
    "function_calls": Price(
        "functions begun", "registrations and deliveries to workers", "USD", 200_000, "0.20 USD a million", _LAMBDA
    ),
    "function_ms": Price(
        "functions' time",
        f"milliseconds that functions of {FUNCTION_MB} MB waited for answers",
        "USD",
        2_083,  # an eighth of a GB for a thousandth of a second
        "0.0000166667 USD a GB-second",
        _LAMBDA,
    ),
    "store_writes": Price(
        "writes to stores",
        "orders written, and two for each line of stock, which moves in a transaction; each up to 1 KB",
        "USD",
        625_000,
        "0.625 USD a million",
        _DYNAMO,
    ),
    "store_reads": Price(
        "reads from stores", "orders and counts read, strongly, each up to 4 KB", "USD", 125_000, "0.125 USD a million",
        _DYNAMO,
    ),
    "queue_requests": Price(
        "work queue", "sent, received and acknowledged", "USD", 400_000, "0.40 USD a million requests",
        "SQS, standard, US East, March 2026: cloudburn.io/blog/amazon-sqs-pricing",
    ),
    "notices": Price(
        "notices", "mails to customers", "USD", 100_000_000, "0.10 USD a thousand",
        "SES: acecloudinterviews.com/tutorials/aws/ses; no page of the vendor's own could be read",
    ),
    "charges": Price(
        "charges, fixed part", "captures; the fee stays when money goes back", "GBP", 200_000_000_000, "20p", _STRIPE
    ),
    "charged_pence": Price(
        "charges, by amount", "pence captured on standard British cards", "GBP", 150_000_000, "1.5 %", _STRIPE
    ),
}  # fmt: skip
"""Quantity -> price, in the order in which they are told."""


class CostLine(NamedTuple):
    """One line of a bill for a thousand accepted orders.

    quantity   of these, a thousand orders
    pico       what that costs, trillionths of the currency's unit
    """

    name: str
    what: str
    counts: str
    quantity: int
    currency: str
    pico: int
    price: str
    source: str

    @property
    def amount(self) -> str:
        """As people write it, to a hundredth of a cent.

        >>> CostLine("notices", "notices", "mails", 1000, "USD", 10**11, "0.10 USD a thousand", "SES").amount
        '0.1000 USD'
        """
        return in_words(self.pico, self.currency)


def in_words(pico: int, currency: str) -> str:
    """Trillionths of a currency's unit as an amount with four decimals, rounded half up.

    >>> in_words(12_345_678_901_234, "GBP")
    '12.3457 GBP'
    """
    parts = (pico + PICO // 20_000) // (PICO // 10_000)
    return f"{parts // 10_000}.{parts % 10_000:04d} {currency}"


Usage = Mapping[str, int]
"""Quantity, as `PRICES` names them, and `orders`, the accepted ones -> how many."""


def used(history: History) -> dict[str, int]:
    """What one run used of everything that has a price, and the orders that it was used for.

    Stores of the design's own are priced as tables of a key-value store on demand, one that charges by the request;
    what the record keeps is part of its licence, what a workflow service keeps is in the price of its steps.
    Simplified: an order is one item of up to a kilobyte, whatever its lines; matters for orders of several hundred.
    """
    table = history.table()
    captures = table.at("state", "capture")
    captures = captures[table.is_new[captures]]
    notices = table.at("state", "notice")
    queue = table.at("invoke", "enqueue", "lease", "ack")
    return {
        "orders": outcomes(history)["accepted"],
        "transitions": len(table.at("state", "transition")),
        "function_calls": len(table.at("invoke", "register", "start_execution")) + len(_delivered(table)),
        "function_ms": _waited_us(table) // 1000,
        "store_writes": _writes(table),
        "store_reads": _reads(table),
        "queue_requests": len(queue),
        "notices": int(np.count_nonzero(table.is_new[notices])),
        "charges": len(captures),
        "charged_pence": int(table.amount[captures].sum()),
    }


def cost_per_thousand(history_or_counts: History | Usage) -> list[CostLine]:
    """A bill for a thousand accepted orders: a line for each quantity that is not zero, in the order of `PRICES`.

    raises   ValueError where no order was accepted, so that there is nothing to divide by
    """
    counts = used(history_or_counts) if isinstance(history_or_counts, History) else history_or_counts
    orders = counts["orders"]
    if orders < 1:
        raise ValueError("a cost per thousand orders needs an accepted order; found none")
    return [
        CostLine(
            name, price.what, price.counts, _share(counts[name] * 1000, orders), price.currency,
            _share(counts[name] * price.pico * 1000, orders), price.in_words, price.source,
        )
        for name, price in PRICES.items()
        if counts.get(name)
    ]  # fmt: skip


def added(usages: Iterable[Usage]) -> dict[str, int]:
    """What several runs used together: the bill of a design over many seeds."""
    total = dict.fromkeys(("orders", *PRICES), 0)
    for usage in usages:
        for name in total:
            total[name] += usage.get(name, 0)
    return total


def totals(lines: Iterable[CostLine]) -> dict[str, int]:
    """Currency -> trillionths; currencies are never added to each other."""
    found: dict[str, int] = {}
    for line in lines:
        found[line.currency] = found.get(line.currency, 0) + line.pico
    return found


def cost_frame(lines: Iterable[CostLine]) -> pd.DataFrame:
    """The bill as a table: index `name`; what, counts, quantity (a thousand orders), currency, amount (of the
    currency), price, source."""
    import pandas as pd

    rows = [line._asdict() | {"amount": line.pico / PICO} for line in lines]
    columns = ["what", "counts", "quantity", "currency", "amount", "price", "source"]
    return pd.DataFrame(rows, columns=["name", *columns]).set_index("name")


# -- how things are counted


def _share(total: int, among: int) -> int:
    """To the nearest whole, half up."""
    return (2 * total + among) // (2 * among)


def _delivered(table: Table) -> Ints:
    """Leases that brought work."""
    answers = table.at("ok", "lease")
    found: Ints = answers[table.answer[answers] == table.code("leased")]
    return found


def _waited_us(table: Table) -> int:
    """How long functions waited for answers, all asks added up; an ask that stands for a delivery to begin is not
    theirs, and customers and their own waiting are nobody's function."""
    answers = table.at("ok")
    answers = np.sort(np.concatenate((answers, table.at("fail"), table.at("info"))))
    asks = table.cause[answers]
    mine = (
        (asks >= 0)
        & (table.actor[answers] != table.code("customer"))
        & (table.operation[answers] != table.code("lease"))
        & (table.operation[answers] != table.code("submit"))
    )
    return int((table.time[answers[mine]] - table.time[asks[mine]]).sum())


def _writes(table: Table) -> int:
    changes = table.at("state")
    changes = changes[table.is_new[changes]]
    actor, operation = table.actor[changes], table.operation[changes]
    orders = (actor == table.code("order_cache")) & np.isin(operation, [table.code("order"), table.code("sync")])
    lines = actor == table.code("stock")
    claims = len(table.at("invoke", "claim", "give_up_claim"))
    return int(np.count_nonzero(orders) + 2 * np.count_nonzero(lines)) + claims


def _reads(table: Table) -> int:
    changes = table.at("state", "order")
    keeps_orders = bool((table.actor[changes] == table.code("order_cache")).any())
    counts = len(table.at("invoke", "get_count", "list_claims"))
    return counts + (len(table.at("invoke", "read_order")) if keeps_orders else 0)
