"""`orderquake prove`: what it prints, and how it leaves."""

from __future__ import annotations

import json

import pytest

from orderquake.sim.cli import main


def test_a_sound_design_leaves_with_0_and_says_what_was_covered(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "--policy", "reserve_first", "--faults", "crash"]) == 0
    told = capsys.readouterr().out
    for part in (
        "2 orders for 1 mug, 1 bowl",
        "refresh x1, post x1",
        "at most 1 of crash in all",
        "checkers: never_oversold",
        "final states",
        "safe under {message_life",
        "valid: no promise is broken",
    ):
        assert part in told


def test_a_planted_bug_leaves_with_1_and_the_shortest_story(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "--on", "keys_each_attempt", "--orders", "1", "--skus", "1", "--faults", "lose_answer"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[-4:] == [
        "the shortest story, 3 steps:",
        "   1  order o-1: charge -> captured",
        "   2  lose_answer: the answer is lost (charge of o-1)",
        "   3  order o-1: charge -> captured",
    ]


def test_a_dropped_guard_is_a_counterexample(capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "prove",
        "--orders",
        "1",
        "--skus",
        "1",
        "--drop",
        "message_life",
        "--refresh",
        "0",
        "--post",
        "0",
        "--json",
    ]
    assert main(words) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["violation"].keys() == {"charged_once"}
    assert told["dropped"] == ["message_life"]
    assert set(told["faults"]) == {"time", "duplicate"}


def test_what_was_cut_off_leaves_with_2_and_its_growth(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "--orders", "3", "--limit", "50"]) == 2
    assert "states by told steps: " in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--faults", "crsh"], ["--on", "hot_colt"], ["--orders", "99"], ["--drop", "luck"]])
def test_a_mistake_leaves_with_3_and_says_what_there_is(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", *words]) == 3
    assert capsys.readouterr().err


def test_quiet_is_one_line_and_the_faults_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "--policy", "reserve_first", "--quiet"]) == 0
    assert capsys.readouterr().out == "valid states=157 transitions=398\n"
    assert main(["prove", "--faults", "list"]) == 0
    assert "crash" in capsys.readouterr().out


def test_a_story_is_told_of_the_promise_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["prove", "--on", "overwrites_on_refresh", "--skus", "1", "--promise", "never_oversold", "--json"]
    assert main(words) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["checkers"] == ["never_oversold"]
    assert set(told["violation"]) == {"never_oversold"}
    assert main(["prove", "--promise", "never_oversld"]) == 3
    assert 'called "never_oversld"; there are never_oversold' in capsys.readouterr().err
