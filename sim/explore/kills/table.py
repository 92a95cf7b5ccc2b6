"""The kill table: every planted bug, who caught it, by how many ways, and how fast.

Each mutant's result is a file of its own, so that a table which was cut short goes on where it was. Nothing is caught
here; see `routes.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeAlias

from orderquake.model.mutants import MUTANTS
from orderquake.sim.explore.kills.planted import Planted, planted
from orderquake.sim.explore.kills.routes import ROUTES, RUNS, STATES, killed_by

Entry: TypeAlias = dict[str, Any]
"""What can be said of one mutant, plain."""
ROOT = Path(__file__).resolve().parents[3]
MADE_OF = ("model", "sim/checkers", "sim/explore/proof", "sim/explore/kills", "sim/world")
"""What a result depends on: after a change in one of them it is made anew."""
ONLY_TELLS = ("model/mutants/__init__.py", "sim/explore/kills/planted.py", "sim/explore/kills/table.py")
"""Files there that no result depends on."""
KEPT = Path("reports/kills")
PAGE = Path("reports/kill_table.md")


@cache
def made_of() -> str:
    """Sixteen hexadecimal digits of the code and the days that results depend on."""
    digest = blake2b(digest_size=8)
    for room in MADE_OF:
        for path in (ROOT / room, *sorted((ROOT / room).rglob("*"))):
            if path.suffix in (".py", ".toml") and path not in [ROOT / name for name in ONLY_TELLS]:
                digest.update(path.read_bytes())
    return digest.hexdigest()


def entry_of(mutant: Planted, routes: dict[str, Any]) -> Entry:
    """What is said of a mutant, and what its routes have found."""
    return {
        "name": mutant.name,
        "source": mutant.source,
        "breaks": mutant.breaks,
        "design": mutant.design,
        "checker": mutant.checker,
        "scenario": mutant.day,
        "killed": any(kill["killed"] for kill in routes.values()),
        "killed_by": sorted({checker for kill in routes.values() for checker in kill["caught"]}),
        "routes": routes,
        "equivalent": mutant.equivalent,
        "one_route": mutant.one_route,
    }


def tried(mutant: Planted, seeds: int) -> dict[str, Any]:
    """All routes; of what breaks no promise, the one that needs no day."""
    return {route: killed_by(route, mutant, seeds).to_json() for route in (ROUTES if mutant.day else ("random",))}


def kept(name: str, seeds: int, folder: Path) -> dict[str, Any] | None:
    """What the routes found before, if it was found by this code with so many seeds."""
    path = folder / f"{name}.json"
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found["routes"] if (found["seeds"], found["made_of"]) == (seeds, made_of()) else None


def keep(name: str, routes: dict[str, Any], seeds: int, folder: Path) -> None:
    """Written beside and renamed: a result is whole or not there."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{name}.{os.getpid()}"
    beside.write_text(json.dumps({"seeds": seeds, "made_of": made_of(), "routes": routes}, indent=1), encoding="utf-8")
    beside.replace(folder / f"{name}.json")


def table(
    names: Iterable[str] = (), seeds: int = 30, folder: Path = KEPT, advance: Callable[[float], None] | None = None
) -> list[Entry]:
    """The entries of some mutants, or of all, made or remembered.

    advance   told how many are done
    raises    KeyError where there is no such mutant
    """
    entries: list[Entry] = []
    for mutant in [planted(name) for name in names or MUTANTS]:
        routes = kept(mutant.name, seeds, folder)
        if routes is None:
            routes = tried(mutant, seeds)
            keep(mutant.name, routes, seeds, folder)
        entries.append(entry_of(mutant, routes))
        if advance is not None:
            advance(len(entries))
    return entries


def is_as_it_should_be(entry: Entry) -> bool:
    """Killed, unless it breaks no promise; then not."""
    return bool(entry["killed"]) is not bool(entry["equivalent"])


def known() -> tuple[str, ...]:
    """Names of all planted bugs."""
    return tuple(MUTANTS)


