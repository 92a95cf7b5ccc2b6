"""The payment provider: takes money, gives it back, and remembers for a while which keys it has seen.

An idempotency key is answered as it was the first time, also where that answer was an error, until the provider prunes
it; after that the same key is a new charge. What was taken stays in the ledger for ever, and can be looked up there.
The card decides what happens, as a provider's test cards do, so that this store needs no chance.

What may be asked is told in `charges`, `authorisations` and `refunds`, and can be had from here, too.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, TypeVar

from orderquake.model.authorisations import (
    AlreadyCaptured,
    Authorise,
    Authorised,
    AuthorisedInPart,
    CaptureHold,
    Hold,
    LookUpHold,
    Voided,
    VoidHold,
)
from orderquake.model.charges import (
    DECLINED,
    GOOD,
    PAYS_IN_PART,
    REFUND_FAILS,
    STORED_ERROR,
    STORED_ERROR_PAID,
    Capture,
    Captured,
    CapturedInPart,
    CapturePage,
    Charge,
    Declined,
    ErrorReplayed,
    KeyMismatch,
    ListCaptures,
    LookUp,
    NothingFound,
    ServerError,
)
from orderquake.model.flow import Change
from orderquake.model.refunds import (
    AskRefund,
    FailedRefund,
    FailedRefundPage,
    ListFailedRefunds,
    Made,
    NothingCaptured,
    OverRefund,
    Refund,
    RefundMade,
    Refunds,
    RefundStanding,
)

__all__ = [
    "DECLINED",
    "GOOD",
    "PAYS_IN_PART",
    "REFUND_FAILS",
    "STORED_ERROR",
    "STORED_ERROR_PAID",
    "AlreadyCaptured",
    "AskRefund",
    "Authorise",
    "Authorised",
    "AuthorisedInPart",
    "Capture",
    "CaptureHold",
    "CapturePage",
    "Captured",
    "CapturedInPart",
    "Charge",
    "Declined",
    "ErrorReplayed",
    "FailedRefund",
    "FailedRefundPage",
    "Hold",
    "KeyMismatch",
    "ListCaptures",
    "ListFailedRefunds",
    "LookUp",
    "LookUpHold",
    "NothingCaptured",
    "NothingFound",
    "OverRefund",
    "PaymentProvider",
    "Refund",
    "RefundMade",
    "RefundStanding",
    "ServerError",
    "VoidHold",
    "Voided",
]

S = TypeVar("S")

DAY = 86_400_000_000


class PaymentProvider:
    """The provider's ledger and its memory of keys.

    key_retention_us        a key counts iff now - first use < this
    refund_delay_us         how long a refund stays pending
    refund_fails_after_us   from the acceptance of a refund that fails until it does
    refund_cap              never pay more of a charge back than was taken; off, so that who refunds twice is seen
    renews_keys             a key's time begins anew whenever it is asked for: a key counts iff now - last use < that
    meets                   key -> as what other card the provider takes the good one of its next ask, on a bad day
    """

    def __init__(
        self,
        key_retention_us: int,
        refund_delay_us: int = 0,
        refund_fails_after_us: int = 3 * DAY,
        refund_cap: bool = False,
        renews_keys: bool = False,
    ) -> None:
        self.journal: list[Change] = []
        self.key_retention_us = key_retention_us
        self.refund_delay_us = refund_delay_us
        self.refund_fails_after_us = refund_fails_after_us
        self.refund_cap = refund_cap
        self.renews_keys = renews_keys
        self.answers: dict[str, tuple[int, Any, Any]] = {}  # key -> (first use, parameters, stored answer)
        self.captures: list[tuple[int, Capture]] = []
        self.charge_of: dict[str, Capture] = {}  # key -> its latest capture
        self.declined: dict[str, bool] = {}
        self.paid_back = Refunds()
        self.taken: dict[str, int] = {}  # charge id -> pence
        self.holds: dict[str, Hold] = {}  # auth id -> what is on hold
        self.hold_of: dict[str, str] = {}  # key -> auth id
        self.tries: dict[str, int] = {}  # order id -> charges really begun, for cards that fail once
        self.in_part: dict[str, Any] = {}  # key -> the answer that says so, where less was taken or held than asked
        self.meets: dict[str, str] = {}

    @property
    def refunds(self) -> dict[str, Made]:
        """Key -> its latest refund."""
        return self.paid_back.made

    def handle(self, ask: Any, now_us: int) -> Any:
        while self.paid_back.is_due(now_us):  # what has failed by now has failed before anyone looks
            self.note_failure(self.paid_back.fail())
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
                return self.paid_back.standing(key, now_us)
            case ListFailedRefunds(after, limit):
                return self.paid_back.page(after, limit)
            case ListCaptures(after, min_age_us, limit):
                return self.page(after, now_us - min_age_us, limit)
        raise TypeError(f"the payment provider does not know how to {type(ask).__name__}")

    def once(self, key: str, ask: Charge | Authorise | Refund, now_us: int) -> Any:
        """The stored answer of a key that is still remembered, or None."""
        if not self.remembers(key, now_us):
            return None
        known = self.answers[key]
        if self.renews_keys:
            known = self.answers[key] = (now_us, known[1], known[2])
        if known[1] != ask:
            return KeyMismatch()
        if isinstance(ask, Refund):
            self.replayed("refund", ask)
            return self.paid_back.first_answer(key, now_us)
        match known[2]:
            case Captured() | CapturedInPart() if isinstance(ask, Charge):
                self.replayed("capture", ask)
            case ServerError():
                return ErrorReplayed()
        return known[2]

    def remembers(self, key: str, now_us: int) -> bool:
        """Would an ask under this key get an old answer?"""
        known = self.answers.get(key)
        return known is not None and now_us - known[0] < self.key_retention_us

    def charge(self, ask: Charge, now_us: int) -> Captured | CapturedInPart | Declined | ServerError:
        card = self.card_of(ask)
        if card == DECLINED:
            return self.declines(ask, now_us)
        fails = self.fails(ask, card)
        if fails and card == STORED_ERROR:
            return self.stored(ask, ServerError(), now_us)
        amount = self.to_be_had(ask, card)
        captured: Captured | CapturedInPart = self.capture(ask.key, ask.order_id, amount, now_us)
        self.in_part.pop(ask.key, None)
        if amount < ask.amount:
            captured = self.in_part[ask.key] = CapturedInPart(captured.charge_id, amount)
        return self.stored(ask, ServerError() if fails else captured, now_us)

    def authorise(self, ask: Authorise, now_us: int) -> Authorised | AuthorisedInPart | Declined | ServerError:
        card = self.card_of(ask)
        if card == DECLINED:
            return self.declines(ask, now_us)
        fails = self.fails(ask, card)
        if fails and card == STORED_ERROR:
            return self.stored(ask, ServerError(), now_us)
        amount = self.to_be_had(ask, card)
        auth_id = self.name_hold(ask.key)
        self.holds[auth_id] = Hold(ask.order_id, amount)
        self.hold_of[ask.key] = auth_id
        self.note("authorisation", ask.key, ask.order_id, amount, auth_id)
        authorised: Authorised | AuthorisedInPart = Authorised(auth_id)
        self.in_part.pop(ask.key, None)
        if amount < ask.amount:
            authorised = self.in_part[ask.key] = AuthorisedInPart(auth_id, amount)
        return self.stored(ask, ServerError() if fails else authorised, now_us)

    # What a card decides: a declined one never pays, the failing ones make the provider err on the order's first try,
    # of one whose account will be closed the first refund comes back, and of a prepaid one only half can be had.

    def card_of(self, ask: Charge | Authorise) -> str:
        """The card, as the provider takes it just now."""
        met = self.meets.pop(ask.key, GOOD)
        return met if ask.card == GOOD else ask.card

    def to_be_had(self, ask: Charge | Authorise, card: str) -> int:
        return (ask.amount + 1) // 2 if card == PAYS_IN_PART else ask.amount

    def declines(self, ask: Charge | Authorise, now_us: int) -> Declined:
        self.declined[ask.key] = True
        self.note("decline", ask.key, ask.order_id, ask.amount)
        return self.stored(ask, Declined(), now_us)

    def fails(self, ask: Charge | Authorise, card: str) -> bool:
        tries = self.tries[ask.order_id] = self.tries.get(ask.order_id, 0) + 1
        if card == REFUND_FAILS:
            self.paid_back.doomed.setdefault(ask.order_id, True)
        # A card of its own errs once; on a bad day the provider may err as often as it likes.
        return card in (STORED_ERROR, STORED_ERROR_PAID) and (tries == 1 or card != ask.card)

    def stored(self, ask: Charge | Authorise, answer: S, now_us: int) -> S:
        """From here on the key has this answer."""
        self.answers[ask.key] = (now_us, ask, answer)
        return answer

    # Names that no charge and no hold ever had; nobody reads anything out of them.

    def name_charge(self, key: str) -> str:
        return f"ch_{len(self.captures) + 1}"

    def name_hold(self, key: str) -> str:
        return f"pi_{len(self.holds) + 1}"

    def capture(self, key: str, order_id: str, amount: int, now_us: int) -> Captured:
        charge_id = self.name_charge(key)
        made = Capture(len(self.captures) + 1, charge_id, order_id, key, amount)
        self.captures.append((now_us, made))
        self.charge_of[key] = made
        self.taken[charge_id] = amount
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

    def look_up_hold(self, key: str) -> Authorised | AuthorisedInPart | Declined | NothingFound:
        if key in self.hold_of:
            in_part: AuthorisedInPart | None = self.in_part.get(key)
            return in_part or Authorised(self.hold_of[key])
        return Declined() if key in self.declined else NothingFound()

    def look_up(self, key: str) -> Captured | CapturedInPart | Declined | NothingFound:
        if key in self.charge_of:
            in_part: CapturedInPart | None = self.in_part.get(key)
            return in_part or Captured(self.charge_of[key].charge_id)
        return Declined() if key in self.declined else NothingFound()

    def refund(self, ask: Refund, now_us: int) -> RefundMade | NothingCaptured | OverRefund:
        if ask.charge_id not in self.taken:
            return NothingCaptured()
        if self.refund_cap and self.paid_back.live.get(ask.charge_id, 0) + ask.amount > self.taken[ask.charge_id]:
            return OverRefund()
        made = self.paid_back.make(ask, now_us + self.refund_delay_us, now_us + self.refund_fails_after_us)
        self.answers[ask.key] = (now_us, ask, None)
        self.note("refund", ask.key, ask.order_id, ask.amount, made.id, debit="customer", credit="provider")
        return self.paid_back.first_answer(ask.key, now_us)

    def note_failure(self, failure: FailedRefund) -> None:
        _, key, refund_id, _, order_id, amount = failure
        self.note("refund_failed", key, order_id, amount, refund_id, debit="provider", credit="customer")

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
            self.paid_back.snapshot(),
            tuple(self.taken.items()),
            tuple(self.tries.items()),
            tuple(self.holds.items()),
            tuple(self.hold_of.items()),
            tuple(self.in_part.items()),
        )

    def restore(self, snapshot: Any) -> None:
        answers, captures, charge_of, declined, paid_back, taken, tries, holds, hold_of, in_part = snapshot
        self.answers, self.captures, self.charge_of = dict(answers), list(captures), dict(charge_of)
        self.declined, self.taken, self.tries = dict.fromkeys(declined, True), dict(taken), dict(tries)
        self.holds, self.hold_of, self.in_part = dict(holds), dict(hold_of), dict(in_part)
        self.paid_back.restore(paid_back)
        self.journal.clear()
