"""Luck has a name and a number: nobody's depends on who else draws, or when."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from orderquake.sim.world.streams import Exponential, Stream, Streams


def draws(stream: Stream, *numbers: int) -> list[float]:
    return [stream.draw(number) for number in numbers]


def test_the_same_seed_and_name_have_the_same_luck() -> None:
    assert draws(Streams(1).uniform("a"), 0, 1, 2) == draws(Streams(1).uniform("a"), 0, 1, 2)


def test_another_seed_name_or_attempt_has_other_luck() -> None:
    first = Streams(1).uniform("a")
    values = {first.draw(7), first.draw(7, 1), Streams(2).uniform("a").draw(7), Streams(1).uniform("b").draw(7)}
    assert len(values) == 4


def test_seed_and_name_do_not_run_into_each_other() -> None:
    assert Streams(1).uniform("2/a").draw(0) != Streams(12).uniform("/a").draw(0)


def test_a_new_source_of_luck_moves_nobody_elses() -> None:
    quiet, busy = Streams(1), Streams(1)
    for number in range(3_000):
        busy.uniform("new").draw(number)
        busy.of("gaps", Exponential(5.0)).draw(number)
    assert draws(busy.uniform("a"), *range(50)) == draws(quiet.uniform("a"), *range(50))


@settings(deadline=None)
@given(numbers=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 3)), max_size=40))
def test_the_order_of_drawing_makes_no_difference(numbers: list[tuple[int, int]]) -> None:
    forward, backward = Streams(3).uniform("a"), Streams(3).uniform("a")
    there = {which: forward.draw(*which) for which in numbers}
    assert there == {which: backward.draw(*which) for which in reversed(numbers)}


def test_blocks_do_not_repeat_each_other() -> None:
    values = draws(Streams(1).uniform("a"), *range(5_000))
    assert len(set(values)) == 5_000


def test_no_two_attempts_share_a_block() -> None:
    stream = Streams(1).uniform("a")
    values = {stream.draw(number, attempt) for number in (0, 1_023, 1_024, 2_048) for attempt in range(50)}
    assert len(values) == 200


def test_what_was_forgotten_is_drawn_again_the_same() -> None:
    stream = Streams(1).uniform("a")
    first = stream.draw(0)
    for attempt in range(1, 5_000):
        stream.draw(0, attempt)
    assert stream.draw(0) == first


def test_draws_are_plain_numbers() -> None:
    assert type(Streams(1).uniform("a").draw(0)) is float


def test_a_whole_generator_is_found_by_name() -> None:
    one, other = Streams(1), Streams(1)
    other.uniform("a").draw(0)
    assert one.generator("prices").random() == other.generator("prices").random()
    assert one.generator("prices").random() != one.generator("colours").random()
