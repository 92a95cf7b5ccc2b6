"""Bills against arithmetic that a reader can do, and a workflow's against the vendor's own example."""

from __future__ import annotations

import pytest

from orderquake.sim.history import History
from orderquake.sim.run import simulate
from orderquake.sim.study.cost import PICO, PRICES, added, cost_frame, cost_per_thousand, in_words, totals, used
from tests.study.histories import S, ended, opened


def bill(**counts: int) -> dict[str, tuple[int, int]]:
    return {line.name: (line.quantity, line.pico) for line in cost_per_thousand({"orders": 1000, **counts})}


def test_ten_steps_an_order_are_a_quarter_of_a_dollar_a_thousand() -> None:
    # Standard workflows: 25 USD a million steps.
    assert bill(transitions=10_000) == {"transitions": (10_000, PICO // 4)}


def test_a_card_of_twenty_pounds_costs_half_a_pound() -> None:
    found = bill(charges=1000, charged_pence=2_000_000)
    assert found == {"charges": (1000, 200 * PICO), "charged_pence": (2_000_000, 300 * PICO)}


def test_a_second_of_a_function_is_an_eighth_of_a_gigabyte_second() -> None:
    (_, pico), exact = bill(function_ms=1_000_000)["function_ms"], 1000 / 8 * 0.0000166667
    assert pico / PICO == pytest.approx(exact, rel=1e-3)


def test_a_bill_is_for_a_thousand_orders_however_many_there_were() -> None:
    (line,) = cost_per_thousand({"orders": 3, "notices": 2})
    assert (line.quantity, line.pico, line.amount) == (667, round(2 / 3 * 0.1 * PICO), "0.0667 USD")


def test_currencies_are_never_added_to_each_other() -> None:
    lines = cost_per_thousand({"orders": 1000, "transitions": 4000, "notices": 1000, "charges": 1000})
    assert totals(lines) == {"USD": PICO // 5, "GBP": 200 * PICO}


def test_every_price_names_its_source_and_its_unit() -> None:
    for price in PRICES.values():
        assert price.source and price.counts and price.in_words
        assert price.currency in ("USD", "GBP")
        assert isinstance(price.pico, int)


def test_what_nobody_used_is_on_no_bill_and_no_orders_have_none() -> None:
    assert bill() == {}
    with pytest.raises(ValueError, match="found none"):
        cost_per_thousand(ended(opened(), S))


def test_a_capture_that_was_replayed_is_paid_once() -> None:
    history = opened()
    history.state(S, "order", order="ann", to_state="paid", amount=500, actor="order_cache")
    for is_new in (True, False):
        history.state(S, "capture", order="ann", amount=500, is_new=is_new, witness="outside")
        history.state(2 * S, "notice", order="ann", to_state="fulfilled", is_new=is_new, witness="outside")
    found = used(ended(history, 3 * S))
    assert (found["orders"], found["charges"], found["charged_pence"], found["notices"]) == (1, 1, 500, 1)


def test_a_function_waits_for_its_own_asks_and_for_nobody_elses() -> None:
    history = History()
    asked = {
        "front": history.state(0, "register", kind="invoke", actor="front", op_id="f#0"),
        "customer": history.state(0, "submit", kind="invoke", actor="customer", op_id="c#0"),
        "worker": history.state(0, "charge", kind="invoke", actor="worker", op_id="w#0"),
    }
    for actor, cause in asked.items():
        operation = {"front": "register", "customer": "submit", "worker": "charge"}[actor]
        kind = "info" if actor == "worker" else "ok"
        history.state(2 * S, operation, kind=kind, actor=actor, op_id=f"{actor[0]}#0", cause=cause)
    assert used(history)["function_ms"] == 4000


def test_only_a_design_that_keeps_its_own_orders_pays_for_a_store() -> None:
    spent = {on: used(simulate("calm_day", on, 1).history) for on in ("hot_cold", "central", "orchestrated_repaired")}
    assert spent["hot_cold"]["store_writes"] > spent["hot_cold"]["orders"] * 4
    assert spent["central"]["store_writes"] == spent["central"]["store_reads"] == 0
    assert spent["hot_cold"]["transitions"] == spent["central"]["transitions"] == 0
    assert 5 < spent["orchestrated_repaired"]["transitions"] / spent["orchestrated_repaired"]["orders"] < 15


def test_runs_are_added_before_they_are_divided() -> None:
    one, other = {"orders": 1, "notices": 1}, {"orders": 3, "notices": 0}
    (line,) = cost_per_thousand(added([one, other]))
    assert line.quantity == 250


def test_the_frame_has_a_line_each_with_amounts_in_the_currency() -> None:
    frame = cost_frame(cost_per_thousand({"orders": 1000, "notices": 1000}))
    assert frame.loc["notices", "amount"] == pytest.approx(0.1)
    assert list(frame.columns) == ["what", "counts", "quantity", "currency", "amount", "price", "source"]
    assert cost_frame([]).empty


def test_amounts_are_rounded_half_up() -> None:
    assert (in_words(49_999_999, "USD"), in_words(50_000_000, "USD")) == ("0.0000 USD", "0.0001 USD")
