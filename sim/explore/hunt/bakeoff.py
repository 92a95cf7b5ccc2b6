"""A bake-off: which strategy finds which planted bug, after how many runs, and how short the stories become.

    python -m orderquake.sim.explore.hunt.bakeoff --seeds 3 --budget 5

It may be killed at any moment and goes on where it was. Seconds are of CPU on one core; on a busy machine they are
upper sides. A hunt that found nothing within the budget counts as longer than that, and never as the budget itself.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from orderquake.sim.designs import breaking
from orderquake.sim.explore.campaign_store import code_fingerprint
from orderquake.sim.explore.hunt import hunt, hunt_story
from orderquake.sim.explore.hunt.found import Found, NotFound
from orderquake.sim.explore.hunt.portfolio import STRATEGIES
from orderquake.sim.explore.hunt.survival import draw, in_table

ALL = "portfolio"
"""All usual strategies together; only of this one the stories are shrunk."""
FIRST_SEED_EVERY = 10_000
"""Between the first seeds of two hunts: they share no day."""


class Cell(NamedTuple):
    """One hunt to be made."""

    design: str
    strategy: str
    seed: int

    @property
    def key(self) -> str:
        return f"{self.design} {self.strategy} {self.seed}"


def cells(designs: Sequence[str], strategies: Sequence[str], seeds: int) -> Iterator[Cell]:
    for number in range(seeds):
        for strategy in strategies:
            for design in designs:
                yield Cell(design, strategy, 1 + number * FIRST_SEED_EVERY)


def made(cell: Cell, budget_s: float) -> dict[str, Any]:
    """One hunt, told."""
    began = time.process_time()
    if cell.strategy != ALL:
        return told_of(cell, hunt(cell.design, budget_s=budget_s, seed=cell.seed, strategies=[cell.strategy]))
    story = hunt_story(cell.design, budget_s=budget_s, seed=cell.seed)
    if isinstance(story, NotFound):
        return told_of(cell, story)
    return told_of(cell, story.found) | {
        "all_seconds": round(time.process_time() - began, 3), "orders": story.orders, "skus": story.skus,
        "faults": story.faults, "deviations": story.deviations, "steps": story.steps,
        "is_minimal": story.is_minimal, "is_short": story.is_short,
    }  # fmt: skip


def told_of(cell: Cell, found: Found | NotFound) -> dict[str, Any]:
    """What was found, and when."""
    told = {"cell": cell.key, "runs": found.runs, "seconds": round(found.seconds, 3)}
    return told | ({"checker": found.checker, "by": found.strategy} if isinstance(found, Found) else {"checker": ""})


def bakeoff(
    designs: Sequence[str],
    strategies: Sequence[str],
    seeds: int,
    budget_s: float,
    kept: Path,
    tell: Callable[[int], None] = lambda done: None,
) -> list[dict[str, Any]]:
    """All hunts, those that were made before by the same code included."""  # fmt: skip
    header = {"code": code_fingerprint(), "budget_s": budget_s}
    known = _known(kept, header)
    if not known:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(header) + "\n", encoding="utf-8")
    asked = list(cells(designs, strategies, seeds))
    for number, cell in enumerate(asked, start=1):
        if cell.key not in known:
            known[cell.key] = made(cell, budget_s)
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(known[cell.key]) + "\n")
        tell(number)
    return [known[cell.key] for cell in asked]


def _known(kept: Path, header: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Hunts of the same code and budget that a file has; none where it is of something else."""
    if not kept.is_file():
        return {}
    lines = [line for line in kept.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    if not lines or json.loads(lines[0]) != header:
        return {}
    return {told["cell"]: told for told in map(json.loads, lines[1:])}


# -- what it came to


def in_markdown(results: Sequence[Mapping[str, Any]], budget_s: float) -> str:
    """The report."""
    by: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for told in results:
        design, strategy, _ = told["cell"].split(" ")
        by.setdefault((design, strategy), []).append(told)
    designs = list(dict.fromkeys(design for design, _ in by))
    strategies = list(dict.fromkeys(strategy for _, strategy in by))
    seeds = max(len(told) for told in by.values())
    lines = [
        "# Who finds what",
        "",
        f"{len(designs)} planted bugs, {seeds} hunts each, at most {budget_s:g} s of CPU a hunt. In each cell: finds "
        "of hunts, median runs and median seconds to the find; a hunt that found nothing counts as longer than all.",
        "",
        f"| bug | {' | '.join(strategies)} |",
        f"| --- | {' | '.join('---' for _ in strategies)} |",
    ]
    lines += [
        f"| {design} | {' | '.join(_cell(by.get((design, each), [])) for each in strategies)} |" for design in designs
    ]
    survived = {each: sum(_kills(by.get((d, each), [])) for d in designs) for each in strategies}
    of = {each: sum(len(by.get((d, each), [])) for d in designs) for each in strategies}
    lines += ["", "| strategy | found | bugs that it never found |", "| --- | --- | --- |"]
    for each in strategies:
        never = [d for d in designs if (d, each) in by and not _kills(by[d, each])]
        lines.append(f"| {each} | {survived[each]} of {of[each]} | {', '.join(never) or 'none'} |")
    lines += ["", *in_table(results, budget_s)]
    return "\n".join([*lines, "", *_stories(by, designs)]) + "\n"


def _kills(told: Sequence[Mapping[str, Any]]) -> int:
    return sum(bool(one["checker"]) for one in told)


def _median(values: Sequence[float]) -> str:
    """The median, where more than half of the hunts found something."""
    middle = statistics.median_high(sorted(values)) if values else float("inf")
    return "-" if middle == float("inf") else f"{middle:,.3g}"


def _cell(told: Sequence[Mapping[str, Any]]) -> str:
    if not told:
        return ""
    runs = [one["runs"] if one["checker"] else float("inf") for one in told]
    seconds = [one["seconds"] if one["checker"] else float("inf") for one in told]
    return f"{_kills(told)}/{len(told)}, {_median(runs)}, {_median(seconds)} s"


def _stories(by: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]], designs: Sequence[str]) -> Iterator[str]:
    """How long it took to find and to shrink, and what the stories are like."""
    told = [one for design in designs for one in by.get((design, ALL), []) if "steps" in one]
    if not told:
        return
    spent = [one["all_seconds"] for one in told]
    yield "## Stories"
    yield ""
    yield (
        f"Of {len(told)} finds of the portfolio: found and shrunk in a median of {statistics.median(spent):.2f} s and "
        f"at most {max(spent):.2f} s of CPU; {sum(one['is_minimal'] for one in told)} are shown to be minimal, "
        f"{sum(one['is_short'] for one in told)} keep to the bounds (3 orders, 2 products, 2 faults, 2 late events, "
        "15 steps)."
    )
    yield ""
    yield "| bug | promise | orders | products | faults | late | steps | found, s | found and shrunk, s |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for design in designs:
        for one in by.get((design, ALL), []):
            if "steps" in one:
                sizes = (one[key] for key in ("orders", "skus", "faults", "deviations", "steps"))
                cells_ = (
                    design,
                    one["checker"],
                    *map(str, sizes),
                    f"{one['seconds']:.2f}",
                    f"{one['all_seconds']:.2f}",
                )
                yield f"| {' | '.join(cells_)} |"


