"""The words of the history: every operation of its `state`, `mark` and `config` rows, and the columns that each fills.

Accounts and states are named here and nowhere else; worlds write them, checkers and measures read them.
"""

from __future__ import annotations

VOCABULARY: dict[str, str] = {
    # customers, outside
    "submit": (
        "invoke/ok/info rows of actor `customer`: key = submission id; `time` of the first invoke is the "
        "intended arrival; ok.answer = registered"
    ),
    "cancel": "invoke/ok/info rows of actor `customer`; ok.answer = flagged | too_late",
    # Order Cache, inside
    "ordered": "one row a line, once, when the order is registered: line, sku, units, amount (of the line)",
    "order": (
        "the order's state changed: from_state -> to_state, version, amount = total, key = reservation token now held"
    ),
    "sync": "the order's sync state changed: from_state -> to_state",
    # Stock Cache, inside. Accounts: cache.available, cache.held, cache.pinned, cache.base. A record that keeps the
    # reservations itself writes hold, free, drop and rebase, too, on record.available, record.held and record.base.
    "hold": (
        "a line was reserved: key = token, line, sku, units, deadline = when it lapses (none where it never does), "
        "version = base version at the grant; cache.held from cache.available"
    ),
    "extend": "a live reservation's deadline moved: key = token, deadline (one row a line)",
    "pin": "a live hold was consumed: key = token, deadline = the hold's deadline; cache.pinned from cache.held",
    "free": (
        "a line went back on sale: key = token, answer = released | lapsed | stray; cache.available from cache.held "
        "or cache.pinned"
    ),
    "drop": (
        "a posted line's commitment moved to the record: key = token, version = L of its post; "
        "cache.available from cache.pinned (or cache.held)"
    ),
    "rebase": (
        "a snapshot was offered for a SKU: version = its V, watermark = its as-of time, answer = applied | "
        "ignored | refused, units = new base - old base; cache.available from cache.base. A refused one contradicts "
        "the record's log of changes: is_new = False, units as it would have been, and no accounts. Where the record "
        "keeps the reservations itself, a row for each of its versions, with no watermark: nothing was copied"
    ),
    "count": "a cache of counts was written: sku, units = what it says is left from now on; no accounts, no token",
    "adopt": "a rebuild pinned a line again: key = token; cache.pinned from cache.available",
    "epoch": (
        "the Stock Cache began anew: version = epoch, answer = lost | open; all its units are void until rebased"
    ),
    # Payment provider, outside. Accounts: provider, customer, refunds_pending
    "capture": (
        "money was taken: key, amount, answer = capture id; provider from customer. A replay has is_new = "
        "False and no accounts"
    ),
    "authorisation": "the provider put money on hold: key, amount, answer = auth id; no money moves",
    "void": "a hold was let go: key = auth id, amount",
    "decline": "the provider declined: key, amount",
    "refund": (
        "money was given back: key, amount, answer = refund id; customer from provider. A replay has is_new = False"
    ),
    "refund_failed": (
        "a refund came back, days after it was accepted: key, amount, answer = refund id; provider from customer"
    ),
    # System of record, outside. Accounts: record.on_hand, record.shipped, supplier, returns, adjustment, channel
    "post": (
        "one row an order in a batch: key = order/final, to_state = fulfilled | refunded, amount = money "
        "booked, answer = posted | duplicate | rejected, is_new"
    ),
    "ship": (
        "one row a line of a new fulfilled post: key, line, sku, units, version = L; record.shipped from record.on_hand"
    ),
    "receipt": "goods came in: sku, units, version; record.on_hand from supplier",
    "return": "goods came back: sku, units, version; record.on_hand from returns",
    "correction": "stock-take: sku, units (may be negative), version; record.on_hand from adjustment",
    "foreign_sale": "another channel sold: sku, units, version; channel from record.on_hand",
    # Notice, outside
    "notice": "the customer was answered: to_state = fulfilled | declined | refunded | cancelled, is_new",
    # Work queue, inside
    "dead_letter": "a delivery was given up: order, units = deliveries",
    # Workflow service, inside
    "transition": (
        "an execution entered a step, again or for the first time: key = execution, from_state -> to_state (as orders, "
        "or failed), answer = started | done | retried | waits | timed_out; each one is billed"
    ),
    # marks
    "webhook": "mark: the provider tells the shop that something has become of an order's money",
    "admitted": "mark of a service with a throttle: actor = service, key = verb, a call was let pass",
    "cold_start": "mark of a worker whose turn begins cold",
    "paused": "mark of a worker that froze: key = the fault's label, deadline = when it wakes",
    "woke": "mark of a worker that goes on where it stood",
    "breaker": "mark of a circuit breaker that turned: place = whose, key = service, from_state, to_state",
    "retry_budget": "mark of a retry budget without credit: place = whose, key = service, answer = spent",
    "worker_killed_at_deadline": "mark of a worker whose turn took too long",
    # config
    "opening": "config, one row a SKU: sku, units on hand at the start (base version 0)",
    "limits": "config: answer = JSON object of what a checker must know of the scenario",
    "residency": (
        "config, only where a scenario draws boundaries: answer = JSON object; carries: operation -> classes of data, "
        "askers: operation -> roles, service: operation -> who is asked, stands: service -> places of all its copies, "
        "jurisdiction: place -> whose law holds, personal: jurisdictions that personal data may be in"
    ),
    "quiet": "config: the fault phase ends at `time`; deadline = the latest moment by which all must have converged",
    "end": "config, last row: the run ended at `time`; answer = complete | cut_short",
}
