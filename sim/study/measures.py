"""What a run amounts to in numbers: how long each step took, how the orders ended, what the faults were.

Counts the rows of a history and nothing else; no simulation engine and no model in this file. Drift and staleness have
files of their own and are named here, too, so that this is the one place to look for a measure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from orderquake.sim.history import History, Row
from orderquake.sim.study.drift import (
    ANSWER,
    CREDIT,
    DEBIT,
    IS_NEW,
    KIND,
    OPERATION,
    ORDER,
    SKU,
    TIME,
    TO_STATE,
    UNITS,
    DriftSummary,
    Ints,
    drift,
    drift_by_sku,
    drift_summary,
    span,
)
from orderquake.sim.study.memory import remembered
from orderquake.sim.study.staleness import StalenessSummary, staleness, staleness_summary

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "STEPS",
    "Asked",
    "DriftSummary",
    "Gauges",
    "Ints",
    "StalenessSummary",
    "Window",
    "as_record",
    "drift",
    "drift_by_sku",
    "drift_summary",
    "faults",
    "gauge_frame",
    "latencies",
    "latency",
    "outcomes",
    "quantile",
    "sold_out",
    "span",
    "staleness",
    "staleness_summary",
]

Gauges: TypeAlias = Mapping[str, tuple[Sequence[int], Sequence[float]]]
"""Gauge name (`queue.payment`, `utilisation.payment`, `backlog.unposted`) -> its sample times (µs) and values."""

ASKED: Mapping[str, str] = {
    "register": "register",
    "charge": "charge",
    "reserve": "reserve",
    "consume": "fulfil",
    "refund": "refund",
    "notify": "notice",
    "post": "post",
    "refresh": "refresh",
}
"""Operation of an ask -> the step of the order's life it is reported as."""

STEPS: tuple[str, ...] = (*ASKED.values(), "checkout", "decision")
"""Latency steps, in the order in which they are reported."""

QUANTILES: Mapping[str, float] = {"p50_s": 0.5, "p90_s": 0.9, "p99_s": 0.99, "p999_s": 0.999}
ENDINGS = ("fulfilled", "declined", "refunded", "cancelled")

_OP_ID, _KEY, _ACTOR = (Row._fields.index(name) - 1 for name in ("op_id", "key", "actor"))
_SECOND = 1e6


class Asked(NamedTuple):
    """How long each ask of one step took, microseconds, and how many were never answered."""

    latency_us: Ints
    unanswered: int


@remembered
def latencies(history: History) -> dict[str, Asked]:
    """Every latency of every step.

    An ask lasts from the first attempt of its key to the first answer to any attempt: retries, and a crash with the
    recovery after it, count in full. `checkout` lasts from the intended arrival to the first registered answer,
    `decision` from the intended arrival to the first final answer.
    """
    begun: dict[str, dict[tuple[str, str], int]] = {operation: {} for operation in ASKED}
    ended: dict[str, dict[tuple[str, str], int]] = {operation: {} for operation in ASKED}
    names: dict[str, tuple[str, str]] = {}
    arrived: dict[str, int] = {}
    heard: dict[str, int] = {}
    decided: dict[str, int] = {}
    order_of: dict[str, str] = {}
    for values in history.raw():
        kind, operation = values[KIND], values[OPERATION]
        if kind == "invoke":
            if operation in begun:
                key = values[_KEY]
                name = (values[ORDER], key) if key else ("", values[_OP_ID])
                names[values[_OP_ID]] = name
                begun[operation].setdefault(name, values[TIME])
            elif operation == "submit" and values[_ACTOR] == "customer":
                arrived.setdefault(_order(values, order_of), values[TIME])
        elif kind == "ok":
            if operation in begun:
                name = names.get(values[_OP_ID]) or (values[ORDER], values[_KEY])
                ended[operation].setdefault(name, values[TIME])
            elif operation == "submit" and values[_ACTOR] == "customer":
                heard.setdefault(_order(values, order_of), values[TIME])
        elif operation == "notice" and kind == "state" and values[IS_NEW]:
            decided.setdefault(values[ORDER], values[TIME])
    found = {step: _between(begun[operation], ended[operation]) for operation, step in ASKED.items()}
    # An answer may be the first to say which order a submission became.
    arrivals: dict[str, int] = {}
    answers: dict[str, int] = {}
    for source, named in ((arrived, arrivals), (heard, answers)):
        for submission, time in source.items():
            order = order_of.get(submission, submission)
            named[order] = min(time, named.get(order, time))
    found["checkout"] = _between(arrivals, answers)
    found["decision"] = _between(arrivals, decided)
    return found


