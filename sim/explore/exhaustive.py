"""Every interleaving of a few orders and jobs, at small scope: the exhaustive performer.

The same flows, the same stores, the same fold checkers as in the timed world; only here nobody draws anything. A state
is what the stores remember, where each flow stands (its name, its arguments, the answers so far) and what the checkers
have seen. From each state, every party that can go on is let go on by one ask. Searched shortest first, so the first
violation found has the shortest story.

Nothing fails here: no crash, no lost answer, no lapse. Time stands still; `Within` is always true. It spares
nothing and is easy to follow; what can be said of larger scopes, and of faults, is proved in `proof/`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from orderquake.model.architecture import Architecture
from orderquake.model.flow import GO, Backoff, Heard, NoReply, Permit, Reply, Send, Within
from orderquake.model.order import Order
from orderquake.model.payment import ServerError
from orderquake.sim.checkers.fold import Checker, Judge
from orderquake.sim.history import History, Row
from orderquake.sim.plain import perform
from orderquake.sim.recorder import Recorder, name_of, values_of

TOLD = frozenset(
    {
        "charge", "authorise", "capture_hold", "void_hold", "refund", "reserve", "consume", "release", "read_changes",
        "refresh", "post", "settle", "get_count", "put_count", "copy_count",
        "claim", "give_up_claim", "supply",
    }
)  # fmt: skip
"""Asks that make a step of a story: another party later reads what they change. Status writes and notices fold."""


class Stand(NamedTuple):
    """Where one party stands: the flow it is in, and the answers that brought it there; `left` runs still to begin."""

    flow: str
    arguments: tuple[Any, ...]
    answers: tuple[Any, ...]
    left: int


class Step(NamedTuple):
    """One ask of a story. `is_told` if it counts as a step; the others are folded."""

    party: str
    ask: Any
    answer: Any
    is_told: bool

    def __str__(self) -> str:
        return f"{self.party}: {self.ask.verb} -> {name_of(self.answer)}"


@dataclass
class Proof:
    """What a search covered, and what it found.

    states, transitions   explored in all
    violation             checker -> reason, of the shortest story; empty if there is none
    story                 the asks that lead to it, in order
    is_complete           nothing in scope was left out
    """

    scope: str
    states: int = 0
    transitions: int = 0
    violation: Mapping[str, str] = field(default_factory=dict)
    story: Sequence[Step] = ()
    is_complete: bool = False
    finals: set[Hashable] = field(default_factory=set, repr=False)

    @property
    def steps(self) -> int:
        """Length of the story in steps that count."""
        return sum(step.is_told for step in self.story)

    def __str__(self) -> str:
        covered = f"{self.scope}: {self.states:,} states, {self.transitions:,} transitions"
        if not self.violation:
            return f"{covered}; nothing violated" + ("" if self.is_complete else ", but the search was cut short")
        told = "; ".join(f"{name}: {reason}" for name, reason in self.violation.items())
        return f"{covered}; {told}, in {self.steps} steps\n" + "\n".join(
            f"  {number:2}  {step}" for number, step in enumerate((s for s in self.story if s.is_told), start=1)
        )


class Exhaustive:
    """The search. What is a pure function of hashable values is remembered: flows by their answers, stores by snapshot
    and ask."""

    def __init__(
        self,
        design: Architecture,
        orders: Sequence[Order],
        opening: Mapping[str, int],
        checkers: Sequence[Checker[Any]],
        jobs: Mapping[str, int],
        limits: str,
    ) -> None:
        self.design = design
        self.stores = design.stores(opening)
        self.names = tuple(self.stores)
        self.judge = Judge(checkers)
        self.history = History()
        recorder = Recorder(self.history)
        self.stands: dict[Any, Any] = {}
        self.handled: dict[tuple[str, Hashable, Any], tuple[Hashable, Any, tuple[Any, ...]]] = {}
        for sku, units in opening.items():
            self.history.state(0, "opening", kind="config", sku=sku, units=units, version=0, witness="outside")
        self.history.state(0, "limits", kind="config", answer=limits)
        for order in orders:
            perform(design.register(order), self.stores)
            for name, store in self.stores.items():
                recorder.acted(0, store.journal, "", name, "")
                store.journal.clear()
        self.heard = len(self.history)
        self.parties = tuple(f"order {order.id}" for order in orders) + tuple(jobs)
        self.first = tuple(Stand("advance", (order.id,), (), 0) for order in orders) + tuple(
            Stand(flow, (), (), runs) for flow, runs in jobs.items()
        )
        self.scope = f"{len(orders)} orders, {sum(opening.values())} units, " + ", ".join(
            f"{flow} x{runs}" for flow, runs in jobs.items()
        )

    # -- flows, as functions of the answers so far

    def next_of(self, flow: str, arguments: tuple[Any, ...], answers: tuple[Any, ...]) -> Any:
        """The ask that a flow makes after these answers, or (what it returns,) where it ends."""
        # Answers without fields are equal whatever they are called: `Pinned() == Lapsed()`.
        key = (flow, arguments, tuple((type(answer), answer) for answer in answers))
        if key not in self.stands:
            self.stands[key] = self.rerun(flow, arguments, answers)
        return self.stands[key]

    def rerun(self, flow: str, arguments: tuple[Any, ...], answers: tuple[Any, ...]) -> Any:
        coroutine = self.design.start(flow, arguments)
        left = deque(answers)
        give, answer = coroutine.send, None
        try:
            while True:
                effect: Any = give(answer)
                give = coroutine.send
                match effect:
                    case Send(ask):
                        if not left:
                            coroutine.close()
                            return ask
                        answer = left.popleft()
                        if isinstance(answer, ServerError):
                            give, answer = coroutine.throw, NoReply()
                    case Within():
                        answer = True
                    case Permit():
                        answer = GO
                    case Backoff() | Reply() | Heard():
                        answer = None
                    case _:
                        raise TypeError(f"the exhaustive world cannot perform {effect!r}")
        except StopIteration as stop:
            return (stop.value,)

    def handle(self, service: str, before: Hashable, ask: Any) -> tuple[Hashable, Any, tuple[Any, ...]]:
        """What a store in this state remembers, answers and reports after an ask."""
        key = (service, before, ask)
        if key not in self.handled:
            store = self.stores[service]
            store.restore(before)
            answer = store.handle(ask, 0)
            self.handled[key] = (store.snapshot(), answer, tuple(store.journal))
            store.journal.clear()
        return self.handled[key]

    # -- the search

    def search(self, limit: int = 2_000_000) -> Proof:
        """Look at every reachable state, shortest stories first; stop at a violation or after `limit` states."""
        proof = Proof(self.scope)
        self.judge.hear(self.history)
        start = (
            tuple(store.snapshot() for store in self.stores.values()),
            self.first,
            self.judge.snapshot(),
        )
        cost: dict[Any, int] = {start: 0}
        came: dict[Any, tuple[Any, Step] | None] = {start: None}
        queue = deque([(0, start)])
        while queue:
            so_far, state = queue.popleft()
            if cost[state] < so_far:
                continue
            proof.states += 1
            if proof.states > limit:
                return proof
            moves = list(self.moves(state))
            if not moves:
                proof.finals.add(state[0])
            for following, step in moves:
                proof.transitions += 1
                price = so_far + step.is_told
                if cost.get(following, price + 1) <= price:
                    continue
                cost[following] = price
                came[following] = (state, step)
                # A folded step costs nothing: its end is looked at before all that costs one more.
                (queue.append if step.is_told else queue.appendleft)((price, following))
            if violation := self.violation(state):
                proof.violation = violation
                proof.story = self.story(came, state)
                return proof
        proof.is_complete = True
        return proof

    def moves(self, state: Any) -> Any:
        """Every party that can go on, by one ask."""
        snapshots, stands, judged = state
        for who, stand in enumerate(stands):
            if not stand.flow:
                continue
            ask = self.next_of(stand.flow, stand.arguments, stand.answers)
            place = self.names.index(ask.service)
            after, answer, journal = self.handle(ask.service, snapshots[place], ask)
            if journal:
                judged_after = self.hear(judged, journal)
            else:
                judged_after = judged
            moved = self.settled(stand._replace(answers=(*stand.answers, answer)))
            following = (
                (*snapshots[:place], after, *snapshots[place + 1 :]),
                (*stands[:who], moved, *stands[who + 1 :]),
                judged_after,
            )
            yield following, Step(self.parties[who], ask, answer, ask.verb in TOLD)

    def settled(self, stand: Stand) -> Stand:
        """A flow that has ended begins anew where more is to be done; a party at its loop head remembers nothing."""
        following = self.next_of(stand.flow, stand.arguments, stand.answers)
        if not isinstance(following, tuple) or hasattr(following, "verb"):
            return stand
        (returned,) = following
        if stand.flow == "advance":
            return stand._replace(answers=()) if returned else Stand("", (), (), 0)
        if returned is not None:
            return stand._replace(arguments=(returned,), answers=())
        return Stand(stand.flow, (), (), stand.left - 1) if stand.left > 1 else Stand("", (), (), 0)

    def hear(self, judged: Hashable, journal: tuple[Any, ...]) -> Hashable:
        """The checkers' states after what a service did."""
        self.judge.restore(judged)
        for change in journal:
            self.heard += 1  # no two rows of a search share an index, whatever branch they stand on
            self.judge.step(Row(self.heard, *values_of(change, 0, "", 0, "", "", -1)))
        return self.judge.snapshot()

    def violation(self, state: Any) -> dict[str, str]:
        self.judge.restore(state[2])
        return {name: verdict.reason for name, verdict in self.judge.verdicts().items() if verdict.status == "invalid"}

    @staticmethod
    def story(came: Mapping[Any, tuple[Any, Step] | None], state: Any) -> list[Step]:
        steps: list[Step] = []
        while (before := came[state]) is not None:
            state, step = before
            steps.append(step)
        return steps[::-1]
