"""A trace played again: the same orders at scale one, more of them in the same hours above, a stretch where asked."""

from __future__ import annotations

from collections import Counter

import pytest

from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.settings import with_settings
from orderquake.sim.units import HOUR, MINUTE
from orderquake.sim.world.replayed import ABOUT_US
from orderquake.sim.world.streams import Streams
from orderquake.sim.world.workload import Arrival, Demand, demand_of


@pytest.fixture(scope="module")
def monday() -> Scenario:
    return load_scenario("retail_day")


def played(scenario: Scenario, seed: int = 1, **settings: object) -> tuple[Demand, list[Arrival]]:
    made = with_settings(scenario, {f"workload.{name}": value for name, value in settings.items()})
    demand = demand_of(made, Streams(seed))
    return demand, list(demand.arrivals)


def test_scale_one_is_the_trace_itself_whatever_the_luck(monday: Scenario) -> None:
    one, other = played(monday)[1], played(monday, seed=2)[1]
    assert [(a.at_us, a.number, a.lines) for a in one] == [(a.at_us, a.number, a.lines) for a in other]
    assert len(one) == 126


@pytest.mark.parametrize("scale", [0.5, 2.5, 40.0])
def test_so_many_times_as_many_come_and_want_as_much(monday: Scenario, scale: float) -> None:
    demand, arrivals = played(monday, scale=scale)
    # Each of 126 orders comes floor(scale) times or once more: at most 126 * 0.25 variance, six standard errors 34.
    assert abs(len(arrivals) - 126 * scale) < 34
    wanted = Counter[str]()
    for arrival in arrivals:
        for line in arrival.lines:
            wanted[line.sku] += line.units
    assert all(0 < demand.opening[sku] <= units for sku, units in wanted.items())
    assert [a.at_us for a in arrivals] == sorted(a.at_us for a in arrivals)
    assert len({a.number for a in arrivals}) == len(arrivals)


def test_a_larger_scale_keeps_every_customer_of_a_smaller(monday: Scenario) -> None:
    few, more, many = ({a.number: a for a in played(monday, scale=scale)[1]} for scale in (0.4, 1.7, 6.2))
    assert few.items() <= more.items() <= many.items()


def test_who_is_added_comes_within_the_half_hour(monday: Scenario) -> None:
    once = {a.number: a.at_us for a in played(monday)[1]}
    for arrival in played(monday, scale=8.0)[1]:
        first = once[arrival.number % 2475]
        assert abs(arrival.at_us - first) <= ABOUT_US / 12.0 / 2 + 1
        assert arrival.number >= 2475 or arrival.at_us == first


def test_what_comes_back_grows_with_the_customers(monday: Scenario) -> None:
    once, thrice = played(monday)[0].returns, played(monday, scale=3.0)[0].returns
    assert [(at, sku, 3 * units) for at, sku, units in once] == list(thrice) != []


def test_a_stretch_begins_by_the_shops_clock() -> None:
    peak = load_scenario("retail_peak")
    tuesday = {"workload.first_day": "2011-12-06", "workload.last_day": "2011-12-06", "fault": []}
    whole = list(demand_of(with_settings(peak, tuesday), Streams(1)).arrivals)
    noon = with_settings(peak, {**tuesday, "workload.begins": "12 h", "horizon": "5 min"})
    hour = list(demand_of(noon, Streams(1)).arrivals)
    since = 12 * HOUR // 12
    inside = [a for a in whole if since <= a.at_us < since + 5 * MINUTE]
    assert [(a.at_us, a.lines) for a in hour] == [(a.at_us - since, a.lines) for a in inside]
    assert len(hour) == 26