def _order(values: tuple[Any, ...], order_of: dict[str, str]) -> str:
    """What a submission is called: its key, which learns its order as soon as any row names both."""
    order, key = values[ORDER], values[_KEY]
    if order and key:
        order_of[key] = order
    return str(key or order)


def _between(begun: Mapping[Any, int], ended: Mapping[Any, int]) -> Asked:
    took = [ended[name] - time for name, time in begun.items() if name in ended]
    return Asked(np.array(took, np.int64), len(begun) - len(took))


def quantile(ordered: Ints, q: float) -> float:
    """The least value that at least a share `q` of the values stay within, in the values' unit; NaN where there are
    fewer than 1/(1 - q), because then no value can be expected beyond it and the quantile would be the largest value
    under another name: p99 is claimed from 100 values on, p99.9 from 1000."""
    n = len(ordered)
    if n == 0 or n < round(1 / (1 - q)):
        return math.nan
    return float(ordered[max(math.ceil(round(q * n, 9)), 1) - 1])


def latency(history: History) -> pd.DataFrame:
    """Latency by step: index `step`; n (answered), p50_s, p90_s, p99_s, p999_s, mean_s, unanswered.

    Quantiles are values that were really observed, and NaN where `quantile` does not claim them. What was never
    answered is counted in `unanswered`, not in the quantiles.
    """
    import pandas as pd

    rows = []
    for step, asked in latencies(history).items():
        ordered = np.sort(asked.latency_us)
        rows.append(
            {"step": step, "n": len(ordered)}
            | {name: quantile(ordered, q) / _SECOND for name, q in QUANTILES.items()}
            | {"mean_s": float(ordered.mean()) / _SECOND if len(ordered) else math.nan}
            | {"unanswered": asked.unanswered}
        )
    return pd.DataFrame(rows).set_index("step")


def outcomes(history: History) -> dict[str, int]:
    """How the orders ended, in numbers of orders (`foreign_oversold_units` in units).

    accepted = fulfilled + declined + refunded + cancelled + pending; submitted counts all that was sent.
    """
    return dict(_outcomes(history))


@remembered
def _outcomes(history: History) -> dict[str, int]:
    from orderquake.sim.checkers.columns import foreign_oversold_units

    submitted: set[str] = set()
    order_of: dict[str, str] = {}
    state: dict[str, str] = {}
    told: dict[str, str] = {}
    confirmed: set[str] = set()
    refunded_after: set[str] = set()
    dead: set[str] = set()
    posted: set[str] = set()
    for values in history.raw():
        kind, operation, order = values[KIND], values[OPERATION], values[ORDER]
        if kind == "invoke" or kind == "ok":
            if operation == "submit" and values[_ACTOR] == "customer":
                submitted.add(_order(values, order_of))
        elif kind != "state":
            continue
        elif operation == "order":
            state[order] = values[TO_STATE]
            if values[TO_STATE] == "refunded" and order in confirmed:
                refunded_after.add(order)
        elif operation == "ordered":
            state.setdefault(order, "registered")
        elif operation == "notice" and values[IS_NEW]:
            told[order] = values[TO_STATE]
            if values[TO_STATE] == "fulfilled":
                confirmed.add(order)
            elif values[TO_STATE] == "refunded" and order in confirmed:
                refunded_after.add(order)
        elif operation == "dead_letter":
            dead.add(order)
        elif operation == "post" and values[IS_NEW] and values[ANSWER] == "posted":
            posted.add(values[_KEY] or order)
    # The order's own row is the word on where it stands; a notice speaks where the history has no such row.
    stand = list({**told, **state}.values())
    counts = {ending: stand.count(ending) for ending in ENDINGS}
    return {
        "submitted": len({order_of.get(name, name) for name in submitted}),
        "accepted": len(stand),
        **counts,
        "pending": len(stand) - sum(counts.values()),
        "dead_letters": len(dead),
        "posted": len(posted),
        "confirmed_then_refunded": len(refunded_after),
        "foreign_oversold_units": sum(foreign_oversold_units(history).values()),
    }


