"""What a design may rely on, and a fault may take away: the words of the contract between the two.

A design declares what it `requires`, a fault what it `breaks`. Where the two are disjoint, the design's promises must
hold; where they meet, nothing is promised.
"""

from __future__ import annotations

from enum import StrEnum


class Assumption(StrEnum):
    """One thing that may be taken for granted, or not."""

    ASKS_ARRIVE = "every ask arrives"
    ANSWERS_ARRIVE = "every answer arrives"
    ASKS_ARRIVE_ONCE = "an ask arrives once"
    ANSWERS_IN_TIME = "services answer in time"
    WORKERS_SURVIVE = "workers survive"
    LEASES_EXCLUDE = "a lease keeps other workers away"
    SERVICES_STAY_UP = "services stay up"
    STOCK_KEEPS_WRITES = "the stock store keeps acknowledged writes"
    LOSSES_ARE_ANNOUNCED = "a stock store that loses writes begins a new epoch"
    STOCK_HAS_ONE_OWNER = "the stock has one owner"
    ORDERS_KEEP_WRITES = "the Order Cache keeps acknowledged writes"
    ORDERS_COMPARE_AND_SET = "the Order Cache compares and sets"
    RECORD_KEEPS_COMMITS = "the record keeps acknowledged commits"
    KEYS_OUTLIVE_ASKS = "the provider remembers a key longer than anybody sends it"


def is_promised(requires: frozenset[Assumption], breaks: frozenset[Assumption]) -> bool:
    """Does the contract hold under faults that break this much?

    >>> is_promised(frozenset({Assumption.STOCK_HAS_ONE_OWNER}), frozenset({Assumption.WORKERS_SURVIVE}))
    True
    """
    return not requires & breaks
