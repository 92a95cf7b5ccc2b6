"""hunt: look for a broken promise, and tell the smallest story of it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orderquake.sim.asked import Mistake
from orderquake.sim.verbs.door import HARNESS, Json, Out, Quiet, app

if TYPE_CHECKING:
    from orderquake.sim.explore.hunt import NotFound, Story
    from orderquake.sim.scenario import Scenario

FOUND, NOTHING, NOT_EXERCISED = 1, 0, 2


@app.command()
def hunt(
    scenario: Annotated[
        str | None, typer.Argument(metavar="[SCENARIO]", help="A name, or a path to a TOML file.")
    ] = None,
    on: Annotated[str, typer.Option(metavar="ARCH", help="A design, module:Class, or a planted bug.")] = "hot_cold",
    budget: Annotated[str, typer.Option(metavar="TIME", help="How much CPU time to spend: 60s, 5min.")] = "60s",
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 1,
    strategies: Annotated[str, typer.Option(metavar="A,B,...", help="Only these strategies.")] = "",
    promise: Annotated[str, typer.Option(metavar="CHECKER", help="Only breaches of this promise.")] = "",
    outside: Annotated[bool, typer.Option("--outside", help="Faults outside the design's contract, too.")] = False,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Look for a broken promise; tell the smallest story of it. Leaves with 1 where one was found, 0 where none was."""
    from orderquake.sim import console
    from orderquake.sim.explore import hunt as hunting
    from orderquake.sim.explore.hunt.driven import Driven, is_installed
    from orderquake.sim.explore.hunt.found import NotFound
    from orderquake.sim.runs import check_out

    if out is not None:
        check_out(out)
    budget_s = seconds_of(budget)
    day = loaded(scenario)
    names = [name for name in strategies.split(",") if name] or None
    try:
        with console.progress(f"hunting on {on}", budget_s, as_json or quiet) as advance:
            watch = (lambda spent_s, _: advance(min(spent_s, budget_s))) if advance else None
            story = hunting.hunt_story(
                on, day, budget_s, seed, names, checkers=checked(promise), is_outside=outside, watch=watch
            )
    except KeyError as error:
        raise Mistake(str(error.args[0])) from error
    if not is_installed() and (names is None or Driven.name in names) and not (as_json or quiet):
        console.out(f"hypothesis is not installed, so the strategy {Driven.name} stayed away")
    if isinstance(story, NotFound):
        return tell_nothing(story, on, as_json, quiet)
    place = kept(story, out)
    tell(story, place, as_json, quiet)
    return FOUND


def seconds_of(text: str) -> float:
    """A budget. raises   Mistake

    >>> seconds_of("60s"), seconds_of("5 min")
    (60.0, 300.0)
    """
    from orderquake.sim.units import parse_duration

    for form in (text, text.rstrip("smh ") + " " + text.lstrip("0123456789. ")):
        with suppress(ValueError):
            if (us := parse_duration(form)) > 0:
                return us / 1e6
    raise Mistake(f'--budget is "{text}"; expected a duration above zero, such as 60s or 5min')


def loaded(scenario: str | None) -> Scenario | None:
    from orderquake.sim.asked import check_trace
    from orderquake.sim.scenario_file import load_scenario

    if scenario is None:
        return None
    day = load_scenario(scenario)
    check_trace(day)
    return day


def checked(promise: str) -> list[str] | None:
    """The one promise that is looked at. raises   Mistake where there is no such checker"""
    from orderquake.sim.checkers import CHECKERS
    from orderquake.sim.scenario_errors import unknown

    if promise and promise not in CHECKERS:
        raise Mistake(f"--promise is {unknown(promise, list(CHECKERS), 'checker', 'orderquake checkers')}")
    return [promise] if promise else None


def kept(story: Story, out: Path | None) -> Path:
    """The counterexample, written; under reports/hunts where nothing else was said."""
    from orderquake.sim.explore.hunt.counterexample import write
    from orderquake.sim.runs import REPORTS

    name = f"{story.design.name}-{story.checker}-{story.case.seed}"
    return write(story, out or REPORTS / "hunts" / name, instead=out is None)


def tell(story: Story, place: Path, as_json: bool, quiet: bool) -> None:
    from orderquake.sim import console
    from orderquake.sim.explore.hunt.counterexample import why

    found = story.found
    if as_json:
        console.print_json({**record_of(story), "report": str(place)})
        return
    console.out(f"{story}")
    if quiet:
        console.out(str(place))
        return
    console.out(
        f"found by {found.strategy} after {found.runs:,} runs and {found.seconds:.1f} s, shrunk in {story.runs:,} runs "
        f"and {story.seconds:.1f} s (of CPU)\n"
    )
    for sentence in why(story):
        console.out(f"  {sentence}")
    console.out("")
    for number, step in enumerate(story.told, start=1):
        console.out(f"{number:4}  {step.time_us / 1e6:9.3f} s  {step}")
    console.out(f"\nreport: {place / 'README.md'}\nagain:  orderquake replay {place}\ntest:   pytest {place}")


def record_of(story: Story) -> dict[str, Any]:
    """The story as one JSON object."""
    from orderquake.sim.explore.hunt.counterexample import why

    found = story.found
    return {
        "verdict": "invalid", "architecture": story.design.name, "checker": story.checker, "reason": story.reason,
        "strategy": found.strategy, "seed": story.case.seed, "runs": found.runs, "seconds": round(found.seconds, 3),
        "shrink_runs": story.runs, "shrink_seconds": round(story.seconds, 3),
        "orders": story.orders, "skus": story.skus, "faults": story.faults, "deviations": story.deviations,
        "steps": [{"time_s": step.time_us / 1e6, "says": str(step)} for step in story.told],
        "is_minimal": story.is_minimal, "why": why(story),
    }  # fmt: skip


def tell_nothing(nothing: NotFound, on: str, as_json: bool, quiet: bool) -> int:
    """Nothing broke: how often it was tried, and what that says."""
    from orderquake.sim import console

    code = NOTHING if nothing.exercised else NOT_EXERCISED if nothing.runs or not nothing.crashes else HARNESS
    if as_json:
        console.print_json({
            "verdict": {NOTHING: "valid", NOT_EXERCISED: "unknown"}.get(code, "failed"), "architecture": on,
            "runs": nothing.runs, "at_most": nothing.at_most if nothing.runs else None,
            "seconds": round(nothing.seconds, 3), "by_strategy": dict(nothing.by_strategy),
            "exercised": sorted(nothing.exercised), "crashes": nothing.crashes, "crash": nothing.crash,
        })  # fmt: skip
        return code
    console.out(f"no broken promise found on {on}: {nothing}" if nothing.runs else f"nothing played on {on}: {nothing}")
    if not quiet and nothing.runs:
        of_each = ", ".join(f"{name} {runs:,}" for name, runs in nothing.by_strategy.items())
        console.out(f"in {nothing.seconds:.1f} s of CPU: {of_each}")
        console.out("the days are drawn to be hostile: the share says nothing about days in a shop")
        if not nothing.exercised:
            console.out("no checker had anything to judge")
        if nothing.crashes:
            console.out(f"{nothing.crashes} runs failed, the first with {nothing.crash}")
    return code
