"""How results look: tables for people on a terminal, plain lines for everybody else, JSON for programs.

Nothing is measured or judged here. NO_COLOR is honoured; what does not go to a terminal has no colours.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orderquake.sim.units import format_seconds

if TYPE_CHECKING:
    import pandas as pd

    from orderquake.sim.checkers.fold import Verdict
    from orderquake.sim.claimed import Claimed
    from orderquake.sim.compared import Comparison
    from orderquake.sim.run import Run
    from orderquake.sim.runs import Replication

COLOURS = {"valid": "green", "invalid": "bold red", "unknown": "yellow"}
WIDE = 400
"""Columns of what is not a terminal: wide enough that no line is broken."""
A_LINE_EVERY_S = 30.0
"""How often progress is told where it cannot be drawn."""


def _console() -> Console:
    is_terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        highlight=False,
        soft_wrap=not is_terminal,
        width=None if is_terminal else WIDE,
        emoji=False,
    )


def out(text: str) -> None:
    """One or more plain lines."""
    sys.stdout.write(f"{text}\n")


def _show(console: Console, table: Table) -> None:
    """A table without the blanks that fill its last column."""
    with console.capture() as captured:
        console.print(table)
    console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def print_json(value: Any, indent: int | None = 2) -> None:
    """One JSON value."""
    out(json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False, default=_plain))


def _plain(value: Any) -> Any:
    """Numpy's numbers are numbers. raises   TypeError for what JSON does not know"""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in JSON")


@contextmanager
def progress(what: str, total: float, is_mute: bool) -> Iterator[Callable[[float], None] | None]:
    """To be told how much of `total` is done: a bar on the error stream, or a line now and then where that is no
    terminal; None where nobody wants to know."""
    if is_mute:
        yield None
        return
    if not sys.stderr.isatty():
        yield _now_and_then(what, total)
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    # Refreshed by hand: a thread of its own would have to survive the forks of `replicate`.
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True, auto_refresh=False) as bar:
        task = bar.add_task(escape(what), total=total)
        bar.refresh()

        def advance(done: float) -> None:
            bar.update(task, completed=done, refresh=True)

        yield advance


def _now_and_then(what: str, total: float) -> Callable[[float], None]:
    """Progress for a log: nothing of what is soon over."""
    began = told = time.monotonic()

    def advance(done: float) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= A_LINE_EVERY_S and done < total:
            told = now
            sys.stderr.write(f"{what}: {int(100 * done / total)} % after {format_seconds(now - began)}\n")

    return advance


def tell_run(run: Run, settings: Sequence[str] = ()) -> None:
    """One run, for people; `settings` are what was changed in the scenario, PATH=VALUE each."""
    console = _console()
    title = f"[bold]{escape(run.scenario.name)}[/] on {run.architecture}, seed {run.seed}"
    console.print(f"{title}: {_coloured(run.verdict)}")
    console.print(escape(run.scenario.question))
    _tell_settings(console, settings)
    console.print()
    _show(console, _verdicts(run.verdicts, set(run.scenario.must_exercise)))
    console.print()
    _show(console, _latency(run.latency()))
    console.print()
    console.print(escape(drift_line(run.drift())))
    console.print(escape(f"outcomes: {_counted(run.outcomes())}"))
    for note in run.notes:
        console.print(escape(f"note: {note}"))
    console.print(f"digest: {run.digest}")


def tell_many(runs: Sequence[Replication], again: Callable[[int], str], settings: Sequence[str] = ()) -> None:
    """Many runs of one scenario, for people; `again` is the command that plays one seed of them."""
    console, first = _console(), runs[0]
    seeds = f"seeds {first.seed} to {runs[-1].seed}"
    console.print(f"[bold]{escape(first.scenario.name)}[/] on {first.architecture}, {seeds}: {_coloured(worst(runs))}")
    console.print(escape(first.scenario.question))
    _tell_settings(console, settings)
    console.print()
    table = _table("checker", "valid", "unknown", "invalid", right=(1, 2, 3))
    for name in first.verdicts:
        found = Counter(run.verdicts[name].status for run in runs)
        table.add_row(name, *(str(found[status]) for status in ("valid", "unknown", "invalid")))
    _show(console, table)
    console.print()
    console.print(escape(f"runs: {_counted(counts(runs))}"))
    for text in bounds(runs).values():
        console.print(escape(text))
    for status in ("invalid", "unknown"):
        failing = [run for run in runs if run.verdict == status]
        if failing:
            listed = ", ".join(str(run.seed) for run in failing[:50]) + (", ..." if len(failing) > 50 else "")
            console.print(escape(f"{status} seeds: {listed}"))
            console.print(escape(f"see the first of them: {again(failing[0].seed)}"))


