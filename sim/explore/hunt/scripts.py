"""Two scripts that lie in a counterexample's folder: a test that stands on its own, and a notebook to step through."""

from __future__ import annotations

from orderquake.sim.explore.hunt.story import Story

DESIGN = "ORDERQUAKE_DESIGN"
"""The variable that names another design for the test."""

TEST = '''"""{title}

{why}

Fails on `{design}`. Another design: {variable}=hot_cold pytest {{this folder}}
"""

import os
from pathlib import Path

from orderquake.sim.choices import ChoiceLog
from orderquake.sim.designs import design_named
from orderquake.sim.run import simulate
from orderquake.sim.world.streams import Streams

HERE = Path(__file__).parent
DESIGN = os.environ.get("{variable}", "{design}")


def test_{checker}_is_kept() -> None:
    log = ChoiceLog.read(HERE / "run.choices.json")
    run = simulate(log.day(), design_named(DESIGN), log.seed, luck=Streams(log.seed, log.deviations))
    verdict = run.verdicts["{checker}"]
    assert verdict.status != "invalid", verdict.reason
'''

NOTEBOOK = """# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # {title}
{why}

# %%
import os
from pathlib import Path

from orderquake.sim.choices import ChoiceLog
from orderquake.sim.designs import design_named
from orderquake.sim.report.story_beats import beats_of
from orderquake.sim.report.story_stock import standings
from orderquake.sim.run import simulate
from orderquake.sim.world.streams import Streams

here = Path(os.environ.get("COUNTEREXAMPLE", globals().get("__file__", "."))).resolve()
log = ChoiceLog.read((here.parent if here.is_file() else here) / "run.choices.json")
run = simulate(log.day(), design_named(log.design), log.seed, luck=Streams(log.seed, log.deviations))
run.verdicts["{checker}"]

# %% [markdown]
# Every beat, and how things stand after it. Change `until` to stop earlier.

# %%
until = {breach}
beats = beats_of(run.history, until)
for beat, after in zip(beats, standings(run.history, beats)[1:]):
    print(f"{{beat.time_us / 1e6:8.3f}} s  {{beat.text:45}} {{after.orders}} {{after.stock}}")

# %% [markdown]
# The rows themselves, from the first that shows the breach to the last.

# %%
run.history.frame().iloc[{first} : {breach} + 1]
"""


def test_of(story: Story, design: str) -> str:
    """A test that fails on the broken design and passes on a sound one."""
    from orderquake.sim.explore.hunt.counterexample import why

    return TEST.format(
        title=f"The smallest day on which {story.checker} breaks: {story.design.name}.",
        why="\n".join(f"- {sentence}" for sentence in why(story)),
        design=design, variable=DESIGN, checker=story.checker,
    )  # fmt: skip


def notebook_of(story: Story) -> str:
    """Cells that play the story and show it beat by beat."""
    from orderquake.sim.explore.hunt.counterexample import why

    return NOTEBOOK.format(
        title=f"{story.checker}: {story.design.name}",
        why="\n".join(f"# - {sentence}" for sentence in why(story)),
        checker=story.checker, breach=story.breach, first=min(story.failure.witness, default=0),
    )  # fmt: skip
