"""Histories for the measures: steps to write one by hand with, edges, small runs of all scenarios, and wild ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from random import Random
from typing import Any

from orderquake.sim.history import History, Row
from orderquake.sim.run import simulate
from orderquake.sim.scenario_file import load_scenario, set_by_path

S = 1_000_000

# -- steps


def asks(history: History, operation: str, times: tuple[int, int | None], **columns: str) -> None:
    at, answered = times
    columns = {"op_id": f"{operation}-{at}", "actor": "worker-1", **columns}
    history.state(at, operation, kind="invoke", **columns)
    if answered is not None:
        history.state(answered, operation, kind="ok", **columns)


def submits(history: History, order: str, times: tuple[int, int | None]) -> None:
    asks(history, "submit", times, actor="customer", order=order, key=f"s-{order}", op_id=f"{order}-{times[0]}")


def opened(*skus: str, units: int = 10) -> History:
    history = History()
    for sku in skus or ("mug",):
        history.state(0, "opening", kind="config", sku=sku, units=units, version=0)
    return history


def ended(history: History, at: int) -> History:
    history.state(at, "end", kind="config", answer="complete")
    return history


def pin(history: History, at: int, order: str, sku: str = "mug", units: int = 1, operation: str = "pin") -> None:
    giver = "cache.held" if operation == "pin" else "cache.available"
    history.state(
        at, operation, order=order, key=f"{order}/1", sku=sku, units=units, debit="cache.pinned", credit=giver
    )


def give_back(history: History, at: int, order: str, sku: str = "mug", units: int = 1, operation: str = "free") -> None:
    history.state(at, operation, order=order, sku=sku, units=units, debit="cache.available", credit="cache.pinned")


def ship(history: History, at: int, order: str, sku: str = "mug", units: int = 1, version: int = 1) -> None:
    history.state(at, "ship", order=order, sku=sku, units=units, version=version, witness="outside")


def rebase(history: History, at: int, units: int, sku: str = "mug", answer: str = "applied") -> None:
    history.state(at, "rebase", sku=sku, units=units, answer=answer, watermark=at)


# -- edges


def retries() -> History:
    """Silence, a second try that is answered, and late answers to both."""
    history = History()
    charge = {"order": "a", "key": "a/charge/0", "actor": "worker-1"}
    history.state(0, "charge", kind="invoke", op_id="w#1", **charge)
    history.state(5 * S, "charge", kind="info", op_id="w#1", **charge)
    history.state(6 * S, "charge", kind="invoke", op_id="w#2", attempt=1, **charge)
    history.state(7 * S, "charge", kind="ok", op_id="w#2", attempt=1, **charge)
    history.state(8 * S, "charge", kind="ok", op_id="w#1", **charge)
    return history


def unanswered() -> History:
    """One ask is answered, one refused, one never; one without a key, too."""
    history = History()
    asks(history, "reserve", (0, S), order="a", key="a")
    asks(history, "reserve", (2 * S, None), order="b", key="b")
    history.state(3 * S, "reserve", kind="fail", order="b", key="b", op_id=f"reserve-{2 * S}")
    asks(history, "reserve", (4 * S, None), order="c", key="c")
    asks(history, "refresh", (5 * S, None))
    asks(history, "refresh", (6 * S, 7 * S))
    return history


def crash_and_recovery() -> History:
    """A worker dies after its ask; another asks again under the same key, and a third hears an answer to nothing."""
    history = History()
    submits(history, "a", (0, S))
    asks(history, "consume", (2 * S, None), order="a", key="t", op_id="w1#1")
    history.state(3 * S, "worker_killed", kind="mark", actor="w1", order="a")
    asks(history, "consume", (60 * S, 61 * S), order="a", key="t", op_id="w2#1")
    history.state(62 * S, "consume", kind="ok", op_id="w3#1", order="b", key="t")
    history.state(63 * S, "consume", kind="ok", op_id="w3#2", order="a")
    history.state(64 * S, "notice", order="a", to_state="fulfilled")
    return history


def answers_before_asks() -> History:
    """Rows that changed places: an answer stands before its ask, and one op_id is used again for another operation."""
    history = History()
    history.state(5 * S, "post", kind="ok", op_id="w#1", order="a", key="k")
    history.state(1 * S, "post", kind="invoke", op_id="w#1", order="a", key="k")
    history.state(2 * S, "charge", kind="ok", op_id="w#1", order="a", key="other")
    history.state(3 * S, "charge", kind="invoke", op_id="w#1", order="a", key="k")
    history.state(6 * S, "post", kind="ok", op_id="w#1", order="a", key="k")
    history.state(0, "refresh", kind="ok", op_id="w#9")
    history.state(1, "refresh", kind="invoke", op_id="w#9")
    return history


def submissions_without_an_order() -> History:
    """The shop's answer names the order; one customer never hears; two submissions become one order."""
    history = History()
    for key, at, order in (("s-1", 0, "a"), ("s-2", S, ""), ("s-3", 2 * S, "a"), ("", 3 * S, "b")):
        history.state(at, "submit", kind="invoke", actor="customer", op_id=f"c{at}", key=key, order="" if key else "b")
        if order:
            history.state(at + 9, "submit", kind="ok", actor="customer", op_id=f"c{at}", key=key, order=order)
    asks(history, "submit", (4 * S, 5 * S), actor="robot", key="s-9", order="z")
    for at, order, ending in ((6 * S, "a", "declined"), (7 * S, "b", "refunded"), (8 * S, "z", "cancelled")):
        history.state(at, "notice", order=order, to_state=ending, is_new=order != "b")
    return history


