"""The sections of a run's page, each a function from a run to what the template asks for. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from orderquake.sim.report import drawing, figures, words
from orderquake.sim.report.rendering import fact, versions
from orderquake.sim.report.story import moments
from orderquake.sim.study import measures
from orderquake.sim.study.alerts import watch
from orderquake.sim.study.subject import Subject

_STORY_MOMENTS = 40
_ALERTS = 30


def latency(frame: Any, asked: Mapping[str, measures.Asked]) -> dict[str, Any]:
    columns = ("p50_s", "p90_s", "p99_s", "p999_s", "mean_s")
    rows = [
        {
            "step": str(step),
            "cells": [
                words.count(int(row["n"])),
                *(words.duration(float(row[name])) for name in columns),
                words.count(int(row["unanswered"])),
            ],
        }
        for step, row in frame.iterrows()
        if row["n"] or row["unanswered"]
    ]
    unasked = [str(step) for step, row in frame.iterrows() if not (row["n"] or row["unanswered"])]
    bars = waiting = None
    if frame["p50_s"].notna().any():
        said = [
            f"{step} {words.duration(row['p50_s'])}" for step, row in frame.iterrows() if row["p50_s"] == row["p50_s"]
        ]
        bars = drawing.picture("latency", f"Latency by step; medians: {', '.join(said)}.", figures.latency_bars(frame))
    felt = {step: asked[step] for step in ("checkout", "decision") if len(asked[step].latency_us) > 1}
    if felt:
        waiting = drawing.picture(
            "waiting",
            f"Share of customers still waiting over time for {' and '.join(felt)}.",
            figures.still_waiting(felt),
        )
    return {"latency": rows, "unasked": words.listed(unasked, 10), "latency_bars": bars, "waiting": waiting}


def drift(run: Subject, clock: drawing.Clock, windows: list[measures.Window]) -> dict[str, Any]:
    frame = run.drift()
    is_over_time = clock.until_us > clock.since_us
    summary = measures.drift_summary(run.history) if is_over_time else None
    aged = measures.staleness_summary(run.history) if is_over_time and measures.is_copied(run.history) else None
    has_snapshots = aged is not None and aged.refreshes > 0
    says = (
        "Drift over time; it never leaves zero."
        if not (summary and summary.largest_units)
        else (
            f"Drift over time: {words.figures(summary.mean_units)} units on average, {summary.largest_units} at most."
        )
    )
    facts = []
    if summary:
        facts += [
            fact(
                "Drift, time average",
                f"{words.figures(summary.mean_units)} units, variance {words.figures(summary.variance)}",
            ),
            fact("Largest drift", words.counted(summary.largest_units, "unit")),
            fact("Time without any drift", words.share(round(summary.zero_share * 10**6), 10**6)),
        ]
        if summary.before_refresh:
            before = np.array(summary.before_refresh)
            facts.append(
                fact(
                    "Just before a refresh",
                    f"{words.figures(float(before.mean()))} units on average, {words.count(int(before.max()))} "
                    f"at most, over {words.counted(len(before), 'refresh', 'refreshes')}",
                )
            )
    if aged is not None and has_snapshots:
        facts.append(
            fact("Staleness", f"{words.duration(aged.mean_s)} on average, {words.duration(aged.largest_s)} at most")
        )
    else:
        facts.append(fact("Staleness", "no snapshot was applied"))
    return {
        "drift_figure": drawing.picture(
            "drift", says,
            figures.drift_over_time(frame, measures.staleness(run.history) if has_snapshots else None, clock, windows),
        ),
        "drift_caption": "Sum over all products of the units the two books disagree on"
        + (", and the age of the snapshot in use." if has_snapshots else ".")
        + (" Faults are hatched above and shaded behind." if windows else ""),
        "drift_facts": facts,
        "drift_peak": summary.largest_units if summary else 0,
        "staleness_mean_s": aged.mean_s if aged is not None and has_snapshots else None,
    }  # fmt: skip


def load(run: Subject, clock: drawing.Clock, windows: list[measures.Window]) -> dict[str, Any]:
    families = figures.gauge_families(run.gauges)
    shown = {name for names in families.values() for name in names}
    calm = [words.plain(name) for name in run.gauges if name not in shown]
    if not shown:
        caption = f"All gauges stayed at zero: {words.listed(calm, 12)}." if calm else "This run kept no gauges."
        return {"load_figure": None, "load_caption": caption}
    tops = [f"{words.plain(name)} {words.figures(float(max(run.gauges[name][1])))}" for name in sorted(shown)]
    caption = "What waited, and how busy the services were." + (
        f" Always zero: {words.listed(calm, 12)}." if calm else ""
    )
    picture = drawing.picture(
        "load", f"Gauges over time; highest values: {words.listed(tops, 12)}.",
        figures.gauges_over_time(run.gauges, clock, windows),
    )  # fmt: skip
    return {"load_figure": picture, "load_caption": caption}


def outcomes(
    run: Subject, outcomes: Mapping[str, int], asked: Mapping[str, measures.Asked], clock: drawing.Clock,
    windows: list[measures.Window],
) -> dict[str, Any]:  # fmt: skip
    of_orders = ("fulfilled", "declined", "refunded", "cancelled", "pending")
    named = {"posted": "posted to the record", "foreign_oversold_units": "units oversold by other channels"}
    rows = [
        {
            "name": named.get(name, words.plain(name)),
            "number": words.count(number),
            "share": words.share(number, outcomes["accepted"]) if name in of_orders else "",
            "is_apart": name in ("fulfilled", "dead_letters"),
        }
        for name, number in outcomes.items()
    ]
    bar = orders = None
    present = {name: outcomes[name] for name in of_orders if outcomes[name]}
    if present:
        said = ", ".join(f"{name} {words.count(number)}" for name, number in present.items())
        bar = drawing.picture("outcomes", f"Accepted orders by ending: {said}.", figures.outcome_bar(present))
    arrived, decided = measures.arrivals(run.history) / 1e6, measures.decisions(run.history) / 1e6
    if len(arrived) > 1:
        orders = drawing.picture(
            "orders",
            f"Orders over time: {words.count(len(arrived))} arrived, {words.count(len(decided))} were decided.",
            figures.orders_over_time(arrived, decided, clock, windows),
        )  # fmt: skip
    return {"outcomes": rows, "outcome_figure": bar, "orders_figure": orders}


def faults(windows: list[measures.Window]) -> list[dict[str, Any]]:
    rows = []
    for tag, group in drawing.numbered(windows):
        first, bites = group[0], sum(window.witnessed for window in group)
        open_ones = sum(window.until_us is None for window in group)
        spans = [_span(window) for window in group]
        rows.append(
            {
                "tag": tag,
                "name": drawing.fault_name(first) + (f" ({first.label})" if first.label else ""),
                "when": spans[0] if len(spans) == 1 else f"{words.count(len(spans))} windows, the first {spans[0]}",
                "healed": "yes" if not open_ones else "never" if open_ones == len(group) else f"{open_ones} never",
                "is_witnessed": bites > 0,
                "witnessed": words.counted(bites, "time") if bites else "not seen",
            }
        )
    return rows


def alerts(run: Subject, windows: list[measures.Window]) -> dict[str, Any]:
    watched = watch(run.history, run.gauges, run.scenario.alert)
    tags = {window.label or window.kind: tag for tag, group in drawing.numbered(windows) for window in group}
    fired = [
        {
            "rule": firing.rule,
            "from": words.moment(firing.from_us / 1e6),
            "until": "the end" if firing.until_us is None else words.moment(firing.until_us / 1e6),
            "tag": tags.get(firing.fault, ""),
            "fault": firing.fault or "no fault: a false alarm",
        }
        for firing in watched.firings
    ]
    noticed = [detection for detection in watched.detections if detection.delay_us is not None]
    said = [
        f"{words.counted(len(watched.firings), 'alert')}, {words.count(watched.false_alarms)} of them for nothing.",
    ]
    if watched.detections:
        share = f"{words.count(len(noticed))} of {words.counted(len(watched.detections), 'fault')} that struck"
        slowest = max(((each.delay_us or 0) / 1e6 for each in noticed), default=None)
        said.append(f"{share} were told of" + (f", within {words.duration(slowest)}." if slowest is not None else "."))
    if watched.unheard:
        said.append(f"This run has no such gauge: {words.listed(list(watched.unheard), 6)}.")
    return {"fired": fired[:_ALERTS], "more": max(0, len(fired) - _ALERTS), "words": " ".join(said)}


def _span(window: measures.Window) -> str:
    begin = words.moment(window.from_us / 1e6)
    if window.until_us is None:
        return f"from {begin}"
    if window.until_us - window.from_us <= 1:
        return f"at {begin}"
    return f"{begin} to {words.moment(window.until_us / 1e6)}"


def sold_out(run: Subject) -> dict[str, Any] | None:
    frame = measures.sold_out(run.history)
    if not len(frame):
        return None
    rows = [
        {
            "sku": row["sku"],
            "opening": words.count(int(row["opening_units"])),
            "first": words.moment(float(row["first_s"])),
            "at_end": "sold out" if row["is_out"] else "for sale again",
        }
        for row in frame.head(10).to_dict("records")
    ]
    at_end = words.count(int(frame["is_out"].sum()))
    said = f"{words.counted(len(frame), 'product')} sold out at some moment; {at_end} had nothing for sale at the end."
    return {"rows": rows, "words": said}


def story(run: Subject, asked: Mapping[str, measures.Asked]) -> dict[str, Any] | None:
    """The order worth reading: the first one in a witness, else the one that waited longest for its final answer."""
    order, why = _worth_telling(run)
    if not order:
        return None
    told = moments(run.history, order)
    begin = told[0].time_us if told else 0
    return {
        "order": order,
        "why": f"{why}: {order}.",
        "more": words.counted(len(told) - _STORY_MOMENTS, "moment") if len(told) > _STORY_MOMENTS else "",
        "moments": [
            {
                "kind": moment.kind,
                "when": f"+{(moment.time_us - begin) / 1e6:,.3f}{words.THIN}s",
                "who": moment.who,
                "what": moment.what,
                "answer": moment.answer,
                "is_silent": moment.is_silent,
                "moved": moment.moved,
            }
            for moment in told[:_STORY_MOMENTS]
        ],
    }


def _worth_telling(run: Subject) -> tuple[str, str]:
    for verdict in run.verdicts.values():
        if verdict.status == "invalid":
            for row in run.history.rows_at(verdict.witness):
                if row.order:
                    return row.order, "The first order in a witness"
    return measures.waited_longest(run.history), "The order that waited longest for its final answer"


def provenance(run: Subject) -> list[dict[str, Any]]:
    since, until = measures.span(run.history)
    rate = f", {words.figures(len(run.history) / run.wall_s)} rows a second" if run.wall_s > 0 else ""
    return [
        fact("Scenario", run.scenario.name, is_code=True),
        fact("Architecture", run.architecture, is_code=True),
        fact("Seed", str(run.seed), is_code=True),
        fact("Digest of the history", run.digest, is_code=True),
        fact("Rows", words.count(len(run.history))),
        fact(
            "Simulated",
            f"{words.duration((until - since) / 1e6)}, of which the first "
            f"{words.duration(run.scenario.horizon / 1e6)} with customers and faults",
        ),
        fact("Wall time", f"{words.duration(run.wall_s)}{rate}"),
        fact("Versions", versions()),
        *(fact("Data", source) for source in run.scenario.sources),
        fact("Beside this page", "results.json (these numbers), history.parquet (every row)"),
    ]
