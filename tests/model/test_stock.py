"""The Stock Cache, move by move."""

from __future__ import annotations

import pytest

from orderquake.model.flow import Instant
from orderquake.model.record import Changed, SkuChange
from orderquake.model.stock import (
    Adopt,
    Applied,
    AskStatus,
    Consume,
    Extend,
    Extended,
    Lapse,
    Lapsed,
    NotReady,
    OpenAgain,
    Pinned,
    Refresh,
    Release,
    Released,
    Reserve,
    Reserved,
    Settle,
    SoldOut,
    Status,
    StockCache,
    Unreconciled,
)
from tests.model.shop import lines

TTL = 100


@pytest.fixture
def stock() -> StockCache:
    return StockCache({"mug": 5, "bowl": 2})


def reserve(stock: StockCache, order_id: str, now_us: int = 0, **units: int) -> str:
    """The token of a reservation that must be granted."""
    answer = stock.handle(Reserve(order_id, lines(**units), TTL), now_us)
    assert isinstance(answer, Reserved), answer
    return answer.token


def pin(stock: StockCache, order_id: str, **units: int) -> str:
    token = reserve(stock, order_id, **units)
    assert stock.handle(Consume(token, order_id), 0) == Pinned()
    return token


def refresh(stock: StockCache, sku: str, on_hand: int, version: int, *posts: tuple[str, int]) -> None:
    """A snapshot of one product, read since the cache's own cursor."""
    page = Changed(
        (SkuChange(sku, on_hand, version, posts),), stock.cursor, stock.cursor + 1, False, Instant(0), stock.cursor + 1
    )
    assert stock.handle(Refresh(stock.epoch, page), 0) == Applied()


def settle(stock: StockCache, order_id: str, **versions: int) -> None:
    stock.handle(Settle(((order_id, tuple(versions.items())),)), 0)


# -- reserve


def test_a_reservation_takes_its_units_out_of_what_may_be_promised(stock: StockCache) -> None:
    reserve(stock, "ann", mug=2, bowl=1)
    assert (stock.atp("mug"), stock.atp("bowl")) == (3, 1)


def test_the_same_order_gets_the_same_token_while_it_lives(stock: StockCache) -> None:
    assert reserve(stock, "ann", mug=2) == reserve(stock, "ann", now_us=TTL - 1, mug=2)
    assert stock.atp("mug") == 3


def test_a_retry_does_not_prolong_the_reservation(stock: StockCache) -> None:
    token = reserve(stock, "ann", mug=2)
    reserve(stock, "ann", now_us=TTL - 1, mug=2)
    assert stock.handle(Consume(token, "ann"), TTL) == Lapsed()


def test_all_lines_or_none(stock: StockCache) -> None:
    assert stock.handle(Reserve("ann", lines(mug=1, bowl=3), TTL), 0) == SoldOut("bowl", 2)
    assert (stock.atp("mug"), stock.atp("bowl")) == (5, 2)
    assert not stock.by_token


def test_an_unknown_product_is_sold_out(stock: StockCache) -> None:
    assert stock.handle(Reserve("ann", lines(vase=1), TTL), 0) == SoldOut("vase", 0)


def test_the_last_unit_goes_to_one(stock: StockCache) -> None:
    reserve(stock, "ann", bowl=2)
    assert stock.handle(Reserve("bob", lines(bowl=1), TTL), 0) == SoldOut("bowl", 0)


def test_safety_stock_is_never_sold() -> None:
    stock = StockCache({"mug": 5}, safety_stock=2)
    reserve(stock, "ann", mug=3)
    assert stock.handle(Reserve("bob", lines(mug=1), TTL), 0) == SoldOut("mug", 0)


# -- lapse


@pytest.mark.parametrize(("now_us", "answer"), [(TTL - 1, Pinned()), (TTL, Lapsed()), (TTL + 1, Lapsed())])
def test_a_reservation_is_live_until_its_deadline_and_dead_at_it(
    stock: StockCache, now_us: int, answer: Pinned | Lapsed
) -> None:
    token = reserve(stock, "ann", mug=1)
    given = stock.handle(Consume(token, "ann"), now_us)
    assert (type(given), given) == (type(answer), answer)


