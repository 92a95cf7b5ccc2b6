"""A store, what a child would remember of it, and a twin that was made from its snapshot: whatever is asked of both
from then on, they answer and remember the same.

A machine asks through `Twins.ask` and checks the answers against its own plain memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

QUICK = settings(max_examples=25, stateful_step_count=25, deadline=None)
NAMES = st.sampled_from(["ann", "bob", "cat", "dot"])
SKUS = st.sampled_from(["mug", "bowl"])
OPENING = {"mug": 4, "bowl": 2}
BASKETS = st.dictionaries(SKUS, st.integers(1, 2), min_size=1)


def case_of(machine: Any) -> Any:
    """The machine as a test."""
    case = machine.TestCase
    case.settings = QUICK
    return case


def is_noticed(machine: Any, make: Callable[[], Any]) -> None:
    """The machine's oracle contradicts this store. Searched from a fixed start, so that the search is the same every
    time."""
    planted = type("Planted", (machine,), {"make": staticmethod(make)})
    thorough = settings(max_examples=500, stateful_step_count=30, deadline=None, derandomize=True, database=None,
                        phases=[Phase.generate])  # fmt: skip
    with pytest.raises((AssertionError, KeyError)):
        run_state_machine_as_test(planted, settings=thorough)


class Twins(RuleBasedStateMachine):
    """A store and, from some moment on, another one that has only seen its snapshot."""

    make: Callable[[], Any]

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.store = type(self).make()
        self.twin: Any = None

    def ask(self, ask: Any) -> Any:
        answer = self.store.handle(ask, self.now)
        if self.twin is not None:
            assert self.twin.handle(ask, self.now) == answer
        return answer

    @rule(us=st.integers(1, 9))
    def time_passes(self, us: int) -> None:
        self.now += us

    @rule()
    def a_twin_is_made(self) -> None:
        kept = self.store.snapshot()
        hash(kept)
        self.twin = type(self).make()
        self.twin.restore(kept)
        assert self.store.snapshot() == kept, "looking changes nothing"

    @rule()
    @precondition(lambda self: self.twin is not None)
    def the_twin_takes_over(self) -> None:
        self.store, self.twin = self.twin, None

    @invariant()
    def both_remember_the_same(self) -> None:
        assert self.twin is None or self.twin.snapshot() == self.store.snapshot()
