"""A made-up run for the report's tests: a believable day in a shop, drawn from dice, with no simulator behind it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from orderquake.sim.alerts import DEFAULTS, Alert
from orderquake.sim.checkers.fold import Verdict
from orderquake.sim.history import History
from orderquake.sim.study import measures

if TYPE_CHECKING:
    import pandas as pd

S = 1_000_000


class MadeUpScenario(BaseModel):
    name: str = "record_offline"
    question: str = "The record is away for ten minutes in a rush. Do customers notice, and does it all add up?"
    horizon: int = 2400 * S
    must_exercise: tuple[str, ...] = ("never_oversold", "charged_once", "posted_once", "every_order_ends")
    alert: tuple[Alert, ...] = DEFAULTS
    sources: tuple[str, ...] = ("a made-up shop",)

    def tables(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"name"})


@dataclass
class MadeUpRun:
    history: History
    gauges: dict[str, tuple[list[int], list[float]]] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    scenario: MadeUpScenario = field(default_factory=MadeUpScenario)
    architecture: str = "hot_cold"
    seed: int = 1
    wall_s: float = 1.75
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        return self.history.digest

    @property
    def verdict(self) -> str:
        found = {verdict.status for verdict in self.verdicts.values() if verdict.was_exercised}
        return next((status for status in ("invalid", "unknown", "valid") if status in found), "unknown")

    def latency(self) -> pd.DataFrame:
        return measures.latency(self.history)

    def drift(self) -> pd.DataFrame:
        return measures.drift(self.history)

    def outcomes(self) -> dict[str, int]:
        return measures.outcomes(self.history)

    def to_json(self) -> dict[str, Any]:
        return {
            "scenario": self.scenario.name,
            "seed": self.seed,
            "verdict": self.verdict,
            "latency": measures.as_record(self.latency()),
            "nothing": float("nan"),
        }


class _Day:
    """Rows at their moments, written in the order of time at the end."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.rows: list[tuple[int, int, str, dict[str, Any]]] = []
        self.asks = 0

    def at(self, time: int, operation: str, **columns: Any) -> None:
        self.rows.append((time, len(self.rows), operation, columns))

    def ask(self, time: int, operation: str, median_s: float, answer: str, **columns: Any) -> int:
        """One ask and its answer; returns the moment it was heard."""
        self.asks += 1
        columns = {"op_id": f"task#{self.asks}", **columns}
        heard = time + int(median_s * self.dice.lognormvariate(0, 0.6) * S)
        self.at(time, operation, kind="invoke", **columns)
        self.at(heard, operation, kind="ok", answer=answer, **columns)
        return heard

    def history(self) -> History:
        history = History()
        for time, _, operation, columns in sorted(self.rows, key=lambda row: row[:2]):
            history.state(time, operation, **columns)
        return history


