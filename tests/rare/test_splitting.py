"""Splitting, on walks whose chances are known to the last digit, and on a shop where counting still works."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from orderquake.model.mutants.overwrites_on_refresh import OverwritesOnRefresh
from orderquake.sim.rare import Path, estimate, parse_event, split
from orderquake.sim.rare.door import days_of
from orderquake.sim.rare.levels import TooRare, levels_for
from orderquake.sim.rare.paths import NotThere, walk
from orderquake.sim.rare.scores import SCORES, BadEvent
from orderquake.sim.rare.splitting import evenly, repeated_once
from orderquake.sim.run import simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.study.intervals import share_interval
from orderquake.sim.world.streams import Streams
from tests.known import formulas
from tests.known.bench import constant, poisson, shop
from tests.known.test_drift import CYCLE_S, polling


class Gambler:
    """Starts with a coin, wins one with chance `up`, loses one otherwise, until there is none left. As in a world of
    events, what happens next is drawn when something has happened."""

    def __init__(self, streams: Streams, up: float = 1 / 3, steps: int = 10_000) -> None:
        self.luck, self.streams = streams.uniform("coin"), streams
        self.coins, self.tosses, self.up, self.steps = 1, 0, up, steps
        self.coming = self.luck.draw(0)

    def play(self, look: Callable[[], bool]) -> None:
        while self.coins and self.tosses < self.steps:
            self.coins += 1 if self.coming < self.up else -1
            self.tosses += 1
            self.coming = self.luck.draw(self.tosses)
            if look():
                return

    def score(self) -> float:
        return self.coins

    def rekey(self, luck: str) -> None:
        self.streams.rekey(luck)


@pytest.mark.parametrize("levels", [(3, 5, 7, 9, 11, 12), (4, 9, 12), (12,)], ids=len)
def test_the_levels_decide_how_sure_it_is_and_not_what_it_is(levels: tuple[int, ...]) -> None:
    found = estimate(Gambler, levels, effort=100, repetitions=20, seed=5)
    chance = formulas.line_before_idle(0.5, 12)
    if len(levels) == 1:
        assert found.low <= chance <= found.high  # hardly one in five thousand: this is crude counting
    else:
        assert found.relative_error < 0.35
        assert abs(found.chance - chance) < 4 * found.relative_error * found.chance


def test_ten_to_the_minus_nine_is_found_by_levels_of_a_pilot() -> None:
    levels = levels_for(Gambler, 30, runs=60, seed=2)
    assert levels[-1] == 30
    found = estimate(Gambler, levels, effort=60, repetitions=20, seed=3)
    chance = formulas.line_before_idle(0.5, 30)
    assert chance == pytest.approx(9.3e-10, rel=0.01)
    assert found.relative_error < 0.6
    assert abs(found.chance - chance) < 4 * found.relative_error * found.chance


def test_a_path_is_the_same_twice_and_another_after_its_turn() -> None:
    path = next(path for path in (Path(str(n)) for n in range(100)) if walk(Gambler, path, math.inf).events > 8)
    first = walk(Gambler, path, math.inf, keeps_records=True)
    assert walk(Gambler, path, math.inf, keeps_records=True) == first
    others = {walk(Gambler, path.turned(2, str(number)), math.inf).events for number in range(20)}
    assert len(others) > 3


class Hasty(Gambler):
    """Draws what happens when it happens."""

    def play(self, look: Callable[[], bool]) -> None:
        while self.coins:
            self.coins += 1 if self.luck.draw(self.tosses) < self.up else -1
            self.tosses += 1
            if look():
                return


def test_a_score_that_hangs_on_a_draw_of_the_very_event_is_refused() -> None:
    with pytest.raises(NotThere, match="what is drawn in that very event decides the score"):
        estimate(Hasty, (2, 3, 4), effort=50)


def test_the_luck_before_a_turn_is_that_of_the_root() -> None:
    scenario, score = load_scenario("shared_pool"), SCORES["oversold"]
    subject = days_of(scenario, "hot_cold", score)
    histories = []
    for path in (Path("7"), Path("7").turned(900, "other")):
        worlds = []
        walk(lambda luck, into=worlds: into.append(subject(luck)) or into[0], path, math.inf)  # type: ignore[misc]
        histories.append([tuple(row) for row in worlds[0].world.history])
    one, other = histories
    common = next(n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    assert 100 < common < min(len(one), len(other)), "alike for a while, and then not"


def test_watching_changes_no_history() -> None:
    scenario = load_scenario("shared_pool")
    worlds = []
    subject = days_of(scenario, "hot_cold", SCORES["oversold"])
    walk(lambda luck: worlds.append(subject(luck)) or worlds[0], Path("1"), math.inf)  # type: ignore[func-returns-value]
    watched = [tuple(row) for row in worlds[0].world.history]
    usual = [tuple(row) for row in simulate(scenario, seed=1).history][: len(watched)]
    assert watched == usual


def test_who_is_started_again_is_chosen_evenly() -> None:
    arrived = [(Path(str(number)), number) for number in range(7)]
    chosen = evenly(arrived, 17, "x")
    assert len(chosen) == 17
    assert {chosen.count(each) for each in arrived} == {2, 3}


def test_a_stage_that_nobody_reaches_ends_it_with_zero_and_a_bound() -> None:
    found = estimate(Gambler, (50,), effort=10, repetitions=20)
    assert (found.chance, found.arrived, found.fewest) == (0.0, None, 0)
    assert found.high == pytest.approx(0.0149, abs=1e-4)  # 1 - .05^(1/200)
    assert repeated_once(Gambler, (50, 60), 10, "x").shares == (0.0,)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="expected at least one, each above the one before"):
        estimate(Gambler, (3, 3), effort=10)
    with pytest.raises(BadEvent, match="there is no score 'unpostet'; expected one of"):
        parse_event("unpostet >= 3")
    with pytest.raises(BadEvent, match="expected NAME >= NUMBER"):
        parse_event("unposted > 3")
    with pytest.raises(TooRare, match="none came any further"):
        levels_for(lambda luck: Gambler(luck, steps=4), 9, runs=50)


# -- a shop


def shelf(units: int, local: float, foreign: float, safety: int) -> Scenario:
    """One shelf, from which others sell, too, and nobody hears of it before the day is over."""
    return shop(
        300.0,
        poisson(local / 300.0),
        stock={
            "skus": 1,
            "units_per_sku": units,
            "safety_stock": safety,
            "pool": "shared",
            "foreign_sales": {"per_s": foreign / 300.0},
        },
        jobs={"inbound": {"every": "400 s", "jitter": "0 s"}},
    )


def test_a_shelf_is_oversold_as_seldom_as_the_double_sum_says() -> None:
    """About one day in five hundred; rarer ones are in the slow tier."""
    scenario = shelf(10, 6.0, 2.0, 6)
    chance, _ = formulas.oversold_in_one_cycle(10, 6.0, 2.0, 6)
    assert 1e-3 < chance < 5e-3
    found = split(scenario, "oversold >= 1", levels=(-4, -2, 0, 1), effort=15, seed=1)
    assert abs(found.chance - chance) < 4 * found.relative_error * found.chance
    assert found.relative_error < 0.5


@pytest.mark.slow
def test_crude_counting_and_splitting_agree_at_one_in_ten_thousand() -> None:
    scenario = shelf(10, 3.0, 2.0, 8)
    chance, _ = formulas.oversold_in_one_cycle(10, 3.0, 2.0, 8)
    assert 5e-5 < chance < 5e-4
    found = split(scenario, "oversold >= 1", effort=200, seed=2)
    subject = days_of(scenario, "hot_cold", SCORES["oversold"])
    days = 40_000
    hits = sum(walk(subject, Path(f"crude/{day}"), 1.0).first is not None for day in range(days))
    low, high = share_interval(hits, days)
    assert found.low <= high and low <= found.high
    assert abs(found.chance - chance) < 4 * found.relative_error * found.chance


@pytest.mark.slow
def test_one_in_ten_million_is_known_within_a_fifth_in_ten_minutes() -> None:
    """Seven refreshes in a row fail, of eight, each with a chance of a tenth."""
    scenario = polling(8.9, 1e-6, skips=0.1)
    chance = formulas.failures_in_a_row(0.1, 7, 8)
    assert chance == pytest.approx(1.9e-7)
    levels = [(n + 0.5) * CYCLE_S for n in range(1, 8)]
    found = split(scenario, f"staleness_s >= {levels[-1]:g}", levels=levels, effort=500, seed=3)
    assert found.relative_error <= 0.2
    assert found.estimate.cpu_s < 600
    assert abs(found.chance - chance) < 4 * found.relative_error * found.chance


def test_a_mutant_oversells_and_the_design_does_not() -> None:
    """Nothing sells from under anybody here, so a sound design never gets there."""
    scenario = shop(
        60.0,
        {"kind": "rounds", "rounds": 20, "buyers": 2, "within": "1 s", "every": "2 s"},
        stock={"skus": 20, "units_per_sku": 1},
        service={"payment": {"latency": constant(0.5)}},
        jobs={"inbound": {"every": "1 s", "jitter": "0 s"}},
    )
    subject = days_of(scenario, OverwritesOnRefresh, SCORES["oversold"])
    hits = sum(walk(subject, Path(str(day)), 1.0).first is not None for day in range(10))
    sound = days_of(scenario, "hot_cold", SCORES["oversold"])
    assert hits > 0
    assert not any(walk(sound, Path(str(day)), 1.0).first for day in range(10))
