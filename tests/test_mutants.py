"""Every planted bug is caught where its docstring says, by whom it says; the sound design passes the same day."""

from __future__ import annotations

import inspect
import re

import pytest

from orderquake.model.architecture import Architecture
from orderquake.model.mutants import MUTANTS
from orderquake.sim.checkers import CHECKERS
from orderquake.sim.run import simulate

SEED = 1


def caught(mutant: type[Architecture]) -> tuple[str, str]:
    """The checker and the scenario that a mutant's docstring names."""
    said = re.search(r"Caught by `(\w+)` in `(\w+)`\.", " ".join((inspect.getdoc(mutant) or "").split()))
    assert said is not None, f"{mutant.name} does not say who catches it, and where"
    return said[1], said[2]


SCENARIOS = sorted({caught(mutant)[1] for mutant in MUTANTS.values()})


def test_the_six_are_planted() -> None:
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
    text = inspect.getdoc(MUTANTS[name]) or ""
    assert text.startswith("Breaks: ")
    assert re.search(r"\b(Seen|Found)\b", text)
    assert MUTANTS[name].name == name


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught_where_it_says(name: str) -> None:
    checker, scenario = caught(MUTANTS[name])
    run = simulate(scenario, on=MUTANTS[name], seed=SEED)
    assert run.verdict == "invalid"
    verdict = run.verdicts[checker]
    assert verdict.status == "invalid", (
        f"{name} was caught by {[k for k, v in run.verdicts.items() if v.status == 'invalid']}"
    )
    assert verdict.reason
    assert verdict.witness
    assert all(0 <= index < len(run.history) for index in verdict.witness)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_sound_design_passes_the_same_day(scenario: str) -> None:
    assert simulate(scenario, seed=SEED).verdict == "valid"


ALSO = {"keys_each_attempt": "money_conserved", "overwrites_on_refresh": "fresh_snapshots_only"}
"""Mutants that a second checker convicts, which no other mutant is named for."""


def test_every_checker_convicts_some_mutant() -> None:
    """No promise stands in the list for show: for each there is a planted bug that breaks it."""
    assert {caught(mutant)[0] for mutant in MUTANTS.values()} | set(ALSO.values()) == set(CHECKERS)


@pytest.mark.parametrize(("name", "checker"), ALSO.items())
def test_a_second_checker_convicts_it_too(name: str, checker: str) -> None:
    run = simulate(caught(MUTANTS[name])[1], on=MUTANTS[name], seed=SEED)
    assert run.verdicts[checker].status == "invalid"
