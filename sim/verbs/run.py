"""run: play scenarios on a design and judge what happened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from orderquake.sim.asked import Asked, check_design, load_all, many, once
from orderquake.sim.verbs.door import EXIT, TRACEBACK, WORST_FIRST, Json, Out, Quiet, Settings, app


@app.command()
def run(
    scenarios: Annotated[list[str], typer.Argument(metavar="SCENARIO...", help="Names, or paths to TOML files.")],
    on: Annotated[str, typer.Option("--on", metavar="ARCH", help="The design; see `architectures`.")] = "hot_cold",
    seed: Annotated[int, typer.Option(min=0, help="The run's luck; with --runs, that of the first.")] = 1,
    runs: Annotated[int, typer.Option(min=1, help="Run so many seeds, from --seed on.")] = 1,
    settings: Settings = None,
    out: Out = None,
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
