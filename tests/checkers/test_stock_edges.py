"""Promises about goods from both sides of their edges: what is just right beside what is just wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.checkers.histories import SECOND, TTL, Story
from tests.checkers.judging import objectors, status, verdict

# -- never_oversold


@pytest.mark.parametrize(("units", "expected"), [(1, "valid"), (2, "valid"), (3, "invalid")])
def test_the_last_unit_may_be_promised_and_the_next_may_not(units: int, expected: str) -> None:
    story = Story(opening={"mug": 5})
    story.buy("ann", mug=3)
    story.buy("bob", mug=units)
    assert status("never_oversold", story.finish()) == expected


def test_a_second_sku_of_a_basket_is_counted_too() -> None:
    story = Story(opening={"mug": 9, "bowl": 1})
    story.buy("ann", mug=1, bowl=1)
    story.buy("bob", mug=1, bowl=1)
    found = verdict("never_oversold", story.finish())
    assert found.status == "invalid"
    assert found.reason.startswith("bowl:")


def test_a_freed_unit_may_be_promised_again() -> None:
    story = Story(opening={"mug": 1})
    story.register("ann", mug=1)
    story.hold("ann")
    story.free("ann", answer="lapsed")
    story.buy("bob", mug=1)
    assert status("never_oversold", story.finish()) == "valid"


def test_units_shipped_and_contained_in_the_base_are_not_counted_against_it() -> None:
    story = Story(opening={"mug": 2})
    story.buy("ann", mug=1)
    story.sync_up("ann")
    story.refresh()
    story.buy("bob", mug=1)
    assert status("never_oversold", story.finish()) == "valid"


def test_units_contained_in_the_base_and_not_yet_dropped_count_once() -> None:
    story = Story(opening={"mug": 2})
    story.buy("ann", mug=1)
    story.sync_up("ann")
    story.rebase("mug")  # contains ann's mug; the drop comes later
    story.buy("bob", mug=1)
    assert status("never_oversold", story.finish()) == "valid"


def test_a_commitment_dropped_when_its_post_is_acknowledged_is_still_a_promise() -> None:
    """The record has shipped it, the base does not know: dropping it now sells the unit twice."""
    story = Story(opening={"mug": 1})
    story.buy("ann", mug=1)
    story.sync_up("ann")
    story.drop("ann", "mug")
    story.buy("bob", mug=1)
    assert status("never_oversold", story.end()) == "invalid"


def test_a_base_that_is_overwritten_forgets_no_promise() -> None:
    story = Story(opening={"mug": 1})
    story.register("ann", mug=1)
    story.pay("ann")
    story.reserve("ann")
    story.refresh()
    story.buy("bob", mug=1)
    assert status("never_oversold", story.end()) == "invalid"


@pytest.mark.parametrize(("units", "expected"), [(2, "valid"), (3, "invalid")])
def test_a_book_of_thousands_of_versions_forgets_nothing_that_is_in_use(units: int, expected: str) -> None:
    story = Story(opening={"mug": 2}, pool="shared")
    for number in range(3000):
        story.receipt("mug", 1)
        story.foreign_sale("mug", 1)
        if number % 100 == 0:
            story.rebase("mug")
            story.register(f"o{number}", mug=1)
            story.hold(f"o{number}")
            story.free(f"o{number}")
    story.register("ann", mug=units)
    story.hold("ann")
    assert status("never_oversold", story.history) == expected
    assert status("fresh_snapshots_only", story.history) == "valid"


def test_an_older_base_is_judged_by_what_it_had() -> None:
    story = Story(opening={"mug": 1})
    story.receipt("mug", 1)
    story.refresh()
    story.buy("ann", mug=1)
    story.rebase("mug", version=0, on_hand=1)
    story.buy("bob", mug=1)
    assert status("never_oversold", story.end()) == "invalid"


def test_a_customer_told_twice_is_owed_the_goods_once() -> None:
    story = Story(opening={"mug": 1})
    story.buy("ann", mug=1)
    story.tell("ann")
    assert status("never_oversold", story.finish()) == "valid"


def consumed_after_it_lapsed(**limits: str) -> Story:
    """Ann's hold lapses, bob gets the unit, and ann's is consumed all the same: no grant is wrong, two are told."""
    story = Story(opening={"mug": 1}, **limits)
    story.register("ann", mug=1)
    story.pay("ann")
    story.reserve("ann")
    story.now += TTL
    story.free("ann", answer="lapsed")
    story.buy("bob", mug=1)
    story.move("ann", "fulfilled")
    return story


@pytest.mark.parametrize("pool", ["ring_fenced", "shared"])
def test_two_customers_told_of_one_unit_are_too_many_though_each_grant_was_right(pool: str) -> None:
    story = consumed_after_it_lapsed(pool=pool)
    assert status("never_oversold", story.history) == "valid"
    story.tell("ann")
    found = verdict("never_oversold", story.history)
    assert found.status == "invalid"
    assert "1 units fewer than customers were told" in found.reason


@pytest.mark.parametrize(
    ("pool", "when", "expected"),
    [
        ("shared", "after the grant", "valid"),
        ("shared", "known to the grant", "invalid"),
        ("ring_fenced", "after the grant", "invalid"),
    ],
)
def test_another_channel_excuses_only_what_the_last_grant_could_not_know(pool: str, when: str, expected: str) -> None:
    story = Story(opening={"mug": 2}, pool=pool)
    if when == "known to the grant":
        story.foreign_sale("mug", 1)
        story.rebase("mug", on_hand=1)
    story.buy("ann", mug=1)
    if when == "after the grant":
        story.foreign_sale("mug", 2)
    else:
        story.register("bob", mug=1)
        story.tell("bob", "fulfilled")
    assert status("never_oversold", story.history) == expected


@pytest.mark.parametrize("pool", ["ring_fenced", "shared"])
def test_what_shrinks_away_under_a_promise_is_a_shortfall_and_not_an_oversell(pool: str) -> None:
    story = Story(opening={"mug": 1}, pool=pool)
    story.buy("ann", mug=1)
    story.correction("mug", -1)
    assert status("never_oversold", story.history) == "valid"


def rebuilt(*, adopts: bool, posts_before_the_base: bool) -> Story:
    """Ann's mug is pinned when the cache loses everything; two are left to sell only if she is forgotten."""
    story = Story(opening={"mug": 2})
    story.buy("ann", mug=1)
    story.lose_the_cache()
    if adopts:
        story.adopt("ann")
    if posts_before_the_base:
        story.sync_up("ann")
    story.refresh()
    story.row("epoch", version=2, answer="open")
    return story


