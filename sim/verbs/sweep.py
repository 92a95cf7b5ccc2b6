"""sweep: the same day with other numbers, many times over, on a map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from orderquake.sim.asked import Mistake, check_design, load_all
from orderquake.sim.verbs.door import HARNESS, Json, Quiet, Settings, app


@app.command()
def sweep(
    scenario: Annotated[str, typer.Argument(metavar="[SCENARIO]", help="A name, or the path to a TOML file.")] = "",
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", metavar="PATH=V,V,...", help="Values of a path: policy.reservation_ttl=30s,15min."),
    ] = None,
    ranges: Annotated[
        list[str] | None,
        typer.Option("--range", metavar="PATH=LOW..HIGH", help="A range of a path; add :log for equal ratios."),
    ] = None,
    layout: Annotated[
        str, typer.Option("--design", help="How the cells lie: grid, lhs (Latin hypercube) or sobol.")
    ] = "",
    cells: Annotated[int | None, typer.Option(min=1, help="How many points a spread has.")] = None,
    at_most: Annotated[int, typer.Option("--at-most", min=1, help="Refuse a sweep of more cells.")] = 2_000,
    on: Annotated[str, typer.Option("--on", metavar="A,B,...", help="The designs.")] = "",
    runs: Annotated[int | None, typer.Option(min=1, help="Seeds a cell, 10 where it is not said.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The luck of each cell's first run, and of the points.")] = 1,
    engine: Annotated[str, typer.Option(help="Who plays: auto, serial, local (processes) or dask.")] = "auto",
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler, such as tcp://10.0.0.5:8786.")
    ] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="At most so many at once.")] = None,
    timeout: Annotated[str | None, typer.Option(metavar="60s", help="A cell that takes longer has failed.")] = None,
    over: Annotated[str, typer.Option("--map", metavar="X[,Y]", help="What the figures are drawn over.")] = "",
    sensitivity: Annotated[
        str, typer.Option(metavar="sobol|morris", help="Which path matters how much; needs --range and --cells.")
    ] = "",
    preset: Annotated[str, typer.Option(metavar="NAME", help="A sweep that comes along: design_space.")] = "",
    settings: Settings = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to keep it; absent, empty, or of this sweep.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Play a scenario at many settings; goes on where it was stopped. Leaves with 0 whatever the verdicts are, with 4
    where cells could not be played."""
    from orderquake.sim import console
    from orderquake.sim.report.sweep import check_map, sweep_record, write_sweep
    from orderquake.sim.runs import REPORTS, point_latest_at
    from orderquake.sim.sweep import telling
    from orderquake.sim.sweep.axes import read_choices, read_stretches
    from orderquake.sim.sweep.door import answer, check_engine, default_folder
    from orderquake.sim.sweep.proving import fields_of
    from orderquake.sim.sweep.question import asked

    timeout_s = read_timeout(timeout)
    check_engine(engine, scheduler, timeout_s)
    if preset:
        from orderquake.sim.sweep.presets import preset_of

        if scenario or vary or ranges or layout or cells or on or settings or sensitivity:
            raise Mistake(
                f"--preset {preset} says all that is varied; expected only --runs, --seed and how it is played"
            )
        made_of = preset_of(preset)
        question = made_of.question(runs, seed, at_most)
    else:
        if not scenario:
            raise Mistake("no scenario is named; expected SCENARIO, or --preset. See: orderquake sweep --help")
        made_of = None
        whole = next(iter(load_all([scenario], "", settings or ()).values()))
        question = asked(
            whole.scenario,
            [check_design(name.strip()) for name in (on or "hot_cold").split(",")],
            [*read_choices(vary or ()), *read_stretches(ranges or ())],
            layout=layout, points=cells, seed=seed, runs=runs or 10, at_most=at_most, sensitivity=sensitivity,
            word=scenario, settings=whole.settings,
        )  # fmt: skip
    drawn_over = check_map(question.paths, over)
    folder = out or default_folder(question)
    title = f"{question.scenario.name}, {len(question.cells)} cells"
    with console.progress(title, len(question.cells), as_json or quiet) as advance:
        made = answer(question, folder, engine, scheduler, processes, timeout_s, advance or (lambda _: None))
    extra: dict[str, Any] = {}
    marks: dict[tuple[str, str], Any] = {}
    if sensitivity:
        from orderquake.sim.sweep.sensitivity import effects, effects_record

        extra["sensitivity"] = effects_record(effects(made))
    if made_of is not None:
        proofs = made_of.proofs(question)
        extra["proofs"] = [one.to_json() for one in proofs]
        marks = fields_of(proofs)
    page = folder / write_sweep(made, drawn_over, extra, marks)
    if out is None:
        point_latest_at(folder, REPORTS)
    if as_json:
        console.print_json({**sweep_record(made), **extra, "report": str(page)})
    elif quiet:
        telling.tell_quietly(made)
    else:
        telling.tell(made, extra)
        console.out(f"table: {folder / 'sweep.csv'}")
        console.out(f"report: {page}")
    for cell in made.cells:
        if cell.identity in made.failed:
            why = made.failed[cell.identity]
            typer.echo(f"cell {cell.number} failed: {why}. See: {question.again(cell, seed)}", err=True)
    return HARNESS if made.failed else 0


def read_timeout(word: str | None) -> float | None:
    """Seconds. raises   Mistake where it is no duration, or none at all"""
    from orderquake.sim.units import SECOND, parse_duration

    if word is None:
        return None
    try:
        found = parse_duration(word)
    except ValueError as error:
        raise Mistake(f"--timeout is {error}") from None
    if not found:
        raise Mistake('--timeout is "0 s"; expected more than zero')
    return found / SECOND