def test_a_lapsed_reservation_frees_its_units(stock: StockCache) -> None:
    reserve(stock, "ann", bowl=2)
    assert isinstance(stock.handle(Reserve("bob", lines(bowl=2), TTL), TTL - 1), SoldOut)
    assert isinstance(stock.handle(Reserve("bob", lines(bowl=2), TTL), TTL), Reserved)


def test_after_a_lapse_the_same_order_gets_another_token(stock: StockCache) -> None:
    assert reserve(stock, "ann", mug=1) != reserve(stock, "ann", now_us=TTL, mug=1)


def test_the_clock_is_the_largest_moment_seen(stock: StockCache) -> None:
    token = reserve(stock, "ann", mug=1)
    stock.handle(AskStatus(), TTL)
    assert type(stock.handle(Consume(token, "ann"), 0)) is Lapsed


def test_where_expiry_is_by_sweep_units_come_free_with_the_sweep() -> None:
    stock = StockCache({"mug": 1}, expires_on_look=False)
    reserve(stock, "ann", mug=1)
    assert isinstance(stock.handle(Reserve("bob", lines(mug=1), TTL), 2 * TTL), SoldOut)
    assert stock.handle(Lapse(), 2 * TTL) == Released()
    assert isinstance(stock.handle(Reserve("bob", lines(mug=1), TTL), 2 * TTL), Reserved)


def test_where_expiry_is_by_sweep_the_dead_are_still_refused() -> None:
    stock = StockCache({"mug": 1}, expires_on_look=False)
    token = reserve(stock, "ann", mug=1)
    assert type(stock.handle(Consume(token, "ann"), TTL)) is Lapsed
    assert stock.atp("mug") == 1, "an observed expiry is removed in the same step"


# -- consume, extend, release


def test_a_pin_never_lapses(stock: StockCache) -> None:
    token = pin(stock, "ann", mug=1)
    assert type(stock.handle(Consume(token, "ann"), 1_000 * TTL)) is Pinned
    assert stock.atp("mug") == 4


def test_consuming_twice_pins_once(stock: StockCache) -> None:
    token = pin(stock, "ann", mug=1)
    stock.journal.clear()
    assert type(stock.handle(Consume(token, "ann"), 0)) is Pinned
    assert not stock.journal


def test_nobody_consumes_a_token_that_was_never_given(stock: StockCache) -> None:
    assert type(stock.handle(Consume("ann/1.1", "ann"), 0)) is Lapsed


def test_extending_moves_the_deadline(stock: StockCache) -> None:
    token = reserve(stock, "ann", mug=1)
    assert type(stock.handle(Extend(token, "ann", TTL), TTL - 1)) is Extended
    assert type(stock.handle(Consume(token, "ann"), 2 * TTL - 2)) is Pinned


def test_extending_ends_where_it_says(stock: StockCache) -> None:
    token = reserve(stock, "ann", mug=1)
    stock.handle(Extend(token, "ann", TTL), TTL - 1)
    assert type(stock.handle(Consume(token, "ann"), 2 * TTL - 1)) is Lapsed


@pytest.mark.parametrize("expires_on_look", [True, False])
def test_extending_never_resurrects(expires_on_look: bool) -> None:
    stock = StockCache({"mug": 5}, expires_on_look=expires_on_look)
    token = reserve(stock, "ann", mug=1)
    assert type(stock.handle(Extend(token, "ann", TTL), TTL)) is Lapsed
    assert stock.atp("mug") == 5


def test_extending_never_shortens(stock: StockCache) -> None:
    token = reserve(stock, "ann", mug=1)
    stock.handle(Extend(token, "ann", 1), 0)
    assert type(stock.handle(Consume(token, "ann"), TTL - 1)) is Pinned


