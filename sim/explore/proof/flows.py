"""Flows, as functions of the answers so far: where each party stands, what it asks next, where an answer brings it.

A flow's state is its name, its arguments and the answers it has had; between its steps it is nothing. What the answers
are, and who is let go on, is decided elsewhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from orderquake.model.architecture import Architecture
from orderquake.model.flow import Ask, Backoff, NoReply, PatienceEnded, Reply, Send, Within
from orderquake.model.payment import ServerError
from orderquake.sim.explore.proof.services import Services
from orderquake.sim.explore.proof.values import Numbered, Renaming


class BrokenRule(Exception):
    """A flow has found one of the protocol's own rules broken."""


class Stand(NamedTuple):
    """Where a party stands.

    role      worker, second (a worker whose lease ran out), job, or cancel
    flow      "" for who has nothing to do
    answers   their numbers
    left      runs of a job that are still to begin, this one included
    """

    role: str
    flow: str
    arguments: tuple[Any, ...]
    answers: tuple[int, ...]
    left: int


RESTS = Stand("worker", "", (), (), 0)
ENDED = Stand("job", "", (), (), 0)
NOTHING = -1
"""In the place of an ask."""


class Flows:
    """Numbers for stands, and their next asks.

    remembers_time   moments pass: what `Within` said is part of where a flow stands
    always           limits of `Within` that never run out
    forgets_silence  who asks the same again after silence stands where it stood: all that it knows more is that it has
                     asked, and patience does not end within the faults of the scope
    """

    def __init__(
        self,
        design: Architecture,
        services: Services,
        remembers_time: bool,
        always: frozenset[int] = frozenset(),
        forgets_silence: bool = False,
    ) -> None:
        self.design = design
        self.services = services
        self.remembers_time = remembers_time
        self.always = always
        self.forgets_silence = forgets_silence
        self.stands = Numbered()
        self.asks: list[int] = []
        self.gone_on: dict[tuple[int, int, int], int] = {}
        self.silence = services.answers.number(NoReply)
        self.rests, self.ended = self.number(RESTS), self.number(ENDED)

    def number(self, stand: Stand, ask: int = NOTHING) -> int:
        number = self.stands.number(stand)
        if number == len(self.asks):
            self.asks.append(ask)
        return number

    def head(self, role: str, flow: str, arguments: tuple[Any, ...], left: int = 0) -> int:
        """The stand at the beginning of a step."""
        return self.settled(Stand(role, flow, arguments, (), left), 0)

    def after(self, stand: int, answer: int, clock: int) -> int:
        """The stand after an answer to its ask. raises   BrokenRule"""
        key = (stand, answer, clock)
        found = self.gone_on.get(key)
        if found is None:
            before: Stand = self.stands.values[stand]
            found = self.settled(before._replace(answers=(*before.answers, answer)), clock)
            if answer == self.silence and self.forgets_silence and self.asks[found] == self.asks[stand]:
                found = stand
            self.gone_on[key] = found
        return found

    def over(self, stand: int) -> int:
        """The stand of whoever begins anew after its worker or its run has died."""
        role, flow, arguments, _, left = self.stands.values[stand]
        if role == "worker":
            return self.head(role, flow, arguments)
        return self.head(role, flow, (), left) if role == "job" else self.ended

    def settled(self, stand: Stand, clock: int) -> int:
        """A flow that has ended begins anew where more is to be done; who begins anew remembers nothing."""
        ask, returned, answers = self.rerun(stand, clock)
        if ask is not None:
            return self.number(stand._replace(answers=answers), self.services.ask(ask))
        role, flow, arguments, _, left = stand
        if role == "worker":
            return self.head(role, flow, arguments) if returned else self.rests
        if role == "job" and returned is not None:
            return self.head(role, flow, (returned,), left)
        return self.head(role, flow, (), left - 1) if left > 1 else self.ended

    def rerun(self, stand: Stand, clock: int) -> tuple[Ask[Any] | None, Any, tuple[int, ...]]:
        """The ask that a flow makes after its answers, or None and what it returns; and the answers, with what
        `Within` has said since."""
        coroutine = self.design.start(stand.flow, stand.arguments)
        left, values, answers = deque(stand.answers), self.services.answers.values, stand.answers
        give, answer = coroutine.send, None
        try:
            while True:
                effect: Any = give(answer)
                give = coroutine.send
                match effect:
                    case Send(ask):
                        if not left:
                            coroutine.close()
                            return ask, None, answers
                        answer = values[left.popleft()]
                        if answer is NoReply or isinstance(answer, ServerError):
                            give, answer = coroutine.throw, NoReply()
                    case Within(since, limit_us):
                        if not self.remembers_time:
                            answer = self.services.moments[0] - since < limit_us
                        elif left:
                            answer = values[left.popleft()]
                        else:
                            answer = limit_us in self.always or self.services.moments[clock] - since < limit_us
                            answers = (*answers, self.services.answers.number(answer))
                    case Backoff() | Reply():
                        answer = None
                    case _:
                        raise TypeError(f"the exhaustive world cannot perform {effect!r}")
        except StopIteration as stop:
            return None, stop.value, answers
        except PatienceEnded:
            return None, None, answers
        except AssertionError as error:
            raise BrokenRule(str(error) or "an assertion without words") from error

    def renamed(self, stand: int, renaming: Renaming) -> Stand:
        """A stand with the orders in it called otherwise."""
        found: Stand = self.stands.values[stand]
        values = self.services.answers
        answers = tuple(values.number(renaming(values.values[answer])) for answer in found.answers)
        return found._replace(arguments=renaming(found.arguments), answers=answers)


def limits_of(policy: Any) -> Mapping[str, int]:
    """The bounds in time that a policy sets: name -> microseconds."""
    return {
        "reservation_ttl": policy.ttl_us,
        "decide_within": policy.decide_within_us,
        "send_horizon": policy.send_horizon_us,
        "key_retention": policy.key_retention_us,
    }
