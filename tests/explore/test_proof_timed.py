"""One model, checked against itself: whatever happens in the timed world is a path of the prover.

Small days are played, with latencies and jobs as chance has them; of each, all asks and answers are taken down, without
their moments; and the prover must have, for each ask in its turn, a party that makes just this ask, and be answered
just so.
"""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.sim.explore.proof.budget import Budget
from orderquake.sim.explore.proof.guards import Clock
from orderquake.sim.explore.proof.moves import Explorer, State
from orderquake.sim.run import policy_of
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.world import World
from tests.test_performers import NEVER_MIND, Ear, without_moments

FEW, MANY = 25, 3_000
DAY: dict[str, Any] = {
    "schema_version": 1,
    "question": "Is what happens here one of the paths that were proved?",
    "horizon": "8 s",
    "workload": {"kind": "poisson", "rate_per_s": 0.6},
    "stock": {"skus": 1, "units_per_sku": 2},
    "service": {"payment": {"declines": 0.0}},
    "jobs": {"outbound": {"every": "2 s"}, "inbound": {"every": "3 s"}}
    | dict.fromkeys(("recovery", "settlement", "rebuild", "sweep"), NEVER_MIND),
}


JOBS = ("refresh", "refresh_2", "refresh_3", "post", "post_2", "post_3", "post_4", "rebuild")


class RunsOverlap(HotCold):
    """A job's run may be late, and the next ones under way."""

    def __getattr__(self, flow: str) -> Any:
        name, _, number = flow.rpartition("_")
        if not number.isdigit():
            raise AttributeError(flow)
        return getattr(self, name)


class Scribe(Ear):
    """Hears with whom and in what order."""

    def __init__(self, stores: Any) -> None:
        super().__init__(stores)
        self.heard: list[tuple[Any, Any, Any]] = []

    def hear(self, ask: Any, answer: Any) -> None:
        self.heard.append((ask.verb, without_moments(ask), without_moments(answer)))


def played(seed: int, policy: str) -> tuple[HotCold, Scribe]:
    scenario = Scenario.model_validate(DAY | {"policy": {"order": policy}})
    design = HotCold(policy_of(scenario))
    world = World(scenario, design, seed=seed)
    scribe = Scribe(world.stores)
    world.run()
    return design, scribe


def accepted(seed: int, policy: str) -> tuple[int, int]:
    """How many orders a day had, and how many asks in which somebody else had come between."""
    design, scribe = played(seed, policy)
    if not scribe.orders:
        return 0, 0
    explorer = Explorer(
        RunsOverlap(design.policy), scribe.orders, opening(scribe), (), dict.fromkeys(JOBS, 10_000),
        Budget((), 0, False), Clock(), "{}", is_normal=False,
    )  # fmt: skip
    asks, answers, numbers = explorer.services.asks.values, explorer.services.answers.values, explorer.flows.asks
    states: dict[State, int] = {explorer.first: -1}  # state -> who was the last; who has asked may be undecided
    crossings = 0
    for verb, ask, answer in scribe.heard:
        after: dict[State, int] = {}
        for state, before in states.items():
            begins: set[str] = set()  # of the runs of a job that have not begun, any will do
            for who, stand in explorer.parties(state):
                number, standing = numbers[stand], explorer.flows.stands.values[stand]
                family = standing.flow.partition("_")[0]
                if standing.role == "job" and not standing.answers:
                    if family in begins:
                        continue
                    begins.add(family)
                if asks[number].verb == verb and without_moments(asks[number]) == ask:
                    _, said = explorer.asked(state, number)
                    if without_moments(answers[said]) == answer:
                        after[next(explorer.party_moves(state, 0, who, stand))[0]] = who
                        crossings += before not in (-1, who)
        assert after, f"seed {seed}: nobody asks {ask} and hears {answer}"
        states = after
    assert any(all(state[place] == explorer.flows.rests for place in explorer.workers) for state in states)
    return len(scribe.orders), crossings


def opening(scribe: Scribe) -> dict[str, int]:
    """What stood on the shelves before anything was sold."""
    moves: dict[str, Any] = scribe.stores["record"].moves  # type: ignore[attr-defined]
    return {sku: first[0][2] for sku, first in sorted(moves.items())}


def all_accepted(runs: int, policy: str) -> tuple[int, int]:
    found = [accepted(seed, policy) for seed in range(1, runs + 1)]
    return sum(orders for orders, _ in found), sum(crossings for _, crossings in found)


@pytest.mark.parametrize("policy", ["pay_first", "reserve_first"])
def test_a_day_in_the_timed_world_is_a_path_of_the_prover(policy: str) -> None:
    orders, crossings = all_accepted(FEW, policy)
    assert orders > 2 * FEW
    assert crossings > 10 * FEW, "the orders and jobs of a day were hardly ever under way together"


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["pay_first", "reserve_first", "authorise_reserve_capture"])
def test_ten_thousand_days_in_the_timed_world_are_paths_of_the_prover(policy: str) -> None:
    orders, _ = all_accepted(MANY + 334, policy)
    assert orders > MANY
