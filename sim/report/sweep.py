"""The report of a sweep: where it holds and where it breaks, what it costs there, and every cell with its intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from orderquake.sim.asked import Mistake
from orderquake.sim.report import words
from orderquake.sim.report.compare import in_words, mean_in_words
from orderquake.sim.report.drawing import Picture, picture
from orderquake.sim.report.maps import MOST_LINES, MOST_PANELS, Panel, Scale, Value, lines, maps
from orderquake.sim.report.rendering import as_json, fact, render, scenario_json, versions
from orderquake.sim.scenario_errors import suggestion
from orderquake.sim.settings import write_settings
from orderquake.sim.study.intervals import share_in_words
from orderquake.sim.sweep.axes import Axis, Choice
from orderquake.sim.sweep.cell import MEASURES, Cell
from orderquake.sim.sweep.question import as_json as question_json
from orderquake.sim.sweep.swept import CHANCES, Swept, seconds_in

SHOWN: Final = (
    "oversells", "invalid", "refunded", "checkout_p50", "checkout_p99", "decision_p50", "decision_p99", "drift",
)  # fmt: skip
"""Chances and measures that are drawn; the others stand in the tables."""
STORE: Final = "kv.strength"
MOST_ROWS: Final = 500
MARKED: Final = {"unsafe": "proven unsafe", "safe": "safe at scope"}
Marks: TypeAlias = Mapping[tuple[str, str], str]
"""(design, store) -> unsafe, safe or open."""


def check_map(made_of: Sequence[str], word: str) -> tuple[str, ...]:
    """The one or two paths that a map is drawn over: those that are named, or the first two that are varied.

    raises   Mistake where one of them is not varied
    """
    if not word:
        return tuple(made_of[:2])
    named = tuple(part.strip() for part in word.split(","))
    for path in named:
        if path not in made_of:
            near = suggestion(path, made_of, "; did you mean {}?")
            raise Mistake(f'--map "{path}" is not varied; expected one or two of {", ".join(made_of)}{near}')
    if len(named) > 2 or len(set(named)) < len(named):
        raise Mistake(f'--map "{word}" names {len(named)} paths; expected one, or two different ones')
    return named


# -- the record


def sweep_record(made: Swept) -> dict[str, Any]:
    """The numbers of the page, plain; None where one is not claimed."""
    return {
        **question_json(made.question),
        "chances": [{"name": name, "says": says} for name, says in CHANCES.items()],
        "measures": [{"name": name, "unit": unit, "says": says} for name, (unit, says) in MEASURES.items()],
        "failed": [
            {"cell": cell.number, "why": made.failed[cell.identity]}
            for cell in made.cells
            if cell.identity in made.failed
        ],
        "results": [_cell_record(made, cell) for cell in made.cells],
    }


def _cell_record(made: Swept, cell: Cell) -> dict[str, Any]:
    means = {name: made.mean(cell, name) for name in MEASURES}
    shares = {name: made.share(cell, name) for name in CHANCES}
    return {
        "cell": cell.number,
        "on": cell.on,
        "settings": dict(cell.settings),
        "identity": cell.identity,
        "runs": len(made.of(cell)),
        "chances": {
            name: None if one is None else {"hits": one.hits, "low": one.interval.low, "high": one.interval.high}
            for name, one in shares.items()
        },
        "measures": {name: None if one is None else one._asdict() for name, one in means.items()},
        "again": made.question.again(cell, made.question.seed),
    }


# -- figures


def pictures(made: Swept, over: Sequence[str], marks: Marks) -> list[tuple[Picture, str]]:
    """A figure and its caption for each chance and measure that has something to show.

    marks   what is proven; it stands in the fields of the map of oversells
    """
    found = []
    for name in SHOWN:
        unit = "share" if name in CHANCES else MEASURES[name].unit
        says = CHANCES[name] if name in CHANCES else MEASURES[name].says
        scales = [scale_of(made, path) for path in over]
        panels = panels_of(made, over, name, marks if name == "oversells" else {})
        values = [value.value for panel in panels for value in panel.at.values()]
        if all(math.isnan(value) for value in values):
            continue
        title = words.plain(name)
        caption = f"{title[:1].upper()}{title[1:]}: {says}."
        if marks and name == "oversells":
            caption += (
                " Proven unsafe: a story of two orders breaks the promise, at some timing; it stands above. "
                "Safe at scope: no story of two orders does, at any timing. How often runs did stands below either."
            )
        if name in CHANCES and not any(values) and not (marks and name == "oversells"):
            continue  # told in a sentence: a map of zeros has nothing to show
        if name == "invalid" and all(
            _counts(made, cell, "invalid") == _counts(made, cell, "oversells") for cell in made.cells
        ):
            continue  # the map of oversells says it all
        if len(over) == 1:
            drawing = picture(f"line-{name}", f"{caption} Along {over[0]}.", lines(panels, scales[0], unit))
            caption += _left_out(len(panels), MOST_LINES, "line")
        else:
            says_map = f"{caption} Over {over[0]} and {over[1]}."
            drawing = picture(f"map-{name}", says_map, maps(panels, scales[0], scales[1], unit))
            caption += _left_out(len(panels), MOST_PANELS, "map")
        found.append((drawing, caption))
    return found


def _counts(made: Swept, cell: Cell, chance: str) -> int:
    share = made.share(cell, chance)
    return share.hits if share else 0


def _left_out(panels: int, most: int, noun: str) -> str:
    return f" {words.counted(panels - most, noun)} more would be drawn; they are in sweep.csv." if panels > most else ""


def scale_of(made: Swept, path: str) -> Scale:
    """How a path is laid out on paper."""
    axis = axis_of(made, path)
    if isinstance(axis, Choice):
        return Scale(path, tuple(label_of(value) for value in axis.values))
    low, high = axis.low, axis.high
    is_time = axis.kind == "duration"
    size = 1e6 if is_time else 1.0
    return Scale(path, (), low / size, high / size, axis.is_log, "seconds" if is_time else "")


def axis_of(made: Swept, path: str) -> Axis:
    return next(axis for axis in made.question.axes if axis.path == path)


def label_of(value: Any) -> str:
    """A value as a word on an axis."""
    seconds = seconds_in(value)
    if seconds is not None:
        return words.duration(seconds)
    return words.plain(value) if isinstance(value, str) else write_settings({"value": value})[0].partition("=")[2]


def place_of(made: Swept, cell: Cell, path: str) -> float:
    axis = axis_of(made, path)
    value = cell.settings[path]
    if isinstance(axis, Choice):
        return float(axis.values.index(value))
    seconds = seconds_in(value)
    return float(value) if seconds is None else seconds


def panels_of(made: Swept, over: Sequence[str], name: str, marks: Marks) -> list[Panel]:
    """A panel for each design and for each combination of what else is varied in values; what else lies on a stretch is
    simply left out of the picture."""
    others = [axis.path for axis in made.question.axes if axis.path not in over and isinstance(axis, Choice)]
    panels: dict[str, dict[tuple[float, float], Value]] = {}
    for cell in made.cells:
        parts = [cell.on] if len(made.question.on) > 1 else []
        parts += [f"{_short(path)} {label_of(cell.settings[path])}" for path in others]
        places = [place_of(made, cell, path) for path in over]
        at = panels.setdefault(", ".join(parts), {})
        at[places[0], places[1] if len(places) > 1 else 0.0] = value_of(made, cell, name, marks)
    return [Panel(title, at) for title, at in panels.items()]


def _short(path: str) -> str:
    """
    >>> _short("service.payment.latency.median"), _short("jobs.inbound.every")
    ('payment latency median', 'inbound every')
    """
    parts = path.split(".")
    return words.plain(" ".join(parts[1:] if len(parts) > 1 else parts))


def value_of(made: Swept, cell: Cell, name: str, marks: Marks) -> Value:
    """What stands in a cell's field."""
    if name in CHANCES:
        share = made.share(cell, name)
        if share is None:
            return Value(math.nan, math.nan, math.nan, "failed")
        low, high = share.interval
        more = f"{_percent(low)}–{_percent(high)}{words.THIN}%"
        if (mark := marks.get((cell.on, str(cell.settings.get(STORE))), "open")) != "open":
            said = f"{share.hits} of {share.runs}\n{more}"
            return Value(share.hits / share.runs, low, high, MARKED[mark], said)
        return Value(share.hits / share.runs, low, high, f"{share.hits} of {share.runs}", more)
    one = made.mean(cell, name)
    if one is None:
        return Value(math.nan, math.nan, math.nan, words.NOT_CLAIMED if made.of(cell) else "failed")
    unit = MEASURES[name].unit
    is_sure = math.isfinite(one.half_width)
    wide = one.half_width if is_sure else 0.0
    more = f"± {in_words(wide, unit)}" if is_sure and wide else ""
    return Value(one.mean, one.mean - wide, one.mean + wide, in_words(one.mean, unit), more)


