"""A provider on its bad days: refunds that fail after they were believed, a cap on them, calls that say something has
happened. First the provider alone, then hot_cold, told by the plain loop."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model.order import State, Sync
from orderquake.model.payment import (
    GOOD,
    REFUND_FAILS,
    AskRefund,
    Authorise,
    CaptureHold,
    Charge,
    ListFailedRefunds,
    NothingFound,
    OverRefund,
    PaymentProvider,
    Refund,
    RefundMade,
)
from orderquake.model.policy import MINUTE, Policy
from orderquake.sim.plain import perform
from tests.model.shop import Shop, order

WINDOW, SETTLES, FAILS = 1_000, 50, 200


def provider_with(**settings: Any) -> PaymentProvider:
    return PaymentProvider(**{"key_retention_us": WINDOW, "refund_fails_after_us": FAILS} | settings)


@pytest.fixture
def provider() -> PaymentProvider:
    """It has taken a hundred pence from ann, whose account will be closed."""
    made = provider_with(refund_delay_us=SETTLES)
    charge(made)
    return made


def charge(provider: PaymentProvider, card: str = REFUND_FAILS, key: str = "ann/1", now_us: int = 0) -> Any:
    return provider.handle(Charge(key, "ann", 100, card), now_us)


def refund(provider: PaymentProvider, key: str = "back", now_us: int = 0, amount: int = 100, of: str = "ch_1") -> Any:
    return provider.handle(Refund(key, "ann", of, amount), now_us)


def standing(provider: PaymentProvider, now_us: int, key: str = "back") -> Any:
    answer = provider.handle(AskRefund(key, "ann"), now_us)
    return answer.standing if isinstance(answer, RefundMade) else type(answer)


def failed(provider: PaymentProvider, now_us: int, after: int = 0, limit: int = 9) -> list[tuple[int, str]]:
    page = provider.handle(ListFailedRefunds(after, limit), now_us)
    return [(failure.place, failure.key) for failure in page.failures]


def till(provider: PaymentProvider) -> int:
    """What the ledger says the provider holds for the shop."""
    moves = {"provider": 1, "customer": -1}
    return sum(moves[row.debit] * row.amount for row in provider.journal if row.debit)


# -- the provider: a refund fails


@pytest.mark.parametrize(
    ("now_us", "expected"),
    [(SETTLES - 1, "pending"), (SETTLES, "succeeded"), (FAILS - 1, "succeeded"), (FAILS, "failed"), (9_999, "failed")],
)
def test_a_refund_is_pending_then_succeeded_then_failed(provider: PaymentProvider, now_us: int, expected: str) -> None:
    assert refund(provider).standing == "pending"
    assert standing(provider, now_us) == expected


def test_a_refund_may_fail_before_it_has_settled() -> None:
    provider = provider_with(refund_delay_us=FAILS + 1)
    charge(provider)
    refund(provider)
    assert [standing(provider, now_us) for now_us in (FAILS - 1, FAILS, FAILS + 1)] == ["pending", "failed", "failed"]


def test_the_money_is_back_with_the_shop_from_the_moment_that_somebody_asks_anything(provider: PaymentProvider) -> None:
    refund(provider)
    assert till(provider) == 0
    charge(provider, GOOD, key="bob/1", now_us=FAILS)
    assert till(provider) == 200
    row = next(row for row in provider.journal if row.operation == "refund_failed")
    assert (row.key, row.order, row.amount, row.answer) == ("back", "ann", 100, "re_ch_1_back")
    assert (row.debit, row.credit, row.is_outside, row.is_new) == ("provider", "customer", True, True)


def test_a_failure_is_written_down_once(provider: PaymentProvider) -> None:
    refund(provider)
    for now_us in (FAILS, FAILS, FAILS + 1):
        standing(provider, now_us)
    assert [row.operation for row in provider.journal].count("refund_failed") == 1


@pytest.mark.parametrize("now_us", [FAILS, WINDOW - 1])
def test_the_key_of_a_failed_refund_is_answered_as_before_and_never_pays(
    provider: PaymentProvider, now_us: int
) -> None:
    refund(provider)
    assert refund(provider, now_us=now_us) == RefundMade("re_ch_1_back", "succeeded"), "it knows of no failure"
    assert standing(provider, now_us) == "failed"
    assert till(provider) == 100


def test_a_new_key_pays_and_only_the_orders_first_refund_fails(provider: PaymentProvider) -> None:
    refund(provider)
    refund(provider, "back/2", now_us=FAILS)
    assert standing(provider, 100 * FAILS, "back/2") == "succeeded"
    assert till(provider) == 0


def test_no_other_card_has_a_refund_that_fails() -> None:
    provider = provider_with()
    charge(provider, GOOD)
    refund(provider)
    assert standing(provider, 100 * FAILS) == "succeeded"
    assert failed(provider, 100 * FAILS) == []


def test_a_second_charge_does_not_make_a_second_refund_fail(provider: PaymentProvider) -> None:
    refund(provider)
    charge(provider, key="ann/2")
    refund(provider, "back/2", of="ch_2")
    assert failed(provider, 100 * FAILS) == [(1, "back")]


def test_money_that_was_held_first_may_come_back_too() -> None:
    provider = provider_with()
    held = provider.handle(Authorise("ann/hold", "ann", 100, REFUND_FAILS), 0)
    provider.handle(CaptureHold(held.auth_id, "ann"), 0)
    refund(provider)
    assert standing(provider, FAILS) == "failed"


def test_a_key_that_was_forgotten_pays_again_and_the_old_failure_is_not_the_new_refunds() -> None:
    provider = provider_with(refund_fails_after_us=2 * WINDOW)
    charge(provider)
    first = refund(provider)
    second = refund(provider, now_us=WINDOW)
    assert first.refund_id != second.refund_id
    assert (standing(provider, 2 * WINDOW), till(provider)) == ("succeeded", 0)
    assert failed(provider, 2 * WINDOW) == [(1, "back")]


# -- the list of those that failed


def test_failures_are_listed_by_place_in_the_order_in_which_they_came() -> None:
    provider = provider_with()
    for number, name in enumerate(("ann", "bob", "cat"), start=1):
        provider.handle(Charge(f"{name}/1", name, 100, REFUND_FAILS), 0)
        provider.refund_fails_after_us = FAILS - number
        provider.handle(Refund(f"{name}/back", name, f"ch_{number}", 100), 0)
    everything = [(1, "cat/back"), (2, "bob/back"), (3, "ann/back")]
    assert failed(provider, FAILS - 4) == []
    assert failed(provider, FAILS - 2) == everything[:2]
    assert failed(provider, FAILS) == everything
    assert failed(provider, FAILS, after=1, limit=1) == everything[1:2]


def test_a_failure_says_whose_money_it_is(provider: PaymentProvider) -> None:
    refund(provider)
    (failure,) = provider.handle(ListFailedRefunds(0, 1), FAILS).failures
    assert tuple(failure) == (1, "back", "re_ch_1_back", "ch_1", "ann", 100)


@pytest.mark.parametrize("now_us", [0, FAILS])
def test_a_provider_that_was_restored_remembers_what_will_fail_and_what_has(now_us: int) -> None:
    first, second = provider_with(), provider_with()
    charge(first)
    refund(first)
    standing(first, now_us)
    second.restore(first.snapshot())
    assert hash(second.snapshot()) == hash(first.snapshot())
    assert (failed(second, FAILS), standing(second, FAILS)) == ([(1, "back")], "failed")
    refund(second, "back/2", FAILS)
    assert standing(second, 2 * FAILS, "back/2") == "succeeded", "the first one has failed already"


# -- the cap


@pytest.mark.parametrize(("amounts", "expected"), [((100,), 0), ((60, 40), 0), ((60, 41), 1), ((101,), 1)])
def test_with_a_cap_no_more_goes_back_than_was_taken(amounts: tuple[int, ...], expected: int) -> None:
    provider = provider_with(refund_cap=True)
    charge(provider, GOOD)
    answers = [type(refund(provider, f"back/{number}", amount=amount)) for number, amount in enumerate(amounts)]
    assert answers.count(OverRefund) == expected
    assert till(provider) >= 0


def test_the_cap_is_each_charges_own() -> None:
    provider = provider_with(refund_cap=True)
    charge(provider, GOOD)
    charge(provider, GOOD, key="ann/2")
    assert type(refund(provider)) is RefundMade
    assert type(refund(provider, "back/2")) is OverRefund
    assert type(refund(provider, "back/3", of="ch_2")) is RefundMade


def test_what_was_refused_was_not_done_and_its_key_is_free(provider: PaymentProvider) -> None:
    provider.refund_cap = True
    refund(provider)
    before = len(provider.journal)
    assert type(refund(provider, "back/2")) is OverRefund
    assert len(provider.journal) == before
    assert standing(provider, 0, "back/2") is NothingFound
    assert type(refund(provider, "back/2", now_us=FAILS)) is RefundMade, "the first has failed: there is room"


def test_a_replay_is_not_capped(provider: PaymentProvider) -> None:
    provider.refund_cap = True
    assert refund(provider).refund_id == refund(provider).refund_id


# -- hot_cold


LATE = 3 * MINUTE


def shop(**columns: Any) -> Shop:
    """One mug, which bob gets; ann's refund fails three minutes after it was accepted."""
    one = Shop(policy=Policy(**columns), mug=1)
    one.payment.refund_fails_after_us = LATE
    one.payment.refund_cap = True
    one.submit(order("bob"))
    one.work()
    return one


