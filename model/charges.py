"""Charges: what may be asked of the provider about money that is taken at once, and what it answers.

No ledger is kept here, and nothing is decided; see `payment.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from orderquake.model.boundaries import Data, Role
from orderquake.model.flow import Ask, effect

# Cards. `good` pays; `declined` never does; the next two make the provider fail after it has stored its answer; the
# next one pays, but its account is closed when the first refund comes; of the last one only half can be had.
GOOD, DECLINED, STORED_ERROR, STORED_ERROR_PAID = "good", "declined", "stored_error", "stored_error_paid"
REFUND_FAILS, PAYS_IN_PART = "refund_fails", "pays_in_part"


class Captured(NamedTuple):
    charge_id: str


class CapturedInPart(NamedTuple):
    """Less than was asked for was taken, and no more will be: a prepaid card with too little on it."""

    charge_id: str
    amount: int


class Declined(NamedTuple):
    """A definite no; no money moved."""


class ServerError(NamedTuple):
    """A 500 on the first try. Whoever performs the ask treats it as silence."""


class ErrorReplayed(NamedTuple):
    """The stored answer to this key is a 500: it is final for the key, yet does not say whether money moved."""


class KeyMismatch(NamedTuple):
    """The key was used with other parameters: a mistake of the caller's, nothing was done."""


class NothingFound(NamedTuple):
    """The ledger has nothing under this key. After silence that proves nothing: the ask may still be on its way."""


class Capture(NamedTuple):
    place: int
    charge_id: str
    order_id: str
    key: str
    amount: int


class CapturePage(NamedTuple):
    captures: tuple[Capture, ...]


@effect
class Charge(Ask[Captured | CapturedInPart | Declined | ErrorReplayed | KeyMismatch]):
    """Take the money, once for this key."""

    service = "payment"
    verb = "charge"
    carries = frozenset({Data.PAYMENT_SECRET})
    askers = frozenset({Role.WORKER})
    key: str
    order_id: str
    amount: int
    card: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.key


@effect
class LookUp(Ask[Captured | CapturedInPart | Declined | NothingFound]):
    """Ask the ledger what became of a key; it never forgets what it took."""

    service = "payment"
    verb = "look_up"
    key: str
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.key


@effect
class ListCaptures(Ask[CapturePage]):
    """The ledger's captures after a place in it, at least `min_age_us` old."""

    service = "payment"
    verb = "list_captures"
    askers = frozenset({Role.JOB})
    after: int
    min_age_us: int
    limit: int
