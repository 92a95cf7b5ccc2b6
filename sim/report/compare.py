"""The report of several designs on the same days: which held, what each costs, and what differs beyond chance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderquake.sim.report import words
from orderquake.sim.report.rendering import as_json, fact, facts_of, render, scenario_json, versions
from orderquake.sim.study.compare import MEASURES, Difference
from orderquake.sim.study.cost import LEFT_OUT, PRICES
from orderquake.sim.study.intervals import Estimate

if TYPE_CHECKING:
    from orderquake.sim.compared import Comparison


def comparison_record(made: Comparison) -> dict[str, Any]:
    """The numbers of the page, plain; None where one is not claimed."""
    return {
        "scenario": made.scenario.name,
        "settings": dict(made.asked[made.reference].settings),
        "seed": made.seeds[0],
        "runs": len(made.seeds),
        "reference": made.reference,
        "prices": {line: price._asdict() for line, price in PRICES.items()},
        "measures": [{"name": name, "unit": unit, "says": says} for name, (unit, says) in MEASURES.items()],
        "designs": [_design_record(made, design) for design in made.designs],
        "seeds": [
            {
                "seed": seed,
                "verdicts": {design: made.runs[design][place].verdict for design in made.designs},
                "digests": {design: made.runs[design][place].digest for design in made.designs},
            }
            for place, seed in enumerate(made.seeds)
        ],
    }


def _design_record(made: Comparison, design: str) -> dict[str, Any]:
    means = {name: made.mean(design, name) for name in MEASURES}
    apart = {name: made.against(design, name) for name in MEASURES} if design != made.reference else {}
    return {
        "name": design,
        "verdicts": made.counts(design),
        "bound": made.bound(design),
        "broken": made.broken(design),
        "notes": list(made.notes(design)),
        "measures": {name: None if one is None else _finite(one._asdict()) for name, one in means.items()},
        "against_reference": {
            name: None if one is None else {**_finite(one._asdict()), "is_clear": one.is_clear}
            for name, one in apart.items()
        },
    }


def _finite(numbers: dict[str, Any]) -> dict[str, Any]:
    """A half-width from one run is infinite, and a gain where nothing varies is none: neither is claimed."""
    return {name: value if abs(value) < float("inf") else None for name, value in numbers.items()}


def in_words(value: float, unit: str) -> str:
    """A value with what it is counted in.

    >>> in_words(0.0123, "seconds").replace(words.THIN, " "), in_words(1250.0, "pence"), in_words(0.5, "share")
    ('12.3 ms', '£12.50', '50%')
    """
    match unit:
        case "seconds":
            return words.duration(value)
        case "pence":
            return words.money(round(value))
        case "share":
            return f"{words.figures(100 * value)}%"
    return words.figures(value)


def mean_in_words(one: Estimate | None, unit: str) -> str:
    """A mean with its half-width; a half-width of nothing is left out."""
    if one is None:
        return words.NOT_CLAIMED
    is_bare = one.half_width == 0 or one.replications < 2
    return in_words(one.mean, unit) if is_bare else f"{in_words(one.mean, unit)} ± {in_words(one.half_width, unit)}"


def difference_in_words(one: Difference | None, unit: str) -> str:
    """A difference with its sign and interval; "same" where no seed differs."""
    if one is None:
        return words.NOT_CLAIMED
    if not one.lower and not one.higher:
        return "same"
    sign = "+" if one.mean > 0 else ""
    if one.pairs < 2:
        return f"{sign}{in_words(one.mean, unit)}"
    text = f"{sign}{in_words(one.mean, unit)} ± {in_words(one.half_width, unit)}"
    return text if one.is_clear else f"({text})"


def rows_of(made: Comparison) -> list[dict[str, Any]]:
    """A row a measure: name, what it says, and a cell a design with its mean and its difference."""
    return [
        {
            "name": words.plain(name),
            "unit": unit,
            "says": says,
            "cells": [
                {
                    "mean": mean_in_words(made.mean(design, name), unit),
                    "apart": "" if design == made.reference else difference_in_words(made.against(design, name), unit),
                    "is_clear": design != made.reference and _is_clear(made.against(design, name)),
                }
                for design in made.designs
            ],
        }
        for name, (unit, says) in MEASURES.items()
        if any(made.mean(design, name) is not None for design in made.designs)
    ]


def _is_clear(one: Difference | None) -> bool:
    return one is not None and one.is_clear


def write_comparison(made: Comparison, out: Path) -> Path:
    """Write `index.html` and `results.json`; returns the page's path."""
    out.mkdir(parents=True, exist_ok=True)
    page = out / "index.html"
    page.write_text(render("compare.html.j2", _values(made)), encoding="utf-8")
    (out / "results.json").write_text(as_json(comparison_record(made)), encoding="utf-8")
    return page


def _values(made: Comparison) -> dict[str, Any]:
    scenario, asked = made.scenario, made.asked[made.reference]
    wall = sum(run.wall_s for runs in made.runs.values() for run in runs)
    seeds = f"{made.seeds[0]} to {made.seeds[-1]}" if len(made.seeds) > 1 else str(made.seeds[0])
    convicted = [design for design in made.designs if made.counts(design)["invalid"]]
    status = "invalid" if convicted else "valid" if _all_valid(made) else "unknown"
    return {
        "name": words.plain(scenario.name),
        "question": scenario.question,
        "designs": made.designs,
        "reference": made.reference,
        "runs_in_words": words.counted(len(made.seeds), "run"),
        "seeds": seeds,
        "status": status,
        "headline": f"{words.listed(convicted)} broke a promise" if convicted else _unconvicted(status),
        "detail": f"{words.counted(len(made.designs), 'design')}, each on the same {len(made.seeds)} days.",
        "sections": [
            ("verdicts", "Verdicts"),
            ("measures", "Measures"),
            ("prices", "Prices"),
            ("provenance", "Provenance"),
        ],
        "verdicts": [
            {
                "design": design,
                **made.counts(design),
                "bound": made.bound(design),
                "broken": words.listed(
                    [f"{words.plain(claim)} in {number}" for claim, number in made.broken(design).items()], most=8
                ),
                "notes": words.listed(list(made.notes(design))),
            }
            for design in made.designs
        ],
        "rows": rows_of(made),
        "prices": [
            {"line": price.what, "counts": price.counts, "price": price.in_words, "source": price.source}
            for price in PRICES.values()
        ],
        "left_out": words.listed(list(LEFT_OUT), most=len(LEFT_OUT)),
        "provenance": [
            *facts_of(asked),
            fact("Wall time", words.duration(wall)),
            fact("Versions", versions()),
            *(fact("Data", source) for source in scenario.sources),
        ],
        "commands": [made.asked[design].again(made.seeds[0]) for design in made.designs],
        "scenario": scenario_json(scenario),
    }


def _all_valid(made: Comparison) -> bool:
    return all(made.counts(design)["valid"] == len(made.seeds) for design in made.designs)


def _unconvicted(status: str) -> str:
    return "Every design kept its promises" if status == "valid" else "No design broke a promise"
