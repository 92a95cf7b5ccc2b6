"""The search by hand: what it finds, what it says, and when it gives up."""

from __future__ import annotations

import time
from random import Random

import pytest

from orderquake.sim.linear import Operation, Verdict, check_operations
from orderquake.sim.linear.model import Model
from orderquake.sim.linear.register import DONE, OTHERWISE, Read, Register, Swap, Write
from tests.linear.brute import Kind, histories


def judged(*operations: Operation, model: Model[object] | None = None, steps: int = 100_000) -> Verdict:
    return check_operations(operations, model or Register(0), steps)


def test_who_overlaps_may_come_either_way() -> None:
    write = Operation(0, 5, Write("x", 1), DONE)
    for seen in (0, 1):
        assert judged(write, Operation(1, 2, Read("x"), seen)).status == "valid"
    assert judged(write, Operation(1, 2, Read("x"), 1), Operation(3, 4, Read("x"), 0)).status == "invalid", (
        "it goes back"
    )


def test_who_was_answered_before_comes_before() -> None:
    assert judged(Operation(0, 1, Write("x", 1), DONE), Operation(2, 3, Read("x"), 0)).status == "invalid"


def test_what_was_never_answered_may_take_effect_much_later_or_never() -> None:
    write = Operation(0, None, Write("x", 1))
    reads = [Operation(1, 2, Read("x"), 0), Operation(9, 10, Read("x"), 1)]
    assert judged(write, *reads).status == "valid"
    assert judged(write, reads[0]).status == "valid"
    assert judged(write, *reads, Operation(11, 12, Read("x"), 0)).status == "invalid", "but only once"


def test_it_does_not_take_effect_before_it_was_asked() -> None:
    assert judged(Operation(1, 2, Read("x"), 1), Operation(3, None, Write("x", 1))).status == "invalid"


def test_keys_are_judged_apart_and_the_first_to_go_wrong_is_told() -> None:
    good = [Operation(0, 1, Write("a", 1), DONE), Operation(2, 3, Read("a"), 1)]
    late, early = Operation(8, 9, Read("c"), 7), Operation(4, 5, Read("b"), 7)
    found = judged(*good, late, early)
    assert (found.status, found.parts, found.operations) == ("invalid", 3, 4)
    assert found.reason == "no order explains read b -> 7 (4 to 5) (and 1 more parts)"


def test_of_two_who_compare_and_set_one_loses() -> None:
    swaps = [Operation(0, 9, Swap("x", 0, who), DONE) for who in (1, 2)]
    assert judged(*swaps).status == "invalid"
    assert judged(swaps[0], swaps[1]._replace(answer=OTHERWISE)).status == "valid"


def test_nothing_asked_is_nothing_tested() -> None:
    assert (judged().status, judged().reason) == ("unknown", "not exercised: nothing was asked")


def test_the_story_says_what_went_well_what_did_not_and_what_was_going_on() -> None:
    found = judged(
        Operation(0, 1, Write("x", 1), DONE, "ann", (0, 1)),
        Operation(2, 6, Write("x", 2), DONE, "bob", (2, 6)),
        Operation(3, None, Write("x", 3), who="cat", rows=(3,)),
        Operation(4, 5, Read("x"), 7, "dot", (4, 5)),
    )
    assert str(found).splitlines() == [
        "not linearizable: no order explains read x -> 7, by dot (4 to 5)",
        "  1 of 4 operations on x can be put in order, the last of them:",
        "    write x = 1 -> done, by ann (0 to 1)",
        "  then x is 1, and there is no way on to",
        "  or   x is 2",
        "  or   x is 3",
        "    read x -> 7, by dot (4 to 5)",
        "  under way at the same time:",
        "    write x = 2 -> done, by bob (2 to 6)",
        "  never answered, and of no help:",
        "    write x = 3, by cat (3 never answered)",
    ]
    assert found.witness == (0, 1, 2, 4, 5, 6)


def test_the_story_stops_at_the_shortest_history_that_has_no_order() -> None:
    """Without the answer that is named, all that was answered before it has an order."""
    dice = Random(5)
    told = 0
    for _ in range(400):
        operations = []
        for at in range(12):
            asked, answer = dice.choice([(Write("x", 0), DONE), (Write("x", 1), DONE), (Read("x"), 0), (Read("x"), 1)])
            operations.append(Operation(2 * at, 2 * at + 1 + 2 * dice.randint(0, 2), asked, answer))
        found = judged(*operations)
        if found.status == "invalid":
            end = next(each.back for each in operations if f"({each.call} to {each.back})" in found.reason)
            assert end is not None
            before = [
                each if each.back is not None and each.back < end else each._replace(back=None, answer=None)
                for each in operations
                if each.call < end
            ]
            assert judged(*before).status == "valid"
            told += 1
    assert told > 100


# -- limits


def hard(writers: int) -> list[Operation]:
    """All write at once, and somebody reads what nobody wrote."""
    writes = [Operation(n, 1_000 + n, Write("x", n), DONE) for n in range(writers)]
    return [*writes, Operation(500, 501, Read("x"), -1)]


def test_a_search_that_is_too_long_is_given_up_and_says_so() -> None:
    found = judged(*hard(40), steps=5_000)
    assert (found.status, found.steps) == ("unknown", 5_000)
    assert found.reason == "the search of x was given up after 5,000 steps"


def test_a_search_may_be_given_so_much_time() -> None:
    began = time.monotonic()
    found = check_operations(hard(60), Register(0), steps=10**9, seconds=0.2)
    assert found.status == "unknown"
    assert time.monotonic() - began < 20


def test_what_is_wrong_is_wrong_even_where_another_part_was_given_up() -> None:
    wrong = Operation(0, 1, Read("y"), 5)
    assert judged(*hard(40), wrong, steps=5_000).status == "invalid"


def test_a_long_history_that_has_an_order_takes_a_step_for_each_operation() -> None:
    operations = []
    for n in range(5_000):
        operations += [Operation(4 * n, 4 * n + 2, Write("x", n), DONE), Operation(4 * n + 1, 4 * n + 3, Read("x"), n)]
    found = judged(*operations)
    assert found.status == "valid"
    assert found.steps < 2.1 * len(operations)


def test_the_memo_spares_what_was_tried_before() -> None:
    """Twelve who overlap come in 479 million orders, and in four thousand sets."""
    writes = [Operation(n, 100 + n, Write("x", n % 2), DONE) for n in range(12)]
    found = judged(*writes, Operation(50, 60, Read("x"), 7), steps=1_000_000)
    assert found.status == "invalid"
    assert found.steps < 250_000


# -- the small histories


def test_small_histories_are_as_many_as_there_are_interval_orders() -> None:
    """source   the Fishburn numbers, OEIS A022493"""
    assert [sum(1 for _ in histories([Kind("", "")], [], of)) for of in range(1, 7)] == [1, 2, 5, 15, 53, 217]


@pytest.mark.parametrize("of", [1, 2, 3])
def test_no_small_history_comes_twice(of: int) -> None:
    def fingerprint(operations: tuple[Operation, ...]) -> str:
        """The same for two histories that differ in names alone: who comes before whom, smallest way to write it."""
        from itertools import permutations

        n = range(len(operations))
        return min(
            str([
                (operations[i].asked, operations[i].back is None,
                 [(operations[i].back or 10**9) < operations[j].call for j in order])
                for i in order
            ])
            for order in permutations(n)
        )  # fmt: skip

    made = [fingerprint(each) for each in histories([Kind("a", ""), Kind("b", "")], ["c"], of)]
    assert len(made) == len(set(made))
