"""Customers: each case in two tellings, one that meets its point and one that nearly does."""

from __future__ import annotations

from tests.study.moments.tale import Tale, case


@case
def a_double_click_met_the_order_it_had_made(t: Tale, is_met: bool) -> None:
    t.ask("register", by="front-eu").says("already_registered" if is_met else "registered")


@case
def a_submission_was_sent_again_after_silence(t: Tale, is_met: bool) -> None:
    first = t.customer("submit")
    if is_met:
        first.silent()
    t.customer("submit", times=2)  # a double click is not a second try


@case
def an_order_was_accepted_although_its_customer_heard_nothing(t: Tale, is_met: bool) -> None:
    t.customer("submit").silent()
    t.stands("registered")
    if not is_met:
        t.answered("submit", "registered")  # late, but heard


@case
def a_customer_was_turned_away_at_a_full_door_and_came_again(t: Tale, is_met: bool) -> None:
    t.customer("submit").refused("rejected")
    t.customer("submit", order="ann" if is_met else "bob", times=2)


@case
def a_cancel_came_before_its_order(t: Tale, is_met: bool) -> None:
    t.customer("cancel")
    if not is_met:
        t.stands("fulfilled")
    t.answered("cancel", "too_late")


@case
def a_cancel_raced_the_fulfilment_and_lost(t: Tale, is_met: bool) -> None:
    if not is_met:
        t.stands("fulfilled")  # long before anybody pressed anything
    t.customer("cancel")
    if is_met:
        t.stands("fulfilled")
    t.answered("cancel", "too_late")


@case
def a_cancel_was_honoured_before_any_money(t: Tale, is_met: bool) -> None:
    t.customer("cancel")
    t.answered("cancel", "flagged" if is_met else "too_late")
    t.read()
    t.write("cancelled", "registered")


@case
def a_cancel_was_honoured_after_the_money_was_taken(t: Tale, is_met: bool) -> None:
    t.customer("cancel")
    t.answered("cancel", "flagged")
    t.read()
    if not is_met:
        t.ask("reserve").says("sold_out")
    t.write("refund_pending", "paid")


@case
def a_cancel_was_honoured_while_the_money_was_on_hold(t: Tale, is_met: bool) -> None:
    t.customer("cancel")
    t.answered("cancel", "flagged")
    t.read()
    if not is_met:
        t.ask("reserve").says("sold_out")
    t.write("void_pending", "authorised")


@case
def a_cancel_was_flagged_while_the_provider_was_being_asked(t: Tale, is_met: bool) -> None:
    t.stands("charging" if is_met else "paid")
    t.answered("cancel", "flagged")


@case
def a_cancel_was_flagged_too_late_to_stop_the_capture(t: Tale, is_met: bool) -> None:
    t.stands("capturing")
    t.answered("cancel", "flagged")
    t.stands("fulfilled" if is_met else "void_pending")


@case
def a_cancel_lost_the_compare_and_set_and_came_again(t: Tale, is_met: bool) -> None:
    t.lose(by="front-eu" if is_met else "worker-1")


@case
def a_worker_lost_the_compare_and_set_against_a_cancel(t: Tale, is_met: bool) -> None:
    t.read()
    t.ask("write_order", by="front-eu" if is_met else "worker-2").says("written")
    t.lose()


@case
def an_order_was_undecided_for_too_long_and_given_up(t: Tale, is_met: bool) -> None:
    if not is_met:
        t.customer("cancel")
    t.read()
    t.write("refund_pending", "paid")


@case
def a_customer_was_told_again_and_nothing_new(t: Tale, is_met: bool) -> None:
    t.ask("notify").does("notice", to_state="refunded", is_new=not is_met)


@case
def a_notice_went_out_and_the_answer_was_lost(t: Tale, is_met: bool) -> None:
    notify = t.ask("notify")
    if is_met:
        notify.does("notice")
    notify.silent()
