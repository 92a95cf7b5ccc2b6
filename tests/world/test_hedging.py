"""A hedged ask: sent once more where nothing came back soon, and the first answer counts."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from orderquake.model.order import Order
from orderquake.model.payment import Charge
from orderquake.sim.history import Row
from orderquake.sim.run import simulate
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.settings import set_by_path
from tests.known.bench import Errand, play, seconds, shop

ONE_CUSTOMER = {"kind": "rounds", "rounds": 1, "buyers": 1, "within": "0 s"}


class Pays(Errand):
    async def run(self, order: Order, number: int) -> None:
        await self.patiently(Charge(order.id, order.id, order.total, order.card))


def told(after_s: float, latency_s: float, timeout_s: float = 60.0, **more: Any) -> list[tuple[str, str, float]]:
    """What the history says of one customer who pays: kind, answer, and when, in seconds."""
    patience = {"timeout": seconds(timeout_s), "attempts": 1, "hedge_after": seconds(after_s)}
    payment = {"latency": {"kind": "constant", "value": seconds(latency_s)}, **more.pop("payment", {})}
    day = shop(100.0, ONE_CUSTOMER, service={"payment": payment}, policy={"patience": {"payment": patience}}, **more)
    history = play(day, Pays, 1, then_s=200.0).history
    begins = next(row.time for row in history if row.kind == "invoke")
    return [(row.kind, row.answer, (row.time - begins) / 1e6) for row in history if tells(row)]


def tells(row: Row) -> bool:
    return row.operation in ("charge", "capture") and row.kind in ("invoke", "ok", "fail", "info", "state")


def test_what_is_answered_soon_is_asked_once() -> None:
    assert told(after_s=5.0, latency_s=4.0) == [
        ("invoke", "", 0.0), ("state", told(5.0, 4.0)[1][1], 4.0), ("ok", "captured", 4.0),
    ]  # fmt: skip


def test_what_is_not_is_asked_twice_done_once_and_answered_once() -> None:
    rows = told(after_s=3.0, latency_s=4.0)
    assert [(kind, at_s) for kind, _, at_s in rows] == [
        ("invoke", 0.0), ("invoke", 3.0), ("state", 4.0), ("ok", 4.0), ("state", 7.0),
    ]  # fmt: skip
    assert rows[-1][1] == "replayed", "the second took no money, and nobody heard its answer"


def lost(times: int) -> dict[str, Any]:
    return {"kind": "lose_ask", "target": "payment", "operation": "charge", "probability": 1.0, "at_most": times}


def test_an_ask_that_was_lost_is_made_good_by_the_second() -> None:
    rows = told(after_s=3.0, latency_s=4.0, fault=[lost(1)])
    assert [(kind, at_s) for kind, _, at_s in rows] == [("invoke", 0.0), ("invoke", 3.0), ("state", 7.0), ("ok", 7.0)]


def test_both_are_given_up_when_the_first_would_be() -> None:
    rows = told(after_s=3.0, latency_s=4.0, timeout_s=10.0, fault=[lost(2)])
    assert [(kind, at_s) for kind, _, at_s in rows] == [("invoke", 0.0), ("invoke", 3.0), ("info", 10.0)]


def test_a_second_that_is_turned_away_leaves_the_first_to_be_waited_for() -> None:
    rows = told(after_s=3.0, latency_s=4.0, payment={"capacity": 1, "queue_bound": 0})
    assert [(kind, at_s) for kind, _, at_s in rows] == [
        ("invoke", 0.0), ("invoke", 3.0), ("fail", 3.0), ("state", 4.0), ("ok", 4.0),
    ]  # fmt: skip


def test_a_hedge_that_nobody_would_live_to_see_is_refused() -> None:
    with pytest.raises(ValidationError, match="expected less than timeout"):
        told(after_s=60.0, latency_s=1.0, timeout_s=60.0)


@pytest.mark.parametrize("scenario", ["lossy_payments", "last_unit"])
def test_all_promises_hold_where_everything_is_hedged(scenario: str) -> None:
    day = load_scenario(scenario)
    for service in ("order_cache", "stock", "payment", "notice"):
        day = set_by_path(day, f"policy.patience.{service}.hedge_after", "100 ms")
    run = simulate(day, seed=3)
    assert run.verdict == "valid", run.verdicts
    assert run.digest != simulate(scenario, seed=3).digest
