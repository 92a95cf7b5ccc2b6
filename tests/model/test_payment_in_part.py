"""A card of which only half can be had: the provider says so, and the shop gives it back. Less than the price is no
payment."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model.payment import (
    DECLINED,
    PAYS_IN_PART,
    Authorise,
    AuthorisedInPart,
    CapturedInPart,
    Charge,
    LookUp,
    LookUpHold,
    PaymentProvider,
)
from orderquake.model.policy import Policy
from tests.model.shop import Shop, order

KEPT = 1_000


def charged(provider: PaymentProvider, amount: int = 301, now_us: int = 0) -> Any:
    return provider.handle(Charge("ann/1", "ann", amount, PAYS_IN_PART), now_us)


def test_half_is_taken_and_said_and_said_again() -> None:
    provider = PaymentProvider(KEPT)
    assert charged(provider) == CapturedInPart("ch_1", 151) == charged(provider)
    assert provider.handle(LookUp("ann/1", "ann"), 9 * KEPT) == CapturedInPart("ch_1", 151)
    (taken,) = (row for row in provider.journal if row.operation == "capture" and row.is_new)
    assert (taken.amount, taken.debit, taken.credit) == (151, "provider", "customer")


def test_half_is_held_and_said_and_said_again() -> None:
    provider = PaymentProvider(KEPT)
    ask = Authorise("ann/1", "ann", 300, PAYS_IN_PART)
    assert provider.handle(ask, 0) == AuthorisedInPart("pi_1", 150) == provider.handle(ask, 1)
    assert provider.handle(LookUpHold("ann/1", "ann"), 9 * KEPT) == AuthorisedInPart("pi_1", 150)


def test_a_penny_cannot_be_halved() -> None:
    assert type(charged(PaymentProvider(KEPT), amount=1)).__name__ == "Captured"


def test_what_was_taken_in_part_is_remembered_in_a_snapshot() -> None:
    one, other = PaymentProvider(KEPT), PaymentProvider(KEPT)
    charged(one)
    other.restore(one.snapshot())
    assert other.snapshot() == one.snapshot()
    assert other.handle(LookUp("ann/1", "ann"), 0) == CapturedInPart("ch_1", 151)


@pytest.mark.parametrize(
    ("policy", "end"),
    [("pay_first", "refunded"), ("reserve_first", "refunded"), ("authorise_reserve_capture", "cancelled")],
)
def test_the_shop_gives_back_what_it_got_and_keeps_the_goods(policy: Any, end: str) -> None:
    shop = Shop(policy=Policy(order=policy), mug=5)
    shop.submit(order("ann", PAYS_IN_PART, mug=3))
    shop.work()
    books = shop.books()
    assert books.states["ann"] == end
    assert books.net.get("ann", 0) == 0
    assert books.told["ann"] == (end,)
    assert shop.stock.atp("mug") == 5


def test_settlement_sends_back_the_part_that_came_too_late() -> None:
    shop = Shop(mug=5)
    shop.submit(order("ann", DECLINED, mug=3))
    shop.work()
    shop.ask(Charge("ann/late", "ann", 300, PAYS_IN_PART))
    shop.wait(Policy().settle_after_us)
    shop.tick("settle")
    shop.recover()
    assert (shop.row("ann").state.value, shop.row("ann").taken) == ("refunded", 150)
    assert shop.net("ann") == 0
