"""The folder of a counterexample: whatever one needs to believe a story, to see it again, and to keep it fixed.

run.choices.json         the run itself: `orderquake replay FOLDER`
scenario.toml            the day, to be played and changed: `orderquake run FOLDER/scenario.toml`
README.md                why it happens, the steps, the states, how to see it again
story.svg, story.mmd     the sequence, drawn and as Mermaid
test_counterexample.py   fails on the broken design, passes on a sound one: `pytest FOLDER`
step_through.py          a notebook in percent format that goes through it, row by row
certificate.json         what was tried to make it smaller, and came to nothing
history.parquet          every row, for `orderquake explain FOLDER ORDER`
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from orderquake.model.architecture import Architecture
from orderquake.sim.choices import LOG, ChoiceLog, record
from orderquake.sim.designs import design_named, path_of
from orderquake.sim.explore.hunt.brief import brief_tables
from orderquake.sim.explore.hunt.found import Case
from orderquake.sim.explore.hunt.scripts import notebook_of, test_of
from orderquake.sim.explore.hunt.story import Story
from orderquake.sim.explore.hunt.why import explain
from orderquake.sim.explore.swarm_file import to_toml
from orderquake.sim.report.story_beats import beats_of
from orderquake.sim.report.story_mermaid import mermaid_of
from orderquake.sim.report.story_steps import names_in
from orderquake.sim.report.story_stock import table_of
from orderquake.sim.report.story_svg import drawing_of
from orderquake.sim.runs import folder
from orderquake.sim.units import format_duration

COUNTS = "units: on hand (what was there less what customers were told they get), record, cache, reserved, sold"


def write(story: Story, final: Path, *, instead: bool = False) -> Path:
    """Write it, beside its place and then renamed.

    instead   an older folder of that name gives way
    raises    OutError where something else is there
    """
    with folder(final, replace=instead) as beside:
        log_of(story).write(beside / LOG)
        story.history.write_parquet(beside / "history.parquet")
        for name, text in texts_of(story, final.name).items():
            (beside / name).write_text(text, encoding="utf-8")
    return final


def log_of(story: Story) -> ChoiceLog:
    """The choice log, under a name by which the design can be had again."""
    return replace(record(story.run), design=name_of(story.design))


def name_of(design: type[Architecture]) -> str:
    """A design's name where that is enough to find it, else where its class is."""
    try:
        return design.name if design_named(design.name) is design else path_of(design)
    except KeyError:
        return path_of(design)


def why(story: Story) -> list[str]:
    """Five to ten sentences."""
    told = explain(story.history, story.checker, story.reason, story.failure.witness)
    late = [late_in_words(deviation) for deviation in story.case.deviations]
    return [*told[:2], *late, *told[2:]] if late else told


def late_in_words(deviation: Any) -> str:
    """One overruled draw, as what it means for the day."""
    value = deviation.value
    how = f"takes {format_duration(value)}" if isinstance(value, int) else f"draws {value}"
    return f"One event is late, as it may be: {deviation.stream}, number {deviation.number}, {how}."


def texts_of(story: Story, name: str) -> dict[str, str]:
    """All files but the log and the history: name -> text."""
    beats = beats_of(story.history, story.breach)
    title = f"{story.checker.replace('_', ' ')}: {story.design.name}"
    mermaid = mermaid_of(beats, story.failure.witness)
    return {
        "scenario.toml": to_toml(brief_tables(story.case.scenario), note_of(story.case, story)),
        "story.mmd": mermaid,
        "story.svg": drawing_of(story.history, beats, story.failure.witness, title),
        "README.md": page_of(story, name, mermaid, table_of(story.history, beats)),
        "test_counterexample.py": test_of(story, name_of(story.design)),
        "step_through.py": notebook_of(story),
        "certificate.json": json.dumps(certificate_of(story), indent=1, ensure_ascii=False) + "\n",
    }


def note_of(case: Case, story: Story) -> str:
    """What stands above the scenario."""
    note = f"{story}\nPlay it with seed {case.seed}."
    return note + ("\nIts late events are in run.choices.json only." if case.deviations else "")


def certificate_of(story: Story) -> dict[str, Any]:
    """What was tried on the final story, and why each of it was not taken."""
    return {
        "checker": story.checker,
        "role": story.failure.role,
        "is_minimal": story.is_minimal,
        "says": "each of these was tried on the story as it stands, and none breaks the same promise in the same way",
        "tried": [tried.__dict__ for tried in story.certificate],
        "runs": story.runs,
    }


def page_of(story: Story, name: str, mermaid: str, table: str) -> str:
    """The page that tells it."""
    steps = "\n".join(
        f"{number:3}. {step.time_us / 1e6:.3f} s  {step}" for number, step in enumerate(story.told, start=1)
    )
    found = story.found
    whose = ", ".join(f"{order} is {who}" for order, who in names_in(story.history).items())
    return f"""# {story.checker} broken by {story.design.name}

{str(story).partition(": ")[2].capitalize()}.

{chr(10).join(f"- {sentence}" for sentence in why(story))}

![the story](story.svg)

## Steps

```
{steps or "none: what breaks is that something was not done"}
```

## States

After each line: the state of each order; {COUNTS}; and the provider's takings.

{table}
## Sequence

```mermaid
{mermaid}```

## See it again

```
orderquake replay {name}                      # the same run, row by row
orderquake explain {name} ORDER               # one order's story: {whose}
pytest {name}                                 # fails on this design
ORDERQUAKE_DESIGN=hot_cold pytest {name}      # and on another one?
```

Found by `{found.strategy}` after {found.runs:,} runs; shrunk in {story.runs:,} more. `certificate.json` lists what
was tried to make it smaller.
"""
