"""An order's row as it should be: written only by who has seen its latest version.

A task is shown the row when it reads it, and its write succeeds exactly if nobody has written since: load-linked,
store-conditional, which is what a compare-and-set by version comes to where the history does not say the version.
Where the row's own changes are written down, their versions must count the writes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from orderquake.sim.linear.model import NOBODY_KNOWS, Model

UNHEARD = "written, unheard"
"""The answer of a write that took effect, as its row says, and of which its task did not hear."""
NOT_SAID = -1
"""Version of a write that left no row."""


class Registers(NamedTuple):
    order: str


class Reads(NamedTuple):
    order: str
    task: str


class Writes(NamedTuple):
    """version: what the row's own change says that it became; NOT_SAID where it says nothing."""

    order: str
    task: str
    version: int


class Batch(NamedTuple):
    """Written by a job, with others; only what its change says is known of it."""

    order: str
    version: int


class Row(NamedTuple):
    """version: 0 where there is none. shown: the version that each task was shown last."""

    version: int = 0
    shown: tuple[tuple[str, int], ...] = ()

    def shows(self, task: str, version: int) -> Row:
        others = tuple(each for each in self.shown if each[0] != task)
        return Row(self.version, (*others, (task, version)))


class OrderRows(Model[Row]):
    """All rows, a part for each order. Answers are as the Order Cache names them."""

    def start(self, part: str) -> Row:
        return Row()

    def part(self, asked: Any) -> str:
        order: str = asked.order
        return order

    def step(self, state: Row, asked: Any, answer: Any) -> tuple[bool, Row]:
        match asked:
            case Registers():
                if answer == "already_registered":
                    return state.version > 0, state
                return state.version == 0, Row(1, state.shown)
            case Reads(_, task):
                if answer == "not_registered":
                    return state.version == 0, state
                return state.version > 0, state.shows(task, state.version)
            case Batch(_, version):
                return version == state.version + 1, Row(version, state.shown)
        return self.write(state, asked, answer)

    def write(self, state: Row, asked: Writes, answer: Any) -> tuple[bool, Row]:
        seen = next((version for task, version in state.shown if task == asked.task), None)
        if answer == "conflict":
            return seen is None or seen != state.version, state
        is_next = state.version > 0 and asked.version in (NOT_SAID, state.version + 1)
        if not is_next or (seen is not None and seen != state.version):
            return False, state
        after = Row(state.version + 1, state.shown)
        return True, after if answer in (NOBODY_KNOWS, UNHEARD) or seen is None else after.shows(
            asked.task, after.version
        )

    def looks(self, asked: Any, answer: Any) -> bool:
        """A read that finds the row is none: it is remembered which version was shown."""
        return answer in ("already_registered", "not_registered", "conflict")

    def tell(self, asked: Any, answer: Any) -> str:
        match asked:
            case Registers(order):
                said = f"register {order}"
            case Reads(order, task):
                said = f"read {order}, task {task}"
            case Batch(order, version):
                return f"write {order} with others as version {version}"
            case _:
                as_what = f" as version {asked.version}" if asked.version != NOT_SAID else ""
                said = f"write {asked.order}{as_what}, task {asked.task}"
        return said if answer is NOBODY_KNOWS else f"{said} -> {answer}"

    def tell_state(self, part: str, state: Row) -> str:
        shown = ", ".join(f"{task} has seen {version}" for task, version in state.shown[-6:])
        there = f"at version {state.version}" if state.version else "not there"
        return f"the row of {part} is {there}" + (f"; {shown}" if shown else "")
