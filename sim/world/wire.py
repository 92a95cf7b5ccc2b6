"""The wire between those who ask and the services: legs, deadlines, answers that come back or do not.

A leg is drawn by name, so nobody's luck depends on who else is on the wire. Silence costs nothing where the answer is
certain to be in time: only who might wait in vain gets a guard that ends the wait.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orderquake.model.flow import NoReply, Refused, Send
from orderquake.model.payment import ServerError
from orderquake.sim.recorder import Recorder
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.delays import Latency
from orderquake.sim.world.kernel import Kernel
from orderquake.sim.world.streams import Streams
from orderquake.sim.world.tempo import Source, Tempo, source_of, taken

if TYPE_CHECKING:
    from orderquake.sim.world.performer import Task
    from orderquake.sim.world.service import Replica


NOBODY_KNOWS = 2**62
"""A way back whose length depends on when it begins: longer than any patience, so that the asker gets a guard."""


class Sending:
    """One ask under way.

    visit       the how-manieth ask with this verb for the order: finds its luck
    ordinal     the how-manieth ask of its task
    row         its invoke row
    deadline    when the asker stops waiting
    back_us     how long the answer will take to come back; NOBODY_KNOWS where that depends on when it sets out
    incarnation of the replica when the ask was taken up; a restart loses it
    """

    __slots__ = ("ask", "attempt", "back_us", "deadline", "incarnation", "is_guarded", "ordinal", "route", "row",
                 "task", "visit")  # fmt: skip

    def __init__(
        self, task: Task, ask: Any, route: Route, visit: int, ordinal: int, attempt: int, row: int, deadline: int
    ) -> None:
        self.task = task
        self.ask = ask
        self.route = route
        self.visit = visit
        self.ordinal = ordinal
        self.attempt = attempt
        self.row = row
        self.deadline = deadline
        self.back_us = 0
        self.incarnation = 0
        self.is_guarded = False

    @property
    def op_id(self) -> str:
        return f"{self.task.id}#{self.ordinal}"

    def copy(self) -> Sending:
        """The same ask once more on the wire. Nobody waits for its answer: a task waits for the one that it sent."""
        copy = Sending(self.task, self.ask, self.route, self.visit, self.ordinal, self.attempt, self.row, self.deadline)
        copy.back_us, copy.incarnation, copy.is_guarded = self.back_us, self.incarnation, self.is_guarded
        return copy


class Route:
    """How one verb travels from one sender to its service and back: what each part is drawn from.

    later   the way back, where it is drawn only when an answer sets out
    number  under which the history knows it
    """

    __slots__ = ("back", "later", "number", "out", "replica", "service")

    def __init__(self, number: int, replica: Replica, out: Source, service: Source, back: Source) -> None:
        self.number = number
        self.replica = replica
        self.out = out
        self.service = service
        self.later = back
        self.back = NOBODY_KNOWS if isinstance(back, Tempo) else back


class Sender:
    """Somebody at a place who asks; `role` keeps the luck of jobs and of orders apart.

    strike   told (task, verb, "before" or "after") wherever a worker might die; None where nobody kills
    """

    __slots__ = ("actor", "place", "role", "routes")

    def __init__(self, actor: str, place: str, role: str) -> None:
        self.actor = actor
        self.place = place
        self.role = role
        self.routes: dict[str, Route] = {}


class Wire:
    """Carries every ask of a run."""

    resume: Callable[[Task, Any], None]
    fail: Callable[[Task, Exception], None]
    kill: Callable[[Task], None]

    def __init__(self, scenario: Scenario, kernel: Kernel, streams: Streams, recorder: Recorder) -> None:
        self.scenario = scenario
        self.kernel = kernel
        self.streams = streams
        self.recorder = recorder
        self.written, self.said = recorder.written, recorder.said_of
        self.put_ask, self.put_answer = recorder.put_ask, recorder.put_answer
        self.replicas: dict[str, Replica] = {}
        self.crashes: dict[str, list[Callable[[Task, Sending, str], bool]]] = {}
        self.pauses: dict[str, list[Callable[[Task, str, int, str], int | None]]] = {}

    def law(self, name: str, latency: Latency, weather: str = "") -> Source:
        """A constant stays a number; anything else becomes a stream of its own, with an eye on the clock if it must.

        weather   under which slow spells are drawn, where they are not this name's alone
        """
        return source_of(name, weather or name, latency, self.streams, self.kernel)

    def route(self, sender: Sender, service: str, verb: str) -> Route:
        replica = self.replicas[service]
        leg = self.scenario.latency_between(sender.place, replica.place)
        air = weather_between(sender.place, replica.place)
        is_own = verb in replica.config.operations
        work = replica.config.operations[verb] if is_own else replica.config.latency
        who = f"{sender.role}{sender.place}>{replica.place}/{service}.{verb}"
        route = sender.routes[verb] = Route(
            self.recorder.route(verb, sender.actor, sender.place),
            replica,
            self.law(f"{who}/out", leg, air),
            self.law(f"{sender.role}{service}.{verb}", work, f"weather/{service}{f'.{verb}' if is_own else ''}"),
            self.law(f"{who}/back", leg, air),
        )
        return route

    def send(self, task: Task, effect: Send[Any]) -> None:
        """Put an ask on the wire; the task will hear an answer or a silence, once."""
        ask = effect.ask
        verb = ask.verb
        route = task.sender.routes.get(verb) or self.route(task.sender, ask.service, verb)
        now = self.kernel.now
        visits = task.visits
        visit = visits.get(verb, 0)
        visits[verb] = visit + 1
        task.asks = ordinal = task.asks + 1
        attempt = effect.attempt
        deadline = now + effect.timeout_us
        row = self.written.rows
        self.written.rows = row + 1
        self.put_ask((row, now, route.number, ask.about(), task.id, ordinal, attempt, deadline, task.cause))
        sending = task.waits_for = Sending(task, ask, route, visit, ordinal, attempt, row, deadline)
        if verb in self.crashes and any(strikes(task, sending, "before") for strikes in self.crashes[verb]):
            self.kill(task)
            return
        out_us: Any = route.out
        if type(out_us) is not int:
            out_us = out_us.draw(task.number, visit)
        back_us: Any = route.back
        sending.back_us = back_us if type(back_us) is int else back_us.draw(task.number, visit)
        if now + out_us >= deadline:
            self.guard(sending)
        route.replica.receive(sending, out_us)

    def guard(self, sending: Sending) -> None:
        """Somebody might wait in vain: end the wait at the deadline."""
        if not sending.is_guarded:
            sending.is_guarded = True
            self.kernel.after(max(0, sending.deadline - self.kernel.now), self._silence, sending)

    def answer(self, sending: Sending, answer: Any) -> None:
        """Send an answer back; where it would be late, the silence comes first."""
        back_us = sending.back_us
        if self.kernel.now + back_us > sending.deadline:
            back_us = self.way_back(sending)
        self.kernel.after(back_us, self._arrive, (sending, answer))

    def refuse(self, sending: Sending, why: str) -> None:
        """Send a definite refusal back."""
        back_us = sending.back_us
        if self.kernel.now + back_us > sending.deadline:
            back_us = self.way_back(sending)
        self.kernel.after(back_us, self._refused, (sending, why))

    def way_back(self, sending: Sending) -> int:
        """How long it takes to come back late, or from now on where only the moment tells."""
        self.guard(sending)
        if sending.back_us != NOBODY_KNOWS:
            return sending.back_us
        return taken(sending.route.later, sending.task.number, sending.visit)

    def _arrive(self, sent: tuple[Sending, Any]) -> None:
        sending, answer = sent
        task = sending.task
        if task.waits_for is not sending:
            return
        is_error = type(answer) is ServerError
        written = self.written
        task.cause = row = written.rows
        written.rows = row + 1
        said = self.said.get(type(answer)) or self.recorder.said(answer, "info" if is_error else "ok")
        self.put_answer((row, self.kernel.now, said, sending.row))
        if (verb := sending.ask.verb) in self.crashes and any(
            strikes(task, sending, "after") for strikes in self.crashes[verb]
        ):
            self.kill(task)
        elif is_error:
            self.fail(task, NoReply())
        else:
            self.resume(task, answer)

    def _refused(self, sent: tuple[Sending, str]) -> None:
        sending, why = sent
        self._without_answer(sending, "fail", why, Refused())

    def _silence(self, sending: Sending) -> None:
        self._without_answer(sending, "info", "silence", NoReply())

    def _without_answer(self, sending: Sending, kind: str, why: str, silence: Exception) -> None:
        task = sending.task
        if task.waits_for is sending:
            task.cause = self.recorder.without_answer(self.kernel.now, kind, why, sending.row)
            self.fail(task, silence)


def weather_between(here: str, there: str) -> str:
    """What slow spells on the way are drawn under: the same in both directions, for everybody."""
    return f"weather/way/{'-'.join(sorted({here, there}))}"