class Window(NamedTuple):
    """A fault while it lasted. until_us is None where it was never healed; witnessed counts the times it really bit:
    its witness rows, or the count that a fault row carries in `units` where the witness is written down only once."""

    kind: str
    target: str
    label: str
    from_us: int
    until_us: int | None
    injected: int
    witnessed: int


def faults(history: History) -> list[Window]:
    """The windows in which faults were at work, in the order in which they began."""
    open_windows: dict[tuple[str, str, str], int] = {}
    windows: list[Window] = []
    for values in history.raw():
        if values[KIND] != "fault":
            continue
        name, time, answer = (values[OPERATION], values[_ACTOR], values[_KEY]), values[TIME], values[ANSWER]
        where = open_windows.get(name)
        if where is None:
            if answer == "witnessed":  # it bites although its window is over: a late copy, say
                where = next((i for i in reversed(range(len(windows))) if windows[i][:3] == name), None)
            if where is None:
                open_windows[name] = where = len(windows)
                windows.append(Window(*name, time, None, 0, 0))
        window = windows[where]
        if answer == "recovered":
            windows[where] = window._replace(until_us=time, witnessed=max(window.witnessed, values[UNITS]))
            del open_windows[name]
        elif answer == "witnessed":
            windows[where] = window._replace(witnessed=window.witnessed + 1)
        else:
            windows[where] = window._replace(injected=window.injected + 1)
    return windows


def sold_out(history: History) -> pd.DataFrame:
    """Products whose last unit for sale was promised at some moment: sku, opening_units, first_s (of the first time),
    is_out (nothing is for sale at the end)."""
    import pandas as pd

    left: dict[str, int] = {}
    opening: dict[str, int] = {}
    first: dict[str, int] = {}
    now, touched = 0, dict[str, None]()

    def look() -> None:
        """Between two rows of one atomic step nothing is for sale or not: look when the instant is over."""
        for sku in touched:
            if left[sku] <= 0:
                first.setdefault(sku, now)
        touched.clear()

    for values in history.raw():
        if values[OPERATION] == "opening" and values[KIND] == "config":
            opening[values[SKU]] = left[values[SKU]] = values[UNITS]
        elif values[KIND] == "state" and values[IS_NEW] and "cache.available" in (values[DEBIT], values[CREDIT]):
            if values[OPERATION] == "rebase" and values[ANSWER] != "applied":
                continue
            if values[TIME] != now:
                look()
                now = values[TIME]
            sku = values[SKU]
            left[sku] = left.get(sku, 0) + (values[UNITS] if values[DEBIT] == "cache.available" else -values[UNITS])
            touched[sku] = None
    look()
    return pd.DataFrame(
        {
            "sku": list(first),
            "opening_units": [opening.get(sku, 0) for sku in first],
            "first_s": [time / _SECOND for time in first.values()],
            "is_out": [left[sku] <= 0 for sku in first],
        }
    )


def gauge_frame(gauges: Gauges) -> pd.DataFrame:
    """Every gauge in one long table: gauge, time_s, value."""
    import pandas as pd

    names = [name for name in gauges for _ in gauges[name][0]]
    times = [time / _SECOND for name in gauges for time in gauges[name][0]]
    values = [float(value) for name in gauges for value in gauges[name][1]]
    return pd.DataFrame({"gauge": names, "time_s": times, "value": values})


def as_record(frame: pd.DataFrame) -> dict[str, dict[str, float | int | None]]:
    """An indexed frame as plain JSON: index -> column -> number, with None where a number is not claimed."""
    return {
        str(index): {
            str(column): None if isinstance(value, float) and math.isnan(value) else value
            for column, value in row.items()
        }
        for index, row in frame.astype(object).to_dict(orient="index").items()
    }