def told_and_told_again() -> History:
    """Confirmed and refunded after it, before it, twice, and only as a replay."""
    history = History()
    for order, words in (
        ("a", "fulfilled refunded"),
        ("b", "refunded fulfilled"),
        ("c", "fulfilled"),
        ("d", "declined"),
    ):
        history.state(S, "ordered", order=order, sku="mug", units=1)
        for at, word in enumerate(words.split(), start=2):
            history.state(at * S, "notice", order=order, to_state=word)
    history.state(8 * S, "notice", order="c", to_state="refunded", is_new=False)
    history.state(9 * S, "order", order="c", to_state="paid")
    history.state(9 * S, "order", order="d", to_state="refunded")
    history.state(9 * S, "notice", order="e", to_state="fulfilled")
    history.state(9 * S, "order", order="e", to_state="refunded")
    for at, key, answer in ((10, "a/final", "posted"), (11, "a/final", "posted"), (12, "", "posted"), (13, "x", "no")):
        history.state(at * S, "post", order="a", key=key, answer=answer)
    history.state(14 * S, "dead_letter", order="a")
    history.state(15 * S, "dead_letter", order="a")
    return history


def fault_windows() -> History:
    """Bites without a beginning, after the end, ends without a beginning, two labels, and one that begins again."""
    history = History()
    said = "witnessed witnessed recovered witnessed recovered injected injected witnessed recovered witnessed injected"
    for at, answer in enumerate(said.split()):
        for key in ("", "late") if at % 3 else ("late",):
            history.state(at * S, "down", kind="fault", actor="record", key=key, answer=answer, units=at % 5)
    history.state(20 * S, "slow", kind="fault", actor="stock", answer="recovered", units=3)
    return history


