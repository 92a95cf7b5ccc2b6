"""What can be said of a design whatever the timing: it is proven unsafe, or safe at a small scope, or neither.

Every interleaving of two orders that want one unit, of a refresh and of a post is looked at. Nothing here depends on
how long anything takes: that is what the maps are for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from orderquake.model.in_kv import InKv
from orderquake.sim.report import words
from orderquake.sim.run import design_of, policy_of
from orderquake.sim.scenario import Scenario

Verdict: TypeAlias = Literal["unsafe", "safe", "open"]

PROMISE: Final = "never_oversold"
STATES: Final = 200_000
"""States after which a search is given up: some ten seconds."""
OWN: Final = "its own"
"""The store of a design that keeps nothing by keys and values, or of one whose scenario says nothing of it."""


@dataclass(frozen=True)
class Proven:
    """on, store   what it is of
    verdict     unsafe: the story breaks the promise, at some timing; safe: nothing in scope does; open: neither
    why         what was broken, or why nothing can be said
    story       the asks that lead there
    guards      what was taken for granted
    """

    on: str
    store: str
    verdict: Verdict
    why: str
    scope: str
    states: int
    story: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        glyph = {"unsafe": "invalid", "safe": "valid", "open": "unknown"}[self.verdict]
        said = {"unsafe": "proven unsafe", "safe": "safe at exhaustive scope", "open": "not proven"}[self.verdict]
        return {
            "on": self.on, "store": self.store, "glyph": glyph, "verdict": said, "why": self.why,
            "scope": "; ".join(filter(None, (self.scope, words.listed(list(self.guards)), self.why))),
            "states": words.count(self.states), "story": list(self.story),
        }  # fmt: skip


Found: TypeAlias = tuple[Verdict, str, str, int, tuple[str, ...], tuple[str, ...]]
"""verdict, why, scope, states, story, guards"""


def proven(on: str, scenario: Scenario, stores: Sequence[str] = (OWN,)) -> list[Proven]:
    """What is proven of a design under the policy of a scenario, on each of these stores.

    stores   strengths. The search plays a single member, which is as strong as any: a story of it is a story of weaker
             stores, too, but that nothing is found says nothing of those
    """
    found = _proved(on, scenario)
    return [_on(store, on, scenario, found) for store in stores]


def _on(store: str, on: str, scenario: Scenario, found: Found) -> Proven:
    verdict, why, scope, states, story, guards = found
    if (
        verdict == "safe"
        and store != OWN
        and any(isinstance(each, InKv) for each in design_of(on)(policy_of(scenario)).stores({}).values())
    ):
        verdict, why = "open", "nothing found, but only one member of the store was looked at"
    return Proven(on, store, verdict, why, scope, states, story, guards)


def _proved(on: str, scenario: Scenario) -> Found:
    from orderquake.sim.explore.proof import prove

    proof = prove(on, 2, 1, 1, policy=scenario.policy.order, limit=STATES, promises=(PROMISE,))
    told = tuple(str(step) for step in proof.story if step.is_told)
    return (*_judged(proof), "2 orders, 1 unit, every interleaving", proof.states, told, proof.guards)


def _judged(proof: Any) -> tuple[Verdict, str]:
    if proof.violation:
        return "unsafe", "; ".join(f"{words.plain(claim)}: {reason}" for claim, reason in proof.violation.items())
    return ("safe", "") if proof.is_complete else ("open", f"the search was cut short after {proof.states:,} states")


def fields_of(found: Sequence[Proven]) -> dict[tuple[str, str], Verdict]:
    """(design, store) -> what is proven of it."""
    return {(one.on, one.store): one.verdict for one in found}
