"""The payment provider: takes money, gives it back, and remembers for a while which keys it has seen.

An idempotency key is answered as it was the first time, also where that answer was an error, until the provider prunes
it; after that the same key is a new charge. What was taken stays in the ledger for ever, and can be looked up there.
The card decides what happens, as a provider's test cards do, so that this store needs no chance.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

from orderquake.model.flow import Ask, Change

# Cards. `good` pays; `declined` never does; the last two make the provider fail after it has stored its answer.
GOOD, DECLINED, STORED_ERROR, STORED_ERROR_PAID = "good", "declined", "stored_error", "stored_error_paid"

S = TypeVar("S")
RefundStanding = Literal["pending", "succeeded", "failed"]


class Captured(NamedTuple):
    charge_id: str


class Declined(NamedTuple):
    """A definite no; no money moved."""


class ServerError(NamedTuple):
    """A 500 on the first try. Whoever performs the ask treats it as silence."""


class ErrorReplayed(NamedTuple):
    """The stored answer to this key is a 500: it is final for the key, yet does not say whether money moved."""


class KeyMismatch(NamedTuple):
    """The key was used with other parameters: a mistake of the caller's, nothing was done."""


class NothingFound(NamedTuple):
    """The ledger has no charge under this key. After silence that proves nothing: the ask may still be on its way."""


class RefundMade(NamedTuple):
    """The provider has accepted the refund; whether the money arrived is its `standing`."""

    refund_id: str
    standing: RefundStanding


class NothingCaptured(NamedTuple):
    """There is no such charge to pay back."""


class Authorised(NamedTuple):
    """The money is on hold for us, not taken."""

    auth_id: str


class Voided(NamedTuple):
    """The hold is gone; it can never be captured any more."""


class AlreadyCaptured(NamedTuple):
    """Too late to let the hold go: the money was taken."""

    charge_id: str


class Capture(NamedTuple):
    place: int
    charge_id: str
    order_id: str
    key: str
    amount: int


class CapturePage(NamedTuple):
    captures: tuple[Capture, ...]


@dataclass(frozen=True, slots=True)
class Charge(Ask[Captured | Declined | ErrorReplayed | KeyMismatch]):
    """Take the money, once for this key."""

    service = "payment"
    verb = "charge"
    key: str
    order_id: str
    amount: int
    card: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.key


@dataclass(frozen=True, slots=True)
class Authorise(Ask[Authorised | Declined | ErrorReplayed | KeyMismatch]):
    """Put the money on hold, once for this key."""

    service = "payment"
    verb = "authorise"
    key: str
    order_id: str
    amount: int
    card: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.key


@dataclass(frozen=True, slots=True)
class CaptureHold(Ask[Captured | Voided]):
    """Take what is on hold. Needs no key: a hold is captured once or voided, whatever happens."""

    service = "payment"
    verb = "capture_hold"
    auth_id: str
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.auth_id


@dataclass(frozen=True, slots=True)
class VoidHold(Ask[Voided | AlreadyCaptured]):
    """Let go of what is on hold."""

    service = "payment"
    verb = "void_hold"
    auth_id: str
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.auth_id


@dataclass(frozen=True, slots=True)
class LookUpHold(Ask[Authorised | Declined | NothingFound]):
    """Ask what became of the key of an authorisation."""

    service = "payment"
    verb = "look_up_hold"
    key: str
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.key


@dataclass(frozen=True, slots=True)
class LookUp(Ask[Captured | Declined | NothingFound]):
    """Ask the ledger what became of a key; it never forgets what it took."""

    service = "payment"
    verb = "look_up"
    key: str
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.key


@dataclass(frozen=True, slots=True)
class Refund(Ask[RefundMade | NothingCaptured | KeyMismatch]):
    """Give the money of one charge back, once for this key."""

    service = "payment"
    verb = "refund"
    key: str
    order_id: str
    charge_id: str
    amount: int

    def about(self) -> tuple[str, str]:
        return self.order_id, self.key


@dataclass(frozen=True, slots=True)
class AskRefund(Ask[RefundMade | NothingFound]):
    """How does the refund under this key stand?"""

    service = "payment"
    verb = "ask_refund"
    key: str
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.key


@dataclass(frozen=True, slots=True)
class ListCaptures(Ask[CapturePage]):
    """The ledger's captures after a place in it, at least `min_age_us` old."""

    service = "payment"
    verb = "list_captures"
    after: int
    min_age_us: int
    limit: int


