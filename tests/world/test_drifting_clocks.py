"""A service's clock that runs fast or slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from orderquake.model.stock import StockCache
from orderquake.sim.run import simulate
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.settings import set_by_path
from orderquake.sim.world.service import Replica
from orderquake.sim.world.streams import Streams
from tests.known.bench import Corner, Errand, shop


class Nothing(Errand):
    async def run(self, order: object, number: int) -> None:
        """Nobody wants anything."""


def owner(drift_ppm: int) -> Replica:
    day = shop(
        10.0,
        {"kind": "rounds", "rounds": 1, "buyers": 1, "within": "0 s"},
        service={"stock": {"clock_drift_ppm": drift_ppm}},
    )
    return Corner(day, Nothing, Streams(1)).wire.replicas["stock"]


@given(ppm=st.integers(-100_000, 100_000), ahead_us=st.integers(-(10**9), 10**9), at_us=st.integers(0, 10**13))
def test_the_moment_at_which_it_shows_a_time_is_the_first_one(ppm: int, ahead_us: int, at_us: int) -> None:
    replica = owner(ppm)
    replica.ahead_us = ahead_us
    replica.kernel.now = at_us
    shown_us = replica.clock_us()
    truly_us = replica.true_us(shown_us)
    assert truly_us <= at_us
    replica.kernel.now = truly_us
    assert replica.clock_us() == shown_us
    replica.kernel.now = truly_us - 1
    assert replica.clock_us() < shown_us or ppm < 0


def test_a_right_clock_needs_no_looking_at() -> None:
    assert isinstance(owner(0).store, StockCache)
    assert owner(0).is_open and not owner(1).is_open


@pytest.mark.parametrize("ppm", [-50_000, 50_000])
@pytest.mark.parametrize("scenario", ["last_unit", "lossy_payments"])
def test_all_promises_hold_where_the_owner_of_the_stock_cannot_tell_time(scenario: str, ppm: int) -> None:
    """Far beyond any crystal: three minutes an hour. How long a reservation lasts is a promise of the owner's alone."""
    day = set_by_path(load_scenario(scenario), "service.stock.clock_drift_ppm", ppm)
    assert simulate(day, seed=3).verdict == "valid"


def test_a_clock_that_is_no_clock_is_refused() -> None:
    with pytest.raises(ValidationError, match="100000"):
        owner(1_000_000)
