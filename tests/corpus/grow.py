"""Adds to the corpus: a folder for each planted bug that has none, with the choice log of its smallest story.

    python -m tests.corpus.grow [BUG ...]

A log stays when the code changes: `tests/test_corpus.py` plays the scenario, not the rows. A story that no longer fails
on its bug is grown anew, by hand, after somebody has understood why.
"""

from __future__ import annotations

import sys
from pathlib import Path

from orderquake.model.mutants import MUTANTS
from orderquake.sim.choices import LOG
from orderquake.sim.explore.hunt import hunt_story
from orderquake.sim.explore.hunt.counterexample import log_of
from orderquake.sim.explore.hunt.found import NotFound

HERE = Path(__file__).parent


def grow(name: str) -> str:
    story = hunt_story(MUTANTS[name], budget_s=60.0)
    if isinstance(story, NotFound):
        return f"{name}: {story}"
    log_of(story).write(HERE / name / LOG)
    return str(story)


def main() -> None:
    asked = sys.argv[1:] or [name for name in MUTANTS if not (HERE / name / LOG).exists()]
    for name in asked:
        sys.stdout.write(f"{grow(name)}\n")


if __name__ == "__main__":
    main()
