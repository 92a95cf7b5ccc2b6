"""One cell of a sweep: a scenario with its settings, on a design, for some seeds; and what is left when it was played.

A cell has a name that no other cell has, so whoever finds a result under it need not play it again. No file is written
here, and no process is begun.
"""

from __future__ import annotations

import hashlib
import json
import math
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from orderquake.model.architecture import Architecture
from orderquake.sim.asked import Mistake
from orderquake.sim.runs import DOUBT_EVERY
from orderquake.sim.scenario import TRACES, Scenario, Trace, canonical_json
from orderquake.sim.scenario_errors import ScenarioError
from orderquake.sim.settings import Settings, with_settings
from orderquake.sim.study.compare import MEASURES as COMPARED
from orderquake.sim.study.compare import Measure
from orderquake.sim.sweep.version import model_version

MEASURES: Final[Mapping[str, Measure]] = {
    **COMPARED,
    "refunded": Measure("share", "of the accepted orders, ended with the money back"),
}
"""What is read off each run: name -> unit and meaning, in the order in which they are told."""

OVERSELLS: Final = "never_oversold"


@dataclass(frozen=True)
class Cell:
    """identity   sixty-four hexadecimal digits: of scenario, settings, design, seeds and code"""

    number: int
    on: str
    settings: Settings
    seeds: range
    identity: str


@dataclass(frozen=True)
class Task:
    """A cell on its way to whoever plays it.

    scenario   without the cell's settings
    on         the design's name, or its class, or that class as cloudpickle writes it
    version    of the code that asks; whoever plays with other code refuses
    """

    identity: str
    scenario: Scenario
    settings: Settings
    on: str | type[Architecture] | bytes
    seeds: range
    version: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One run, as far as a sweep remembers it. `measures` may hold NaN; `broken` names promises that did not hold."""

    seed: int
    digest: str
    verdict: str
    broken: tuple[str, ...]
    notes: tuple[str, ...]
    measures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Finished:
    """A cell that was played, or that could not be: `failed` says why, in one line, and `how` where in the code."""

    identity: str
    readings: tuple[Reading, ...] = ()
    failed: str = ""
    how: str = ""


def identity_of(base: str, on: str, code: str, settings: Settings, seeds: range) -> str:
    """The cell's name.

    base   the scenario without the cell's settings, as `base_of` writes it
    code   versions of the model and of the design
    """
    said = {
        "scenario": json.loads(base),
        "settings": dict(settings),
        "design": on,
        "seeds": [seeds.start, seeds.stop],
        "code": code,
    }
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def base_of(scenario: Scenario) -> str:
    """A scenario as text, the trace that it plays included. raises   Mistake where that cannot be read"""
    said = json.loads(canonical_json(scenario))
    workload = scenario.workload
    if isinstance(workload, Trace) and workload.name not in TRACES:
        try:
            said["trace"] = hashlib.sha256(Path(workload.name).read_bytes()).hexdigest()
        except OSError as error:
            raise Mistake(f"{workload.name} cannot be read ({error.strerror}); expected a trace in CSV") from error
    return canonical(said)


def canonical(value: Any) -> str:
    """JSON of which there is one for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


# -- played


def play(task: Task) -> Finished:
    """Every seed of a cell. Whatever goes wrong in it is its own failure, and nobody else's."""
    try:
        if task.version != model_version():
            return Finished(task.identity, failed="whoever was to play it has another version of orderquake")
        on = _design(task.on)
        scenario = with_settings(task.scenario, task.settings)
        return Finished(task.identity, tuple(_read(scenario, on, seed) for seed in task.seeds))
    except ScenarioError as error:
        return Finished(task.identity, failed="; ".join(problem.text for problem in error.problems))
    except Exception as error:
        line = f"{type(error).__name__}: {error}".split("\n")[0]
        return Finished(task.identity, failed=line, how=traceback.format_exc())


def _design(on: str | type[Architecture] | bytes) -> str | type[Architecture]:
    if isinstance(on, bytes):
        design: type[Architecture] = import_module("cloudpickle").loads(on)
        return design
    return on


def _read(scenario: Scenario, on: str | type[Architecture], seed: int) -> Reading:
    from orderquake.sim.run import simulate
    from orderquake.sim.study.compare import measured
    from orderquake.sim.study.measures import outcomes

    run = simulate(scenario, on, seed, is_doubted=seed % DOUBT_EVERY == 0)
    counts = outcomes(run.history)
    refunded = counts["refunded"] / counts["accepted"] if counts["accepted"] else math.nan
    broken = tuple(name for name, verdict in run.verdicts.items() if verdict.status == "invalid")
    return Reading(
        seed, run.digest, run.verdict, broken, tuple(run.notes), {**measured(run.history), "refunded": refunded}
    )


def packed(on: str | type[Architecture], *, is_sent: bool) -> str | type[Architecture] | bytes:
    """A design as a task carries it; one that no other process could import goes by value.

    is_sent   to another process
    raises    Mistake where that needs cloudpickle, and it is not here
    """
    if isinstance(on, str) or not is_sent:
        return on
    if on.__module__ != "__main__" and "<locals>" not in on.__qualname__:
        return on
    try:
        cloudpickle: Any = import_module("cloudpickle")
    except ImportError:
        raise Mistake(
            f"{on.__qualname__} was defined in a notebook or a script, and other processes cannot import it; expected "
            'a class of a module, or cloudpickle (pip install cloudpickle), or engine="serial"'
        ) from None
    written: bytes = cloudpickle.dumps(on)
    return written
