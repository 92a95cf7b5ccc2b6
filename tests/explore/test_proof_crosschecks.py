"""What the prover leaves out it may leave out: held against searches that leave out nothing, on sound designs and on
planted bugs; and provers that are broken, each of which one of these comparisons finds out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.flow import Store
from orderquake.model.notice import NoticeBoard
from orderquake.model.order import Line, Order
from orderquake.sim.explore.proof import Scope, explorer_of, scope_of, searched
from orderquake.sim.explore.proof.budget import NO_MORE, Budget
from orderquake.sim.explore.proof.moves import Explorer, State
from orderquake.sim.explore.proof.search import Search
from orderquake.sim.explore.proof.symmetry import Places, Symmetry
from orderquake.sim.explore.proof.values import typed

PLAIN = {"is_reduced": False, "is_symmetric": False}


def scope(on: Any = "hot_cold", orders: Any = 2, faults: Sequence[str] = (), **more: Any) -> Scope:
    asked: dict[str, Any] = {
        "skus": 1, "units": 1, "at_most": 1, "each": True, "policy": "pay_first", "drop": (), "jobs": None,
    }  # fmt: skip
    return scope_of(on, orders, faults=faults, **(asked | more))


def broken(search: Search) -> set[str]:
    return {name for reasons in search.broken.values() for name in reasons}


# -- pruned and unpruned agree


@pytest.mark.parametrize(
    ("is_reduced", "is_symmetric", "states", "transitions"),
    [(True, True, 1_139, 3_025), (True, False, 2_275, 6_041), (False, True, 10_436, 31_649)],
)
def test_what_each_way_of_sparing_saves(is_reduced: bool, is_symmetric: bool, states: int, transitions: int) -> None:
    search = searched(scope(), is_reduced=is_reduced, is_symmetric=is_symmetric)
    assert (len(search.states), search.transitions) == (states, transitions)
    assert search.is_complete
    assert not search.broken


def ends(search: Search, orders: int) -> set[str]:
    """What all services remember in the final states, up to the orders' names."""
    explorer = search.explorer
    names = Symmetry(explorer, search_orders(orders), ("mug",))

    def remembered(state: State) -> str:
        return repr([typed(explorer.services.snapshots[at].values[state[at]]) for at in range(explorer.places)])

    return {
        min(remembered(names.image(search.states[number], places)) for places in permutations(range(orders)))
        for number in search.final
    }


def search_orders(orders: int) -> tuple[Order, ...]:
    return scope(orders=orders).orders


@pytest.mark.parametrize("faults", [(), ("lose_answer",)])
def test_sparing_comes_to_the_same_ends(faults: Sequence[str]) -> None:
    asked = scope(faults=faults, policy="reserve_first")
    spared, plain = searched(asked), searched(asked, **PLAIN)  # type: ignore[arg-type]
    assert len(plain.states) > 4 * len(spared.states)
    assert ends(spared, 2) == ends(plain, 2)
    assert len(ends(spared, 2)) > 3


BUGS: list[tuple[str, int, tuple[str, ...], str]] = [
    ("overwrites_on_refresh", 2, (), "pay_first"),
    ("subtracts_at_apply", 2, (), "reserve_first"),
    ("skips_posting", 2, (), "reserve_first"),
    ("loser_releases", 2, (), "pay_first"),
    ("keys_each_attempt", 1, ("lose_answer",), "pay_first"),
    ("forgets_dedup", 1, ("lose_answer",), "pay_first"),
    ("forgets_dedup", 1, ("duplicate",), "pay_first"),
    ("releases_twice", 1, ("crash", "cancel"), "pay_first"),
    ("consumes_without_looking", 2, ("lapse",), "pay_first"),
]


@pytest.mark.parametrize(("on", "orders", "faults", "policy"), BUGS)
def test_the_shortest_story_is_as_long_without_sparing(
    on: str, orders: int, faults: tuple[str, ...], policy: str
) -> None:
    asked = scope(on, orders, faults, policy=policy)
    spared = searched(asked, is_shortest=True)
    plain = searched(asked, is_shortest=True, is_normal=False, **PLAIN)  # type: ignore[arg-type]
    assert broken(spared)
    assert broken(searched(asked))
    ((one, _),), ((other, _),) = spared.broken.items(), plain.broken.items()
    assert spared.cost[one] == plain.cost[other]
    assert len(plain.states) >= len(spared.states)


@pytest.mark.parametrize("faults", [("crash",), ("lapse",), ("duplicate",), ("lose_ask",)])
def test_where_nothing_is_broken_nothing_is_found_without_sparing_either(faults: tuple[str, ...]) -> None:
    asked = scope(orders=1, faults=faults)
    spared, plain = searched(asked), searched(asked, is_normal=False, **PLAIN)  # type: ignore[arg-type]
    assert (spared.is_complete, plain.is_complete) == (True, True)
    assert broken(spared) == broken(plain) == set()


