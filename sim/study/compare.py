"""What designs are compared by: one number a run for each measure, and how two designs differ in it seed by seed.

Two designs that play the same seed meet the same customers with the same luck, so most of what differs between seeds
falls out of the difference. Reads the columns of a history and nothing else; no simulation engine and no model here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from orderquake.sim.checkers.columns import exactly_once, oversold_units
from orderquake.sim.history import History
from orderquake.sim.study.away import AWAY, answered_while_away
from orderquake.sim.study.cost import PICO, cost_per_thousand, totals
from orderquake.sim.study.grouping import NEVER, Ints, first_rows, size_of
from orderquake.sim.study.intervals import mean_interval
from orderquake.sim.study.measures import (
    drift_summary,
    is_copied,
    latencies,
    outcomes,
    quantile,
    span,
    staleness_summary,
)
from orderquake.sim.study.residency import asks_abroad
from orderquake.sim.table import Table

_SECOND = 1e6


class Measure(NamedTuple):
    """unit     units, orders, pence, seconds, share, or a plain number
    says     what is counted, in a line
    """

    unit: str
    says: str


MEASURES: Mapping[str, Measure] = {
    "oversold": Measure("units", "promised or told without being there, and not taken by another channel"),
    "foreign_oversold": Measure("units", "promised by us and sold by another channel first"),
    "confirmed_then_refunded": Measure("orders", "told that the goods come, and refunded after that"),
    "double_charges": Measure("charges", "charges of an order beyond its first"),
    "unrefunded": Measure("pence", "taken, kept at the end, and no goods left for it"),
    "stuck": Measure("orders", "registered, and without an end"),
    "stranded": Measure("units", "still off sale at the end, for nobody"),
    "fulfilled": Measure("orders", "ended with goods"),
    "checkout_p50": Measure("seconds", "from the click to the first answer"),
    "checkout_p99": Measure("seconds", "from the click to the first answer"),
    "checkout_p999": Measure("seconds", "from the click to the first answer"),
    "decision_p50": Measure("seconds", "from the click to the final answer"),
    "decision_p99": Measure("seconds", "from the click to the final answer"),
    "decision_p999": Measure("seconds", "from the click to the final answer"),
    "registered_while_away": Measure("share", "who came while the record was away and was answered before it was back"),
    "decided_while_away": Measure("share", "who came while the record was away and knew the end before it was back"),
    "registered_while_provider_away": Measure("share", "the same while the payment provider was away"),
    "decided_while_provider_away": Measure("share", "the same while the payment provider was away"),
    "registered_while_region_away": Measure("share", "the same while places were cut off, customers of all places"),
    "decided_while_region_away": Measure("share", "the same while places were cut off, customers of all places"),
    "sync_lag": Measure("seconds", "mean, from an order's end until the record has booked it"),
    "drift": Measure("units", "mean over time, between what the shop and the record say"),
    "staleness": Measure("seconds", "the oldest that the shop's picture of the stock ever was"),
    "messages": Measure("an order", "asks on the wire, jobs and repeats included"),
    "hops": Measure("an order", "asks one after the other, from the click to the final answer"),
    "transitions": Measure("an order", "steps that a workflow service bills"),
    "price": Measure("USD a thousand orders", "what a platform bills by use, without the charges themselves"),
    "abroad": Measure("asks", "that carried personal data across a boundary"),
}
"""Name -> unit and meaning, in the order in which they are told."""

QUANTILES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}


def measured(history: History) -> dict[str, float]:
    """Every measure of one run; NaN where it cannot be claimed: too few values, or nobody was away."""
    table = history.table()
    counts = outcomes(history)
    accepted = counts["accepted"] or math.nan
    units, again = oversold_units(history), exactly_once(history).charged_again
    since, until = span(history)
    waits = {
        f"{step}_{name}": quantile(np.sort(latencies(history)[step].latency_us), q) / _SECOND
        for step in ("checkout", "decision")
        for name, q in QUANTILES.items()
    }
    away = {who: answered_while_away(history, who) for who in AWAY}
    return {
        "oversold": float(
            sum(max(units.own.get(sku, 0), units.uncovered.get(sku, 0)) for sku in {*units.own, *units.uncovered})
        ),
        "foreign_oversold": float(sum(units.foreign.values())),
        "confirmed_then_refunded": float(counts["confirmed_then_refunded"]),
        "double_charges": float(sum(again.values()) - len(again)),
        "unrefunded": float(unrefunded_pence(table)),
        "stuck": float(counts["pending"]),
        "stranded": float(stranded_units(table)),
        "fulfilled": float(counts["fulfilled"]),
        **waits,
        "registered_while_away": away["record"][0],
        "decided_while_away": away["record"][1],
        **{
            f"{what}_while_{who}_away": away[who][place]
            for who in ("provider", "region")
            for place, what in enumerate(("registered", "decided"))
        },
        "sync_lag": sync_lag_s(table),
        "drift": drift_summary(history).mean_units if until > since else math.nan,
        "staleness": staleness_summary(history).largest_s if until > since and is_copied(history) else math.nan,
        "messages": len(asks_of(table)) / accepted,
        "hops": hops(table),
        "transitions": len(table.at("state", "transition")) / accepted,
        "price": price_usd(history),
        "abroad": asks_abroad(table),
    }


def asks_of(table: Table) -> Ints:
    """Rows of asks that went over the wire; customers' own are none."""
    asks = table.at("invoke")
    mine: Ints = asks[table.actor[asks] != table.code("customer")]
    return mine


