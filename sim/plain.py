"""The plainest world: a loop that performs a flow at once, against the stores, with nothing going wrong.

Good for unit tests and for reading; there is no time but the moment that one passes in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from orderquake.model.architecture import Architecture
from orderquake.model.flow import GO, Backoff, Flow, Heard, NoReply, PatienceEnded, Permit, Reply, Send, Store, Within
from orderquake.model.payment import ServerError
from orderquake.model.work_queue import Empty

A = TypeVar("A")


def perform(flow: Flow[A], stores: Mapping[str, Store], now_us: int = 0) -> A:
    """Perform a flow to its end and return what it returns."""
    give: Callable[[Any], Any] = flow.send
    answer: Any = None
    while True:
        try:
            effect: Any = give(answer)
        except StopIteration as stop:
            result: A = stop.value
            return result
        give = flow.send
        match effect:
            case Send(ask):
                answer = stores[ask.service].handle(ask, now_us)
                if isinstance(answer, ServerError):
                    give, answer = flow.throw, NoReply()
            case Within(since, limit_us):
                answer = now_us - since < limit_us
            case Permit():
                answer = GO  # nothing goes wrong here, so nobody is ever held back
            case Backoff() | Reply() | Heard():
                answer = None
            case _:
                raise TypeError(f"the plain world cannot perform {effect!r}")


def work_off(design: Architecture, stores: Mapping[str, Store], now_us: int = 0) -> None:
    """Let one worker take orders from the queue and advance them until nobody waits."""
    while not isinstance(leased := perform(design.take(), stores, now_us), Empty):
        try:
            while perform(design.advance(leased.order_id), stores, now_us):
                pass
        except PatienceEnded:
            continue
        perform(design.hand_back(leased), stores, now_us)


def tick(design: Architecture, stores: Mapping[str, Store], flow: str, now_us: int = 0) -> None:
    """One tick of a job, all its pages."""
    arguments: tuple[Any, ...] = ()
    while (after := perform(design.start(flow, arguments), stores, now_us)) is not None:
        arguments = (after,)