def lost_memories() -> History:
    """The owner forgets one product, then all; pins are adopted, freed too often, shipped, or ended by a refund."""
    history = opened("mug", "tea", "cup")
    for order, sku in (("a", "mug"), ("a", "tea"), ("b", "mug"), ("c", "mug"), ("d", "cup")):
        pin(history, S, order, sku, units=2)
    pin(history, S, "c", units=1)
    history.state(2 * S, "epoch", sku="mug", answer="lost")
    history.state(3 * S, "order", order="a", to_state="refund_pending")
    rebase(history, 3 * S, 9)
    pin(history, 4 * S, "b", operation="adopt")
    history.state(4 * S, "epoch", answer="open")
    history.state(5 * S, "order", order="b", to_state="refunded")
    history.state(6 * S, "epoch", answer="lost")
    for order, state in (
        ("a", "paid"),
        ("d", "cancelled"),
        ("b", "declined"),
        ("a", "void_pending"),
        ("a", "refunded"),
    ):
        history.state(7 * S, "order", order=order, to_state=state)
    rebase(history, 8 * S, 7, "tea")
    rebase(history, 8 * S, 7, "pot")
    history.state(9 * S, "epoch", answer="open")
    for order in "abc":
        give_back(history, 10 * S, order)
        ship(history, 11 * S, order)
        pin(history, 12 * S, order)
        give_back(history, 13 * S, order, operation="drop")
    history.state(14 * S, "epoch", sku="jar", answer="lost")
    return ended(history, 20 * S)


def sold_out_within_an_instant() -> History:
    """Nothing is left between two rows of one instant, at its end, before an opening, and of what was never opened."""
    history = opened("mug", "tea", units=1)
    taken: dict[str, Any] = {"debit": "cache.held", "credit": "cache.available"}
    given: dict[str, Any] = {"debit": "cache.available", "credit": "cache.held"}
    history.state(0, "hold", sku="mug", units=1, **taken)
    history.state(0, "free", sku="mug", units=1, **given)
    history.state(S, "hold", sku="tea", units=1, **taken)
    history.state(S, "opening", kind="config", sku="tea", units=4)
    history.state(2 * S, "hold", sku="pot", units=1, **taken)
    history.state(2 * S, "hold", sku="mug", units=2, is_new=False, **taken)
    history.state(3 * S, "rebase", sku="mug", units=-9, answer="ignored", **given)
    history.state(3 * S, "hold", sku="mug", units=1, **taken)
    history.state(2 * S, "hold", sku="tea", units=4, **taken)
    history.state(4 * S, "opening", kind="config", sku="mug", units=2)
    return history


def late_snapshots() -> History:
    """Snapshots older than the one in use, ignored ones, without a watermark, for a product and for all."""
    history = opened("mug", "tea")
    for at, mark, sku, answer in (
        (5, 4, "mug", "applied"), (6, 3, "mug", "applied"), (7, 6, "", "applied"), (8, 5, "tea", "applied"),
        (9, -1, "", "applied"), (10, 9, "", "ignored"), (11, 6, "", "applied"), (12, 11, "tea", "applied"),
    ):  # fmt: skip
        history.state(at * S, "rebase", sku=sku, units=-1, watermark=mark if mark < 0 else mark * S, answer=answer)
    return ended(history, 20 * S)


def one_row() -> History:
    return opened("mug")


EDGES: Mapping[str, Callable[[], History]] = {
    "nothing at all": History, "one row": one_row, "retries": retries, "unanswered asks": unanswered,
    "a crash and its recovery": crash_and_recovery, "answers before asks": answers_before_asks,
    "submissions without an order": submissions_without_an_order, "told and told again": told_and_told_again,
    "windows of faults": fault_windows, "lost memories": lost_memories,
    "sold out within an instant": sold_out_within_an_instant, "late snapshots": late_snapshots,
}  # fmt: skip

# -- small runs

SMALL: Mapping[str, Mapping[str, Any]] = {
    "bad_provider": {"workload.rate_per_s": 0.04},
    "black_friday": {"workload.scale": 3.0},
    "calm_day": {"workload.rate_per_s": 0.001},
    "flash_sale": {"workload.orders": 60},
    "last_unit": {"workload.rounds": 12},
    "lossy_payments": {"workload.rate_per_s": 0.05},
    "newsletter": {"workload.rate_per_s": 0.15, "stock.units_per_sku": 2},
    "record_offline": {"workload.rate_per_s": 0.05},
    "retail_peak": {"fault": [], "horizon": "70 min"},
    "shared_pool": {"workload.rate_per_s": 0.2, "stock.skus": 4, "stock.units_per_sku": 6},
    "slow_stock": {"workload.rate_per_s": 0.1, "stock.units_per_sku": 3},
    "stale_refresh": {"workload.rate_per_s": 0.1},
    "zombies": {"workload.rate_per_s": 0.05, "stock.units_per_sku": 2},
}
"""What makes a shipped scenario one of some sixty orders; one that is not named is played as it is."""

