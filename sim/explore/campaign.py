"""A campaign: many drawn days, played and judged, and what became of them.

    python -m orderquake.sim.explore.campaign 10000 --processes 2

It may be killed at any moment and goes on where it was; asked for more runs, it makes those that are missing. Exit
codes: 0 nothing invalid and hardly anything unknown, 1 invalid, 2 too many unknown, 3 a mistake in the command, 4 the
harness failed. Outside the contract something has to be invalid: 0 where it is, 1 where nothing is.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from orderquake.sim.choices import twice
from orderquake.sim.explore.campaign_pool import CHUNK, Pool
from orderquake.sim.explore.campaign_report import exit_code, in_markdown, report_of
from orderquake.sim.explore.campaign_run import WITHOUT_VERDICT, Settings, design_named
from orderquake.sim.explore.campaign_store import Store, StoreError, code_fingerprint
from orderquake.sim.explore.swarm import NothingBreaks, drawn, not_drawn

USAGE = 3
TWICE_EVERY = 10
"""One run in so many is made twice."""
TELL_EVERY_S = 30.0
EXPLAINED = 3
"""Runs that are not the same twice whose first difference is looked for."""


def campaign(
    runs: int,
    design: str = "hot_cold",
    first_seed: int = 1,
    is_outside: bool = False,
    processes: int = 2,
    out: Path = Path("reports/campaign.json"),
    is_anew: bool = False,
    chunk: int = CHUNK,
    tell: Callable[[int, int, Store], None] = lambda done, of, store: None,
) -> dict[str, Any]:
    """Play a campaign, and write what it came to: `out`, the same in Markdown beside it, and a folder of what it keeps.

    is_anew   forget what was run before
    chunk     runs that are lost at most when all is killed, a process
    tell      told (runs done, runs in all, results) now and then
    raises    StoreError where there are results of something else, KeyError where there is no such design,
              NothingBreaks where a contract has no outside
    """
    drawn(first_seed, design_named(design), is_outside)
    kept = out.with_suffix(".kept")
    if is_anew:
        shutil.rmtree(kept, ignore_errors=True)
    header = {"design": design, "first_seed": first_seed, "is_outside": is_outside, "code": code_fingerprint()}
    store = Store(kept / "results.jsonl", header)
    seeds = range(first_seed, first_seed + runs)

    def is_twice(seed: int) -> bool:
        return (seed - first_seed) % TWICE_EVERY == 0

    def add(outcomes: Sequence[Mapping[str, Any]], again: Mapping[int, str], spent_s: float, rss: int) -> None:
        store.add(outcomes, again, spent_s, rss)
        tell(sum(seed in seeds for seed in store.outcomes), runs, store)

    missing = [seed for seed in seeds if seed not in store.outcomes]
    once = [s for s in seeds if is_twice(s) and s in store.outcomes and s not in store.again]
    settings = Settings(design, first_seed, is_outside, kept / "runs", keep=20 if is_outside else 200)
    if missing or once:
        again = [seed for seed in once if store.outcomes[seed]["verdict"] not in WITHOUT_VERDICT]
        Pool(settings, processes, add, chunk=chunk).play(missing, again, is_twice)
    outcomes = [store.outcomes[seed] for seed in seeds]
    again_too = {seed: digest for seed, digest in store.again.items() if seed in seeds}
    report: dict[str, Any] = report_of(header, outcomes, again_too, store.spent_s, store.rss, not_drawn())
    differ = report["determinism"]["differ"][:EXPLAINED]
    report["determinism"]["first_differences"] = {str(seed): _explained(settings, seed) for seed in differ}
    _write(out, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    _write(out.with_suffix(".md"), in_markdown(report))
    return report


def _explained(settings: Settings, seed: int) -> str:
    """What differs first when a run is made twice; it may not differ where both runs are of one process."""
    design = design_named(settings.design)
    return str(twice(drawn(seed, design, settings.is_outside).scenario, design, seed))


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.partial")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


# -- the command


def command(
    runs: Annotated[int, typer.Argument(min=1, metavar="N", help="How many runs in all.")],
    seed: Annotated[int, typer.Option(min=0, help="The seed of the first; the next ones follow.")] = 1,
    outside: Annotated[bool, typer.Option("--outside", help="Outside the design's contract.")] = False,
    design: Annotated[str, typer.Option(metavar="ARCH", help="Its name, or module:Class.")] = "hot_cold",
    processes: Annotated[int, typer.Option(min=1, help="At once.")] = 2,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the report goes.")] = Path("reports/campaign.json"),
    chunk: Annotated[int, typer.Option(min=1, help="Write results after so many runs of a process.")] = CHUNK,
    anew: Annotated[bool, typer.Option("--anew", help="Forget the runs that were made before.")] = False,
    points: Annotated[bool, typer.Option("--points", help="Fail where a sometimes-point was never passed.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> int:
    """Play N drawn days on a design, judge them, and write what became of them."""
    from orderquake.sim import console

    name = f"{design} {'outside' if outside else 'inside'} its contract"
    try:
        with console.progress(name, runs, quiet or not sys.stderr.isatty()) as advance:
            tell = _teller(advance, quiet)
            report = campaign(runs, design, seed, outside, processes, out, anew, chunk, tell)
    except (StoreError, NothingBreaks, KeyError) as error:
        sys.stderr.write(f"{error.args[0]}\n")
        return USAGE
    code = exit_code(report, points)
    console.out(f"{in_markdown(report).split('## ')[0].strip()}\n\nreport: {out.with_suffix('.md')}")
    if points:
        console.out(
            f"sometimes-points: {len(report['points'])}, never passed: {', '.join(report['never_passed']) or 'none'}"
        )
    for run in report["found"][:5]:
        console.out(f"{run['verdict']}: {out.with_suffix('.kept') / 'runs' / '{verdict}-{seed}'.format(**run)}")
    return code


def _teller(advance: Callable[[float], None] | None, is_mute: bool) -> Callable[[int, int, Store], None]:
    """Who tells how far it is: the bar, or now and then a line for whoever reads a file."""
    began_s = told_s = time.perf_counter()
    began_with: list[int] = []

    def tell(done: int, of: int, store: Store) -> None:
        nonlocal told_s
        began_with.append(done) if not began_with else None
        if advance is not None:
            advance(done)
        now = time.perf_counter()
        if is_mute or advance is not None or now - told_s < TELL_EVERY_S:
            return
        told_s = now
        rate = (done - began_with[0]) / (now - began_s) or 1.0
        found = sum(outcome["verdict"] != "valid" for outcome in store.outcomes.values())
        sys.stderr.write(
            f"{done:,} of {of:,} runs, {rate:.1f}/s, {(of - done) / rate / 60:.0f} min left, {found} not valid\n"
        )
        sys.stderr.flush()

    return tell


def main() -> None:
    """The entry of `python -m`."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(command)
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        code = 130
    except Exception as error:
        from click.exceptions import ClickException

        if isinstance(error, ClickException):
            error.show()
            code = USAGE
        else:
            sys.stderr.write(f"the campaign failed: {type(error).__name__}: {error}\n")
            if os.environ.get("ORDERQUAKE_TRACEBACK"):
                raise
            code = 4
    sys.exit(code)


if __name__ == "__main__":
    main()
