"""One run of a campaign: drawn, played, judged, and told in so few words that a hundred thousand of them fit a file.

What was not valid leaves a folder of its own behind: the scenario, which runs on its own, and the choice log.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from orderquake import model
from orderquake.sim.choices import ChoiceLog, one_line, record, record_failure
from orderquake.sim.designs import design_named as design_named
from orderquake.sim.explore.excuses import excuses
from orderquake.sim.explore.quiet import quiet_bound
from orderquake.sim.explore.swarm import Drawn, drawn
from orderquake.sim.history import NONE, History, Row
from orderquake.sim.run import Run, simulate
from orderquake.sim.runs import folder
from orderquake.sim.study.faults import faults as windows
from orderquake.sim.study.points import passed

FAILED = "failed"
"""What is said of a run in which the harness failed; the others are the verdicts."""
STOPPED = "stopped"
"""What is said of a run outside the contract that the protocol broke off: one of its assertions, which are about what
cannot be while all holds that it requires. Inside the contract that is a failure."""
WITHOUT_VERDICT = (FAILED, STOPPED)
Outcome = Mapping[str, Any]
"""One line of the results; see `outcome_of`."""


@dataclass(frozen=True)
class Settings:
    """What is to be run.

    design      its name, or "package.module:Class" for one of one's own
    first_seed  run k has the seed first_seed + k
    is_outside  outside the design's contract
    kept        folder for what was not valid; `keep` so many at most
    """

    design: str
    first_seed: int
    is_outside: bool
    kept: Path
    keep: int = 200


def played(settings: Settings, seed: int) -> Outcome:
    """One run, told; whatever goes wrong in it is told, too."""
    design = design_named(settings.design)
    began = time.perf_counter()
    found: Drawn | None = None
    try:
        found = drawn(seed, design, settings.is_outside)
        run = simulate(found.scenario, design, seed)
        outcome = outcome_of(found, run)
        if outcome["verdict"] != "valid":
            keep(settings, found, outcome, partial(record, run))
    except Exception as error:
        has_stopped = settings.is_outside and is_of_the_protocol(error)
        outcome = {"seed": seed, "verdict": STOPPED if has_stopped else FAILED, "why": one_line(error)}
        told = outcome | {"how": traceback.format_exc()}
        log = None if found is None else partial(record_failure, found.scenario, design, seed, error)
        keep(settings, found, told, log)
    return outcome | {"ms": round(1e3 * (time.perf_counter() - began), 1)}


def is_of_the_protocol(error: Exception) -> bool:
    """Is it an assertion of the model's own?"""
    frame = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-1]
    return isinstance(error, AssertionError) and str(frame.f_globals["__name__"]).startswith(f"{model.__name__}.")


def digest_again(settings: Settings, seed: int) -> str:
    """The digest of the same run, made once more; what went wrong where it has none."""
    design = design_named(settings.design)
    try:
        return simulate(drawn(seed, design, settings.is_outside).scenario, design, seed).digest
    except Exception as error:
        return one_line(error)


