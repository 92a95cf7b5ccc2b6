"""Searches with one thing wrong: going through all small histories notices each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from orderquake.sim.linear import Model, Operation
from orderquake.sim.linear.search import Place, Search
from tests.linear.brute import has_an_order, histories
from tests.linear.test_every_small_history import WORLDS

NEVER = 10**9


class TakesSilenceForFailure(Search):
    """What was never answered did not happen."""

    def __init__(self, operations: Sequence[Operation], *rest: Any) -> None:
        super().__init__([each for each in operations if each.back is not None], *rest)


class TakesSilenceForSuccess(Search):
    """What was never answered happened in the end."""

    def __init__(self, operations: Sequence[Operation], *rest: Any) -> None:
        super().__init__([each._replace(back=each.back or NEVER) for each in operations], *rest)


class ForgetsTime(Search):
    """Any order will do."""

    def __init__(self, operations: Sequence[Operation], *rest: Any) -> None:
        super().__init__([each._replace(call=0) for each in operations], *rest)


class GoesByTheCalls(Search):
    """Who was asked first came first, whoever overlaps."""

    def __init__(self, operations: Sequence[Operation], *rest: Any) -> None:
        super().__init__([each._replace(back=each.back and each.call + 1) for each in operations], *rest)


class NeverTurnsBack(Search):
    """Only the operation that is answered next takes effect next."""

    def other_ways(self, place: Place) -> Iterator[tuple[Place, tuple[int, ...]]]:
        yield from ()


class LooksWhereNothingChanged(Search):
    """Whatever leaves the state as it is only looks."""

    def does(self, n: int, place: Place) -> tuple[Place, tuple[int, ...]] | None:
        kept = self.looks
        self.looks = [
            each.back is not None and self.step(place.state, each.asked, each.answer)[1] == place.state
            for each in self.operations
        ]
        found = super().does(n, place)
        self.looks = kept
        return found


class PassesOverWhatChangesNothing(Search):
    """What leaves the state as it is need not be tried first."""

    def other_ways(self, place: Place) -> Iterator[tuple[Place, tuple[int, ...]]]:
        return (found for found in super().other_ways(place) if found[0].state != place.state)


class ForgetsTheState(Search):
    """Where as many were answered, nothing is tried again."""

    def run(self) -> Any:
        self.been: dict[int, bool] = {}
        return super().run()

    def on(self, place: Place) -> Place:
        after = super().on(place)
        if after.answered < len(self.back) and self.been.setdefault(after.answered, False):
            return Place(after.answered, -1, "nowhere")
        self.been[after.answered] = True
        return after

    def does(self, n: int, place: Place) -> tuple[Place, tuple[int, ...]] | None:
        return None if place.ahead == -1 else super().does(n, place)

    def could(self, n: int, state: Any) -> tuple[bool, Any]:
        return (False, state) if state == "nowhere" else super().could(n, state)


class NamesTwoAlike(Search):
    """All who are under way share a bit."""

    def lay_out(self) -> None:
        super().lay_out()
        self.bit = [1] * len(self.bit)


@pytest.mark.parametrize(
    ("broken", "name", "size"),
    [
        (TakesSilenceForFailure, "register", 2),
        (TakesSilenceForSuccess, "compare and set", 1),  # a plain write can always come last, and harm nobody
        (ForgetsTime, "register", 2),
        (GoesByTheCalls, "register", 2),
        (NeverTurnsBack, "register", 2),
        (LooksWhereNothingChanged, "register", 3),
        (PassesOverWhatChangesNothing, "register", 4),
        (ForgetsTheState, "register", 2),
        (NamesTwoAlike, "compare and set", 2),
    ],
)
def test_a_search_that_errs_is_contradicted_by_one_that_tries_every_order(
    broken: type[Search], name: str, size: int
) -> None:
    """size   of the smallest history about which they differ"""
    world = WORLDS[name]
    model: Model[Any] = world.model

    def differ(operations: Sequence[Operation]) -> bool:
        found = broken(operations, model, world.part, 10_000, None).run()
        return found.is_linear is not has_an_order(operations, model, world.part)

    smaller = (each for of in range(1, size) for each in histories(world.answered, world.unanswered, of))
    assert not any(map(differ, smaller))
    assert any(map(differ, histories(world.answered, world.unanswered, size)))
