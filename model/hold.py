"""Hold the money, reserve the goods, and only then take the one for the other: the steps of the third policy.

A hold is captured once or voided, and the provider sees to it that never both; so taking and letting go need no
idempotency key, and nobody is ever paid back.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import assert_never

from orderquake.model.architecture import Architecture
from orderquake.model.flow import Within
from orderquake.model.order import Order, State
from orderquake.model.payment import (
    AlreadyCaptured,
    Authorise,
    Authorised,
    AuthorisedInPart,
    Captured,
    CaptureHold,
    Declined,
    ErrorReplayed,
    KeyMismatch,
    LookUpHold,
    NothingFound,
    Voided,
    VoidHold,
)


class HoldMoney(Architecture):
    """The steps of an order that is authorised, reserved, captured; or voided."""

    # Simplified: a hold that comes about after everybody gave up lapses at the bank; matters when funds are short.

    @abstractmethod
    async def release(self, order: Order) -> Order:
        """Put the units back on sale."""

    async def authorise(self, order: Order) -> Order:
        """Put the money on hold, once. Only a definite answer ends this state."""
        answer: Authorised | AuthorisedInPart | Declined | ErrorReplayed | KeyMismatch | NothingFound
        if await Within(order.charge_sent_at, self.policy.send_horizon_us):
            answer = await self.patiently(Authorise(self.hold_key(order), order.id, order.total, order.card))
        else:
            answer = await self.patiently(LookUpHold(self.hold_key(order), order.id))
        if isinstance(answer, ErrorReplayed):
            answer = await self.patiently(LookUpHold(self.hold_key(order), order.id))
            if isinstance(answer, NothingFound):  # the provider's last word on this key, and nothing on hold
                return order._replace(generation=order.generation + 1)
        match answer:
            case Authorised(auth_id):
                return self.move(order, State.AUTHORISED, auth_id=auth_id)
            case AuthorisedInPart(auth_id):  # not enough: the shop cancels the order, as a customer would
                return self.move(order, State.AUTHORISED, auth_id=auth_id, cancel_asked=True)
            case Declined():
                return self.move(order, State.DECLINED)
            case NothingFound():
                if await Within(order.charge_sent_at, self.policy.key_retention_us):
                    return order
                return self.move(order, State.DECLINED)
            case KeyMismatch():
                raise AssertionError(f"{order.id}: the key of the hold was used for something else")
            case _:
                assert_never(answer)

    async def capture(self, order: Order) -> Order:
        """The goods are pinned: take the money."""
        answer = await self.patiently(CaptureHold(order.auth_id, order.id))
        match answer:
            case Captured(charge_id):
                return self.move(order, State.FULFILLED, charge_id=charge_id)
            case Voided():
                return self.move(order, State.VOID_PENDING)
            case _:
                assert_never(answer)

    async def void(self, order: Order) -> Order:
        """First let go of the money, then of the units. One of them a step."""
        if order.refund_id:
            return await self.release(order) if order.token else self.move(order, State.CANCELLED)
        answer = await self.patiently(VoidHold(order.auth_id, order.id))
        match answer:
            case Voided() if not order.token:
                return self.move(order, State.CANCELLED, refund_id=order.auth_id)
            case Voided():
                return order._replace(refund_id=order.auth_id)
            case AlreadyCaptured():
                raise AssertionError(f"{order.id}: captured although nobody may have")
            case _:
                assert_never(answer)

    def hold_key(self, order: Order) -> str:
        return f"{order.id}/hold/{order.generation}"
