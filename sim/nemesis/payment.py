"""Faults of the payment provider: bad moods that only somebody who takes money can have."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import Field, model_validator

from orderquake.model.assumptions import Assumption
from orderquake.sim.nemesis.base import AtService, Chancy, Fault
from orderquake.sim.nemesis.steps import all_steps, only
from orderquake.sim.units import Duration, Probability, Share, refused
from orderquake.sim.world.delays import Distribution, delay


class AtProvider(AtService):
    """A fault of the provider that strikes a `share` of whatever the kind is about."""

    target: Literal["payment"] = "payment"
    share: Share = 1.0


class BrownOut(AtService):
    """A `share` of what the provider is asked is answered by a 500; the rest takes `factor` times as long as usual."""

    kind: Literal["brown_out"] = "brown_out"
    target: Literal["payment"] = "payment"
    share: Probability = 0.3
    factor: Annotated[float, Field(strict=True, ge=1, allow_inf_nan=False)] = 5.0

    does = "the provider answers some asks with a 500 before it has done anything, and takes longer over the others"
    breaks = frozenset({Assumption.SERVICES_STAY_UP, Assumption.ANSWERS_IN_TIME})
    heals = "at the end of its window; until then the caller asks again with the same key"
    witness = "a fault row at each edge, and an ask in the window that ended in info or took longer"
    example = '[[fault]]\nkind = "brown_out"\nshare = 0.3\nfactor = 5.0\nfrom = "5 min"\nfor = "5 min"\n'

    @model_validator(mode="after")
    def _check_effect(self) -> BrownOut:
        if self.share == 0 and self.factor == 1:
            raise refused("a brown_out with share 0 and factor 1; expected more of one of them")
        return self


# -- what becomes of an ask


class Decline(AtProvider):
    """Issuers turn away a `share` of the good cards, each for as long as it lasts."""

    kind: Literal["decline"] = "decline"

    does = "a share of the good cards is declined"
    breaks = frozenset({Assumption.GOOD_CARDS_PAY})
    heals = "at the end of its window; whoever was declined has to order anew"
    witness = "a decline row of a card that would have paid"
    spares = only(("charge", "authorise"), "it is about cards, which only a charge or a hold shows")
    example = '[[fault]]\nkind = "decline"\nshare = 0.3\nfrom = "5 min"\nfor = "5 min"\n'


MoneyVerb: TypeAlias = Literal["charge", "authorise", "capture_hold", "refund"]


class Timeout(Chancy):
    """The provider's own gateway gives up; `operation`: of what moves money, any where absent."""

    target: Literal["payment"] = "payment"
    operation: MoneyVerb | None = None

    spares = only(get_args(MoneyVerb), "it neither moves money nor holds it")


class TimeoutBeforeEffect(Timeout):
    kind: Literal["timeout_before_effect"] = "timeout_before_effect"

    does = "the provider takes an ask in and drops it: no money moves, and the caller hears nothing"
    breaks = frozenset({Assumption.ASKS_ARRIVE})
    heals = "the caller asks again with the same key"
    witness = "a fault row, and an invoke that ends in info without a row of the ledger"
    example = '[[fault]]\nkind = "timeout_before_effect"\noperation = "charge"\nprobability = 0.1\n'


class TimeoutAfterEffect(Timeout):
    kind: Literal["timeout_after_effect"] = "timeout_after_effect"

    does = "the money moves, and the caller hears nothing"
    breaks = frozenset({Assumption.ANSWERS_ARRIVE})
    heals = "the caller asks again with the same key, and gets the stored answer"
    witness = "a fault row, and an invoke that ends in info after a row of the ledger"
    example = '[[fault]]\nkind = "timeout_after_effect"\noperation = "charge"\nprobability = 0.1\n'


class StoredError(AtProvider):
    """`paid` is the share of those errors behind which the money was taken all the same.

    That an error may be stored under its key: docs.stripe.com/api/idempotent_requests ("including 500 errors").
    """

    kind: Literal["stored_500"] = "stored_500"
    share: Share = 0.2
    paid: Probability = 0.5

    does = "a charge or hold ends in a 500 that the provider stores: its key gets nothing else from then on"
    breaks = frozenset({Assumption.ERRORS_PASS})
    heals = "the caller looks the key up, and takes a new one only if nothing was taken under the old"
    witness = "an info row that says server_error, and later one that says error_replayed"
    spares = only(("charge", "authorise"), "it is about cards, which only a charge or a hold shows")
    example = '[[fault]]\nkind = "stored_500"\nshare = 0.2\npaid = 0.5\nfrom = "5 min"\nfor = "5 min"\n'


class PartialCapture(AtProvider):
    """Of a `share` of the good cards only half of the price can be had, as of a prepaid card with too little on it.

    Networks call it partial approval; whoever does not want it has to reverse it.
    """

    kind: Literal["partial_capture"] = "partial_capture"
    share: Share = 0.2

    does = "the provider takes (or holds) half of what was asked, and says so"
    breaks = frozenset({Assumption.CHARGES_ARE_WHOLE})
    heals = "the shop gives back what was taken, or lets go of the hold; the order ends"
    witness = "a capture or authorisation row of less than the order's total"
    spares = only(("charge", "authorise"), "it is about cards, which only a charge or a hold shows")
    example = '[[fault]]\nkind = "partial_capture"\nshare = 0.2\nfrom = "5 min"\nfor = "5 min"\n'