def refunded_shop(**columns: Any) -> Shop:
    """Ann has been paid back, told, and posted."""
    one = shop(**columns)
    one.submit(order("ann", REFUND_FAILS))
    one.work()
    one.close()
    assert (one.row("ann").state, one.row("ann").sync, till(one.payment)) == (State.REFUNDED, Sync.POSTED, 100)
    return one


def told(one: Shop) -> tuple[str, ...]:
    return one.books().told["ann"]


def refund_keys(one: Shop) -> list[str]:
    return list(one.payment.refunds)


def test_an_order_whose_refund_failed_is_reopened_and_paid_back_under_another_key() -> None:
    one = refunded_shop()
    one.wait(LATE)
    one.tick("settle")
    row = one.row("ann")
    assert (row.state, row.sync, row.refund_generation, row.refund_id) == (State.REFUND_PENDING, Sync.POSTED, 2, "")
    one.recover()
    one.close()
    assert (one.row("ann").state, till(one.payment)) == (State.REFUNDED, 100)
    assert refund_keys(one) == ["ann/refund/1", "ann/refund/2"]
    assert one.rests()


def test_a_reopened_order_is_posted_once_and_its_customer_told_once() -> None:
    one = refunded_shop()
    one.wait(LATE)
    for _ in range(3):
        one.close()
        one.recover()
    assert told(one) == ("refunded",)
    assert one.books().posts == ("ann/final", "bob/final")