def price_usd(history: History) -> float:
    """What a thousand orders cost, in dollars; charges are billed in the provider's own currency, and left out. NaN
    where no order was accepted."""
    if not outcomes(history)["accepted"]:
        return math.nan
    return totals(cost_per_thousand(history)).get("USD", 0) / PICO


def unrefunded_pence(table: Table) -> int:
    """What the shop keeps beyond the price of what it delivered."""
    money = table.at("state", "capture", "refund", "refund_failed")
    money = money[table.is_new[money]]
    moves, told = table.at("state", "order"), table.at("state", "notice")
    size = size_of(table.order[money], table.order[moves], table.order[told])
    kept, price = np.zeros((2, size), np.int64)
    goes_back = table.operation[money] == table.code("refund")
    np.add.at(kept, table.order[money], np.where(goes_back, -table.amount[money], table.amount[money]))
    total = np.zeros(size, np.int64)
    total[table.order[moves]] = table.amount[moves]
    fulfilled = np.concatenate(
        [rows[table.to_state[rows] == table.code("fulfilled")] for rows in (moves, told)], dtype=np.int64
    )
    price[table.order[fulfilled]] = total[table.order[fulfilled]]
    return int(np.maximum(kept - price, 0).sum())


def stranded_units(table: Table) -> int:
    """Units that were taken off sale since the last loss of memory, and neither put back nor handed over."""
    lost = table.at("state", "epoch")
    lost = lost[table.answer[lost] == table.code("lost")]
    rows = table.at("state", "hold", "adopt", "free", "drop")
    rows = rows[rows > (lost[-1] if len(lost) else -1)]
    takes = np.isin(table.operation[rows], [table.code("hold"), table.code("adopt")])
    left = np.zeros(size_of(table.sku[rows]), np.int64)
    np.add.at(left, table.sku[rows], np.where(takes, table.units[rows], -table.units[rows]))
    return int(np.maximum(left, 0).sum())


def sync_lag_s(table: Table) -> float:
    """Mean time from the last end of an order, as its row tells it, to its booking; NaN where nothing was booked."""
    posts = table.at("state", "post")
    posts = posts[table.is_new[posts] & (table.answer[posts] == table.code("posted"))]
    ends = table.at("state", "order")
    ends = ends[np.isin(table.to_state[ends], [table.code("fulfilled"), table.code("refunded")])]
    size = size_of(table.order[posts], table.order[ends])
    ended = first_rows(table.order[ends], ends, size)[table.order[posts]]
    posts, ended = posts[ended != NEVER], ended[ended != NEVER]
    return float((table.time[posts] - table.time[ended]).mean() / _SECOND) if len(posts) else math.nan


def hops(table: Table) -> float:
    """Asks about an order until its customer was told the end, a mean over orders; what is asked for many at once, by
    jobs, is nobody's hop."""
    told = table.at("state", "notice")
    told = told[table.is_new[told]]
    asks = asks_of(table)
    asks = asks[table.order[asks] != 0]
    size = size_of(table.order[told], table.order[asks])
    end = first_rows(table.order[told], told, size)
    ended = end != NEVER
    on_the_way = asks[asks < end[table.order[asks]]]
    number = np.bincount(table.order[on_the_way], minlength=size)
    return float(number[ended].mean()) if ended.any() else math.nan


# -- two designs


class Difference(NamedTuple):
    """One design less the other, paired by seed: the mean, with the half-width of Student's interval at 95 %.

    pairs    seeds in which both can claim the measure; lower and higher count those in which it differs
    gain     how many times fewer runs the pairing needs for the same width; NaN where nothing varies
    """

    mean: float
    half_width: float
    pairs: int
    lower: int
    higher: int
    gain: float

    @property
    def is_clear(self) -> bool:
        """Is zero outside the interval?"""
        return abs(self.mean) > self.half_width


def difference(ours: Sequence[float], theirs: Sequence[float]) -> Difference | None:
    """Ours less theirs, run by run; None where no seed has both.

    >>> found = difference([3.0, 5.0, 4.0], [1.0, 3.0, 2.5])
    >>> round(found.mean, 3), round(found.half_width, 3), found.pairs, found.higher, found.is_clear
    (1.833, 0.717, 3, 3, True)
    """
    one, other = np.asarray(ours, float), np.asarray(theirs, float)
    both = ~(np.isnan(one) | np.isnan(other))
    if not both.any():
        return None
    apart = one[both] - other[both]
    mean, half_width, pairs = mean_interval(apart)
    alone, together = (one[both].var() + other[both].var(), apart.var())
    gain = float(alone / together) if together > 0 else math.nan
    return Difference(mean, half_width, pairs, int((apart < 0).sum()), int((apart > 0).sum()), gain)
