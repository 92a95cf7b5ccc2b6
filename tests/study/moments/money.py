"""Money: each case in two tellings, one that meets its point and one that nearly does."""

from __future__ import annotations

from tests.study.moments.tale import S, Tale, case

KEY = "ann/charge/1"
BACK = "ann/refund/1"


@case
def a_charge_was_sent_again_and_paid_once(t: Tale, is_met: bool) -> None:
    t.ask("charge", key=KEY).does("capture", is_new=not is_met)


def charged_twice(t: Tale, is_met: bool, verb: str, answer: str, operation: str) -> None:
    """One worker's ask is done; another asks again under the same key, and nothing new comes of it."""
    t.ask(verb, key=KEY).does(operation).says(answer)
    if not is_met:
        t.ask("write_order").says("written")  # it lived on
    t.ask(verb, by="worker-2", key=KEY).does(operation, is_new=False).says(answer)


@case
def a_charge_was_retried_across_a_crash(t: Tale, is_met: bool) -> None:
    charged_twice(t, is_met, "charge", "captured", "capture")


@case
def money_was_taken_and_the_answer_was_lost(t: Tale, is_met: bool) -> None:
    t.ask("charge", key=KEY).does("capture" if is_met else "decline").silent()


@case
def an_ask_for_money_was_lost_on_its_way(t: Tale, is_met: bool) -> None:
    charge = t.ask("charge", key=KEY).silent()
    if not is_met:
        charge.does("capture")


@case
def money_was_taken_after_its_asker_had_given_up(t: Tale, is_met: bool) -> None:
    charge = t.ask("charge", key=KEY).silent()
    charge.does("capture", is_new=is_met)


@case
def a_late_copy_of_a_charge_was_answered_from_memory(t: Tale, is_met: bool) -> None:
    charge = t.ask("charge", key=KEY).does("capture")
    if is_met:
        charge.says("captured")
    charge.does("capture", is_new=False)


@case
def a_decline_was_asked_for_again_and_stood(t: Tale, is_met: bool) -> None:
    charge = t.ask("charge", key=KEY)
    if not is_met:
        charge.does("decline")
    charge.says("declined")


@case
def the_provider_erred_before_it_had_done_anything(t: Tale, is_met: bool) -> None:
    charge = t.ask("charge", key=KEY)
    if not is_met:
        charge.does("capture")
    charge.silent("server_error")


@case
def the_provider_erred_after_it_had_taken_the_money(t: Tale, is_met: bool) -> None:
    charge = t.ask("charge", key=KEY)
    if is_met:
        charge.does("capture")
    charge.silent("server_error")


@case
def a_customer_paid_only_in_part(t: Tale, is_met: bool) -> None:
    t.ask("charge", key=KEY).says("captured_in_part" if is_met else "captured")


@case
def a_key_was_answered_by_its_stored_error(t: Tale, is_met: bool) -> None:
    t.ask("charge", key=KEY).says("error_replayed" if is_met else "declined")


@case
def a_look_up_found_the_money_behind_a_stored_error(t: Tale, is_met: bool) -> None:
    t.ask("charge", key=KEY).says("error_replayed")
    t.ask("look_up", key=KEY).says("captured" if is_met else "nothing_found")


@case
def a_charge_was_begun_anew_after_an_error_that_took_nothing(t: Tale, is_met: bool) -> None:
    if is_met:
        t.ask("charge", key=KEY).says("error_replayed")
    else:
        t.read()
    t.ask("look_up", key=KEY).says("nothing_found")


@case
def a_charge_was_only_looked_up_after_its_horizon(t: Tale, is_met: bool) -> None:
    if is_met:
        t.read()
    else:
        t.ask("charge", key=KEY).says("error_replayed")
    t.ask("look_up", key=KEY)


@case
def a_late_look_up_found_the_money(t: Tale, is_met: bool) -> None:
    t.read()
    t.ask("look_up", key=KEY).says("captured" if is_met else "declined")


@case
def a_look_up_found_nothing_and_the_order_waited_on(t: Tale, is_met: bool) -> None:
    t.read()
    t.ask("look_up", key=KEY).says("nothing_found")
    if not is_met:
        t.write("declined", "charging")


@case
def a_look_up_found_nothing_and_the_order_was_closed(t: Tale, is_met: bool) -> None:
    t.read()
    t.ask("look_up", key=KEY).says("nothing_found" if is_met else "declined")
    t.write("declined", "charging")


@case
def a_pruned_key_was_met_by_a_look_up(t: Tale, is_met: bool) -> None:
    t.limits(key_retention_us=20 * S)
    t.ask("charge", key=KEY).silent()
    t.now += 30 * S if is_met else S
    t.ask("look_up", key=KEY)


@case
def settlement_found_money_of_an_order_that_had_ended_without_it(t: Tale, is_met: bool) -> None:
    t.write("refund_pending", "declined" if is_met else "paid", by="settlement")