def _percent(share: float) -> str:
    return words.figures(100 * share, 2)


# -- the page


def write_sweep(
    made: Swept, over: Sequence[str], extra: Mapping[str, Any] | None = None, marks: Marks | None = None
) -> str:
    """Write `results.json` and `index.html` into the sweep's folder; returns the page's name.

    over    one path, or two: what lines or maps are drawn over
    extra   what else the page and the record have: `proofs`, `sensitivity`
    marks   (design, store) -> what is proven of them
    """
    record = {**sweep_record(made), **(extra or {})}
    made.store.put("results.json", as_json(record).encode())
    made.store.put("index.html", render("sweep.html.j2", _values(made, over, extra or {}, marks or {})).encode())
    return "index.html"


def _values(made: Swept, over: Sequence[str], extra: Mapping[str, Any], marks: Marks) -> dict[str, Any]:
    question = made.question
    counts = {chance: sum((made.share(cell, chance) or (0,))[0] for cell in made.cells) for chance in CHANCES}
    runs = sum(len(made.of(cell)) for cell in made.cells)
    broken = [cell for cell in made.cells if (share := made.share(cell, "invalid")) and share.hits]
    status = "invalid" if broken else "unknown" if made.failed or counts["unknown"] else "valid"
    return {
        "name": words.plain(question.scenario.name),
        "question": question.scenario.question,
        "designs": list(question.on),
        "paths": list(question.paths),
        "cells": words.counted(len(made.cells), "cell"),
        "runs_in_words": words.counted(question.runs, "run"),
        "seeds": f"{question.seeds[0]} to {question.seeds[-1]}" if question.runs > 1 else str(question.seed),
        "status": status,
        "headline": headline(made, len(broken)),
        "detail": f"{words.listed(list(question.paths))}, {question.layout}; {words.counted(runs, 'run')} in all.",
        "quiet_chances": quiet_chances(made),
        "pictures": [{"picture": drawn, "caption": caption} for drawn, caption in pictures(made, over, marks)],
        "refused": [f"{on} is not on the maps with {store}: {text}." for (on, store), text in question.refused.items()],
        "over": " and ".join(over),
        "is_map": len(over) == 2,
        "rows": [_row(made, cell) for cell in made.cells[:MOST_ROWS]],
        "measure_names": measure_names(),
        "more_rows": max(len(made.cells) - MOST_ROWS, 0),
        "failed": [
            {"cell": cell.number, "what": what_of(cell, question.on), "why": made.failed[cell.identity]}
            for cell in made.cells
            if cell.identity in made.failed
        ],
        "proofs": extra.get("proofs", []),
        "sensitivity": extra.get("sensitivity", []),
        "sections": [
            *([("proofs", "What is proven")] if extra.get("proofs") else []),
            *([("sensitivity", "What matters")] if extra.get("sensitivity") else []),
            ("maps", "Maps" if len(over) == 2 else "Lines"),
            ("cells", "Cells"),
            ("provenance", "Provenance"),
        ],
        "provenance": [
            fact("Layout", f"{question.layout}, {words.counted(question.points, 'point')}"),
            *(fact("Set in the scenario", word, is_code=True) for word in write_settings(question.settings or {})),
            fact("Versions", versions()),
            *(fact("Data", source) for source in question.scenario.sources),
        ],
        "commands": [question.again(cell, question.seed) for cell in (broken or made.cells)[:3]],
        "scenario": scenario_json(question.scenario),
    }


