"""An order's story in words and as a diagram, from histories a reader can follow."""

from __future__ import annotations

import pytest

from orderquake.sim.history import History
from orderquake.sim.report.story import moments, orders, sequence_diagram, tell

S = 1_000_000


def a_bumpy_order() -> History:
    """Charged on the second try, reserved, fulfilled and posted; another order passes by."""
    history = History()
    mine = {"order": "order-17", "actor": "worker-3"}
    rows = [
        (0, "submit", "invoke", {"actor": "customer", "order": "order-17", "op_id": "c1", "key": "s-17"}),
        (9, "ordered", "state", {"order": "order-17", "line": 0, "sku": "mug", "units": 2, "amount": 1250}),
        (9, "ordered", "state", {"order": "order-17", "line": 1, "sku": "tea", "units": 1, "amount": 499}),
        (9, "order", "state", {"order": "order-17", "to_state": "registered"}),
        (40, "submit", "ok", {"actor": "customer", "order": "order-17", "op_id": "c1", "answer": "registered"}),
        (50, "submit", "invoke", {"actor": "customer", "order": "order-18", "op_id": "c2", "key": "s-18"}),
        (60, "read_order", "invoke", {"op_id": "w1", **mine}),
        (61, "read_order", "ok", {"op_id": "w1", "answer": "found", **mine}),
        (70, "charge", "invoke", {"op_id": "w2", "key": "order-17/charge/1", **mine}),
        (90, "lose_answer", "fault", {"actor": "payment", "op_id": "w2", "answer": "witnessed"}),
        (80, "capture", "state", {"order": "order-17", "actor": "payment", "amount": 1749}),
        (5070, "charge", "info", {"op_id": "w2", "answer": "silence", **mine}),
        (5200, "charge", "invoke", {"op_id": "w3", "attempt": 1, "key": "order-17/charge/1", **mine}),
        (5300, "capture", "state", {"order": "order-17", "actor": "payment", "amount": 1749, "is_new": False}),
        (5400, "charge", "ok", {"op_id": "w3", "attempt": 1, "answer": "captured", **mine}),
        (5401, "order", "state", {"order": "order-17", "from_state": "charging", "to_state": "paid"}),
        (5401, "order", "state", {"order": "order-17", "from_state": "paid", "to_state": "paid"}),
        (5410, "reserve", "invoke", {"op_id": "w4", "key": "order-17", **mine}),
        (5411, "hold", "state", {"order": "order-17", "sku": "mug", "units": 2, "deadline": 905411 * 1000}),
        (5411, "hold", "state", {"order": "order-17", "sku": "tea", "units": 1, "deadline": 905411 * 1000}),
        (5412, "reserve", "ok", {"op_id": "w4", "answer": "reserved", **mine}),
        (5420, "notify", "invoke", {"op_id": "w5", "key": "order-17", **mine}),
        (5440, "notice", "state", {"order": "order-17", "to_state": "fulfilled"}),
        (60000, "post", "state", {"order": "order-17", "to_state": "fulfilled", "answer": "posted"}),
        (60001, "sync", "state", {"order": "order-17", "to_state": "posted"}),
    ]
    for at, operation, kind, columns in rows:
        history.state(at * 1000, operation, kind=kind, **columns)
    return history


def test_a_story_is_told_in_the_order_of_its_moments() -> None:
    assert tell(a_bumpy_order(), "order-17").replace("\N{NARROW NO-BREAK SPACE}", " ").splitlines() == [
        "order order-17",
        "      +0.000 s    customer  sends the order: registered (40 ms) => registered",
        "      +0.070 s    worker-3  charges £17.49: no answer for 5 s",
        "      +0.090 s  ! payment   lose answer witnessed",
        "      +0.080 s  · payment   takes £17.49",
        "      +5.200 s    worker-3  charges £17.49 (try 2): captured (200 ms) => paid",
        "      +5.300 s  · payment   takes £17.49 (again: nothing changed)",
        "      +5.410 s    worker-3  reserves 2 × mug and 1 × tea: reserved (2 ms)",
        "      +5.411 s  · stock     holds 2 × mug, 1 × tea until +905.411 s",
        "      +5.420 s    worker-3  tells the customer: nothing was ever heard",
        "      +5.440 s  · notice    the customer is told: fulfilled",
        "     +60.000 s  · record    books the order as fulfilled: posted => posted",
    ]


def test_another_orders_rows_are_no_part_of_it() -> None:
    assert "order-18" not in tell(a_bumpy_order(), "order-17")
    assert [moment.what for moment in moments(a_bumpy_order(), "order-18")] == ["sends the order"]


def test_faults_that_began_or_ended_meanwhile_are_marked_and_others_are_not() -> None:
    history = History()
    history.state(0, "down", kind="fault", actor="stock", answer="recovered")
    history.state(S, "submit", kind="invoke", actor="customer", order="a", op_id="c")
    history.state(2 * S, "down", kind="fault", actor="record", answer="injected")
    history.state(2 * S, "down", kind="fault", actor="record", answer="witnessed")
    history.state(3 * S, "notice", order="a", to_state="declined")
    history.state(4 * S, "down", kind="fault", actor="record", answer="recovered")
    assert [moment.what for moment in moments(history, "a") if moment.kind == "fault"] == ["down injected"]


def test_a_sequence_diagram_names_everybody_once_and_shows_silence_as_a_cross() -> None:
    lines = [line.strip() for line in sequence_diagram(a_bumpy_order(), "order-17").splitlines()]
    assert lines[0] == "sequenceDiagram"
    assert [line for line in lines if line.startswith("participant")] == [
        "participant p0 as customer",
        "participant p1 as shop",
        "participant p2 as worker-3",
        "participant p3 as payment",
        "participant p4 as stock",
        "participant p5 as notice",
        "participant p6 as record",
    ]
    assert "p2->>p3: charges £17.49" in lines
    assert any(line.startswith("p3--xp2: no answer for") for line in lines)
    assert "Note over p2: paid" in lines
    assert "Note over p3: fault: lose answer witnessed" in lines


def test_what_would_end_a_statement_of_the_diagram_is_written_otherwise() -> None:
    history = History()
    history.state(0, "free", order="a", sku="mug;#1", units=1, answer="released")
    assert "mug,no. 1" in sequence_diagram(history, "a")


def test_an_unknown_order_is_answered_with_those_it_may_have_meant() -> None:
    with pytest.raises(KeyError, match=r"no order 'ordr-17' among the 2 orders.*did you mean order-17"):
        tell(a_bumpy_order(), "ordr-17")
    with pytest.raises(KeyError, match="it has order-17 and order-18"):
        sequence_diagram(a_bumpy_order(), "zzz")
    with pytest.raises(KeyError, match="names no order at all"):
        tell(History(), "a")


def test_a_write_by_somebody_who_asked_nothing_before_is_told_by_itself() -> None:
    history = History()
    history.state(0, "register", kind="invoke", op_id="f1", actor="front", order="a")
    history.state(1, "order", op_id="f1", order="a", to_state="registered")
    history.state(S, "write_order", kind="invoke", op_id="w1", actor="worker-2", order="a")
    history.state(S, "order", op_id="w1", order="a", from_state="registered", to_state="charging")
    assert [(moment.who, moment.moved) for moment in moments(history, "a")] == [
        ("front", ["registered"]),
        ("worker-2", ["charging"]),
    ]


def test_orders_are_listed_as_they_came() -> None:
    assert orders(a_bumpy_order()) == ["order-17", "order-18"]
