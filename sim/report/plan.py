"""The report of a plan: the answer, the curve of all that was probed with its intervals, and how it was done."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderquake.sim.report import words
from orderquake.sim.report.drawing import BLUE, GREY, INK, MUTED, RED, Draw, Format, canvas_of, entitle, legend, picture
from orderquake.sim.report.rendering import as_json, fact, facts_of, render, scenario_json, versions

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

    from orderquake.sim.planning.judging import Point
    from orderquake.sim.planning.planned import Plan

_LOOKS = {"kept": ("o", BLUE), "undecided": ("D", GREY), "missed": ("X", RED)}
_STATUS = {"found": "valid", "at_least": "valid", "unreachable": "invalid", "undecided": "unknown"}
_TITLES = {
    "found": "Found",
    "at_least": "Kept wherever it was probed",
    "unreachable": "Not to be had",
    "undecided": "Undecided",
}


def write_plan(made: Plan, out: Path) -> Path:
    """Write `index.html` and `plan.json`, each at once; returns the page's path."""
    out.mkdir(parents=True, exist_ok=True)
    page = out / "index.html"
    _at_once(page, render("plan.html.j2", _values(made)))
    _at_once(out / "plan.json", as_json(made.as_record()))
    return page


def _at_once(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.partial")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def status_of(made: Plan) -> str:
    """The status as a verdict: what fresh seeds do not bear out is unknown."""
    if made.status in ("found", "at_least") and not made.is_confirmed:
        return "unknown"
    return _STATUS[made.status]


def number(value: float, unit: str) -> str:
    """A value of a promise's measure."""
    if not math.isfinite(value):
        return words.NOT_CLAIMED
    match unit:
        case "seconds":
            return words.duration(value)
        case "share" | "an order":
            return f"{words.figures(100 * value)}{words.THIN}%"
    return words.figures(value)


def rows_of(made: Plan, points: Sequence[tuple[str, Point]]) -> list[dict[str, Any]]:
    """A row a value: how it was decided, and what its runs measured."""
    rows = []
    for what, point in points:
        cells = []
        for place, (promise, judged) in enumerate(zip(point.promises, point.judged, strict=True)):
            one, seen = judged.decides, point.measured(place)
            unit = "share" if promise.kind in ("wait", "share", "never") else promise.unit
            cells.append(
                {
                    "decides": f"{number(one.value, unit)} ({number(one.low, unit)} to {number(one.high, unit)})",
                    "measured": number(seen.value, promise.unit) if promise.kind != "never" else "",
                    "side": judged.side,
                }
            )
        verdicts = ", ".join(f"{many} {status}" for status, many in point.verdicts().items() if many)
        rows.append(
            {
                "what": what,
                "value": made.knob.in_words(point.value),
                "rate": words.figures(point.orders_per_s),
                "side": point.side,
                "runs": point.runs,
                "seeds": f"{point.seeds[0]} to {point.seeds[1]}",
                "cells": cells,
                "verdicts": verdicts,
            }
        )
    return rows


def _curve(made: Plan, place: int) -> Draw:
    """What decides over the value, an interval each; the limit as a line; edges with fresh seeds beside them."""

    def draw(form: Format) -> Canvas:
        from matplotlib.ticker import FuncFormatter, NullFormatter

        promise = made.promises[place]
        unit = "share" if promise.kind in ("wait", "share", "never") else promise.unit
        canvas = canvas_of(form, 230 if form.is_wide else 200)
        panel = canvas.subplots()
        limit = made.points[0].judged[place].limit if made.points else promise.limit
        panel.axhline(limit, color=INK, linewidth=1.1, linestyle=(0, (5, 2)), label="limit")
        for side, (marker, colour) in _LOOKS.items():
            chosen = [point for point in made.points if point.judged[place].side == side]
            _bars(panel, chosen, place, marker, colour, side, is_hollow=False)
        _bars(panel, [one.point for one in made.confirmations], place, "s", MUTED, "fresh seeds", is_hollow=True)
        values = [point.value for point in made.points]
        if min(values) > 0 and max(values) > 4 * min(values):
            panel.set_xscale("log")
            panel.xaxis.set_minor_formatter(NullFormatter())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _axis_word(made, value)))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, unit)))
        _room(panel, made, place, limit)
        panel.set_xlabel(made.knob.path + (", orders each second rise with it" if made.knob.is_load else ""))
        entitle(panel, f"{promise}: {promise.decides_by}\n" if form.is_wide else f"{promise}\n")
        legend(panel, 5 if form.is_wide else 3)
        return canvas

    return draw


