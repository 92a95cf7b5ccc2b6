"""prove: every interleaving and every fault of a few orders."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from orderquake.sim.asked import Mistake
from orderquake.sim.verbs.door import EXIT, Json, Quiet, app


@app.command()
def prove(
    on: Annotated[
        str, typer.Option("--on", metavar="ARCH", help="The design, a planted bug, or package.module:Class.")
    ] = "hot_cold",
    orders: Annotated[int, typer.Option(help="How many; each wants one unit of every product.")] = 2,
    skus: Annotated[int, typer.Option(help="Products.")] = 2,
    units: Annotated[int, typer.Option(help="Units of each product on the shelves.")] = 1,
    faults: Annotated[str, typer.Option(metavar="A,B,...", help="What may go wrong; `list` says what there is.")] = "",
    at_most: Annotated[int, typer.Option(help="So many faults in all, or of each kind with --each.")] = 1,
    each: Annotated[bool, typer.Option("--each", help="Count each kind of fault by itself.")] = False,
    policy: Annotated[str, typer.Option(help="pay_first, reserve_first or authorise_reserve_capture.")] = "pay_first",
    drop: Annotated[str, typer.Option(metavar="GUARD,...", help="Do not take these bounds in time for granted.")] = "",
    promise: Annotated[str, typer.Option(metavar="CHECKER,...", help="Judge by these alone.")] = "",
    refresh: Annotated[int, typer.Option(min=0, help="How often the refresh may run.")] = 1,
    post: Annotated[int, typer.Option(min=0, help="How often the post may run.")] = 1,
    limit: Annotated[int, typer.Option(min=1, help="Give up after so many states.")] = 5_000_000,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Look at every reachable state of a few orders. Leaves with 0 if all was seen and nothing is broken, 1 with the
    shortest story of what is, 2 if it was cut off."""
    from orderquake.sim import console
    from orderquake.sim.explore.proof import ScopeError, proved, scope_of
    from orderquake.sim.explore.proof.scope import panel

    if faults == "list":
        return tell_what_there_is()
    try:
        scope = scope_of(on, orders, skus, units, words(faults), at_most, each, policy, words(drop),
                         {"refresh": refresh, "post": post})  # fmt: skip
        scope = replace(scope, promises=words(promise))
        panel(scope.promises)
    except ScopeError as error:
        raise Mistake(str(error)) from error
    with console.progress(str(scope), limit, as_json or quiet) as advance:
        proof = proved(scope, limit, advance)
    if as_json:
        console.print_json(record_of(proof))
    elif quiet:
        console.out(f"{proof.verdict} states={proof.states} transitions={proof.transitions}")
    else:
        console.out("\n".join(told(proof)))
    return EXIT[proof.verdict]


def words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def tell_what_there_is() -> int:
    """Faults and guards, a line each."""
    from orderquake.sim import console
    from orderquake.sim.explore.proof.budget import FAULTS
    from orderquake.sim.explore.proof.guards import GUARDS

    for title, entries in (("faults", FAULTS), ("guards", GUARDS)):
        console.out(f"{title}:")
        for name, says in entries.items():
            console.out(f"  {name:18} {says}")
    return 0


def told(proof: Any) -> list[str]:
    """What was covered and what was found, for people."""
    from orderquake.sim.explore.proof.guards import GUARDS

    told = [f"{proof.scope}", f"checkers: {', '.join(proof.checkers)}"]
    cut = "" if proof.is_complete or proof.violation else ", and then it was cut off"
    told.append(
        f"seen: {proof.states:,} states, {proof.transitions:,} transitions, {proof.finals:,} final states, "
        f"in {proof.seconds:.1f} s of processor time{cut}"
    )
    if proof.violation:
        told += [f"{name}: {reason}" for name, reason in proof.violation.items()]
        told += [f"the shortest story, {proof.steps} steps:"]
        told += [f"  {number:2}  {line}" for number, line in enumerate(proof.lines(), start=1)]
        return told
    if not proof.is_complete:
        growth = ", ".join(f"{states:,}" for states in proof.growth)
        return [*told, f"states by told steps: {growth}", "unknown: nothing was violated as far as it was seen"]
    told.append(f"safe under {{{', '.join(proof.guards)}}}:")
    told += [f"  {guard:16} {GUARDS[guard]}" for guard in proof.guards]
    told.append("valid: no promise is broken in any state, and from each of them everything can end")
    return told


def record_of(proof: Any) -> dict[str, Any]:
    """The same for programs."""
    scope = proof.scope
    return {
        "architecture": scope.design.name,
        "policy": scope.policy,
        "orders": len(scope.orders),
        "opening": dict(scope.opening),
        "jobs": dict(scope.jobs),
        "faults": list(scope.faults),
        "at_most": scope.at_most,
        "each": scope.each,
        "dropped": list(scope.drop),
        "guards": list(proof.guards),
        "checkers": list(proof.checkers),
        "verdict": proof.verdict,
        "violation": dict(proof.violation),
        "steps": proof.steps,
        "story": proof.lines(),
        "states": proof.states,
        "transitions": proof.transitions,
        "finals": proof.finals,
        "is_complete": proof.is_complete,
        "can_end": proof.can_end,
        "growth": list(proof.growth),
        "seconds": round(proof.seconds, 2),
    }
