"""Snapshots and losses: each case in two tellings, that of its point and one that is nearly it."""

from __future__ import annotations

from tests.study.moments.tale import Tale, case, read_and_taken

TOKEN = "ann/1"


@case
def an_older_snapshot_was_offered_and_refused(t: Tale, is_met: bool) -> None:
    t.rebase(answer="ignored" if is_met else "applied")


@case
def a_page_that_contradicted_its_own_log_was_refused(t: Tale, is_met: bool) -> None:
    t.rebase(answer="refused" if is_met else "ignored")


@case
def a_snapshot_was_taken_again_at_the_same_version(t: Tale, is_met: bool) -> None:
    t.rebase(version=5)
    t.rebase(version=5 if is_met else 6)


@case
def a_snapshot_was_taken_while_units_were_promised(t: Tale, is_met: bool) -> None:
    t.opening(units=3)
    t.hold()
    if not is_met:
        t.free()
    t.rebase(units=1)


@case
def units_were_promised_between_a_snapshots_reading_and_its_taking(t: Tale, is_met: bool) -> None:
    if not is_met:
        t.hold()
    refresh = read_and_taken(t)
    if is_met:
        t.hold()
    t.rebase(refresh)


def posted_and_acked(t: Tale, *, is_acked: bool = True) -> None:
    t.ask("post", order="", by="outbound").does("ship", order="ann", sku="mug", units=1, version=7).says("many")
    if is_acked:
        t.ask("settle", order="", by="outbound").says("settled")


@case
def a_snapshot_read_before_a_post_was_taken_after_its_ack(t: Tale, is_met: bool) -> None:
    posted_and_acked(t)
    t.rebase(version=6 if is_met else 7)


@case
def a_snapshot_moved_a_sale_to_the_record_before_its_ack(t: Tale, is_met: bool) -> None:
    posted_and_acked(t, is_acked=not is_met)
    t.ask("refresh", order="", by="inbound").does("drop", order="ann", sku="mug")


@case
def two_refreshes_were_under_way_at_once(t: Tale, is_met: bool) -> None:
    t.ask("read_changes", order="", by="inbound", turn="inbound-1").says("changed")
    if not is_met:
        t.ask("refresh", order="", by="inbound", turn="inbound-1").says("applied")
    t.ask("read_changes", order="", by="inbound", turn="inbound-2").says("changed")
    if is_met:
        t.ask("refresh", order="", by="inbound", turn="inbound-1").says("applied")


@case
def a_refresh_came_in_several_pages(t: Tale, is_met: bool) -> None:
    for turn in ("inbound-1", "inbound-1" if is_met else "inbound-2"):
        t.ask("read_changes", order="", by="inbound", turn=turn).says("changed")


@case
def a_copy_of_a_page_came_late(t: Tale, is_met: bool) -> None:
    refresh = t.ask("refresh", order="", by="inbound")
    t.rebase(refresh)
    if is_met:
        refresh.says("applied")
    t.rebase(refresh)


@case
def a_page_was_taken_and_the_answer_was_lost(t: Tale, is_met: bool) -> None:
    refresh = t.ask("refresh", order="", by="inbound")
    if is_met:
        t.rebase(refresh)
    refresh.silent()


# -- losses


@case
def the_stock_was_lost_and_opened_again(t: Tale, is_met: bool) -> None:
    t.lost()
    if is_met:
        t.row("epoch", answer="open")


@case
def reservations_were_lost_with_the_stock(t: Tale, is_met: bool) -> None:
    t.hold()
    if not is_met:
        t.free()
    t.lost()


@case
def a_worker_found_the_stock_closed(t: Tale, is_met: bool) -> None:
    t.ask("reserve").says("not_ready" if is_met else "sold_out")


@case
def a_finished_order_was_pinned_again(t: Tale, is_met: bool) -> None:
    t.row("adopt" if is_met else "pin", order="ann", key=TOKEN)


@case
def a_reserved_order_was_fenced(t: Tale, is_met: bool) -> None:
    verb = "write_orders" if is_met else "write_order"
    t.ask(verb, by="rebuild").does("order", from_state="reserved", to_state="paid")


@case
def a_token_of_a_lost_life_was_refused(t: Tale, is_met: bool) -> None:
    if not is_met:
        t.lost()
    t.hold()
    if is_met:
        t.lost()
    t.ask("consume", key=TOKEN).says("lapsed")


@case
def an_adopted_order_was_moved_to_the_record(t: Tale, is_met: bool) -> None:
    t.row("adopt", order="ann", key=TOKEN)
    t.row("drop", order="ann", key=TOKEN if is_met else "bob/1")


@case
def the_stock_was_lost_while_an_order_was_being_fulfilled(t: Tale, is_met: bool) -> None:
    consume = t.ask("consume", key=TOKEN)
    if is_met:
        t.lost()
    consume.says("pinned")
    if not is_met:
        t.lost()


@case
def the_stock_was_lost_while_a_post_was_under_way(t: Tale, is_met: bool) -> None:
    t.ask("post", order="", by="outbound").does("post", order="ann", answer="posted").says("many")
    if is_met:
        t.lost()
    t.ask("settle", order="", by="outbound").says("not_ready")
    if not is_met:
        t.lost()


@case
def a_page_for_a_lost_life_was_refused(t: Tale, is_met: bool) -> None:
    t.ask("refresh", order="", by="inbound").says("not_ready" if is_met else "applied")


@case
def two_rebuilds_were_under_way_at_once(t: Tale, is_met: bool) -> None:
    t.ask("list_unsynced", order="", by="rebuild", turn="rebuild-1").says("page")
    if not is_met:
        t.ask("open_again", order="", by="rebuild", turn="rebuild-1").says("status")
    t.ask("list_unsynced", order="", by="rebuild", turn="rebuild-2").says("page")
    if is_met:
        t.ask("open_again", order="", by="rebuild", turn="rebuild-1").says("status")
