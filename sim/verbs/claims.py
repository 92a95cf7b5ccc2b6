"""claims: what is said of the design, put to the test."""

from __future__ import annotations

from typing import Annotated

import typer

from orderquake.sim.verbs.door import Json, Out, Quiet, app


@app.command()
def claims(
    runs: Annotated[int, typer.Option(min=1, help="Play so many seeds of each day on each design.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The luck of the first run.")] = 1,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Test what the article claims, on the article's design and others. Leaves with 0 whatever is found."""
    from orderquake.sim import claimed, console
    from orderquake.sim.report.claims import claims_record, write_claims
    from orderquake.sim.runs import REPORTS, check_out, folder, point_latest_at
    from orderquake.sim.study.claims import CLAIMS, DESIGNS

    if out is not None:
        check_out(out)
    title = f"{len(CLAIMS)} claims on {len(DESIGNS)} designs, {runs} seeds"
    with console.progress(title, claimed.total(runs), as_json or quiet) as advance:
        made = claimed.play(runs, advance or (lambda _: None), seed=seed)
    shown = out or REPORTS / "runs" / f"claims-{seed}-{runs}"
    with folder(shown, replace=out is None) as beside:
        page = write_claims(made, beside)
    if out is None:
        point_latest_at(shown)
    if as_json:
        console.print_json({**claims_record(made), "report": str(shown / page.name)})
    elif quiet:
        for name, cells in made.cells().items():
            console.out(f"{name}: " + " ".join(f"{design}={cell.found}" for design, cell in cells.items()))
    else:
        console.tell_claims(made)
        console.out(f"report: {shown / page.name}")
    return 0
