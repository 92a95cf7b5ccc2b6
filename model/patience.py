"""Asking again: the one place where silence and refusal are met. The ask is the same each time, and so is its key."""

from __future__ import annotations

from collections.abc import Generator
from types import coroutine
from typing import Any, TypeVar

from orderquake.model.flow import OPEN, SPENT, Ask, Backoff, Effect, Heard, Hedge, PatienceEnded, Permit, Send, Silence
from orderquake.model.policy import Patience

A = TypeVar("A")


@coroutine
def patiently(ask: Ask[A], patience: Patience) -> Generator[Effect[Any], Any, A]:
    """Send an ask until it is answered; to be awaited. (A generator: every ask comes through here.)

    raises   PatienceEnded when it was not; the flow then stops as if killed, and nothing is known
    """
    for attempt in range(patience.attempts):
        if attempt:
            yield Backoff(patience.base_us, patience.cap_us, attempt - 1, patience.backoff)
        try:
            answer: A = yield Send(ask, patience.timeout_us, attempt)
            return answer
        except Silence:
            continue
    raise PatienceEnded(ask.verb)


@coroutine
def guardedly(ask: Ask[A], patience: Patience) -> Generator[Effect[Any], Any, A]:
    """The same where a breaker or a budget has a say before each try, and hears how it went; and where a try is hedged.

    An open breaker costs a try, but sends nothing; a budget that is spent ends the patience at once.
    """
    for attempt in range(patience.attempts):
        if attempt:
            yield Backoff(patience.base_us, patience.cap_us, attempt - 1, patience.backoff)
        permission = yield Permit(ask.service, attempt)
        if permission == OPEN:
            continue
        if permission == SPENT:
            break
        is_answered = True
        answer: A | None = None
        try:
            if patience.hedge_after_us is None:
                answer = yield Send(ask, patience.timeout_us, attempt)
            else:
                answer = yield Hedge(ask, patience.timeout_us, attempt, patience.hedge_after_us)
        except Silence:
            is_answered = False
        yield Heard(ask.service, is_answered)
        if is_answered:
            return answer  # type: ignore[return-value]  # an answer may be None only where A says so
    raise PatienceEnded(ask.verb)
