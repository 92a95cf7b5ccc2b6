"""Stories for tests, made from the corpus: small enough that to shrink them again takes no time."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from orderquake.model.mutants import MUTANTS
from orderquake.sim.choices import LOG, ChoiceLog
from orderquake.sim.explore.hunt.found import Case, Found, failures_in, play
from orderquake.sim.explore.hunt.story import Story, story_of
from orderquake.sim.scenario import Scenario

CORPUS = Path(__file__).parents[1] / "corpus"
NAMES = sorted(path.parent.name for path in CORPUS.glob(f"*/{LOG}"))


def log_of(name: str) -> ChoiceLog:
    return ChoiceLog.read(CORPUS / name / LOG)


def found_in(name: str) -> Found:
    """The failure that a log of the corpus keeps."""
    log = log_of(name)
    design = MUTANTS[log.design]
    case = Case(log.day(), log.seed, log.deviations)
    failure = failures_in(play(case, design).verdicts)[0]
    return Found(design, failure, case, "corpus", 1, 0.0)


@cache
def story(name: str) -> Story:
    return story_of(found_in(name))


def minute() -> Scenario:
    """A minute of trade in which nobody gets anything."""
    return Scenario.model_validate(
        {
            "name": "minute",
            "schema_version": 1,
            "question": "What becomes of many?",
            "horizon": "30 s",
            "workload": {"kind": "poisson", "rate_per_s": 1.0, "clicks_twice": 0.1},
            "stock": {"skus": 3, "units_per_sku": 0},
            "service": {"payment": {"declines": 0.0}},
        }
    )
