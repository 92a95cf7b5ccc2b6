"""How sure a number is, against intervals that were printed elsewhere; and latencies that somebody has measured."""

from __future__ import annotations

import numpy as np
import pytest

from orderquake.sim.study.intervals import quantile_ranks, share_interval, zero_bound
from orderquake.sim.units import SECOND
from orderquake.sim.world.presets import PRESETS, PresetName
from tests.known.bench import Pays, constant, play, poisson, shop
from tests.known.conftest import Agrees, Effort
from tests.known.table import known


@known("zero_bound", 11, "What does it say that nothing failed?", "1 - .05^(1/N)")
@pytest.mark.parametrize(
    ("runs", "printed", "digits"), [(59, 0.0495, 4), (299, 0.00997, 5), (2_995, 1e-3, 5), (29_956, 1e-4, 6)]
)
def test_nothing_in_so_many_runs_is_a_bound(agrees: Agrees, runs: int, printed: float, digits: int) -> None:
    agrees.exactly(f"0 of {runs:,}: at most", zero_bound(runs), printed, 10**-digits)


@known("share_interval", 11, "What does it say that some failed?", "Clopper and Pearson (1934)")
@pytest.mark.parametrize(
    ("hits", "tries", "low", "high"),
    [(0, 10, 0.0, 0.308497), (5, 100, 0.016432, 0.112835), (3, 1000, 0.000619, 0.008742)],
)
def test_shares_have_the_printed_intervals(agrees: Agrees, hits: int, tries: int, low: float, high: float) -> None:
    found = share_interval(hits, tries)
    agrees.exactly(f"{hits} of {tries:,}: at least", found.low, low, 5e-7)
    agrees.exactly(f"{hits} of {tries:,}: at most", found.high, high, 5e-7)


@known("quantile_ranks", 11, "Between which values does a quantile lie?", "David and Nagaraja (2003), 7.1")
@pytest.mark.parametrize(
    ("values", "share", "first", "last"),
    [(1_000, 0.99, 983, 997), (10_000, 0.99, 9_880, 9_920), (10_000, 0.999, 9_983, 9_997)],
)
def test_quantiles_lie_between_the_printed_ranks(
    agrees: Agrees, values: int, share: float, first: int, last: int
) -> None:
    ranks = quantile_ranks(values, share)
    assert ranks is not None
    agrees.exactly(f"p{100 * share:g} of {values:,}: first rank", ranks[0], first)
    agrees.exactly(f"p{100 * share:g} of {values:,}: last rank", ranks[1], last)


@known("link", 12, "Is a way between regions as slow as it was measured?", "P. Bailis and others, HAT (VLDB 2014)")
@pytest.mark.parametrize(
    ("p50_ms", "p99_ms"),
    [(83.8, 105.0), (109.0, 118.0), (89.6, 127.0), (363.0, 387.0), (0.43, 3.6)],
    ids=lambda value: f"{value:g}",
)
def test_a_way_is_as_slow_as_it_is_said_to_be(effort: Effort, agrees: Agrees, p50_ms: float, p99_ms: float) -> None:
    """A service far away, asked once by each of many; the whole round trip is put on the service's side."""
    law = {"kind": "lognormal", "p50": f"{round(p50_ms * 1000)} us", "p99": f"{round(p99_ms * 1000)} us"}
    number = 21_000 * effort.longer
    scenario = shop(number / 100.0, poisson(100.0), service={"payment": {"latency": law}}, local_latency=constant(0.0))
    took = play(scenario, Pays, effort.seeds[0]).took_us("charge") / 1000
    for share, reference in ((0.5, p50_ms), (0.99, p99_ms)):
        agrees.quantile(f"round trip {p50_ms:g}/{p99_ms:g} ms, p{100 * share:g}, ms", took, share, reference)


@known("preset", 12, "Is a preset as slow as what it was fitted to?", "the preset's own")
@pytest.mark.parametrize("name", ["step_functions_hop", "dynamodb_put", "lambda_init_python"])
def test_presets_are_as_slow_as_measured(effort: Effort, agrees: Agrees, name: PresetName) -> None:
    """Within what the preset admits to; drawn by a service that is asked by many."""
    number = 20_000 * effort.longer
    law = {"kind": "preset", "name": name}
    scenario = shop(number / 100.0, poisson(100.0), service={"payment": {"latency": law}})
    took = play(scenario, Pays, effort.seeds[0]).took_us("charge") / SECOND
    measured = PRESETS[name]
    for share, reference_ms in measured.quantiles.items():
        ours_ms = float(np.quantile(took, share)) * 1000
        within = measured.within * reference_ms
        agrees.exactly(f"{name}, p{100 * share:g}, ms (within {measured.within:.0%})", ours_ms, reference_ms, within)
