"""The hunt finds what is broken, leaves what is sound, counts what it did, and ends when its time is over."""

from __future__ import annotations

import dataclasses

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.assumptions import Assumption
from orderquake.model.mutants import MUTANTS
from orderquake.model.order import Order
from orderquake.sim.demand import Listed
from orderquake.sim.designs import design_named, path_of
from orderquake.sim.explore.days import day_names, day_of
from orderquake.sim.explore.hunt import hunt, hunt_story, portfolio, seeding, shrink, teller
from orderquake.sim.explore.hunt.changes import rested
from orderquake.sim.explore.hunt.found import Case, Clock, Failure, Found, NotFound, failures_in, role_of
from orderquake.sim.explore.hunt.lateness import later, loosened, may_be_late
from orderquake.sim.explore.hunt.portfolio import LOOK_FURTHER, STRATEGIES, Ended, Hunt, usual
from orderquake.sim.explore.hunt.priorities import ranked
from orderquake.sim.explore.hunt.seeding import FEW_ORDERS, MORE_LUCK, OTHER_LUCK, is_inside, orders_in
from orderquake.sim.explore.hunt.story import Story
from orderquake.sim.explore.hunt.strategy import Ground, Outcome
from orderquake.sim.explore.hunt.stress import stressed
from orderquake.sim.explore.quiet import quiet_bound
from orderquake.sim.explore.swarm_luck import Luck
from orderquake.sim.run import simulate
from orderquake.sim.world.streams import Streams, TracedStreams
from tests.explore.stories import found_in, minute, story


class Crashing(HotCold):
    """Never gets as far as a verdict."""

    name = "crashing"

    async def register(self, order: Order) -> None:
        raise AssertionError("not today")


def test_the_flagship_is_found_and_told_within_seconds() -> None:
    found = hunt("overwrites_on_refresh", budget_s=20.0, checkers=["never_oversold"])
    assert isinstance(found, Found)
    story = shrink(found)
    assert (story.orders, story.skus, story.faults, story.deviations) == (2, 1, 0, 0)
    assert story.case.scenario.stock.units_per_sku == 1
    assert story.is_minimal
    assert story.steps <= 10
    assert found.seconds + story.seconds <= 10.0


def test_nothing_is_found_on_the_sound_design_and_the_zero_has_its_bound() -> None:
    nothing = hunt("hot_cold", budget_s=0.5, strategies=["stress", "delays"])
    assert isinstance(nothing, NotFound)
    assert nothing.runs > 0
    assert "never_oversold" in nothing.exercised
    assert str(nothing).startswith(f"0 of {nothing.runs} runs; at most ")
    assert 0 < nothing.at_most <= 1


def test_the_small_days_are_inside_the_contract_of_the_sound_design() -> None:
    for seed in range(40_000, 40_030):
        scenario = stressed(seed, HotCold)
        assert scenario.quiet_limit > quiet_bound(scenario)
        assert failures_in(simulate(scenario, HotCold, seed).verdicts) == [], seed


def test_outside_the_contract_a_fault_takes_away_what_is_required() -> None:
    def breaks(seed: int, is_outside: bool) -> bool:
        day = stressed(seed, HotCold, is_outside=is_outside)
        return any(fault.broken() & HotCold.requires for fault in day.fault)

    seeds = range(500, 620)
    assert not any(breaks(seed, False) for seed in seeds)
    assert any(breaks(seed, True) for seed in seeds)


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name != "monte_carlo"])
def test_each_strategy_finds_a_plain_bug_alone(strategy: str) -> None:
    found = hunt("refunds_in_silence", budget_s=20.0, strategies=[strategy])
    assert isinstance(found, Found)
    assert (found.strategy, found.checker) == (strategy, "notices_sent")


def test_a_named_scenario_is_played_as_it_is() -> None:
    found = hunt("refunds_in_silence", minute(), budget_s=60.0, strategies=["monte_carlo"])
    assert isinstance(found, Found)
    assert found.scenario == minute()
    assert "monte_carlo" in usual(found.scenario)
    assert "monte_carlo" not in usual(None)


def test_other_days_are_played_where_no_scenario_was_named() -> None:
    assert "days" in usual(None)
    assert "days" not in usual(minute())


def test_a_named_day_that_fails_is_played_with_fewer_customers() -> None:
    played: list[tuple[Case, Outcome]] = []
    ground = hunting("refunds_in_silence").ground

    def recorded(case: Case, luck: Streams | None = None) -> Outcome:
        run = simulate(case.scenario, ground.design, case.seed)
        played.append((case, Outcome(run, tuple(failures_in(run.verdicts)))))
        return played[-1][1]

    turns = STRATEGIES["days"](ground).turns(recorded)
    next(turns)
    next(turns)
    (whole, broke), (fewer, still), *_ = played
    assert whole.scenario == day_of(whole.scenario.name)
    assert isinstance(fewer.scenario.workload, Listed)
    assert len(fewer.scenario.workload.order) == 1
    assert still.failures[0].role == broke.failures[0].role


