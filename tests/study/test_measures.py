"""Measures against histories written by hand, whose numbers a reader can work out."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest

from orderquake.sim.history import History
from orderquake.sim.study.measures import (
    STEPS,
    as_record,
    faults,
    gauge_frame,
    latencies,
    latency,
    outcomes,
    quantile,
    sold_out,
    staleness,
    staleness_summary,
)
from tests.study.histories import S, asks, submits


def test_an_ask_lasts_from_its_invoke_to_its_answer() -> None:
    history = History()
    for number, took in enumerate((3, 1, 2)):
        asks(
            history,
            "charge",
            (number * 10 * S, (number * 10 + took) * S),
            order=f"o{number}",
            key=f"o{number}/charge/0",
        )
    found = latency(history).loc["charge"]
    assert (found["n"], found["p50_s"], found["mean_s"], found["unanswered"]) == (3, 2.0, 2.0, 0)


def test_retries_of_one_key_count_from_the_first_attempt() -> None:
    history = History()
    history.state(0, "charge", kind="invoke", op_id="w/1", order="a", key="a/charge/0")
    history.state(5 * S, "charge", kind="info", op_id="w/1", order="a", key="a/charge/0")
    history.state(6 * S, "charge", kind="invoke", op_id="w/2", order="a", key="a/charge/0", attempt=1)
    history.state(7 * S, "charge", kind="ok", op_id="w/2", order="a", key="a/charge/0", attempt=1)
    history.state(9 * S, "charge", kind="ok", op_id="w/2", order="a", key="a/charge/0", attempt=1)
    assert latencies(history)["charge"].latency_us.tolist() == [7 * S]


def test_an_ask_without_a_key_is_itself() -> None:
    history = History()
    asks(history, "refresh", (0, 2 * S))
    asks(history, "refresh", (300 * S, 301 * S))
    assert sorted(latencies(history)["refresh"].latency_us.tolist()) == [1 * S, 2 * S]


def test_an_answer_finds_its_ask_by_its_id_alone() -> None:
    history = History()
    history.state(0, "consume", kind="invoke", op_id="w/1", order="a", key="token-1")
    history.state(S, "consume", kind="ok", op_id="w/1")
    assert latencies(history)["fulfil"].latency_us.tolist() == [S]


def test_what_was_never_answered_is_counted_apart() -> None:
    history = History()
    asks(history, "reserve", (0, None), order="a", key="a")
    found = latency(history).loc["reserve"]
    assert (found["n"], found["unanswered"]) == (0, 1)
    assert math.isnan(found["p50_s"])


def test_checkout_ends_with_the_first_answer_and_decision_with_the_final_one() -> None:
    history = History()
    submits(history, "a", (1 * S, None))
    submits(history, "a", (2 * S, 3 * S))
    history.state(7 * S, "notice", order="a", to_state="fulfilled", is_new=True)
    history.state(9 * S, "notice", order="a", to_state="fulfilled", is_new=False)
    found = latencies(history)
    assert found["checkout"].latency_us.tolist() == [2 * S]
    assert found["decision"].latency_us.tolist() == [6 * S]


def test_a_submission_may_learn_its_order_only_from_the_answer() -> None:
    history = History()
    history.state(0, "submit", kind="invoke", actor="customer", op_id="c/1", key="s-1")
    history.state(S, "submit", kind="ok", actor="customer", op_id="c/1", key="s-1", order="a", answer="registered")
    history.state(4 * S, "notice", order="a", to_state="declined")
    assert latencies(history)["decision"].latency_us.tolist() == [4 * S]
    assert outcomes(history)["submitted"] == 1


def test_every_step_has_its_row_even_where_nothing_happened() -> None:
    found = latency(History())
    assert tuple(found.index) == STEPS
    assert found["n"].sum() == 0


def test_a_quantile_is_a_value_that_was_seen() -> None:
    ordered = np.arange(1, 1001)
    assert [quantile(ordered, q) for q in (0.5, 0.9, 0.99, 0.999)] == [500, 900, 990, 999]


def test_a_quantile_is_claimed_only_where_a_value_may_lie_beyond_it() -> None:
    assert math.isnan(quantile(np.arange(999), 0.999))
    assert quantile(np.arange(1000), 0.999) == 998
    assert math.isnan(quantile(np.arange(99), 0.99))
    assert quantile(np.array([5]), 0.5) != 5  # one value is no median
    assert quantile(np.array([5, 7]), 0.5) == 5


def test_a_record_is_json_with_nothing_where_nothing_is_claimed() -> None:
    history = History()
    asks(history, "charge", (0, S), order="a", key="k")
    asks(history, "charge", (2 * S, 4 * S), order="b", key="l")
    record = json.loads(json.dumps(as_record(latency(history)), allow_nan=False))
    assert record["charge"] == {
        "n": 2, "p50_s": 1.0, "p90_s": None, "p99_s": None, "p999_s": None, "mean_s": 1.5, "unanswered": 0
    }  # fmt: skip


def test_staleness_is_the_area_under_the_saw_tooth() -> None:
    # T = 300 s and 20 s from snapshot to apply: known answer 170 s over whole cycles.
    history = History()
    history.state(0, "opening", kind="config", sku="mug", units=5)
    for cycle in range(1, 12):
        history.state((300 * cycle + 20) * S, "rebase", watermark=300 * cycle * S, answer="applied")
    found = staleness_summary(history, since_us=320 * S, until_us=3320 * S)
    assert found.mean_s == pytest.approx(170)
    assert (found.largest_s, found.refreshes, found.ignored) == (320, 10, 0)
    teeth = staleness(history)
    assert (teeth["before_s"][1], teeth["after_s"][1]) == (320, 20)


def test_a_snapshot_that_comes_too_late_makes_nothing_fresh() -> None:
    history = History()
    history.state(0, "opening", kind="config", sku="mug", units=5)
    history.state(10 * S, "rebase", watermark=10 * S, answer="applied")
    history.state(12 * S, "rebase", watermark=4 * S, answer="ignored")
    history.state(20 * S, "end", kind="config")
    found = staleness_summary(history)
    assert (found.mean_s, found.refreshes, found.ignored) == (5.0, 1, 1)


def test_a_summary_row_speaks_for_every_product_and_a_products_row_for_itself() -> None:
    history = History()
    history.state(0, "opening", kind="config", sku="mug", units=5)
    history.state(10 * S, "rebase", sku="mug", watermark=10 * S, answer="applied")
    history.state(20 * S, "rebase", watermark=20 * S, answer="applied")
    history.state(40 * S, "end", kind="config")
    assert staleness_summary(history).refreshes == 1
    assert staleness_summary(history, sku="mug").refreshes == 2
    assert staleness_summary(history, sku="tea").refreshes == 1
    assert staleness_summary(history, sku="mug").mean_s == pytest.approx((5 * 10 + 5 * 10 + 10 * 20) / 40)


def ended_orders() -> History:
    history = History()
    history.state(0, "opening", kind="config", sku="mug", units=5)
    for order, ending in (("a", "fulfilled"), ("b", "declined"), ("c", "refunded"), ("d", "cancelled"), ("e", "paid")):
        submits(history, order, (S, 2 * S))
        history.state(2 * S, "ordered", order=order, line=0, sku="mug", units=1, amount=500)
        history.state(2 * S, "order", order=order, to_state="registered", version=0)
        history.state(3 * S, "order", order=order, from_state="registered", to_state=ending, version=1)
        if ending != "paid":
            history.state(4 * S, "notice", order=order, to_state=ending)
    submits(history, "lost", (5 * S, None))
    for order in "ac":
        history.state(6 * S, "post", order=order, key=f"{order}/final", answer="posted")
        history.state(7 * S, "post", order=order, key=f"{order}/final", answer="duplicate", is_new=False)
    history.state(8 * S, "dead_letter", order="e", attempt=9)
    return history


def test_outcomes_count_every_order_once() -> None:
    assert outcomes(ended_orders()) == {
        "submitted": 6,
        "accepted": 5,
        "fulfilled": 1,
        "declined": 1,
        "refunded": 1,
        "cancelled": 1,
        "pending": 1,
        "dead_letters": 1,
        "posted": 2,
        "confirmed_then_refunded": 0,
        "foreign_oversold_units": 0,
    }


def test_an_order_confirmed_and_then_refunded_is_counted() -> None:
    history = ended_orders()
    history.state(9 * S, "order", order="a", from_state="fulfilled", to_state="refunded")
    found = outcomes(history)
    assert (found["confirmed_then_refunded"], found["fulfilled"], found["refunded"]) == (1, 0, 2)


def test_faults_have_windows_and_count_the_times_they_bit() -> None:
    history = History()

    def fault(at: int, answer: str, key: str = "outage") -> None:
        history.state(at, "down", kind="fault", actor="record", key=key, answer=answer)

    fault(10, "injected")
    fault(12, "witnessed")
    fault(15, "witnessed")
    fault(20, "recovered")
    fault(21, "witnessed")
    fault(30, "injected")
    fault(31, "injected", "other")
    first, second, other = faults(history)
    assert first == ("down", "record", "outage", 10, 20, 1, 3)
    assert second == ("down", "record", "outage", 30, None, 1, 0)
    assert other.label == "other"


def test_a_product_is_sold_out_when_its_last_unit_is_promised() -> None:
    history = History()
    history.state(0, "opening", kind="config", sku="mug", units=1)
    history.state(0, "opening", kind="config", sku="tea", units=2)
    held = {"debit": "cache.held", "credit": "cache.available"}
    history.state(3 * S, "hold", sku="mug", units=1, **held)
    history.state(4 * S, "hold", sku="tea", units=1, **held)
    history.state(5 * S, "free", sku="mug", units=1, debit="cache.available", credit="cache.held")
    found = sold_out(history)
    assert list(found.itertuples(index=False, name=None)) == [("mug", 1, 3.0, False)]


def test_a_refresh_that_takes_off_what_is_shipped_sells_nothing_out() -> None:
    history = History()
    history.state(0, "opening", kind="config", sku="mug", units=3)
    history.state(S, "hold", sku="mug", units=2, debit="cache.held", credit="cache.available")
    base = {"debit": "cache.available", "credit": "cache.base"}
    history.state(2 * S, "rebase", sku="mug", units=-2, answer="applied", **base)
    history.state(2 * S, "drop", sku="mug", units=2, debit="cache.available", credit="cache.pinned")
    assert len(sold_out(history)) == 0


def test_a_history_that_has_grown_is_measured_anew() -> None:
    history = History()
    asks(history, "charge", (0, S), key="k")
    assert latencies(history)["charge"].latency_us.tolist() == [S]
    asks(history, "charge", (S, 3 * S), key="l")
    assert latencies(history)["charge"].latency_us.tolist() == [S, 2 * S]
    first = outcomes(history)
    first["submitted"] = -1
    assert outcomes(history)["submitted"] == 0


def test_gauges_become_one_long_table() -> None:
    found = gauge_frame({"queue.payment": ([0, S], [0, 3]), "dead_letters": ([S], [1])})
    assert found["gauge"].tolist() == ["queue.payment", "queue.payment", "dead_letters"]
    assert found["time_s"].tolist() == [0.0, 1.0, 1.0]
    assert found["value"].tolist() == [0.0, 3.0, 1.0]


@pytest.mark.slow
def test_a_million_rows_are_measured_in_a_few_seconds() -> None:
    history = History()
    history.state(0, "opening", kind="config", sku="mug", units=10**6)
    for number in range(110_000):
        order, now = f"o{number}", number * 1000
        submits(history, order, (now, now + 10))
        asks(history, "reserve", (now + 20, now + 30), order=order, key=order, op_id=f"{order}/r")
        asks(history, "consume", (now + 40, now + 50), order=order, key=f"{order}/1", op_id=f"{order}/c")
        history.state(now + 60, "pin", order=order, sku="mug", units=1, debit="cache.pinned", credit="cache.held")
        history.state(now + 70, "notice", order=order, to_state="fulfilled")
        history.state(now + 90, "ship", order=order, sku="mug", units=1)
    took = {}
    for measure in (latency, staleness_summary, outcomes):
        began = time.perf_counter()
        measure(history)
        took[measure.__name__] = time.perf_counter() - began
    assert max(took.values()) < 5, took  # generous: a busy machine is not a slow measure
