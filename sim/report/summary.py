"""The report of many runs of one scenario with different seeds: what held, how surely, and which runs to look at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from orderquake.sim.report import drawing, figures, words
from orderquake.sim.report.judgement import in_doubt
from orderquake.sim.report.rendering import (
    Asked,
    as_json,
    command,
    fact,
    facts_of,
    key_number,
    render,
    scenario_json,
    versions,
)
from orderquake.sim.study.intervals import mean_interval, quantile_interval, share_in_words
from orderquake.sim.study.subject import Replication

_MOST_FAILING = 50
_WHOLE = "the_whole_run"


def write_summary(runs: Sequence[Replication], out: Path, asked: Asked | None = None) -> Path:
    """Write `index.html` and `results.json` about runs of one scenario on one architecture; returns the page's path.

    raises   ValueError where there is no run, or where the runs are not of one kind
    """
    kinds = {(run.scenario.name, run.architecture) for run in runs}
    if len(kinds) != 1:
        found = ", ".join(f"{name} on {design}" for name, design in sorted(kinds)) or "no run"
        raise ValueError(f"a summary needs runs of one scenario on one architecture; found {found}")
    out.mkdir(parents=True, exist_ok=True)
    page = out / "index.html"
    page.write_text(render("summary.html.j2", _values(runs, asked)), encoding="utf-8")
    (out / "results.json").write_text(as_json(summary_record(runs, asked)), encoding="utf-8")
    return page


def summary_record(runs: Sequence[Replication], asked: Asked | None = None) -> dict[str, Any]:
    """The numbers of the page, plain."""
    first = runs[0]
    return {
        "scenario": first.scenario.name,
        "settings": dict(asked.settings) if asked else {},
        "architecture": first.architecture,
        "runs": len(runs),
        "verdict": _worst(runs),
        "verdicts": dict(_verdict_counts(runs)),
        "failing": [
            {"seed": run.seed, "verdict": run.verdict, "digest": run.digest, "command": command(run, asked)}
            for run in _failing(runs)
        ],
        "latency": {
            step: {name: _spread(values) for name, values in row.items()} for step, row in _latencies(runs).items()
        },
        "outcomes": {
            name: {"mean": estimate.mean, "half_width": estimate.half_width}
            for name, values in _measures(runs).items()
            for estimate in [mean_interval(values)]
        },
        "seeds": [{"seed": run.seed, "digest": run.digest, "verdict": run.verdict} for run in runs],
    }


def _values(runs: Sequence[Replication], asked: Asked | None) -> dict[str, Any]:
    first, n = runs[0], len(runs)
    failing, counts = _failing(runs), _verdict_counts(runs)
    bars = [(name, row["valid"], row["unknown"], row["invalid"]) for name, row in counts]
    status = _worst(runs)
    headline, detail = _headline(runs)
    wall = sum(run.wall_s for run in runs)
    return {
        "name": words.plain(first.scenario.name),
        "architecture": first.architecture,
        "question": first.scenario.question,
        "runs": runs,
        "runs_in_words": words.counted(n, "run"),
        "seeds": _seeds(runs),
        "status": status,
        "headline": headline,
        "detail": detail,
        "strip": _strip(runs),
        "sections": [
            ("verdicts", "Verdicts"),
            *([("failing", "Runs to look at")] if failing else []),
            ("latency", "Latency"),
            ("outcomes", "Outcomes"),
            ("provenance", "Provenance"),
        ],
        "verdicts": [
            {
                "claim": words.plain(name),
                **{status: words.count(row[status]) for status in ("valid", "unknown", "invalid")},
                "broken": _broken(runs, name, row["invalid"]),
                "obligations": words.count(row["obligations"]),
            }
            for name, row in counts
        ],
        "verdict_figure": drawing.picture(
            "verdicts",
            f"Verdicts of {words.counted(n, 'run')}, promise by promise; {detail}",
            figures.verdict_counts(bars),
        ),
        "failing": [
            {"seed": run.seed, "verdict": run.verdict, "why": _why(run), "command": command(run, asked)}
            for run in failing[:_MOST_FAILING]
        ],
        "failing_more": max(len(failing) - _MOST_FAILING, 0),
        "latency": [
            {
                "step": step,
                "runs": words.count(len(row["mean_s"])),
                "p50": _middle(row["p50_s"]),
                "p99": _middle(row["p99_s"]),
                "mean": _mean(row["mean_s"], words.duration),
            }
            for step, row in _latencies(runs).items()
        ],
        "outcomes": [
            {
                "name": words.plain(name),
                "mean": _mean(values, words.figures),
                "least": words.figures(min(values)),
                "most": words.figures(max(values)),
                "is_apart": name in ("fulfilled", "dead_letters", "drift_mean_units"),
            }
            for name, values in _measures(runs).items()
        ],
        "command": command(failing[0] if failing else first, asked),
        "provenance": [
            *facts_of(asked),
            fact("Wall time", f"{words.duration(wall)} in all, {words.duration(wall / n)} a run"),
            fact("Versions", versions()),
            *(fact("Data", source) for source in first.scenario.sources),
        ],
        "scenario": scenario_json(first.scenario),
    }


def _worst(runs: Sequence[Replication]) -> str:
    found = {run.verdict for run in runs}
    return next(status for status in ("invalid", "unknown", "valid") if status in found)


def _headline(runs: Sequence[Replication]) -> tuple[str, str]:
    n = len(runs)
    invalid, unknown = (sum(run.verdict == status for run in runs) for status in ("invalid", "unknown"))
    broken = f"{share_in_words(invalid, n)} broke a promise."
    if invalid:
        return f"Invalid in {words.counted(invalid, 'run')}", f"Broken in {share_in_words(invalid, n)}."
    if unknown:
        return f"Unknown in {words.counted(unknown, 'run')}", f"Not everything could be judged. {broken}"
    return f"Valid in all {words.counted(n, 'run')}", f"Broken in {share_in_words(0, n)}."


def _failing(runs: Sequence[Replication]) -> list[Replication]:
    order = {"invalid": 0, "unknown": 1}
    return sorted((run for run in runs if run.verdict in order), key=lambda run: (order[run.verdict], run.seed))


def _why(run: Replication) -> str:
    broken = [
        f"{words.plain(name)}: {found.reason}" for name, found in run.verdicts.items() if found.status == "invalid"
    ]
    return "; ".join(broken[:3] or in_doubt(run))


def _verdict_counts(runs: Sequence[Replication]) -> list[tuple[str, dict[str, int]]]:
    """The runs as a whole, then each promise, the most broken first."""
    statuses = ("valid", "unknown", "invalid")
    whole = {status: sum(run.verdict == status for run in runs) for status in statuses}
    rows: list[tuple[str, dict[str, int]]] = []
    for name in dict.fromkeys(name for run in runs for name in run.verdicts):
        found = [run.verdicts[name] for run in runs if name in run.verdicts]
        row = {status: sum(verdict.status == status for verdict in found) for status in statuses}
        rows.append((name, row | {"obligations": sum(verdict.obligations for verdict in found)}))
    rows.sort(key=lambda item: (not item[1]["obligations"], -item[1]["invalid"], -item[1]["unknown"], item[0]))
    tested = sum(row["obligations"] for _, row in rows)
    return [(_WHOLE, whole | {"obligations": tested}), *rows]


def _broken(runs: Sequence[Replication], name: str, invalid: int) -> str:
    """How often a promise was broken, among the runs that put it to the test."""
    tested = sum(run.verdicts[name].was_exercised for run in runs if name in run.verdicts)
    if name == _WHOLE:
        tested = len(runs)
    return share_in_words(invalid, tested) if tested else "never put to the test"


def _latencies(runs: Sequence[Replication]) -> dict[str, dict[str, list[float]]]:
    """Step -> column -> one value a run, where the run claims one."""
    found: dict[str, dict[str, list[float]]] = {}
    for run in runs:
        for step, row in run.latency().iterrows():
            columns = found.setdefault(str(step), {"p50_s": [], "p99_s": [], "mean_s": []})
            for name, values in columns.items():
                if not math.isnan(row[name]):
                    values.append(float(row[name]))
    return found


def _measures(runs: Sequence[Replication]) -> dict[str, list[float]]:
    """Outcome or drift measure -> one value a run."""
    found: dict[str, list[float]] = {}
    for run in runs:
        for name, number in run.outcomes().items():
            found.setdefault(name, []).append(float(number))
        drift = run.drift()
        lasted = np.diff(drift["time_s"].to_numpy(), append=drift["time_s"].iloc[-1])
        units = drift["drift_units"].to_numpy()
        mean = float((units * lasted).sum() / lasted.sum()) if lasted.sum() > 0 else 0.0
        found.setdefault("drift_mean_units", []).append(mean)
        found.setdefault("drift_largest_units", []).append(float(units.max()))
    return found


def _spread(values: Sequence[float]) -> dict[str, Any]:
    interval = quantile_interval(values, 0.5) if values else None
    return {
        "runs": len(values),
        "median": float(np.median(values)) if values else None,
        "interval": list(interval) if interval else None,
    }


def _middle(values: Sequence[float]) -> str:
    if not values:
        return words.NOT_CLAIMED
    interval = quantile_interval(values, 0.5)
    middle = words.duration(float(np.median(values)))
    return f"{middle} [{words.duration(interval.low)}, {words.duration(interval.high)}]" if interval else middle


def _mean(values: Sequence[float], written: Any) -> str:
    if not values:
        return words.NOT_CLAIMED
    mean, half_width, n = mean_interval(values)
    return f"{written(mean)} ± {written(half_width)}" if n > 1 else str(written(mean))


def _seeds(runs: Sequence[Replication]) -> str:
    seeds = sorted(run.seed for run in runs)
    return f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else str(seeds[0])


def _strip(runs: Sequence[Replication]) -> list[dict[str, str]]:
    measured: Mapping[str, list[float]] = _measures(runs)
    latency = _latencies(runs)
    spread = {
        step: {name: _spread(values) for name, values in latency[step].items()} for step in ("checkout", "decision")
    }
    fulfilled = [100 * a / b for a, b in zip(measured["fulfilled"], measured["accepted"], strict=True) if b]
    return [
        key_number("Runs", words.count(len(runs)), f"{words.count(sum(run.verdict == 'valid' for run in runs))} valid"),
        key_number("Orders", words.count(int(sum(measured["submitted"]))), "in all runs"),
        key_number(
            "Fulfilled",
            f"{words.figures(float(np.mean(fulfilled)))}{words.THIN}%" if fulfilled else words.NOT_CLAIMED,
            "of the accepted",
        ),
        key_number("Checkout, p99", words.duration(spread["checkout"]["p99_s"]["median"]), "in the middle run"),
        key_number("Decision, p99", words.duration(spread["decision"]["p99_s"]["median"]), "in the middle run"),
        key_number("Largest drift", words.count(int(max(measured["drift_largest_units"]))), "units, in any run"),
    ]
