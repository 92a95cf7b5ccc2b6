"""What lies in a kv store: a member of some strength, and on top of it what a service makes of keys and values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from typing import Any, ClassVar, TypeAlias

from orderquake.model.flow import Change
from orderquake.model.kv import Kv
from orderquake.model.spread import Letter, NotYet
from orderquake.model.taubyte import Holder

MakeKv: TypeAlias = Callable[[int, int, Mapping[str, Any]], Kv]
"""Makes a member, told its number, how many there are, and what they begin with."""


class InKv(ABC):
    """A service that keeps all it knows in a kv store.

    opening   keys and values that it begins with
    writes    verbs of asks that put something
    """

    writes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, kv: Kv, opening: Mapping[str, Any]) -> None:
        self.kv = kv
        self.opening = opening
        self.journal: list[Change] = []

    @abstractmethod
    def over(self, kv: Kv) -> InKv:
        """The same service as it was in the beginning, over another member."""

    def spread(self, make: MakeKv, of: int) -> list[InKv]:
        """Fresh members of another strength."""
        return [self.over(make(number, of, self.opening)) for number in range(of)]

    @abstractmethod
    def answer(self, ask: Any, now_us: int) -> Any:
        """What the service makes of an ask."""

    @abstractmethod
    def keys(self, ask: Any) -> tuple[str, ...] | None:
        """Keys that must be read to answer; None for all of them, () where nothing is read."""

    def handle(self, ask: Any, now_us: int) -> Any:
        self.notice(now_us)  # a coordinator has read meanwhile what others wrote
        made = self.kv.made
        answer = self.answer(ask, now_us)
        self.notice(now_us)
        if isinstance(self.kv, Holder):  # what has been written here is acknowledged when a second holder has it
            names = [self.kv.push(entry, now_us) for entry in self.kv.made_since(made)]
            if names and names[-1] is not None:
                return NotYet(names[-1], answer)
        return answer

    def notice(self, now_us: int) -> None:
        """Values of some keys may be others than before."""
        changed, self.kv.changed = self.kv.changed, []
        for key in changed:
            self.changed(key, self.kv.get(key), now_us)

    def changed(self, key: str, value: Any, now_us: int) -> None:  # noqa: B027  # most keep nothing beside
        """A key has another value; for who keeps something beside the store."""

    def lose_everything(self) -> None:
        """The member forgets what it knows; nobody is told. What others have made, they will tell again."""
        self.kv.forget()
        self.notice(0)

    # -- one of several

    @property
    def outbox(self) -> list[Letter]:
        return self.kv.outbox

    @outbox.setter
    def outbox(self, letters: list[Letter]) -> None:
        self.kv.outbox = letters

    @property
    def done(self) -> list[Hashable]:
        return self.kv.done

    @done.setter
    def done(self, names: list[Hashable]) -> None:
        self.kv.done = names

    def hear(self, sender: int, says: Any, now_us: int) -> None:
        self.kv.hear(sender, says, now_us)
        self.notice(now_us)

    def tick(self, now_us: int) -> None:
        self.kv.tick(now_us)

    def snapshot(self) -> Hashable:
        return self.kv.snapshot()

    def restore(self, snapshot: Any) -> None:
        self.kv.restore(snapshot)
        self.journal.clear()