def headline(made: Swept, broken: int) -> str:
    """The sweep in a line."""
    if made.failed:
        return f"{words.counted(len(made.failed), 'cell')} could not be played"
    if broken:
        return f"{broken} of {words.counted(len(made.cells), 'cell')} broke a promise"
    return "No cell broke a promise"


def quiet_chances(made: Swept) -> list[str]:
    """Chances that no run of any cell met, never as a bare zero: a cell's own runs bound it."""
    told = []
    runs = made.question.runs
    for chance, says in CHANCES.items():
        shares = [share for cell in made.cells if (share := made.share(cell, chance)) is not None]
        if shares and not any(share.hits for share in shares):
            told.append(f"No {says}: in each cell {share_in_words(0, runs)}.")
    return told


def what_of(cell: Cell, on: Sequence[str]) -> str:
    """A cell in words."""
    parts = write_settings(cell.settings)
    return ", ".join([cell.on, *parts] if len(on) > 1 else parts)


def _row(made: Swept, cell: Cell) -> dict[str, Any]:
    share = made.share(cell, "oversells")
    wrong = made.share(cell, "invalid")
    return {
        "cell": cell.number,
        "on": cell.on,
        "settings": [label_of(cell.settings[path]) for path in made.question.paths],
        "oversells": share_in_words(share.hits, share.runs) if share else "failed",
        "invalid": share_in_words(wrong.hits, wrong.runs) if wrong else "failed",
        "measures": [
            mean_in_words(made.mean(cell, name), MEASURES[name].unit) for name in SHOWN if name not in CHANCES
        ],
    }


def measure_names() -> list[str]:
    """Columns of the page's table that are measures."""
    return [words.plain(name) for name in SHOWN if name not in CHANCES]
