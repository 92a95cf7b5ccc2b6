"""The command line: `orderquake run flash_sale`, and what else there is to ask.

Reads the words, calls those who know, and leaves with an exit code: 0 valid, 1 invalid, 2 unknown, 3 a mistake in
the command or the scenario, 4 a mistake of ours. Nothing heavy is imported before a verb needs it; what was asked for
is checked and played in `asked.py`, what there is stands in `catalogue.py`, how things look in `console.py`, where
runs are kept in `runs.py`.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from orderquake.sim.asked import Asked, Mistake, OurFault, check_design, check_designs, load_all, many, once

EXIT = {"valid": 0, "invalid": 1, "unknown": 2}
USAGE, HARNESS, INTERRUPTED, TERMINATED = 3, 4, 130, 143
WORST_FIRST = ("invalid", "unknown", "valid")
TRACEBACK = "ORDERQUAKE_TRACEBACK"
"""Set to anything, this variable does what `--traceback` does."""

app = typer.Typer(
    name="orderquake",
    help="A shake table for order systems: play the bad day, judge what happened, show where it hurts.",
    epilog="Exit codes: 0 valid, 1 invalid, 2 unknown, 3 usage or scenario error, 4 the harness failed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print the bare minimum, a line each.")]
Matrix = Annotated[bool, typer.Option("--matrix", help="Tell which step of the workflow each kind can strike.")]


# -- run


@app.command()
def run(
    scenarios: Annotated[list[str], typer.Argument(metavar="SCENARIO...", help="Names, or paths to TOML files.")],
    on: Annotated[str, typer.Option("--on", metavar="ARCH", help="The design; see `architectures`.")] = "hot_cold",
    seed: Annotated[int, typer.Option(min=0, help="The run's luck; with --runs, that of the first.")] = 1,
    runs: Annotated[int, typer.Option(min=1, help="Run so many seeds, from --seed on.")] = 1,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a value: policy.order=reserve_first. Repeatable."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to write; absent or empty.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    show_traceback: Annotated[bool, typer.Option("--traceback", help="Show where the harness failed.")] = False,
) -> int:
    """Play scenarios on a design and judge what happened."""
    from orderquake.sim import console
    from orderquake.sim.runs import REPORTS, check_out, folder, folder_name, point_latest_at

    if show_traceback:
        os.environ[TRACEBACK] = "1"
    if out is not None:
        check_out(out)
    design = check_design(on)
    results: list[dict[str, Any]] = []

    def play(asked: Asked, into: Path | None, shown: Path) -> None:
        """Run, write (into `into`, which will be called `shown`, or right there), and tell."""
        made = (many if runs > 1 else once)(asked, seed, runs, as_json or quiet)
        if into is None:
            with folder(shown, replace=out is None) as beside:
                page = made.write(beside)
        else:
            page = made.write(into)
        made.result["report"] = str(shown / page.name)
        results.append(made.result)
        if not as_json and not quiet:
            made.tell()
            console.out(f"report: {made.result['report']}")
        elif not as_json:
            seeds = f"seed {seed}" if runs == 1 else f"seeds {seed} to {seed + runs - 1}"
            console.out(f"{made.result['verdict']} {asked.scenario.name} {design} {seeds} {made.result['report']}")

    loaded = load_all(scenarios, design, settings or ())
    names = {name: folder_name(name, design, seed, runs, asked.tag()) for name, asked in loaded.items()}
    if out is None:
        for name, asked in loaded.items():
            play(asked, None, REPORTS / "runs" / names[name])
            point_latest_at(REPORTS / "runs" / names[name])
    elif len(loaded) == 1:
        (asked,) = loaded.values()
        play(asked, None, out)
    else:
        with folder(out, replace=False) as beside:
            for name, asked in loaded.items():
                (beside / names[name]).mkdir()
                play(asked, beside / names[name], out / names[name])
    verdict = next(status for status in WORST_FIRST if any(result["verdict"] == status for result in results))
    if as_json:
        console.print_json(results[0] if len(results) == 1 else {"verdict": verdict, "runs": results})
    return EXIT[verdict]


# -- compare


@app.command()
def compare(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A name, or the path to a TOML file.")],
    on: Annotated[
        str, typer.Option("--on", metavar="A,B,...", help="The designs; the others are held against the first.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="The luck of the first run.")] = 1,
    runs: Annotated[int, typer.Option(min=1, help="Play so many seeds on each, from --seed on.")] = 20,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a value: policy.order=reserve_first. Repeatable."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to write; absent or empty.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Play the same days on several designs, side by side. Leaves with 0 whatever the verdicts are."""
    from orderquake.sim import compared, console
    from orderquake.sim.report.compare import comparison_record, write_comparison
    from orderquake.sim.runs import REPORTS, check_out, folder, folder_name, point_latest_at

    if out is not None:
        check_out(out)
    asked = {design: next(iter(load_all([scenario], design, settings or ()).values())) for design in check_designs(on)}
    name, first = next(iter(asked.values())).scenario.name, next(iter(asked.values()))
    title = f"{name} on {len(asked)} designs, {runs} seeds"
    with console.progress(title, runs * len(asked), as_json or quiet) as advance:
        made = compared.compare(asked, range(seed, seed + runs), advance or (lambda _: None))
    shown = out or REPORTS / "runs" / folder_name(name, "-".join(asked), seed, runs, first.tag())
    with folder(shown, replace=out is None) as beside:
        page = write_comparison(made, beside)
    if out is None:
        point_latest_at(shown)
    if as_json:
        console.print_json({**comparison_record(made), "report": str(shown / page.name)})
    elif quiet:
        for design in made.designs:
            counted = " ".join(f"{status}={number}" for status, number in made.counts(design).items())
            console.out(f"{design} {counted}")
    else:
        console.tell_comparison(made, first.set_words())
        console.out(f"report: {shown / page.name}")
    return 0


