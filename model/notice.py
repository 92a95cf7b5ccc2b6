"""The notice: the customer's final answer, as a page and a mail. Sent once an outcome, however often asked."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from orderquake.model.boundaries import Data
from orderquake.model.flow import Ask, Change, effect


class Notified(NamedTuple):
    """The customer has been told, now or before."""


@effect
class Notify(Ask[Notified]):
    """Tell the customer how it ended: fulfilled, refunded, declined or cancelled."""

    service = "notice"
    verb = "notify"
    carries = frozenset({Data.PERSONAL})
    order_id: str
    outcome: str

    def about(self) -> tuple[str, str]:
        return self.order_id, f"{self.order_id}/{self.outcome}"


class NoticeBoard:
    """Who was told what."""

    def __init__(self) -> None:
        self.journal: list[Change] = []
        self.told: dict[tuple[str, str], bool] = {}

    def handle(self, ask: Any, now_us: int) -> Any:
        match ask:
            case Notify(order_id, outcome):
                is_new = (order_id, outcome) not in self.told
                self.told[order_id, outcome] = True
                self.journal.append(
                    Change(
                        "notice",
                        key=f"{order_id}/{outcome}",
                        order=order_id,
                        to_state=outcome,
                        is_new=is_new,
                        is_outside=True,
                    )
                )
                return Notified()
        raise TypeError(f"the notice service does not know how to {type(ask).__name__}")

    def snapshot(self) -> Hashable:
        return tuple(self.told)

    def restore(self, snapshot: Any) -> None:
        self.told = dict.fromkeys(snapshot, True)
        self.journal.clear()
