"""The known answers, written down: `python -m tests.known.report` plays every entry of the table and keeps what came
out in `reports/known_answers.md` and `.json`.

    python -m tests.known.report --quick                               two or three minutes
    python -m tests.known.report --row erlang_c                        one question, at its points
    python -m tests.known.report --row erlang_c --with servers=7 --with load=5
    python -m tests.known.report --list                                what may be asked, and with which parameters

A row that has been answered is kept beside the report until something in the product or in this folder changes, so a
report that was cut short goes on where it stood. Exit codes: 0 all gates are met, 1 one is not, 3 wrong usage.
Nothing is simulated in this file, and nothing is known here.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import math
import os
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin

from orderquake.sim.console import out, print_json, progress
from orderquake.sim.processes import begin_to_work
from tests.known.gates import RUNS, Agrees, Effort, Evidence, Gate
from tests.known.table import SECTIONS, TABLE, Entry, Point, entries

REPORTS = Path("reports")
ROOT = Path(__file__).resolve().parents[2]
LONG = 5
"""How many times longer the replications are where those of the small form are too few by far."""
MORE = 10
"""Replications that are played at once where the first ones are too few."""
AGAIN = 4
"""How many times more replications a second look takes."""
BY_CHANCE = ("too far", "out of the ranks")
"""Why a gate is not met that chance alone may miss."""
BUDGET_S = 300.0
"""CPU seconds that one look at a row may take; it has to do with the width that it has by then."""


class Case(NamedTuple):
    """One entry at one point."""

    entry: str
    point: Point

    @property
    def label(self) -> str:
        return f"{self.entry}({self.point})"


class Form(NamedTuple):
    """How the rows are to be played. longer   factor on all lengths; 0 to find it by the widths"""

    is_quick: bool
    longer: int
    budget_s: float

    def __str__(self) -> str:
        return f"{'quick' if self.is_quick else 'full'}-{self.longer}"


# -- one row


def answered(case: Case, form: Form) -> dict[str, Any]:
    """Play one case, and say what came out.

    What chance alone does once in 2,500 tries is done to somebody in a table of hundreds. So a row with such a gate is
    played again, with other luck and four times the replications, and these alone decide; the first look is told, too.
    Of splitting, they are four times as long instead.
    """
    began = time.process_time()
    first, longer, gates, why = Look(0, 0, 0, []), 0, [], ""
    try:
        first = looked(case, form)
        longer, gates = first.longer, first.gates
        if first.doubted:
            second = looked(case, form, after=first)
            longer, gates = second.longer, second.gates
    except Exception:
        why = traceback.format_exc()
    return {
        "entry": case.entry,
        "point": str(case.point),
        "longer": longer,
        "cpu_s": round(time.process_time() - began, 2),
        "failed": why,
        "gates": [gate.as_record() for gate in gates],
        "first_look": [gate.as_record() for gate in first.doubted],
    }


class Look(NamedTuple):
    """What came out after so many stages and replications, which are so many times longer than in the small form."""

    stages: int
    runs: int
    longer: int
    gates: list[Gate]

    @property
    def doubted(self) -> list[Gate]:
        return [gate for gate in self.gates if gate.why in BY_CHANCE]


def looked(case: Case, form: Form, after: Look | None = None) -> Look:
    """Play replications until all is narrow, or more of them too dear; after another look, four times as many as then,
    or as long."""
    began, entry = time.process_time(), TABLE[case.entry]
    is_short = form.is_quick or not (needs_length(entry) or entry.by_length)
    longer = form.longer or (1 if is_short else LONG)
    first, least = (0, RUNS) if after is None else (after.stages, AGAIN * after.runs)
    if after is not None and entry.by_length:
        least, longer = RUNS, AGAIN * after.longer
    found: Evidence = {}
    runs = 0
    for stage in count(first):
        so_far_s = time.process_time() - began
        more = MORE if runs >= least else RUNS
        runs += more
        effort = Effort.of(f"{case.label}/{stage}", longer, is_full=not form.is_quick, runs=more)
        gates = judged(entry, case.point.given, effort, found)
        # Only widths decide whether to play more replications, with other luck: what was found does not.
        worst = max((gate.wide / gate.allowed for gate in gates if gate.wide and gate.allowed), default=0.0)
        spent_s = time.process_time() - began
        took_s, left_s = spent_s - so_far_s, form.budget_s - spent_s
        if runs >= least and (worst <= 1 or form.longer or took_s > left_s):
            break
        affordable = int(longer * left_s / took_s)
        if entry.by_length:
            wanted = min(math.ceil(longer * worst**2), AGAIN * longer, affordable)
        else:
            wanted = min(LONG, math.ceil(worst**2)) if stage == first else longer
        if longer < wanted <= affordable and not form.longer:
            longer, found, runs = wanted, {}, 0
    return Look(stage + 1, runs, longer, gates)


def needs_length(entry: Entry) -> bool:
    """Is there no small form of it?"""
    return any(mark.name == "parametrize" and mark.args[0] == "effort" for mark in entry.marks)


def judged(entry: Entry, given: Mapping[str, Any], effort: Effort, found: Evidence) -> list[Gate]:
    gates: list[Gate] = []
    offered = {"effort": effort, "agrees": Agrees(effort, gates.append, found), **given}
    entry.run(**{name: offered[name] for name in inspect.signature(entry.run).parameters})
    return gates


# -- all of them


def played(cases: Sequence[Case], form: Form, kept: Path | None, processes: int, is_mute: bool) -> list[dict[str, Any]]:
    """Play the cases that are not kept already; each is kept as soon as it is there."""
    done: dict[str, dict[str, Any]] = {}
    stamp = stamp_of_sources()
    for case in cases:
        if kept is not None and (path := kept / file_of(case, form, stamp)).exists():
            done[case.label] = json.loads(path.read_text(encoding="utf-8"))
    # The dearest first, those that the small form leaves out: nobody is to wait for one of them at the end.
    left = sorted((case for case in cases if case.label not in done), key=lambda case: not case.point.is_slow)
    with (
        progress("known answers", len(cases), is_mute) as advance,
        ProcessPoolExecutor(processes, initializer=begin_to_work) as pool,
    ):
        asked = {pool.submit(answered, case, form): case for case in left}
        for future in as_completed(asked):
            case = asked[future]
            record = done[case.label] = future.result()
            if kept is not None and not record["failed"]:
                kept.mkdir(parents=True, exist_ok=True)
                write(kept / file_of(case, form, stamp), json.dumps(record))
            if advance is not None:
                advance(len(done))
    return [done[case.label] for case in cases]


def stamp_of_sources() -> str:
    """Names everything that an answer depends on."""
    digest = hashlib.blake2b(digest_size=8)
    for folder in ("model", "sim", "tests/known"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".toml", ".csv", ".gz") and path.name != "report.py":
                digest.update(str(path.relative_to(ROOT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def file_of(case: Case, form: Form, stamp: str) -> str:
    what = hashlib.blake2b(f"{case.label}/{form}/{stamp}".encode(), digest_size=6).hexdigest()
    return f"{case.entry}-{what}.json"


def write(path: Path, text: str) -> None:
    """All of it, or nothing."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


