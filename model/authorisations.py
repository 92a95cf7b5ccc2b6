"""Authorisations: what may be asked of the provider about money that is put on hold first, and what it answers.

No ledger is kept here, and nothing is decided; see `payment.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from orderquake.model.boundaries import Data, Role
from orderquake.model.charges import Captured, Declined, ErrorReplayed, KeyMismatch, NothingFound
from orderquake.model.flow import Ask, effect


class Authorised(NamedTuple):
    """The money is on hold for us, not taken."""

    auth_id: str


class AuthorisedInPart(NamedTuple):
    """Less than was asked for is on hold, and no more will be."""

    auth_id: str
    amount: int


class Voided(NamedTuple):
    """The hold is gone; it can never be captured any more."""


class AlreadyCaptured(NamedTuple):
    """Too late to let the hold go: the money was taken."""

    charge_id: str


class Hold(NamedTuple):
    """Money on hold; `charge_id` once captured, `is_void` once let go."""

    order_id: str
    amount: int
    charge_id: str = ""
    is_void: bool = False


@effect
class Authorise(Ask[Authorised | AuthorisedInPart | Declined | ErrorReplayed | KeyMismatch]):
    """Put the money on hold, once for this key."""

    service = "payment"
    verb = "authorise"
    carries = frozenset({Data.PAYMENT_SECRET})
    askers = frozenset({Role.WORKER})
    key: str
    order_id: str
    amount: int
    card: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.key


@effect
class CaptureHold(Ask[Captured | Voided]):
    """Take what is on hold. Needs no key: a hold is captured once or voided, whatever happens."""

    service = "payment"
    verb = "capture_hold"
    auth_id: str
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.auth_id


@effect
class VoidHold(Ask[Voided | AlreadyCaptured]):
    """Let go of what is on hold."""

    service = "payment"
    verb = "void_hold"
    auth_id: str
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.auth_id


@effect
class LookUpHold(Ask[Authorised | AuthorisedInPart | Declined | NothingFound]):
    """Ask what became of the key of an authorisation."""

    service = "payment"
    verb = "look_up_hold"
    key: str
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.key
