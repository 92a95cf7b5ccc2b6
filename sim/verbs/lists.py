"""scenarios, architectures, checkers, points, faults, schema: what there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from orderquake.sim.verbs.door import Json, Quiet, app


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
def points(as_json: Json = False, quiet: Quiet = False) -> int:
    """List the sometimes-points: rare moments of a sound design, which a campaign must have met."""
    from orderquake.sim import catalogue

    return tell_list(catalogue.points(), ("name", "family", "says"), as_json, quiet)


@app.command()
def faults(
    matrix: Annotated[
        bool, typer.Option("--matrix", help="Tell which step of the workflow each kind can strike.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
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