@case
def payment_succeeded_after_the_reservation_expired(t: Tale, is_met: bool) -> None:
    t.hold(deadline=10 * S)
    t.now += 20 * S if is_met else S
    t.ask("charge", key=KEY).does("capture")


@case
def a_capture_was_asked_for_again_and_taken_once(t: Tale, is_met: bool) -> None:
    t.ask("capture_hold", key="pi_1").does("capture")
    again = t.ask("capture_hold", key="pi_1")
    if not is_met:
        again.does("capture")
    again.says("captured")


@case
def a_void_was_asked_for_again(t: Tale, is_met: bool) -> None:
    void = t.ask("void_hold", key="pi_1")
    if not is_met:
        void.does("void")
    void.says("voided")


@case
def a_void_was_done_and_the_answer_was_lost(t: Tale, is_met: bool) -> None:
    void = t.ask("void_hold", key="pi_1")
    if is_met:
        void.does("void")
    void.silent()


def call(t: Tale, order: str = "ann") -> None:
    t.row("webhook", kind="mark", order=order)


@case
def the_provider_called_before_the_payment_was_written_down(t: Tale, is_met: bool) -> None:
    t.stands("charging")
    t.ask("charge", key=KEY).does("capture")
    if not is_met:
        t.stands("paid")
    call(t)


@case
def the_provider_called_after_the_order_had_ended(t: Tale, is_met: bool) -> None:
    t.stands("fulfilled" if is_met else "reserved")
    call(t)


@case
def the_provider_called_twice_about_one_thing(t: Tale, is_met: bool) -> None:
    t.row("capture", order="ann")
    call(t)
    if not is_met:
        t.row("refund", order="ann")
    call(t)


@case
def the_provider_never_called_about_an_order(t: Tale, is_met: bool) -> None:
    t.row("capture", order="ann")
    call(t, "bob" if is_met else "ann")


# -- refunds


@case
def money_went_back_because_the_goods_were_gone(t: Tale, is_met: bool) -> None:
    t.ask("reserve").says("sold_out" if is_met else "reserved")
    t.write("refund_pending", "paid")


@case
def a_refund_was_pending_and_asked_after_again(t: Tale, is_met: bool) -> None:
    t.ask("ask_refund", key=BACK).says("refund_made" if is_met else "nothing_found")
    t.ask("ask_refund", key=BACK)


@case
def a_refund_was_sent_again_and_paid_once(t: Tale, is_met: bool) -> None:
    t.ask("refund", key=BACK).does("refund", is_new=not is_met)


@case
def a_refund_was_made_and_the_answer_was_lost(t: Tale, is_met: bool) -> None:
    refund = t.ask("refund", key=BACK)
    if is_met:
        refund.does("refund")
    refund.silent()


@case
def a_refund_was_made_after_its_asker_had_given_up(t: Tale, is_met: bool) -> None:
    refund = t.ask("refund", key=BACK).silent()
    refund.does("refund", is_new=is_met)


@case
def a_refund_was_retried_across_a_crash(t: Tale, is_met: bool) -> None:
    charged_twice(t, is_met, "refund", "refund_made", "refund")


@case
def a_refund_was_asked_after_and_not_known(t: Tale, is_met: bool) -> None:
    t.ask("ask_refund", key=BACK).says("nothing_found" if is_met else "refund_made")


@case
def a_refund_failed_while_the_order_waited_for_it(t: Tale, is_met: bool) -> None:
    t.stands("refund_pending" if is_met else "refunded")
    t.row("refund_failed", order="ann", key=BACK)


@case
def a_refund_failed_after_the_order_was_refunded(t: Tale, is_met: bool) -> None:
    t.stands("refunded" if is_met else "refund_pending")
    t.row("refund_failed", order="ann", key=BACK)


@case
def a_refund_failed_after_the_order_was_posted(t: Tale, is_met: bool) -> None:
    t.row("post", order="ann" if is_met else "bob", answer="posted")
    t.row("refund_failed", order="ann", key=BACK)


@case
def a_refunded_order_was_reopened(t: Tale, is_met: bool) -> None:
    t.write("refund_pending", "refunded" if is_met else "declined", by="settlement")


@case
def a_failed_refund_was_paid_under_a_new_key(t: Tale, is_met: bool) -> None:
    t.row("refund_failed", order="ann", key=BACK)
    t.row("refund", order="ann", key="ann/refund/2" if is_met else BACK)


@case
def a_failed_refund_was_answered_as_if_it_had_been_paid(t: Tale, is_met: bool) -> None:
    t.row("refund_failed", order="ann", key=BACK)
    t.ask("refund", key=BACK if is_met else "ann/refund/2").does("refund", is_new=False)


@case
def a_posted_order_was_refunded_once_more(t: Tale, is_met: bool) -> None:
    if is_met:
        t.row("post", order="ann", answer="posted")
    t.stands("refunded")