def outcome_of(found: Drawn, run: Run) -> dict[str, Any]:
    """What is kept of a run.

    verdict   the worst of all that was put to the test: what was tested and stays undecided makes a run unknown
    why       checker -> reason, of those that are not valid although they were tested
    excused   checker -> reason, of those that cannot tell and are not to blame; see `excuses`
    faults    label -> [kind, target, times injected, witnessed, recovered]
    struck    kind -> steps that it struck
    patterns  kinds of those faults that consist of others
    points    sometimes-point -> times, of those that were passed
    quiet     seconds until all was at rest, and the bound
    """
    undecided = {
        name for name, verdict in run.verdicts.items() if verdict.status == "unknown" and verdict.was_exercised
    }
    excused = {name: why for name, why in excuses(run.history).items() if name in undecided} if undecided else {}
    why = {
        name: f"{verdict.status}: {verdict.reason}"
        for name, verdict in run.verdicts.items()
        if verdict.status == "invalid" or (name in undecided and name not in excused)
    }
    verdict = run.verdict
    if verdict == "valid" and why:
        verdict = "unknown"
    if verdict == "unknown" and not why and not run.notes and is_excused(run, excused):
        verdict = "valid"
    if verdict == "unknown" and not why:
        why = {name: run.verdicts[name].reason for name in run.scenario.must_exercise}
    rows = len(run.history)
    ended_us = run.history[rows - 1].time if rows else 0
    scenario = found.scenario
    patterns = [fault.kind for fault in scenario.fault if fault.parts(scenario) != (fault,)]
    return {
        "seed": found.seed,
        "verdict": verdict,
        "digest": run.digest,
        "rows": rows,
        "orders": run.outcomes()["submitted"],
        "policy": scenario.policy.order,
        "workload": scenario.workload.kind,
        "theme": found.theme or "none",
        "faults": faults_of(found, run.history),
        "struck": steps_struck(run.history),
        "points": {name: point.times for name, point in passed(run.history).items() if point.times},
        "quiet": [round((ended_us - scenario.horizon) / 1e6), round(quiet_bound(scenario) / 1e6)],
    } | {key: value for key, value in (("why", why), ("excused", excused), ("patterns", patterns)) if value}


def is_excused(run: Run, excused: Mapping[str, str]) -> bool:
    """Whether all that had to be put to the test was, and either is valid or could not be done by anybody alive."""
    return all(run.verdicts[name].status == "valid" or name in excused for name in run.scenario.must_exercise)


def faults_of(found: Drawn, history: History) -> dict[str, list[Any]]:
    """What became of each scheduled fault, patterns taken apart."""
    table: dict[str, list[Any]] = {
        label: [fault.kind, fault.where(), 0, 0, 0] for label, fault in found.scenario.plain_faults()
    }
    for window in windows(history):
        if window.label in table:
            entry = table[window.label]
            entry[2] += window.injected
            entry[3] += window.witnessed
            entry[4] += window.until_us is not None
    return table


def steps_struck(history: History) -> dict[str, list[str]]:
    """Kind of fault -> the verbs of all asks that it struck, and the jobs, in the order of their names.

    A witness names the ask as its cause (or the mark of whoever fell asleep before it asked), and a job by its run.
    """
    found: dict[str, set[str]] = {}
    for row in history.rows_at(history.table().at("fault")):
        if row.answer == "witnessed" and (step := step_of(row, history)):
            found.setdefault(row.operation, set()).add(step)
    return {kind: sorted(steps) for kind, steps in sorted(found.items())}


def step_of(witness: Row, history: History) -> str:
    """The step that a fault struck; "" where it was none."""
    if witness.op_id:
        return witness.op_id.partition("-")[0]
    if witness.cause == NONE:
        return ""
    cause = history[witness.cause]
    return cause.key if cause.kind == "mark" else cause.operation


def keep(settings: Settings, found: Drawn | None, outcome: Outcome, log: Callable[[], ChoiceLog] | None) -> None:
    """A folder for a run that was not valid: scenario, choice log, and what is to be said of it."""
    name = f"{outcome['verdict']}-{outcome['seed']}"
    final = settings.kept / name
    if not final.exists() and settings.kept.is_dir() and sum(1 for _ in settings.kept.iterdir()) >= settings.keep:
        return
    with folder(final, replace=True) as beside:
        lines = [f"{name} on {settings.design}", str(outcome.get("why", "")), str(outcome.get("how", ""))]
        if found is not None:
            path = found.write(beside)
            lines.append(f"orderquake run {final / path.name} --on {settings.design} --seed {found.seed}")
        if log is not None:
            log().write(beside / "run.choices.json")
        (beside / "why.txt").write_text("\n".join(line for line in lines if line) + "\n", encoding="utf-8")
