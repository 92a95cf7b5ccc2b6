"""The payment provider, move by move. No money moves twice under a key that is remembered."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model.payment import (
    DECLINED,
    GOOD,
    STORED_ERROR,
    STORED_ERROR_PAID,
    AskRefund,
    Captured,
    Charge,
    Declined,
    ErrorReplayed,
    KeyMismatch,
    ListCaptures,
    LookUp,
    NothingCaptured,
    NothingFound,
    PaymentProvider,
    Refund,
    RefundMade,
    ServerError,
)

WINDOW = 1_000


@pytest.fixture
def provider() -> PaymentProvider:
    return PaymentProvider(key_retention_us=WINDOW)


def charge(provider: PaymentProvider, card: str = GOOD, key: str = "ann/1", now_us: int = 0, amount: int = 100) -> Any:
    return provider.handle(Charge(key, "ann", amount, card), now_us)


def refund(provider: PaymentProvider, key: str = "ann/back", charge_id: str = "ch_1", now_us: int = 0) -> Any:
    return provider.handle(Refund(key, "ann", charge_id, 100), now_us)


def answers(provider: PaymentProvider, card: str, times: int = 3) -> list[type]:
    """Answers are compared by type: an answer without fields is an empty tuple, and equal to any other."""
    return [type(charge(provider, card)) for _ in range(times)]


# -- charges


def test_a_good_card_is_charged_once_under_one_key(provider: PaymentProvider) -> None:
    assert answers(provider, GOOD) == [Captured] * 3
    assert len(provider.captures) == 1
    assert [change.is_new for change in provider.journal] == [True, False, False]


def test_another_key_is_another_charge(provider: PaymentProvider) -> None:
    assert charge(provider, key="ann/1") != charge(provider, key="ann/2")
    assert len(provider.captures) == 2


def test_a_declined_card_moves_no_money_however_often_it_is_tried(provider: PaymentProvider) -> None:
    assert answers(provider, DECLINED) == [Declined] * 3
    assert not provider.captures
    assert [change.operation for change in provider.journal] == ["decline"], "a replay declines nothing anew"


def test_a_stored_error_is_replayed_and_never_charges(provider: PaymentProvider) -> None:
    assert answers(provider, STORED_ERROR) == [ServerError, ErrorReplayed, ErrorReplayed]
    assert not provider.captures


def test_a_stored_error_that_has_taken_the_money_is_replayed_and_takes_it_once(provider: PaymentProvider) -> None:
    assert answers(provider, STORED_ERROR_PAID) == [ServerError, ErrorReplayed, ErrorReplayed]
    assert len(provider.captures) == 1


def test_after_a_stored_error_a_new_key_pays(provider: PaymentProvider) -> None:
    charge(provider, STORED_ERROR)
    assert type(charge(provider, STORED_ERROR, key="ann/2")) is Captured


def test_a_key_with_other_parameters_is_a_mismatch_and_moves_nothing(provider: PaymentProvider) -> None:
    charge(provider)
    assert type(charge(provider, amount=200)) is KeyMismatch
    assert len(provider.captures) == 1
    assert type(charge(provider)) is Captured, "the first stands"


@pytest.mark.parametrize(("now_us", "captures"), [(WINDOW - 1, 1), (WINDOW, 2)])
def test_a_key_counts_while_less_than_its_window_has_passed(
    provider: PaymentProvider, now_us: int, captures: int
) -> None:
    charge(provider)
    charge(provider, now_us=now_us)
    assert len(provider.captures) == captures


def test_a_replay_does_not_renew_the_window(provider: PaymentProvider) -> None:
    charge(provider)
    charge(provider, now_us=WINDOW - 1)
    charge(provider, now_us=WINDOW)
    assert len(provider.captures) == 2


@pytest.mark.parametrize("card", [DECLINED, STORED_ERROR, STORED_ERROR_PAID])
def test_only_a_pruned_key_is_tried_again(provider: PaymentProvider, card: str) -> None:
    charge(provider, card)
    assert type(charge(provider, card, now_us=WINDOW)) is {
        DECLINED: Declined, STORED_ERROR: Captured, STORED_ERROR_PAID: Captured,
    }[card]  # fmt: skip


# -- looking up


@pytest.mark.parametrize(
    ("card", "found"),
    [(GOOD, Captured), (DECLINED, Declined), (STORED_ERROR, NothingFound), (STORED_ERROR_PAID, Captured)],
)
def test_the_ledger_knows_what_became_of_a_key_for_ever(provider: PaymentProvider, card: str, found: type) -> None:
    assert type(provider.handle(LookUp("ann/1", "ann"), 0)) is NothingFound
    charge(provider, card)
    provider.journal.clear()
    assert type(provider.handle(LookUp("ann/1", "ann"), 100 * WINDOW)) is found
    assert not provider.journal


# -- refunds


def test_a_refund_under_one_key_pays_once(provider: PaymentProvider) -> None:
    charge(provider)
    first = refund(provider)
    assert first == refund(provider) == RefundMade("re_ch_1_ann/back", "succeeded")
    assert len(provider.refunds) == 1
    assert [change.is_new for change in provider.journal if change.operation == "refund"] == [True, False]


def test_what_was_never_captured_is_not_paid_back(provider: PaymentProvider) -> None:
    assert type(refund(provider)) is NothingCaptured
    assert not provider.journal


def test_a_refund_key_with_other_parameters_is_a_mismatch(provider: PaymentProvider) -> None:
    charge(provider)
    charge(provider, key="ann/2")
    refund(provider)
    assert type(refund(provider, charge_id="ch_2")) is KeyMismatch
    assert len(provider.refunds) == 1


def test_the_provider_itself_caps_no_refunds(provider: PaymentProvider) -> None:
    """So that whoever refunds under two keys is seen to pay twice."""
    charge(provider)
    refund(provider, "ann/back/1")
    refund(provider, "ann/back/2")
    assert sum(made.amount for made in provider.refunds.values()) == 200


def test_a_refund_is_pending_until_its_delay_has_passed() -> None:
    provider = PaymentProvider(key_retention_us=WINDOW, refund_delay_us=50)
    charge(provider)
    assert refund(provider, now_us=10).standing == "pending"
    for now_us, standing in ((59, "pending"), (60, "succeeded")):
        assert provider.handle(AskRefund("ann/back", "ann"), now_us).standing == standing
        assert refund(provider, now_us=now_us).standing == standing, "a replay tells how it stands now"


def test_an_unknown_refund_is_not_found(provider: PaymentProvider) -> None:
    assert type(provider.handle(AskRefund("ann/back", "ann"), 0)) is NothingFound


# -- the ledger, page by page


def test_captures_are_listed_in_order_once_they_are_old_enough(provider: PaymentProvider) -> None:
    for now_us in (0, 10, 20):
        charge(provider, key=f"ann/{now_us}", now_us=now_us)
    everything = provider.handle(ListCaptures(0, 0, 10), 20).captures
    assert [made.place for made in everything] == [1, 2, 3]
    assert provider.handle(ListCaptures(1, 0, 1), 20).captures == everything[1:2]
    assert provider.handle(ListCaptures(0, 10, 10), 20).captures == everything[:2]
