"""explain, audit, replay: what a run that was kept has to tell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orderquake.sim.asked import Mistake
from orderquake.sim.verbs.door import EXIT, Json, Kept, Quiet, app, read_history


@app.command()
def explain(
    run: Kept,
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
    run: Kept,
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
