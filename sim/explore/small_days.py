"""Small days by the hundred thousand: does any of them raise an alarm at a design that keeps its promises?

    python -m orderquake.sim.explore.small_days 1000000 --processes 2

The days are those on which hunts look for bugs (`hunt/stress.py`): a few orders for the last units, short periods, one
or two faults inside the design's contract. Nothing may be invalid, and nothing that was put to the test undecided. It
may be killed at any moment and goes on where it was, a block of days at a time. Exit codes: 0 no alarm, 1 an alarm,
3 a mistake in the command, 4 a day could not be played.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from orderquake.sim.choices import one_line
from orderquake.sim.designs import design_named
from orderquake.sim.explore.campaign_store import code_fingerprint
from orderquake.sim.explore.excuses import excuses
from orderquake.sim.explore.hunt.stress import stressed
from orderquake.sim.processes import begin_to_work
from orderquake.sim.run import simulate
from orderquake.sim.study.intervals import share_in_words

BLOCK = 500
"""Days that are lost at most when all is killed, a process."""
NAMED = 20
"""Alarms of a block that are named; all are counted."""


def played(design_name: str, first: int, many: int) -> dict[str, Any]:
    """The days of a block of seeds, counted.

    days, orders, rows   how many
    exercised            promise -> days that put it to the test
    faults               kind -> days that had it
    alarms, undecided    how many, and the first of them: seed -> promise -> reason; what nobody alive could have
                         decided is excused
    failed               seed -> why a day could not be played
    """
    design = design_named(design_name)
    told: dict[str, Any] = {"first": first, "days": 0, "orders": 0, "rows": 0}
    exercised: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    found: dict[str, dict[int, dict[str, str]]] = {"alarms": {}, "undecided": {}}
    failed: dict[int, str] = {}
    for seed in range(first, first + many):
        try:
            day = stressed(seed, design)
            run = simulate(day, design, seed)
        except Exception as error:
            failed[seed] = one_line(error)
            continue
        told["days"] += 1
        told["orders"] += len(day.workload.order)  # type: ignore[union-attr]  # these days name their orders
        told["rows"] += len(run.history)
        exercised.update(name for name, verdict in run.verdicts.items() if verdict.was_exercised)
        faults.update({fault.kind for fault in day.fault})
        for which, status in (("alarms", "invalid"), ("undecided", "unknown")):
            why = {
                name: verdict.reason
                for name, verdict in run.verdicts.items()
                if verdict.status == status and verdict.was_exercised
            }
            if why and status == "unknown":
                excused = excuses(run.history)
                why = {name: reason for name, reason in why.items() if name not in excused}
            if why:
                found[which][seed] = why
    shown = {which: dict(list(seeds.items())[:NAMED]) for which, seeds in found.items()}
    counts = {f"{which}_in_all": len(seeds) for which, seeds in found.items()}
    sums = {"exercised": dict(sorted(exercised.items())), "faults": dict(sorted(faults.items()))}
    return told | counts | shown | sums | {"failed": failed}


# -- many of them


class Kept:
    """Blocks on disk, a line each, after a header; another header is another campaign, and refused."""

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self.path = path
        self.blocks: dict[int, dict[str, Any]] = {}
        if path.exists():
            lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
            if not lines or json.loads(lines[0]) != header:
                raise ValueError(f"{path} holds days of something else; move it away, or choose another --out")
            self.blocks = {block["first"]: block for block in map(json.loads, lines[1:])}
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(header) + "\n", encoding="utf-8")

    def add(self, block: dict[str, Any]) -> None:
        """One more; it is on the disk when this returns."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(block) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.blocks[block["first"]] = block


