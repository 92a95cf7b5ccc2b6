"""The report of one run: a page that needs nothing but itself, its numbers as JSON, and its history.

Arranges what the measures measured and the checkers judged; it judges nothing, and draws nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orderquake.sim.report import drawing, sections, words
from orderquake.sim.report.confessions import confessions
from orderquake.sim.report.judgement import verdict_line, verdict_rows, witnesses
from orderquake.sim.report.rendering import Asked, as_json, command, facts_of, key_number, render, scenario_json
from orderquake.sim.study import measures
from orderquake.sim.study.subject import Subject


def write_report(run: Subject, out: Path, asked: Asked | None = None) -> Path:
    """Write `index.html`, `results.json` and `history.parquet` into the folder `out`; returns the page's path."""
    settings = dict(asked.settings) if asked else {}
    out.mkdir(parents=True, exist_ok=True)
    page = out / "index.html"
    page.write_text(render("run.html.j2", _values(run, asked)), encoding="utf-8")
    (out / "results.json").write_text(as_json({**run.to_json(), "settings": settings}), encoding="utf-8")
    run.history.write_parquet(out / "history.parquet")
    return page


def _values(run: Subject, how: Asked | None) -> dict[str, Any]:
    """Everything the template asks for."""
    asked = measures.latencies(run.history)
    latency, outcomes, windows = run.latency(), run.outcomes(), measures.faults(run.history)
    since, until = measures.span(run.history)
    clock = drawing.Clock(since, until)
    drift = sections.drift(run, clock, windows)
    sold_out = sections.sold_out(run)
    story = sections.story(run, asked)
    headline, detail = verdict_line(run)
    optional = ([("sold-out", "Sold out")] if sold_out else []) + ([("story", "One order")] if story else [])
    return {
        "run": run,
        "name": words.plain(run.scenario.name),
        "architecture": run.architecture,
        "headline": headline,
        "detail": detail,
        "in_words": _in_words(latency, outcomes, windows),
        "strip": _strip(latency, outcomes, windows, drift["drift_peak"], drift["staleness_mean_s"]),
        "sections": [
            ("verdicts", "Verdicts"),
            ("latency", "Latency"),
            ("drift", "Drift"),
            ("load", "Queues"),
            ("outcomes", "Outcomes"),
            ("faults", "Faults"),
            ("alerts", "Alerts"),
            *optional,
            ("simplified", "Simplified"),
            ("provenance", "Provenance"),
        ],
        "verdicts": verdict_rows(run.verdicts, run.scenario.must_exercise),
        "witnesses": witnesses(run),
        **sections.latency(latency, asked),
        **drift,
        **sections.load(run, clock, windows),
        **sections.outcomes(run, outcomes, asked, clock, windows),
        "faults": sections.faults(windows),
        "alerts": sections.alerts(run, windows),
        "sold_out": sold_out,
        "story": story,
        "confessions": confessions(),
        "command": command(run, how),
        "provenance": [*facts_of(how), *sections.provenance(run)],
        "scenario": scenario_json(run.scenario),
    }


def _in_words(latency: Any, outcomes: Mapping[str, int], windows: list[measures.Window]) -> str:
    """The run in two or three sentences."""
    accepted, submitted = outcomes["accepted"], outcomes["submitted"]
    if not submitted:
        return "No customer came."
    endings = [
        f"{words.count(outcomes[name])} {name}"
        for name in ("fulfilled", "declined", "refunded", "cancelled", "pending")
        if outcomes[name]
    ]
    kept = "all" if accepted == submitted else words.count(accepted)
    said = [f"Of {words.counted(submitted, 'order')} sent, {kept} were accepted: {words.listed(endings, 5)}."]
    checkout, decision = latency.loc["checkout"], latency.loc["decision"]
    if checkout["n"] > 1 and decision["n"] > 1:
        first, final = words.duration(checkout["p50_s"]), words.duration(decision["p50_s"])
        slow = words.duration(decision["p99_s"])
        tail = "" if slow == words.NOT_CLAIMED else f"; one in a hundred waited longer than {slow}"
        said.append(f"Half of the customers had a first answer within {first} and a final one within {final}{tail}.")
    if windows:
        kinds = list(dict.fromkeys(drawing.fault_name(window) for window in windows))
        said.append(f"{'Fault' if len(kinds) == 1 else 'Faults'} on the way: {words.listed(kinds)}.")
    return " ".join(said)


def _strip(
    latency: Any,
    outcomes: Mapping[str, int],
    windows: list[measures.Window],
    drift_peak: int,
    staleness_s: float | None,
) -> list[dict[str, str]]:
    checkout, decision = latency.loc["checkout"], latency.loc["decision"]
    groups = drawing.numbered(windows)
    seen = sum(any(window.witnessed for window in group) for _, group in groups)
    return [
        key_number("Orders", words.count(outcomes["submitted"]), f"{words.count(outcomes['accepted'])} accepted"),
        key_number("Fulfilled", words.share(outcomes["fulfilled"], outcomes["accepted"]), "of the accepted"),
        key_number("Checkout, median", words.duration(checkout["p50_s"]), f"p99 {words.duration(checkout['p99_s'])}"),
        key_number("Decision, median", words.duration(decision["p50_s"]), f"p99 {words.duration(decision['p99_s'])}"),
        key_number("Largest drift", words.count(drift_peak), "unit" if drift_peak == 1 else "units"),
        key_number("Staleness, mean", words.duration(staleness_s), "of the stock snapshot"),
        key_number(
            "Dead letters", words.count(outcomes["dead_letters"]), f"{words.count(outcomes['pending'])} orders pending"
        ),
        key_number("Faults", words.count(len(groups)), f"{words.count(seen)} witnessed" if groups else "none injected"),
    ]
