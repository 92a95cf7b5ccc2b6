"""The folder of a counterexample: whatever one needs to believe a story, to see it again, and to keep it fixed."""

from __future__ import annotations

from pathlib import Path

from orderquake.sim.choices import LOG, record
from orderquake.sim.explore.hunt.brief import brief_tables
from orderquake.sim.explore.hunt.story import Story
from orderquake.sim.explore.swarm_file import to_toml
from orderquake.sim.runs import folder


def write(story: Story, final: Path) -> Path:
    """Write it, beside its place and then renamed. raises   OutError where something else is there"""
    with folder(final, replace=False) as beside:
        record(story.run).write(beside / LOG)
        text = to_toml(brief_tables(story.case.scenario), str(story))
        (beside / "scenario.toml").write_text(text, encoding="utf-8")
    return final
