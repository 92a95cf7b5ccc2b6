"""Every planted bug is caught where its docstring says, by whom it says; the sound design passes the same day."""

from __future__ import annotations

import inspect
from functools import cache

import pytest

from orderquake.model.architectures import ARCHITECTURES
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.mutants import CANARY, EQUIVALENT, MUTANTS, ONE_ROUTE
from orderquake.sim.checkers import CHECKERS
from orderquake.sim.explore.days import day_names, day_of
from orderquake.sim.explore.kills.planted import Planted, planted
from orderquake.sim.run import Run, simulate

SEED = 1
COUNTED = [name for name in MUTANTS if name not in EQUIVALENT]
AT_ONCE = [name for name in COUNTED if name != CANARY]
"""Those that the first seed of their day shows."""
CANARY_SEEDS = (270, 278)
"""Of a hundred days one shows the canary; these two hold one that does."""


@cache
def day(name: str, on: str) -> Run:
    """A day on a planted bug, or on a sound design."""
    return simulate(day_of(name), on=MUTANTS.get(on, on), seed=SEED)


def own_day(mutant: Planted) -> Run:
    return day(mutant.day, mutant.name)


def test_there_are_sixty_and_more() -> None:
    assert len(COUNTED) >= 60
    assert set(EQUIVALENT) <= set(MUTANTS)
    assert set(ONE_ROUTE) <= set(COUNTED)
    assert set(MUTANTS) >= {
        "overwrites_on_refresh",
        "subtracts_at_apply",
        "keys_each_attempt",
        "consumes_without_looking",
        "loser_releases",
        "refunds_before_writing",
    }


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_says_what_it_breaks_and_where_that_was_seen(name: str) -> None:
    mutant = planted(name)
    assert mutant.kind.name == name
    assert mutant.breaks
    assert mutant.source.startswith(("Seen ", "Found "))
    assert bool(mutant.day) is (name in COUNTED)
    assert not mutant.day or (mutant.checker in CHECKERS and day_of(mutant.day).question)
    assert mutant.design in ARCHITECTURES


def test_a_docstring_that_says_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(HotCold):
        """Does something else."""

        name = "silent"

    monkeypatch.setitem(MUTANTS, "silent", Silent)
    with pytest.raises(ValueError, match=r"silent does not say what it is; expected a docstring of the form"):
        planted("silent")


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_mutant_is_caught_where_it_says(name: str) -> None:
    mutant = planted(name)
    run = own_day(mutant)
    assert run.verdict == "invalid"
    verdict = run.verdicts[mutant.checker]
    caught = [checker for checker, found in run.verdicts.items() if found.status == "invalid"]
    assert verdict.status == "invalid", f"{name} was caught by {caught}"
    assert verdict.reason
    assert verdict.witness
    assert all(0 <= index < len(run.history) for index in verdict.witness)


SOUND = sorted({(planted(name).day, planted(name).design) for name in AT_ONCE})


@pytest.mark.parametrize(("scenario", "design"), SOUND)
def test_the_sound_design_passes_the_same_day(scenario: str, design: str) -> None:
    assert day(scenario, design).verdict == "valid"


def test_every_small_day_is_some_mutants() -> None:
    assert {planted(name).day for name in COUNTED} >= set(day_names())


def test_every_checker_convicts_some_mutant() -> None:
    """No promise stands in the list for show: for each there is a planted bug that breaks it."""
    assert {planted(name).checker for name in COUNTED} == set(CHECKERS)


# -- the canary


def test_a_campaign_that_lives_finds_the_canary() -> None:
    """A bug that one day in a hundred shows is found within a fixed list of days, and not on every one of them."""
    found = [
        seed
        for seed in range(*CANARY_SEEDS)
        if simulate(day_of(planted(CANARY).day), on=MUTANTS[CANARY], seed=seed).verdict == "invalid"
    ]
    assert found == []
    run = simulate(day_of(planted(CANARY).day), on=MUTANTS[CANARY], seed=CANARY_SEEDS[1])
    assert run.verdicts[planted(CANARY).checker].status == "invalid"


def test_the_sound_design_pays_back_whom_the_canary_forgets() -> None:
    assert simulate(day_of(planted(CANARY).day), seed=CANARY_SEEDS[1]).verdict == "valid"


def test_no_mutant_is_told_twice() -> None:
    assert len({inspect.getdoc(kind) for kind in MUTANTS.values()}) == len(MUTANTS)
