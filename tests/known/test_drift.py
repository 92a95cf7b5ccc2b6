"""How far the Stock Cache is behind the record, and what that costs where others sell from the same shelf.

The product's own world: `hot_cold` with its inbound job, a ticker that may skip, other channels at the record, and
drift, staleness and foreign oversell as the study and the columns measure them.
Not here, because no scenario can say it: polling at exponential intervals; jitter that adds up from tick to tick (ours
is late against a fixed grid, so its mean staleness is T/2 + J^2/(12 T) for lateness evenly up to J).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from orderquake.sim.checkers.columns import foreign_oversold_units
from orderquake.sim.run import simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario, set_by_path
from orderquake.sim.study.drift import DriftSummary, drift_summary
from orderquake.sim.study.staleness import staleness, staleness_summary
from orderquake.sim.units import SECOND
from tests.known import formulas
from tests.known.bench import constant, poisson, run_whole, seconds, shop
from tests.known.conftest import SLOW, Agrees, Effort
from tests.known.table import known

CYCLE_S = 300.0
SELDOM = {"every": "400 days"}


def polling(cycles: float, foreign_per_cycle: float, *, ours_per_cycle: float = 0.0, **inbound: Any) -> Scenario:
    """One product that others sell, too, and a refresh every five minutes; hardly anything else happens."""
    return shop(
        cycles * CYCLE_S,
        poisson((ours_per_cycle or 1e-9) / CYCLE_S),
        stock={
            "skus": 1,
            "units_per_sku": 1_000_000,
            "pool": "shared",
            "foreign_sales": {"per_s": foreign_per_cycle / CYCLE_S},
        },
        service={"stock": {"operations": {"refresh": constant(inbound.pop("delay_s", 0.0))}}},
        jobs={
            "inbound": {"every": seconds(CYCLE_S), "jitter": "0 s", **inbound},
            "outbound": {"every": "1 h"} if ours_per_cycle else SELDOM,
            **dict.fromkeys(("recovery", "settlement", "rebuild", "sweep"), SELDOM),
        },
        gauge_every="1 day",
        place=[{"name": "here", "workers": 1}],
    )


def share_beyond(summary: DriftSummary, k: int) -> float:
    return sum(share for units, share in summary.share_of_time.items() if units > k)


def squared_from(summary: DriftSummary, about: float) -> float:
    return sum(share * (units - about) ** 2 for units, share in summary.share_of_time.items())


@known("drift", 3, "How far is the cache behind the record, between refreshes?", "a Poisson law, mixed evenly")
@pytest.mark.parametrize(("m", "ours"), [(5.0, 0.0), (1.0, 0.5), pytest.param(12.0, 1.0, marks=SLOW)])
def test_the_drift_between_refreshes_is_as_known(effort: Effort, agrees: Agrees, m: float, ours: float) -> None:
    """A day of cycles a run; what the shop sells itself, held, pinned, posted, is no drift."""
    scenario = polling(288 * effort.longer, m, ours_per_cycle=ours)
    found = [drift_summary(run_whole(scenario, seed), until_us=scenario.horizon) for seed in effort.seeds]
    mean, variance = formulas.drift_moments(m)
    what = f"drift, {m:g} a cycle:"
    agrees(f"{what} mean over time", [each.mean_units for each in found], mean, 0.035 * mean)
    agrees(f"{what} variance over time", [squared_from(each, mean) for each in found], variance, 0.06 * variance)
    for k in dict.fromkeys((0, int(m / 2), int(m), int(2 * m), int(2 * m) + 1)):
        if (beyond := formulas.drift_beyond(k, m)) > 5e-4:
            shares = [share_beyond(each, k) for each in found]
            agrees(f"{what} P(> {k})", shares, beyond, 0.03 * formulas.spread(beyond))
    before = [np.array(each.before_refresh) for each in found]
    agrees(f"{what} just before a refresh, mean", [float(b.mean()) for b in before], m, 0.035 * m)
    least = next(k for k in range(1000) if stats.poisson.sf(k, m) <= 1e-3)  # a safety stock for the worst moment
    pooled = np.concatenate(before)
    for k in dict.fromkeys((int(m), least - 1, least)):
        beyond = float(stats.poisson.sf(k, m))
        wide, full = 0.04 * formulas.spread(beyond) + 4e-4, 0.02 * formulas.spread(beyond)
        hits = int((pooled > k).sum())
        agrees.share(f"{what} just before a refresh, P(> {k})", hits, len(pooled), beyond, wide, full=full)


@known("largest_drift", 3, "How far does the cache fall behind in a day?", "the largest of 288 Poisson numbers")
@pytest.mark.parametrize(("m", "cycles"), [(5.0, 288), pytest.param(2.0, 100, marks=SLOW)])
def test_the_largest_drift_of_a_day_is_as_known(effort: Effort, agrees: Agrees, m: float, cycles: int) -> None:
    """A day is as long as it is: a longer effort is more days, one after the other."""
    days = 2 * effort.longer
    scenario = polling(cycles * days, m)
    found = []
    for seed in effort.seeds:
        before = np.array(drift_summary(run_whole(scenario, seed), until_us=scenario.horizon).before_refresh)
        before = np.append(before, np.zeros(1))[: cycles * days]  # the horizon ends the last cycle, unless it does not
        found.append([float(part.max()) for part in np.array_split(before, days)])
    mean, q95 = formulas.largest_drift(m, cycles), formulas.quantile_of_largest_drift(m, cycles, 0.95)
    what = f"drift, {m:g} a cycle, largest of {cycles}:"
    agrees(f"{what} mean", [float(np.mean(each)) for each in found], mean, 0.8)
    within = formulas.largest_drift_within(q95, m, cycles)
    agrees(f"{what} P(<= {q95})", [float(np.mean(np.array(each) <= q95)) for each in found], within, 0.08)


@known(
    "skipped_refreshes", 3, "How old, and how wrong, is the cache if refreshes fail?", "a geometric number of cycles"
)
@pytest.mark.parametrize(("m", "skips"), [(5.0, 0.1), (5.0, 0.5), pytest.param(2.0, 0.3, marks=SLOW)])
def test_a_refresh_that_fails_now_and_then_lets_the_drift_grow(
    effort: Effort, agrees: Agrees, m: float, skips: float
) -> None:
    scenario = polling(288 * effort.longer, m, skips=skips)
    means, older, beyond, drifts = [], [], [], []
    for seed in effort.seeds:
        history = run_whole(scenario, seed)
        means.append(staleness_summary(history, until_us=scenario.horizon).mean_s)
        older.append(share_older(history, 2 * CYCLE_S, scenario.horizon / SECOND))
        summary = drift_summary(history, until_us=scenario.horizon)
        beyond.append(share_beyond(summary, 10))
        drifts.append(summary.mean_units)
    mean_s = CYCLE_S * (1 + skips) / (2 * (1 - skips))
    what = f"{skips:.0%} of the refreshes fail, drift {m:g} a cycle:"
    agrees(f"{what} mean staleness, s", means, mean_s, 0.05 * mean_s)
    agrees(f"{what} P(older than two cycles)", older, skips**2, 0.045 * formulas.spread(skips**2))
    agrees(f"{what} mean drift", drifts, m * mean_s / CYCLE_S, 0.06 * m * mean_s / CYCLE_S)
    chance = formulas.drift_beyond(10, m, skips)
    agrees(f"{what} P(drift > 10)", beyond, chance, 0.05 * formulas.spread(chance))


def share_older(history: Any, age_s: float, until_s: float) -> float:
    """Share of the time in which the snapshot was older than that, from the saw-tooth."""
    table = staleness(history)
    time, after = table.time_s.to_numpy().clip(max=until_s), table.after_s.to_numpy()
    lasted = np.diff(time)
    younger = np.clip(age_s - after[:-1], 0, lasted)
    return float((lasted - younger).sum() / until_s)


@known("staleness", 3, "How old is the cache, if nothing fails?", "half a cycle, and the way of the snapshot")
@pytest.mark.parametrize("delay_s", [0.0, 20.0, 55.0])
def test_the_mean_staleness_is_half_a_cycle_and_the_way_of_the_snapshot(agrees: Agrees, delay_s: float) -> None:
    """No chance here: to the microsecond. Over whole cycles between two moments at which a snapshot was applied."""
    scenario = polling(21, 1.0, delay_s=delay_s)
    history = run_whole(scenario, 1)
    since, until = (round((cycles * CYCLE_S + delay_s) * SECOND) for cycles in (1, 20))
    found = staleness_summary(history, since_us=since, until_us=until)
    what = f"staleness, a snapshot takes {delay_s:g} s:"
    agrees.exactly(f"{what} mean, s", found.mean_s, CYCLE_S / 2 + delay_s, 1e-9)
    agrees.exactly(f"{what} largest, s", found.largest_s, CYCLE_S + delay_s, 1e-9)


@known("polling_by_chance", 3, "How old is the cache, if one polls at random?", "E[Z^2] / 2 E[Z]; exponential: 300")
@pytest.mark.parametrize(("mean_s", "tick_s"), [(300.0, 10.0), pytest.param(300.0, 1.0, marks=SLOW)])
def test_polling_at_random_moments_makes_the_cache_twice_as_old(
    effort: Effort, agrees: Agrees, mean_s: float, tick_s: float
) -> None:
    """A refresh at every tick that mostly does not take place: geometric gaps, which are exponential ones in the limit
    of short ticks."""
    chance = tick_s / mean_s
    scenario = polling(120 * effort.longer, 1e-6, every=seconds(tick_s), skips=1 - chance)
    reference = tick_s * (2 - chance) / (2 * chance)
    found = [
        staleness_summary(run_whole(scenario, seed), since_us=round(5 * mean_s * SECOND), until_us=scenario.horizon)
        for seed in effort.seeds
    ]
    what = f"staleness, polled each {tick_s:g} s with chance {chance:.4g}, s"
    agrees(what, [each.mean_s for each in found], reference, 0.1 * reference)


@known(
    "late_ticker", 3, "How old is the cache, if refreshes are late?", "E[Z^2] / 2 E[Z]; +-60 s from tick to tick: 152"
)
@pytest.mark.parametrize("jitter_s", [7200**0.5, 120.0, 299.0], ids=lambda value: f"{value:.0f}")
def test_a_late_ticker_makes_the_cache_older(effort: Effort, agrees: Agrees, jitter_s: float) -> None:
    scenario = polling(288 * effort.longer, 1e-6, jitter=seconds(jitter_s))
    late_s = CYCLE_S / 2 + jitter_s**2 / (12 * CYCLE_S)
    found = [staleness_summary(run_whole(scenario, seed), since_us=round(2 * CYCLE_S * SECOND),
                               until_us=scenario.horizon).mean_s for seed in effort.seeds]  # fmt: skip
    agrees(f"staleness, late by up to {jitter_s:g} s, s", found, late_s, 1.2)


# -- what it costs


@known("shared_pool", 3, "How often does the shipped scenario oversell?", "a double sum over two Poisson laws")
@pytest.mark.parametrize("safety", [0, 5, pytest.param(2, marks=SLOW), pytest.param(10, marks=SLOW)])
def test_the_shipped_scenario_oversells_as_often_as_known(effort: Effort, agrees: Agrees, safety: int) -> None:
    """`shared_pool`: forty products a run, forty cycles. It takes a second to pay, so of the 300 s in which customers
    come, the last one's meet the refreshed cache: a bias of about .002 at most, well below these gates."""
    scenario = set_by_path(load_scenario("shared_pool"), "stock.safety_stock", safety)
    effort = replace(effort, seeds=effort.seeds[:20])
    oversells(scenario, 20, 15.0, 5.0, safety, effort, agrees)


