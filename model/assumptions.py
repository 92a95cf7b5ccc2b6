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
    WORD_GETS_AROUND = "what is written in one place is known in all others within the wait for it"
    ORDERS_KEEP_WRITES = "the Order Cache keeps acknowledged writes"
    ORDERS_ARE_READ_FRESH = "the Order Cache answers reads from its latest state"
    ORDERS_COMPARE_AND_SET = "the Order Cache compares and sets"
    RECORD_KEEPS_COMMITS = "the record keeps acknowledged commits"
    KEYS_OUTLIVE_ASKS = "the provider remembers a key longer than anybody sends it"
    GOOD_CARDS_PAY = "a good card pays"
    CHARGES_ARE_WHOLE = "a charge takes the whole price or nothing"
    ERRORS_PASS = "an error does not stay with its key"
    REFUNDS_ARRIVE = "an accepted refund arrives"
    WEBHOOKS_COME_RIGHT = "every webhook comes, once, in order, in time, and after the answer"
    READS_ARE_FRESH = "what is read of the record is what it holds by then"
    PAGES_COME_IN_ORDER = "pages and refreshes are applied in the order in which they were read"
    FEED_TELLS_THE_BOOK = "the record's feed says what its book says"
    ONLY_SALES_MOVE_STOCK = "nothing but sales moves the record's stock"
    CLOCKS_AGREE = "all clocks show the same"
    JOBS_TICK_ONCE = "a job runs at each of its ticks, once, one run after the other"
    DEMAND_IS_AS_USUAL = "customers come as often, and want what, they usually do"
    CUSTOMERS_WAIT = "who waits for an answer waits as long as usual"
    CUSTOMERS_STAY = "who has paid does not cancel"
    BUYERS_PAY = "who orders means to pay"
    ORDERS_CAN_BE_READ = "every order can be worked on"


def is_promised(requires: frozenset[Assumption], breaks: frozenset[Assumption]) -> bool:
    """Does the contract hold under faults that break this much?

    >>> is_promised(frozenset({Assumption.STOCK_HAS_ONE_OWNER}), frozenset({Assumption.WORKERS_SURVIVE}))
    True
    """
    return not requires & breaks
