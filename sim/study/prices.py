"""What a platform would bill for a run's asks: a price list with its sources, and how often each line was used.

Only what is billed by use and counted in a history; no server by the hour, no traffic, no storage, no payment fees.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from orderquake.sim.table import Table


class Price(NamedTuple):
    """usd_per_million   list price of us-east-1 in 2025, without free tier and discounts
    source               where the price stands
    """

    usd_per_million: float
    source: str


TRANSITION = Price(25.0, "aws.amazon.com/step-functions/pricing: standard workflows, 0.025 USD per 1,000 transitions")
REQUEST = Price(0.20, "aws.amazon.com/lambda/pricing: 0.20 USD per million requests; duration is not billed here")
WRITE = Price(0.625, "aws.amazon.com/dynamodb/pricing/on-demand: 0.625 USD per million write units")
READ = Price(0.125, "aws.amazon.com/dynamodb/pricing/on-demand: 0.125 USD per million read units")
PRICES = {"transitions": TRANSITION, "requests": REQUEST, "writes": WRITE, "reads": READ}
READS = ("read_order", "read_orders", "list_idle", "list_unposted", "list_claims", "read_count", "read_cursor")
KEPT = (
    "register", "write_order", "write_orders", "cancel", "reserve", "consume", "release", "extend", "claim",
    "give_up_claim", "write_count", "copy_count", "adopt", "settle", "refresh", "supply", "move_cursor",
)  # fmt: skip
"""Asks that a managed table would bill as a write."""


def used(table: Table) -> dict[str, int]:
    """How often each line of the price list was used: transitions of workflows, turns of workers, writes, reads."""
    asks = table.at("invoke")
    verbs = table.operation[asks]

    def count(names: tuple[str, ...]) -> int:
        return int(np.isin(verbs, [table.code(name) for name in names]).sum())

    return {
        "transitions": len(table.at("state", "transition")),
        "requests": count(("submit", "lease")),
        "writes": count(KEPT),
        "reads": count(READS),
    }


def price_usd(table: Table) -> float:
    """All lines together."""
    return sum(number * PRICES[line].usd_per_million / 1e6 for line, number in used(table).items())
