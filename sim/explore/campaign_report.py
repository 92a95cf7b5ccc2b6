"""What a campaign has come to: one JSON object, and a page of tables in Markdown.

Counts and bounds only; nothing is run or judged here. A swarm is hostile on purpose: its shares are no probabilities of
anything that happens to a shop.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from orderquake.model.assumptions import Assumption
from orderquake.sim.designs import design_named
from orderquake.sim.explore.campaign_run import FAILED, WITHOUT_VERDICT
from orderquake.sim.nemesis import FAULTS
from orderquake.sim.nemesis.matrix import beyond, by_reason, feasible, reasons
from orderquake.sim.study.intervals import share_in_words, share_interval
from orderquake.sim.study.points import points

UNKNOWN_BELOW = 0.001
"""The share of runs that may stay unknown."""
SHOWN = 20
"""Runs that are named, of a kind."""


def exit_code(report: Mapping[str, Any], must_pass: bool = False) -> int:
    """0 nothing invalid and few unknown, 1 invalid, 2 too many unknown, 4 the harness failed.

    must_pass   1, too, where some sometimes-point was never passed
    Outside the contract 0 where something was invalid, and 1 where nothing was: who finds nothing there is blind.
    """
    if report["verdicts"].get(FAILED) or report["determinism"]["differ"]:
        return 4
    invalid = report["verdicts"].get("invalid", 0)
    if report["campaign"]["is_outside"]:
        return 0 if invalid else 1
    if invalid or (must_pass and report["never_passed"]):
        return 1
    return 0 if report["unknown"]["share"] < UNKNOWN_BELOW else 2


def report_of(
    header: Mapping[str, Any],
    outcomes: Iterable[Mapping[str, Any]],
    again: Mapping[int, str],
    spent_s: float,
    rss: list[int],
    undrawn: Mapping[str, str],
) -> dict[str, Any]:
    """All there is to say, as JSON.

    undrawn   kinds of fault that could not be drawn, and why
    """
    runs = sorted(outcomes, key=lambda outcome: outcome["seed"])
    ended = [run for run in runs if run["verdict"] not in WITHOUT_VERDICT]
    verdicts = Counter(run["verdict"] for run in runs)
    unknown, count = verdicts["unknown"], max(1, len(runs))
    by_seed = {run["seed"]: run for run in ended}
    doubled = {seed: digest for seed, digest in again.items() if seed in by_seed}
    return {
        "campaign": dict(header),
        "runs": len(runs),
        "orders": sum(run["orders"] for run in ended),
        "rows": sum(run["rows"] for run in ended),
        "verdicts": dict(sorted(verdicts.items())),
        "invalid": share_in_words(verdicts["invalid"], count),
        "unknown": {
            "runs": unknown,
            "share": unknown / count,
            "at_95_percent": [round(end, 6) for end in share_interval(unknown, count)],
        },
        "excused": dict(Counter(name for run in ended for name in run.get("excused", ()))),
        "found": [_named(run) for run in runs if run["verdict"] != "valid"][:200],
        "determinism": {
            "twice": len(doubled),
            "differ": [seed for seed, digest in sorted(doubled.items()) if by_seed[seed]["digest"] != digest],
        },
        "by_policy": _counted(ended, "policy"),
        "by_workload": _counted(ended, "workload"),
        **_of_faults(ended, undrawn, frozenset() if header["is_outside"] else design_named(header["design"]).requires),
        "by_theme": _counted(ended, "theme"),
        "points": (of_points := _of_points(ended, bool(header.get("is_outside")))),
        "never_passed": [name for name, row in of_points.items() if not row["runs"]],
        "quiet": _of_quiet(ended),
        "wall_s": round(spent_s, 1),
        "runs_per_s": round(len(runs) / spent_s, 2) if spent_s else None,
        "rss_mb": {"first": _mb(rss[:2]), "last": _mb(rss[-2:]), "most": _mb(rss)},
    }


def _named(run: Mapping[str, Any]) -> dict[str, Any]:
    return {"seed": run["seed"], "verdict": run["verdict"], "why": run.get("why", "")}


def _counted(runs: Iterable[Mapping[str, Any]], key: str) -> dict[str, dict[str, int]]:
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for run in runs:
        table[run[key]][run["verdict"]] += 1
    return {name: dict(sorted(table[name].items())) for name in sorted(table)}


def _mb(sizes: list[int]) -> int:
    return round(max(sizes, default=0) / 1e6)


# -- faults


def _of_faults(
    runs: Iterable[Mapping[str, Any]], undrawn: Mapping[str, str], requires: frozenset[Assumption]
) -> dict[str, Any]:
    """Each kind's life, and which kind struck which step of the workflow."""
    table = {kind: {"scheduled": 0, "injected": 0, "witnessed": 0, "recovered": 0, "runs": 0} for kind in FAULTS}
    struck: dict[str, Counter[str]] = {kind: Counter() for kind in FAULTS}
    for run in runs:
        kinds = set()
        for pattern in run.get("patterns", ()):
            table[pattern]["scheduled"] += 1
            kinds.add(pattern)
        for kind, _, injected, witnessed, recovered in run["faults"].values():
            entry = table.setdefault(kind, dict.fromkeys(table["down"], 0))
            entry["scheduled"] += 1
            entry["injected"] += injected > 0
            entry["witnessed"] += witnessed > 0
            entry["recovered"] += recovered > 0
            kinds.add(kind)
        for kind in kinds:
            table[kind]["runs"] += 1
        for kind, steps in run["struck"].items():
            struck.setdefault(kind, Counter()).update(steps)
    return {"faults": table, **_of_cells(struck, requires), "not_drawn": dict(undrawn)}