@pytest.mark.parametrize("posts_before_the_base", [False, True])
def test_after_a_rebuild_exactly_what_is_left_may_be_promised(posts_before_the_base: bool) -> None:
    story = rebuilt(adopts=True, posts_before_the_base=posts_before_the_base)
    story.buy("bob", mug=1)
    assert objectors(story.finish()) == set()
    story = rebuilt(adopts=True, posts_before_the_base=posts_before_the_base)
    story.register("bob", mug=2)
    story.hold("bob")
    assert status("never_oversold", story.history) == "invalid"


@pytest.mark.parametrize(("units", "expected"), [(1, "valid"), (2, "invalid")])
def test_what_was_shipped_before_a_loss_is_no_promise_of_the_new_epoch(units: int, expected: str) -> None:
    story = Story(opening={"mug": 3})
    for order in ("ann", "bob"):
        story.buy(order, mug=1)
        story.sync_up(order)
        story.refresh()
        if order == "ann":
            story.lose_the_cache()
            story.rebase("mug")
    story.register("cleo", mug=units)
    story.hold("cleo")
    assert status("never_oversold", story.history) == expected


def test_a_rebuild_that_forgets_a_pinned_order_is_found_by_what_customers_were_told() -> None:
    story = rebuilt(adopts=False, posts_before_the_base=False)
    story.buy("bob", mug=2)
    assert status("never_oversold", story.finish()) == "invalid"


# -- reservation_hygiene


@pytest.mark.parametrize(("early_us", "expected"), [(1, "valid"), (0, "invalid"), (-1, "invalid")])
@pytest.mark.parametrize("operation", ["pin", "extend"])
def test_a_reservation_is_live_iff_now_is_before_its_deadline(operation: str, early_us: int, expected: str) -> None:
    story = Story()
    story.register("ann", mug=1, bowl=1)
    story.hold("ann")
    story.now += TTL - SECOND - early_us  # the step itself waits a second
    story.extend("ann") if operation == "extend" else story.pin("ann")
    if operation == "extend":
        story.pin("ann")
    assert status("reservation_hygiene", story.end()) == expected


def test_an_extended_reservation_lives_to_its_new_deadline_and_no_longer() -> None:
    for early_us, expected in ((1, "valid"), (0, "invalid")):
        story = Story()
        story.register("ann", mug=1)
        story.hold("ann")
        story.now += TTL // 2
        story.extend("ann")
        story.now += TTL - SECOND - early_us
        story.pin("ann")
        assert status("reservation_hygiene", story.end()) == expected


