"""The prover: what it finds, by how short a story, what it takes for granted, and what it says when it was cut off.

Counts are pinned: a change of them is a change of the model or of the search, and wants a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.order import Order
from orderquake.sim.explore.proof import Proof, ScopeError, explorer_of, prove, scope_of, searched
from orderquake.sim.explore.proof.guards import GUARDS, NEEDS
from orderquake.sim.explore.proof.services import Expire
from orderquake.sim.explore.proof.story import Struck

ANY_ONE = ("crash", "lose_ask", "lose_answer", "duplicate", "lapse")


class ForgetsTheToken(HotCold):
    """Breaks: who gives an order up remembers the token until the units are back."""

    name = "forgets_the_token"

    def undo(self, order: Order) -> Order:
        return super().undo(order)._replace(token="")


# -- nothing is found where there is nothing


@pytest.mark.parametrize(
    ("policy", "faults", "states", "transitions"),
    [
        ("pay_first", (), 1_139, 3_025),
        ("pay_first", ANY_ONE, 12_911, 46_053),
        ("reserve_first", (), 157, 398),
        ("reserve_first", ANY_ONE, 2_241, 7_248),
        ("authorise_reserve_capture", (), 157, 398),
        ("authorise_reserve_capture", ANY_ONE, 1_260, 4_922),
    ],
)
def test_hot_cold_keeps_all_promises_and_comes_to_an_end(
    policy: str, faults: Sequence[str], states: int, transitions: int
) -> None:
    proof = prove(policy=policy, faults=faults)
    assert (proof.verdict, proof.can_end, dict(proof.violation)) == ("valid", True, {})
    assert (proof.states, proof.transitions) == (states, transitions)


def test_whatever_the_provider_does_with_a_good_card() -> None:
    proof = prove(faults=("decline", "stored_error", "stored_error_paid", "pays_in_part"))
    assert (proof.verdict, proof.can_end) == ("valid", True)


def test_with_a_second_worker_in_the_middle_of_a_step() -> None:
    assert prove(policy="reserve_first", faults=("lease",)).verdict == "valid"


def test_with_a_customer_who_cancels_and_a_worker_who_dies() -> None:
    assert prove(orders=1, faults=("crash", "cancel"), each=True).verdict == "valid"


# -- what is planted is found, and by its shortest story


@pytest.mark.parametrize(
    ("mutant", "orders", "faults", "checker", "steps"),
    [
        ("overwrites_on_refresh", 2, (), "fresh_snapshots_only", 4),
        ("subtracts_at_apply", 2, (), "fresh_snapshots_only", 7),
        ("skips_posting", 2, (), "legal_transitions", 5),
        ("loser_releases", 2, (), "never_oversold", 7),
        ("keys_each_attempt", 1, ("lose_answer",), "charged_once", 3),
        ("forgets_dedup", 1, ("lose_answer",), "posted_once", 6),
        ("consumes_without_looking", 2, ("lapse",), "never_oversold", 7),
        ("refunds_before_writing", 2, ("crash", "lapse"), "refunded_right", 9),
        ("releases_twice", 1, ("crash", "cancel"), "units_conserved", 7),
        ("naive_cache", 2, (), "never_oversold", 6),
    ],
)
def test_a_planted_bug_is_found_by_its_shortest_story(
    mutant: str, orders: int, faults: Sequence[str], checker: str, steps: int
) -> None:
    proof = prove(mutant, orders=orders, faults=faults, each=True)
    assert proof.verdict == "invalid"
    assert checker in proof.violation
    assert proof.steps == steps == len(proof.lines())


@pytest.mark.parametrize(
    ("mutant", "faults", "checker"),
    [
        ("never_recovers", ("crash",), "every_order_ends"),
        ("skips_a_change", (), "books_converge"),
        ("refunds_in_silence", (), "notices_sent"),
        (ForgetsTheToken, ("cancel",), "books_converge"),
    ],
)
def test_what_cannot_end_is_told(mutant: Any, faults: Sequence[str], checker: str) -> None:
    proof = prove(mutant, orders=2 if mutant == "refunds_in_silence" else 1, faults=faults)
    assert proof.is_complete, "no promise is broken on the way; it is the end that never comes"
    assert (proof.verdict, proof.can_end) == ("invalid", False)
    assert checker in proof.violation
    assert proof.steps


# -- a story can be lived again


def lived_again(proof: Proof) -> dict[str, str]:
    """Asked of fresh stores in its order, every ask gets the answer that the story tells; what is broken then."""
    explorer = explorer_of(proof.scope)
    stores: Any = explorer.raw
    explorer.services.restore(explorer.first[: explorer.places])
    judges = explorer.panel.judges
    for who, state in enumerate(explorer.panel.seen.values[explorer.first[explorer.seen_at]]):
        explorer.panel.restore(who, state)
    now_us = 0
    for step in proof.story:
        if isinstance(step.ask, Struck):
            if step.ask.verb == "lapse":
                assert isinstance(step.ask.ask, Expire)
                held = stores["stock"].by_token[step.ask.ask.token]
                stores["stock"].live(held.token, held.until_us)
            elif step.ask.verb == "time":
                now_us = int(float(step.ask.about.split()[1]) * 1_000_000)
        else:
            answer = stores[step.ask.service].handle(step.ask, now_us)
            assert (type(answer), answer) == (type(step.answer), step.answer)
        for store in stores.values():
            if store.journal:
                journal = explorer.services.journals.number((now_us, tuple(store.journal)))
                store.journal.clear()
                hear_all(explorer, journal)
    return {
        name: verdict.reason
        for judge in judges
        for name, verdict in judge.verdicts().items()
        if verdict.status == "invalid"
    }


def hear_all(explorer: Any, journal: int) -> None:
    from orderquake.sim.recorder import values_of

    now_us, changes = explorer.services.journals.values[journal]
    for change in changes:
        for who in range(len(explorer.panel.judges)):
            explorer.panel.step(who, values_of(change, now_us, "", 0, "", "", -1))


@pytest.mark.parametrize(
    ("mutant", "faults"),
    [
        ("overwrites_on_refresh", ()),
        ("loser_releases", ()),
        ("forgets_dedup", ("lose_answer",)),
        ("consumes_without_looking", ("lapse",)),
        ("refunds_before_writing", ("crash", "lapse")),
    ],
)
def test_a_story_can_be_lived_again(mutant: str, faults: Sequence[str]) -> None:
    proof = prove(mutant, faults=faults, each=True)
    assert lived_again(proof).keys() == proof.violation.keys()


def test_a_story_with_a_fault_tells_it_as_a_step() -> None:
    proof = prove("keys_each_attempt", orders=1, faults=("lose_answer",))
    assert proof.lines() == [
        "order o-1: charge -> captured",
        "lose_answer: the answer is lost (charge of o-1)",
        "order o-1: charge -> captured",
    ]


# -- guards


@pytest.mark.parametrize("guard", ["message_life", "worker_deadline", "send_horizon", "key_retention"])
def test_without_the_guard_a_card_is_charged_twice_and_with_it_never(guard: str) -> None:
    dropped = prove(orders=1, drop=(guard,), jobs={})
    assert set(dropped.violation) == {"charged_once"}
    assert guard not in dropped.guards
    assert lived_again(dropped).keys() == {"charged_once"} or guard == "key_retention"
    kept = prove(orders=1, faults=tuple(NEEDS[guard]), each=True, jobs={})
    assert (kept.verdict, kept.can_end) == ("valid", True)
    assert guard in kept.guards


def test_orders_may_be_decided_late() -> None:
    """Where time may pass, this bound is none that safety rests on."""
    proof = prove(orders=1, drop=("decide_within",))
    assert (proof.verdict, proof.can_end) == ("valid", True)
    assert "decide_within" not in proof.guards
    assert set(prove(orders=1).guards) == set(GUARDS)


# -- what is asked for, and what was not seen


def test_a_search_that_was_cut_off_is_unknown_and_says_how_it_grew() -> None:
    proof = prove(limit=100)
    assert (proof.verdict, proof.is_complete, proof.can_end) == ("unknown", False, False)
    assert sum(proof.growth) >= 100


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"faults": ("crsh",)}, 'no fault is called "crsh"'),
        ({"drop": ("luck",)}, 'no guard is called "luck"'),
        ({"orders": 0}, "expected 1 to 9"),
        ({"skus": 99}, "expected 1 to 6"),
        ({"on": "hot_colt"}, "hot_colt"),
        ({"policy": "pay_never"}, "pay_never"),
    ],
)
def test_a_scope_that_cannot_be_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ScopeError, match=says):
        prove(**wrong)


def test_the_same_proof_counts_the_same_states() -> None:
    first, second = (prove(policy="reserve_first", faults=("crash",)) for _ in range(2))
    assert (first.states, first.transitions, first.finals) == (second.states, second.transitions, second.finals)


def test_reads_change_nothing() -> None:
    """The search asserts it of each read that it makes; here it has made all kinds that an order and its jobs make."""
    scope = scope_of("hot_cold", 2, 1, 1, ("crash",), 1, False, "pay_first", (), None)
    verbs = {ask.verb for ask in searched(scope).explorer.services.asks.values}
    assert {"read_order", "list_unposted", "read_changes", "ask_status"} <= verbs
