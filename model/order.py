"""What an order is, which states it goes through, and who may move it where. No service is asked from here."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from orderquake.model.flow import NEVER, Instant


class State(StrEnum):
    """Where an order stands. Customers and reports see the article's words: registered, paid, reserved, fulfilled or
    refunded, and synced (see `Sync`)."""

    __hash__ = str.__hash__  # the enumeration's own is a Python function, and tables are looked up a lot

    REGISTERED = "registered"
    CHARGING = "charging"
    PAID = "paid"
    AUTHORISING = "authorising"
    AUTHORISED = "authorised"
    RESERVED = "reserved"
    CAPTURING = "capturing"
    FULFILLED = "fulfilled"
    VOID_PENDING = "void_pending"
    REFUND_PENDING = "refund_pending"
    REFUNDED = "refunded"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class Sync(StrEnum):
    """Whether the system of record has the order: a column of its own."""

    __hash__ = str.__hash__

    UNPOSTED = "unposted"
    POSTING = "posting"
    POSTED = "posted"
    DEAD_LETTER = "dead_letter"


FINAL = frozenset({State.FULFILLED, State.REFUNDED, State.DECLINED, State.CANCELLED})
POSTABLE = frozenset({State.FULFILLED, State.REFUNDED})
"""Only these are posted; what was declined or cancelled never moved money or goods."""
NEVER_POSTED = FINAL - POSTABLE
SETTLED = frozenset({Sync.POSTED, Sync.DEAD_LETTER})
"""The record has it, or never will by itself."""

StateTable = Mapping[State, frozenset[State]]

# A refunded order comes back when its refund fails, a declined one when settlement finds a late capture. A cancelled
# order was never charged: charging is written down first, and from there nobody cancels.
_ENDINGS: StateTable = {
    State.REFUND_PENDING: frozenset({State.REFUNDED}),
    State.FULFILLED: frozenset(),
    State.REFUNDED: frozenset({State.REFUND_PENDING}),
    State.DECLINED: frozenset({State.REFUND_PENDING}),
    State.CANCELLED: frozenset(),
}

PAY_FIRST: StateTable = {
    State.REGISTERED: frozenset({State.CHARGING, State.CANCELLED}),
    State.CHARGING: frozenset({State.PAID, State.DECLINED}),
    State.PAID: frozenset({State.RESERVED, State.REFUND_PENDING}),
    State.RESERVED: frozenset({State.FULFILLED, State.PAID, State.REFUND_PENDING}),
    **_ENDINGS,
}

RESERVE_FIRST: StateTable = {
    State.REGISTERED: frozenset({State.CHARGING, State.CANCELLED}),
    State.CHARGING: frozenset({State.PAID, State.DECLINED}),
    State.PAID: frozenset({State.FULFILLED, State.REFUND_PENDING}),
    **_ENDINGS,
}

AUTHORISE_RESERVE_CAPTURE: StateTable = {
    State.REGISTERED: frozenset({State.AUTHORISING, State.CANCELLED}),
    State.AUTHORISING: frozenset({State.AUTHORISED, State.DECLINED}),
    State.AUTHORISED: frozenset({State.RESERVED, State.VOID_PENDING}),
    State.RESERVED: frozenset({State.CAPTURING, State.AUTHORISED, State.VOID_PENDING}),
    State.CAPTURING: frozenset({State.FULFILLED, State.VOID_PENDING}),
    State.VOID_PENDING: frozenset({State.CANCELLED}),
    State.DECLINED: frozenset(),
    **{state: _ENDINGS[state] for state in (State.FULFILLED, State.CANCELLED)},
}

STATE_TABLES: Mapping[str, StateTable] = {
    "pay_first": PAY_FIRST,
    "reserve_first": RESERVE_FIRST,
    "authorise_reserve_capture": AUTHORISE_RESERVE_CAPTURE,
}
"""One table a policy: from which state an order may go where."""


class Line(NamedTuple):
    """So many units of one product. An order names a product in one line only."""

    sku: str
    units: int
    amount: int
    """Price of the whole line, minor units (pence)."""


class Order(NamedTuple):
    """The row in the Order Cache; every write is a compare-and-set on `version`.

    total             price of all lines, minor units
    card              how the customer pays; decides what the provider says, as a test card does
    token             reservation that the order holds, "" for none
    generation        how many charges (or authorisations) were begun; a new one needs definite evidence that the last
                      took nothing
    unpaid            what the provider did not take of the total though it was asked to, minor units
    is_told           the customer has the final answer
    posted_upto       place in the record's log of changes at which the goods of a posted order had left
    The last four columns are the Order Cache's own; whatever a writer puts there is ignored but for the version:
    charge_sent_at    when the present generation of the charge was first sent
    refund_sent_at    the same for the refund
    """

    id: str
    lines: tuple[Line, ...]
    total: int
    card: str = "good"
    place: str = ""
    state: State = State.REGISTERED
    token: str = ""
    generation: int = 0
    auth_id: str = ""
    charge_id: str = ""
    unpaid: int = 0
    refund_generation: int = 0
    refund_id: str = ""
    cancel_asked: bool = False
    is_told: bool = False
    sync: Sync = Sync.UNPOSTED
    posted_upto: int = 0
    version: int = 0
    registered_at: Instant = NEVER
    charge_sent_at: Instant = NEVER
    refund_sent_at: Instant = NEVER

    @property
    def taken(self) -> int:
        """What the provider took for it, minor units, if it has taken anything."""
        return self.total - self.unpaid

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def is_closed(self) -> bool:
        """Nothing is left to do but to post it: final, the customer told, nothing to release."""
        return self.is_told and (self.state is State.FULFILLED or (self.state in FINAL and not self.token))

    @property
    def is_owed(self) -> bool:
        """The record has refused for good to book what the customer was promised."""
        return self.sync is Sync.DEAD_LETTER and self.state is State.FULFILLED

    @property
    def is_synced(self) -> bool:
        """The record has it, or never needs it."""
        return self.sync in SETTLED or self.state in NEVER_POSTED


_PLACE = {name: place for place, name in enumerate(Order._fields)}


def _replaced(order: Order, /, **columns: Any) -> Order:
    """What every named tuple can do, in a third of the time: orders are hardly ever done anything else with."""
    values = list(order)
    for name, value in columns.items():
        values[_PLACE[name]] = value
    return tuple.__new__(Order, values)


Order._replace = _replaced  # type: ignore[assignment,method-assign]
