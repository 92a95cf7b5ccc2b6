"""The wire between those who ask and the services: legs, deadlines, answers that come back or do not.

A leg is drawn by name, so nobody's luck depends on who else is on the wire. Silence costs nothing where the answer is
certain to be in time: only who might wait in vain gets a guard that ends the wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from orderquake.model.boundaries import ANYBODY, Role
from orderquake.model.flow import Hedge, NoReply, Refused, Send
from orderquake.model.payment import ServerError
from orderquake.sim.recorder import Recorder
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.boundaries import role_of
from orderquake.sim.world.delays import Latency
from orderquake.sim.world.kernel import Kernel
from orderquake.sim.world.streams import Stream, Streams
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
    first       the ask that this one hedges: the task waits for either
    """

    __slots__ = (
        "ask", "back_us", "deadline", "first", "incarnation", "is_guarded", "ordinal", "row", "task", "visit", "way",
    )  # fmt: skip

    def __init__(
        self, task: Task, ask: Any, way: Way, visit: int, ordinal: int, row: int, deadline: int, back_us: int
    ) -> None:
        self.task = task
        self.ask = ask
        self.way = way
        self.visit = visit
        self.ordinal = ordinal
        self.row = row
        self.deadline = deadline
        self.back_us = back_us
        self.incarnation = 0
        self.is_guarded = False
        self.first: Sending | None = None

    @property
    def op_id(self) -> str:
        return f"{self.task.id}#{self.ordinal}"

    def copy(self) -> Sending:
        """The same ask once more on the wire. Nobody waits for its answer: a task waits for the one that it sent."""
        copy = Sending(self.task, self.ask, self.way, self.visit, self.ordinal, self.row, self.deadline, self.back_us)
        copy.incarnation, copy.is_guarded = self.incarnation, self.is_guarded
        return copy


Block: TypeAlias = tuple[Sequence[int], Sequence[int], Sequence[int]]
"""Of 1,024 orders that ask for the same time: the ways out, the pieces of work, the ways back, microseconds each."""
FEW = 256
"""Blocks that a way keeps at hand."""


