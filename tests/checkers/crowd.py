"""A day on which many orders take the same few courses, so that one may speak for another; and ways to change one cell
of what happened. Nothing is judged here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from orderquake.sim.history import COLUMNS, History, Row
from tests.checkers.histories import LIMITS, TTL, Story

NAMES = tuple(name for name, _ in COLUMNS if name != "index")
Bare = tuple[Any, ...]
"""A row without its index."""


def bought(story: Story, order: str, units: int) -> None:
    story.buy(order, mug=units)


def bought_two_things(story: Story, order: str, units: int) -> None:
    story.buy(order, mug=1, bowl=units)


def paid_back(story: Story, order: str, units: int) -> None:
    story.register(order, mug=units)
    story.pay(order)
    story.capture(order, is_new=False, debit="", credit="")
    story.pay_back(order)
    story.refund(order, is_new=False, debit="", credit="")
    story.tell(order)


def declined(story: Story, order: str, units: int) -> None:
    story.register(order, mug=units)
    story.move(order, "charging")
    story.move(order, "declined")
    story.tell(order)


def charged_late(story: Story, order: str, units: int) -> None:
    declined(story, order, units)
    story.capture(order)
    story.pay_back(order)
    story.tell(order)


def cancelled(story: Story, order: str, units: int) -> None:
    story.register(order, mug=units)
    story.move(order, "cancelled")
    story.tell(order)
    story.tell(order, is_new=False)


def paid_back_twice(story: Story, order: str, units: int) -> None:
    """The first refund fails, days later."""
    story.register(order, bowl=units)
    story.pay(order)
    story.pay_back(order)
    story.tell(order)
    about = {"order": order, "key": f"{order}/refund/1", "amount": story.total(order), "witness": "outside"}
    story.row("refund_failed", debit="provider", credit="customer", **about)
    story.row("refund_failed", is_new=False, **about)
    story.pay_back(order)


def held_for_long(story: Story, order: str, units: int) -> None:
    story.register(order, bowl=units)
    story.pay(order)
    story.hold(order)
    story.extend(order)
    story.move(order, "reserved")
    story.pin(order)
    story.move(order, "fulfilled")
    story.tell(order)


def let_go(story: Story, order: str, units: int) -> None:
    story.register(order, bowl=units)
    story.pay(order)
    story.reserve(order)
    story.free(order)
    story.pay_back(order)
    story.tell(order)


def adopted(story: Story, order: str, units: int) -> None:
    """Its mug was granted before this history begins, and its bowl is granted under the same token."""
    story.register(order, mug=1, bowl=units)
    story.pay(order)
    story.wait()
    of_token = {"order": order, "key": f"{order}/t", "deadline": story.now + TTL}
    of_mug, of_bowl = of_token | {"sku": "mug", "units": 1}, of_token | {"sku": "bowl", "units": units}
    story.row("adopt", debit="cache.pinned", credit="cache.available", **of_mug)
    story.row("hold", debit="cache.held", credit="cache.available", version=story.base_v["bowl"], **of_bowl)
    story.row("pin", debit="cache.pinned", credit="cache.held", **of_bowl)
    story.move(order, "reserved")
    story.move(order, "fulfilled")
    story.tell(order)


COURSES: Mapping[str, Callable[[Story, str, int], None]] = {
    course.__name__: course
    for course in (
        bought, bought_two_things, paid_back, declined, charged_late, cancelled, paid_back_twice, held_for_long, let_go,
        adopted,
    )
}  # fmt: skip


def crowd(courses: Iterable[str] = COURSES, each: int = 3, **limits: Any) -> Story:
    """So many customers take each of these courses, each for a number of units of its own. Not yet ended."""
    story = Story(opening={"mug": 500, "bowl": 500}, **{**LIMITS, **limits})
    for number in range(each):
        for course in courses:
            COURSES[course](story, f"{course}-{number}", number + 1)
        story.row("reserve", kind="invoke", order=f"bought-{number}", op_id=f"w{number}", attempt=1)
        story.wait()
        story.admit("charge")
    story.receipt("mug", 3)
    story.refresh()
    return story


def ended(story: Story) -> History:
    """Posted, answered again, converged, over."""
    story.quiet()
    for order, state in story.state.items():
        if state in ("fulfilled", "refunded"):
            story.sync_up(order)
            story.post(order, is_new=False, answer="duplicate")
    story.refresh()
    story.rebase("mug", version=0, answer="ignored", units=0, is_new=False)
    return story.end()


def history_of(rows: Iterable[Bare]) -> History:
    history = History()
    for row in rows:
        history.append(row)
    return history


def bare(history: History) -> list[Bare]:
    return [row[1:] for row in history]


def changed(rows: list[Bare], index: int, column: str, value: Any) -> list[Bare]:
    """The rows with one cell changed."""
    place = NAMES.index(column)
    row = rows[index]
    return [*rows[:index], (*row[:place], value, *row[place + 1 :]), *rows[index + 1 :]]


def others(row: Row, column: str, rows: Iterable[Bare]) -> list[Any]:
    """What else a cell could say: numbers beside its own and far off, texts that stand elsewhere in the column."""
    value = getattr(row, column)
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        near = [value + 1, value - 1, 0, -1, 2 * value, value + 10**9]
        return [other for other in dict.fromkeys(near) if other != value]
    place = NAMES.index(column)
    return [other for other in dict.fromkeys((*(each[place] for each in rows), "")) if other != value]
