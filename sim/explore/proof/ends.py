"""Can everything still end? From every state that is reachable, once nothing goes wrong any more and the jobs go on.

A state at which nobody in scope has anything left to do is carried on by the design's own jobs and workers, one after
the other, past the deadline of whatever was reserved and forgotten; then the checkers are told that all is over, and
judge. A state from which such an end can be reached without a fault can end; one from which none can is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from orderquake.model.flow import Store
from orderquake.sim.explore.proof.moves import Explorer, State
from orderquake.sim.explore.proof.search import Search
from orderquake.sim.plain import tick, work_off
from orderquake.sim.recorder import values_of

ROUNDS = 12
"""So often the jobs tick before we believe that they bring nothing to its end any more."""
ENOUGH = 20_000
"""Asks in one ending; more of them are a circle."""


class Heard:
    """A store whose doings are told at once."""

    def __init__(self, store: Store, hear: Callable[[Any, int], None]) -> None:
        self.store = store
        self.hear = hear
        self.journal = store.journal

    def handle(self, ask: Any, now_us: int) -> Any:
        answer = self.store.handle(ask, now_us)
        if self.store.journal:
            self.hear(tuple(self.store.journal), now_us)
            self.store.journal.clear()
        return answer

    def snapshot(self) -> Any:
        return self.store.snapshot()

    def restore(self, snapshot: Any) -> None:
        self.store.restore(snapshot)


class Endings:
    """How the states of a finished search end."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.explorer: Explorer = search.explorer
        self.known: dict[State, dict[str, str]] = {}

    def stuck(self) -> tuple[int, dict[str, str]] | None:
        """A state that cannot end, the one with the fewest told steps, and what is left open there; None if all can."""
        search = self.search
        if not search.keeps_edges:
            raise ValueError("the search has kept no edges")
        bad = {number: open_ for number in search.final if (open_ := self.left_open(search.states[number]))}
        good = np.array([number for number in search.final if number not in bad], dtype=np.int64)
        stuck = np.flatnonzero(~self.reach_backwards(good)).tolist()
        if not stuck:
            return None
        # Most that is stuck comes to a final state that is no good end, and that tells why.
        first = min(bad or stuck, key=lambda number: (search.cost[number], number))
        return first, bad.get(first, {"every_order_ends": "it goes round in circles"})

    def reach_backwards(self, good: Any) -> Any:
        """Which states can reach one of these without a fault."""
        search = self.search
        size = len(search.states)
        to = np.frombuffer(search.to, dtype=np.int32) if len(search.to) else np.empty(0, dtype=np.int32)
        from_ = np.frombuffer(search.from_, dtype=np.int32) if len(search.from_) else np.empty(0, dtype=np.int32)
        before = csr_matrix((np.ones(len(to), dtype=np.int8), (to, from_)), shape=(size, size))
        reached = np.zeros(size, dtype=bool)
        reached[good] = True
        edge = good
        while len(edge):
            found = np.unique(before[edge].indices)
            edge = found[~reached[found]]
            reached[edge] = True
        return reached

    def left_open(self, state: State) -> dict[str, str]:
        """Checker -> what is not over when all should be, after a state at which nobody has anything left to do."""
        explorer = self.explorer
        key = (*state[: explorer.places], state[explorer.seen_at], state[explorer.clock_at])
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self.ended(state)
        return found

    def ended(self, state: State) -> dict[str, str]:
        explorer = self.explorer
        panel, design, policy = explorer.panel, explorer.design, explorer.design.policy
        seen: tuple[int, ...] = panel.seen.values[state[explorer.seen_at]]
        for who, number in enumerate(seen):
            panel.restore(who, number)
        asks = 0

        def hear(journal: Any, now_us: int) -> None:
            nonlocal asks
            asks += 1
            if asks > ENOUGH:
                raise RuntimeError("it goes round in circles")
            for change in journal:
                for who in range(len(seen)):
                    panel.step(who, values_of(change, now_us, "", 0, "", "", -1))

        explorer.services.restore(state[: explorer.places])
        explorer.empty_line()  # who has died was delivered too often, perhaps: only recovery is counted on
        stores: Any = {name: Heard(store, hear) for name, store in explorer.raw.items()}
        now_us = explorer.clock.moments[state[explorer.clock_at]]
        step_us = (
            max(policy.ttl_us, policy.idle_us, policy.settle_after_us, policy.lease_us, policy.refund_delay_us) + 1
        )
        try:
            for _ in range(ROUNDS):
                now_us += step_us
                step_us *= 2  # until every bound has passed
                for job in design.jobs():
                    tick(design, stores, job.flow, now_us)
                work_off(design, stores, now_us)
                if design.rests(explorer.raw, now_us):
                    break
        except (AssertionError, RuntimeError) as error:
            return {"every_order_ends": f"what is left to do fails: {error}"}
        over: tuple[Any, ...] = (now_us, "config", "end", "", 0, "", "", "", "", -1, "", 0, 0, "", "", "complete", True,
                                 "", "", -1, -1, -1, -1, "outside")  # fmt: skip
        reasons: dict[str, str] = {}
        for who, judge in enumerate(panel.judges):
            panel.step(who, over)
            for name, verdict in judge.verdicts().items():
                if verdict.status == "invalid":
                    reasons[name] = verdict.reason
        return reasons
