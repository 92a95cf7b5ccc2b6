"""One model, checked against itself: paths of the prover, lived by flows that are never begun again, on stores that are
never put back, ask the same, hear the same, and leave the same books.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from orderquake.model.flow import Send, Within
from orderquake.sim.explore.proof import explorer_of, scope_of
from orderquake.sim.explore.proof.moves import Explorer, State
from orderquake.sim.explore.proof.values import typed

FEW, MANY = 30, 1_000


class Live:
    """One party, performed as anybody would: its coroutine goes on from answer to answer."""

    def __init__(self, explorer: Explorer, flow: str, arguments: tuple[Any, ...], left: int) -> None:
        self.explorer, self.flow, self.arguments, self.left = explorer, flow, arguments, left
        self.first = arguments
        self.begin()

    def begin(self) -> None:
        self.coroutine = self.explorer.design.start(self.flow, self.arguments)
        self.go_on(None)

    def go_on(self, answer: Any) -> None:
        """To the next ask; a step that is over begins anew where there is more to do."""
        self.ask: Any = None
        try:
            effect: Any = self.coroutine.send(answer)
            while not isinstance(effect, Send):
                effect = self.coroutine.send(isinstance(effect, Within))
            self.ask = effect.ask
        except StopIteration as stop:
            if self.flow == "advance":
                if stop.value:
                    self.begin()
            elif stop.value is not None:
                self.arguments = (stop.value,)
                self.begin()
            elif self.left > 1:
                self.arguments, self.left = self.first, self.left - 1
                self.begin()


def lived(scope: Any, seed: int) -> tuple[int, str]:
    """A path of the prover that chance has chosen, lived; how many asks it had, and the outcomes."""
    luck = random.Random(seed)
    searching, living = explorer_of(scope), explorer_of(scope)
    living.services.restore(living.first[: living.places])
    parties = [Live(living, "advance", (order_id,), 0) for order_id in living.ids]
    parties += [Live(living, flow, (), runs) for flow, runs in scope.jobs.items()]
    state: State = searching.first
    asks = 0
    while moves := [(who, stand) for who, stand in searching.parties(state)]:
        who, stand = luck.choice(moves)
        state, _, _, move = next(searching.party_moves(state, 0, who, stand))
        ask = searching.services.asks.values[move.detail]
        party = parties[who]
        assert typed(party.ask) == typed(ask)
        store: Any = living.raw[ask.service]
        party.go_on(store.handle(ask, 0))
        asks += 1
    for place, store in enumerate(living.services.stores):
        normal = living.services.normal[place]
        snapshot = store.snapshot() if normal is None else normal(store.snapshot())
        assert typed(snapshot) == typed(searching.services.snapshots[place].values[state[place]])
    rows = living.design.order_rows(living.raw).rows
    return asks, " ".join(sorted(row.state.value for row in rows.values()))


def all_lived(runs: int, policy: str) -> set[str]:
    scope = scope_of("hot_cold", 3, 2, 2, (), 0, False, policy, (), {"refresh": 2, "post": 2})
    found = [lived(scope, seed) for seed in range(runs)]
    assert all(asks > 30 for asks, _ in found)
    return {outcome for _, outcome in found}


@pytest.mark.parametrize("policy", ["pay_first", "authorise_reserve_capture"])
def test_a_path_of_the_prover_can_be_lived(policy: str) -> None:
    (outcome,) = all_lived(FEW, policy)
    assert outcome.count("fulfilled") == 2


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["pay_first", "reserve_first", "authorise_reserve_capture"])
def test_a_thousand_paths_of_the_prover_can_be_lived(policy: str) -> None:
    assert len(all_lived(MANY, policy)) == 1