WIPED: Mapping[str, Any] = {
    "workload.rate_per_s": 0.2, "stock.skus": 4, "jobs.rebuild.every": "20 s",
    "fault": [{"kind": "wiped", "target": "stock", "at": at} for at in ("100 s", "200 s")],
}  # fmt: skip
"""What makes `shared_pool` a small run whose Stock Cache loses its memory twice."""


@cache
def small_run(name: str) -> tuple[Row, ...]:
    """The rows of a scenario's small run; `wiped` is one more."""
    scenario = load_scenario("shared_pool" if name == "wiped" else name)
    for path, value in (WIPED if name == "wiped" else SMALL.get(name, {})).items():
        scenario = set_by_path(scenario, path, value)
    return tuple(simulate(scenario, seed=2).history)


def history_of(rows: list[Row] | tuple[Row, ...]) -> History:
    history = History()
    for row in rows:
        history.append(row[1:])
    return history


# -- rows that nobody thought up

GOODS = ("pin", "pin", "pin", "adopt", "free", "free", "drop", "ship", "rebase", "opening", "receipt", "epoch", "order")
STATES = ("hold", "rebase", "opening", "notice", "notice", "order", "ordered", "dead_letter", "post", "correction")


def wild(dice: Random) -> History:
    """Rows of few orders, products and asks that make no sense together; in half of the histories only of goods."""
    history, now = History(), 0
    is_about_goods = dice.random() < 0.5
    for _ in range(dice.choice((3, 10, 30, 100))):
        now += dice.choice((0, 0, 0, 1, 5)) if dice.random() < 0.98 else -3
        row: dict[str, Any] = {
            "order": dice.choice(("", "a", "b", "c")), "sku": dice.choice(("", "mug", "tea")), "actor": "customer",
            "units": dice.choice((0, 1, 1, 2, 3, -1)), "is_new": dice.random() < 0.9,
            "op_id": dice.choice(("", "w#1", "w#2", "w#3")), "key": dice.choice(("", "k", "l", "a")),
        }  # fmt: skip
        if is_about_goods:
            _about_goods(history, now, row, dice)
        elif dice.random() < 0.2:
            row["answer"] = dice.choice(("injected", "witnessed", "witnessed", "recovered"))
            history.state(now, dice.choice(("down", "slow")), kind="fault", **row)
        elif dice.random() < 0.5:
            row["answer"] = dice.choice(("applied", "ignored", "posted"))
            row["watermark"] = dice.choice((-1, now, now - 4))
            row["debit"] = dice.choice(("cache.available", "cache.held"))
            row["credit"] = dice.choice(("cache.available", ""))
            row["to_state"] = dice.choice(("fulfilled", "refunded", "declined", "paid"))
            history.state(now, dice.choice(STATES), kind=dice.choice(("state", "state", "config")), **row)
        else:
            kind = dice.choice(("invoke", "ok", "ok", "fail"))
            history.state(now, dice.choice(("submit", "charge", "refresh", "consume")), kind=kind, **row)
    return history


def _about_goods(history: History, now: int, row: dict[str, Any], dice: Random) -> None:
    operation = dice.choice(GOODS)
    row |= {"credit": "cache.pinned", "to_state": "refunded", "answer": dice.choice(("applied", "ignored"))}
    if operation == "epoch":
        row |= {"sku": dice.choice(("", "mug")), "answer": dice.choice(("lost", "open"))}
    history.state(now, operation, **row)
