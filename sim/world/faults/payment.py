"""What goes wrong with the payment provider."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from orderquake.model.payment import (
    DECLINED,
    GOOD,
    PAYS_IN_PART,
    STORED_ERROR,
    STORED_ERROR_PAID,
    Authorise,
    Charge,
    PaymentProvider,
    Refund,
    ServerError,
)
from orderquake.sim.nemesis import payment as described
from orderquake.sim.world.faults.injected import Injected, Site
from orderquake.sim.world.wire import Sending

MONEY = frozenset({"charge", "authorise", "capture_hold", "refund"})
"""Verbs that move money, or hold it."""


class AtProvider(Injected):
    """Stands before the provider, and knows its ledger."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        replica = site.wire.replicas["payment"]
        assert isinstance(replica.store, PaymentProvider)
        self.ledger = replica.store
        self.stand_before(replica)
        self.dropped: Sending | None = None

    def drop(self, sending: Sending) -> Any:
        """Nothing is done, and nobody is told so."""
        self.dropped = sending
        return ServerError()

    def loses_answer(self, sending: Sending) -> bool:
        is_dropped = self.dropped is sending
        self.dropped = None
        return is_dropped


class BrownOut(Injected):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.stand_before(site.replica)

    def errs(self, sending: Sending) -> bool:
        """Is this ask one of the share? Asked when the work begins and again when it ends: the same both times."""
        return self.is_on and self.draw(sending.ask.verb, sending.task.number, sending.visit) < self.fault.share

    def slowed(self, sending: Sending, work_us: int) -> int:
        if not self.is_on or self.fault.factor == 1 or self.errs(sending):
            return work_us
        self.struck(sending)
        slow_us: int = round(work_us * self.fault.factor)
        return slow_us

    def answers(self, sending: Sending) -> Any:
        if not self.errs(sending):
            return None
        self.struck(sending)
        return ServerError()


# -- good cards that are taken for others


class OfCards(AtProvider, ABC):
    """The provider takes a share of the good cards for some other, at the first ask under a key."""

    def answers(self, sending: Sending) -> Any:
        ask = sending.ask
        if not self.is_on or not isinstance(ask, Charge | Authorise) or ask.card != GOOD:
            return None
        if not self.ledger.remembers(ask.key, self.kernel.now) and (card := self.card(sending)) != GOOD:
            self.ledger.meets[ask.key] = card
            self.struck(sending)
        return None

    @abstractmethod
    def card(self, sending: Sending) -> str:
        """As what card the good one of this ask is taken; GOOD where it is let be."""


class Decline(OfCards):
    def card(self, sending: Sending) -> str:
        return DECLINED if self.draw("card", sending.task.number, 0) < self.fault.share else GOOD


class PartialCapture(OfCards):
    def card(self, sending: Sending) -> str:
        return PAYS_IN_PART if self.draw("card", sending.task.number, 0) < self.fault.share else GOOD


class StoredError(OfCards):
    def card(self, sending: Sending) -> str:
        number, visit = sending.task.number, sending.visit
        if self.draw(sending.ask.verb, number, visit) >= self.fault.share:
            return GOOD
        return STORED_ERROR_PAID if self.draw("paid", number, visit) < self.fault.paid else STORED_ERROR


# -- silence


class Timeout(AtProvider):
    def concerns(self, verb: str) -> bool:
        return super().concerns(verb) and verb in MONEY


class TimeoutBeforeEffect(Timeout):
    moment = "work"

    def answers(self, sending: Sending) -> Any:
        if self.hits(sending):
            return self.drop(sending)
        return None


class TimeoutAfterEffect(Timeout):
    moment = "way back"

    def loses_answer(self, sending: Sending) -> bool:
        return self.hits(sending)


# -- what is forgotten, and what comes back


class RefundFailsLate(AtProvider):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.lasts = site.streams.of(f"fault/{site.label}/after", site.fault.after)

    def answers(self, sending: Sending) -> Any:
        ask, number, visit = sending.ask, sending.task.number, sending.visit
        if (
            self.is_on
            and isinstance(ask, Refund)
            and ask.charge_id in self.ledger.taken
            and not self.ledger.remembers(ask.key, self.kernel.now)
            and self.draw("refund", number, visit) < self.fault.share
        ):
            after_us: int = self.lasts.draw(number, visit)
            self.ledger.paid_back.doomed[ask.order_id] = True
            self.ledger.refund_fails_after_us = after_us
            self.kernel.after(after_us, self.struck, sending)
        return None


