"""Fresh processes, taken in turns; figures, what is asked of them, and the table of both.

Every measurement is a function named "module:function" that returns numbers and is called in a process of its own.
Contestants take turns, another one first in each round, and ratios are taken within a round: a noisy neighbour meets
all of them. Time is the processor's, not the clock's, for the same reason; nothing that is measured waits or forks.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

Numbers: TypeAlias = dict[str, Any]
Rounds: TypeAlias = dict[str, list[Numbers]]

ROUNDS = 7
HERE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Figure:
    """Something that was measured, and what is asked of it; neither bound where it is only told."""

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool | None:
        if self.at_least is not None:
            return self.value >= self.at_least
        if self.at_most is not None:
            return self.value <= self.at_most
        return None

    @property
    def target(self) -> str:
        if self.at_least is not None:
            return f"at least {shown(self.at_least)}"
        return "" if self.at_most is None else f"at most {shown(self.at_most)}"

    def to_json(self) -> Numbers:
        return {
            "figure": self.name, "value": float(f"{self.value:.4g}"), "unit": self.unit,
            "at_least": self.at_least, "at_most": self.at_most, "is_met": self.is_met,
        }  # fmt: skip


Bench: TypeAlias = Callable[..., list[Figure]]
"""Measures in so many rounds, and whatever else its command line knows."""


def tell(text: str) -> None:
    """A line for whoever watches; the figures alone go to the standard output."""
    print(text, file=sys.stderr, flush=True)


def shown(value: float) -> str:
    """Three digits that count.

    >>> shown(4.5), shown(0.8512), shown(21034.2)
    ('4.5', '0.851', '21,034')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


# -- in a process of its own


def fresh(function: str, **given: Any) -> Numbers:
    """What "module:function" returns in a new process."""
    call = [sys.executable, "-m", "tests.benchmarks.measure", function, json.dumps(given)]
    done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=False, cwd=HERE)
    if done.returncode:
        raise SystemExit(f"{function} with {given} failed; what it said stands above")
    numbers: Numbers = json.loads(done.stdout)
    return numbers


def interleaved(rounds: int, contestants: Mapping[str, Callable[[int], Numbers]]) -> Rounds:
    """Each contestant once a round; told the round's number, from 0, which serves as a seed."""
    found: Rounds = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            found[name].append(contestants[name](number))
    return found


def median(found: Iterable[Numbers], what: str) -> float:
    return statistics.median(float(numbers[what]) for numbers in found)


def ratio(ours: Iterable[Numbers], theirs: Iterable[Numbers], what: str) -> float:
    """The median of the rounds' ratios."""
    pairs = zip(ours, theirs, strict=True)
    return statistics.median(float(one[what]) / float(other[what]) for one, other in pairs)


class Stopwatch:
    """Seconds of this process's work, since it was made.

    collects   False leaves Python's cyclic garbage collector off from here on
    clock      the processor's; another where something is compared that was not measured by it
    """

    def __init__(self, collects: bool = True, clock: Callable[[], float] = time.process_time) -> None:
        gc.collect()
        if not collects:
            gc.disable()
        self.clock = clock
        self.began = clock()

    def read(self) -> float:
        return self.clock() - self.began


# -- what is printed


def table(figures: Iterable[Figure]) -> str:
    """Figure, value, target, and whether it is met."""
    words = {True: "met", False: "MISSED", None: ""}
    rows = [("figure", "value", "target", "")]
    rows += [(one.name, f"{shown(one.value)} {one.unit}".strip(), one.target, words[one.is_met]) for one in figures]
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{name:<{wide[0]}}  {value:>{wide[1]}}  {target:<{wide[2]}}  {met}".rstrip()
        for name, value, target, met in rows
    )


def command(bench: Bench, what: str, *options: str, report: str = "") -> int:
    """Measure and print, as the command line asks for it; 1 where a target is missed.

    options   switches of this benchmark alone, which are given to it as keywords
    report    name of the file under reports/ that --write writes, where there is one
    """
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="fresh processes a contestant (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    if report:
        parser.add_argument("--write", action="store_true", help=f"write the JSON to reports/{report}, too")
    for option in options:
        parser.add_argument(f"--{option}", action="store_true")
    given = parser.parse_args()
    figures = bench(given.rounds, **{option: getattr(given, option) for option in options})
    missed = [one.name for one in figures if one.is_met is False]
    found = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "rounds": given.rounds,
        "figures": [one.to_json() for one in figures],
        "missed": missed,
    }
    text = json.dumps(found, indent=2)
    print(text if given.json else table(figures))
    if report and given.write:
        (HERE / "reports" / report).write_text(text + "\n", encoding="utf-8")
    if missed:
        tell(f"{len(missed)} of {sum(one.is_met is not None for one in figures)} targets missed")
    return 1 if missed else 0


def main() -> None:
    """The child's side of `fresh`."""
    module, name = sys.argv[1].split(":")
    print(json.dumps(getattr(import_module(module), name)(**json.loads(sys.argv[2]))))


if __name__ == "__main__":
    main()
