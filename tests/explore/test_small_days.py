"""Small days by the thousand: counted right, killed and gone on with, and loud where something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.sim.explore import small_days
from orderquake.sim.explore.small_days import Kept, blocks_of, command, exit_code, in_markdown, played, total


class Stumbles(HotCold):
    name = "stumbles"

    async def register(self, order: object) -> None:
        raise RuntimeError("a mistake of ours")


def test_a_sound_design_raises_no_alarm_and_nearly_every_promise_is_put_to_the_test() -> None:
    told = played("hot_cold", 1, 40)
    assert (told["days"], told["alarms_in_all"], told["undecided_in_all"], told["failed"]) == (40, 0, 0, {})
    assert {"never_oversold", "charged_once", "posted_once", "every_order_ends"} <= set(told["exercised"])
    assert 40 <= told["orders"] <= 120 and told["faults"]


@pytest.mark.parametrize("bug", ["overwrites_on_refresh", "forgets_dedup"])
def test_a_planted_bug_raises_one(bug: str) -> None:
    told = played(bug, 1, 60)
    assert told["alarms_in_all"] > 0
    seed, why = next(iter(told["alarms"].items()))
    assert 1 <= seed <= 60 and why
    summed = total({1: json.loads(json.dumps(told))}, 60)
    assert exit_code(summed) == 1
    assert f"alarms, seed {seed}" in in_markdown(bug, summed)


def test_a_day_that_cannot_be_played_is_told_and_is_no_alarm() -> None:
    told = played(f"{__name__}:Stumbles", 1, 3)
    assert set(told["failed"]) == {1, 2, 3} and "a mistake of ours" in told["failed"][1]
    assert exit_code(total({1: told}, 3)) == 4


def test_what_was_played_is_not_played_again_and_a_line_that_was_cut_off_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small_days, "BLOCK", 10)
    path = tmp_path / "days.jsonl"
    header = {"design": "hot_cold"}
    assert list(blocks_of("hot_cold", 25, 1, Kept(path, header)))[-1] == 25
    whole = path.read_bytes()
    assert len(whole.splitlines()) == 4
    path.write_bytes(whole[:-30])
    kept = Kept(path, header)
    assert sorted(kept.blocks) == [1, 11]
    assert list(blocks_of("hot_cold", 25, 1, kept)) == [25]
    assert path.read_bytes() == whole, "the same days again"
    assert list(blocks_of("hot_cold", 25, 1, kept)) == []


def test_days_of_something_else_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Kept(tmp_path / "days.jsonl", {"design": "hot_cold"})
    assert command(10, out=tmp_path / "days.md") == 3
    assert "move it away" in capsys.readouterr().err
    assert command(10, design="no_such_design", out=tmp_path / "others.md") == 3