def _axis_word(made: Plan, value: float) -> str:
    if made.knob.is_duration:
        return words.duration(value / 1e6)
    return words.figures(value)


def _room(panel: Any, made: Plan, place: int, limit: float) -> None:
    """Where what decides can be seen: values far beyond the limit are cut off, their markers at the rim."""
    near = [point.judged[place].decides.high for point in made.points if point.judged[place].side != "missed"]
    top = max([limit * 3, *(value for value in near if math.isfinite(value))], default=1.0)
    lows = [point.judged[place].decides.low for point in made.points]
    bottom = min([0.0, *(value for value in lows if math.isfinite(value))])
    if made.promises[place].kind != "mean":
        top = min(top, 1.0)
    panel.set_ylim(bottom - 0.03 * (top - bottom), (top or 1.0) * 1.05)


def _bars(
    panel: Any, points: Sequence[Point], place: int, marker: str, colour: str, label: str, *, is_hollow: bool
) -> None:
    shown = [point for point in points if math.isfinite(point.judged[place].decides.value)]
    if not shown:
        return
    for first, point in enumerate(shown):
        one = point.judged[place].decides
        panel.plot([point.value] * 2, [one.low, one.high], color=colour, linewidth=1.6, alpha=0.6)
        panel.plot(
            point.value, one.value, marker=marker, color=colour, markersize=6.5, linestyle="",
            markerfacecolor="none" if is_hollow else colour, label=label if first == 0 else None,
        )  # fmt: skip


def _values(made: Plan) -> dict[str, Any]:
    asked, status = made.knob.asked, status_of(made)
    pictures = [
        picture(f"curve-{place}", f"{promise} over {made.knob.path}, with intervals", _curve(made, place))
        for place, promise in enumerate(made.promises)
        if made.points
    ]
    sections = [("answer", "Answer"), ("curve", "Curve"), ("procedure", "Procedure"), ("provenance", "Provenance")]
    edges = [("largest kept" if made.knob.want == "largest" else "smallest kept", made.kept), ("missed", made.missed)]
    return {
        "name": words.plain(asked.scenario.name),
        "design": asked.on,
        "question": asked.scenario.question,
        "status": status,
        "title": _TITLES[made.status],
        "headline": made.headline(),
        "reason": made.reason,
        "played": made.played,
        "sections": sections,
        "slos": [str(promise) for promise in made.promises],
        "find": made.knob.path,
        "estimate": "" if made.estimate is None else made.knob.in_words(made.estimate),
        "confirmed": made.is_confirmed,
        "edges": rows_of(made, [(what, point) for what, point in edges if point is not None]),
        "fresh": rows_of(made, [(one.edge, one.point) for one in made.confirmations]),
        "fresh_sides": [one.is_confirmed for one in made.confirmations],
        "aside": rows_of(made, made.aside),
        "pictures": pictures,
        "rows": rows_of(made, [("", point) for point in made.points]),
        "procedure": made.procedure(),
        "notes": made.notes,
        "commands": [made.knob.command(point.value, made.seed) for _, point in edges if point is not None],
        "provenance": [
            *facts_of(asked),
            fact("Seeds", f"{made.seed} on at every value, at most {made.runs}; edges with seeds of their own"),
            fact("Versions", versions()),
            *(fact("Data", source) for source in asked.scenario.sources),
        ],
        "scenario": scenario_json(asked.scenario),
    }