def test_a_crowd_comes_once_and_the_few_with_other_luck(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a crowd meets once is not worth a second time; those alone whom the breach names are quickly played."""
    monkeypatch.setattr(seeding, "day_names", lambda: ("refused_posts",))
    ground = hunting("refunds_in_silence").ground
    came: dict[int, set[int]] = {}

    def recorded(case: Case, luck: Streams | None = None) -> Outcome:
        run = simulate(case.scenario, ground.design, case.seed)
        came.setdefault(orders_in(case), set()).add(case.seed)
        return Outcome(run, tuple(failures_in(run.verdicts)))

    turns = STRATEGIES["days"](ground).turns(recorded)
    for _ in range(1 + MORE_LUCK):
        next(turns)
    alone, *crowds = sorted(came)
    assert came[alone] == {ground.seed + more for more in range(MORE_LUCK)}
    assert {len(came[crowd]) for crowd in crowds if crowd <= FEW_ORDERS} == {OTHER_LUCK}
    assert {len(came[crowd]) for crowd in crowds if crowd > FEW_ORDERS} == {1}


def test_named_days_keep_to_the_contract_of_the_design() -> None:
    class NeverLosesItsStock(HotCold):
        """Requires what most of the world gives, and one thing that it does not."""

        name = "never_loses_its_stock"
        requires = HotCold.requires | {Assumption.STOCK_KEEPS_WRITES}

    inside = {name for name in day_names() if is_inside(day_of(name), NeverLosesItsStock)}
    assert all(is_inside(day_of(name), HotCold) for name in day_names())
    assert set(day_names()) - inside == {"lost_shelves", "lost_shelves_lagging_copy"}


def test_the_same_hunt_finds_the_same() -> None:
    one, other = (hunt("keys_each_attempt", budget_s=20.0, seed=3, strategies=["stress"]) for _ in range(2))
    assert isinstance(one, Found)
    assert isinstance(other, Found)
    assert (one.case, one.failure, one.runs) == (other.case, other.failure, other.runs)


def test_a_design_that_always_crashes_is_no_find_and_no_run() -> None:
    nothing = hunt(Crashing, budget_s=0.5, strategies=["stress"])
    assert isinstance(nothing, NotFound)
    assert nothing.runs == 0
    assert nothing.crashes > 0
    assert "not today" in nothing.crash


def test_unknown_names_are_told() -> None:
    with pytest.raises(KeyError, match="overwrites_on_refresh"):
        hunt("overwrites_on_refres", budget_s=0.1)
    with pytest.raises(KeyError, match="stress"):
        hunt("hot_cold", budget_s=0.1, strategies=["luck"])


def test_designs_are_found_by_name_by_class_and_by_bug() -> None:
    assert design_named("hot_cold") is HotCold
    for name, mutant in MUTANTS.items():
        assert design_named(name) is mutant
        assert design_named(path_of(mutant)) is mutant
    with pytest.raises(KeyError, match="no architecture"):
        design_named("orderquake.model.order:Order")


# -- what is kept


def hunting(design: str = "overwrites_on_refresh") -> Hunt:
    return Hunt(Ground(MUTANTS[design], None, 1), Clock(60.0))


def test_a_wrong_book_is_kept_until_somebody_is_hurt() -> None:
    under_way, case = hunting(), found_in("overwrites_on_refresh").case
    run = simulate(case.scenario, MUTANTS["overwrites_on_refresh"], case.seed)
    book = Failure("fresh_snapshots_only", "x", "x", (5,))
    under_way.keep(case, run, book)
    assert under_way.best is not None
    assert under_way.best.failure is book
    with pytest.raises(Ended):
        under_way.keep(case, run, Failure("never_oversold", "y", "y", (5,)))
    assert under_way.best.checker == "never_oversold"


def test_it_looks_further_for_so_many_runs_and_no_more() -> None:
    found = hunt("skips_posting", budget_s=60.0, strategies=["stress"])
    assert isinstance(found, Found)
    assert found.runs <= LOOK_FURTHER


def test_what_is_too_long_to_tell_is_kept_until_something_shorter_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way, case = hunting(), found_in("overwrites_on_refresh").case
    run = simulate(case.scenario, MUTANTS["overwrites_on_refresh"], case.seed)
    long, short = Failure("never_oversold", "x", "x", (5,)), Failure("never_oversold", "y", "y", (5,))
    with monkeypatch.context() as patched:
        patched.setattr(portfolio, "TOO_LONG", -1)
        under_way.keep(case, run, long)
        assert not under_way.has_looked_on()
        patched.setattr(portfolio, "LOOK_SHORTER_S", 0.0)
        assert under_way.has_looked_on()
    with pytest.raises(Ended):
        under_way.keep(case, run, short)
    assert under_way.best is not None
    assert under_way.best.failure is short


def test_what_cannot_be_told_lets_the_hunt_go_on() -> None:
    met: list[Found] = []

    def is_told(found: Found) -> bool:
        met.append(found)
        return len(met) == 3

    found = hunt("keys_each_attempt", budget_s=20.0, strategies=["stress"], is_told=is_told)
    assert found is met[2]
    assert met[0].runs < met[1].runs < met[2].runs


def test_a_hunt_for_a_story_ends_with_one_that_can_be_told() -> None:
    told = hunt_story("keys_each_attempt", budget_s=20.0)
    assert isinstance(told, Story)
    assert told.is_short
    assert told.is_minimal
    nothing = hunt_story(HotCold, budget_s=0.3, strategies=["stress"])
    assert isinstance(nothing, NotFound)


def test_a_teller_gives_up_after_a_few_and_tells_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    found = found_in("overwrites_on_refresh")
    short = story("overwrites_on_refresh")
    unproved = dataclasses.replace(short, is_minimal=False)
    stories = iter([unproved, unproved, short, unproved])
    monkeypatch.setattr(teller, "story_of", lambda *_: next(stories))
    telling = teller.Teller()
    assert [telling.tells(found) for _ in range(2)] == [False, False]
    assert telling.tells(found)
    assert telling.tells(found), "enough has been tried"
    assert telling.best(found, 0.0) is short


def test_a_teller_tells_one_story_of_a_named_day_that_needs_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    of_a_day = dataclasses.replace(found_in("overwrites_on_refresh"), strategy="days")
    told: list[Found] = []

    def too_long(found: Found, *_: object) -> Story:
        told.append(found)
        return dataclasses.replace(story("overwrites_on_refresh"), is_minimal=False)

    monkeypatch.setattr(teller, "story_of", too_long)
    telling = teller.Teller()
    assert not any(telling.tells(of_a_day) for _ in range(9))
    assert len(told) == 1
    assert not telling.tells(dataclasses.replace(of_a_day, case=Case(minute(), 1)))
    assert len(told) == 2


def test_a_wrong_book_that_cannot_be_told_lets_the_hunt_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False, True])
    under_way, case = hunting(), found_in("overwrites_on_refresh").case
    under_way.is_told = lambda _: next(answers)
    run = simulate(case.scenario, MUTANTS["overwrites_on_refresh"], case.seed)
    monkeypatch.setattr(portfolio, "LOOK_FURTHER_S", 0.0)
    book = Failure("fresh_snapshots_only", "x", "x", (5,))
    under_way.keep(case, run, book)
    under_way.settle_for(under_way.best)  # type: ignore[arg-type]
    assert not under_way.has_looked_on()
    under_way.keep(case, run, book)
    assert under_way.has_looked_on()
    with pytest.raises(Ended):
        under_way.settle_for(under_way.best)  # type: ignore[arg-type]


def test_the_worst_of_what_breaks_is_told_first() -> None:
    run = simulate(found_in("overwrites_on_refresh").case.scenario, MUTANTS["overwrites_on_refresh"])
    names = [failure.checker for failure in failures_in(run.verdicts)]
    assert names == ["never_oversold", "fresh_snapshots_only"]


def test_a_role_is_what_is_said_and_not_of_whom() -> None:
    one = role_of("order o-0123456789 was charged 100 and then 100 again, key o-0123456789/charge/1/2")
    other = role_of("order o-abcdef0123 was charged 7 and then 7 again, key o-abcdef0123/charge/9 (and 3 more)")
    assert one == other
    assert one != role_of("order o-0123456789 was paid back 100, but only 7 had been taken")


# -- late events


def test_events_are_late_and_never_early() -> None:
    day = rested(loosened(stressed(3, HotCold)))
    noted = TracedStreams(3)
    simulate(day, HotCold, 3, luck=noted)
    events = may_be_late(noted.draws, day)
    assert {event.sort for event in events} == {"leg", "work", "tick"}
    for event in events:
        moved = later(event, 50_000)
        assert moved.value > event.draw.value or event.sort == "tick"
        assert event.sort != "tick" or 0 <= moved.value < 1


def test_a_ranking_makes_somebody_late_and_the_sound_design_bears_it() -> None:
    day = rested(loosened(stressed(4, HotCold)))
    noted = TracedStreams(4)
    simulate(day, HotCold, 4, luck=noted)
    deviations = ranked(may_be_late(noted.draws, day), Luck(4, "priorities"))
    assert deviations
    case = Case(day, 4, deviations)
    from orderquake.sim.explore.hunt.found import play

    run = play(case, HotCold)
    assert run.digest != simulate(day, HotCold, 4).digest
    assert failures_in(run.verdicts) == []


def test_a_find_says_what_it_found() -> None:
    found = found_in("keys_each_attempt")
    assert (found.checker, found.seed, found.deviations) == ("charged_once", found.case.seed, found.case.deviations)
    assert found.reason == found.failure.reason
    assert dataclasses.replace(found, runs=7).runs == 7