def test_a_reopened_order_that_was_not_posted_yet_is_posted_when_it_is_refunded_again() -> None:
    one = shop()
    one.submit(order("ann", REFUND_FAILS))
    one.work()
    one.wait(LATE)
    one.tick("settle", "post")
    assert one.books().posts == ("bob/final",), "an open order is not posted"
    one.recover()
    one.close()
    assert one.books().posts == ("ann/final", "bob/final")


def test_settlement_that_crashes_after_reopening_reopens_nothing_twice() -> None:
    one = refunded_shop()
    one.wait(LATE)
    one.tick("settle")
    one.orders.cursors["refunds"] = 0  # the cursor was never written
    one.tick("settle")
    assert one.row("ann").refund_generation == 2
    one.recover()
    one.orders.cursors["refunds"] = 0
    one.tick("settle")
    assert (one.row("ann").state, one.row("ann").refund_generation) == (State.REFUNDED, 2)


def test_a_refund_that_fails_while_the_order_waits_for_it_is_made_anew_by_the_order_itself() -> None:
    one = shop(refund_delay_us=2 * LATE)
    one.submit(order("ann", REFUND_FAILS))
    one.work()
    assert one.row("ann").state is State.REFUND_PENDING
    one.wait(LATE)
    one.tick("settle")
    assert one.row("ann").refund_generation == 1, "settlement leaves it alone"
    one.recover()
    assert one.row("ann").refund_generation == 2
    one.tick("settle")
    assert one.orders.cursors["refunds"] == 1
    one.wait(2 * LATE)
    one.recover()
    one.close()
    assert (one.row("ann").state, till(one.payment), told(one)) == (State.REFUNDED, 100, ("refunded",))
    assert one.rests()


