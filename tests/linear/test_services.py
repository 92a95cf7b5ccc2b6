"""The stores of real runs: which are one service to whoever asks them, and which only look like it."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from orderquake.model.architecture import Architecture
from orderquake.model.kv import Kv, LastWriter, One
from orderquake.model.taubyte import EveryNode
from orderquake.sim.history import History
from orderquake.sim.linear import Verdict, check, operations_of
from orderquake.sim.run import Run
from tests.model.test_kv import Members
from tests.world.faults.days import run

WINDOW = {"from": "2 min", "for": "2 min"}
BUSY = {"workload": {"kind": "poisson", "rate_per_s": 1.0, "cancels": 0.1, "clicks_twice": 0.1}}
CRASHES = [
    {"kind": "crash", "when": "after", "target": "stock", "probability": 0.05},
    {"kind": "crash", "when": "before", "target": "order_cache", "probability": 0.02},
]
ZOMBIES = [
    {
        "kind": "pause", "when": "before", "target": "stock", "probability": 0.05, "outlives_deadline": True,
        "length": {"kind": "uniform", "low": "20 s", "high": "50 s"},
    }
]  # fmt: skip
SILENCE = [
    {"kind": "lose_answer", "target": "stock", "probability": 0.2},
    {"kind": "lose_answer", "target": "order_cache", "probability": 0.1},
    {"kind": "lose_ask", "target": "stock", "probability": 0.1},
]
COPIES = [
    {
        "kind": "duplicate", "target": target, "probability": 0.2,
        "after": {"kind": "uniform", "low": "1 ms", "high": "60 s"},
    }
    for target in ("stock", "order_cache")
]  # fmt: skip
WIPED = [{"kind": "wiped", "at": "2 min"}]
BORNE: dict[str, list[dict[str, Any]]] = {
    "crashes": CRASHES,
    "zombies": ZOMBIES,
    "silence": SILENCE,
    "copies": COPIES,
    "wiped": WIPED,
    "all at once": [*CRASHES, *ZOMBIES, *SILENCE, *COPIES, *WIPED],
}


def day(*faults: dict[str, Any], on: str | type[Architecture] = "hot_cold", seed: int = 1, **tables: Any) -> Run:
    return run(*faults, on=on, seed=seed, **{**BUSY, **tables})


# -- what hot_cold relies on


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "all at once" else pytest.mark.slow) for name in BORNE]
)
def test_both_caches_are_linearizable_whatever_befalls_those_who_ask(name: str) -> None:
    history = day(*BORNE[name]).history
    for service, few in (("stock", 300), ("order_cache", 3_000)):
        for believes_ledger in (True, False):
            found = check(history, service, believes_ledger=believes_ledger)
            assert found.status == "valid", str(found)
            assert found.operations > few


def test_many_asks_of_a_bad_day_were_never_answered_and_the_ledger_says_what_became_of_them() -> None:
    history = day(*SILENCE).history
    for service, few in (("stock", 20), ("order_cache", 20)):
        unsure = Counter(
            believes for believes in (True, False) for each in operations_of(history, service, believes)
            if each.back is None
        )  # fmt: skip
        assert unsure[False] > few
        assert unsure[True] < unsure[False]
    assert not any(each.back is None for each in operations_of(history, "stock"))


def test_a_record_that_keeps_the_reservations_is_linearizable_too() -> None:
    history = day(*SILENCE, on="reserve_in_record").history
    found = check(history, "record")
    assert found.status == "valid", str(found)
    assert found.operations > 300


# -- what is no longer one


def convicted(found: Verdict, *words: str) -> None:
    assert found.status == "invalid"
    for word in words:
        assert word in str(found)
    assert found.witness


def test_a_stock_that_was_lost_and_does_not_say_so_is_not() -> None:
    found = check(day({"kind": "wiped_silently", "at": "3 min"}, seed=2).history, "stock")
    convicted(found, "can be put in order", "and there is no way on to")


def test_an_order_cache_that_answers_reads_from_its_past_is_not() -> None:
    stale = {"kind": "stale_reads", "target": "order_cache", "behind": "200 ms", "share": 0.1, **WINDOW}
    history = day(stale).history
    convicted(check(history, "order_cache"), "the row of ")
    assert check(history, "stock").status == "valid", "nobody else is to blame"


@pytest.mark.parametrize("strength", ["last_writer", "taubyte_nodes"])
def test_orders_in_a_store_that_is_merged_later_are_not_read_where_they_were_written(strength: str) -> None:
    found = check(day(on="article", kv={"strength": strength}).history, "order_cache")
    convicted(found, "registered, by front-", "-> not_registered, by worker-")


def test_a_linearizable_store_does_not_make_read_change_write_a_compare_and_set() -> None:
    found = check(day(on="article", kv={"strength": "linearizable"}).history, "order_cache")
    convicted(found, "-> written")
    assert "not_registered" not in str(found)


def test_regions_that_split_the_stock_are_no_single_stock_and_sell_nothing_twice() -> None:
    """Safe is not linearizable: a region that has no rights left says that it is sold out."""
    found = day(on="escrow")
    assert found.verdicts["never_oversold"].status == "valid"
    convicted(check(found.history, "stock"), "-> sold_out")


@pytest.mark.parametrize("design", ["naive_cache", "claims"])
def test_of_a_stock_that_is_asked_otherwise_nothing_is_said(design: str) -> None:
    """What a count said when it was read stands in no history."""
    assert check(day(on=design).history, "stock").reason == "not exercised: nothing was asked"


def test_a_service_without_a_model_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r'no model of "payment"; expected stock, record, order_cache, kv'):
        check(History(), "payment")
    with pytest.raises(ValueError, match='what is asked of "queue" is not known'):
        operations_of(History(), "queue")


# -- stores by keys and values


def played(kind: type[Kv], of: int, seed: int, steps: int = 300) -> History:
    """Some clients, each at a member, read and write two keys; asks, answers and letters take their time."""
    dice, history, members = Random(seed), History(), Members(kind, of, a=0, b=0)
    idle, under_way, done = list(range(4)), [], []
    for now in range(steps):
        what = dice.choice(("ask", "do", "answer", "letter"))
        if what == "ask" and idle:
            client, key = idle.pop(dice.randrange(len(idle))), dice.choice("ab")
            about = {"key": key, "actor": f"client-{client}"}
            if dice.random() < 0.5:
                row = history.state(now, "read", kind="invoke", **about)
                under_way.append((client, row, key, None))
            else:
                row = history.state(now, "write", kind="invoke", to_state=str(now), **about)
                under_way.append((client, row, key, str(now)))
        elif what == "do" and under_way:
            client, row, key, value = under_way.pop(dice.randrange(len(under_way)))
            member = members.all[client % of]
            if value is not None:
                member.put(key, value, now)
                members.collect()
            done.append((client, row, "done" if value is not None else str(member.get(key))))
        elif what == "answer" and done:
            client, row, answer = done.pop(dice.randrange(len(done)))
            said = "info" if answer == "done" and dice.random() < 0.1 else "ok"
            history.state(now, history[row].operation, kind=said, key=history[row].key, answer=answer, cause=row,
                          actor=f"client-{client}")  # fmt: skip
            idle.append(client)
        elif what == "letter" and members.under_way:
            members.deliver(dice.randrange(len(members.under_way)))
    return history


def linear(kind: type[Kv], of: int) -> int:
    """Of ten runs, how many are linearizable."""
    from orderquake.sim.linear.register import Register

    found = [check(played(kind, of, seed), "kv", Register("0")).status for seed in range(10)]
    assert set(found) <= {"valid", "invalid"}
    return found.count("valid")


def test_a_single_member_is_a_register_and_members_that_merge_later_are_none() -> None:
    assert linear(One, 1) == 10
    assert linear(LastWriter, 1) == 10, "alone, its own clock is the only one"
    assert linear(LastWriter, 2) < 10, "writes travel with their letters, so it shows in some runs only"
    assert linear(EveryNode, 2) < 3
