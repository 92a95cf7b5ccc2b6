"""The report of the claims: what became of each on every design, by which number, and how to play it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orderquake.sim.claimed import Claimed
from orderquake.sim.report import words
from orderquake.sim.report.confessions import confessions
from orderquake.sim.report.rendering import as_json, fact, render, versions
from orderquake.sim.study.claims import CLAIMS, DAYS, NOT_TESTED, Claim, FewerThan, Number, Promises

SHOWN = {"holds": "valid", "fails": "invalid", "undecided": "unknown"}
"""What became of a claim -> the colour of that verdict."""


def claims_record(made: Claimed) -> dict[str, Any]:
    """The numbers of the page, plain."""
    cells = made.cells()
    return {
        "seed": made.seeds[0],
        "runs": len(made.seeds),
        "designs": list(made.designs),
        "claims": [
            {
                "name": claim.name,
                "says": claim.says,
                "day": claim.day,
                "tests": how_tested(claim),
                "found": {
                    design: {
                        "verdict": cell.found,
                        "results": [dict(zip(result._fields, result, strict=True)) for result in cell.results],
                    }
                    for design, cell in cells[claim.name].items()
                },
            }
            for claim in CLAIMS
        ],
        "days": {name: {"scenario": day.scenario, "settings": list(day.settings)} for name, day in DAYS.items()},
        "not_tested": dict(NOT_TESTED),
    }


def how_tested(claim: Claim) -> list[str]:
    """How a claim is tested, a line each, with the source of every limit."""
    told = []
    for test in claim.tests:
        match test:
            case Promises(names):
                told.append(f"promises: {', '.join(names)}")
            case Number(measure, side, limit, source):
                told.append(f"{measure} {side} {limit:g} ({source})")
            case FewerThan(measure, other):
                told.append(f"{measure} lower than {other}'s, paired by seed")
    return told


def write_claims(made: Claimed, out: Path) -> Path:
    """Write `index.html` and `results.json`; returns the page's path."""
    out.mkdir(parents=True, exist_ok=True)
    page = out / "index.html"
    page.write_text(render("claims.html.j2", _values(made)), encoding="utf-8")
    (out / "results.json").write_text(as_json(claims_record(made)), encoding="utf-8")
    return page


def _values(made: Claimed) -> dict[str, Any]:
    cells = made.cells()
    counts = {
        design: [sum(of[design].found == found for of in cells.values()) for found in ("holds", "undecided", "fails")]
        for design in made.designs
    }
    first = made.designs[0]
    fails = counts[first][2]
    return {
        "designs": made.designs,
        "runs_in_words": words.counted(len(made.seeds), "run"),
        "seeds": f"{made.seeds[0]} to {made.seeds[-1]}" if len(made.seeds) > 1 else str(made.seeds[0]),
        "status": "invalid" if fails else "valid",
        "headline": f"{first}: {words.counted(counts[first][0], 'claim')} of {len(CLAIMS)} hold, {fails} fail",
        "detail": words.listed(
            [f"{design} {held} hold, {failed} fail" for design, (held, _, failed) in counts.items()], most=8
        ),
        "sections": [("claims", "Claims"), ("not-tested", "Not tested"), ("provenance", "Provenance")],
        "rows": [
            {
                "name": claim.name,
                "says": claim.says,
                "day": claim.day,
                "tests": how_tested(claim),
                "cells": [
                    {
                        "status": SHOWN[cells[claim.name][design].found],
                        "word": cells[claim.name][design].found,
                        "told": [result.told for result in cells[claim.name][design].results],
                    }
                    for design in made.designs
                ],
            }
            for claim in CLAIMS
        ],
        "not_tested": [{"says": says, "why": why} for says, why in NOT_TESTED.items()],
        "commands": {name: made.asked(name, first).again(made.seeds[0]) for name in made.days},
        "provenance": [fact("Versions", versions())],
        "confessions": confessions(),
    }