class Way:
    """How one verb travels from a place to its service and back, for all of one role: what each part is drawn from.

    is_still  nothing looks at the clock: all of a journey can be drawn when it begins
    served    what happens to an ask when an open replica has done its work
    """

    __slots__ = ("back", "blocks", "is_still", "out", "replica", "served", "service")

    def __init__(self, replica: Replica, out: Source, service: Source, back: Source) -> None:
        self.replica = replica
        self.served = replica.serve
        self.out = out
        self.service = service
        self.back = back
        self.is_still = not any(isinstance(part, Tempo) for part in (out, service, back))
        self.blocks: dict[int, Block] = {}

    def become(self, other: Way) -> None:
        """Lead where another one leads."""
        for name in self.__slots__:
            setattr(self, name, getattr(other, name))

    def block(self, which: int) -> Block:
        """Luck for one more block; `which` as `Task.block` and a visit make it."""
        if len(self.blocks) >= FEW:  # a long run leaves old blocks behind; they can always be made again
            for old in list(self.blocks)[: FEW // 2]:
                del self.blocks[old]
        number, attempt = which >> 20, which & 0xFFFFF
        out, work, back = (
            always(part) if isinstance(part, int) else cast(Stream, part).block(number, attempt)
            for part in (self.out, self.service, self.back)
        )
        made = self.blocks[which] = (out, work, back)
        return made


@cache
def always(value: int) -> Sequence[int]:
    """A block of one value."""
    return [value] * 1024


class Route:
    """A way as one sender takes it; the history knows it by its number."""

    __slots__ = ("is_refused", "number", "way")

    def __init__(self, number: int, way: Way, is_refused: bool) -> None:
        self.number = number
        self.way = way
        self.is_refused = is_refused


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

    go: Callable[[Task, Callable[[Any], Any], Any], None]
    freezes: Callable[[Task, Sending, Any], bool]
    fail: Callable[[Task, Exception], None]
    kill: Callable[[Task], None]

    def __init__(self, scenario: Scenario, kernel: Kernel, streams: Streams, recorder: Recorder) -> None:
        self.scenario = scenario
        self.kernel, self.after = kernel, kernel.after
        self.streams = streams
        self.recorder = recorder
        self.written, self.said = recorder.written, recorder.said_of
        self.put_ask, self.put_answer = recorder.put_ask, recorder.put_answer
        self.replicas: dict[str, Replica] = {}
        self.ways: dict[tuple[str, str, str, str], Way] = {}
        self.askers: Mapping[str, frozenset[Role]] = {}
        self.held_by: dict[tuple[str, str], Replica] = {}
        self.cuts: list[Callable[[str, str], bool]] = []
        self.crashes: dict[str, list[Callable[[Task, Sending, str], bool]]] = {}
        self.pauses: dict[str, list[Callable[[Task, str, int, str], int | None]]] = {}

    def law(self, name: str, latency: Latency, weather: str = "") -> Source:
        """A constant stays a number; anything else becomes a stream of its own, with an eye on the clock if it must.

        weather   under which slow spells are drawn, where they are not this name's alone
        """
        return source_of(name, weather or name, latency, self.streams, self.kernel)

    def route(self, sender: Sender, service: str, verb: str) -> Route:
        which = sender.role, sender.place, service, verb
        if which not in self.ways:
            self.ways[which] = self.way(*which)
        number = self.recorder.route(verb, sender.actor, sender.place)
        is_refused = role_of(sender.actor) not in self.askers.get(verb, ANYBODY)
        route = sender.routes[verb] = Route(number, self.ways[which], is_refused)
        return route

    def way(self, role: str, place: str, service: str, verb: str) -> Way:
        first = self.replicas[service]
        nearest = next((member for member in first.members if member.place == place), first)
        replica = self.held_by.get((place, service), nearest)
        leg = self.scenario.latency_between(place, replica.place)
        air = weather_between(place, replica.place)
        is_own = verb in replica.config.operations
        work = replica.config.operations[verb] if is_own else replica.config.latency
        who = f"{role}{place}>{replica.place}/{service}.{verb}"
        return Way(
            replica,
            self.law(f"{who}/out", leg, air),
            self.law(f"{role}{service}.{verb}", work, f"weather/{service}{f'.{verb}' if is_own else ''}"),
            self.law(f"{who}/back", leg, air),
        )

    def move_on(self, place: str, silent: Replica) -> None:
        """Whoever asks from a place hears nothing: from now on all there ask the next copy, and do not come back."""
        # Simplified: all who work in a place share one handle, and asks under way keep theirs; matters when some of
        # them are restarted and begin with the nearest again.
        now = self.held_by.get((place, silent.name))
        members = silent.members
        if now is None or now is silent:
            self.held_by[place, silent.name] = members[(members.index(silent) + 1) % len(members)]
            for which, way in self.ways.items():
                if which[1:3] == (place, silent.name):
                    way.become(self.way(*which))

    def is_cut(self, here: str, there: str) -> bool:
        """Does nothing get from a place to another now?"""
        return here != there and any(cuts(here, there) for cuts in self.cuts)

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
        deadline = now + effect.timeout_us
        written = self.written
        row = written.rows
        written.rows = row + 1
        self.put_ask((row, now, route.number, ask.about(), task.id, ordinal, effect.attempt, deadline, task.cause))
        way = route.way
        if way.is_still:
            slot = task.slot
            out, work, back = way.blocks.get(task.block | visit) or way.block(task.block | visit)
            out_us, work_us, back_us = out[slot], work[slot], back[slot]
        else:
            out_us, work_us = taken(way.out, task.number, visit), NOBODY_KNOWS
            back_us = NOBODY_KNOWS if type(way.back) is Tempo else taken(way.back, task.number, visit)
        sending = task.waits_for = Sending(task, ask, way, visit, ordinal, row, deadline, back_us)
        if self.crashes and any(strikes(task, sending, "before") for strikes in self.crashes.get(verb, ())):
            self.kill(task)
            return
        replica = way.replica
        if route.is_refused:
            self.after(out_us + self.back_us(sending), self._refused, (sending, "outside_role"))
            return
        if replica.is_open:
            if work_us == NOBODY_KNOWS:
                work_us = taken(way.service, task.number, visit)
            if now + out_us + work_us + back_us > deadline or now + out_us >= deadline:
                self.guard(sending)
            self.after(out_us + work_us, way.served, sending)
        else:
            if now + out_us >= deadline:
                self.guard(sending)
            replica.receive(sending, out_us)

    def send_hedged(self, task: Task, effect: Hedge[Any]) -> None:
        """Put an ask on the wire, and once more where it is not answered soon."""
        self.send(task, effect)
        sending = task.waits_for
        if isinstance(sending, Sending):
            self.after(effect.after_us, self.hedge, (sending, effect))

    # Simplified: the second goes where the first went, as to many hands behind one address, and draws its own luck;
    # matters when copies in several places are asked.
    def hedge(self, sent: tuple[Sending, Hedge[Any]]) -> None:
        """The second try of a hedged ask; it ends when the first would."""
        first, effect = sent
        task, left_us = first.task, first.deadline - self.kernel.now
        if task.waits_for is first:
            self.send(task, Send(first.ask, left_us, effect.attempt))
            second = task.waits_for
            if isinstance(second, Sending):
                second.first = first

    def guard(self, sending: Sending) -> None:
        """Somebody might wait in vain: end the wait at the deadline."""
        if not sending.is_guarded:
            sending.is_guarded = True
            self.after(max(0, sending.deadline - self.kernel.now), self._silence, sending)

    def answer(self, sending: Sending, answer: Any) -> None:
        """Send an answer back; where it would be late, the silence comes first."""
        self.after(self.back_us(sending), self.arrive, (sending, answer))

    def refuse(self, sending: Sending, why: str) -> None:
        """Send a definite refusal back."""
        for trouble in sending.way.replica.troubles:
            if trouble.loses_refusal(sending):
                self.guard(sending)
                return
        self.after(self.back_us(sending), self._refused, (sending, why))

    def back_us(self, sending: Sending) -> int:
        """How long it takes to come back now; what would be late is guarded."""
        back_us = sending.back_us
        if self.kernel.now + back_us > sending.deadline:
            back_us = self.way_back(sending)
        for trouble in sending.way.replica.troubles:
            back_us = trouble.held_back(sending, back_us)
        if self.kernel.now + back_us > sending.deadline:
            self.guard(sending)
        return back_us

    def way_back(self, sending: Sending) -> int:
        """How long it takes to come back late, or from now on where only the moment tells."""
        self.guard(sending)
        if sending.back_us != NOBODY_KNOWS:
            return sending.back_us
        return taken(sending.way.back, sending.task.number, sending.visit)

    def arrive(self, sent: tuple[Sending, Any]) -> None:
        """An answer is back."""
        sending, answer = sent
        task = sending.task
        if task.waits_for is not sending and not is_hedged(sending):
            return
        is_error = type(answer) is ServerError
        written = self.written
        task.cause = row = written.rows
        written.rows = row + 1
        said = self.said.get(type(answer)) or self.recorder.said(answer, "info" if is_error else "ok")
        self.put_answer((row, self.kernel.now, said, sending.row))
        if self.crashes and any(strikes(task, sending, "after") for strikes in self.crashes.get(sending.ask.verb, ())):
            self.kill(task)
        elif is_error:
            self.fail(task, NoReply())
        elif not (self.pauses and self.freezes(task, sending, answer)):
            self.go(task, task.flow.send, answer)

    def _refused(self, sent: tuple[Sending, str]) -> None:
        sending, why = sent
        self._without_answer(sending, "fail", why, Refused())

    def _silence(self, sending: Sending) -> None:
        if sending.way.replica.is_left_when_silent and sending.task.waits_for is sending:
            self.move_on(sending.task.sender.place, sending.way.replica)
        self._without_answer(sending, "info", "silence", NoReply())

    def _without_answer(self, sending: Sending, kind: str, why: str, silence: Exception) -> None:
        task = sending.task
        if kind == "fail" and sending.first is not None and task.waits_for is sending:
            task.waits_for = sending.first  # the other one may still be answered
            self.recorder.without_answer(self.kernel.now, kind, why, sending.row)
        elif task.waits_for is sending:
            task.cause = self.recorder.without_answer(self.kernel.now, kind, why, sending.row)
            self.fail(task, silence)


def is_hedged(sending: Sending) -> bool:
    """Does its task wait for this ask or for another one that hedges it?"""
    waited = sending.task.waits_for
    return isinstance(waited, Sending) and waited.first is sending


def weather_between(here: str, there: str) -> str:
    """What slow spells on the way are drawn under: the same in both directions, for everybody."""
    return f"weather/way/{'-'.join(sorted({here, there}))}"
