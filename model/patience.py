"""Asking again: the one place where silence and refusal are met. The ask is the same each time, and so is its key."""

from __future__ import annotations

from collections.abc import Generator
from types import coroutine
from typing import Any, TypeVar

from orderquake.model.flow import Ask, Backoff, Effect, PatienceEnded, Send, Silence
from orderquake.model.policy import Patience

A = TypeVar("A")


@coroutine
def patiently(ask: Ask[A], patience: Patience) -> Generator[Effect[Any], Any, A]:
    """Send an ask until it is answered; to be awaited. (A generator: every ask comes through here.)

    raises   PatienceEnded when it was not; the flow then stops as if killed, and nothing is known
    """
    for attempt in range(patience.attempts):
        if attempt:
            yield Backoff(patience.base_us, patience.cap_us, attempt - 1)
        try:
            answer: A = yield Send(ask, patience.timeout_us, attempt)
            return answer
        except Silence:
            continue
    raise PatienceEnded(ask.verb)
