"""compare: the same days on several designs."""

from __future__ import annotations

from typing import Annotated

import typer

from orderquake.sim.asked import check_designs, load_all
from orderquake.sim.verbs.door import Json, OneScenario, Out, Quiet, Settings, app


@app.command()
def compare(
    scenario: OneScenario,
    on: Annotated[
        str, typer.Option("--on", metavar="A,B,...", help="The designs; the others are held against the first.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="The luck of the first run.")] = 1,
    runs: Annotated[int, typer.Option(min=1, help="Play so many seeds on each, from --seed on.")] = 20,
    settings: Settings = None,
    out: Out = None,
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