def test_extending_a_pin_does_not_give_it_a_deadline(stock: StockCache) -> None:
    token = pin(stock, "ann", mug=1)
    stock.handle(Extend(token, "ann", TTL), 0)
    assert type(stock.handle(Consume(token, "ann"), 10 * TTL)) is Pinned


@pytest.mark.parametrize("is_pinned", [True, False])
def test_a_release_frees_what_was_held_or_pinned(stock: StockCache, is_pinned: bool) -> None:
    token = (pin if is_pinned else reserve)(stock, "ann", mug=2, bowl=1)
    assert stock.handle(Release(token, "ann"), 0) == Released()
    assert (stock.atp("mug"), stock.atp("bowl")) == (5, 2)


def test_releasing_twice_frees_once(stock: StockCache) -> None:
    token = reserve(stock, "ann", mug=2)
    stock.handle(Release(token, "ann"), 0)
    reserve(stock, "bob", mug=2)
    assert stock.handle(Release(token, "ann"), 0) == Released()
    assert stock.atp("mug") == 3


def test_a_release_of_an_old_token_leaves_the_new_one(stock: StockCache) -> None:
    old = reserve(stock, "ann", mug=1)
    new = reserve(stock, "ann", now_us=TTL, mug=1)
    stock.handle(Release(old, "ann"), TTL)
    assert type(stock.handle(Consume(new, "ann"), TTL)) is Pinned


# -- refresh: base, version, and which commitments are in it


def test_a_refresh_brings_what_came_in(stock: StockCache) -> None:
    reserve(stock, "ann", mug=2)
    refresh(stock, "mug", 9, 1)
    assert stock.atp("mug") == 7, "the hold outlives the refresh"


def test_a_refresh_ignores_older_versions(stock: StockCache) -> None:
    refresh(stock, "mug", 9, 2)
    refresh(stock, "mug", 1, 1)
    assert stock.atp("mug") == 9


def test_what_may_be_promised_can_be_below_zero_inside(stock: StockCache) -> None:
    reserve(stock, "ann", mug=4)
    refresh(stock, "mug", 1, 1)
    assert stock.atp("mug") == -3
    assert stock.handle(Reserve("bob", lines(mug=1), TTL), 0) == SoldOut("mug", -3)


def test_a_commitment_stays_while_its_post_is_newer_than_the_base(stock: StockCache) -> None:
    pin(stock, "ann", mug=2)
    settle(stock, "ann", mug=3)
    refresh(stock, "mug", 9, 2)
    assert stock.atp("mug") == 7


def test_a_commitment_drops_with_the_base_that_contains_its_post(stock: StockCache) -> None:
    pin(stock, "ann", mug=2)
    settle(stock, "ann", mug=3)
    refresh(stock, "mug", 3, 3)
    assert stock.atp("mug") == 3
    assert not stock.by_token


def test_an_acknowledgement_alone_drops_nothing(stock: StockCache) -> None:
    pin(stock, "ann", mug=2)
    settle(stock, "ann", mug=1)
    assert stock.atp("mug") == 3


def test_a_late_acknowledgement_of_what_the_base_contains_drops_at_once(stock: StockCache) -> None:
    pin(stock, "ann", mug=2)
    refresh(stock, "mug", 3, 1)  # a cursor that had passed the post: the tail does not tell of it
    assert stock.atp("mug") == 1
    settle(stock, "ann", mug=1)
    assert stock.atp("mug") == 3


def test_the_tail_of_a_snapshot_drops_without_an_acknowledgement(stock: StockCache) -> None:
    pin(stock, "ann", mug=2)
    refresh(stock, "mug", 3, 1, ("ann", 1))
    assert stock.atp("mug") == 3
    settle(stock, "ann", mug=1)
    assert stock.atp("mug") == 3, "the acknowledgement comes late and changes nothing"