class Hold(NamedTuple):
    """Money on hold; `charge_id` once captured, `is_void` once let go."""

    order_id: str
    amount: int
    charge_id: str = ""
    is_void: bool = False


class _Refund(NamedTuple):
    id: str
    settles_us: int
    amount: int


class PaymentProvider:
    """The provider's ledger and its memory of keys.

    key_retention_us   a key counts iff now - first use < this
    refund_delay_us    how long a refund stays pending
    """

    def __init__(self, key_retention_us: int, refund_delay_us: int = 0) -> None:
        self.journal: list[Change] = []
        self.key_retention_us = key_retention_us
        self.refund_delay_us = refund_delay_us
        self.answers: dict[str, tuple[int, Any, Any]] = {}  # key -> (first use, parameters, stored answer)
        self.captures: list[tuple[int, Capture]] = []
        self.charge_of: dict[str, Capture] = {}  # key -> its latest capture
        self.declined: dict[str, bool] = {}
        self.refunds: dict[str, _Refund] = {}  # key -> its latest refund
        self.known: dict[str, bool] = {}  # charge ids
        self.holds: dict[str, Hold] = {}  # auth id -> what is on hold
        self.hold_of: dict[str, str] = {}  # key -> auth id
        self.tries: dict[str, int] = {}  # order id -> charges really begun, for cards that fail once

    def handle(self, ask: Any, now_us: int) -> Any:
        match ask:
            case Charge():
                known = self.once(ask.key, ask, now_us)
                return self.charge(ask, now_us) if known is None else known
            case LookUp(key):
                return self.look_up(key)
            case Authorise():
                known = self.once(ask.key, ask, now_us)
                return self.authorise(ask, now_us) if known is None else known
            case CaptureHold(auth_id):
                return self.capture_hold(auth_id, now_us)
            case VoidHold(auth_id):
                return self.void_hold(auth_id)
            case LookUpHold(key):
                return self.look_up_hold(key)
            case Refund():
                known = self.once(ask.key, ask, now_us)
                return self.refund(ask, now_us) if known is None else known
            case AskRefund(key):
                return self.standing(key, now_us)
            case ListCaptures(after, min_age_us, limit):
                return self.page(after, now_us - min_age_us, limit)
        raise TypeError(f"the payment provider does not know how to {type(ask).__name__}")

    def once(self, key: str, ask: Charge | Authorise | Refund, now_us: int) -> Any:
        """The stored answer of a key that is still remembered, or None."""
        known = self.answers.get(key)
        if known is None or now_us - known[0] >= self.key_retention_us:
            return None
        if known[1] != ask:
            return KeyMismatch()
        if isinstance(ask, Refund):
            self.replayed("refund", ask)
            return self.standing(key, now_us)
        match known[2]:
            case Captured() if isinstance(ask, Charge):
                self.replayed("capture", ask)
            case ServerError():
                return ErrorReplayed()
        return known[2]

    def charge(self, ask: Charge, now_us: int) -> Captured | Declined | ServerError:
        if self.refuses(ask):
            return self.declines(ask, now_us)
        fails = self.fails(ask)
        if fails and ask.card == STORED_ERROR:
            return self.stored(ask, ServerError(), now_us)
        captured = self.capture(ask.key, ask.order_id, ask.amount, now_us)
        return self.stored(ask, ServerError() if fails else captured, now_us)

    def authorise(self, ask: Authorise, now_us: int) -> Authorised | Declined | ServerError:
        if self.refuses(ask):
            return self.declines(ask, now_us)
        fails = self.fails(ask)
        if fails and ask.card == STORED_ERROR:
            return self.stored(ask, ServerError(), now_us)
        auth_id = f"pi_{len(self.holds) + 1}"
        self.holds[auth_id] = Hold(ask.order_id, ask.amount)
        self.hold_of[ask.key] = auth_id
        self.note("authorisation", ask.key, ask.order_id, ask.amount, auth_id)
        return self.stored(ask, ServerError() if fails else Authorised(auth_id), now_us)

    # What a card decides: a declined one never pays, the failing ones make the provider err on the order's first try.

    def refuses(self, ask: Charge | Authorise) -> bool:
        return ask.card == DECLINED

    def declines(self, ask: Charge | Authorise, now_us: int) -> Declined:
        self.declined[ask.key] = True
        self.note("decline", ask.key, ask.order_id, ask.amount)
        return self.stored(ask, Declined(), now_us)

    def fails(self, ask: Charge | Authorise) -> bool:
        tries = self.tries[ask.order_id] = self.tries.get(ask.order_id, 0) + 1
        return tries == 1 and ask.card in (STORED_ERROR, STORED_ERROR_PAID)

    def stored(self, ask: Charge | Authorise, answer: S, now_us: int) -> S:
        """From here on the key has this answer."""
        self.answers[ask.key] = (now_us, ask, answer)
        return answer

    def capture(self, key: str, order_id: str, amount: int, now_us: int) -> Captured:
        charge_id = f"ch_{len(self.captures) + 1}"
        made = Capture(len(self.captures) + 1, charge_id, order_id, key, amount)
        self.captures.append((now_us, made))
        self.charge_of[key] = made
        self.known[charge_id] = True
        self.note("capture", key, order_id, amount, charge_id, debit="provider", credit="customer")
        return Captured(charge_id)

    def capture_hold(self, auth_id: str, now_us: int) -> Captured | Voided:
        """Capture and void exclude each other; either may be asked for again and again."""
        hold = self.holds[auth_id]
        if hold.is_void:
            return Voided()
        if not hold.charge_id:
            captured = self.capture(auth_id, hold.order_id, hold.amount, now_us)
            self.holds[auth_id] = hold._replace(charge_id=captured.charge_id)
            return captured
        return Captured(hold.charge_id)

    def void_hold(self, auth_id: str) -> Voided | AlreadyCaptured:
        hold = self.holds[auth_id]
        if hold.charge_id:
            return AlreadyCaptured(hold.charge_id)
        if not hold.is_void:
            self.holds[auth_id] = hold._replace(is_void=True)
            self.note("void", auth_id, hold.order_id, hold.amount)
        return Voided()

    def look_up_hold(self, key: str) -> Authorised | Declined | NothingFound:
        if key in self.hold_of:
            return Authorised(self.hold_of[key])
        return Declined() if key in self.declined else NothingFound()

    def look_up(self, key: str) -> Captured | Declined | NothingFound:
        if key in self.charge_of:
            return Captured(self.charge_of[key].charge_id)
        return Declined() if key in self.declined else NothingFound()

    def refund(self, ask: Refund, now_us: int) -> RefundMade | NothingCaptured:
        if ask.charge_id not in self.known:
            return NothingCaptured()
        refund_id = f"re_{ask.charge_id}_{ask.key}"
        self.refunds[ask.key] = _Refund(refund_id, now_us + self.refund_delay_us, ask.amount)
        self.answers[ask.key] = (now_us, ask, None)
        self.note("refund", ask.key, ask.order_id, ask.amount, refund_id, debit="customer", credit="provider")
        return RefundMade(refund_id, "succeeded" if not self.refund_delay_us else "pending")

    def standing(self, key: str, now_us: int) -> RefundMade | NothingFound:
        if (made := self.refunds.get(key)) is None:
            return NothingFound()
        return RefundMade(made.id, "succeeded" if now_us >= made.settles_us else "pending")

    def page(self, after: int, until_us: int, limit: int) -> CapturePage:
        return CapturePage(tuple(made for at_us, made in self.captures[after : after + limit] if at_us <= until_us))

    def replayed(self, operation: str, ask: Charge | Refund) -> None:
        self.note(operation, ask.key, ask.order_id, ask.amount, "replayed", is_new=False)

    def note(
        self,
        operation: str,
        key: str,
        order_id: str,
        amount: int,
        answer: str = "",
        *,
        debit: str = "",
        credit: str = "",
        is_new: bool = True,
    ) -> None:
        """A line of the provider's ledger."""
        self.journal.append(
            Change(
                operation,
                key=key,
                order=order_id,
                amount=amount,
                debit=debit,
                credit=credit,
                answer=answer,
                is_new=is_new,
                is_outside=True,
            )
        )

    def snapshot(self) -> Hashable:
        return (
            tuple(self.answers.items()),
            tuple(self.captures),
            tuple(self.charge_of.items()),
            tuple(self.declined),
            tuple(self.refunds.items()),
            tuple(self.known),
            tuple(self.tries.items()),
            tuple(self.holds.items()),
            tuple(self.hold_of.items()),
        )

    def restore(self, snapshot: Any) -> None:
        answers, captures, charge_of, declined, refunds, known, tries, holds, hold_of = snapshot
        self.answers, self.captures, self.charge_of = dict(answers), list(captures), dict(charge_of)
        self.declined, self.known = dict.fromkeys(declined, True), dict.fromkeys(known, True)
        self.refunds, self.tries = dict(refunds), dict(tries)
        self.holds, self.hold_of = dict(holds), dict(hold_of)
        self.journal.clear()