@pytest.mark.parametrize(("then", "expected"), [("free", "valid"), ("pin", "invalid"), ("extend", "invalid")])
def test_a_leap_of_the_owners_clock_may_move_a_deadline_into_the_past_and_nothing_brings_it_back(
    then: str, expected: str
) -> None:
    story = Story()
    story.register("ann", mug=1, bowl=1)
    story.hold("ann")
    story.extend("ann", deadline=story.now - SECOND)
    getattr(story, then)("ann")
    if then == "extend":
        story.free("ann")
    assert status("reservation_hygiene", story.end()) == expected


Step = Callable[[Story], object]
PIN: Step = lambda story: story.pin("ann")  # noqa: E731 - a table of steps reads better than six functions
FREE: Step = lambda story: story.free("ann")  # noqa: E731
FREE_PIN: Step = lambda story: story.free("ann", "cache.pinned")  # noqa: E731
DROP: Step = lambda story: story.drop("ann", "mug")  # noqa: E731
HOLD: Step = lambda story: story.hold("ann")  # noqa: E731
EXTEND: Step = lambda story: story.extend("ann")  # noqa: E731
ADOPT: Step = lambda story: story.adopt("ann")  # noqa: E731
LOSE: Step = lambda story: story.lose_the_cache()  # noqa: E731


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((HOLD, PIN, DROP), "valid"),
        ((HOLD, PIN, FREE_PIN), "valid"),
        ((HOLD, FREE), "valid"),
        ((HOLD, PIN, LOSE, ADOPT, DROP), "valid"),
        ((HOLD, PIN, DROP, LOSE, ADOPT), "valid"),
        ((HOLD, LOSE), "valid"),
        ((HOLD,), "invalid"),
        ((HOLD, PIN, PIN), "invalid"),
        ((HOLD, FREE, FREE), "invalid"),
        ((HOLD, FREE, PIN), "invalid"),
        ((HOLD, FREE, EXTEND), "invalid"),
        ((HOLD, PIN, EXTEND), "invalid"),
        ((HOLD, PIN, DROP, FREE_PIN), "invalid"),
        ((HOLD, PIN, DROP, DROP), "invalid"),
        ((HOLD, HOLD), "invalid"),
        ((PIN,), "invalid"),
        ((HOLD, PIN, ADOPT), "invalid"),
        ((HOLD, FREE, LOSE, ADOPT), "invalid"),
        ((HOLD, LOSE, PIN), "invalid"),
    ],
)
def test_a_reservation_is_used_and_let_go_once(steps: tuple[Step, ...], expected: str) -> None:
    story = Story()
    story.register("ann", mug=1)
    for step in steps:
        step(story)
    assert status("reservation_hygiene", story.end()) == expected


@pytest.mark.parametrize(("later_us", "longer_us", "expected"), [(0, 0, "valid"), (1, 0, "invalid"), (0, 1, "invalid")])
def test_the_lines_of_a_reservation_are_granted_together(later_us: int, longer_us: int, expected: str) -> None:
    story = Story()
    story.register("ann", mug=1)
    story.hold("ann", deadline=TTL)
    story.now += later_us
    story.row("hold", order="ann", key="ann/t", sku="bowl", units=1, deadline=TTL + longer_us, version=0)
    story.lines["ann"] = {"mug": 1, "bowl": 1}
    story.pin("ann")
    assert status("reservation_hygiene", story.end()) == expected


# -- units_conserved


@pytest.mark.parametrize(
    ("debit", "credit"),
    [("", "cache.available"), ("cache.held", ""), ("cache.pinned", "cache.available"), ("cache.held", "cache.base")],
)
def test_a_hold_that_misnames_an_account_does_not_balance(debit: str, credit: str) -> None:
    story = Story()
    story.register("ann", mug=1)
    story.hold("ann", debit=debit, credit=credit)
    assert status("units_conserved", story.history) == "invalid"


@pytest.mark.parametrize(("units", "expected"), [(1, "valid"), (2, "valid"), (3, "invalid"), (-1, "invalid")])
@pytest.mark.parametrize("operation", ["pin", "free", "drop"])
def test_no_more_leaves_a_token_than_is_in_it_though_another_token_has_plenty(
    operation: str, units: int, expected: str
) -> None:
    story = Story()
    for order in ("ann", "bob"):
        story.register(order, mug=2)
        story.hold(order)
    match operation:
        case "pin":
            story.pin("ann", units=units)
        case "free":
            story.free("ann", units=units)
        case _:
            story.pin("ann")
            story.drop("ann", "mug", units=units)
    assert status("units_conserved", story.history) == expected


@pytest.mark.parametrize(("version", "expected"), [(1, "invalid"), (2, "valid"), (0, "invalid")])
def test_every_move_in_the_record_has_a_version_of_its_own(version: int, expected: str) -> None:
    story = Story()
    story.receipt("mug", 1)
    story.receipt("mug", 1, version=version)
    assert status("units_conserved", story.history) == expected
