"""Registers: a value under each key, written and read; and one that is written only by who knows what stands there.

The smallest services there are, and what is asked of any store by keys and values.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from orderquake.sim.linear.model import NOBODY_KNOWS, Model

DONE = "done"
OTHERWISE = "otherwise"
"""The answer of a compare-and-set that found something else."""


class Read(NamedTuple):
    key: str


class Write(NamedTuple):
    key: str
    value: Hashable


class Swap(NamedTuple):
    """Write `value` if `expected` stands there: compare and set."""

    key: str
    expected: Hashable
    value: Hashable


class Register(Model[Hashable]):
    """A value under each key. Answers: of a read the value, of a write DONE, of a swap DONE or OTHERWISE.

    >>> Register().step(0, Write("x", 1), DONE), Register().step(0, Read("x"), 1)
    ((True, 1), (False, 0))
    """

    def __init__(self, opening: Hashable = None) -> None:
        self.opening = opening

    def start(self, part: str) -> Hashable:
        return self.opening

    def part(self, asked: Any) -> str:
        key: str = asked.key
        return key

    def step(self, state: Hashable, asked: Any, answer: Any) -> tuple[bool, Hashable]:
        if isinstance(asked, Read):
            return answer is NOBODY_KNOWS or answer == state, state
        if isinstance(asked, Write):
            return answer in (DONE, NOBODY_KNOWS), asked.value
        if answer == OTHERWISE:
            return state != asked.expected, state
        return state == asked.expected, asked.value

    def looks(self, asked: Any, answer: Any) -> bool:
        return isinstance(asked, Read) or answer == OTHERWISE

    def tell(self, asked: Any, answer: Any) -> str:
        match asked:
            case Read(key):
                said = f"read {key}"
            case Write(key, value):
                said = f"write {key} = {value}"
            case _:
                said = f"set {asked.key} from {asked.expected} to {asked.value}"
        return said if answer is NOBODY_KNOWS else f"{said} -> {answer}"

    def tell_state(self, part: str, state: Hashable) -> str:
        return f"{part} is {state}"
