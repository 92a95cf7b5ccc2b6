"""Performs flows in simulated time: hands each effect to whoever carries it out, and each answer back to the flow.

A flow under way is a `Task`. Killing one closes its coroutine at once; what it has asked already lives on, and whoever
answers finds nobody waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from orderquake.model.architecture import Architecture
from orderquake.model.flow import Backoff, Flow, Heard, Hedge, PatienceEnded, Permit, Reply, Send, Within
from orderquake.model.guards import Guards
from orderquake.sim.world.kernel import Kernel
from orderquake.sim.world.streams import Streams

if TYPE_CHECKING:
    from orderquake.sim.world.faults.load import RetryStorm
    from orderquake.sim.world.wire import Sender, Sending, Wire

DONE, GAVE_UP, KILLED = "done", "gave_up", "killed"
"""How a flow ends: it returned, its patience ended, or it was killed."""


class Task:
    """A flow under way.

    sender    from where, and as whom, it asks
    number    the order's original number (or a tick's), which finds its luck; `visits` counts its draws by verb
    block     of luck that the number is in, and `slot`, its place there
    on_end    told (task, how it ended, what it returned)
    reply     told the answer to the customer, where somebody waits for one
    waits_for the ask whose answer the flow waits for; anything else that arrives is ignored
    cause     row that led to what the task does next
    frozen_us by how much pauses have moved its deadline, until the deadline asks
    waited_us before its last try, where that decides how long it waits before the next
    """

    __slots__ = (
        "asks",
        "block",
        "cause",
        "flow",
        "frozen_us",
        "id",
        "number",
        "on_end",
        "reply",
        "sender",
        "slot",
        "visits",
        "waited_us",
        "waits_for",
    )

    def __init__(
        self,
        flow: Flow[Any],
        id: str,
        sender: Sender,
        number: int,
        visits: dict[str, int],
        on_end: Callable[[Task, str, Any], None],
        reply: Callable[[str, int], None] | None = None,
        cause: int = -1,
    ) -> None:
        self.flow = flow
        self.id = id
        self.sender = sender
        self.number = number
        self.block, self.slot = number >> 10 << 20, number & 1023
        self.visits = visits
        self.on_end = on_end
        self.reply = reply
        self.cause = cause
        self.waits_for: Sending | str = ""
        self.asks = 0
        self.frozen_us = 0
        self.waited_us = 0

    def visit(self, what: str) -> int:
        """The how-manieth time this order (or tick) draws for that: 0 at first."""
        count = self.visits.get(what, 0)
        self.visits[what] = count + 1
        return count


class Performer:
    """The timed performer: one `async` protocol, SimPy's clock."""

    def __init__(self, design: Architecture, kernel: Kernel, streams: Streams, wire: Wire) -> None:
        self.design = design
        self.kernel = kernel
        self.jitter = streams.uniform("patience/jitter")
        self.wire = wire
        self.pauses = wire.pauses
        self.frozen = 0
        self.ahead: dict[str, int] = {}
        self.hurries: list[RetryStorm] = []
        self.guards: dict[str, Guards] = {}
        wire.go = self._go
        wire.freezes = self.freezes_after
        wire.fail = self.fail
        wire.kill = self.kill

    def start(self, task: Task) -> None:
        """Begin a flow now."""
        self._go(task, task.flow.send, None)

    def resume(self, task: Task, answer: Any) -> None:
        """Give a flow what it waited for."""
        self._go(task, task.flow.send, answer)

    def fail(self, task: Task, silence: Exception) -> None:
        """Tell a flow that there is no answer."""
        task.waits_for = ""
        self._go(task, task.flow.throw, silence)

    def kill(self, task: Task) -> None:
        """End a flow where it stands."""
        task.waits_for = "killed"
        task.flow.close()
        task.on_end(task, KILLED, None)

    def _go(self, task: Task, give: Callable[[Any], Any], answer: Any) -> None:
        while True:
            try:
                effect = give(answer)
            except StopIteration as stop:
                task.waits_for = "ended"
                task.on_end(task, DONE, stop.value)
                return
            except PatienceEnded:
                task.waits_for = "ended"
                task.on_end(task, GAVE_UP, None)
                return
            kind = type(effect)
            if kind is Send:
                if self.hurries:
                    self.hurry(effect)
                if self.pauses:
                    visit = task.visits.get(effect.ask.verb, 0)
                    if self._freezes(task, effect.ask, visit, "before", partial(self.wire.send, task, effect)):
                        return
                self.wire.send(task, effect)
                return
            give = task.flow.send
            if kind is Within:
                now = self.kernel.now if not self.ahead else self.shown(task)
                answer = now - effect.since < effect.limit_us
            elif kind is Reply:
                answer = None
                if task.reply is not None:
                    task.reply(effect.answer, task.cause)
            elif kind is Backoff:
                longest = effect.longest_us
                for storm in self.hurries:
                    longest = int(longest * storm.patience)
                if effect.kind == "full":  # anything up to the exponential bound
                    wait_us = int(self.jitter.draw(task.number, task.visit("jitter")) * longest)
                else:
                    wait_us = self.wait_us(task, effect, longest)
                task.waits_for = "backoff"
                self.kernel.after(wait_us, self._woken, task)
                return
            elif kind is Hedge:
                self.send_hedged(task, effect)
                return
            elif kind is Permit:
                answer = self.guards_of(task).permit(effect, self.kernel.now)
                self.note(task, effect.service)
            elif kind is Heard:
                self.guards_of(task).hear(effect, self.kernel.now)
                answer = None
                self.note(task, effect.service)
            else:
                raise TypeError(f"the timed world cannot perform {effect!r}")

    def send_hedged(self, task: Task, effect: Hedge[Any]) -> None:
        """As any ask is sent; a task that stands still before it asks hedges when it wakes."""
        self.hurry(effect)
        visit, ask = task.visits.get(effect.ask.verb, 0), effect.ask
        if not self._freezes(task, ask, visit, "before", partial(self.wire.send_hedged, task, effect)):
            self.wire.send_hedged(task, effect)

    def wait_us(self, task: Task, backoff: Backoff, longest_us: int) -> int:
        """How long to wait before the next try, in the kinds that are not the usual one."""
        if backoff.kind == "none":
            return 0
        if backoff.kind == "exponential":
            return longest_us
        luck: float = self.jitter.draw(task.number, task.visit("jitter"))
        if backoff.kind == "equal":
            return longest_us - int((1 - luck) * longest_us / 2)
        before_us = task.waited_us if backoff.attempt else backoff.base_us
        task.waited_us = min(backoff.cap_us, backoff.base_us + int(luck * (3 * before_us - backoff.base_us)))
        return min(task.waited_us, longest_us) if self.hurries else task.waited_us

    # -- breakers and budgets

    # Simplified: all askers of a place share their breakers and budgets, at once and for free; matters when each worker
    # has its own, which takes longer to learn and saves up more credit.
    def guards_of(self, task: Task) -> Guards:
        place = task.sender.place
        guards = self.guards.get(place)
        if guards is None:
            guards = self.guards[place] = Guards(self.design.policy)
        return guards

    def note(self, task: Task, service: str) -> None:
        """Write down what a breaker or a budget has done."""
        sender = task.sender
        for change in self.guards_of(task).told(service):
            self.wire.recorder.history.state(
                self.kernel.now, change.operation, kind="mark", op_id=task.id, key=service, actor=sender.actor,
                place=sender.place, answer=change.answer, from_state=change.from_state, to_state=change.to_state,
                cause=task.cause,
            )  # fmt: skip

    def hurry(self, sent: Send[Any]) -> None:
        """In a storm nobody waits as long as he meant to."""
        for storm in self.hurries:
            sent.timeout_us = int(sent.timeout_us * storm.patience)
            if sent.attempt:
                storm.struck()

    def shown(self, task: Task) -> int:
        """What the clock shows where the task is: `ahead` says of places how wrong it is, microseconds."""
        return self.kernel.now + self.ahead.get(task.sender.place, 0)

    # -- standing still

    def freezes_after(self, task: Task, asked: Sending, answer: Any) -> bool:
        """Does the task stand still after hearing this answer?"""
        go_on = partial(self._go, task, task.flow.send, answer)
        return self._freezes(task, asked.ask, asked.visit, "after", go_on)

    def _freezes(self, task: Task, ask: Any, visit: int, when: str, go_on: Callable[[], None]) -> bool:
        """Does the task stand still here? Then it goes on later, unless it is killed in its sleep."""
        for freezes in self.pauses.get(ask.verb, ()):
            if (length_us := freezes(task, ask.verb, visit, when)) is not None:
                task.waits_for = "waking"
                task.cause = self._mark("paused", task, ask, when, self.kernel.now + length_us)
                self.frozen += 1
                self.kernel.after(length_us, self._wake, (task, ask, when, go_on))
                return True
        return False

    def _wake(self, what: tuple[Task, Any, str, Callable[[], None]]) -> None:
        """It knows nothing of the time that has passed."""
        task, ask, when, go_on = what
        self.frozen -= 1
        if task.waits_for == "waking":
            task.cause = self._mark("woke", task, ask, when, -1)
            go_on()

    def _mark(self, what: str, task: Task, ask: Any, when: str, until_us: int) -> int:
        sender = task.sender
        return self.wire.recorder.history.state(
            self.kernel.now, what, kind="mark", op_id=task.id, key=ask.verb, actor=sender.actor, place=sender.place,
            order=ask.about()[0], answer=when, deadline=until_us, cause=task.cause,
        )  # fmt: skip

    def _woken(self, task: Task) -> None:
        if task.waits_for == "backoff":
            self.resume(task, None)
