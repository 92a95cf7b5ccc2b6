"""Asking again: the one place where silence and refusal are met. The ask is the same each time, and so is its key."""

from __future__ import annotations

from typing import TypeVar

from orderquake.model.flow import Ask, Backoff, PatienceEnded, Send, Silence
from orderquake.model.policy import Patience

A = TypeVar("A")


async def patiently(ask: Ask[A], patience: Patience) -> A:
    """Send an ask until it is answered.

    raises   PatienceEnded when it was not; the flow then stops as if killed, and nothing is known
    """
    for attempt in range(patience.attempts):
        if attempt:
            await Backoff(patience.base_us, patience.cap_us, attempt - 1)
        try:
            answer: A = await Send(ask, patience.timeout_us, attempt)
            return answer
        except Silence:
            continue
    raise PatienceEnded(ask.verb)
