"""The notice: once an outcome, however often asked."""

from __future__ import annotations

from orderquake.model.notice import NoticeBoard, Notified, Notify


def test_a_customer_is_told_an_outcome_once() -> None:
    board = NoticeBoard()
    assert [type(board.handle(Notify("ann", "fulfilled"), now)) for now in (0, 1)] == [Notified, Notified]
    assert [change.is_new for change in board.journal] == [True, False]


def test_another_outcome_is_another_notice() -> None:
    board = NoticeBoard()
    for outcome in ("declined", "refunded"):
        board.handle(Notify("ann", outcome), 0)
    assert list(board.told) == [("ann", "declined"), ("ann", "refunded")]