def blocks_of(design: str, days: int, processes: int, kept: Kept) -> Iterator[int]:
    """Play what is missing; yields how many days there are by now."""
    from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
    from multiprocessing import get_context

    missing = [first for first in range(1, days + 1, BLOCK) if first not in kept.blocks]
    waiting = iter(missing)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=begin_to_work) as pool:
        under_way = set()
        for _ in range(2 * processes):
            if (first := next(waiting, None)) is not None:
                under_way.add(pool.submit(played, design, first, min(BLOCK, days + 1 - first)))
        while under_way:
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                kept.add(json.loads(json.dumps(future.result())))
                if (first := next(waiting, None)) is not None:
                    under_way.add(pool.submit(played, design, first, min(BLOCK, days + 1 - first)))
            yield sum(block["days"] + len(block["failed"]) for block in kept.blocks.values())


def total(blocks: Mapping[int, Mapping[str, Any]], days: int) -> dict[str, Any]:
    """All blocks of the first so many days as one."""
    mine = [block for first, block in sorted(blocks.items()) if first <= days]
    summed: dict[str, Any] = {
        name: sum(block[name] for block in mine)
        for name in ("days", "orders", "rows", "alarms_in_all", "undecided_in_all")
    }
    for name in ("exercised", "faults"):
        counts: Counter[str] = Counter()
        for block in mine:
            counts.update(block[name])
        summed[name] = dict(counts.most_common())
    for name in ("alarms", "undecided", "failed"):
        summed[name] = {seed: why for block in mine for seed, why in block[name].items()}
    return summed


def in_markdown(design: str, summed: Mapping[str, Any]) -> str:
    """The report."""
    days = summed["days"]
    lines = [
        f"# Small days: {days:,} of {design} inside its contract",
        "",
        "A few orders for the last units, short periods, one or two faults: the days on which hunts look for bugs.",
        "",
        f"- {summed['orders']:,} orders, {summed['rows']:,} rows",
        f"- alarms: {share_in_words(summed['alarms_in_all'], max(1, days), 'days')}",
        f"- put to the test and undecided: {share_in_words(summed['undecided_in_all'], max(1, days), 'days')}",
        f"- could not be played: {len(summed['failed'])}",
        "",
        "| promise | days that put it to the test |",
        "| --- | --: |",
        *(f"| {name} | {count:,} |" for name, count in summed["exercised"].items()),
        "",
        "| fault | days |",
        "| --- | --: |",
        *(f"| {name} | {count:,} |" for name, count in summed["faults"].items()),
    ]
    for name in ("alarms", "undecided", "failed"):
        lines += ["", *(f"- {name}, seed {seed}: {why}" for seed, why in list(summed[name].items())[:NAMED])]
    return "\n".join(lines).rstrip() + "\n"


def exit_code(summed: Mapping[str, Any]) -> int:
    if summed["failed"]:
        return 4
    return 1 if summed["alarms_in_all"] or summed["undecided_in_all"] else 0


def command(
    days: Annotated[int, typer.Argument(min=1, metavar="N", help="How many days in all, from seed 1 on.")],
    design: Annotated[str, typer.Option(metavar="ARCH", help="Its name, or module:Class.")] = "hot_cold",
    processes: Annotated[int, typer.Option(min=1, help="At once.")] = 2,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the report goes.")] = Path("reports/small_days.md"),
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> int:
    """Play N small days on a design and say whether any raised an alarm."""
    from orderquake.sim import console

    try:
        design_named(design)
        kept = Kept(out.with_suffix(".jsonl"), {"design": design, "block": BLOCK, "code": code_fingerprint()})
    except (ValueError, KeyError) as error:
        sys.stderr.write(f"{error.args[0]}\n")
        return 3
    with console.progress(f"{design}, small days", days, quiet) as advance:
        for done in blocks_of(design, days, processes, kept):
            if advance is not None:
                advance(done)
    summed = total(kept.blocks, days)
    text = in_markdown(design, summed)
    out.write_text(text, encoding="utf-8")
    console.out(text.split("| promise")[0].strip() + f"\n\nreport: {out}")
    return exit_code(summed)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(command)
    sys.exit(app(standalone_mode=False))