@known(
    "oversell_of_a_cycle", 3, "How often is a shared shelf oversold in a cycle?", "a double sum over two Poisson laws"
)
@pytest.mark.parametrize(
    ("shelf", "local", "foreign", "safety"),
    [pytest.param(20, 15.0, 5.0, 0, marks=SLOW), (8, 6.0, 3.0, 1), pytest.param(6, 9.0, 2.0, 2, marks=SLOW)],
)
def test_a_cycle_oversells_as_often_as_known(
    effort: Effort, agrees: Agrees, shelf: int, local: float, foreign: float, safety: int
) -> None:
    """The same without the second: nobody meets a refreshed cache."""
    skus = 30
    scenario = shop(
        CYCLE_S,
        poisson(local * skus / CYCLE_S),
        stock={
            "skus": skus,
            "units_per_sku": shelf,
            "safety_stock": safety,
            "pool": "shared",
            "foreign_sales": {"per_s": foreign / CYCLE_S},
        },
        jobs={"inbound": {"every": "400 s", "jitter": "0 s"}},
    )
    oversells(scenario, shelf, local, foreign, safety, effort, agrees)


def oversells(
    scenario: Scenario, shelf: int, local: float, foreign: float, safety: int, effort: Effort, agrees: Agrees
) -> None:
    """Units that another channel sold from under a promise, by product, against the double sum."""
    skus = scenario.stock.skus
    shares: list[float] = []
    units: list[float] = []
    for seed in effort.seeds:
        parts = [foreign_oversold_units(run_whole(scenario, seed + 1000 * part)) for part in range(effort.longer)]
        shares.append(sum(len(part) for part in parts) / skus / len(parts))
        units.append(sum(sum(part.values()) for part in parts) / skus / len(parts))
    chance, mean = formulas.oversold_in_one_cycle(shelf, local, foreign, safety)
    what = f"one cycle, shelf {shelf}, local {local:g}, foreign {foreign:g}, safety stock {safety}:"
    agrees(f"{what} P(oversold)", shares, chance, 0.06)
    agrees(f"{what} units oversold", units, mean, 0.04 + 0.2 * mean)


def test_a_shared_pool_that_oversells_is_within_its_contract() -> None:
    """Units that another channel took are a measure; the design still kept every promise of its own."""
    run = simulate("shared_pool", seed=1)
    assert run.verdict == "valid"
    assert run.outcomes()["foreign_oversold_units"] > 0