def routes_that_kill(entry: Entry) -> list[str]:
    return [route for route, kill in entry["routes"].items() if kill["killed"]]


def shortest(entry: Entry) -> int:
    """Steps of the shortest story that any route has found, 0 where none tells one."""
    return min((kill["steps"] for kill in entry["routes"].values() if kill.get("steps")), default=0)


# -- as a page


def page(entries: Sequence[Entry], seeds: int) -> str:
    """The table in Markdown."""
    counted = [entry for entry in entries if not entry["equivalent"]]
    equivalent = [entry for entry in entries if entry["equivalent"]]
    killed = [entry for entry in counted if entry["killed"]]
    twice = [entry for entry in killed if len(routes_that_kill(entry)) > 1]
    lines = [
        "# Kill table",
        "",
        f"Made by `orderquake mutants --seeds {seeds}`. A kill is a verdict; a failed assertion is none.",
        "",
        f"- planted: {len(counted)}; killed: {len(killed)}, by two routes or more: {len(twice)}; "
        f"beside them {len(equivalent)} that break no promise",
        *(f"- by {route}: {sum(route in routes_that_kill(entry) for entry in counted)}" for route in ROUTES),
        "",
        "*Timed*: the day it names, in simulated time; *random*: made-up days at small scope. For both: the median of "
        "runs until the first kill, and of the CPU seconds they took, over the replications that ended in one "
        f"({seeds} at most; {RUNS['timed']} and {RUNS['random']} runs each at most; five where each took one run). "
        f"*Exhaustive*: every interleaving and fault at small scope, at most {STATES:,} states a scope, cheapest "
        "scope first; CPU seconds over all scopes tried. *Told*: a story told by hand at small scope, for those that "
        "made-up days seldom meet. *Story*: steps of the shortest that any of the last three has found. Seconds were "
        "measured on a busy machine and are upper sides.",
        "",
        "| mutant | of | caught by | in | timed | exhaustive | random | told | story |",
        "|---|---|---|---|--:|--:|--:|--:|--:|",
    ]
    for entry in counted:
        cells = (
            entry["name"],
            entry["design"],
            entry["checker"],
            entry["scenario"],
            *(cell(route, entry["routes"].get(route)) for route in ROUTES),
            str(shortest(entry) or ""),
        )
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "## What each breaks, and where that was seen", ""]
    lines += [f"- **{entry['name']}**: {entry['breaks']} {entry['source']}" for entry in counted]
    lines += _listed(
        "By one route only", [(e, e["one_route"] or "no reason is given") for e in killed if e not in twice]
    )
    lines += _listed("Not killed", [(e, "no route caught it") for e in counted if not e["killed"]])
    lines += _listed("Break no promise", [(e, e["equivalent"]) for e in equivalent])
    lines += _listed("Crashes beside the kills", [(e, said) for e in entries if (said := crashes(e))])
    return "\n".join(lines) + "\n"


def cell(route: str, kill: Entry | None) -> str:
    """One route's result, short: runs (seconds), and how many replications ended in a kill where not all did."""
    if kill is None or not kill["killed"]:
        return "-"
    often = "" if kill["killed"] == kill["of"] else f", {kill['killed']} of {kill['of']}"
    what = f"{kill['runs']:g}" if route in RUNS else f"{kill.get('steps', 0)} steps"
    return f"{what} ({kill['seconds']:.2g} s{often})"


def crashes(entry: Entry) -> str:
    return ", ".join(f"{route} {kill['crashes']}" for route, kill in entry["routes"].items() if kill["crashes"])


def _listed(title: str, entries: Sequence[tuple[Entry, str]]) -> list[str]:
    if not entries:
        return []
    return ["", f"## {title}", "", *(f"- **{entry['name']}**: {why}" for entry, why in entries)]


def write_page(entries: Sequence[Entry], seeds: int, path: Path = PAGE) -> None:
    """The page, written beside and renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(page(entries, seeds), encoding="utf-8")
    beside.replace(path)
