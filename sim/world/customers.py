"""Customers: they submit, click twice, wait, try again with the same submission, change their minds, and walk away.

They know nothing but their own submission and what they are answered.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from orderquake.model.order import Order
from orderquake.sim.units import SECOND
from orderquake.sim.world.performer import Task
from orderquake.sim.world.wire import Sender
from orderquake.sim.world.workload import Arrival

if TYPE_CHECKING:
    from orderquake.sim.world.world import World

DOUBLE_CLICK_US = SECOND // 4
"""Between the two clicks of a double click, as an impatient hand does it. An assumption."""


def order_id_of(submission: str) -> str:
    """The order's id comes from the submission, so that sending it again is the same order."""
    return "o-" + hashlib.blake2b(submission.encode(), digest_size=5).hexdigest()


class Visit:
    """One customer's business, from the click to the answer."""

    __slots__ = ("arrival", "attempts", "has_answer", "open", "order", "submission")

    def __init__(self, arrival: Arrival) -> None:
        self.arrival = arrival
        self.submission = f"s{arrival.number}"
        self.order = Order(
            id=order_id_of(self.submission),
            lines=arrival.lines,
            total=sum(line.amount for line in arrival.lines),
            card=arrival.card,
            place=arrival.place,
        )
        self.attempts = 0
        self.open: dict[int, int] = {}  # attempts without an answer yet, and their invoke rows
        self.has_answer = False


class Customers:
    """Sends everybody in at the right moment."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kernel = world.kernel
        self.recorder = world.recorder
        self.arrivals = world.demand.arrivals
        self.retries = world.scenario.workload.retries
        self.fronts = {place.name: Sender(f"front-{place.name}", place.name, "") for place in world.scenario.place}
        self.legs = {
            place.name: world.wire.law(f"customer/{place.name}/leg", world.scenario.local_latency)
            for place in world.scenario.place
        }
        self.submitted = 0
        self.next()

    def next(self, arrival: Any = None) -> None:
        """Let the customer whose moment it is come in, and schedule the one after."""
        following = next(self.arrivals, None)
        if following is not None and following.at_us < self.world.scenario.horizon:
            self.kernel.after(following.at_us - self.kernel.now, self.next, following)
        if arrival is not None:
            self.come(arrival)

    def come(self, arrival: Arrival) -> None:
        visit = Visit(arrival)
        self.submitted += 1
        self.world.expect(visit.order.id, arrival.number)
        self.submit(visit)
        if arrival.clicks_twice:
            self.kernel.after(DOUBLE_CLICK_US, self.submit, visit)
        if arrival.cancels_after_us is not None:
            self.kernel.after(arrival.cancels_after_us, self.cancel, visit)

    # Simplified: nothing is lost between a customer and the front door, only late; matters when mobile networks do.
    def leg(self, visit: Visit, which: int) -> int:
        leg = self.legs[visit.arrival.place]
        return leg if type(leg) is int else leg.draw(visit.arrival.number, which)  # type: ignore[union-attr]

    # -- submitting

    def submit(self, visit: Visit) -> None:
        """Send the submission; hear the answer, or try again."""
        attempt = visit.attempts
        visit.attempts += 1
        row = self.note("invoke", "submit", visit, attempt, "", -1)
        visit.open[attempt] = row
        self.kernel.after(self.leg(visit, 2 * attempt), self.enter, (visit, attempt, row))
        self.kernel.after(self.retries.after, self.wonder, (visit, attempt))

    def enter(self, what: tuple[Visit, int, int]) -> None:
        visit, attempt, row = what
        number, visits = self.world.luck_of(visit.order.id)

        def reply(answer: str, cause: int) -> None:
            self.kernel.after(self.leg(visit, 2 * attempt + 1), self.hear, (visit, attempt, answer, cause))

        self.world.performer.start(
            Task(
                self.world.design.register(visit.order),
                f"{visit.order.id}.front{attempt}",
                self.fronts[visit.arrival.place],
                number,
                visits,
                _nothing,
                reply,
                row,
            )
        )

    def hear(self, what: tuple[Visit, int, str, int]) -> None:
        visit, attempt, answer, cause = what
        if visit.arrival.walks_away or visit.open.pop(attempt, None) is None:
            return
        visit.has_answer = True
        self.note("ok", "submit", visit, attempt, answer, cause)

    def wonder(self, what: tuple[Visit, int]) -> None:
        """No answer after all this time? Then once more, with the same submission."""
        visit, attempt = what
        row = visit.open.pop(attempt, None)
        if row is None:
            return
        self.note("info", "submit", visit, attempt, "silence", row)
        if not (visit.has_answer or visit.arrival.walks_away) and visit.attempts <= self.retries.at_most:
            self.submit(visit)

    def note(self, kind: str, operation: str, visit: Visit, attempt: int, answer: str, cause: int) -> int:
        what = f"{visit.submission}.{attempt if operation == 'submit' else operation}"
        return self.recorder.customer(
            self.kernel.now, kind, operation, what, attempt, visit.submission, visit.arrival.place, visit.order.id,
            answer, cause,
        )  # fmt: skip

    # -- changing their minds

    def cancel(self, visit: Visit) -> None:
        order = visit.order
        row = self.note("invoke", "cancel", visit, 0, "", -1)
        number, visits = self.world.luck_of(order.id)
        heard = False

        def reply(answer: str, cause: int) -> None:
            nonlocal heard
            heard = True
            self.note("ok", "cancel", visit, 0, answer, cause)

        def ended(task: Task, _how: str, _value: Any) -> None:
            if not heard:
                self.note("info", "cancel", visit, 0, "silence", task.cause)

        self.world.performer.start(
            Task(
                self.world.design.cancel(order.id),
                f"{order.id}.cancel",
                self.fronts[visit.arrival.place],
                number,
                visits,
                ended,
                reply,
                row,
            )
        )


def _nothing(_task: Task, _how: str, _value: Any) -> None:
    """The front door has nobody to report to."""