def test_an_old_answer_that_is_believed_after_the_refund_has_failed_is_found_out() -> None:
    """The first answer is lost, the refund fails, settlement passes by, and only then the key is sent again."""
    one = shop()
    one.submit(order("ann", REFUND_FAILS))
    one.step("ann", 3)
    row = one.row("ann")
    assert (row.state, row.refund_id) == (State.REFUND_PENDING, "")
    one.ask(Refund("ann/refund/1", "ann", row.charge_id, row.total))  # nobody heard the answer
    one.wait(LATE)
    one.tick("settle")
    one.work()
    assert one.row("ann").state is State.REFUNDED, "succeeded, says the key"
    assert till(one.payment) == 200, "and it is not true"
    assert not one.rests()
    one.tick("settle")
    one.recover()
    one.close()
    assert (one.row("ann").state, till(one.payment)) == (State.REFUNDED, 100)
    assert one.rests()


def test_money_taken_twice_whose_refund_fails_is_sent_back_again_once() -> None:
    one = Shop(policy=Policy(), mug=1)
    one.payment.refund_fails_after_us = LATE
    one.payment.refund_cap = True
    one.submit(order("ann", REFUND_FAILS))
    one.work()
    one.ask(Charge("ann/charge/another", "ann", 100, REFUND_FAILS))
    one.wait(one.design.policy.settle_after_us)
    one.tick("settle")
    assert till(one.payment) == 100
    one.wait(LATE)
    assert not one.rests()
    for _ in range(2):
        one.tick("settle")
        one.orders.cursors["refunds"] = 0  # and looks twice
    assert till(one.payment) == 100
    assert refund_keys(one) == ["ch_2/settlement", "ch_2/settlement/1"]
    assert one.row("ann").state is State.FULFILLED


def test_failures_are_followed_page_by_page() -> None:
    one = shop(batches={"settlement": 2})
    names = [f"order-{number}" for number in range(5)]
    one.submit(*(order(name, REFUND_FAILS) for name in names))
    one.work()
    one.wait(LATE)
    one.tick("settle")
    assert {one.row(name).state for name in names} == {State.REFUND_PENDING}
    assert one.orders.cursors["refunds"] == 5
    one.recover()
    one.close()
    assert {one.row(name).state for name in names} == {State.REFUNDED}
    assert one.rests()


def test_a_shop_does_not_rest_while_a_failure_has_not_been_looked_at() -> None:
    one = refunded_shop()
    assert one.rests(), "nobody knows of it yet"
    one.wait(LATE)
    assert not one.rests(), "it is due, though nobody has asked"
    one.ask(ListFailedRefunds(0, 1))
    assert not one.rests(), "it is in the list, and settlement has not been there"
    one.tick("settle")
    assert not one.rests(), "the order is open again"


# -- hot_cold hears


def test_a_call_puts_the_order_in_line_once() -> None:
    one = shop()
    one.submit(order("ann"))
    one.work()
    for _ in range(2):
        perform(one.design.start("hear", ("ann",)), one.stores, one.now_us)
    assert list(one.queue.waiting) == ["ann"]


def test_a_call_about_an_order_that_has_ended_changes_nothing() -> None:
    one = refunded_shop()
    before = one.books()
    perform(one.design.start("hear", ("ann",)), one.stores, one.now_us)
    one.work()
    assert one.books() == before


def test_a_call_about_an_order_that_nobody_knows_is_harmless() -> None:
    one = shop()
    perform(one.design.start("hear", ("zoe",)), one.stores, one.now_us)
    one.work()
    assert "zoe" not in one.books().states


def test_a_call_brings_a_pending_refund_to_its_end_without_waiting_for_recovery() -> None:
    one = shop(refund_delay_us=MINUTE)
    one.submit(order("ann"))
    one.work()
    one.wait(MINUTE)
    assert one.row("ann").state is State.REFUND_PENDING
    perform(one.design.start("hear", ("ann",)), one.stores, one.now_us)
    one.work()
    assert one.row("ann").state is State.REFUNDED
