"""The state tables: what can happen, and that nothing else does."""

from __future__ import annotations

from itertools import product

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.order import FINAL, POSTABLE, STATE_TABLES, State, Sync
from orderquake.model.policy import Policy
from tests.model.shop import order

TABLES = pytest.mark.parametrize("policy", STATE_TABLES)
REOPENED = State.REFUND_PENDING
"""Where money that turns up late, or a refund that failed, brings an ended order back to."""


def reachable(policy: str, start: State) -> set[State]:
    seen, new = set[State](), [start]
    while new:
        seen.add(state := new.pop())
        new += STATE_TABLES[policy][state] - seen
    return seen


@TABLES
def test_every_state_of_a_table_can_be_reached(policy: str) -> None:
    assert reachable(policy, State.REGISTERED) == set(STATE_TABLES[policy])


@TABLES
def test_a_table_leads_nowhere_that_it_does_not_know(policy: str) -> None:
    table = STATE_TABLES[policy]
    assert {to for following in table.values() for to in following} <= set(table)


@TABLES
def test_from_every_state_an_order_can_end(policy: str) -> None:
    assert all(reachable(policy, state) & FINAL for state in STATE_TABLES[policy])


@TABLES
def test_an_ended_order_stays_ended_unless_money_has_to_go_back(policy: str) -> None:
    table = STATE_TABLES[policy]
    reopened = {state: table[state] for state in FINAL & set(table) if table[state]}
    can_be_paid_back = {State.REFUNDED, State.DECLINED} if REOPENED in table else set[State]()
    assert reopened == {state: {REOPENED} for state in can_be_paid_back}


@TABLES
def test_only_final_states_end(policy: str) -> None:
    table = STATE_TABLES[policy]
    assert {state for state in table if table[state] <= {REOPENED}} == FINAL & set(table)


def test_reserving_first_needs_no_state_of_being_reserved() -> None:
    assert set(STATE_TABLES["pay_first"]) - set(STATE_TABLES["reserve_first"]) == {State.RESERVED}


@TABLES
def test_an_order_moves_only_along_the_table(policy: str) -> None:
    design = HotCold(Policy(order=policy))  # type: ignore[arg-type]
    table = STATE_TABLES[policy]
    for state, to in product(table, State):
        stands = order("ann")._replace(state=state)
        if to in table[state]:
            moved = design.move(stands, to, token="t")
            assert (moved.state, moved.token) == (to, "t")
        else:
            with pytest.raises(AssertionError, match=f"ann: {state} may not become {to}"):
                design.move(stands, to)


@pytest.mark.parametrize("state", State)
def test_an_order_is_closed_when_its_customer_is_told_and_nothing_is_held(state: State) -> None:
    told = order("ann")._replace(state=state, is_told=True)
    assert told.is_closed == (state in FINAL)
    assert not told._replace(is_told=False).is_closed
    assert told._replace(token="t").is_closed == (state is State.FULFILLED), "a fulfilled order keeps its pin"


@pytest.mark.parametrize("state", State)
def test_the_record_needs_only_what_moved_goods_or_money(state: State) -> None:
    waits = order("ann")._replace(state=state)
    assert waits.is_synced == (state in FINAL - POSTABLE)
    assert all(waits._replace(sync=sync).is_synced for sync in (Sync.POSTED, Sync.DEAD_LETTER))