# -- what is asked


def every_case(is_quick: bool, names: Sequence[str], section: int | None) -> Iterator[Case]:
    for entry in entries():
        if (names and entry.name not in names) or section not in (None, entry.section):
            continue
        for point in entry.points():
            if names or not (is_quick and point.is_slow):
                yield Case(entry.name, point)


def at_a_point(entry: Entry, words: Sequence[str]) -> Case:
    """The entry with these values, NAME=VALUE each; what is not said is as at its first point. raises   ValueError"""
    types, first = entry.parameters(), entry.points()[0].given
    given = dict(first)
    for word in words:
        name, _, value = word.partition("=")
        if name not in types:
            raise ValueError(f"{entry.name} has no parameter {name!r}; expected one of {', '.join(types) or 'none'}")
        given[name] = read(value, types[name], word)
    return Case(entry.name, Point({name: given[name] for name in types}, False))


def read(text: str, kind: Any, word: str) -> Any:
    """A value of a parameter's type; several are separated by commas."""
    try:
        if kind in (int, float):
            return kind(text)
        if get_origin(kind) is tuple:
            return tuple(get_args(kind)[0](part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{word}: {text!r} is no {getattr(kind, '__name__', kind)}") from None
    return text


# -- what is told


def verdict(row: Mapping[str, Any]) -> str:
    return "met" if row["is_met"] else f"**{row['why']}**"


def number(value: float) -> str:
    return f"{value:.6g}"


def table_of(record: Mapping[str, Any]) -> list[str]:
    lines = [
        "| what | reference | ours | 95 % interval | n | z | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in record["gates"]:
        z = "" if row["z"] is None else f"{row['z']:.2f}"
        cells = (
            row["what"], number(row["reference"]), number(row["ours"]),
            f"{number(row['low'])} to {number(row['high'])}", f"{row['n']:,}", z, verdict(row),
        )  # fmt: skip
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    if record["failed"]:
        lines.append(f"| {record['entry']}({record['point']}) | | | | | | **failed: {last_line(record['failed'])}** |")
    return lines


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1].replace("|", "/")


def rows_of(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for record in records for row in record["gates"]]


def unmet(records: Sequence[Mapping[str, Any]]) -> list[str]:
    found = [f"{row['what']}: {row['why']}" for row in rows_of(records) if not row["is_met"]]
    return found + [f"{each['entry']}: {last_line(each['failed'])}" for each in records if each["failed"]]


def summary(records: Sequence[Mapping[str, Any]]) -> str:
    rows = rows_of(records)
    means = [row for row in rows if row["z"] is not None]
    outside = sum(not row["low"] <= row["reference"] <= row["high"] for row in means)
    bad = len(unmet(records))
    cpu_s = sum(record["cpu_s"] for record in records)
    return (
        f"{len(rows)} rows: {sum(row['is_met'] for row in rows)} met, {bad} not. Of {len(means)} means, {outside} have "
        f"their reference outside of their own 95 % interval (about {0.05 * len(means):.0f} would be chance). "
        f"{cpu_s:.0f} seconds of one core."
    )


def page(records: Sequence[Mapping[str, Any]], is_quick: bool) -> str:
    lines = [
        "# Known answers",
        "",
        "Numbers that were written down elsewhere, and what the product's own parts make of them: stations, stores,",
        f"jobs, workload and faults. `python -m tests.known.report{' --quick' if is_quick else ''}` plays them again.",
        "",
        "A mean over replications agrees iff it is within 4 standard errors of its reference and its 95 % half-width",
        "is below the limit that `tests/known` names for it; a quantile iff the distribution-free rank interval",
        "contains it; what must never happen iff it never did, and then its bound stands in the interval. n counts",
        "replications of a mean, values of a quantile, tries of what never happens. A row that is too far off is",
        "played once more, with other luck and four times the replications (of splitting: four times the length),",
        "which alone decide.",
        "",
        summary(records),
    ]
    for record in records:
        for row in record["first_look"]:
            lines += [
                "",
                f"Looked at twice: {row['what']}, {number(row['ours'])} at first (n {row['n']:,}, {row['why']}).",
            ]
    for section, title in SECTIONS.items():
        these = [record for record in records if TABLE[record["entry"]].section == section]
        if these:
            lines += ["", f"## {section}. {title}"]
        for name in dict.fromkeys(record["entry"] for record in these):
            entry = TABLE[name]
            lines += ["", f"**{entry.question}** `{name}`; source: {entry.source}", ""]
            tables = [table_of(record) for record in these if record["entry"] == name]
            lines += tables[0][:2] + [line for table in tables for line in table[2:]]
    return "\n".join(lines) + "\n"


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.known.report", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="the small form: two or three minutes")
    parser.add_argument(
        "--row", action="append", default=[], metavar="NAME", help="only this question; as many as you like"
    )
    parser.add_argument("--with", action="append", default=[], dest="given", metavar="NAME=VALUE", help="at this point")
    parser.add_argument("--section", type=int, choices=SECTIONS, help="only this section")
    parser.add_argument("--longer", type=int, default=0, help="factor on all lengths; found by the widths where absent")
    parser.add_argument("--budget", type=float, default=BUDGET_S, help="CPU seconds that one look at a row may take")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--anew", action="store_true", help="do not use rows that are kept")
    parser.add_argument("--list", action="store_true", help="what may be asked")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    asked = parser.parse_args(words)
    table = {entry.name: entry for entry in entries()}
    if asked.list:
        for entry in table.values():
            kinds = ", ".join(f"{name}: {getattr(kind, '__name__', kind)}" for name, kind in entry.parameters().items())
            out(f"{entry.section:2}  {entry.name}({kinds})\n      {entry.question} {entry.source}")
        return 0
    for name in asked.row:
        if name not in table:
            sys.stderr.write(f"there is no known answer {name!r}; --list tells those there are\n")
            return 3
    if asked.given and len(asked.row) != 1:
        sys.stderr.write("--with needs exactly one --row\n")
        return 3
    try:
        cases = (
            [at_a_point(table[asked.row[0]], asked.given)]
            if asked.given
            else list(every_case(asked.quick, asked.row, asked.section))
        )
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    if not cases:
        sys.stderr.write(f"no row of section {asked.section} is called {' or '.join(asked.row)}; --list tells them\n")
        return 3
    form = Form(asked.quick, asked.longer, asked.budget)
    kept = None if asked.anew else REPORTS / "known_answers.kept"
    records = played(cases, form, kept, min(asked.processes, len(cases)), asked.json)
    if not (asked.row or asked.section):
        REPORTS.mkdir(exist_ok=True)
        name = "known_answers_quick" if asked.quick else "known_answers"
        write(REPORTS / f"{name}.md", page(records, asked.quick))
        write(REPORTS / f"{name}.json", json.dumps({"is_quick": asked.quick, "rows": as_rows(records)}, indent=1))
        out(f"report: {REPORTS / f'{name}.md'}")
    if asked.json:
        print_json({"rows": as_rows(records), "unmet": unmet(records)})
    else:
        for record in records if asked.row or asked.section else ():
            out("\n".join(str(Gate(**{k: v for k, v in row.items() if k != "is_met"})) for row in record["gates"]))
            if record["failed"]:
                out(record["failed"])
        out("\n".join(["", *unmet(records), summary(records)]))
    return 1 if unmet(records) else 0


def as_rows(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One object a row, by itself."""
    made = []
    for record in records:
        entry = TABLE[record["entry"]]
        head = {
            "section": entry.section, "row": entry.name, "question": entry.question, "source": entry.source,
            "point": record["point"], "longer": record["longer"],
        }  # fmt: skip
        made += [head | row | {"verdict": "met" if row["is_met"] else row["why"]} for row in record["gates"]]
        if record["failed"]:
            made.append(head | {"verdict": f"failed: {last_line(record['failed'])}", "is_met": False})
    return made


if __name__ == "__main__":
    raise SystemExit(main())
