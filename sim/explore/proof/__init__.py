"""prove: every interleaving and every fault of a few orders, and what may be said after it.

The one door of the prover. `explorer_of` and `searched` are for those who want to look inside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from orderquake.model.architecture import Architecture
from orderquake.model.order import Order
from orderquake.sim.explore.proof.ends import Endings
from orderquake.sim.explore.proof.guards import clock_of
from orderquake.sim.explore.proof.moves import Explorer
from orderquake.sim.explore.proof.scope import Proof, Scope, ScopeError, panel, scope_of
from orderquake.sim.explore.proof.search import Search
from orderquake.sim.explore.proof.story import Teller
from orderquake.sim.explore.proof.symmetry import Symmetry

__all__ = ["LIMIT", "Proof", "Scope", "ScopeError", "explorer_of", "prove", "proved", "scope_of", "searched"]

LIMIT = 5_000_000
"""States; some 500 bytes each."""


def prove(
    on: str | type[Architecture] = "hot_cold",
    orders: int | Sequence[Order] = 2,
    skus: int = 1,
    units: int = 1,
    faults: Sequence[str] = (),
    at_most: int = 1,
    each: bool = False,
    policy: str = "pay_first",
    drop: Sequence[str] = (),
    limit: int = LIMIT,
    jobs: Mapping[str, int] | None = None,
    advance: Callable[[float], None] | None = None,
    promises: Sequence[str] = (),
) -> Proof:
    """Look at every reachable state of a few orders, and judge it.

    on       a design, or a planted bug, by name or class
    orders   how many (each wants one unit of every product), or the orders themselves
    units    of each product on the shelves
    faults   names in `FAULTS`; at most `at_most` of them in all, or with `each` of each kind
    drop     names in `GUARDS` not to take for granted; the faults that these guard against come along
    limit    stop after so many states
    jobs     flow -> how often each may run; refresh and post, once each, if not told
    promises checkers to judge by, where it is not all that can hear
    raises   ScopeError where there is no such thing
    """
    scope = scope_of(on, orders, skus, units, faults, at_most, each, policy, drop, jobs)
    return proved(replace(scope, promises=tuple(promises)), limit, advance)


def explorer_of(scope: Scope, kind: type[Explorer] = Explorer, is_normal: bool = True) -> Explorer:
    """The moves of a scope."""
    policy = scope.rules()
    explorer = kind(
        scope.design(policy),
        scope.orders,
        scope.opening,
        panel(scope.promises),
        scope.jobs,
        scope.budget(),
        clock_of(policy, scope.faults, scope.drop),
        scope.limits,
        is_normal,
    )
    if "key_retention" in scope.drop:
        for store in explorer.raw.values():
            if hasattr(store, "key_retention_us"):
                store.key_retention_us = 1
    return explorer


def searched(
    scope: Scope,
    limit: int = LIMIT,
    *,
    is_reduced: bool = True,
    is_symmetric: bool = True,
    is_shortest: bool = False,
    keeps_edges: bool = False,
    is_normal: bool = True,
    explorer: type[Explorer] = Explorer,
    symmetry: type[Symmetry] = Symmetry,
    advance: Callable[[float], None] | None = None,
) -> Search:
    """One search of a scope."""
    moves = explorer_of(scope, explorer, is_normal)
    alike = symmetry(moves, scope.orders, tuple(scope.opening)) if is_symmetric else None
    search = Search(moves, alike, is_reduced=is_reduced, is_shortest=is_shortest, keeps_edges=keeps_edges)
    search.run(limit, advance)
    return search


def stuck_in(search: Search) -> tuple[int, dict[str, str]] | None:
    """A state from which not everything ends, and what does not; None where there is none."""
    return Endings(search).stuck()


def proved(scope: Scope, limit: int = LIMIT, advance: Callable[[float], None] | None = None) -> Proof:
    """Search a scope; where something is broken, search once more for the shortest story of it."""
    began = time.process_time()
    search = searched(scope, limit, keeps_edges=True, advance=advance)
    proof = Proof(scope, search.explorer.panel.names, scope.guards)
    proof.states, proof.transitions, proof.finals = (
        min(len(search.states), limit),
        search.transitions,
        len(search.final),
    )
    if search.broken:
        shortest = searched(scope, limit, is_shortest=True, advance=advance)
        found = shortest if shortest.broken else search
        ((number, proof.violation),) = found.broken.items()
        proof.story = Teller(found).story(number)
    elif search.is_complete:
        proof.is_complete = True
        stuck = stuck_in(search)
        proof.can_end = stuck is None
        if stuck is not None:
            found = searched(scope, limit, is_shortest=True, keeps_edges=True, advance=advance)
            number, proof.violation = (found.is_complete and stuck_in(found)) or stuck
            proof.story = Teller(found if found.is_complete else search).story(number)
    else:
        proof.growth = np.bincount(np.frombuffer(search.cost, dtype=np.int32)).tolist()
    proof.seconds = time.process_time() - began
    return proof
