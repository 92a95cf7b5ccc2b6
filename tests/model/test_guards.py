"""What holds askers back: breakers and retry budgets, and the patience that listens to them."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.breaker import Breaker, Tried, Try
from orderquake.model.flow import GO, OPEN, SPENT, Backoff, Heard, NoReply, PatienceEnded, Permit, Send
from orderquake.model.guards import Guards
from orderquake.model.patience import guardedly
from orderquake.model.policy import BreakerPolicy, BudgetPolicy, Patience, Policy
from orderquake.model.retry_budget import Earn, RetryBudget, Spend
from orderquake.model.stock import AskStatus
from orderquake.sim.plain import perform

ASK = AskStatus()


def breaker(failures: int = 2, probes: int = 1) -> Breaker:
    return Breaker(BreakerPolicy(failures, open_us=100, probes=probes))


def fail(store: Breaker, times: int, now_us: int = 0) -> None:
    for _ in range(times):
        assert store.handle(Try(), now_us)
        store.handle(Tried(False), now_us)


def test_a_breaker_opens_after_so_many_failures_in_a_row() -> None:
    store = breaker(failures=3)
    fail(store, 2)
    store.handle(Tried(True), 0)  # an answer in between
    fail(store, 2)
    assert store.handle(Try(), 0)
    store.handle(Tried(False), 0)
    assert not store.handle(Try(), 99)
    assert [change.to_state for change in store.journal] == ["open"]


def test_an_open_breaker_lets_one_try_after_a_while() -> None:
    store = breaker()
    fail(store, 2)
    assert [store.handle(Try(), now) for now in (99, 100, 101)] == [False, True, False]


@pytest.mark.parametrize(("is_answered", "may_ask"), [(True, True), (False, False)])
def test_the_probe_decides(is_answered: bool, may_ask: bool) -> None:
    store = breaker()
    fail(store, 2)
    store.handle(Try(), 100)
    store.handle(Tried(is_answered), 150)
    assert store.handle(Try(), 151) is may_ask


def test_it_takes_as_many_probes_as_the_policy_says() -> None:
    store = breaker(probes=2)
    fail(store, 2)
    for now in (100, 110):
        assert store.state != "closed"
        assert store.handle(Try(), now)
        store.handle(Tried(True), now)
    assert store.state == "closed"


def test_a_probe_whose_asker_died_is_not_waited_for_for_ever() -> None:
    store = breaker()
    fail(store, 2)
    assert store.handle(Try(), 100)
    assert not store.handle(Try(), 199)
    assert store.handle(Try(), 200)


def test_what_was_asked_before_it_opened_changes_nothing() -> None:
    store = breaker()
    fail(store, 2)
    store.handle(Tried(True), 1)
    assert store.state == "open"


def test_a_budget_pays_for_tries_and_no_more() -> None:
    store = RetryBudget(BudgetPolicy(per_call_thousandths=250, burst=2))
    assert [store.handle(Spend(), 0) for _ in range(3)] == [True, True, False]
    for _ in range(4):
        store.handle(Earn(), 0)
    assert [store.handle(Spend(), 0) for _ in range(2)] == [True, False]
    assert [change.answer for change in store.journal] == ["spent", "spent"]


def test_a_budget_saves_up_to_its_burst() -> None:
    store = RetryBudget(BudgetPolicy(per_call_thousandths=1000, burst=2))
    for _ in range(100):
        store.handle(Earn(), 0)
    assert [store.handle(Spend(), 0) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("store", [breaker(), RetryBudget(BudgetPolicy(100, 1))], ids=["breaker", "budget"])
def test_what_they_remember_can_be_put_back(store: Any) -> None:
    before = store.snapshot()
    hash(before)
    for _ in range(3):
        store.handle(Tried(False) if isinstance(store, Breaker) else Spend(), 7)
    assert store.snapshot() != before
    store.restore(before)
    assert store.snapshot() == before


def guards(**patience: Any) -> Guards:
    return Guards(Policy(patience={"stock": Patience(**patience)}))


def test_nobody_is_held_back_without_a_policy() -> None:
    some = guards()
    assert [some.permit(Permit("stock", attempt), 0) for attempt in range(9)] == [GO] * 9


def test_the_budget_is_asked_before_the_breaker() -> None:
    some = guards(breaker=BreakerPolicy(failures=1), budget=BudgetPolicy(0, 1))
    some.hear(Heard("stock", False), 0)
    assert [some.permit(Permit("stock", attempt), 0) for attempt in range(3)] == [OPEN, OPEN, SPENT]
    assert [change.operation for change in some.told("stock")] == ["breaker", "retry_budget"]
    assert not list(some.told("stock")), "it is told once"


def heard(*replies: Any) -> list[Any]:
    """What guarded patience does when it hears these; an exception is thrown in."""
    flow = guardedly(ASK, Patience(timeout_us=7, attempts=3, base_us=10, cap_us=15, backoff="equal"))
    seen: list[Any] = []
    left = list(replies)
    give, answer = flow.send, None
    try:
        while True:
            effect = give(answer)  # type: ignore[arg-type]
            seen.append("send" if isinstance(effect, Send) else effect)
            give, answer = flow.send, None
            if isinstance(effect, Send | Permit):
                answer = left.pop(0)
                if isinstance(answer, Exception):
                    give = flow.throw  # type: ignore[assignment]
    except StopIteration as stop:
        return [*seen, stop.value]
    except PatienceEnded:
        return [*seen, "ended"]


def test_guarded_patience_asks_first_and_tells_afterwards() -> None:
    first, second = Permit("stock", 0), Permit("stock", 1)
    silent, spoke, pause = Heard("stock", False), Heard("stock", True), Backoff(10, 15, 0, "equal")
    assert heard(GO, "yes") == [first, "send", spoke, "yes"]
    assert heard(GO, NoReply(), GO, "yes") == [first, "send", silent, pause, second, "send", spoke, "yes"]
    assert heard(GO, NoReply(), SPENT) == [first, "send", silent, pause, second, "ended"]


def test_an_open_breaker_costs_a_try_and_sends_nothing() -> None:
    assert heard(OPEN, GO, "yes")[-3:] == ["send", Heard("stock", True), "yes"]
    assert heard(OPEN, OPEN, OPEN).count("send") == 0
    assert heard(OPEN, OPEN, OPEN)[-1] == "ended"


def test_the_plain_world_holds_nobody_back() -> None:
    design = HotCold(Policy(patience={"stock": Patience(breaker=BreakerPolicy(), budget=BudgetPolicy())}))
    assert perform(design.patiently(ASK), design.stores({})).is_open
