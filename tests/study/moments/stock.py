"""Reservations and shelves: each case in two tellings, that of its point and one that is nearly it."""

from __future__ import annotations

from tests.study.moments.tale import S, Tale, case, read_and_taken

TOKEN = "ann/1"


@case
def a_reserve_was_asked_for_again_and_got_the_same_token(t: Tale, is_met: bool) -> None:
    reserve = t.ask("reserve")
    if not is_met:
        reserve.does("hold")
    reserve.says("reserved")


@case
def units_were_held_and_the_answer_was_lost(t: Tale, is_met: bool) -> None:
    reserve = t.ask("reserve")
    if is_met:
        reserve.does("hold")
    reserve.silent()


@case
def units_were_held_after_their_asker_was_gone(t: Tale, is_met: bool) -> None:
    reserve = t.ask("reserve")
    if is_met:
        reserve.silent()
    reserve.does("hold")


@case
def a_reservation_that_no_order_knew_of_lapsed(t: Tale, is_met: bool) -> None:
    t.hold()
    if not is_met:
        t.ask("consume", key=TOKEN)
    t.free()


@case
def a_reservation_lapsed_before_it_was_consumed(t: Tale, is_met: bool) -> None:
    t.ask("consume", key=TOKEN).says("lapsed" if is_met else "pinned")


@case
def a_reservation_ran_out_on_the_way_to_being_consumed(t: Tale, is_met: bool) -> None:
    t.hold(deadline=3 * S if is_met else S)
    t.ask("consume", key=TOKEN).says("lapsed")


@case
def an_old_token_was_refused_while_its_order_held_a_new_one(t: Tale, is_met: bool) -> None:
    t.hold()
    t.free()
    t.hold(key="ann/2")
    if not is_met:
        t.free(key="ann/2")
    t.ask("consume", key=TOKEN).says("lapsed")


@case
def a_pin_outlived_the_deadline_of_its_reservation(t: Tale, is_met: bool) -> None:
    t.row("pin", order="ann", key=TOKEN, deadline=10 * S)
    t.now += 20 * S if is_met else S
    t.row("drop", order="ann", key=TOKEN)


@case
def a_reservation_lapsed_and_was_granted_anew(t: Tale, is_met: bool) -> None:
    t.hold()
    t.free(why="lapsed" if is_met else "released")
    t.hold(key="ann/2")


@case
def a_reservation_lapsed_and_nothing_was_left(t: Tale, is_met: bool) -> None:
    t.hold()
    t.free()
    t.ask("reserve").says("sold_out" if is_met else "reserved")