# -- explain


@app.command()
def explain(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, its name, or `latest`.")],
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The order's id, as in the history.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Tell one order's story, in words and as a sequence diagram (Mermaid)."""
    from orderquake.sim import console
    from orderquake.sim.report.story import sequence_diagram, tell
    from orderquake.sim.runs import find_run

    path = find_run(run)
    history = read_history(path)
    try:
        story, diagram = tell(history, order), sequence_diagram(history, order)
    except KeyError as error:
        raise Mistake(str(error.args[0])) from None
    if as_json:
        console.print_json({"run": str(path.parent), "order": order, "story": story.split("\n"), "diagram": diagram})
    else:
        console.out(story)
        if not quiet:
            console.out(f"\n{diagram}")
    return 0


@app.command()
def audit(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, its name, or `latest`.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the trail there; must be absent.")] = None,
    check: Annotated[Path | None, typer.Option(metavar="FILE", help="Hold that trail against the run.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Take a run's audit trail, a sealed chain an order, or check one: is it whole, and is it complete?"""
    from orderquake.sim import audit as trails
    from orderquake.sim import console
    from orderquake.sim.runs import find_run

    history = read_history(find_run(run))
    if check is None:
        trail, heads = trails.trail_of(history), None
    else:
        try:
            trail, heads = trails.read(check)
        except trails.TrailError as error:
            raise Mistake(str(error)) from error
    if out is not None and out.exists():
        raise Mistake(f"{out} exists; expected a file that is absent")
    found = trails.broken(trail, heads) + trails.compare(trail, history)
    if out is not None:
        trails.write(trail, out)
    entries = sum(map(len, trail.values()))
    verdict = "invalid" if found else "valid"
    if as_json:
        console.print_json({"run": run, "verdict": verdict, "orders": len(trail), "entries": entries, "found": found})
    else:
        console.out(f"{verdict}: {len(trail)} orders, {entries} entries, {len(found)} complaints")
        for complaint in () if quiet else found:
            console.out(f"  {complaint}")
    return EXIT[verdict]


def read_history(path: Path) -> Any:
    """The history in a file. raises   Mistake where it is something else"""
    from orderquake.sim.history import History

    try:
        return History.read_parquet(path)
    except Exception as error:
        raise Mistake(
            f"{path} is not a history ({type(error).__name__}); expected the history.parquet of a run"
        ) from error


# -- what there is


@app.command()
def scenarios(as_json: Json = False, quiet: Quiet = False) -> int:
    """List the scenarios that come along."""
    from orderquake.sim import catalogue

    return tell_list(catalogue.scenarios(), ("name", "horizon", "question"), as_json, quiet)


@app.command()
def architectures(as_json: Json = False, quiet: Quiet = False) -> int:
    """List the designs, and what each of them requires."""
    from orderquake.sim import catalogue

    return tell_list(catalogue.architectures(), ("name", "says", "requires"), as_json, quiet)


@app.command()
def checkers(as_json: Json = False, quiet: Quiet = False) -> int:
    """List the promises that histories are judged by."""
    from orderquake.sim import catalogue

    return tell_list(catalogue.checkers(), ("name", "says"), as_json, quiet)


@app.command()
def replay(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A choice log, a run's folder, its name, or `latest`.")],
    lenient: Annotated[bool, typer.Option("--lenient", help="Only the verdicts: for after a change.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Play a choice log again, and name the first row that is not as it was."""
    from orderquake.sim import console
    from orderquake.sim.choices import LOG, ChoiceLog, ChoiceLogError
    from orderquake.sim.choices import replay as play
    from orderquake.sim.runs import find_run

    try:
        played = play(ChoiceLog.read(find_run(run, LOG)), strict=not lenient)
    except ChoiceLogError as error:
        raise Mistake(str(error)) from error
    if as_json:
        console.print_json(played.to_json())
    else:
        console.out(str(played).split("\n")[0] if quiet else str(played))
    return played.exit_code


@app.command()
def points(as_json: Json = False, quiet: Quiet = False) -> int:
    """List the sometimes-points: rare moments of a sound design, which a campaign must have met."""
    from orderquake.sim import catalogue

    return tell_list(catalogue.points(), ("name", "family", "says"), as_json, quiet)


@app.command()
def faults(matrix: Matrix = False, as_json: Json = False, quiet: Quiet = False) -> int:
    """List what may go wrong, and how a scenario asks for it."""
    from orderquake.sim import catalogue, console

    if matrix:
        return tell_matrix(list(catalogue.matrix()), as_json, quiet)
    entries = list(catalogue.faults())
    tell_list(entries, ("name", "does", "breaks", "heals"), as_json, quiet)
    if not as_json and not quiet:
        console.out("\nIn a scenario file:")
        for entry in entries:
            console.out(f"\n{entry['example']}".rstrip())
    return 0


def tell_matrix(entries: list[dict[str, Any]], as_json: bool, quiet: bool) -> int:
    """Tell which step each kind of fault can strike, and why not the others."""
    from orderquake.sim import console

    can = sum(len(entry["strikes"]) for entry in entries)
    cannot = sum(len(steps) for entry in entries for steps in entry["spares"].values())
    if as_json:
        console.print_json({"feasible": can, "infeasible": cannot, "kinds": entries})
        return 0
    for entry in entries if not quiet else ():
        console.out(f"{entry['name']} ({entry['family']})")
        if entry["strikes"]:
            console.out(f"  strikes {', '.join(entry['strikes'])}")
        for why, steps in entry["spares"].items():
            told = "no step" if not entry["strikes"] and len(entry["spares"]) == 1 else f"not {', '.join(steps)}"
            console.out(f"  {told}: {why}")
    console.out(f"{can} cells of a kind and a step can be struck, {cannot} cannot")
    return 0


def tell_list(entries: Iterable[dict[str, Any]], columns: Sequence[str], as_json: bool, quiet: bool) -> int:
    """Tell what there is; that cannot go wrong."""
    from orderquake.sim import console

    console.tell_list(list(entries), columns, as_json, quiet)
    return 0


@app.command()
def schema(as_json: Json = False, quiet: Quiet = False) -> int:
    """Print the JSON Schema of scenario files, for editors."""
    from orderquake.sim import console
    from orderquake.sim.scenario import scenario_json_schema

    console.print_json(scenario_json_schema(), indent=None if quiet else 2)
    return 0


# -- the door


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    with terminations() as terminated:
        try:
            code = app(args=words, prog_name="orderquake", standalone_mode=False)
            if code == INTERRUPTED:  # typer has caught it already
                raise KeyboardInterrupt
            return code if isinstance(code, int) else 0
        except (KeyboardInterrupt, typer.Abort):
            complain("interrupted; nothing is kept of what was not finished")
            return TERMINATED if terminated else INTERRUPTED
        except BrokenPipeError:  # whoever read our output has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except OurFault as error:
            complain(str(error), error.how)
            return HARNESS
        except Exception as error:
            if text := mistake_in(error):
                complain(text)
                return USAGE
            line = f"{type(error).__name__}: {error}".split("\n")[0]
            again = f"{TRACEBACK}=1 {shlex.join(('orderquake', *words))}"
            complain(f"the harness failed: {line}. Again: {again}", traceback.format_exc())
            return HARNESS


@contextmanager
def terminations() -> Iterator[list[int]]:
    """Let SIGTERM clean up the way Ctrl-C does; the list tells whether it came."""
    received: list[int] = []

    def interrupt(number: int, _: object) -> None:
        received.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)


def mistake_in(error: Exception) -> str | None:
    """What to tell whoever made the mistake, or None where it is not theirs."""
    if isinstance(error, Mistake):
        return str(error)
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # typer's, wherever this version keeps them
        return usage_text(error)
    from orderquake.sim.runs import OutError
    from orderquake.sim.scenario_errors import ScenarioError

    return str(error) if isinstance(error, OutError | ScenarioError) else None


def usage_text(error: Any) -> str:
    """A usage error in one line, with the next move; the help itself where nothing was asked."""
    text = str(error.format_message()).strip()
    if not text or "Usage:" in text:
        return text
    path = getattr(getattr(error, "ctx", None), "command_path", "orderquake")
    return f"{text.rstrip('.')}{'' if text.endswith('?') else '.'} See: {path} --help"


def complain(text: str, how: str = "") -> None:
    """Say it where it does not mix with results, after the traceback where somebody wants that."""
    if os.environ.get(TRACEBACK):
        sys.stderr.write(how)
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