class KeyPruned(AtProvider):
    def answers(self, sending: Sending) -> Any:
        ask = sending.ask
        if self.is_on and isinstance(ask, Charge | Authorise | Refund):
            known = self.ledger.remembers(ask.key, self.kernel.now)
            if known and self.is_too_old(ask.key):
                del self.ledger.answers[ask.key]
                self.struck(sending)
        return None

    def is_too_old(self, key: str) -> bool:
        keeps_us: int = self.fault.keeps
        return self.kernel.now - self.ledger.answers[key][0] >= keeps_us

    def end(self, _: Any = None) -> None:
        """What was forgotten stays forgotten, whether anybody has asked for it or not."""
        for key in [key for key in self.ledger.answers if self.is_too_old(key)] if self.is_on else ():
            del self.ledger.answers[key]
        super().end()


# -- the telephone


class AtTelephone(Injected, ABC):
    """Has a say in when the shop is told of an event."""

    def begin(self, _: Any = None) -> None:
        if self.site.world is not None and (telephone := self.site.world.provider.telephone) is not None:
            telephone.troubles.append(self.told)
        super().begin()

    @abstractmethod
    def told(self, order_id: str, number: int, event: int, coming: list[int]) -> list[int]:
        """How long after the event the shop is told, each time that it is; `coming` as it would be without us."""

    def is_about(self, number: int, event: int, coming: list[int]) -> bool:
        """Is this event one of the share?"""
        return bool(self.is_on and coming and self.draw("event", number, event) < self.fault.share)


class ToldOtherwise(AtTelephone, ABC):
    """Each event has its fault for itself, whatever comes after it."""

    def told(self, order_id: str, number: int, event: int, coming: list[int]) -> list[int]:
        if not self.is_about(number, event, coming):
            return coming
        self.struck()
        return self.instead(number, event, coming)

    @abstractmethod
    def instead(self, number: int, event: int, coming: list[int]) -> list[int]:
        """How long after the event the shop is told where the fault strikes, each time that it is."""


class WebhookDuplicated(ToldOtherwise):
    def instead(self, number: int, event: int, coming: list[int]) -> list[int]:
        after = self.streams.of(f"fault/{self.label}/after", self.fault.after)
        return [*coming, coming[0] + after.draw(number, event)]


class WebhookEarly(ToldOtherwise):
    def instead(self, number: int, event: int, coming: list[int]) -> list[int]:
        return [0, *coming[1:]]


class WebhookLate(ToldOtherwise):
    def instead(self, number: int, event: int, coming: list[int]) -> list[int]:
        by = self.streams.of(f"fault/{self.label}/by", self.fault.by)
        return [later_us + by.draw(number, event) for later_us in coming]


class WebhookLost(ToldOtherwise):
    def instead(self, number: int, event: int, coming: list[int]) -> list[int]:
        return []


class WebhookOutOfOrder(AtTelephone):
    """kept   order id -> what is told after the order's next event"""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.kept: dict[str, tuple[str, int, str]] = {}

    def told(self, order_id: str, number: int, event: int, coming: list[int]) -> list[int]:
        if order_id in self.kept:
            what = self.kept.pop(order_id)
            self.kernel.after(max(coming, default=0) + 1, self.tell, what)
            if coming:
                self.struck()
        elif self.is_about(number, event, coming):
            self.kept[order_id] = what = (order_id, number, f"{order_id}.webhook{event}.kept")
            self.kernel.after(self.fault.waits, self.give_up, what)
            return []
        return coming

    def give_up(self, what: tuple[str, int, str]) -> None:
        """No second event has come: nothing to be overtaken by."""
        if self.kept.get(what[0]) == what:
            self.tell(self.kept.pop(what[0]))

    def tell(self, what: tuple[str, int, str]) -> None:
        assert self.site.world is not None
        telephone = self.site.world.provider.telephone
        assert telephone is not None
        telephone.tell(what)


INJECTORS: dict[type, Callable[[Site], Injected]] = {
    described.BrownOut: BrownOut,
    described.Decline: Decline,
    described.TimeoutBeforeEffect: TimeoutBeforeEffect,
    described.TimeoutAfterEffect: TimeoutAfterEffect,
    described.StoredError: StoredError,
    described.PartialCapture: PartialCapture,
    described.RefundFailsLate: RefundFailsLate,
    described.KeyPruned: KeyPruned,
    described.WebhookDuplicated: WebhookDuplicated,
    described.WebhookEarly: WebhookEarly,
    described.WebhookLate: WebhookLate,
    described.WebhookLost: WebhookLost,
    described.WebhookOutOfOrder: WebhookOutOfOrder,
}
