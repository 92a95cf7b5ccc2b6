"""A store that stands in several places at once: members that write letters to each other.

Each member answers on its own what it is asked, and says in letters what the others should hear of. Letters take their
time, and may be lost; a member that must be heard writes again. Nothing here knows how long a letter takes: whoever
performs the store carries its post.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, Protocol

from orderquake.model.flow import Change


class Letter(NamedTuple):
    """to: the number of a member, or EVERYBODY for all others."""

    to: int
    says: Hashable


EVERYBODY = -1


class Elsewhere(NamedTuple):
    """The answer of a member that cannot answer: ask that one. Never heard by a flow."""

    member: int


class NotYet(NamedTuple):
    """The answer of a member that will not say yet that it is done: it waits for one of the others. Never heard by a
    flow.

    waits_for   under this name the member will be heard to be done, in `done`
    answer      what it will say then
    """

    waits_for: Hashable
    answer: Any


class Member(Protocol):
    """One member of a store.

    outbox   letters that wait for whoever carries the post
    done     names of `NotYet` answers that may now be given
    """

    journal: list[Change]
    outbox: list[Letter]
    done: list[Hashable]

    def handle(self, ask: Any, now_us: int) -> Any: ...
    def hear(self, sender: int, says: Any, now_us: int) -> None: ...
    def tick(self, now_us: int) -> None:
        """Some time has passed: whoever must be heard writes again."""

    def snapshot(self) -> Hashable: ...
    def restore(self, snapshot: Any) -> None: ...


class Spread:
    """All members as one store, for whoever has no time: each letter is delivered before the next ask.

    make   makes one member, told its number and how many there are
    """

    def __init__(self, make: Callable[[int, int], Member], of: int = 1) -> None:
        self.make = make
        self.members = self.over(of)

    def over(self, of: int) -> list[Member]:
        """Fresh members."""
        return [self.make(number, of) for number in range(of)]

    @property
    def journal(self) -> list[Change]:
        """What all members have done since the last ask; the first one's journal is everybody's."""
        first = self.members[0].journal
        for member in self.members[1:]:
            first.extend(member.journal)
            member.journal.clear()
        return first

    @journal.setter
    def journal(self, changes: list[Change]) -> None:
        for member in self.members:
            member.journal = []
        self.members[0].journal = changes

    def handle(self, ask: Any, now_us: int) -> Any:
        answer = self.members[0].handle(ask, now_us)
        while isinstance(answer, Elsewhere):
            answer = self.members[answer.member].handle(ask, now_us)
        self.deliver(now_us)
        return answer.answer if isinstance(answer, NotYet) else answer

    def deliver(self, now_us: int) -> None:
        """All letters, and the answers to them."""
        while any(member.outbox for member in self.members):
            for sender, member in enumerate(self.members):
                letters, member.outbox = member.outbox, []
                for to, says in letters:
                    for number, other in enumerate(self.members):
                        if to == number or (to == EVERYBODY and number != sender):
                            other.hear(sender, says, now_us)
                member.done.clear()

    def snapshot(self) -> Hashable:
        return tuple(member.snapshot() for member in self.members)

    def restore(self, snapshot: Any) -> None:
        for member, kept in zip(self.members, snapshot, strict=True):
            member.restore(kept)
