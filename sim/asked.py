"""What was asked for: scenarios by the words they were called by, with settings, on a design; checked, then played.

Mistakes of whoever asks and faults of ours are told apart here. Nothing is printed; folders are in `runs.py`, the
command line in `cli.py`. Nothing heavy is imported before it is needed.
"""

from __future__ import annotations

import shlex
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from orderquake.sim.scenario import Scenario


class Mistake(Exception):
    """Something that whoever called can put right; the text says how. Exit code 3."""


class OurFault(Exception):
    """The harness failed. The text says in one line how to see it again; `how` is the traceback. Exit code 4."""

    def __init__(self, line: str, how: str) -> None:
        super().__init__(line)
        self.how = how


class Asked(NamedTuple):
    """A scenario to be played on a design; `word` is what the caller called it by, `settings` are in it already."""

    word: str
    scenario: Scenario
    on: str
    settings: Mapping[str, Any]

    def again(self, seed: int) -> str:
        """The command that plays one seed of it again."""
        words = ("orderquake", "run", self.word, "--on", self.on, "--seed", str(seed))
        return shlex.join((*words, *(part for word in self.set_words() for part in ("--set", word))))

    def set_words(self) -> list[str]:
        """The settings, PATH=VALUE each."""
        from orderquake.sim.settings import write_settings

        return write_settings(self.settings)

    def tag(self) -> str:
        """What tells a folder with these settings from one with others."""
        from orderquake.sim.settings import tag_of

        return tag_of(self.settings)

    def failed(self, seed: int, error: str) -> str:
        """One line: what failed, where, and how to see it again."""
        where = f"{self.scenario.name} on {self.on} with seed {seed}"
        return f"the harness failed in {where}: {error}. Again: {self.again(seed)} --traceback"


class Made(NamedTuple):
    """What one scenario came to, before it is written down.

    result   what --json prints, but for the report's path
    tell     prints it for people
    write    writes page, results and history into a folder; returns the page
    """

    result: dict[str, Any]
    tell: Callable[[], None]
    write: Callable[[Path], Path]


# -- checked


def load_all(words: Sequence[str], on: str, set_words: Sequence[str] = ()) -> dict[str, Asked]:
    """Scenario name -> what is to be played. All files are read before any is played; settings go into all of them.

    raises   ScenarioError, with the findings of all files; Mistake
    """
    from orderquake.sim.scenario_file import ScenarioError, load_scenario
    from orderquake.sim.settings import read_settings, with_settings

    settings = read_settings(set_words)
    loaded: dict[str, Asked] = {}
    problems: list[Any] = []
    for word in words:
        try:
            scenario = with_settings(load_scenario(word), settings)
        except ScenarioError as error:
            problems += error.problems
            continue
        if scenario.name in loaded:
            raise Mistake(f'two scenarios are called "{scenario.name}"; expected each once. Run them one by one')
        loaded[scenario.name] = Asked(word, scenario, on, settings)
        check_trace(scenario)
    if problems:
        raise ScenarioError(problems)
    return loaded


def check_trace(scenario: Scenario) -> None:
    """raises   Mistake where a trace file cannot be read, or where nobody orders on the days that are played"""
    from orderquake.sim.scenario import TRACES, Trace

    workload = scenario.workload
    if not isinstance(workload, Trace):
        return
    is_ours = workload.name in TRACES
    if is_ours and workload.first_day is None and workload.last_day is None:
        return
    from orderquake.sim.world.trace import load_trace

    try:
        days = load_trace(None if is_ours else Path(workload.name)).days
    except (OSError, ValueError) as error:
        raise Mistake(str(error)) from error
    first, last = workload.first_day or date.min, workload.last_day or date.max
    if days and not any(first <= day <= last for day in days):
        found = f"{scenario.name}: nobody orders from workload.first_day, {first}, to workload.last_day, {last}"
        raise Mistake(f"{found}; expected days of the trace, which has orders from {days[0]} to {days[-1]}")


def check_design(on: str) -> str:
    """The design's name. raises   Mistake where there is none of that name"""
    from orderquake.sim.run import design_of
    from orderquake.sim.scenario_errors import suggestion, with_next_move
    from orderquake.sim.scenario_rules import architecture_names

    try:
        return design_of(on).name
    except KeyError:
        known = architecture_names()
        near = suggestion(on, known, "; did you mean {}?")
        found = f'--on "{on}" is no architecture; expected one of {", ".join(known)}{near}'
        raise Mistake(with_next_move(found, "orderquake architectures")) from None


def check_designs(on: str) -> list[str]:
    """Names of designs from a list of them, or of all that there are where it is empty.

    raises   Mistake where one is unknown, comes twice, or is alone
    """
    from orderquake.sim.scenario_rules import architecture_names

    words = [word.strip() for word in on.split(",")] if on else list(architecture_names())
    names = [check_design(word) for word in words]
    if len(set(names)) < len(names) or len(names) < 2:
        found = f'--on "{on}" names {"one design" if len(names) < 2 else "a design twice"}; expected several, each once'
        raise Mistake(f"{found}. See: orderquake architectures")
    return names


# -- played


def once(asked: Asked, seed: int, _: int, is_mute: bool) -> Made:
    """One run."""
    from orderquake.sim import console
    from orderquake.sim.run import simulate

    title = f"{asked.scenario.name} on {asked.on}, seed {seed}"
    with console.progress(title, 1, is_mute) as advance, ours(asked, seed):
        made = simulate(asked.scenario, asked.on, seed, advance, is_doubted=True)
        result = made.to_json() | {"settings": dict(asked.settings)}

    def write(beside: Path) -> Path:
        with ours(asked, seed):
            from orderquake.sim.choices import LOG, ChoiceLogError, record
            from orderquake.sim.report.page import write_report

            with suppress(ChoiceLogError):  # a trace of one's own, which no log carries
                record(made).write(beside / LOG)
            return write_report(made, beside, asked)

    return Made(result, lambda: console.tell_run(made, asked.set_words()), write)


def many(asked: Asked, seed: int, runs: int, is_mute: bool) -> Made:
    """One run for each of many seeds."""
    from orderquake.sim import console
    from orderquake.sim.report.summary import summary_record, write_summary
    from orderquake.sim.runs import RunFailed, replicate

    title = f"{asked.scenario.name} on {asked.on}, {runs} seeds"
    try:
        with console.progress(title, runs, is_mute) as advance:
            seeds = range(seed, seed + runs)
            made = replicate(asked.scenario, asked.on, seeds, advance or (lambda _: None))
    except RunFailed as error:
        raise OurFault(asked.failed(error.seed, str(error)), error.how) from error
    with ours(asked, seed):
        counted = {"seed": seed, "counts": console.counts(made), "bounds": console.bounds(made)}
        result = {**summary_record(made, asked), **counted}

    def write(beside: Path) -> Path:
        with ours(asked, seed):
            return write_summary(made, beside, asked)

    return Made(result, lambda: console.tell_many(made, asked.again, asked.set_words()), write)


@contextmanager
def ours(asked: Asked, seed: int) -> Iterator[None]:
    """Whatever goes wrong in here is our fault, and is told with the command that plays it again."""
    try:
        yield
    except Exception as error:
        line = f"{type(error).__name__}: {error}".split("\n")[0]
        raise OurFault(asked.failed(seed, line), traceback.format_exc()) from error
