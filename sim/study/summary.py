"""A run as one plain object: what `--json` prints and `results.json` keeps. No row is in it."""

from __future__ import annotations

from typing import Any

from orderquake.sim.study.alerts import watch
from orderquake.sim.study.measures import (
    as_record,
    drift_summary,
    faults,
    is_copied,
    sold_out,
    span,
    staleness_summary,
)
from orderquake.sim.study.metastable import aftermaths
from orderquake.sim.study.subject import Subject


def summary(run: Subject) -> dict[str, Any]:
    """Plain strings, numbers, lists and dicts; None where a number is not claimed."""
    history = run.history
    since, until = span(history)
    is_over_time = until > since
    return {
        "scenario": run.scenario.name,
        "sources": list(run.scenario.sources),
        "architecture": run.architecture,
        "seed": run.seed,
        "digest": run.digest,
        "verdict": run.verdict,
        "notes": list(run.notes),
        "verdicts": {
            name: {
                "verdict": verdict.status,
                "obligations": verdict.obligations,
                "reason": verdict.reason,
                "witness": list(verdict.witness),
            }
            for name, verdict in run.verdicts.items()
        },
        "latency": as_record(run.latency()),
        "drift": drift_summary(history).as_record() if is_over_time else None,
        "staleness": staleness_summary(history).as_record() if is_over_time and is_copied(history) else None,
        "outcomes": run.outcomes(),
        "sold_out": len(sold_out(history)),
        "alerts": watch(history, run.gauges, run.scenario.alert).as_record(),
        "faults": [window._asdict() for window in faults(history)],
        "aftermaths": [each.as_record() for each in aftermaths(history, run.scenario.horizon)],
        "rows": len(history),
        "simulated_s": (until - since) / 1e6,
        "wall_s": run.wall_s,
    }
