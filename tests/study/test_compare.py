"""What designs are compared by: measures of histories written by hand, and differences that a reader can work out."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from orderquake.sim.history import History
from orderquake.sim.study.compare import MEASURES, difference, measured, price_usd
from orderquake.sim.study.cost import PICO, cost_per_thousand
from tests.study.histories import S, asks, ended, opened, submits


def told(history: History, at: int, order: str, outcome: str) -> None:
    history.state(at, "order", order=order, to_state=outcome, amount=100)
    history.state(at, "notice", order=order, to_state=outcome, witness="outside")


def captured(history: History, at: int, order: str, amount: int = 100, operation: str = "capture") -> None:
    history.state(at, operation, order=order, key=f"{order}/{at}", amount=amount, witness="outside")


def test_every_measure_is_told_of_every_history() -> None:
    for history in (History(), ended(opened(), S)):
        found = measured(history)
        assert found.keys() == MEASURES.keys()
        assert all(isinstance(value, float) for value in found.values())


def test_an_empty_history_claims_nothing_that_would_be_a_mean() -> None:
    found = measured(ended(opened(), S))
    assert found["double_charges"] == found["stuck"] == found["unrefunded"] == found["stranded"] == 0.0
    for name in ("checkout_p50", "sync_lag", "messages", "hops", "transitions", "registered_while_away"):
        assert math.isnan(found[name]), name


def test_money_is_unrefunded_where_no_goods_left_for_it() -> None:
    history = opened()
    for order, outcome in (("ann", "fulfilled"), ("bob", "refunded"), ("cat", "refunded"), ("dan", "paid")):
        captured(history, S, order)
        history.state(2 * S, "order", order=order, to_state=outcome, amount=100)
    captured(history, 3 * S, "cat", operation="refund")  # bob and dan are still owed theirs
    captured(history, 4 * S, "ann")  # and ann the second
    found = measured(ended(history, 9 * S))
    assert (found["unrefunded"], found["double_charges"]) == (300.0, 1.0)


def test_a_refund_that_failed_is_none() -> None:
    history = opened()
    captured(history, S, "ann")
    captured(history, 2 * S, "ann", operation="refund")
    history.state(2 * S, "order", order="ann", to_state="refunded", amount=100)
    captured(history, 3 * S, "ann", operation="refund_failed")
    assert measured(ended(history, 9 * S))["unrefunded"] == 100.0


def test_units_are_stranded_that_nobody_puts_back() -> None:
    history = opened()
    for order in ("ann", "bob"):
        history.state(S, "hold", order=order, key=f"{order}/1", sku="mug", units=2)
    history.state(2 * S, "free", order="ann", key="ann/1", sku="mug", units=2)
    assert measured(ended(history, 9 * S))["stranded"] == 2.0
    history.state(9 * S, "epoch", answer="lost", version=2)  # who has no memory holds nothing
    assert measured(history)["stranded"] == 0.0


def test_hops_are_counted_to_the_final_answer_and_messages_to_the_end() -> None:
    history = opened()
    submits(history, "ann", (0, S))
    for number, verb in enumerate(("register", "charge", "reserve", "notify")):
        asks(history, verb, ((number + 1) * S, (number + 1) * S + 1), order="ann")
    told(history, 5 * S, "ann", "fulfilled")
    asks(history, "post", (60 * S, 61 * S))
    history.state(60 * S, "post", order="ann", key="ann/final", to_state="fulfilled", answer="posted")
    history.state(60 * S, "transition", order="ann", from_state="", to_state="registered", answer="started")
    found = measured(ended(history, 99 * S))
    assert (found["hops"], found["messages"], found["transitions"], found["sync_lag"]) == (4.0, 5.0, 1.0, 55.0)


@pytest.mark.parametrize("kind", ["down", "offline"])
def test_who_comes_while_the_record_is_away_is_counted_apart(kind: str) -> None:
    history = opened()
    history.state(10 * S, kind, kind="fault", actor="record", key="f", answer="injected")
    for order, at, heard, end in (
        ("before", 5, 6, 40),  # does not count
        ("served", 11, 12, 15),
        ("registered", 12, 13, 30),
        ("waits", 13, 25, 30),
        ("in vain", 14, None, None),
    ):
        submits(history, order, (at * S, None if heard is None else heard * S))
        if end is not None:
            told(history, end * S, order, "fulfilled")
    history.state(20 * S, kind, kind="fault", actor="record", key="f", answer="recovered")
    found = measured(ended(history, 99 * S))
    assert (found["registered_while_away"], found["decided_while_away"]) == (0.5, 0.25)


@pytest.mark.parametrize(
    ("who", "rows"),
    [
        ("provider", [("down", "payment")]),
        ("region", [("partition", "eu - us"), ("partition", "eu - asia")]),
    ],
)
def test_who_comes_while_the_provider_or_a_region_is_away_is_counted_apart(
    who: str, rows: list[tuple[str, str]]
) -> None:
    history = opened()
    for kind, target in rows:
        history.state(10 * S, kind, kind="fault", actor=target, key=target, answer="injected")
    for order, at, heard, end in (("served", 11, 12, 15), ("registered", 12, 13, 30), ("in vain", 14, None, None)):
        submits(history, order, (at * S, None if heard is None else heard * S))
        if end is not None:
            told(history, end * S, order, "fulfilled")
    for kind, target in rows:
        history.state(20 * S, kind, kind="fault", actor=target, key=target, answer="recovered")
    found = measured(ended(history, 99 * S))
    assert found[f"registered_while_{who}_away"] == pytest.approx(2 / 3)
    assert found[f"decided_while_{who}_away"] == pytest.approx(1 / 3)
    assert math.isnan(found["registered_while_away"])


def test_the_price_is_the_bill_in_dollars_for_a_thousand_orders() -> None:
    history = opened()
    assert math.isnan(price_usd(ended(opened(), S)))
    submits(history, "ann", (0, S))
    asks(history, "register", (S, S + 1), order="ann")
    for _ in range(3):
        history.state(2 * S, "transition", order="ann", to_state="registered", answer="started")
    history.state(2 * S, "order", order="ann", to_state="registered", version=1)
    history = ended(history, 9 * S)
    bill = {line.name: line for line in cost_per_thousand(history)}
    assert bill["transitions"].quantity == 3_000
    assert price_usd(history) == sum(line.pico for line in bill.values() if line.currency == "USD") / PICO >= 0.075


def test_asks_abroad_are_counted_where_a_boundary_was_drawn() -> None:
    boundaries = {
        "carries": {"notify": ["personal"], "post": ["order"]},
        "service": {"notify": "notice", "post": "record"},
        "stands": {"notice": ["paris"], "record": ["boston"]},
        "jurisdiction": {"paris": "eu", "boston": "us"},
        "personal": ["eu"],
    }
    history = opened()
    assert math.isnan(measured(ended(opened(), S))["abroad"])
    history.state(0, "residency", kind="config", answer=json.dumps(boundaries))
    for place in ("paris", "boston", "boston"):
        history.state(S, "notify", kind="invoke", actor="worker-1", place=place)
    history.state(S, "post", kind="invoke", actor="outbound", place="boston")
    assert measured(ended(history, 9 * S))["abroad"] == 2.0


# -- differences


def test_a_difference_is_taken_seed_by_seed() -> None:
    found = difference([11.0, 21.0, 31.0], [10.0, 20.0, 30.0])
    assert found is not None
    assert (found.mean, found.half_width, found.pairs, found.lower, found.higher) == (1.0, 0.0, 3, 0, 3)
    assert found.is_clear


def test_seeds_in_which_one_cannot_claim_the_measure_are_left_out() -> None:
    found = difference([1.0, math.nan, 3.0], [0.0, 1.0, math.nan])
    assert found is not None
    assert (found.pairs, found.mean, found.half_width) == (1, 1.0, math.inf)
    assert not found.is_clear
    assert difference([math.nan], [1.0]) is None


def test_pairing_takes_out_what_both_have_in_common() -> None:
    luck = np.random.default_rng(7)
    common = luck.normal(100.0, 20.0, 50)
    found = difference((common + 1.0 + luck.normal(0.0, 0.5, 50)).tolist(), common.tolist())
    assert found is not None
    assert found.is_clear
    assert found.gain > 100


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """95 % of 2,000 intervals; a sound one fails here in fewer than one of a million tries."""
    luck = np.random.default_rng(11)
    hits = 0
    for _ in range(2_000):
        theirs = luck.normal(0.0, 3.0, 12)
        found = difference((theirs + luck.normal(0.5, 1.0, 12)).tolist(), theirs.tolist())
        assert found is not None
        hits += abs(found.mean - 0.5) <= found.half_width
    assert 0.925 < hits / 2_000 < 0.975
