"""A sweep on a terminal: a table of its cells, and what to look at. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.markup import escape

from orderquake.sim.console import _console, _show, _table, out
from orderquake.sim.report.compare import mean_in_words
from orderquake.sim.report.sweep import label_of, what_of
from orderquake.sim.study.intervals import share_in_words
from orderquake.sim.sweep.cell import MEASURES
from orderquake.sim.sweep.swept import Swept

TOLD: Final = ("refunded", "checkout_p99", "decision_p99", "drift")
MOST: Final = 40
"""Cells that are told one by one; more are better looked at on the page."""


def tell(made: Swept, extra: Mapping[str, Any]) -> None:
    """For people."""
    question, console = made.question, _console()
    designs = ", ".join(question.on)
    console.print(
        f"[bold]{escape(question.scenario.name)}[/] on {designs}, {len(made.cells)} cells, {question.runs} runs each"
    )
    console.print(escape(question.scenario.question))
    console.print()
    several = len(question.on) > 1
    heads = (*(("design",) if several else ()), *question.paths, "oversells", "invalid", *TOLD)
    table = _table("cell", *heads, right=range(1 + several, 1 + several + len(question.paths)))
    for cell in made.cells[:MOST]:
        chances = [made.share(cell, name) for name in ("oversells", "invalid")]
        table.add_row(
            str(cell.number),
            *((cell.on,) if several else ()),
            *(escape(label_of(cell.settings[path])) for path in question.paths),
            *(share_in_words(one.hits, one.runs) if one else "failed" for one in chances),
            *(mean_in_words(made.mean(cell, name), MEASURES[name].unit) for name in TOLD),
        )
    _show(console, table)
    if len(made.cells) > MOST:
        console.print(f"... and {len(made.cells) - MOST} cells more")
    console.print()
    if found := extra.get("proofs"):
        tell_proofs(found)
    if found := extra.get("sensitivity"):
        tell_effects(found)
    if made.others:
        console.print(f"left aside: {made.others} finished cells of other code")


def tell_effects(found: Sequence[Mapping[str, Any]]) -> None:
    """Indices by measure and path."""
    console = _console()
    names = list(found[0]["indices"])
    table = _table("measure", "design", "path", *names, right=range(3, 3 + len(names)))
    for row in found:
        table.add_row(row["measure"], row["on"], row["path"], *(row["indices"][name]["words"] for name in names))
    _show(console, table)
    console.print("± at 95 %; (in brackets: may be nothing)")


def tell_proofs(found: Sequence[Mapping[str, Any]]) -> None:
    """What is proven, and the stories."""
    console = _console()
    for row in found:
        console.print(
            escape(f"{row['on']} on {row['store']}: {row['verdict']} ({row['scope']}, {row['states']} states)")
        )
        for number, step in enumerate(row["story"], start=1):
            console.print(escape(f"  {number:2}  {step}"))


def tell_quietly(made: Swept) -> None:
    """A line a cell."""
    for cell in made.cells:
        runs = made.of(cell)
        counted = " ".join(
            f"{status}={sum(one.verdict == status for one in runs)}" for status in ("valid", "unknown", "invalid")
        )
        out(f"{cell.number} {what_of(cell, made.question.on)} {counted}")
