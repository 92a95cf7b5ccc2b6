"""Posts and services: each case in two tellings, one that meets its point and one that nearly does."""

from __future__ import annotations

from tests.study.moments.tale import Ask, Tale, case

KEY = "ann/final"


def post(t: Tale, turn: str = "outbound-1", answer: str = "posted", **columns: object) -> Ask:
    """The record answers a post of the order; nobody has heard of it yet."""
    ask = t.ask("post", order="", by="outbound", turn=turn)
    return ask.does("post", order="ann", key=KEY, answer=answer, is_new=answer == "posted", **columns)


@case
def a_post_was_answered_duplicate_with_its_original_versions(t: Tale, is_met: bool) -> None:
    post(t)
    post(t, answer="duplicate" if is_met else "rejected")


@case
def a_duplicate_post_came_after_its_product_had_moved_on(t: Tale, is_met: bool) -> None:
    accounts = {"debit": "record.shipped", "credit": "record.on_hand"}
    post(t).does("ship", order="ann", sku="mug", units=1, version=1, **accounts)
    t.row("receipt", sku="mug" if is_met else "hat", units=5, version=2, debit="record.on_hand", credit="supplier")
    post(t, "outbound-2", "duplicate")


@case
def a_batch_of_posts_was_half_known_already(t: Tale, is_met: bool) -> None:
    batch = post(t, answer="duplicate")
    if not is_met:
        batch = t.ask("post", order="", by="outbound")
    batch.does("post", order="bob", key="bob/final", answer="posted")


@case
def two_jobs_posted_the_same_order_at_once(t: Tale, is_met: bool) -> None:
    first = post(t)
    if not is_met:
        first.says("many")
    post(t, "outbound-2", "duplicate")


@case
def a_post_was_booked_and_the_answer_was_lost(t: Tale, is_met: bool) -> None:
    post(t, answer="posted" if is_met else "duplicate").silent()


@case
def a_post_was_booked_after_its_job_had_given_up(t: Tale, is_met: bool) -> None:
    ask = t.ask("post", order="", by="outbound")
    if is_met:
        ask.silent()
    ask.does("post", order="ann", key=KEY, answer="posted")


@case
def a_job_died_after_the_record_had_booked(t: Tale, is_met: bool) -> None:
    post(t).says("many")
    if not is_met:
        t.ask("settle", order="", by="outbound", turn="outbound-1")
    t.quiet()


def freeze(t: Tale, turn: str = "outbound-1", to: str = "posting") -> None:
    ask = t.ask("write_orders", order="", by="outbound", turn=turn)
    ask.does("sync", order="ann", from_state="unposted", to_state=to).says("many")


@case
def a_job_died_between_freezing_and_posting(t: Tale, is_met: bool) -> None:
    freeze(t, to="posting" if is_met else "posted")  # after the last write there is nothing left to do
    t.quiet()


@case
def an_order_frozen_by_one_job_was_posted_by_another(t: Tale, is_met: bool) -> None:
    freeze(t)
    post(t, "outbound-2" if is_met else "outbound-1")


@case
def two_posting_jobs_were_under_way_at_once(t: Tale, is_met: bool) -> None:
    t.ask("list_unposted", order="", by="outbound", turn="outbound-1")
    if not is_met:
        freeze(t)
    t.ask("list_unposted", order="", by="outbound", turn="outbound-2")
    if is_met:
        freeze(t)


@case
def a_refunded_order_was_posted(t: Tale, is_met: bool) -> None:
    post(t, to_state="refunded" if is_met else "fulfilled")


@case
def a_post_was_refused_for_good(t: Tale, is_met: bool) -> None:
    post(t, answer="rejected" if is_met else "posted")


@case
def a_refused_post_was_sent_again_and_refused_again(t: Tale, is_met: bool) -> None:
    post(t, answer="rejected")
    if is_met:
        post(t, "outbound-2", "rejected")


def record(t: Tale, edge: str) -> None:
    t.row("down", kind="fault", actor="record", key="down-1", answer=edge)


@case
def a_post_met_a_record_that_was_down(t: Tale, is_met: bool) -> None:
    record(t, "injected")
    if not is_met:
        record(t, "recovered")
    t.ask("post", order="", by="outbound").silent()


@case
def an_order_was_fulfilled_while_the_record_was_down(t: Tale, is_met: bool) -> None:
    record(t, "injected")
    record(t, "witnessed" if is_met else "recovered")
    t.stands("fulfilled")


@case
def an_outage_of_the_record_was_caught_up_with(t: Tale, is_met: bool) -> None:
    if not is_met:
        t.stands("fulfilled")
    record(t, "injected")
    if is_met:
        t.stands("fulfilled")
    record(t, "recovered")
    post(t)


@case
def an_ack_of_a_post_met_a_stock_that_was_lost(t: Tale, is_met: bool) -> None:
    t.ask("settle", order="", by="outbound").says("not_ready" if is_met else "settled")


# -- services


@case
def a_call_was_throttled(t: Tale, is_met: bool) -> None:
    t.ask("charge").refused("throttled" if is_met else "queue_full")


@case
def a_service_had_no_room_in_its_line(t: Tale, is_met: bool) -> None:
    t.ask("charge").refused("queue_full" if is_met else "reneged")


@case
def somebody_in_line_was_turned_away(t: Tale, is_met: bool) -> None:
    t.ask("charge").refused("reneged" if is_met else "queue_full")


@case
def a_refused_ask_was_sent_again_and_answered(t: Tale, is_met: bool) -> None:
    t.ask("charge").refused("throttled")
    again = t.ask("charge", attempt=1)
    if is_met:
        again.says("captured")


@case
def the_last_attempt_was_answered(t: Tale, is_met: bool) -> None:
    t.limits(max_attempts={"charge": 4})
    t.ask("charge", attempt=3 if is_met else 2).says("captured")


@case
def a_job_was_started_twice_at_once(t: Tale, is_met: bool) -> None:
    t.ask("ask_status", order="", by="inbound", turn="inbound-1")
    t.now -= 1_000_000 if is_met else 0
    t.ask("ask_status", order="", by="inbound", turn="inbound-2")


@case
def a_job_began_before_its_last_run_had_ended(t: Tale, is_met: bool) -> None:
    first = t.ask("list_idle", order="", by="recovery", turn="recovery-1")
    t.ask("list_idle", order="", by="recovery" if is_met else "outbound", turn="recovery-2")
    first.says("page")


@case
def an_order_ended_only_when_all_was_quiet(t: Tale, is_met: bool) -> None:
    t.quiet()
    t.stands("refunded" if is_met else "refund_pending")
