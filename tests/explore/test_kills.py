"""The ways to catch a planted bug: what each of them sees, what is no kill, and how a table is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderquake.model.architectures import ARCHITECTURES
from orderquake.model.mutants import EQUIVALENT, MUTANTS, ONE_ROUTE
from orderquake.sim.cli import main
from orderquake.sim.explore.kills import routes, table
from orderquake.sim.explore.kills.planted import planted
from orderquake.sim.explore.kills.routes import Kill, Try, by_seeds, exhaustively, told
from orderquake.sim.explore.kills.small_world import Scope, SmallWorld
from orderquake.sim.explore.kills.stories import ANN, BOB, POLICY, STORIES, Story, played
from orderquake.sim.explore.kills.walks import walk

SOUND = ("hot_cold", "central", "reserve_in_record", "orchestrated_repaired", "escrow", "claims")


# -- stories told by hand


@pytest.mark.parametrize("name", STORIES)
def test_a_story_shows_its_bug(name: str) -> None:
    kill = told(planted(name))
    assert kill.killed
    assert planted(name).checker in kill.caught or set(kill.caught) & {"never_oversold", "money_conserved"}


@pytest.mark.parametrize("name", STORIES)
def test_the_sound_design_comes_through_the_same_story(name: str) -> None:
    world = played(name, ARCHITECTURES["hot_cold"])
    assert not world.judged()
    assert world.design.rests(world.stores, world.now_us)


# -- made-up days


@given(seed=st.integers(min_value=0, max_value=2**40), name=st.sampled_from(SOUND))
@settings(max_examples=120, deadline=None, derandomize=True)
def test_a_sound_design_comes_through_any_made_up_day(seed: int, name: str) -> None:
    world = walk(ARCHITECTURES[name], seed)
    assert not world.judged()
    assert world.design.rests(world.stores, world.now_us)


def test_a_walk_is_all_made_of_its_seed() -> None:
    first, again, other = (walk(MUTANTS["checks_then_takes"], seed).history.digest for seed in (5, 5, 6))
    assert first == again != other


def test_what_the_record_refuses_stays_promised_where_reservations_never_lapse() -> None:
    """A day found by chance: a stock-take takes what is reserved for good, and the post is refused for good."""
    world = walk(ARCHITECTURES["reserve_in_record"], 1_243_550_377)
    assert any(row.operation == "post" and row.answer == "rejected" for row in world.history)
    assert not world.judged()


@pytest.mark.parametrize("name", EQUIVALENT)
def test_what_makes_no_difference_comes_through_made_up_days(name: str) -> None:
    assert not any(walk(MUTANTS[name], seed).judged() for seed in range(1, 16))


# -- the small world itself


def world(**changes: Any) -> SmallWorld:
    return SmallWorld(ARCHITECTURES["hot_cold"], Scope(POLICY, {"mug": 1}, (ANN, BOB)), **changes)


def test_no_copy_outlives_its_time() -> None:
    story = Story(ARCHITECTURES["hot_cold"], POLICY, 1, (ANN,))
    story.after(story.worker("ann"), "charge", "dies, done late")
    payment: Any = story.world.stores["payment"]
    story.world.wait(59_000_000)
    assert not payment.captures
    story.world.wait(2_000_000)
    assert payment.captures
    assert not story.world.late


def test_nobody_sleeps_on_a_payment_for_longer_than_a_turn() -> None:
    story = Story(ARCHITECTURES["hot_cold"], POLICY, 1, (ANN,))
    short = story.before(story.worker("ann"), "charge")
    story.world.wait(25_000_000)
    assert short.waits is not None
    story.world.wait(10_000_000)
    assert short.waits is None


def test_a_story_is_as_long_as_what_led_to_the_first_verdict() -> None:
    at_once = played("closes_at_the_horizon", MUTANTS["closes_at_the_horizon"])
    assert 0 < at_once.steps_to(at_once.judged()) <= at_once.told_before_calm
    fine = played("closes_at_the_horizon", ARCHITECTURES["hot_cold"])
    assert fine.steps_to(fine.judged()) == 0


# -- every interleaving


def test_scopes_are_told_in_words() -> None:
    first, *_, last = map(str, routes.scopes())
    assert first == "reserve_first, 2 orders for one unit, no jobs, no fault"
    assert last.endswith("both jobs, at most 1 of crash, lose_answer, duplicate, lapse")


def test_the_explorer_needs_a_fault_where_the_bug_does() -> None:
    kill = exhaustively(planted("refunds_before_writing"))
    assert kill.killed
    assert "at most" in kill.how


def test_the_explorer_finds_two_who_look_before_either_takes() -> None:
    kill = exhaustively(planted("checks_then_takes"))
    assert kill.killed
    assert kill.steps == 2
    assert set(kill.caught) == {"never_oversold"}


# -- what is a kill


def test_a_failed_assertion_is_no_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Any, __: int) -> Try:
        raise AssertionError("a broken rule of ours")

    monkeypatch.setattr(routes, "TRIES", {"random": fails})
    kill = by_seeds("random", planted("sends_every_mail"), 3)
    assert (kill.killed, kill.crashes) == (0, routes.HOPELESS_AFTER * routes.RUNS["random"])


def test_the_runs_of_a_race_are_the_median_over_its_replications(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replication r is decided in its run r + 1."""

    def decided(_: Any, seed: int) -> Try:
        replication, run = divmod(seed, routes.APART)
        return Try(("charged_once",), steps=10 - run) if run == replication + 1 else Try(())

    monkeypatch.setattr(routes, "TRIES", {"random": decided})
    kill = by_seeds("random", planted("sends_every_mail"), 7)
    assert (kill.runs, kill.killed, kill.of, kill.steps) == (4, 7, 7, 3)
    assert kill.caught == {"charged_once": 7}


