"""rare: how likely is what happens once in a million days?"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from orderquake.sim.asked import Mistake, check_design, load_all
from orderquake.sim.verbs.door import EXIT, Json, OneScenario, Quiet, Settings, app


@app.command()
def rare(
    scenario: OneScenario,
    event: Annotated[
        str,
        typer.Option("--event", metavar="SCORE>=N", help='What must not happen, as "unposted >= 500"; see `--scores`.'),
    ] = "",
    on: Annotated[str, typer.Option("--on", metavar="ARCH", help="The design; see `architectures`.")] = "hot_cold",
    seed: Annotated[int, typer.Option(min=0, help="The luck of all of it.")] = 1,
    levels: Annotated[
        str, typer.Option("--levels", metavar="A,B,...", help="Scores on the way, the event's last; else a pilot's.")
    ] = "",
    effort: Annotated[int, typer.Option(min=2, help="Runs a stage.")] = 100,
    repetitions: Annotated[int, typer.Option(min=20, help="Of the whole; they say how sure it is.")] = 20,
    processes: Annotated[int, typer.Option(min=1, help="At a time.")] = 1,
    at_most: Annotated[
        float | None, typer.Option("--at-most", metavar="P", help="Leave with 1 if it is likelier, 2 if it may be.")
    ] = None,
    scores: Annotated[bool, typer.Option("--scores", help="What may be watched, and no more.")] = False,
    settings: Settings = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """How likely is it that a run gets there before its horizon? Importance splitting, where counting takes days."""
    from orderquake.sim import console
    from orderquake.sim.rare import SCORES, parse_event, split
    from orderquake.sim.rare.levels import TooRare
    from orderquake.sim.rare.scores import BadEvent
    from orderquake.sim.rare.splitting import BadLevels

    if scores:
        entries = [{"name": name, "meaning": " ".join((score.__doc__ or "").split())} for name, score in SCORES.items()]
        console.tell_list(entries, ("name", "meaning"), as_json, quiet)
        return 0
    try:
        wanted = parse_event(event)
        steps_on_the_way = [float(word) for word in levels.split(",")] if levels else None
    except BadEvent as error:
        raise Mistake(str(error)) from None
    except ValueError:
        raise Mistake(f"--levels is {levels!r}; expected numbers with commas between them") from None
    asked = next(iter(load_all([scenario], check_design(on), settings or ()).values()))
    try:
        with console.progress(f"{asked.scenario.name}: {wanted}", repetitions, as_json or quiet) as advance:
            found = split(
                asked.scenario, wanted, on, steps_on_the_way, effort=effort, repetitions=repetitions,
                seed=seed, processes=processes, told=advance,
            )  # fmt: skip
    except TooRare as error:
        raise Mistake(f"{wanted}: {error}") from None
    except BadLevels as error:
        raise Mistake(str(error)) from None
    verdict = "valid"
    if at_most is not None:
        verdict = "valid" if found.high <= at_most else "invalid" if found.low > at_most else "unknown"
    record: dict[str, Any] = {**found.as_record(), "at_most": at_most, "verdict": verdict}
    if as_json:
        console.print_json(record)
    elif quiet:
        console.out(f"{found.chance:.3g} {found.low:.3g} {found.high:.3g}")
    else:
        made = found.estimate
        console.out(f"{asked.scenario.name} on {on}: {wanted}, before the horizon")
        for word in asked.set_words():
            console.out(f"set: {word}")
        if made.chance:
            sure = f"{made.low:.3g} to {made.high:.3g} at 95 %, relative error {made.relative_error:.0%}"
            console.out(f"chance of a run: {made.chance:.3g}; {sure}")
        else:
            console.out(f"chance of a run: none of {made.runs:,} runs got there; at most {made.high:.2g} at 95 %")
        steps = ", ".join(f"{level:g} ({share:.0%})" for level, share in zip(made.levels, made.shares(), strict=True))
        console.out(f"levels, and the part of the runs that got on: {steps}")
        console.out(f"{made.runs:,} runs in {made.cpu_s:.1f} s of one core, {found.pilot_s:.1f} s for the levels")
        if made.fewest < 10:
            console.out(f"note: a stage hung on {made.fewest} runs; more --effort, or the interval is too narrow")
        if at_most is not None:
            console.out(f"at most {at_most:g}: {verdict}")
    return EXIT[verdict]