def _of_cells(struck: Mapping[str, Counter[str]], requires: frozenset[Assumption]) -> dict[str, Any]:
    """The matrix of kinds and steps: what was struck, and how often; what never was although it could have been.

    feasible        cells that can be struck while all holds that is required
    beyond          kind -> steps that it can strike only by taking away something required; neither feasible nor never
                    struck
    contradicted    steps that were struck although the matrix calls it impossible: the matrix is wrong
    """
    outside = {kind: [step for step in beyond(kind, requires) if not struck[kind][step]] for kind in FAULTS}
    can = {kind: [step for step in feasible(kind) if step not in outside[kind]] for kind in FAULTS}
    was = {kind: [step for step in steps if struck[kind][step]] for kind, steps in can.items()}
    missing = {kind: [step for step in steps if step not in was[kind]] for kind, steps in can.items()}
    return {
        "matrix": {kind: dict(sorted(row.items())) for kind, row in struck.items() if row},
        "cells": {
            "feasible": sum(map(len, can.values())),
            "witnessed": sum(map(len, was.values())),
            "infeasible": sum(len(reasons(kind)) for kind in FAULTS),
        },
        "never_struck": {kind: steps for kind, steps in missing.items() if steps},
        "beyond": {kind: steps for kind, steps in outside.items() if steps},
        "contradicted": {
            kind: more
            for kind, row in struck.items()
            if kind in can and (more := sorted(step for step in row if step not in can[kind]))
        },
        "infeasible": {kind: by_reason(kind) for kind in FAULTS},
    }


# -- points and quiet


def _of_points(runs: list[Mapping[str, Any]], is_outside: bool) -> dict[str, dict[str, Any]]:
    """In how many of the runs that could pass it, by their policy, each point was passed; those that lie beyond the
    contract only where the runs do."""
    table = {}
    for point in points():
        if point.is_beyond and not is_outside:
            continue
        able = [run for run in runs if run["policy"] in point.policies]
        hits = sum(point.name in run["points"] for run in able)
        table[point.name] = {
            "runs": hits,
            "of": len(able),
            "share": round(hits / len(able), 4) if able else None,
            "at_95_percent": [round(end, 5) for end in share_interval(hits, len(able))] if able else None,
        }
    return table