def made_up_run(orders: int = 1500, seed: int = 1, broken: bool = False) -> MadeUpRun:
    """A run of 40 minutes with the record away from the 10th to the 20th."""
    day = _Day(seed)
    skus = [f"sku-{number:03d}" for number in range(1, 61)]
    for sku in skus:
        day.at(0, "opening", kind="config", sku=sku, units=max(3, orders // 60), version=0)
    left = dict.fromkeys(skus, max(3, orders // 60))
    for answer, time in (("injected", 600), ("witnessed", 612), ("recovered", 1200)):
        day.at(time * S, "down", kind="fault", actor="record", key="down/1", answer=answer, units=7)
    for answer, time in (("injected", 0), ("witnessed", 31), ("recovered", 2400)):
        day.at(time * S, "lose_answer", kind="fault", actor="payment", key="lose_answer/2", answer=answer, units=23)
    day.at(1500 * S, "slow", kind="fault", actor="stock", key="slow/3", answer="injected")
    day.at(1620 * S, "slow", kind="fault", actor="stock", key="slow/3", answer="recovered")
    refreshes = [time for time in range(300, 2700, 300) if not 600 <= time < 1200]
    sold: dict[str, int] = {}
    for refresh in refreshes:
        day.at(refresh * S, "rebase", watermark=(refresh - 4) * S, answer="applied", version=refresh, actor="stock")
    for _ in range(orders // 12):
        sku, time = day.dice.choice(skus), day.dice.randrange(1, 2400)
        day.at(time * S, "foreign_sale", sku=sku, units=1, actor="record", debit="channel", credit="record.on_hand")
        if later := [refresh for refresh in refreshes if refresh > time]:
            day.at(later[0] * S, "rebase", sku=sku, units=-1, watermark=later[0] * S, answer="applied",
                   debit="cache.available", credit="cache.base", actor="stock")  # fmt: skip
    for number in range(orders):
        _order(day, number, skus, left, sold, 2400 / orders)
    day.at(2700 * S, "end", kind="config", answer="complete")
    history = day.history()
    return MadeUpRun(history, _gauges(day.dice), _verdicts(history, broken), seed=seed)


def _order(day: _Day, number: int, skus: list[str], left: dict[str, int], sold: dict[str, int], gap_s: float) -> None:
    dice = day.dice
    order, sku, units = f"order-{number}", skus[int(60 * dice.random() ** 2)], dice.choice([1, 1, 1, 2])
    now = int((number + dice.random()) * gap_s * S)
    amount = units * dice.choice([499, 850, 1295, 2400])
    mine: dict[str, Any] = {"order": order, "actor": f"worker-{number % 16}", "place": "eu-west"}
    money: dict[str, Any] = {"order": order, "amount": amount, "actor": "payment", "witness": "outside"}
    goods: dict[str, Any] = {"order": order, "line": 0, "sku": sku, "units": units}

    def moves(time: int, before: str, after: str) -> None:
        day.at(time, "order", order=order, from_state=before, to_state=after, actor="order_cache")

    heard = day.ask(now, "submit", 0.05, "registered", order=order, key=f"s-{number}", actor="customer")
    day.at(now + 9000, "ordered", amount=amount, actor="order_cache", **goods)
    moves(now + 9000, "", "registered")
    heard = day.ask(now + 8000, "register", 0.002, "registered", key=order, **mine)
    charge = {"key": f"{order}/charge/1", **mine}
    if dice.random() < 0.03:
        day.at(heard, "charge", kind="invoke", op_id=f"lost-{number}", **charge)
        day.at(heard + 5 * S, "charge", kind="info", op_id=f"lost-{number}", answer="silence", **charge)
        heard += 5 * S + int(dice.random() * S)
        charge["attempt"] = 1
    if dice.random() < 0.04:
        day.at(heard + 300_000, "decline", key=f"{order}/charge/1", **money)
        heard = day.ask(heard, "charge", 0.7, "declined", **charge)
        moves(heard, "charging", "declined")
        _tell(day, heard, order, "declined", mine)
        return
    day.at(
        heard + 300_000,
        "capture",
        key=f"{order}/charge/1",
        answer=f"ch-{number}",
        debit="provider",
        credit="customer",
        **money,
    )
    heard = day.ask(heard, "charge", 0.7, "captured", **charge)
    moves(heard, "charging", "paid")
    if left[sku] < units:
        heard = day.ask(heard, "reserve", 0.002, "sold_out", key=order, **mine)
        moves(heard, "paid", "refund_pending")
        day.at(heard + 200_000, "refund", key=f"{order}/refund/1", debit="customer", credit="provider", **money)
        heard = day.ask(heard, "refund", 0.6, "refund_made", key=f"{order}/refund/1", **mine)
        moves(heard, "refund_pending", "refunded")
        _tell(day, heard, order, "refunded", mine)
        _post(day, heard, order, "refunded", {}, sku)
        return
    left[sku] -= units
    token = {"key": f"{order}/1.{number}", "actor": "stock"}
    day.at(
        heard + 1000, "hold", debit="cache.held", credit="cache.available", deadline=heard + 900 * S, **goods, **token
    )
    heard = day.ask(heard, "reserve", 0.002 if not 1500 <= now / S < 1620 else 0.4, "reserved", key=order, **mine)
    moves(heard, "paid", "reserved")
    day.at(heard + 1000, "pin", debit="cache.pinned", credit="cache.held", **goods, **token)
    heard = day.ask(heard, "consume", 0.002, "pinned", key=token["key"], **mine)
    moves(heard, "reserved", "fulfilled")
    _tell(day, heard, order, "fulfilled", mine)
    _post(day, heard, order, "fulfilled", {**goods, "amount": amount}, sku)


def _tell(day: _Day, now: int, order: str, ending: str, mine: dict[str, Any]) -> None:
    day.at(now + 20_000, "notice", order=order, to_state=ending, actor="notice", witness="outside")
    day.ask(now, "notify", 0.03, "notified", key=order, **mine)


def _post(day: _Day, now: int, order: str, ending: str, goods: dict[str, Any], sku: str) -> None:
    booked = (now // (30 * S) + 1) * 30 * S
    booked = 1200 * S + booked % (90 * S) if 600 * S <= booked < 1200 * S else booked
    outside = {"order": order, "key": f"{order}/final", "actor": "record", "witness": "outside"}
    day.at(booked, "post", to_state=ending, answer="posted", **outside)
    day.at(booked + S, "sync", order=order, from_state="posting", to_state="posted", actor="order_cache")
    if goods:
        goods = {key: value for key, value in goods.items() if key not in ("order", "amount")}
        day.at(booked, "ship", debit="record.shipped", credit="record.on_hand", **goods, **outside)
        dropped = (booked // (300 * S) + 1) * 300 * S
        base = {
            "sku": sku,
            "units": -goods["units"],
            "answer": "applied",
            "watermark": dropped - 4 * S,
            "actor": "stock",
        }
        day.at(dropped, "rebase", debit="cache.available", credit="cache.base", **base)
        day.at(dropped, "drop", debit="cache.available", credit="cache.pinned", order=order, actor="stock", **goods)


def _gauges(dice: random.Random) -> dict[str, tuple[list[int], list[float]]]:
    times = [second * S for second in range(0, 2700, 15)]

    def wave(level: float, peak: float = 0.0, since: int = 600, until: int = 1300) -> tuple[list[int], list[float]]:
        inside = [peak * (time / S - since) / (until - since) if since <= time / S < until else 0 for time in times]
        return times, [round(max(0.0, dice.gauss(level, level / 4)) + more, 3) for more in inside]

    return {
        "queue.payment": wave(3, 2), "queue.record": wave(1, 25), "queue.stock": wave(0.4),
        "utilisation.payment": (times, [min(1.0, value) for value in wave(0.6)[1]]),
        "utilisation.record": (times, [min(1.0, value) for value in wave(0.3, 0.6)[1]]),
        "backlog.unposted": wave(12, 420), "backlog.queue": wave(4), "dead_letters": (times, [0.0] * len(times)),
    }  # fmt: skip


def _verdicts(history: History, broken: bool) -> dict[str, Verdict]:
    captures = [row.index for row in history if row.operation == "capture"]
    return {
        "never_oversold": Verdict.valid(1431),
        "charged_once": Verdict.invalid(1500, "order-3 was captured twice, ch-3 and ch-4", captures[3:5])
        if broken
        else Verdict.valid(1500),
        "posted_once": Verdict.valid(1389),
        "every_order_ends": Verdict.valid(1500) if not broken else Verdict.unknown(1500, "the run was cut short"),
        "units_conserved": Verdict.valid(6120),
        "refunded_right": Verdict.valid(52),
        "books_converge": Verdict.valid(60),
        "fresh_snapshots_only": Verdict.unknown(0, "not exercised"),
        "backpressure_bounded": Verdict.unknown(0, "not exercised"),
    }
