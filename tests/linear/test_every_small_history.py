"""The search against one that tries every order: they agree about all small histories there are, up to names."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

import pytest

from orderquake.sim.linear import Model, Operation
from orderquake.sim.linear.orders import NOT_SAID, Batch, OrderRows, Reads, Registers, Writes
from orderquake.sim.linear.register import DONE, OTHERWISE, Read, Register, Swap, Write
from orderquake.sim.linear.search import Found, Search
from orderquake.sim.linear.stock import HAPPENED, Consume, Lapses, Moves, Release, Reserve, Stock
from tests.linear.brute import Kind, has_an_order, histories


class World(NamedTuple):
    """A model, what may be asked of it and answered, and what may be asked and never answered."""

    model: Model[Any]
    part: str
    answered: Sequence[Kind]
    unanswered: Sequence[Any]


def kinds(*pairs: tuple[Any, Any]) -> list[Kind]:
    return [Kind(*pair) for pair in pairs]


ANN, BOB = (Reserve("mug", name, 1, f"{name}/t", True) for name in ("ann", "bob"))
WORLDS = {
    "register": World(
        Register(0),
        "x",
        kinds((Write("x", 0), DONE), (Write("x", 1), DONE), (Read("x"), 0), (Read("x"), 1)),
        [Write("x", 0), Write("x", 1)],
    ),
    "compare and set": World(
        Register(0),
        "x",
        kinds(
            (Swap("x", 0, 1), DONE),
            (Swap("x", 0, 1), OTHERWISE),
            (Swap("x", 1, 2), DONE),
            (Swap("x", 1, 2), OTHERWISE),
            (Write("x", 0), DONE),
            (Read("x"), 1),
        ),
        [Swap("x", 0, 1), Swap("x", 1, 2)],
    ),
    "order rows": World(
        OrderRows(),
        "o",
        kinds(
            (Registers("o"), "registered"),
            (Reads("o", "w1"), "found"),
            (Reads("o", "w1"), "not_registered"),
            (Reads("o", "w2"), "found"),
            (Writes("o", "w1", NOT_SAID), "written"),
            (Writes("o", "w1", NOT_SAID), "conflict"),
            (Writes("o", "w2", NOT_SAID), "written"),
            (Batch("o", 2), "written"),
        ),
        [Registers("o"), Writes("o", "w1", NOT_SAID)],
    ),
    "stock": World(
        Stock({"mug": 1}),
        "mug",
        kinds(
            (ANN, "reserved"),
            (ANN, "sold_out"),
            (BOB, "reserved"),
            (BOB, "sold_out"),
            (Consume("mug", "ann", "ann/t", True), "pinned"),
            (Consume("mug", "ann", "ann/t", True), "lapsed"),
            (Release("mug", "ann", "ann/t"), "released"),
            (Lapses("mug", "ann", "ann/t"), HAPPENED),
            (Moves("mug", -1, (("ann", "ann/t"),)), HAPPENED),
        ),
        [BOB, Release("mug", "ann", "ann/t")],
    ),
    "compare and set, in brief": World(
        Register(0),
        "x",
        kinds((Swap("x", 0, 1), DONE), (Swap("x", 0, 1), OTHERWISE), (Write("x", 0), DONE), (Read("x"), 1)),
        [Swap("x", 0, 1)],
    ),
    "order rows, in brief": World(
        OrderRows(),
        "o",
        kinds(
            (Registers("o"), "registered"),
            (Reads("o", "w1"), "found"),
            (Writes("o", "w1", NOT_SAID), "written"),
            (Batch("o", 2), "written"),
        ),
        [Writes("o", "w1", NOT_SAID)],
    ),
    "stock, in brief": World(
        Stock({"mug": 1}),
        "mug",
        kinds(
            (ANN, "reserved"),
            (BOB, "reserved"),
            (BOB, "sold_out"),
            (Release("mug", "ann", "ann/t"), "released"),
        ),
        [Release("mug", "ann", "ann/t")],
    ),
}
SIZES = {"register": 5, "compare and set": 4, "order rows": 3, "stock": 3}
"""The largest that are all gone through every time; in brief, three."""
LARGER = {"register": [6], "compare and set": [5], "order rows": [4, 5], "stock": [4, 5]} | {
    name: [4, 5, 6] for name in WORLDS if name not in SIZES
}
"""Those that are gone through where there is time."""
IN_BRIEF = [5, 35, 325, 3_790, 53_311, 878_664]
COUNTS = {
    "register": [6, 45, 440, 5_360, 78_286, 1_333_491],
    "compare and set": [8, 84, 1_176, 20_734, 441_140],
    "order rows": [10, 135, 2_460, 56_775, 1_586_622],
    "stock": [11, 165, 3_355, 86_570, 2_707_947],
    **dict.fromkeys((name for name in WORLDS if name not in SIZES), IN_BRIEF),
}
"""How many histories of each size there are."""


def searched(operations: Sequence[Operation], world: World) -> Found:
    return Search(operations, world.model, world.part, 1_000_000, None).run()


def is_one(found: Found, operations: Sequence[Operation], world: World) -> bool:
    """Is the order that was found one, of all who were answered?"""
    state = world.model.start(world.part)
    for at, n in enumerate(found.order):
        is_legal, state = world.model.step(state, operations[n].asked, operations[n].answer)
        late = [other for other in found.order[at + 1 :] if (operations[other].back or 10**9) < operations[n].call]
        if not is_legal or late:
            return False
    return {n for n, each in enumerate(operations) if each.back is not None} <= set(found.order)


def agree(name: str, size: int) -> tuple[int, int]:
    """How many histories of a size there are, and how many have an order, by both."""
    world, seen, linear = WORLDS[name], 0, 0
    for operations in histories(world.answered, world.unanswered, size):
        found = searched(operations, world)
        assert found.is_linear is has_an_order(operations, world.model, world.part), operations
        assert not found.is_linear or is_one(found, operations, world), operations
        seen += 1
        linear += bool(found.is_linear)
    return seen, linear


@pytest.mark.parametrize(
    ("name", "size"), [(name, size) for name in WORLDS for size in range(1, SIZES.get(name, 3) + 1)]
)
def test_both_agree_about_every_history_of_a_size(name: str, size: int) -> None:
    seen, linear = agree(name, size)
    assert seen == COUNTS[name][size - 1]
    assert 0 < linear < seen


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [(name, size) for name, sizes in LARGER.items() for size in sizes])
def test_both_agree_about_every_larger_history(name: str, size: int) -> None:
    assert agree(name, size)[0] == COUNTS[name][size - 1]


@pytest.mark.parametrize("name", WORLDS)
def test_both_agree_about_larger_histories_drawn_at_random(name: str) -> None:
    """Six to eight operations, most of which overlap."""
    world, dice, linear = WORLDS[name], Random(name), 0
    for _ in range(1_000):
        moments = list(range(2 * dice.randint(6, 8)))
        dice.shuffle(moments)
        operations = []
        for call, back in zip(moments[::2], moments[1::2], strict=True):
            if dice.random() < 0.1:
                operations.append(Operation(call, None, dice.choice(world.unanswered)))
            else:
                operations.append(Operation(min(call, back), max(call, back), *dice.choice(world.answered)))
        found = searched(operations, world)
        assert found.is_linear is has_an_order(operations, world.model, world.part), operations
        assert not found.is_linear or is_one(found, operations, world), operations
        linear += bool(found.is_linear)
    assert 0 < linear < 1_000
