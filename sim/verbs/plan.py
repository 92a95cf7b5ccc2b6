"""plan: the largest load, or the smallest resource, at which a shop still keeps its promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orderquake.sim.asked import Asked, Mistake, check_design, load_all
from orderquake.sim.verbs.door import EXIT, Json, OneScenario, Out, Quiet, Settings, app

if TYPE_CHECKING:
    from orderquake.sim.planning.planned import Plan


@app.command()
def plan(
    scenario: OneScenario,
    slo: Annotated[
        list[str] | None,
        typer.Option("--slo", metavar="PROMISE", help='A promise to keep: "checkout.p99 < 300ms". Repeatable.'),
    ] = None,
    find: Annotated[
        str, typer.Option("--find", metavar="PATH", help="What to vary; the load where it is not said.")
    ] = "",
    on: Annotated[str, typer.Option("--on", metavar="ARCH", help="The design; see `architectures`.")] = "hot_cold",
    want: Annotated[
        str, typer.Option("--want", metavar="largest|smallest", help="Which value; found out where it is not said.")
    ] = "",
    between: Annotated[str, typer.Option("--between", metavar="LOW,HIGH", help="Where to look.")] = "",
    runs: Annotated[int, typer.Option(min=2, help="At most so many runs at each value.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="The luck of the first run at each value.")] = 1,
    settings: Settings = None,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Find the largest load, or the smallest resource, that keeps every promise, with its interval.

    Leaves with 0 where it is found, 1 where no value keeps the promise, 2 where the runs do not tell. A plan that was
    stopped goes on where it was: ask again.
    """
    from orderquake.sim import console
    from orderquake.sim.planning.planner import plan as planned
    from orderquake.sim.report.plan import status_of, write_plan
    from orderquake.sim.runs import REPORTS, point_latest_at

    if want not in ("", "largest", "smallest"):
        raise Mistake(f'--want "{want}" is neither; expected largest or smallest')
    (asked,) = load_all([scenario], check_design(on), settings or ()).values()
    question = _question(asked, slo or [], find, want, between, runs, seed)
    shown = out or REPORTS / "runs" / f"plan-{asked.scenario.name}-{asked.on}-{seed}-{_tag(question)}"
    probes = _claim(shown, question)
    title = f"plan {asked.scenario.name} on {asked.on}"
    with console.progress(title, runs * 16.0, as_json or quiet) as advance:
        made = planned(
            asked, slo or [], find, want=want or None, between=between, runs=runs, seed=seed, folder=probes,  # type: ignore[arg-type]
            progress=lambda done: advance(min(float(done), runs * 16.0 - 1)) if advance else None,
        )  # fmt: skip
    page = write_plan(made, shown)
    if out is None:
        point_latest_at(shown)
    if as_json:
        console.print_json({**made.as_record(), "report": str(page)})
    elif quiet:
        console.out(f"{made.status} {made.headline()} {page}")
    else:
        tell(made)
        console.out(f"report: {page}")
    return EXIT[status_of(made)]


def tell(made: Plan) -> None:
    """The answer and what it rests on, for people."""
    from orderquake.sim import console
    from orderquake.sim.report.plan import rows_of
    from orderquake.sim.report.words import THIN

    knob = made.knob
    console.out(f"{knob.asked.scenario.name} on {knob.asked.on}: {made.status}")
    console.out(made.headline())
    for word in knob.asked.set_words():
        console.out(f"set: {word}")
    if made.played:
        console.out(f"played: {made.played}")
    if made.estimate is not None:
        console.out(f"met exactly at about {knob.path} = {knob.in_words(made.estimate)}")
    if made.reason:
        console.out(f"why: {made.reason}")
    points = [
        *[(what, point) for what, point in made.aside],
        *[("probed", point) for point in made.points],
        *[(f"{one.edge}, fresh seeds", one.point) for one in made.confirmations],
    ]
    table = [
        {
            "what": row["what"],
            knob.path: row["value"],
            "orders/s": row["rate"],
            "side": row["side"],
            **{
                f"{promise}: decides": cell["decides"].replace(THIN, " ")
                for promise, cell in zip(made.promises, row["cells"], strict=True)
            },
            **{
                f"{promise.name}": cell["measured"].replace(THIN, " ")
                for promise, cell in zip(made.promises, row["cells"], strict=True)
            },
            "runs": row["runs"],
        }
        for row in rows_of(made, points)
    ]
    if table:
        console.out("")
        console.tell_list(table, list(table[0]), as_json=False, quiet=False)
        console.out("")
    if made.kept is not None or made.missed is not None:
        console.out("confirmed by fresh seeds" if made.is_confirmed else "not confirmed by fresh seeds")
    for note in made.notes:
        console.out(f"note: {note}")


def _question(
    asked: Asked, slos: list[str], find: str, want: str, between: str, runs: int, seed: int
) -> dict[str, Any]:
    from orderquake.sim.scenario import canonical_json

    return {
        "plan": json.loads(canonical_json(asked.scenario)), "on": asked.on, "slo": slos, "find": find, "want": want,
        "between": between, "runs": runs, "seed": seed,
    }  # fmt: skip


def _tag(question: dict[str, Any]) -> str:
    import hashlib

    return hashlib.blake2b(json.dumps(question, sort_keys=True).encode(), digest_size=4).hexdigest()


def _claim(folder: Path, question: dict[str, Any]) -> Path:
    """The folder of the runs of a plan: of a new one, or of one that asks the same, which goes on.

    raises   OutError where something else lies there
    """
    from orderquake.sim.runs import OutError, check_out

    asked = folder / "question.json"
    text = json.dumps(question, sort_keys=True, indent=2)
    if asked.is_file():
        if asked.read_text(encoding="utf-8") != text:
            raise OutError(f"{folder} holds another plan; expected a folder that is absent, empty, or of this question")
    else:
        check_out(folder)
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / ".question.json.partial"
        beside.write_text(text, encoding="utf-8")
        beside.replace(asked)
    return folder / "probes"
