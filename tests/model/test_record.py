"""The system of record, move by move."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model.record import Booking, Changed, Move, Moved, Post, Posted, ReadChanges, Rejected, SystemOfRecord
from tests.model.shop import lines


@pytest.fixture
def record() -> SystemOfRecord:
    return SystemOfRecord({"mug": 5, "bowl": 2})


def booking(order_id: str, outcome: str = "fulfilled", **units: int) -> Booking:
    wanted = lines(**units)
    return Booking(f"{order_id}/final", order_id, outcome, wanted, sum(line.amount for line in wanted))


def post(record: SystemOfRecord, *bookings: Booking) -> Any:
    return record.handle(Post(bookings), 0)


def read(record: SystemOfRecord, since: int, after: int | None = None, limit: int = 100) -> Changed:
    answer: Changed = record.handle(ReadChanges(since, since if after is None else after, limit), 0)
    return answer


def operations(record: SystemOfRecord) -> list[str]:
    return [change.operation for change in record.journal]


# -- posts


def test_a_post_takes_all_lines_and_gives_each_product_a_version(record: SystemOfRecord) -> None:
    assert post(record, booking("ann", mug=2, bowl=1)) == (Posted("ann", (("mug", 1), ("bowl", 1)), upto=4),)
    assert record.on_hand == {"mug": 3, "bowl": 1}
    assert operations(record) == ["post", "ship", "ship"]


def test_a_key_is_booked_once_and_answered_with_its_first_versions(record: SystemOfRecord) -> None:
    first = post(record, booking("ann", mug=2))
    post(record, booking("bob", mug=1))
    record.journal.clear()
    assert post(record, booking("ann", mug=2)) == first
    assert record.on_hand["mug"] == 2
    assert [(change.operation, change.answer, change.is_new) for change in record.journal] == [
        ("post", "duplicate", False)
    ]


def test_a_batch_has_an_answer_for_each(record: SystemOfRecord) -> None:
    answers = post(record, booking("ann", mug=1), booking("bob", mug=1), booking("ann", mug=1))
    assert [answer.versions for answer in answers] == [(("mug", 1),), (("mug", 2),), (("mug", 1),)]


def test_a_refunded_order_is_booked_and_moves_no_goods(record: SystemOfRecord) -> None:
    assert post(record, booking("ann", "refunded", mug=2)) == (Posted("ann", ()),)
    assert record.on_hand["mug"] == 5
    assert operations(record) == ["post"]
    assert record.journal[0].amount == 0


def test_a_key_with_other_content_is_rejected_and_the_first_stands(record: SystemOfRecord) -> None:
    first = post(record, booking("ann", mug=2))
    assert isinstance(post(record, booking("ann", mug=1))[0], Rejected)
    assert post(record, booking("ann", mug=2)) == first


def test_backorder_books_below_zero(record: SystemOfRecord) -> None:
    assert isinstance(post(record, booking("ann", bowl=3))[0], Posted)
    assert record.on_hand["bowl"] == -1


def test_reject_refuses_below_zero_and_takes_none_of_the_lines() -> None:
    record = SystemOfRecord({"mug": 5, "bowl": 2}, below_zero="reject")
    assert isinstance(post(record, booking("ann", mug=1, bowl=3))[0], Rejected)
    assert record.on_hand == {"mug": 5, "bowl": 2}
    assert record.head == 2, "what was refused has no place in the log"


def test_a_rejection_is_sticky() -> None:
    record = SystemOfRecord({"bowl": 2}, below_zero="reject")
    refused = post(record, booking("ann", bowl=3))
    record.handle(Move("receipt", "bowl", 10), 0)
    assert post(record, booking("ann", bowl=3)) == refused
    assert record.on_hand["bowl"] == 12


# -- moves by others


@pytest.mark.parametrize(
    ("why", "units", "left"),
    [("receipt", 3, 8), ("return", 1, 6), ("correction", -2, 3), ("foreign_sale", 4, 1)],
)
def test_a_move_changes_the_shelf_and_the_version(why: Any, units: int, left: int) -> None:
    record = SystemOfRecord({"mug": 5})
    assert record.handle(Move(why, "mug", units), 0) == Moved(1)
    assert record.on_hand["mug"] == left


# -- what has changed


def test_nothing_has_changed_since_the_opening(record: SystemOfRecord) -> None:
    assert read(record, since=2).items == ()


def test_from_the_very_beginning_the_opening_is_read(record: SystemOfRecord) -> None:
    assert [(item.sku, item.on_hand, item.version) for item in read(record, since=0).items] == [
        ("mug", 5, 0),
        ("bowl", 2, 0),
    ]


def test_what_is_read_holds_all_effects_up_to_its_version(record: SystemOfRecord) -> None:
    post(record, booking("ann", mug=2))
    record.handle(Move("receipt", "mug", 10), 0)
    (item,) = read(record, since=2).items
    assert item == ("mug", 13, 2, (("ann", 1),), ((1, -2), (2, 10)))


def test_own_posts_are_told_since_the_cursor_only(record: SystemOfRecord) -> None:
    post(record, booking("ann", mug=1))
    cursor = read(record, since=2).upto
    post(record, booking("bob", mug=1))
    (item,) = read(record, since=cursor).items
    assert item.posts == (("bob", 2),)


def test_on_a_later_page_posts_are_still_told_since_the_cursor(record: SystemOfRecord) -> None:
    post(record, booking("ann", mug=1))  # mug at place 3
    first = read(record, since=2, limit=1)
    post(record, booking("bob", bowl=1))
    post(record, booking("cat", mug=1))  # and now at place 5, behind the page that was read
    rest = read(record, since=2, after=first.upto)
    assert {item.sku: item.posts for item in rest.items} == {"bowl": (("bob", 1),), "mug": (("ann", 1), ("cat", 2))}


def test_pages_follow_each_other_and_the_last_reaches_the_head() -> None:
    record = SystemOfRecord(dict.fromkeys("abcde", 1))
    seen: list[str] = []
    after, more = 0, True
    while more:
        answer = read(record, since=0, after=after, limit=2)
        seen += [item.sku for item in answer.items]
        after, more = answer.upto, answer.more
    assert (seen, after) == (list("abcde"), record.head)


def test_a_page_that_is_just_full_is_the_last(record: SystemOfRecord) -> None:
    answer = read(record, since=0, limit=2)
    assert (len(answer.items), answer.more) == (2, False)


def test_the_cost_of_reading_follows_the_changes_and_not_the_catalogue() -> None:
    """Counted in looks at the log: the catalogue may be a hundred times larger."""

    class Counted(dict[str, int]):
        looks = 0

        def __getitem__(self, sku: str) -> int:
            self.looks += 1
            return super().__getitem__(sku)

    def looks(products: int, changes: int) -> int:
        record = SystemOfRecord({f"sku-{number}": 1 for number in range(products)})
        for number in range(changes):
            record.handle(Move("receipt", f"sku-{number}", 1), 0)
        record.log = log = Counted(record.log)
        assert len(read(record, since=products).items) == changes
        return log.looks

    assert looks(10_000, 3) == looks(100, 3)
    assert looks(100, 30) > looks(100, 3)
