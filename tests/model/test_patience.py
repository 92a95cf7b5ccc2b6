"""Patience: the same ask again, after a while, so often and no more."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model.flow import Backoff, NoReply, PatienceEnded, Refused, Send
from orderquake.model.patience import patiently
from orderquake.model.policy import Patience
from orderquake.model.stock import AskStatus

ASK = AskStatus()
PATIENCE = Patience(timeout_us=7, attempts=3, base_us=10, cap_us=15)


def effects(*replies: Any) -> tuple[list[Any], Any]:
    """What a patient asker does when it hears these replies, and what it returns."""
    flow = patiently(ASK, PATIENCE)
    seen: list[Any] = []
    give: Any = flow.send
    heard: Any = None
    left = list(replies)
    try:
        while True:
            effect = give(heard)
            seen.append((effect.ask, effect.timeout_us, effect.attempt) if isinstance(effect, Send) else effect)
            give, heard = flow.send, None
            if isinstance(effect, Send):
                heard = left.pop(0)
                if isinstance(heard, Exception):
                    give = flow.throw
    except StopIteration as stop:
        return seen, stop.value


def test_an_answer_ends_it() -> None:
    assert effects("yes") == ([(ASK, 7, 0)], "yes")


@pytest.mark.parametrize("answer", [0, (), "", None])
def test_an_answer_that_counts_as_false_is_an_answer(answer: object) -> None:
    seen, returned = effects(answer)
    assert (len(seen), returned) == (1, answer)


@pytest.mark.parametrize("silence", [NoReply(), Refused()])
def test_after_silence_the_same_is_asked_again(silence: Exception) -> None:
    assert effects(silence, "yes") == ([(ASK, 7, 0), Backoff(10, 15, 0), (ASK, 7, 1)], "yes")


def test_patience_ends_after_so_many_attempts() -> None:
    with pytest.raises(PatienceEnded):
        effects(NoReply(), NoReply(), NoReply(), "too late")


def test_a_mistake_is_not_silence() -> None:
    with pytest.raises(KeyError):
        effects(KeyError("mistake"), "never asked")


@pytest.mark.parametrize(("attempt", "longest_us"), [(0, 10), (1, 20), (2, 40), (3, 50), (400, 50)])
def test_the_longest_wait_doubles_up_to_its_cap(attempt: int, longest_us: int) -> None:
    assert Backoff(10, 50, attempt).longest_us == longest_us