def _of_quiet(runs: list[Mapping[str, Any]]) -> dict[str, Any]:
    shares = sorted(run["quiet"][0] / run["quiet"][1] for run in runs)
    if not shares:
        return {}
    return {
        "longest_s": max(run["quiet"][0] for run in runs),
        "share_of_bound": {"median": round(shares[len(shares) // 2], 4), "most": round(shares[-1], 4)},
    }


# -- for people


def in_markdown(report: Mapping[str, Any]) -> str:
    """The same on a page."""
    head, verdicts = report["campaign"], report["verdicts"]
    side = "outside" if head["is_outside"] else "inside"
    lines = [
        f"# Campaign: {report['runs']:,} runs of {head['design']} {side} its contract",
        "",
        "A swarm is hostile on purpose: these shares are no probabilities of what happens to a shop.",
        "",
        f"- seeds {head['first_seed']} to {head['first_seed'] + report['runs'] - 1}, {report['orders']:,} orders,"
        f" {report['rows']:,} rows, {report['wall_s']:,.0f} s, {report['runs_per_s']} runs/s",
        f"- verdicts: {', '.join(f'{n:,} {verdict}' for verdict, n in verdicts.items())}",
        f"- invalid: {report['invalid']}",
        f"- unknown: {share_in_words(report['unknown']['runs'], max(1, report['runs']))}",
        f"- could not tell, and excused: {', '.join(f'{k} {n:,}' for k, n in report['excused'].items()) or 'nothing'}",
        f"- made twice: {report['determinism']['twice']:,}, of which differ: {len(report['determinism']['differ'])}",
        f"- memory of a process: {report['rss_mb']['first']} MB at first, {report['rss_mb']['last']} MB at last",
        f"- all at rest after {report['quiet'].get('longest_s', 0):,} s of quiet at most; "
        f"{report['quiet'].get('share_of_bound', {}).get('most', 0):.1%} of the bound at most",
    ]
    if report["found"]:
        lines += ["", "## Not valid", ""]
        lines += [f"- seed {run['seed']}: {run['verdict']}: {_short(run['why'])}" for run in report["found"][:SHOWN]]
    for seed, text in report["determinism"].get("first_differences", {}).items():
        lines += ["", f"Not the same twice, seed {seed}:", "", "```", text, "```"]
    lines += [
        "",
        "## Faults",
        "",
        "| kind | scheduled | injected | witnessed | recovered | runs |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    lines += [f"| {kind} | {' | '.join(f'{n:,}' for n in row.values())} |" for kind, row in report["faults"].items()]
    lines += [
        "",
        "## Which fault struck which step",
        "",
        *_on_cells(report),
        "",
        "| kind | steps, and in how many runs | never |",
        "|---|---|---|",
    ]
    for kind in [kind for kind in FAULTS if kind in report["matrix"] or kind in report["never_struck"]]:
        row = report["matrix"].get(kind, {})
        struck = ", ".join(f"{verb} {n:,}" for verb, n in sorted(row.items(), key=lambda item: -item[1]))
        lines.append(f"| {kind} | {struck} | {', '.join(report['never_struck'].get(kind, ()))} |")
    if report["not_drawn"]:
        lines += ["", "Not drawn:", "", *(f"- {kind}: {why}" for kind, why in report["not_drawn"].items())]
    lines += ["", "## Rare moments", "", "| point | runs | share | at 95 % |", "|---|--:|--:|--:|"]
    lines += [
        f"| {name} | {row['runs']:,} of {row['of']:,} | {(row['share'] or 0):.2%} | {_ends(row['at_95_percent'])} |"
        for name, row in sorted(report["points"].items(), key=lambda item: (item[1]["share"] or 0, item[0]))
    ]
    return "\n".join(lines) + "\n"


def _ends(interval: list[float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.2%} to {interval[1]:.2%}"


def _on_cells(report: Mapping[str, Any]) -> list[str]:
    cells = report["cells"]
    lines = [
        f"Of {cells['feasible']:,} cells, a kind and a step that it can strike, {cells['witnessed']:,} were struck; "
        f"{cells['infeasible']:,} cannot be (`orderquake faults --matrix` says why)."
    ]
    if report["beyond"]:
        told = "; ".join(f"{kind} {', '.join(steps)}" for kind, steps in report["beyond"].items())
        lines.append(f"Beyond the contract, and not struck: {told}.")
    if report["contradicted"]:
        told = "; ".join(f"{kind} {', '.join(steps)}" for kind, steps in report["contradicted"].items())
        lines.append(f"Struck although it cannot be, so the matrix is wrong: {told}.")
    return lines


def _short(why: Any) -> str:
    text = "; ".join(f"{name} {reason}" for name, reason in why.items()) if isinstance(why, Mapping) else str(why)
    return text if len(text) <= 200 else text[:197] + "..."
