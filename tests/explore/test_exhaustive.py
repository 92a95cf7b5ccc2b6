"""Every interleaving of two orders that want one unit: what is found, how short the story is, and how much was seen.

The counts are pinned: a change of them is a change of the model or of the search, and wants a reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.mutants import MUTANTS
from orderquake.model.order import FINAL, State
from orderquake.model.order_cache import Found, Register
from orderquake.model.policy import Policy
from orderquake.model.stock import Lapsed, Pinned
from orderquake.sim.checkers import all_checkers
from orderquake.sim.checkers.fold import Checker, Context, Verdict
from orderquake.sim.checkers.never_oversold import NeverOversold
from orderquake.sim.explore.exhaustive import Exhaustive, Proof
from orderquake.sim.history import Row
from tests.model.shop import order

UNITS = 1
REFRESH = {"refresh": 1}
REFRESH_AND_POST = {"refresh": 1, "post": 1}


class ToldTwice(Checker[int]):
    """No more customers are told that they get it than there are units. Hears: the customers (outside)."""

    name = "told_twice"
    hears: Mapping[str, frozenset[str]] = {"state": frozenset({"notice"})}  # type: ignore[misc]

    def part(self, row: Row) -> str:
        return ""

    def start(self) -> int:
        return 0

    def step(self, state: int, row: Row, context: Context) -> int:
        return state + (row.is_new and row.to_state == "fulfilled")

    def verdict(self, parts: Mapping[str, int], context: Context) -> Verdict:
        told = parts.get("", 0)
        if told > UNITS:
            return Verdict.invalid(told, f"{told} customers were told that they get the last unit", ())
        return Verdict.valid(told)


def limits(policy: str = "pay_first") -> str:
    return json.dumps({"policy": policy, "pool": "ring_fenced"})


def search(
    design: type[Architecture],
    checkers: list[Checker[Any]],
    policy: str = "pay_first",
    jobs: Mapping[str, int] = REFRESH_AND_POST,
    explorer: type[Exhaustive] = Exhaustive,
) -> Proof:
    return explorer(
        design(Policy(order=policy)),  # type: ignore[arg-type]
        [order("ann"), order("bob")],
        {"mug": UNITS},
        checkers,
        jobs,
        limits(policy),
    ).search()


def told(proof: Proof) -> list[str]:
    """The steps that count, without names: who of the two is first is an accident of the search."""
    return [step.ask.verb for step in proof.story if step.is_told]


# -- nothing is found where there is nothing


@pytest.mark.parametrize(
    ("policy", "states", "transitions"), [("pay_first", 67_304, 200_948), ("reserve_first", 7_004, 21_350)]
)
def test_hot_cold_never_oversells_whatever_the_order_of_things(policy: str, states: int, transitions: int) -> None:
    proof = search(HotCold, [NeverOversold()], policy)
    assert not proof.violation
    assert proof.is_complete
    assert (proof.states, proof.transitions) == (states, transitions)


def test_no_promise_at_all_is_broken() -> None:
    proof = search(HotCold, list(all_checkers()), "reserve_first")
    assert not proof.violation
    assert proof.is_complete


@pytest.mark.parametrize(("policy", "loser"), [("pay_first", State.REFUNDED), ("reserve_first", State.CANCELLED)])
def test_wherever_it_ends_one_has_it_and_the_other_has_the_money(policy: str, loser: State) -> None:
    explorer = Exhaustive(
        HotCold(Policy(order=policy)),  # type: ignore[arg-type]
        [order("ann"), order("bob")],
        {"mug": 1},
        [ToldTwice()],
        REFRESH,
        limits(policy),
    )
    proof = explorer.search()
    assert proof.is_complete
    ends: set[Any] = set()
    for snapshots in proof.finals:
        for name, snapshot in zip(explorer.names, snapshots, strict=True):  # type: ignore[call-overload]
            explorer.stores[name].restore(snapshot)
        stores: Any = explorer.stores
        rows = stores["order_cache"].rows
        assert sorted(row.state for row in rows.values()) == sorted([State.FULFILLED, loser])
        assert all(row.is_told and row.state in FINAL for row in rows.values())
        assert len(stores["payment"].captures) - len(stores["payment"].refunds) == 1
        assert stores["stock"].atp("mug") == 0
        ends.add(tuple(rows[name].state for name in ("ann", "bob")))
    assert len(ends) == 2, "either may win"


# -- what is planted is found, and by its shortest story


@pytest.mark.parametrize(("policy", "steps"), [("pay_first", 6), ("reserve_first", 4)])
def test_a_refresh_that_overwrites_sells_the_last_unit_twice(policy: str, steps: int) -> None:
    """At the second grant: two are promised what there is one of."""
    proof = search(MUTANTS["overwrites_on_refresh"], [NeverOversold()], policy, REFRESH)
    assert set(proof.violation) == {"never_oversold"}
    assert proof.steps == steps
    assert told(proof)[-3:] == ["read_changes", "refresh", "reserve"]


@pytest.mark.parametrize(
    ("mutant", "jobs", "steps"),
    [
        # charge, reserve, read_changes, refresh, charge, reserve, consume, consume.
        ("overwrites_on_refresh", REFRESH, 8),
        # charge, reserve, consume, read_changes, post, settle, refresh, charge, reserve, consume: one longer where the
        # record's apply and its answer are two steps; here they are one, and telling the Stock Cache is another.
        ("subtracts_at_apply", REFRESH_AND_POST, 10),
    ],
)
def test_until_two_customers_are_told_that_they_get_it(mutant: str, jobs: dict[str, int], steps: int) -> None:
    proof = search(MUTANTS[mutant], [ToldTwice()], jobs=jobs)
    assert proof.violation == {"told_twice": "2 customers were told that they get the last unit"}
    assert proof.steps == steps
    assert not proof.is_complete
    assert sorted(told(proof)) == sorted(
        ["charge", "reserve", "consume"] * 2
        + ["read_changes", "refresh"]
        + (["post", "settle"] if "post" in jobs else [])
    )


def test_subtracting_at_apply_is_found_at_the_second_grant() -> None:
    proof = search(MUTANTS["subtracts_at_apply"], [NeverOversold()], "reserve_first")
    assert (set(proof.violation), proof.steps) == ({"never_oversold"}, 8)


def test_a_story_is_told_step_by_step() -> None:
    proof = search(MUTANTS["overwrites_on_refresh"], [NeverOversold()], jobs=REFRESH)
    lines = str(proof).splitlines()
    assert lines[0].startswith("2 orders, 1 units, refresh x1: ")
    assert lines[0].endswith(", in 6 steps")
    assert len(lines) == 1 + proof.steps
    assert lines[-1].endswith(": reserve -> reserved")


def test_a_story_can_be_lived_again() -> None:
    """Asked of fresh stores in its order, every ask gets the answer that the story tells."""
    proof = search(MUTANTS["overwrites_on_refresh"], [ToldTwice()], jobs=REFRESH)
    design = MUTANTS["overwrites_on_refresh"](Policy())
    stores = design.stores({"mug": UNITS})
    for each in (order("ann"), order("bob")):
        stores["order_cache"].handle(Register(each), 0)
    for step in proof.story:
        answer = stores[step.ask.service].handle(step.ask, 0)
        assert (type(answer), answer) == (type(step.answer), step.answer)


def test_answers_that_are_equal_as_tuples_are_told_apart() -> None:
    """`Pinned() == Lapsed()` in Python; the flow goes on from them to different ends."""
    explorer = Exhaustive(HotCold(Policy()), [order("ann")], {"mug": 1}, [], {}, limits())
    row = order("ann")._replace(state=State.RESERVED, token="ann/1.1", version=4)
    pinned, lapsed = (explorer.next_of("advance", ("ann",), (Found(row), said)) for said in (Pinned(), Lapsed()))
    assert (pinned.order.state, lapsed.order.state) == (State.FULFILLED, State.PAID)


# -- the search itself can be wrong, and that would show


class ForgetsTheLastMove(Exhaustive):
    """Breaks: from each state, every party that can go on is let go on."""

    def moves(self, state: Any) -> Any:
        return list(super().moves(state))[:-1]


def test_a_search_that_forgets_moves_misses_what_is_there() -> None:
    proof = search(MUTANTS["overwrites_on_refresh"], [NeverOversold()], jobs=REFRESH, explorer=ForgetsTheLastMove)
    assert not proof.violation
    assert proof.is_complete, "it believes that it has seen everything"


def test_a_search_that_was_cut_short_says_so() -> None:
    proof = Exhaustive(HotCold(Policy()), [order("ann"), order("bob")], {"mug": 1}, [ToldTwice()], {}, limits()).search(
        50
    )
    assert not proof.violation
    assert not proof.is_complete
    assert str(proof).endswith("nothing violated, but the search was cut short")


def test_the_same_search_counts_the_same_states() -> None:
    first, second = (search(HotCold, [ToldTwice()], "reserve_first", REFRESH) for _ in range(2))
    assert (first.states, first.transitions) == (second.states, second.transitions)
