"""A sweep in two processes beside the same sweep in one: how much sooner it is done, for long work and for short.

python -m tests.benchmarks.sweep [--rounds 3] [--json]

Here the clock on the wall counts, since waiting for each other is what is measured; so a machine that does something
else makes the figures smaller, and its load is told beside them.
"""

from __future__ import annotations

import os
import resource
import statistics
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import Figure, Numbers, command, fresh, interleaved, median, ratio, tell

SOON, LONG = 12, 60
"""Cells of about a quarter of a second: some three seconds of work, and some fifteen."""
SETTINGS: Mapping[str, Any] = {"workload.rounds": 60, "stock.skus": 60, "horizon": "3 min"}


def swept(engine: str, cells: int, processes: int) -> Numbers:
    """Seconds from the question to the table, imports and pictures aside."""
    from orderquake.sim.run import simulate
    from orderquake.sim.sweep import sweep

    simulate("last_unit", seed=1)  # whoever plays first pays for what all need
    vary = {"policy.reservation_ttl": [f"{1 + number} s" for number in range(cells)]}
    with tempfile.TemporaryDirectory() as folder:
        began, here, there = time.perf_counter(), time.process_time(), _work_of_children_s()
        made = sweep(
            "last_unit", vary, settings=SETTINGS, runs=2, engine=engine, processes=processes, out=Path(folder) / "s"
        )
        took, here, there = time.perf_counter() - began, time.process_time() - here, _work_of_children_s() - there
    assert len(made.readings) == cells, made.failed
    return {"seconds": took, "here_s": here, "there_s": there, "load": os.getloadavg()[0]}


def _work_of_children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def free(one: list[Numbers], two: list[Numbers]) -> float:
    """How much sooner two processes would be done if nobody else wanted the cores: what is done here is done alone, and
    what is done there is done by two."""
    pairs = [(alone["here_s"], both["here_s"] + both["there_s"] / 2) for alone, both in zip(one, two, strict=True)]
    return statistics.median(alone / both for alone, both in pairs)


def bench(rounds: int) -> list[Figure]:
    """One process, two processes, and whoever `auto` chooses, in turns."""
    figures = []
    for name, cells in (("long", LONG), ("short", SOON)):
        found = interleaved(
            rounds,
            {
                who: lambda _, given={**given, "cells": cells}: fresh("tests.benchmarks.sweep:swept", **given)
                for who, given in (
                    ("one", {"engine": "serial", "processes": 1}),
                    ("two", {"engine": "local", "processes": 2}),
                    ("auto", {"engine": "auto", "processes": 2}),
                )
            },
        )  # fmt: skip
        tell(f"{name}: load {median(found['one'] + found['two'], 'load'):.1f} on {os.cpu_count()} cores")
        figures += [
            Figure(f"sweep, {name}: one process", median(found["one"], "seconds"), "s"),
            Figure(f"sweep, {name}: its work", median(found["one"], "here_s"), "s of one core"),
            Figure(f"sweep, {name}: sooner by, where two cores are free", free(found["one"], found["two"]), "x"),
            Figure(
                f"sweep, {name}: two processes are sooner by", ratio(found["one"], found["two"], "seconds"), "x",
                at_least=1.7 if cells == LONG else None,
            ),
            Figure(
                f"sweep, {name}: whoever is chosen is sooner by", ratio(found["one"], found["auto"], "seconds"), "x",
                at_least=1.7 if cells == LONG else 0.95,
            ),
        ]  # fmt: skip
    return figures


if __name__ == "__main__":
    raise SystemExit(command(partial(bench), "A sweep in one process and in two."))
