"""What the README shows is what the code says."""

from __future__ import annotations

from pathlib import Path

from orderquake.sim.report.states import section

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_state_diagrams_are_drawn_from_the_tables() -> None:
    assert section() in README, "paste the output of: python -m orderquake.sim.report.states"


def test_the_readme_opens_with_the_two_commands() -> None:
    opening = README.split("\n## ")[0]
    assert "make run" in opening and "make test" in opening
