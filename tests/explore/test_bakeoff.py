"""The bake-off: what was made is not made again, and what was not found is told as not found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orderquake.model.mutants import EQUIVALENT
from orderquake.sim.designs import breaking, planted
from orderquake.sim.explore.hunt import bakeoff as baking
from orderquake.sim.explore.hunt.bakeoff import ALL, Cell, bakeoff, in_markdown, made
from orderquake.sim.explore.hunt.survival import draw, in_table


def told(
    design: str, strategy: str, seed: int, runs: int, checker: str = "charged_once", **more: Any
) -> dict[str, Any]:
    return {"cell": f"{design} {strategy} {seed}", "runs": runs, "seconds": runs / 100, "checker": checker} | more


def test_a_bug_that_half_of_the_hunts_miss_has_no_median() -> None:
    page = in_markdown([told("a", "stress", 1, 10), told("a", "stress", 2, 900, "")], 9.0)
    assert "| a | 1/2, -, - s |" in page
    page = in_markdown([told("a", "stress", n, 10 * n) for n in (1, 2, 3)], 9.0)
    assert "| a | 3/3, 20, 0.2 s |" in page


def test_bugs_that_a_strategy_never_found_are_named() -> None:
    page = in_markdown([told("a", "stress", 1, 10), told("b", "stress", 1, 90, ""), told("b", "swarm", 1, 5)], 9.0)
    assert "| stress | 1 of 2 | b |" in page
    assert "| swarm | 1 of 1 | none |" in page


def test_stories_are_told_with_their_sizes() -> None:
    sizes: dict[str, Any] = {
        "orders": 2,
        "skus": 1,
        "faults": 0,
        "deviations": 0,
        "steps": 7,
        "is_minimal": True,
        "is_short": True,
    }
    page = in_markdown([told("a", ALL, 1, 10, all_seconds=1.0, **sizes)], 9.0)
    assert "median of 1.00 s and at most 1.00 s" in page
    assert "| a | charged_once | 2 | 1 | 0 | 0 | 7 | 0.10 | 1.00 |" in page


def test_a_curve_falls_with_every_find_and_ends_at_the_budget() -> None:
    results = [told("a", "stress", 1, 10), told("b", "stress", 1, 150), told("c", "stress", 1, 300, "")]
    results += [told("a", "swarm", 1, 290), told("b", "swarm", 1, 300, ""), told("c", "swarm", 1, 300, "")]
    _, _, _, _, head, _, first, second = in_table(results, 3.0)
    assert head == "| strategy | hunts | 0.1 s | 0.2 s | 0.5 s | 1 s | 2 s | 3 s |"
    assert first == "| stress | 3 | 2 | 2 | 2 | 2 | 1 | 1 |"
    assert second == "| swarm | 3 | 3 | 3 | 3 | 3 | 3 | 2 |"
    curves = draw(results, 3.0)
    assert curves.startswith("<svg xmlns=") and "swarm" in curves and curves.rstrip().endswith("</svg>")


def test_what_was_made_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Cell] = []

    def pretend(cell: Cell, budget_s: float) -> dict[str, Any]:
        calls.append(cell)
        return told(*cell, 3)

    monkeypatch.setattr(baking, "made", pretend)
    kept = tmp_path / "kept.jsonl"
    first = bakeoff(["a", "b"], ["stress"], 1, 5.0, kept)
    again = bakeoff(["a", "b"], ["stress", "swarm"], 1, 5.0, kept)
    assert len(first) == 2
    assert len(again) == len(calls) == 4
    bakeoff(["a"], ["stress"], 1, 6.0, kept)  # another budget: nothing of it counts
    assert len(calls) == 5


def test_a_cell_is_one_hunt() -> None:
    one = made(Cell("refunds_in_silence", "stress", 1), 20.0)
    assert (one["checker"], one["by"]) == ("notices_sent", "stress")
    assert "steps" not in one


def test_bugs_that_make_no_difference_are_not_hunted() -> None:
    hunted = set(breaking())
    assert hunted < set(planted())
    assert set(planted()) - hunted == set(EQUIVALENT)
