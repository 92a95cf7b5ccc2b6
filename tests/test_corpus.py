"""Failures that were found once stay found: a story of the corpus still fails on its bug, and the sound design passes.

A log keeps its scenario, its seed and its late events, so it outlives changes of the code that a bare seed would not.
"""

from __future__ import annotations

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.mutants import MUTANTS
from orderquake.sim.choices import replay
from tests.explore.stories import CORPUS, NAMES, log_of


def test_the_corpus_is_there() -> None:
    assert len(NAMES) >= 16
    assert set(NAMES) <= set(MUTANTS)


@pytest.mark.parametrize("name", NAMES)
def test_a_story_still_fails_on_its_bug_and_not_on_the_sound_design(name: str) -> None:
    log = log_of(name)
    broken = {checker for checker, status in log.verdicts.items() if status == "invalid"}
    assert broken, f"{CORPUS / name} keeps a run in which nothing broke"
    now = replay(log, strict=False, on=MUTANTS[log.design])
    assert not now.failure
    assert broken <= {checker for checker, status in now.verdicts.items() if status == "invalid"}
    sound = replay(log, strict=False, on=HotCold)
    assert not sound.failure
    assert [checker for checker, status in sound.verdicts.items() if status == "invalid"] == []


def test_a_bug_of_the_corpus_is_found_by_its_name() -> None:
    assert replay(log_of(NAMES[0]), strict=True).exit_code == 1