def test_what_a_late_copy_took_for_an_order_that_is_over_goes_back_on_sale(stock: StockCache) -> None:
    """Its goods have left once, and the base contains that: it is freed, and no second shipment is spoken of."""
    pin(stock, "ann", mug=2)
    refresh(stock, "mug", 3, 1, ("ann", 1))
    reserve(stock, "ann", mug=2)  # a copy of the old ask
    stock.journal.clear()
    refresh(stock, "mug", 3, 1, ("ann", 1))  # the same snapshot, sent again because nobody heard the answer
    assert stock.atp("mug") == 3
    assert [(change.operation, change.answer) for change in stock.journal if change.order] == [("free", "stray")]


def test_an_older_snapshot_drops_nothing(stock: StockCache) -> None:
    refresh(stock, "mug", 4, 2)
    pin(stock, "ann", mug=2)
    refresh(stock, "mug", 3, 1, ("ann", 1))
    assert stock.atp("mug") == 2


def test_lines_drop_one_by_one(stock: StockCache) -> None:
    pin(stock, "ann", mug=2, bowl=1)
    refresh(stock, "mug", 3, 1, ("ann", 1))
    assert (stock.atp("mug"), stock.atp("bowl")) == (3, 1)
    refresh(stock, "bowl", 1, 1, ("ann", 1))
    assert (stock.atp("mug"), stock.atp("bowl")) == (3, 1)
    assert not stock.by_token


def test_two_overlapping_refreshes_end_as_one(stock: StockCache) -> None:
    """The second was read later and applied first; the first brings nothing, and takes nothing."""
    pin(stock, "ann", mug=2)
    pin(stock, "bob", mug=1)
    early = Changed((SkuChange("mug", 3, 1, (("ann", 1),)),), 2, 3, False, Instant(0), 3)
    late = Changed((SkuChange("mug", 2, 2, (("ann", 1), ("bob", 2))),), 2, 4, False, Instant(0), 4)
    for page in (late, early, late):
        stock.handle(Refresh(stock.epoch, page), 0)
        assert (stock.atp("mug"), stock.cursor) == (2, 4)


# -- what does not add up


def offered(stock: StockCache, on_hand: int, version: int, *moves: tuple[int, int]) -> object:
    item = SkuChange("mug", on_hand, version, (), moves)
    return stock.handle(Refresh(stock.epoch, Changed((item,), stock.cursor, 9, False, Instant(0), 9)), 0)


def test_a_base_is_the_old_one_and_all_that_has_changed_since(stock: StockCache) -> None:
    assert offered(stock, 12, 2, (1, -3), (2, 10)) == Applied()
    assert offered(stock, 13, 3, (1, -3), (2, 10), (3, 1)) == Applied(), "what the base contains is not counted again"
    assert (stock.atp("mug"), stock.cursor) == (13, 9)


@pytest.mark.parametrize("on_hand", [0, 11, 13])
def test_a_snapshot_that_contradicts_its_own_log_is_refused_and_named(stock: StockCache, on_hand: int) -> None:
    stock.journal.clear()
    assert offered(stock, on_hand, 2, (1, -3), (2, 10)) == Unreconciled("mug")
    (named,) = stock.journal
    assert (named.operation, named.sku, named.answer, named.units) == ("rebase", "mug", "refused", on_hand - 5)
    assert (named.is_new, named.debit, named.credit) == (False, "", "")
    assert (stock.atp("mug"), stock.base_v["mug"]) == (5, 0)
    assert offered(stock, 12, 2, (1, -3), (2, 10)) == Applied(), "and read again it is as good as any"


def test_a_zero_of_the_same_version_is_refused_as_well(stock: StockCache) -> None:
    assert offered(stock, 0, 0) == Unreconciled("mug")


def test_after_a_loss_the_base_is_all_that_ever_moved_with_the_opening(stock: StockCache) -> None:
    stock.lose_everything()
    assert offered(stock, 0, 1, (0, 10), (1, -3)) == Unreconciled("mug"), "a feed that says zero is found out"
    assert offered(stock, 7, 1, (1, -3)) == Unreconciled("mug"), "and so is one that does not know how it began"
    assert offered(stock, 7, 1, (0, 10), (1, -3)) == Applied()


# -- the cursor


def page(since: int, upto: int, *, more: bool) -> Refresh:
    return Refresh(1, Changed((), since, upto, more, Instant(0), upto))


