"""mutants: the kill table."""

from __future__ import annotations

from typing import Annotated

import typer

from orderquake.sim.asked import Mistake
from orderquake.sim.verbs.door import EXIT, Json, Quiet, app


@app.command()
def mutants(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="Planted bugs; all if absent.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Replications of each race, at most.")] = 30,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Let every planted bug be caught: by whom, by how many ways, how fast. Goes on where it was stopped."""
    from orderquake.sim import console
    from orderquake.sim.explore.kills import table as kills

    unknown = [name for name in names or () if name not in kills.known()]
    if unknown:
        raise Mistake(f'no planted bug is called "{unknown[0]}"; there are {", ".join(sorted(kills.known()))}')
    asked = names or list(kills.known())
    with console.progress(f"{len(asked)} planted bugs", len(asked), as_json or quiet) as advance:
        entries = kills.table(asked, seeds, advance=advance)
    if not names:
        kills.write_page(entries, seeds)
    if as_json:
        console.print_json(entries)
    elif quiet:
        console.out("\n".join(f"{entry['name']} {'killed' if entry['killed'] else 'lives'}" for entry in entries))
    else:
        console.out(kills.page(entries, seeds).rstrip())
        if not names:
            console.out(f"\npage: {kills.PAGE}")
    return EXIT["valid" if all(map(kills.is_as_it_should_be, entries)) else "invalid"]