def tell_comparison(made: Comparison, settings: Sequence[str] = ()) -> None:
    """Several designs on the same days, for people: a column each, and below a mean what differs from the first."""
    from orderquake.sim.report.compare import rows_of

    console = _console()
    seeds = f"seeds {made.seeds[0]} to {made.seeds[-1]}"
    console.print(f"[bold]{escape(made.scenario.name)}[/] on {len(made.designs)} designs, {seeds}")
    console.print(escape(made.scenario.question))
    _tell_settings(console, settings)
    console.print()
    table = _table("design", "valid", "unknown", "invalid", "how sure", "broken", right=(1, 2, 3))
    for design in made.designs:
        broken = ", ".join(f"{claim} {number}" for claim, number in made.broken(design).items())
        table.add_row(design, *map(str, made.counts(design).values()), made.bound(design), escape(broken))
    _show(console, table)
    console.print()
    others = made.designs[1:]
    table = _table(
        "measure",
        made.reference,
        *(part for design in others for part in (design, "difference")),
        right=range(1, 2 + 2 * len(others)),
    )
    for row in rows_of(made):
        first, *rest = row["cells"]
        cells = (part for cell in rest for part in (cell["mean"], cell["apart"]))
        table.add_row(f"{row['name']}, {row['unit']}", first["mean"], *cells)
    _show(console, table)
    console.print()
    console.print(f"differences are from {made.reference}, paired by seed, ± at 95 %; (in brackets: may be chance)")
    for design in made.designs:
        for note in made.notes(design):
            console.print(escape(f"note on {design}: {note}"))


def tell_claims(made: Claimed) -> None:
    """What became of each claim, for people: a column a design, and below how the first one failed."""
    from orderquake.sim.study.claims import CLAIMS

    console, cells = _console(), made.cells()
    table = _table("claim", *made.designs)
    for name, row in cells.items():
        table.add_row(name, *(row[design].found for design in made.designs))
    _show(console, table)
    console.print()
    for claim in CLAIMS:
        for design in made.designs:
            for result in cells[claim.name][design].results:
                if result.found != "holds" and result.told:
                    console.print(escape(f"{claim.name}, {design}: {result.told}"))


def _tell_settings(console: Console, settings: Sequence[str]) -> None:
    for word in settings:
        console.print(f"set: {escape(word)}")


def worst(runs: Sequence[Replication]) -> str:
    """The worst verdict of many."""
    found = {run.verdict for run in runs}
    return next(status for status in ("invalid", "unknown", "valid") if status in found)


def counts(runs: Sequence[Replication]) -> dict[str, int]:
    """Verdict -> how many runs."""
    found = Counter(run.verdict for run in runs)
    return {status: found[status] for status in ("valid", "unknown", "invalid")}


def bounds(runs: Sequence[Replication]) -> dict[str, str]:
    """How sure the counts make us: a zero never stands bare (Clopper-Pearson, 95 %)."""
    from orderquake.sim.study.intervals import share_in_words

    found = counts(runs)
    statuses = ["invalid", "unknown"] if found["unknown"] else ["invalid"]
    return {status: share_in_words(found[status], len(runs), status) for status in statuses}


def drift_line(drift: pd.DataFrame) -> str:
    """Mean over time, largest and last drift, in one line."""
    if drift.empty:
        return "drift: not measured"
    units, times = drift["drift_units"].to_numpy(), drift["time_s"].to_numpy()
    lasted = times[1:] - times[:-1]
    mean = float((units[:-1] * lasted).sum() / lasted.sum()) if lasted.sum() > 0 else float(units[-1])
    return f"drift: {mean:.3g} units on average, {int(units.max())} at most, {int(units[-1])} at the end"


def tell_list(entries: Sequence[Mapping[str, Any]], columns: Sequence[str], as_json: bool, quiet: bool) -> None:
    """A list of what there is: for programs, as bare names, or as a table."""
    if as_json:
        print_json(entries)
    elif quiet:
        out("\n".join(entry["name"] for entry in entries))
    else:
        table = _table(*columns)
        for entry in entries:
            cells = (entry[column] for column in columns)
            table.add_row(*(escape("; ".join(cell) if isinstance(cell, list) else str(cell)) for cell in cells))
        _show(_console(), table)


def _table(*columns: str, right: Sequence[int] = ()) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(
            column,
            justify="right" if number in right else "left",
            no_wrap=number == 0,
            overflow="fold",
        )
    return table


def _verdicts(verdicts: Mapping[str, Verdict], counted: set[str]) -> Table:
    table = _table("checker", "verdict", "obligations", "reason", right=(2,))
    for name, verdict in verdicts.items():
        label = name if name in counted or verdict.status == "invalid" else f"[dim]{name}[/]"
        table.add_row(label, _coloured(verdict.status), f"{verdict.obligations:,}", escape(verdict.reason))
    return table


def _latency(latency: pd.DataFrame) -> Table:
    table = _table("step", "n", "p50", "p90", "p99", "p99.9", right=(1, 2, 3, 4, 5))
    for step, row in latency.iterrows():
        quantiles = (format_seconds(float(row[name])) for name in ("p50_s", "p90_s", "p99_s", "p999_s"))
        table.add_row(str(step), f"{int(row['n']):,}", *quantiles)
    return table


def _counted(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in counted.items())


def _coloured(status: str) -> str:
    return f"[{COLOURS[status]}]{status}[/]"
