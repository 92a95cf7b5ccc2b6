"""Time is whole microseconds, and what falls on one moment happens in the order in which it was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderquake.sim.world.kernel import Engine, Kernel

ENGINES = pytest.mark.parametrize("engine", ["fast", "stock"])


@ENGINES
def test_calls_happen_in_the_order_of_their_moments(engine: Engine) -> None:
    kernel, heard = Kernel(engine), list[tuple[int, str]]()
    for delay, name in ((30, "c"), (10, "a"), (20, "b")):
        kernel.after(delay, lambda name: heard.append((kernel.now, name)), name)
    kernel.run(100)
    assert heard == [(10, "a"), (20, "b"), (30, "c")]


@ENGINES
def test_calls_of_one_moment_happen_in_the_order_of_their_making(engine: Engine) -> None:
    kernel, heard = Kernel(engine), list[str]()

    def first(_: object) -> None:
        heard.append("first")
        kernel.after(0, heard.append, "made at that moment")

    kernel.after(10, first)
    kernel.after(10, heard.append, "second")
    kernel.run(11)
    assert heard == ["first", "second", "made at that moment"]


@ENGINES
def test_a_run_ends_before_its_moment_and_the_clock_stands_there(engine: Engine) -> None:
    kernel, heard = Kernel(engine), list[int]()
    for moment in (9, 10):
        kernel.after(moment, heard.append, moment)
    kernel.run(10)
    assert (heard, kernel.now) == ([9], 10)
    kernel.run(10)
    kernel.run(5)
    assert (heard, kernel.now) == ([9], 10), "time does not go back"
    kernel.run(11)
    assert heard == [9, 10]


@ENGINES
def test_the_clock_is_a_plain_integer_throughout(engine: Engine) -> None:
    kernel, kinds = Kernel(engine), set[type]()
    for moment in (0, 1, 10**15):
        kernel.after(moment, lambda _: kinds.add(type(kernel.now)))
    kernel.run(10**15 + 1)
    assert kinds | {type(kernel.now)} == {int}


@pytest.mark.parametrize("moment", [np.int64(5), 5.0])
def test_a_clock_of_another_kind_is_refused(moment: int) -> None:
    with pytest.raises(AssertionError, match="time is an int"):
        Kernel().run(moment)


@given(delays=st.lists(st.integers(0, 20), max_size=40), stops=st.lists(st.integers(0, 25), max_size=5))
def test_where_a_run_is_interrupted_makes_no_difference(delays: list[int], stops: list[int]) -> None:
    def lived(pauses: list[int]) -> list[tuple[int, int]]:
        kernel, heard = Kernel(), list[tuple[int, int]]()
        for number, delay in enumerate(delays):
            kernel.after(delay, lambda number: heard.append((kernel.now, number)), number)
        for pause in [*pauses, 30]:
            kernel.run(pause)
        return heard

    assert lived(sorted(stops)) == lived([])
    assert lived([]) == sorted((delay, number) for number, delay in enumerate(delays))


def test_a_call_that_fails_leaves_the_rest_to_be_run() -> None:
    kernel, heard = Kernel("fast"), list[int]()

    def fails(_: object) -> None:
        raise ZeroDivisionError

    kernel.after(10, fails)
    kernel.after(30, lambda _: heard.append(kernel.now))
    with pytest.raises(ZeroDivisionError):
        kernel.run(20)
    kernel.run(100)
    assert heard == [30]