def command(
    seeds: Annotated[int, typer.Option(min=1, help="Hunts of each bug by each strategy.")] = 3,
    budget: Annotated[float, typer.Option(help="Seconds of CPU a hunt.")] = 5.0,
    only: Annotated[str, typer.Option(metavar="A,B,...", help="Only these bugs.")] = "",
    strategies: Annotated[str, typer.Option(metavar="A,B,...", help="Only these; `portfolio` is all together.")] = "",
    out: Annotated[Path, typer.Option(metavar="FILE", help="The report.")] = Path("reports/bakeoff.md"),
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> int:
    """Let every strategy hunt every planted bug, and write who finds what."""
    from orderquake.sim import console

    designs = [name for name in only.split(",") if name] or list(breaking())
    names = [name for name in strategies.split(",") if name] or [ALL, *STRATEGIES]
    total = len(designs) * len(names) * seeds
    with console.progress("bake-off", total, quiet) as advance:
        tell: Callable[[int], None] = (lambda done: advance(done)) if advance else (lambda done: None)
        results = bakeoff(designs, names, seeds, budget, out.with_suffix(".jsonl"), tell)
    curves = out.with_suffix(".svg")
    curves.write_text(draw(results, budget), encoding="utf-8")
    page = in_markdown(results, budget) + f"\n![survival curves]({curves.name})\n"
    out.write_text(page, encoding="utf-8")
    console.out(page)
    return 0


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    sys.exit(app(standalone_mode=False))
