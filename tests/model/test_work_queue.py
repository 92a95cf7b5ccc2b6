"""The work queue, move by move."""

from __future__ import annotations

from orderquake.model.work_queue import Ack, Empty, Enqueue, Lease, Leased, WorkQueue

LEASE = 45


def queue(*names: str) -> WorkQueue:
    made = WorkQueue()
    made.handle(Enqueue(names), 0)
    return made


def lease(made: WorkQueue, now_us: int = 0, most: int = 3) -> Leased | Empty:
    answer: Leased | Empty = made.handle(Lease(LEASE, most), now_us)
    return answer


def test_orders_are_taken_in_the_order_in_which_they_came() -> None:
    made = queue("ann", "bob")
    assert [lease(made), lease(made)] == [Leased("ann", 1), Leased("bob", 1)]
    assert type(lease(made)) is Empty


def test_an_order_stands_in_line_once() -> None:
    made = queue("ann", "ann")
    lease(made)
    made.handle(Enqueue(("ann",)), 0)
    assert type(lease(made)) is Empty, "it is being worked on"


def test_what_is_acknowledged_is_gone_and_may_come_again() -> None:
    made = queue("ann")
    lease(made)
    made.handle(Ack("ann", 1), 0)
    assert type(lease(made, LEASE)) is Empty
    made.handle(Enqueue(("ann",)), LEASE)
    assert lease(made, LEASE) == Leased("ann", 1)


def test_a_lease_ends_at_its_moment_and_the_order_is_delivered_again() -> None:
    made = queue("ann")
    lease(made)
    assert type(lease(made, LEASE - 1)) is Empty
    assert lease(made, LEASE) == Leased("ann", 2)


def test_a_late_acknowledgement_does_not_end_another_workers_lease() -> None:
    made = queue("ann")
    lease(made)
    lease(made, LEASE)
    made.handle(Ack("ann", 1), LEASE)
    assert "ann" in made.leases
    made.handle(Ack("ann", 2), LEASE)
    assert "ann" not in made.leases


def test_an_acknowledgement_after_the_lease_leaves_the_order_in_line() -> None:
    made = queue("ann")
    lease(made)
    made.handle(Ack("ann", 1), LEASE)
    assert lease(made, LEASE) == Leased("ann", 2)


def test_what_was_delivered_too_often_is_a_dead_letter() -> None:
    made = queue("ann")
    for turn in range(3):
        assert lease(made, turn * LEASE) == Leased("ann", turn + 1)
    assert type(lease(made, 3 * LEASE)) is Empty
    assert made.dead == {"ann": 3}
    assert [change.operation for change in made.journal] == ["dead_letter"]


def test_behind_a_dead_letter_the_next_in_line_is_served() -> None:
    made = queue("ann", "bob")
    lease(made, 0, most=1)
    made.handle(Ack("bob", 1), 0)
    made.handle(Enqueue(("cat",)), 0)
    lease(made, 0, most=1)
    assert lease(made, LEASE, most=1) == Leased("cat", 1)
    assert "ann" in made.dead or "ann" in made.waiting


def test_a_dead_letter_that_is_put_in_line_again_begins_anew() -> None:
    made = queue("ann")
    for turn in range(4):
        lease(made, turn * LEASE)
    made.handle(Enqueue(("ann",)), 4 * LEASE)
    assert lease(made, 4 * LEASE) == Leased("ann", 1)
    assert not made.dead


def test_there_is_work_where_somebody_waits_or_a_lease_has_run_out() -> None:
    made = queue("ann")
    assert made.has_work(0)
    lease(made)
    assert not made.has_work(LEASE - 1)
    assert made.has_work(LEASE)