@case
def a_reservation_was_consumed_in_its_last_second(t: Tale, is_met: bool) -> None:
    t.ask("consume", key=TOKEN).does("pin", deadline=t.now + S + (S // 2 if is_met else 2 * S))


@case
def a_reservation_was_made_by_a_clock_that_was_wrong(t: Tale, is_met: bool) -> None:
    t.limits(ttl_us=60 * S)
    t.hold(deadline=t.now + (90 * S if is_met else 61 * S))


@case
def a_consume_was_asked_for_again_and_stayed_pinned(t: Tale, is_met: bool) -> None:
    consume = t.ask("consume", key=TOKEN)
    if not is_met:
        consume.does("pin")
    consume.says("pinned")


@case
def units_were_pinned_and_the_answer_was_lost(t: Tale, is_met: bool) -> None:
    consume = t.ask("consume", key=TOKEN)
    if is_met:
        consume.does("pin")
    consume.silent()


@case
def units_were_pinned_after_their_asker_was_gone(t: Tale, is_met: bool) -> None:
    consume = t.ask("consume", key=TOKEN)
    if is_met:
        consume.silent()
    consume.does("pin")


@case
def a_pin_was_released(t: Tale, is_met: bool) -> None:
    t.free(why="released", credit="cache.pinned" if is_met else "cache.held")


@case
def a_release_was_asked_for_again_and_freed_nothing(t: Tale, is_met: bool) -> None:
    release = t.ask("release", key=TOKEN)
    if not is_met:
        release.does("free", answer="released")
    release.says("released")


@case
def units_were_released_and_the_answer_was_lost(t: Tale, is_met: bool) -> None:
    release = t.ask("release", key=TOKEN)
    if is_met:
        release.does("free", answer="released")
    release.silent()


@case
def a_declined_order_let_go_of_its_units(t: Tale, is_met: bool) -> None:
    t.stands("declined" if is_met else "refund_pending")
    t.free(why="released")


@case
def an_order_was_turned_away_before_any_money(t: Tale, is_met: bool) -> None:
    t.read()
    if is_met:
        t.ask("reserve").says("sold_out")
    t.write("cancelled", "registered")


@case
def a_reservation_was_extended_while_the_money_was_awaited(t: Tale, is_met: bool) -> None:
    extend = t.ask("extend", key=TOKEN)
    if is_met:
        extend.does("extend")


@case
def a_dead_reservation_was_not_extended(t: Tale, is_met: bool) -> None:
    t.ask("extend", key=TOKEN).says("lapsed" if is_met else "extended")


@case
def a_sweep_freed_what_had_run_out(t: Tale, is_met: bool) -> None:
    t.ask("lapse" if is_met else "reserve", order="", by="sweep").does("free", answer="lapsed")


@case
def a_dead_reservation_was_found_before_the_sweep_came(t: Tale, is_met: bool) -> None:
    t.ask("consume" if is_met else "lapse", key=TOKEN).does("free", answer="lapsed")


@case
def an_order_was_paid_and_reserved_more_than_twice(t: Tale, is_met: bool) -> None:
    t.write("paid", "reserved")
    t.write("paid", "reserved", order="ann" if is_met else "bob")


# -- shelves


@case
def the_last_unit_was_promised(t: Tale, is_met: bool) -> None:
    t.opening(units=1 if is_met else 2)
    t.hold()


@case
def two_orders_wanted_the_last_unit_at_once(t: Tale, is_met: bool) -> None:
    t.opening(units=1)
    t.row("ordered", order="bob", sku="mug", units=1)
    if not is_met:
        t.hold()
    reserve = t.ask("reserve", order="bob")
    if is_met:
        t.hold()
    reserve.says("sold_out")


@case
def an_order_of_several_lines_found_only_some_of_them(t: Tale, is_met: bool) -> None:
    t.opening("mug", units=1)
    t.opening("hat", units=1 if is_met else 3)
    for line, sku in enumerate(("mug", "hat")):
        t.row("ordered", order="ann", line=line, sku=sku, units=1 if sku == "mug" else 3)
    t.ask("reserve").says("sold_out")


@case
def a_unit_that_was_let_go_was_promised_to_another(t: Tale, is_met: bool) -> None:
    t.opening(units=1)
    t.hold("ann")
    t.free("ann")
    t.hold("bob" if is_met else "ann")


@case
def the_last_unit_was_sold_while_a_refresh_was_under_way(t: Tale, is_met: bool) -> None:
    t.opening(units=1)
    if not is_met:
        t.hold()
    refresh = read_and_taken(t)
    if is_met:
        t.hold()
    t.rebase(refresh)


@case
def a_refresh_put_a_product_back_on_sale(t: Tale, is_met: bool) -> None:
    t.opening(units=1)
    t.hold()
    refresh = read_and_taken(t)
    t.rebase(refresh, units=4 if is_met else 0)


@case
def the_record_shrank_below_what_was_promised(t: Tale, is_met: bool) -> None:
    t.opening(units=3)
    t.hold(units=2)
    refresh = read_and_taken(t)
    t.rebase(refresh, units=-2)
    if not is_met:  # what was taken was ours: in the same step the promise goes, too
        refresh.does("drop", sku="mug", units=2, debit="cache.available", credit="cache.pinned")


@case
def a_unit_was_promised_that_another_channel_had_taken(t: Tale, is_met: bool) -> None:
    t.row("foreign_sale", sku="mug", units=1, version=4)
    t.hold(version=3 if is_met else 4)


@case
def a_post_took_the_record_below_zero(t: Tale, is_met: bool) -> None:
    t.opening(units=1)
    t.row("ship", order="ann", sku="mug", units=2 if is_met else 1, debit="record.shipped", credit="record.on_hand")


@case
def goods_came_in_while_customers_were_turned_away(t: Tale, is_met: bool) -> None:
    t.opening(units=0)
    t.row("ordered", order="ann", sku="mug", units=1)
    t.row("receipt", sku="mug", units=5, version=1)
    if not is_met:
        t.rebase(units=0)
    t.ask("reserve").says("sold_out")
