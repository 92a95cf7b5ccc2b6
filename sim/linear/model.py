"""What a single, undivided service would do, asked one thing at a time; and what was really asked of one, by whom.

Everything here is generic: no service is named, and no history is read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Any, Generic, NamedTuple, TypeVar

S = TypeVar("S", bound=Hashable)

NOBODY_KNOWS = None
"""The answer of an operation that was never answered: it may have taken effect, may still, or never will."""


class Operation(NamedTuple):
    """One thing that was asked.

    call     when it was asked: the index of a row, or any number that grows with time
    back     when the answer was heard; None where it was not, so that it may take effect at any later time, or never
    asked    what was asked, in the words of a model
    answer   what was answered; NOBODY_KNOWS where `back` is None
    who      for the telling: a worker, a job
    rows     for the telling: the rows of a history that it was read from
    """

    call: int
    back: int | None
    asked: Any
    answer: Any = NOBODY_KNOWS
    who: str = ""
    rows: tuple[int, ...] = ()


class Model(ABC, Generic[S]):
    """The sequential specification of a service. States and what is asked are hashable and never change."""

    @abstractmethod
    def start(self, part: str) -> S:
        """The state before anything is asked of a part."""

    @abstractmethod
    def step(self, state: S, asked: Any, answer: Any) -> tuple[bool, S]:
        """Could this be answered so in this state; and the state afterwards.

        An answer of NOBODY_KNOWS: what happens if it takes effect now. One that would change nothing has none.
        """

    def looks(self, asked: Any, answer: Any) -> bool:
        """Does an operation that was answered so change nothing, whatever the state it is answered in?

        Only spares the search some ways; where in doubt, no.
        """
        return False

    def part(self, asked: Any) -> str:
        """Which independent part of the service this is about. Parts are judged one by one, which is enough: a whole is
        linearizable exactly if its parts are (Herlihy and Wing, 1990)."""
        return ""

    def tell(self, asked: Any, answer: Any) -> str:
        """An operation in words."""
        said = ", ".join(str(value) for value in asked) if isinstance(asked, tuple) else str(asked)
        return said if answer is NOBODY_KNOWS else f"{said} -> {answer}"

    def tell_state(self, part: str, state: S) -> str:
        """A state in words."""
        return str(state)
