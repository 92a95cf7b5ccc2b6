"""hot_cold, told by the plain loop: every way in which an order can end, and what is then in the books."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from orderquake.model.order import State, Sync
from orderquake.model.payment import AskRefund, Charge
from orderquake.model.policy import HOUR, MINUTE, Policy
from orderquake.model.record import Move
from orderquake.model.stock import Release, Reserve
from tests.model.shop import Shop, lines, order, pages_of

Money = Literal["pay_first", "reserve_first", "authorise_reserve_capture"]
BOTH = pytest.mark.parametrize("policy", ["pay_first", "reserve_first"])


def shop(policy: Money = "pay_first", *, mug: int = 1, **columns: Any) -> Shop:
    return Shop(policy=Policy(order=policy, **columns), mug=mug)


def walk(shop: Shop, name: str) -> list[str]:
    """The states through which an order goes from here, each once."""
    seen = [shop.row(name).state.value]
    more = True
    while more:
        more = shop.step(name)
        if (state := shop.row(name).state.value) != seen[-1]:
            seen.append(state)
    return seen


def ended(shop: Shop, name: str) -> tuple[str, int, tuple[str, ...]]:
    """How it ended, what the shop keeps of the money, and what the customer was told."""
    return shop.row(name).state.value, shop.net(name), shop.books().told[name]


# -- fulfilled


@pytest.mark.parametrize(
    ("policy", "path"),
    [
        ("pay_first", ["registered", "charging", "paid", "reserved", "fulfilled"]),
        ("reserve_first", ["registered", "charging", "paid", "fulfilled"]),
        (
            "authorise_reserve_capture",
            ["registered", "authorising", "authorised", "reserved", "capturing", "fulfilled"],
        ),
    ],
)
def test_an_order_is_fulfilled_by_the_book(policy: Money, path: list[str]) -> None:
    one = shop(policy)
    one.submit(order("ann"))
    assert walk(one, "ann") == path
    assert ended(one, "ann") == ("fulfilled", 100, ("fulfilled",))
    assert one.stock.atp("mug") == 0


@BOTH
def test_a_fulfilled_order_is_posted_and_the_books_agree(policy: Money) -> None:
    one = shop(policy, mug=3)
    one.submit(order("ann"))
    one.work()
    assert not one.rests()
    one.close()
    assert one.rests()
    assert one.row("ann").sync is Sync.POSTED
    assert (one.record.on_hand["mug"], one.stock.atp("mug")) == (2, 2)


@BOTH
def test_a_second_click_changes_nothing(policy: Money) -> None:
    one = shop(policy, mug=3)
    one.submit(order("ann"), order("ann"))
    one.work()
    one.submit(order("ann"))
    one.work()
    one.close()
    assert (one.captured("ann"), one.record.on_hand["mug"]) == (1, 2)


@BOTH
def test_an_ended_order_is_left_alone(policy: Money) -> None:
    one = shop(policy)
    one.submit(order("ann"))
    one.work()
    version = one.row("ann").version
    assert not one.step("ann")
    assert one.row("ann").version == version


def test_nobody_advances_an_order_that_was_never_registered() -> None:
    assert not shop().step("zoe")


# -- declined


@BOTH
def test_a_declined_card_ends_the_order_and_holds_nothing(policy: Money) -> None:
    one = shop(policy)
    one.submit(order("ann", "declined"))
    one.work()
    assert ended(one, "ann") == ("declined", 0, ("declined",))
    assert one.stock.atp("mug") == 1
    one.close()
    assert not one.record.book, "what moved neither goods nor money is not posted"
    assert one.rests()


# -- sold out


def test_whoever_pays_first_and_comes_too_late_is_refunded() -> None:
    one = shop()
    one.submit(order("ann"), order("bob"))
    one.work()
    assert ended(one, "ann") == ("fulfilled", 100, ("fulfilled",))
    assert ended(one, "bob") == ("refunded", 0, ("refunded",))
    assert one.captured("bob") == 1
    one.close()
    assert one.record.on_hand["mug"] == 0
    assert one.rests()


def test_whoever_reserves_first_and_comes_too_late_never_pays() -> None:
    one = shop("reserve_first")
    one.submit(order("ann"), order("bob"))
    one.work()
    assert ended(one, "bob") == ("cancelled", 0, ("cancelled",))
    assert one.captured("bob") == 0


def test_a_reservation_that_lapses_is_made_again() -> None:
    one = shop()
    one.submit(order("ann"))
    one.step("ann", 3)
    old = one.row("ann").token
    one.wait(one.design.policy.ttl_us)
    assert walk(one, "ann") == ["reserved", "paid", "reserved", "fulfilled"]
    assert one.row("ann").token not in ("", old)


def test_a_reservation_that_lapses_and_is_lost_to_another_is_refunded() -> None:
    one = shop()
    one.submit(order("ann"))
    one.step("ann", 3)
    one.wait(one.design.policy.ttl_us)
    one.submit(order("bob"))
    walk(one, "bob")
    one.work()
    assert ended(one, "bob") == ("fulfilled", 100, ("fulfilled",))
    assert ended(one, "ann") == ("refunded", 0, ("refunded",))


def test_reserving_first_a_lapse_after_payment_is_made_again_or_refunded() -> None:
    one = shop("reserve_first", ttl_us=MINUTE)
    for name in ("ann", "bob"):
        one.submit(order(name))
        one.step(name, 2)
        assert one.row(name).state is State.PAID
        one.wait(one.design.policy.ttl_us)
    one.work()
    assert ended(one, "ann") == ("fulfilled", 100, ("fulfilled",))
    assert ended(one, "bob") == ("refunded", 0, ("refunded",))


def test_reserving_first_and_extending_outlives_a_slow_payment() -> None:
    one = shop("reserve_first", extends=True)
    one.submit(order("ann"))
    one.step("ann")
    one.wait(one.design.policy.ttl_us - 1)
    one.step("ann")
    one.wait(one.design.policy.ttl_us - 1)
    assert walk(one, "ann") == ["paid", "fulfilled"]


# -- cancelled, or undecided for too long


@BOTH
def test_cancelled_before_the_charge_costs_nothing(policy: Money) -> None:
    one = shop(policy)
    one.submit(order("ann"))
    one.cancel("ann")
    one.work()
    assert ended(one, "ann") == ("cancelled", 0, ("cancelled",))
    assert (one.captured("ann"), one.stock.atp("mug")) == (0, 1)


@pytest.mark.parametrize(("policy", "steps"), [("pay_first", 2), ("pay_first", 3), ("reserve_first", 2)])
def test_cancelled_after_the_charge_is_refunded_and_released(policy: Money, steps: int) -> None:
    one = shop(policy)
    one.submit(order("ann"))
    one.step("ann", steps)
    one.cancel("ann")
    one.work()
    assert ended(one, "ann") == ("refunded", 0, ("refunded",))
    assert one.stock.atp("mug") == 1
    one.close()
    assert one.rests()


@BOTH
def test_a_charge_under_way_is_not_cancelled_but_refunded(policy: Money) -> None:
    one = shop(policy)
    one.submit(order("ann"))
    one.step("ann")
    one.cancel("ann")
    assert walk(one, "ann") == ["charging", "paid", "refund_pending", "refunded"]


@BOTH
def test_what_is_fulfilled_can_only_be_returned(policy: Money) -> None:
    one = shop(policy)
    one.submit(order("ann"))
    one.work()
    one.cancel("ann")
    one.work()
    assert ended(one, "ann") == ("fulfilled", 100, ("fulfilled",))


@BOTH
def test_an_order_nobody_began_in_time_is_cancelled(policy: Money) -> None:
    one = shop(policy)
    one.submit(order("ann"))
    one.wait(one.design.policy.decide_within_us)
    one.work()
    assert ended(one, "ann") == ("cancelled", 0, ("cancelled",))


def test_a_paid_order_without_goods_for_too_long_is_refunded() -> None:
    one = shop()
    one.submit(order("ann"))
    one.step("ann", 2)
    one.wait(one.design.policy.decide_within_us)
    one.work()
    assert ended(one, "ann") == ("refunded", 0, ("refunded",))


def test_just_in_time_is_in_time() -> None:
    one = shop()
    one.submit(order("ann"))
    one.wait(one.design.policy.decide_within_us - 1)
    one.step("ann", 3)
    assert one.row("ann").state is State.RESERVED


# -- the provider errs


@BOTH
def test_a_stored_error_that_took_nothing_is_charged_anew_under_a_new_key(policy: Money) -> None:
    one = shop(policy)
    one.submit(order("ann", "stored_error"))
    one.work()
    assert ended(one, "ann") == ("fulfilled", 100, ("fulfilled",))
    assert (one.captured("ann"), one.row("ann").generation) == (1, 2)


@BOTH
def test_a_stored_error_that_took_the_money_is_found_and_never_charged_again(policy: Money) -> None:
    one = shop(policy)
    one.submit(order("ann", "stored_error_paid"))
    one.work()
    assert ended(one, "ann") == ("fulfilled", 100, ("fulfilled",))
    assert (one.captured("ann"), one.row("ann").generation) == (1, 1)


@pytest.mark.parametrize("card", ["declined", "stored_error", "stored_error_paid", "good"])
def test_no_answer_is_taken_for_nothing_because_it_has_no_fields(card: str) -> None:
    """`Declined()` and `ErrorReplayed()` are empty tuples, and count as false. Whoever asked `answer or ...` would
    go on to charge."""
    one = shop()
    one.submit(order("ann", card))
    one.step("ann")
    for _ in range(3):
        one.ask(Charge("ann/charge/1", "ann", 100, card))
    assert one.captured("ann") == (card in ("good", "stored_error_paid"))
    one.work()
    assert one.captured("ann") == (card != "declined")


def test_beyond_the_horizon_a_charge_is_only_looked_up() -> None:
    one = shop()
    one.submit(order("ann"))
    one.step("ann")
    one.wait(one.design.policy.send_horizon_us)
    assert not one.step("ann"), "nothing found after silence proves nothing"
    assert (one.row("ann").state, one.captured("ann")) == (State.CHARGING, 0)


def test_beyond_the_horizon_what_was_charged_is_found() -> None:
    one = shop()
    one.submit(order("ann"))
    one.step("ann")
    one.ask(Charge("ann/charge/1", "ann", 100, "good"))
    one.wait(one.design.policy.send_horizon_us)
    one.step("ann")
    assert (one.row("ann").state, one.captured("ann")) == (State.PAID, 1)


@pytest.mark.parametrize(("early_us", "state"), [(1, State.CHARGING), (0, State.DECLINED)])
def test_once_no_ask_can_be_on_its_way_the_order_closes_as_not_charged(early_us: int, state: State) -> None:
    one = shop()
    one.submit(order("ann"))
    one.step("ann")
    one.wait(one.design.policy.key_retention_us - early_us)
    one.step("ann")
    assert one.row("ann").state is state


# -- refunds take their time


def test_a_refund_that_is_pending_is_waited_for_and_paid_once() -> None:
    one = shop(refund_delay_us=MINUTE)
    one.submit(order("ann"))
    one.step("ann", 3)
    one.cancel("ann")
    one.work()
    row = one.row("ann")
    assert (row.state, row.token, row.refund_id) == (State.REFUND_PENDING, "", "re_ch_1_ann/refund/1")
    assert one.stock.atp("mug") == 1, "the goods do not wait for the bank"
    one.recover()
    assert ended(one, "ann") == ("refunded", 0, ("refunded",))
    assert len(one.payment.refunds) == 1


def test_money_goes_back_before_the_units_do() -> None:
    one = shop()
    one.submit(order("ann"))
    one.step("ann", 3)
    one.cancel("ann")
    one.step("ann", 2)
    assert (one.net("ann"), one.stock.atp("mug")) == (0, 0)
    one.step("ann")
    assert one.stock.atp("mug") == 1


def test_a_refund_that_never_arrived_is_made_once_its_key_is_forgotten() -> None:
    one = shop()
    one.submit(order("ann"), order("bob"))
    one.step("ann", 3)
    one.step("bob", 3)
    assert one.row("bob").state is State.REFUND_PENDING
    one.wait(one.design.policy.key_retention_us + HOUR)  # the provider was away all day
    one.recover()
    one.recover()
    assert one.row("bob").state is State.REFUNDED


# -- money that comes late


def late_capture(card: str = "good") -> Shop:
    """An order closed as not charged, whose ask to charge arrives all the same."""
    one = shop(mug=3)
    one.submit(order("ann", card))
    one.step("ann")
    one.wait(one.design.policy.key_retention_us)
    one.work()
    assert ended(one, "ann") == ("declined", 0, ("declined",))
    one.close()
    one.ask(Charge("ann/charge/1", "ann", 100, card))
    assert one.net("ann") == 100
    return one


def test_a_capture_is_settled_only_when_it_is_old_enough() -> None:
    one = late_capture()
    one.tick("settle")
    assert one.row("ann").state is State.DECLINED


def test_a_late_capture_is_found_by_the_settlement_sweep_and_refunded() -> None:
    one = late_capture()
    one.wait(one.design.policy.settle_after_us)
    one.tick("settle")
    assert one.row("ann").state is State.REFUND_PENDING
    one.recover()
    assert ended(one, "ann") == ("refunded", 0, ("declined", "refunded"))
    one.close()
    assert one.books().posts == ("ann/final",)
    assert one.rests()


def test_a_shop_does_not_rest_while_money_that_came_late_is_still_to_go_back() -> None:
    one = late_capture()
    one.wait(one.design.policy.settle_after_us)
    assert one.rests()
    one.tick("settle")
    assert not one.rests()


def test_money_that_was_taken_twice_goes_back_once_though_settlement_looks_twice() -> None:
    one = shop(mug=3)
    one.submit(order("ann"))
    one.work()
    one.ask(Charge("ann/charge/another", "ann", 100, "good"))
    assert one.net("ann") == 200
    one.wait(one.design.policy.settle_after_us)
    one.tick("settle")
    one.orders.cursors.clear()  # the cursor was never written: the sweep starts over
    one.tick("settle")
    assert ended(one, "ann") == ("fulfilled", 100, ("fulfilled",))


def test_settlement_waits_for_an_order_that_has_not_ended() -> None:
    one = shop(mug=3)
    one.submit(order("ann"), order("bob"))
    one.step("ann", 2)
    one.step("bob", 2)
    one.wait(one.design.policy.settle_after_us)
    one.tick("settle")
    assert one.orders.cursors["settlement"] == 0
    one.work()
    one.tick("settle")
    assert one.orders.cursors["settlement"] == 2


# -- posting


def test_posts_go_page_by_page() -> None:
    one = shop(mug=9, batches=pages_of(2))
    names = [f"order-{number}" for number in range(5)]
    one.submit(*(order(name) for name in names))
    one.work()
    one.close()
    assert one.books().posts == tuple(f"{name}/final" for name in names)
    assert one.rests()


def test_a_refunded_order_is_posted_without_goods() -> None:
    one = shop()
    one.submit(order("ann"))
    one.step("ann", 3)
    one.cancel("ann")
    one.work()
    one.close()
    assert one.books().posts == ("ann/final",)
    assert one.record.on_hand["mug"] == 1


def test_what_the_record_rejects_is_set_aside_and_keeps_its_commitment() -> None:
    one = shop(below_zero="reject")
    one.submit(order("ann"))
    one.work()
    one.ask(Move("correction", "mug", -1))
    one.tick("post", "refresh")
    assert one.row("ann").sync is Sync.DEAD_LETTER
    assert one.stock.atp("mug") == -1, "a dead letter that lets go would sell the unit again"


def test_the_cold_path_brings_what_came_in() -> None:
    one = shop(batches=pages_of(1))
    one.ask(Move("receipt", "mug", 4))
    one.ask(Move("receipt", "bowl", 2))
    one.tick("refresh")
    assert (one.stock.atp("mug"), one.stock.atp("bowl")) == (5, 2)


def test_where_expiry_is_by_sweep_the_sweep_frees() -> None:
    one = shop(expires_on_look=False)
    one.ask(Reserve("ann", lines(mug=1), MINUTE))
    one.wait(MINUTE)
    one.tick("lapse")
    assert one.stock.atp("mug") == 1


# -- the Stock Cache has lost everything


@BOTH
def test_while_the_cache_rebuilds_orders_wait_and_none_is_refused(policy: Money) -> None:
    one = shop(policy, mug=3)
    one.stock.lose_everything()
    one.submit(order("ann"))
    one.work()
    assert one.row("ann").state in (State.REGISTERED, State.PAID)
    one.tick("rebuild")
    one.recover()
    assert ended(one, "ann") == ("fulfilled", 100, ("fulfilled",))


def test_a_refresh_while_the_cache_rebuilds_does_nothing() -> None:
    one = shop()
    one.stock.lose_everything()
    one.tick("refresh")
    assert (one.stock.is_open, one.stock.cursor) == (False, 0)


@BOTH
@pytest.mark.parametrize("batch", [1, 200])
@pytest.mark.parametrize("steps", range(6))
def test_after_a_rebuild_nothing_is_promised_twice_wherever_the_orders_stood(
    policy: Money, batch: int, steps: int
) -> None:
    one = shop(policy, mug=2, batches=pages_of(batch))
    one.submit(*(order(name) for name in ("ann", "bob", "cat")))
    one.step("ann", 4)
    one.step("bob", steps)
    one.stock.lose_everything()
    one.tick("rebuild")
    for _ in range(3):
        one.recover()
    one.close()
    fulfilled = [name for name, state in one.books().states.items() if state == "fulfilled"]
    assert len(fulfilled) == 2
    assert (one.record.on_hand["mug"], one.stock.atp("mug")) == (0, 0)
    assert all(one.net(name) == 100 * (name in fulfilled) for name in ("ann", "bob", "cat"))
    assert one.rests()


def test_an_order_that_is_posted_during_the_rebuild_is_counted_once() -> None:
    """Adopted as unsynced, then posted, then found in the snapshot."""
    one = shop(mug=3)
    one.submit(order("ann"))
    one.work()
    one.stock.lose_everything()
    during: Any = one.design.start("rebuild", ())
    answer: Any = None
    while (effect := during.send(answer)).ask.verb != "read_changes":
        answer = one.ask(effect.ask)
    one.tick("post")  # it hears NotReady, and will settle later
    answer = one.ask(effect.ask)
    with pytest.raises(StopIteration):
        while True:
            answer = one.ask(during.send(answer).ask)
    assert (one.stock.is_open, one.stock.atp("mug")) == (True, 2)
    one.close()
    assert (one.record.on_hand["mug"], one.stock.atp("mug")) == (2, 2)
    assert one.rests()


def test_what_the_record_has_refused_is_promised_after_a_rebuild_as_before() -> None:
    """Nobody posts it any more, so no list of what is to be done may be where a rebuild looks."""
    one = shop(below_zero="reject")
    one.submit(order("ann"))
    one.work()
    one.ask(Move("correction", "mug", -1))
    one.tick("post", "refresh")
    one.ask(Move("receipt", "mug", 1))
    one.stock.lose_everything()
    one.tick("rebuild")
    assert (one.stock.is_open, one.stock.atp("mug")) == (True, 0), "it is promised to ann, and sold to nobody else"
    assert one.rests()


def test_a_zombie_that_holds_a_token_of_before_the_loss_fulfils_nothing_on_it() -> None:
    """It has heard `Reserved` and writes so after the rebuild: the token is worth nothing, and it reserves again."""
    one = shop(mug=1)
    one.submit(order("ann"), order("bob"))
    one.step("ann", 2)
    zombie: Any = one.design.start("advance", ("ann",))
    answer: Any = None
    while (effect := zombie.send(answer)) is not None:
        if getattr(effect, "ask", None) is not None and effect.ask.verb == "write_order":
            break
        answer = one.ask(effect.ask) if hasattr(effect, "ask") else True
    one.stock.lose_everything()
    one.tick("rebuild")
    walk(one, "bob")
    one.ask(effect.ask)
    assert one.row("ann").state is State.RESERVED
    one.work()
    assert ended(one, "bob") == ("fulfilled", 100, ("fulfilled",))
    assert ended(one, "ann") == ("refunded", 0, ("refunded",))


# -- copies that come late


def test_a_late_copy_of_a_reserve_holds_until_its_time_and_then_lets_go() -> None:
    one = shop(mug=3)
    one.submit(order("ann"))
    one.work()
    one.close()
    one.ask(Reserve("ann", lines(mug=1), one.design.policy.ttl_us))
    assert one.stock.atp("mug") == 1
    one.wait(one.design.policy.ttl_us)
    one.close()
    assert one.stock.atp("mug") == 2


def test_a_late_copy_of_a_release_frees_nobody_elses_units() -> None:
    one = shop()
    one.submit(order("ann"))
    one.step("ann", 3)
    token = one.row("ann").token
    one.cancel("ann")
    one.work()
    one.submit(order("bob"))
    one.work()
    one.ask(Release(token, "ann"))
    assert one.stock.atp("mug") == 0
    assert one.ask(AskRefund("ann/refund/1", "ann")).standing == "succeeded"
