"""A circuit breaker: whoever was not answered several times in a row stops asking for a while, and then tries with one.

A small store beside the asker, not behind a network: it is asked before every try and told afterwards. There is no
service's name in this file, and no wait: who finds it open is refused at once.
source   M. Nygard, "Release It!" (2007), chapter 5.2
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Literal, TypeAlias, assert_never

from orderquake.model.flow import Change, Effect, effect
from orderquake.model.policy import BreakerPolicy

BreakerState: TypeAlias = Literal["closed", "open", "half_open"]


@effect
class Try(Effect[bool]):
    """May one ask now?"""


@effect
class Tried(Effect[None]):
    """One has asked. is_answered: something came back, whatever it was."""

    is_answered: bool


class Breaker:
    """Closed: all may ask. Open: nobody, for so long. Half open: one at a time, until enough were answered."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self.journal: list[Change] = []
        self.policy = policy
        self.state: BreakerState = "closed"
        self.failures = 0  # in a row
        self.answered = 0  # probes, since it was opened
        self.since_us = 0  # when it was opened, or the last probe was let pass
        self.is_probing = False

    def handle(self, ask: Try | Tried, now_us: int) -> bool | None:
        match ask:
            case Try():
                return self.may_ask(now_us)
            case Tried(is_answered):
                self.hear(is_answered, now_us)
                return None
            case _:
                assert_never(ask)

    def may_ask(self, now_us: int) -> bool:
        if self.state == "closed":
            return True
        # A probe whose asker died is never told of; after as long as the breaker stays open, another may go.
        if (self.state == "half_open" and not self.is_probing) or now_us - self.since_us >= self.policy.open_us:
            self.turn("half_open")
            self.is_probing, self.since_us = True, now_us
            return True
        return False

    def hear(self, is_answered: bool, now_us: int) -> None:
        if self.state == "closed":
            self.failures = 0 if is_answered else self.failures + 1
            if self.failures >= self.policy.failures:
                self.open(now_us)
        elif self.state == "half_open":
            self.is_probing = False
            self.answered += is_answered
            if not is_answered:
                self.open(now_us)
            elif self.answered >= self.policy.probes:
                self.turn("closed")
                self.failures = 0
        # Open: an answer to what was asked before it opened changes nothing.

    def open(self, now_us: int) -> None:
        self.turn("open")
        self.since_us, self.answered, self.is_probing = now_us, 0, False

    def turn(self, state: BreakerState) -> None:
        if state != self.state:
            self.journal.append(Change("breaker", from_state=self.state, to_state=state, answer=state))
            self.state = state

    def snapshot(self) -> Hashable:
        return self.state, self.failures, self.answered, self.since_us, self.is_probing

    def restore(self, snapshot: Any) -> None:
        self.state, self.failures, self.answered, self.since_us, self.is_probing = snapshot