class RefundFailsLate(AtProvider):
    """`after` is how long after its acceptance a refund comes back: days, as banks have it (an assumption)."""

    kind: Literal["refund_fails_late"] = "refund_fails_late"
    share: Share = 0.3
    after: Distribution = delay(kind="constant", value="3 days")

    does = "a share of the refunds made in the window comes back long after it was accepted: the account is closed"
    breaks = frozenset({Assumption.REFUNDS_ARRIVE})
    heals = "settlement finds it in the list of failed refunds, and the order is paid back anew, under a new key"
    witness = "a refund_failed row"
    spares = only(("refund",), "it is about refunds")
    example = (
        '[[fault]]\nkind = "refund_fails_late"\nshare = 0.3\nfrom = "5 min"\nfor = "5 min"\n'
        'after = { kind = "constant", value = "10 min" }\n'
    )


class KeyPruned(AtProvider):
    """In its window a key counts only for `keeps` after its first use, whatever was promised."""

    kind: Literal["key_pruned"] = "key_pruned"
    keeps: Duration = 0

    does = "the provider forgets idempotency keys before the time that it promises to keep them"
    breaks = frozenset({Assumption.KEYS_OUTLIVE_ASKS})
    heals = "keys are kept again from the end of its window on; those forgotten stay forgotten"
    witness = "a key that is asked again in time, and treated as new"
    spares = only(("charge", "authorise", "refund"), "it carries no key that the provider might forget")
    example = '[[fault]]\nkind = "key_pruned"\nkeeps = "5 s"\nfrom = "5 min"\nfor = "5 min"\n'


# -- what the provider tells of its own accord


class AtTelephone(AtProvider):
    """A fault of webhooks. Where the scenario has none, the provider tells the shop all day, as it usually would."""

    spares = all_steps("what the provider tells of its own accord is no ask")


class WebhookDuplicated(AtTelephone):
    """`after` the first the shop is told once more."""

    kind: Literal["webhook_duplicated"] = "webhook_duplicated"
    after: Distribution = delay(kind="exponential", mean="20 s")

    does = "the shop is told twice of the same event"
    breaks = frozenset({Assumption.WEBHOOKS_COME_RIGHT})
    heals = "at the end of its window"
    witness = "a second webhook mark of one event"
    example = (
        '[[fault]]\nkind = "webhook_duplicated"\nfrom = "5 min"\nfor = "5 min"\n'
        'after = { kind = "exponential", mean = "20 s" }\n'
    )


class WebhookEarly(AtTelephone):
    kind: Literal["webhook_early"] = "webhook_early"

    does = "the shop is told of an event before it has the answer to the ask that caused it"
    breaks = frozenset({Assumption.WEBHOOKS_COME_RIGHT})
    heals = "at the end of its window"
    witness = "a webhook mark at the moment of the event"
    example = '[[fault]]\nkind = "webhook_early"\nfrom = "5 min"\nfor = "5 min"\n'


class WebhookLate(AtTelephone):
    """`by` is how much later than usual the shop is told."""

    kind: Literal["webhook_late"] = "webhook_late"
    by: Distribution = delay(kind="exponential", mean="2 min")

    does = "the shop is told much later than usual"
    breaks = frozenset({Assumption.WEBHOOKS_COME_RIGHT})
    heals = "at the end of its window; what is on its way still comes"
    witness = "a webhook mark later than it would have been"
    example = (
        '[[fault]]\nkind = "webhook_late"\nfrom = "5 min"\nfor = "5 min"\n'
        'by = { kind = "exponential", mean = "2 min" }\n'
    )


class WebhookLost(AtTelephone):
    kind: Literal["webhook_lost"] = "webhook_lost"

    does = "the shop is never told"
    breaks = frozenset({Assumption.WEBHOOKS_COME_RIGHT})
    heals = "by whoever asks the provider of his own accord"
    witness = "an event without a webhook mark"
    example = '[[fault]]\nkind = "webhook_lost"\nshare = 0.5\nfrom = "5 min"\nfor = "5 min"\n'


class WebhookOutOfOrder(AtTelephone):
    """An event is told after the order's next one, or when that has not come for `waits`."""

    kind: Literal["webhook_out_of_order"] = "webhook_out_of_order"
    waits: Duration = 120_000_000

    does = "of two events of one order, the shop is told the later one first"
    breaks = frozenset({Assumption.WEBHOOKS_COME_RIGHT})
    heals = "at the end of its window; what was kept back still comes"
    witness = "a webhook mark of an event after that of a later one"
    example = '[[fault]]\nkind = "webhook_out_of_order"\nwaits = "2 min"\nfrom = "5 min"\nfor = "5 min"\n'


FAULTS: tuple[type[Fault], ...] = (
    BrownOut,
    Decline,
    TimeoutBeforeEffect,
    TimeoutAfterEffect,
    StoredError,
    PartialCapture,
    RefundFailsLate,
    KeyPruned,
    WebhookDuplicated,
    WebhookEarly,
    WebhookLate,
    WebhookLost,
    WebhookOutOfOrder,
)
