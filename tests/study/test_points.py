"""Sometimes-points: what each finds in a history written by hand, what a scenario may insist on, and what runs pass."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from orderquake.sim.history import History
from orderquake.sim.run import simulate
from orderquake.sim.scenario_file import ScenarioError, load_scenario, set_by_path
from orderquake.sim.study.points import POLICIES, Passed, listing, passed, point_names, points
from orderquake.sim.study.points.look import Look
from orderquake.sim.study.points.rates import PointRates, frame, missing, why_unknown
from tests.study.histories import EDGES, wild
from tests.study.moments import books, customers, money, refresh, stock, workers  # noqa: F401  # they tell the cases
from tests.study.moments.tale import CASES, Tale

POINTS = {point.name: point for point in points()}


def told(name: str, is_met: bool) -> History:
    tale = Tale()
    CASES[name](tale, is_met)
    return tale.history


def test_every_point_has_a_story_and_every_story_a_point() -> None:
    assert set(CASES) == set(POINTS)


@pytest.mark.parametrize("name", POINTS)
def test_a_history_that_meets_the_moment_passes_the_point(name: str) -> None:
    history = told(name, is_met=True)
    found = POINTS[name].passed(Look(history))
    assert found.times >= 1
    assert 0 <= found.first_row < len(history)


@pytest.mark.parametrize("name", POINTS)
def test_a_history_that_nearly_meets_the_moment_does_not(name: str) -> None:
    assert POINTS[name].passed(Look(told(name, is_met=False))) == Passed(0, -1)


def test_names_are_sentences_in_snake_case_and_told_once() -> None:
    names = point_names()
    assert len(set(names)) == len(names) >= 60
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+){2,}", name) for name in names)


def test_every_point_says_why_it_matters_and_where_it_can_occur() -> None:
    for point in points():
        assert point.says.endswith(".") and point.says.count(".") == 1, point.name
        assert point.family, point.name
        assert point.policies and set(point.policies) <= set(POLICIES), point.name


@pytest.mark.parametrize("name", EDGES)
def test_no_history_is_too_strange_to_be_looked_at(name: str) -> None:
    history = EDGES[name]()
    for point, was in passed(history).items():
        assert (was.times > 0) == (0 <= was.first_row < len(history)), point


def test_no_rows_make_so_little_sense_that_looking_at_them_fails() -> None:
    for seed in range(60):
        assert set(passed(wild(Random(seed)))) == set(POINTS)


def test_the_listing_tells_every_point() -> None:
    assert [entry["name"] for entry in listing()] == list(point_names())


def test_a_row_counts_once_for_a_point() -> None:
    look = Look(simulate(set_by_path(load_scenario("zombies"), "horizon", "3 min"), seed=1).history)
    for point in points():
        rows = point.rows(look)
        assert len(set(rows.tolist())) == len(rows), point.name


# -- runs

RUNS = ("bad_provider", "lossy_payments", "zombies", "slow_stock", "stale_refresh", "record_offline", "last_unit",
        "shared_pool", "flash_sale")  # fmt: skip
SHORTER = {"flash_sale": ("workload.orders", 300), "last_unit": ("workload.rounds", 60)}


def short(name: str, policy: str) -> PointRates:
    """One seed of a scenario under a policy."""
    scenario = set_by_path(load_scenario(name), "policy.order", policy)
    if name in SHORTER:
        scenario = set_by_path(scenario, *SHORTER[name])
    rates = PointRates()
    rates.add(passed(simulate(scenario, seed=1).history), policy)
    return rates


@pytest.mark.slow
def test_what_comes_along_passes_most_points_and_none_of_another_policy() -> None:
    hits: dict[str, int] = dict.fromkeys(POINTS, 0)
    for name in RUNS:
        for policy in POLICIES:
            for point, times in short(name, policy).hits.items():
                hits[point] += times
                assert not times or policy in POINTS[point].policies, f"{point} in {name} under {policy}"
    unmet = sorted(point for point, times in hits.items() if not times)
    print(f"{len(unmet)} of {len(hits)} points were never passed:", *unmet, sep="\n  ")  # noqa: T201
    assert len(unmet) < len(hits) / 3


def test_a_bad_day_passes_what_its_scenario_is_about() -> None:
    history = simulate(set_by_path(load_scenario("zombies"), "horizon", "4 min"), seed=1).history
    assert not missing(
        history,
        (
            "a_worker_woke_after_its_lease_was_taken_by_another",
            "two_workers_wrote_the_same_order",
            "a_sleeper_came_for_a_reservation_that_had_lapsed",
        ),
    )


# -- many runs


def test_rates_count_only_runs_in_which_a_point_could_be_passed() -> None:
    rates = PointRates()
    none = dict.fromkeys(POINTS, Passed(0, -1))
    rates.add({**none, "a_pin_was_released": Passed(3, 17)}, "pay_first")
    rates.add(none, "authorise_reserve_capture")
    found = rates.frame()
    assert found.loc["a_pin_was_released", ["hits", "runs", "times"]].tolist() == [1, 2, 3]
    assert found.loc["a_void_was_asked_for_again", "runs"] == 1
    assert found.loc["payment_succeeded_after_the_reservation_expired", ["runs", "rate_low", "rate_high"]].tolist() == [
        0, 0.0, 1.0,
    ]  # fmt: skip
    assert "a_pin_was_released" not in rates.never_hit()


def test_a_rate_comes_with_its_interval() -> None:
    rates = PointRates()
    for _ in range(20):
        rates.add({"a_pin_was_released": Passed(1, 1)}, "pay_first")
    low, high = rates.frame().loc["a_pin_was_released", ["rate_low", "rate_high"]]
    assert low == pytest.approx(0.025 ** (1 / 20)) and high == 1.0  # Clopper and Pearson, all of twenty


def test_the_frame_names_every_point_and_when_it_was_passed() -> None:
    found = frame(told("a_pin_was_released", is_met=True))
    assert list(found.index) == list(point_names())
    assert found.loc["a_pin_was_released", ["times", "first_row", "first_s"]].tolist() == [1, 0, 1.0]


# -- what a scenario insists on

FILE = """schema_version = 1
question = "Does it hold?"
horizon = "10 min"
must_see = [{names}]
[workload]
kind = "poisson"
rate_per_s = 2.0
"""


def refused(tmp_path: Path, names: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(FILE.format(names=names), encoding="utf-8")
    with pytest.raises(ScenarioError) as error:
        load_scenario(path)
    return str(error.value).removeprefix(f"{tmp_path}/")


def test_a_misspelt_point_is_told_with_its_place_and_the_nearest_name(tmp_path: Path) -> None:
    text = refused(tmp_path, '"a_pin_was_released", "a_pin_was_relaesed"')
    assert text.startswith('mine.toml:4:35 must_see[1] is "a_pin_was_relaesed", which is no point; expected one of')
    assert 'did you mean "a_pin_was_released"? See: orderquake points' in text


def test_a_point_named_twice_is_refused(tmp_path: Path) -> None:
    text = refused(tmp_path, '"a_pin_was_released", "a_pin_was_released"')
    assert text == 'mine.toml:4:35 must_see[1] is "a_pin_was_released", a second time; expected every point once'


def test_known_points_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(FILE.format(names='"a_pin_was_released"'), encoding="utf-8")
    assert load_scenario(path).must_see == ("a_pin_was_released",)


def test_what_was_missed_is_named_and_what_was_met_is_not() -> None:
    history = told("a_pin_was_released", is_met=True)
    missed = missing(history, ("a_pin_was_released", "two_rebuilds_were_under_way_at_once"))
    assert missed == ("two_rebuilds_were_under_way_at_once",)
    assert why_unknown(missed) == ("point two_rebuilds_were_under_way_at_once was never passed",)


def test_a_point_that_does_not_exist_cannot_be_missed() -> None:
    with pytest.raises(KeyError):
        missing(History(), ("nobody_knows_this",))