def test_the_cursor_begins_after_the_opening(stock: StockCache) -> None:
    assert stock.handle(AskStatus(), 0) == Status(epoch=1, is_open=True, cursor=2)


def test_only_the_last_page_moves_the_cursor(stock: StockCache) -> None:
    stock.handle(page(2, 5, more=True), 0)
    assert stock.cursor == 2
    stock.handle(page(2, 9, more=False), 0)
    assert stock.cursor == 9


def test_the_cursor_never_goes_back(stock: StockCache) -> None:
    stock.handle(page(2, 9, more=False), 0)
    stock.handle(page(2, 5, more=False), 0)
    assert stock.cursor == 9


def test_a_page_that_was_read_from_beyond_the_cursor_does_not_move_it(stock: StockCache) -> None:
    stock.handle(page(4, 9, more=False), 0)
    assert stock.cursor == 2


# -- losing everything


def test_whoever_has_lost_everything_is_not_ready(stock: StockCache) -> None:
    token = reserve(stock, "ann", mug=1)
    stock.lose_everything()
    for ask in (Reserve("bob", lines(mug=1), TTL), Consume(token, "ann"), Release(token, "ann"),
                Extend(token, "ann", TTL), Settle(())):  # fmt: skip
        assert type(stock.handle(ask, 0)) is NotReady
    assert stock.handle(AskStatus(), 0) == Status(epoch=2, is_open=False, cursor=0)


def test_a_snapshot_for_the_old_epoch_is_refused(stock: StockCache) -> None:
    stock.lose_everything()
    assert type(stock.handle(page(2, 9, more=False), 0)) is NotReady
    assert type(stock.handle(OpenAgain(1), 0)) is Status
    assert not stock.is_open
    assert type(stock.handle(Adopt(1, ()), 0)) is NotReady


def test_an_open_cache_adopts_nobody(stock: StockCache) -> None:
    assert type(stock.handle(Adopt(1, (("ann", "ann/0.1", lines(mug=1)),)), 0)) is NotReady
    assert stock.atp("mug") == 5


def rebuilt(stock: StockCache, *posts: tuple[str, int], on_hand: int, version: int) -> None:
    """Lose all, adopt ann's two mugs, read the record, open."""
    stock.lose_everything()
    for _ in range(2):  # a tick that starts over adopts again
        stock.handle(Adopt(2, (("ann", "ann/1.1", lines(mug=2)),)), 0)
    snapshot = Changed((SkuChange("mug", on_hand, version, posts),), 0, 7, False, Instant(0), 7)
    stock.handle(Refresh(2, snapshot), 0)
    stock.handle(OpenAgain(2), 0)


def test_what_is_adopted_is_pinned_once(stock: StockCache) -> None:
    rebuilt(stock, on_hand=5, version=3)
    assert stock.is_open
    assert stock.atp("mug") == 3
    assert type(stock.handle(Consume("ann/1.1", "ann"), 10 * TTL)) is Pinned


def test_an_order_posted_between_adoption_and_snapshot_is_dropped_by_the_snapshot(stock: StockCache) -> None:
    rebuilt(stock, ("ann", 4), on_hand=3, version=4)
    assert stock.atp("mug") == 3
    assert not stock.by_token


def test_a_zombie_with_an_old_token_gets_nothing_and_frees_nothing(stock: StockCache) -> None:
    token = reserve(stock, "bob", mug=1)
    rebuilt(stock, on_hand=5, version=3)
    assert type(stock.handle(Consume(token, "bob"), 0)) is Lapsed
    assert type(stock.handle(Extend(token, "bob", TTL), 0)) is Lapsed
    assert type(stock.handle(Release(token, "bob"), 0)) is Released
    assert stock.atp("mug") == 3


def test_tokens_of_two_epochs_never_meet(stock: StockCache) -> None:
    old = reserve(stock, "bob", mug=1)
    rebuilt(stock, on_hand=5, version=3)
    assert reserve(stock, "bob", mug=1) != old
