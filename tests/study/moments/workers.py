"""Workers: each case in two tellings, one that meets its point and one that nearly does."""

from __future__ import annotations

from tests.study.moments.tale import Tale, case

FIRST, SECOND = "worker-1", "worker-2"


@case
def two_workers_had_the_same_order_at_once(t: Tale, is_met: bool) -> None:
    t.read(FIRST)
    if not is_met:
        t.write("paid")
    t.read(SECOND)
    if is_met:
        t.write("paid")


@case
def two_workers_wrote_the_same_order(t: Tale, is_met: bool) -> None:
    t.read(FIRST)
    t.write("paid", by=SECOND, order="ann" if is_met else "bob")
    t.lose(FIRST)


@case
def a_writer_lost_against_its_own_earlier_write(t: Tale, is_met: bool) -> None:
    t.read()
    if is_met:
        t.ask("write_order").silent()
    t.lose(attempt=1)


def lost_after(t: Tale, verb: str, answer: str) -> None:
    t.read()
    t.ask(verb).says(answer)
    t.lose()


@case
def a_loser_of_the_compare_and_set_had_just_reserved(t: Tale, is_met: bool) -> None:
    lost_after(t, "reserve", "reserved" if is_met else "sold_out")


@case
def a_loser_of_the_compare_and_set_had_just_found_nothing_left(t: Tale, is_met: bool) -> None:
    lost_after(t, "reserve", "sold_out" if is_met else "reserved")


@case
def a_loser_of_the_compare_and_set_had_just_consumed(t: Tale, is_met: bool) -> None:
    lost_after(t, "consume", "pinned" if is_met else "lapsed")


@case
def a_loser_of_the_compare_and_set_had_just_been_paid(t: Tale, is_met: bool) -> None:
    lost_after(t, "charge", "captured" if is_met else "declined")


@case
def a_loser_of_the_compare_and_set_had_just_given_money_back(t: Tale, is_met: bool) -> None:
    t.ask("refund").says("refund_made")
    if not is_met:
        t.ask("write_order").says("written")
        t.read()
    t.lose()


@case
def a_loser_of_the_compare_and_set_had_just_released(t: Tale, is_met: bool) -> None:
    lost_after(t, "release", "released" if is_met else "not_ready")


@case
def settlement_lost_the_compare_and_set(t: Tale, is_met: bool) -> None:
    t.lose(by="settlement" if is_met else "worker-1")


@case
def an_order_came_back_in_line_when_its_lease_ran_out(t: Tale, is_met: bool) -> None:
    t.read(FIRST)
    if not is_met:
        t.ask("ack", by=FIRST).says("acked")
    t.read(SECOND)


@case
def a_worker_handed_back_an_order_that_another_had_by_then(t: Tale, is_met: bool) -> None:
    t.read(FIRST)
    t.read(SECOND, order="ann" if is_met else "bob")
    t.ask("ack", by=FIRST)


@case
def a_dead_letter_came_back_to_life(t: Tale, is_met: bool) -> None:
    t.row("dead_letter", order="ann", units=8)
    t.stands("paid", order="ann" if is_met else "bob")


@case
def recovery_put_orders_back_in_line(t: Tale, is_met: bool) -> None:
    t.ask("enqueue", order="", by="recovery" if is_met else "front-eu")


@case
def an_order_was_found_that_had_never_been_put_in_line(t: Tale, is_met: bool) -> None:
    t.stands("registered")
    if not is_met:
        t.ask("enqueue", by="front-eu").says("enqueued")
    t.ask("enqueue", order="", by="recovery").says("enqueued")
    t.read()


@case
def a_full_line_took_nobody_in(t: Tale, is_met: bool) -> None:
    t.ask("enqueue", by="front-eu").refused("line_full" if is_met else "queue_full")


@case
def somebody_gave_up_after_the_last_attempt(t: Tale, is_met: bool) -> None:
    t.ask("reserve", attempt=3).silent()
    if not is_met:
        t.ask("reserve", attempt=4)
    t.quiet()


@case
def a_turn_ended_at_its_deadline(t: Tale, is_met: bool) -> None:
    t.read()
    if is_met:
        t.killed()


@case
def a_worker_was_killed_in_its_sleep(t: Tale, is_met: bool) -> None:
    slept = t.sleep()
    if not is_met:
        t.wake(slept)
    t.killed()


@case
def a_worker_started_cold(t: Tale, is_met: bool) -> None:
    t.row("cold_start" if is_met else "admitted", kind="mark", actor="worker-1")


@case
def a_worker_woke_after_its_lease_was_taken_by_another(t: Tale, is_met: bool) -> None:
    t.read(FIRST)
    slept = t.sleep()
    t.read(SECOND, order="ann" if is_met else "bob")
    t.wake(slept)


@case
def a_sleeper_woke_in_an_order_that_had_ended(t: Tale, is_met: bool) -> None:
    slept = t.sleep()
    t.stands("fulfilled" if is_met else "reserved")
    t.wake(slept)


@case
def a_sleeper_woke_with_a_row_that_others_had_changed(t: Tale, is_met: bool) -> None:
    before = "read_order" if is_met else "reserve"
    t.read()
    slept = t.sleep(before, when="after")
    t.stands("reserved")
    t.wake(slept, before, when="after")


@case
def a_sleepers_late_write_was_refused(t: Tale, is_met: bool) -> None:
    t.wake(t.sleep())
    if not is_met:
        t.read()
    t.lose()


@case
def a_sleeper_came_for_a_reservation_that_had_lapsed(t: Tale, is_met: bool) -> None:
    t.wake(t.sleep("consume"), "consume")
    t.ask("consume").says("lapsed" if is_met else "pinned")


@case
def a_sleeper_asked_for_money_when_it_woke(t: Tale, is_met: bool) -> None:
    t.wake(t.sleep("charge"), "charge")
    t.ask("charge" if is_met else "reserve")


def died_after(t: Tale, verb: str, answer: str, is_met: bool) -> None:
    t.read()
    t.ask(verb).says(answer)
    if not is_met:
        t.ask("write_order")
    t.quiet()


@case
def a_worker_died_after_it_was_paid(t: Tale, is_met: bool) -> None:
    died_after(t, "charge", "captured", is_met)


@case
def a_worker_died_after_it_had_reserved(t: Tale, is_met: bool) -> None:
    died_after(t, "reserve", "reserved", is_met)


@case
def a_worker_died_after_it_had_consumed(t: Tale, is_met: bool) -> None:
    died_after(t, "consume", "pinned", is_met)


@case
def a_worker_died_after_it_had_given_money_back(t: Tale, is_met: bool) -> None:
    died_after(t, "refund", "refund_made", is_met)


@case
def a_worker_died_after_it_had_released(t: Tale, is_met: bool) -> None:
    died_after(t, "release", "released", is_met)


@case
def a_worker_died_after_it_had_told_the_customer(t: Tale, is_met: bool) -> None:
    died_after(t, "notify", "notified", is_met)


@case
def a_worker_died_before_it_wrote_what_it_had_decided(t: Tale, is_met: bool) -> None:
    t.read()
    write = t.ask("write_order")
    if not is_met:
        write.says("written")
    t.quiet()