def test_where_no_race_decides_five_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "TRIES", {"random": lambda _, __: Try(("charged_once",))})
    assert by_seeds("random", planted("sends_every_mail"), 30).of == routes.SURE_AFTER


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MUTANTS if name not in EQUIVALENT])
def test_two_routes_kill_a_mutant_or_the_register_says_why_not(name: str) -> None:
    kills = [routes.killed_by(route, planted(name), 1) for route in routes.ROUTES]
    assert len([kill for kill in kills if kill.killed]) >= (1 if name in ONE_ROUTE else 2)


# -- the table


def counting(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Routes that find nothing but by random; whom they were asked about."""
    asked: list[str] = []

    def found(route: str, mutant: Any, seeds: int) -> Kill:
        asked.append(f"{mutant.name} {route}")
        is_killed = route == "random" and not mutant.equivalent
        return Kill(route, runs=2, killed=int(is_killed), of=seeds, caught={"charged_once": 1} if is_killed else {})

    monkeypatch.setattr(table, "killed_by", found)
    return asked


def test_a_table_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = counting(monkeypatch)
    first = table.table(["sends_every_mail"], 2, tmp_path)
    assert len(asked) == len(routes.ROUTES)
    told_of: list[float] = []
    again = table.table(["sends_every_mail", "pins_lapse"], 2, tmp_path, told_of.append)
    assert len(asked) == 2 * len(routes.ROUTES)
    assert again[0] == first[0]
    assert told_of == [1, 2]
    table.table(["sends_every_mail"], 3, tmp_path)
    assert len(asked) == 3 * len(routes.ROUTES), "with other seeds it is another result"
    monkeypatch.setattr(table, "made_of", lambda: "other code")
    table.table(["sends_every_mail"], 3, tmp_path)
    assert len(asked) == 4 * len(routes.ROUTES)


def test_a_page_counts_what_is_killed_and_how_often(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    counting(monkeypatch)
    page = table.page(table.table(["sends_every_mail", "blocks_its_own_retry"], 2, tmp_path), 2)
    assert "- planted: 1; killed: 1, by two routes or more: 0; beside them 1 that break no promise" in page
    assert "| sends_every_mail | hot_cold | notices_sent | short_holds | - | - | 2 (0 s, 1 of 2) | - |  |" in page
    assert "## By one route only" in page
    assert "- **blocks_its_own_retry**: " in page


def test_the_verb_says_who_lives_and_leaves_with_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counting(monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert main(["mutants", "sends_every_mail", "blocks_its_own_retry", "--quiet"]) == 0
    assert capsys.readouterr().out == "sends_every_mail killed\nblocks_its_own_retry lives\n"
    monkeypatch.setattr(table, "killed_by", lambda route, _, seeds: Kill(route, of=seeds))
    assert main(["mutants", "pins_lapse", "--json"]) == 1
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry.keys() >= {"name", "source", "killed", "killed_by", "routes", "equivalent"}
    assert (entry["name"], entry["killed"], entry["killed_by"]) == ("pins_lapse", False, [])
    assert set(entry["routes"]) == set(routes.ROUTES)
    assert not (tmp_path / table.PAGE).exists(), "only the whole table is a page"


def test_a_name_that_nobody_has_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutants", "forgets_everything"]) == 3
    assert 'no planted bug is called "forgets_everything"; there are ' in capsys.readouterr().err
