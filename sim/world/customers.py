"""Customers: they submit, click twice, wait, try again with the same submission, change their minds, walk away; and
some of them come again.

They know nothing but their own submission and what they are answered.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from orderquake.model.order import Order
from orderquake.sim.units import SECOND
from orderquake.sim.world.kernel import Alarms
from orderquake.sim.world.performer import Task
from orderquake.sim.world.tempo import taken
from orderquake.sim.world.wire import Sender, weather_between
from orderquake.sim.world.workload import Arrival, Loop

if TYPE_CHECKING:
    from orderquake.sim.world.faults.load import RetryStorm
    from orderquake.sim.world.world import World

DOUBLE_CLICK_US = SECOND // 4
"""Between the two clicks of a double click, as an impatient hand does it. An assumption."""

TOLD = 1 << 19
"""Under which a customer's leg is drawn that brings the final answer; those of the submissions count up from 0."""


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


def is_answered(what: tuple[Visit, int]) -> bool:
    visit, attempt = what
    return attempt not in visit.open


class Customers:
    """Sends everybody in at the right moment."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kernel = world.kernel
        self.recorder = world.recorder
        self.arrivals = world.demand.arrivals
        self.retries = world.scenario.workload.retries
        self.patience = Alarms(self.kernel, self.retries.after, self.wonder, is_answered)
        self.fronts = {place.name: Sender(f"front-{place.name}", place.name, "") for place in world.scenario.place}
        self.legs = {
            place.name: world.wire.law(
                f"customer/{place.name}/leg", world.scenario.local_latency, weather_between(place.name, place.name)
            )
            for place in world.scenario.place
        }
        self.bounds = {place.name: place.front_bound for place in world.scenario.place}
        self.inside = dict.fromkeys(self.bounds, 0)
        self.submitted = 0
        self.faults = {made.label: made for made in world.faults}
        self.hurries: list[RetryStorm] = []
        # Who is in the shop, by order; kept only where somebody will be reminded of it.
        remembers = any(getattr(made, "needs_visits", False) for made in world.faults)
        self.visits: dict[str, Visit] | None = {} if remembers else None
        self.loop = world.demand.loop
        self.loopers: dict[str, Visit] = {}  # orders of a closed workload whose customers still wait, by id
        if self.loop is None:
            self.next()
        else:
            self.begin_loop(self.loop)

    def next(self, arrival: Any = None) -> None:
        """Let the customer whose moment it is come in, and schedule the one after."""
        following = next(self.arrivals, None)
        if following is not None and following.at_us < self.world.scenario.horizon:
            self.kernel.after(following.at_us - self.kernel.now, self.next, following)
        if arrival is not None:
            self.come(arrival)

    def come(self, arrival: Arrival) -> Visit:
        visit = Visit(arrival)
        self.submitted += 1
        self.world.expect(visit.order.id, arrival.number)
        if self.visits is not None:
            self.visits[visit.order.id] = visit
        for label in arrival.faults:
            self.faults[label].struck()
        self.submit(visit)
        if arrival.clicks_twice:
            self.kernel.after(DOUBLE_CLICK_US, self.submit, visit)
        if arrival.cancels_after_us is not None:
            self.kernel.after(arrival.cancels_after_us, self.cancel, visit)
        return visit

    # -- coming again

    def begin_loop(self, loop: Loop) -> None:
        """Everybody thinks first. The notice is what they wait for."""
        self.world.wire.replicas["notice"].after = self.on_notice
        for number in range(loop.customers):
            self.kernel.after(loop.think_us(number), self.come_again, (loop, number))

    def come_again(self, what: tuple[Loop, int]) -> None:
        loop, number = what
        if self.kernel.now >= self.world.scenario.horizon:
            return
        visit = self.come(loop.arrival(self.kernel.now, number))
        self.loopers[visit.order.id] = visit
        self.kernel.after(0 if visit.arrival.walks_away else loop.gives_up_us, self.think_on, visit.order.id)

    def on_notice(self, ask: Any, _answer: Any) -> None:
        """The final answer is on its way to whoever waits for it; a second one finds nobody."""
        visit = self.loopers.get(ask.order_id)
        if visit is not None:
            self.kernel.after(self.leg(visit, TOLD), self.think_on, visit.order.id)

    def think_on(self, order_id: str) -> None:
        """Answered, or tired of waiting: think, and order again."""
        visit = self.loopers.pop(order_id, None)
        if visit is not None and self.loop is not None:
            following = visit.arrival.number + self.loop.customers
            self.kernel.after(self.loop.think_us(following), self.come_again, (self.loop, following))

    # Simplified: nothing is lost between a customer and the front door, only late; matters when mobile networks do.
    def leg(self, visit: Visit, which: int) -> int:
        return taken(self.legs[visit.arrival.place], visit.arrival.number, which)

    # -- submitting

    def submit(self, visit: Visit) -> None:
        """Send the submission; hear the answer, or try again."""
        attempt = visit.attempts
        visit.attempts += 1
        row = self.say("submit", visit, attempt)
        visit.open[attempt] = row
        self.kernel.after(self.leg(visit, 2 * attempt), self.enter, (visit, attempt, row))
        self.patience.set((visit, attempt))
        for storm in self.hurries:
            hurried_us = int(self.retries.after * storm.patience)
            self.kernel.after(hurried_us, self.wonder_early, (visit, attempt, storm))

    def is_full(self, place: str) -> bool:
        """Has this front door its hands full?"""
        bound = self.bounds[place]
        return bound is not None and self.inside[place] >= bound

    def enter(self, what: tuple[Visit, int, int]) -> None:
        visit, attempt, row = what
        place = visit.arrival.place
        if self.is_full(place):
            self.kernel.after(self.leg(visit, 2 * attempt + 1), self.hear_no, (visit, attempt, row))
            return
        self.inside[place] += 1
        number, visits = self.world.luck_of(visit.order.id)

        def reply(answer: str, cause: int) -> None:
            self.kernel.after(self.leg(visit, 2 * attempt + 1), self.hear, (visit, attempt, answer, cause))

        self.world.performer.start(
            Task(
                self.world.design.register(visit.order),
                f"{visit.order.id}.front{attempt}",
                self.fronts[place],
                number,
                visits,
                self.leave,
                reply,
                row,
            )
        )

    def hear(self, what: tuple[Visit, int, str, int]) -> None:
        visit, attempt, answer, cause = what
        if visit.arrival.walks_away or (row := visit.open.pop(attempt, None)) is None:
            return
        visit.has_answer = True
        self.hear_of("submit", "ok", visit, attempt, answer, cause, row)

    def leave(self, task: Task, _how: str, _value: Any) -> None:
        """The front door has nobody to report to, and a hand free."""
        self.inside[task.sender.place] -= 1

    def hear_no(self, what: tuple[Visit, int, int]) -> None:
        """Turned away at a full door: nothing was done, and one may come again later."""
        visit, attempt, row = what
        if visit.arrival.walks_away or visit.open.pop(attempt, None) is None:
            return
        self.recorder.without_answer(self.kernel.now, "fail", "rejected", row)
        self.kernel.after(self.retries.after, self.try_again, visit)

    def try_again(self, visit: Visit) -> None:
        at_most = self.retries.at_most + sum(storm.more for storm in self.hurries)
        if not (visit.has_answer or visit.arrival.walks_away) and visit.attempts <= at_most:
            self.submit(visit)

    def wonder_early(self, what: tuple[Visit, int, RetryStorm]) -> None:
        """No answer yet? In a storm nobody waits any longer."""
        visit, attempt, storm = what
        if not is_answered((visit, attempt)):
            storm.struck()
            self.wonder((visit, attempt))

    def wonder(self, what: tuple[Visit, int]) -> None:
        """No answer after all this time? Then once more, with the same submission."""
        visit, attempt = what
        row = visit.open.pop(attempt)
        self.recorder.without_answer(self.kernel.now, "info", "silence", row)
        self.try_again(visit)

    def say(self, operation: str, visit: Visit, attempt: int) -> int:
        """The row of what a customer wants."""
        return self.recorder.submitted(
            self.kernel.now, operation, self.op_id(operation, visit, attempt), attempt, visit.submission,
            visit.arrival.place, visit.order.id,
        )  # fmt: skip

    def hear_of(self, operation: str, kind: str, visit: Visit, attempt: int, answer: str, cause: int, row: int) -> None:
        """What came of it, and the row that led to that."""
        self.recorder.heard(
            self.kernel.now, operation, kind, self.op_id(operation, visit, attempt), attempt, visit.submission,
            visit.arrival.place, visit.order.id, answer, cause, row,
        )  # fmt: skip

    @staticmethod
    def op_id(operation: str, visit: Visit, attempt: int) -> str:
        return f"{visit.submission}.{attempt if operation == 'submit' else operation}"

    # -- changing their minds

    def change_of_mind(self, order_id: str) -> bool:
        """Somebody wants to cancel after all. Not who does so anyway, nor who has gone."""
        visit = None if self.visits is None else self.visits.pop(order_id, None)
        if visit is None or visit.arrival.walks_away or visit.arrival.cancels_after_us is not None:
            return False
        self.cancel(visit)
        return True

    def cancel(self, visit: Visit) -> None:
        order = visit.order
        row = self.say("cancel", visit, 0)
        if self.is_full(visit.arrival.place):
            self.recorder.without_answer(self.kernel.now, "fail", "rejected", row)
            return
        self.inside[visit.arrival.place] += 1
        number, visits = self.world.luck_of(order.id)
        heard = False

        def reply(answer: str, cause: int) -> None:
            nonlocal heard
            heard = True
            self.hear_of("cancel", "ok", visit, 0, answer, cause, row)

        def ended(task: Task, how: str, value: Any) -> None:
            self.leave(task, how, value)
            if not heard:
                self.hear_of("cancel", "info", visit, 0, "silence", task.cause, row)

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