def test_a_private_ask_comes_to_the_same_before_and_after_whatever_else_may_be_done() -> None:
    """The diamond: at every state that is passed on the way, and with each other move that is possible there."""
    explorer = explorer_of(scope(faults=("lapse",), policy="reserve_first"))
    search = Search(explorer, None, is_reduced=True, is_shortest=False, keeps_edges=False)
    search.run(2_000)
    private, compared = search.private, 0
    assert private is not None
    waiting = [(state, left) for state, left in zip(search.states[:400], search.left, strict=False)]
    for start, budget in waiting:
        for state, left, _, _ in search.moves(start, budget):
            who = private.party(state, left)
            if who < 0 or explorer.panel.broken[state[explorer.seen_at]]:
                continue
            mine = next(explorer.party_moves(state, left, who, state[explorer.workers.start + who]))[0]
            for other, stand in explorer.parties(state):
                if other == who:
                    continue
                theirs = next(explorer.party_moves(state, left, other, stand))[0]
                first = next(explorer.party_moves(theirs, left, who, theirs[explorer.workers.start + who]))[0]
                stand = dict(explorer.parties(mine))[other]
                second = next(explorer.party_moves(mine, left, other, stand))[0]
                assert first == second
                compared += 1
    assert compared > 300


# -- a prover can be wrong, and that would show


class ForgetsTheLastParty(Explorer):
    """Breaks: whoever can go on is let go on."""

    def parties(self, state: State) -> Any:
        return list(super().parties(state))[:-1]


class ForgetsWhatWasSent(Explorer):
    """Breaks: what was sent once may come again."""

    def remember(self, state: State, ask: int) -> State:
        return state


class Unseen(dict[State, Any]):
    """States by all but what the checkers have seen."""

    def __init__(self, seen_at: int) -> None:
        super().__init__()
        self.seen_at = seen_at

    def without(self, state: State) -> State:
        return (*state[: self.seen_at], 0, *state[self.seen_at + 1 :])

    def get(self, state: State, default: Any = None) -> Any:
        return super().get(self.without(state), default)

    def __getitem__(self, state: State) -> Any:
        return super().__getitem__(self.without(state))

    def __setitem__(self, state: State, number: Any) -> None:
        super().__setitem__(self.without(state), number)


class LooksAway(Search):
    """Breaks: what the checkers have seen is part of a state."""

    def __init__(self, explorer: Explorer) -> None:
        super().__init__(explorer, None, is_reduced=False, is_shortest=False, keeps_edges=False)
        self.found = Unseen(explorer.seen_at)


class RenamesOnlyParties(Symmetry):
    """Breaks: orders change places in all of a state. Here the services and the checkers keep the old names, so that
    orders which can be told apart are taken for one another."""

    def component(self, at: int, number: int, places: Places) -> int:
        return number


class OneTooFew(Budget):
    """Breaks: the last fault that may come may come."""

    def spend(self, fault: str) -> tuple[int, ...]:
        return tuple(left if left else NO_MORE for left in super().spend(fault))


def test_a_prover_that_forgets_a_party_misses_what_is_there() -> None:
    asked = scope("subtracts_at_apply")
    assert not searched(asked, explorer=ForgetsTheLastParty).broken
    assert searched(asked).broken
    assert len(searched(scope(), explorer=ForgetsTheLastParty).states) != 1_139


def test_a_prover_that_forgets_what_was_sent_misses_what_comes_late() -> None:
    asked = scope(orders=1, drop=("message_life",), jobs={})
    assert not searched(asked, explorer=ForgetsWhatWasSent).broken
    assert broken(searched(asked)) == broken(searched(asked, **PLAIN)) == {"charged_once"}  # type: ignore[arg-type]


class ForgetfulBoard(NoticeBoard):
    def handle(self, ask: Any, now_us: int) -> Any:
        self.told.clear()
        return super().handle(ask, now_us)


class TellsTwice(HotCold):
    """Breaks: a notice is sent once. Only the customer, and so the checkers, can tell."""

    name = "tells_twice"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {"notice": ForgetfulBoard()}


def test_a_prover_whose_states_leave_out_what_the_checkers_have_seen_misses_it() -> None:
    asked = scope(TellsTwice, 1, ("lose_answer",), jobs={})
    search = LooksAway(explorer_of(asked))
    search.run(100_000)
    assert search.is_complete
    assert not search.broken
    assert broken(searched(asked)) == broken(searched(asked, **PLAIN)) == {"notices_sent"}  # type: ignore[arg-type]


def test_a_prover_that_allows_one_fault_too_few_misses_what_one_fault_does() -> None:
    asked = scope("keys_each_attempt", 1, ("lose_answer",))
    miscounting = explorer_of(asked)
    miscounting.budget.__class__ = OneTooFew
    for fault in miscounting.spend:
        miscounting.spend[fault] = miscounting.budget.spend(fault)
    search = Search(miscounting, None, is_reduced=True, is_shortest=False, keeps_edges=False)
    search.run(10_000)
    assert not search.broken
    assert searched(asked).broken


def test_a_prover_that_takes_orders_for_one_another_that_can_be_told_apart_loses_states() -> None:
    confused = searched(scope(), symmetry=RenamesOnlyParties)
    assert confused.broken or len(confused.states) != 1_139


def test_orders_that_are_not_alike_are_not_taken_for_one_another() -> None:
    """One has a good card, the other's is declined: nothing is spared, and either may be first."""
    lines = (Line("mug", 1, 100),)
    orders = (Order("o-1", lines, 100), Order("o-2", lines, 100, card="declined"))
    asked = scope(orders=orders, policy="reserve_first")
    plain, spared = searched(asked, is_symmetric=False), searched(asked)
    assert not spared.broken
    assert (len(spared.states), len(spared.final)) == (len(plain.states), len(plain.final))
    alike = scope(orders=2, policy="reserve_first")
    assert len(searched(alike).states) < len(searched(alike, is_symmetric=False).states)
