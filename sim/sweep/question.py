"""What a sweep asks: a scenario, what is varied in it, on which designs, and with how many seeds.

From the question follow its cells, in one order, each with its name. Nothing is played here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orderquake.model.architecture import Architecture
from orderquake.sim.asked import Mistake
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_errors import Problem, ScenarioError
from orderquake.sim.settings import Settings, with_settings
from orderquake.sim.sweep.axes import Axis, check_axes
from orderquake.sim.sweep.cell import Cell, Task, base_of, canonical, identity_of, packed
from orderquake.sim.sweep.layout import AT_MOST, check_layout, check_size, how_many, settings_of
from orderquake.sim.sweep.version import design_version, model_version


@dataclass(frozen=True)
class Question:
    """designs    a name, or a class of one's own, for each design; `on` has their names
    layout     grid, lhs, sobol; or saltelli, morris, which are laid out for a sensitivity analysis
    points     settings a design
    seed       of the first run of each cell, and of the layout: all cells meet the same days
    settings   what was set in the scenario for all cells; they are in it already
    spares_refused   cells whose design refuses the store that they name are left out, and not a mistake
    """

    scenario: Scenario
    designs: tuple[str | type[Architecture], ...]
    axes: tuple[Axis, ...]
    layout: str
    points: int
    seed: int
    runs: int
    word: str = ""
    settings: Settings | None = None
    spares_refused: bool = False

    @property
    def on(self) -> tuple[str, ...]:
        return tuple(design if isinstance(design, str) else design.name for design in self.designs)

    @property
    def seeds(self) -> range:
        return range(self.seed, self.seed + self.runs)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(axis.path for axis in self.axes)

    @cached_property
    def header(self) -> dict[str, Any]:
        """All that decides which cells there are, but for the code."""
        return {
            "scenario": json.loads(base_of(self.scenario)),
            "settings": dict(self.settings or {}),
            "on": list(self.on),
            "axes": [axis.to_json() for axis in self.axes],
            "layout": self.layout,
            "points": self.points,
            "seed": self.seed,
            "runs": self.runs,
            "spares_refused": self.spares_refused,
        }

    @property
    def tag(self) -> str:
        """Eight digits that tell this question from others."""
        return hashlib.sha256(canonical(self.header).encode()).hexdigest()[:8]

    @cached_property
    def points_settings(self) -> list[dict[str, Any]]:
        """What is set at each point of the layout, in its order."""
        if self.layout in ("saltelli", "morris"):
            from orderquake.sim.sweep.sensitivity import settings_for

            return settings_for(self.layout, self.axes, self.points, self.seed)
        return settings_of(self.axes, self.layout, self.points, self.seed)

    @cached_property
    def cells(self) -> list[Cell]:
        """Every cell: the first design at every point, then the next."""
        base = base_of(self.scenario)
        cells: list[Cell] = []
        for design, name in zip(self.designs, self.on, strict=True):
            code = model_version() + design_version(design)
            for settings in self.points_settings:
                if self.spares_refused and self._refusal(design, settings):
                    continue
                identity = identity_of(base, name, code, settings, self.seeds)
                cells.append(Cell(len(cells), name, settings, self.seeds, identity))
        return cells

    @cached_property
    def refused(self) -> dict[tuple[str, str], str]:
        """(design, strength of the store) -> why there are no cells of them."""
        if not self.spares_refused:
            return {}
        return {
            (name, str(settings.get("kv.strength"))): text
            for design, name in zip(self.designs, self.on, strict=True)
            for settings in self.points_settings
            if (text := self._refusal(design, settings))
        }

    def _refusal(self, design: str | type[Architecture], settings: Settings) -> str:
        """Why a design does not stand on the store that these settings name; nothing where it does."""
        about = {path: value for path, value in settings.items() if path.partition(".")[0] == "kv"}
        if not about:
            return ""
        key = (str(design), canonical(about))
        if key not in self._refusals:
            self._refusals[key] = refusal(with_settings(self.scenario, about), design)
        return self._refusals[key]

    @cached_property
    def _refusals(self) -> dict[tuple[str, str], str]:
        return {}

    def tasks(self, cells: Sequence[Cell], *, are_sent: bool) -> list[Task]:
        """What is given to whoever plays these cells, each name once: two points of a spread may round to one."""
        designs = {name: packed(design, is_sent=are_sent) for design, name in zip(self.designs, self.on, strict=True)}
        version = model_version()
        return [
            Task(cell.identity, self.scenario, cell.settings, designs[cell.on], cell.seeds, version)
            for cell in {cell.identity: cell for cell in cells}.values()
        ]

    def again(self, cell: Cell, seed: int) -> str:
        """The command that plays one run of a cell again."""
        from orderquake.sim.asked import Asked

        settings = {**(self.settings or {}), **cell.settings}
        return Asked(self.word or self.scenario.name, self.scenario, cell.on, settings).again(seed)


def asked(
    scenario: Scenario,
    designs: Sequence[str | type[Architecture]],
    axes: Sequence[Axis],
    *,
    layout: str = "",
    points: int | None = None,
    seed: int = 1,
    runs: int = 10,
    at_most: int = AT_MOST,
    sensitivity: str = "",
    word: str = "",
    settings: Settings | None = None,
    spares_refused: bool = False,
) -> Question:
    """A question that can be answered.

    raises   Mistake, ScenarioError: nothing is varied, a path does not exist, a value does not fit, too many cells
    """
    names = [check_design(design) for design in designs]
    if len(set(names)) < len(names):
        raise Mistake(f"--on names a design twice ({', '.join(names)}); expected each once")
    if sensitivity:
        from orderquake.sim.sweep.sensitivity import check_sensitivity

        chosen, number = check_sensitivity(sensitivity, axes, layout, points)
    else:
        chosen = check_layout(axes, layout, points)
        number = how_many(axes, chosen, points)
    check_size(axes, number, len(names), at_most)
    check_axes(axes, scenario)
    return Question(scenario, tuple(designs), tuple(axes), chosen, number, seed, runs, word, settings, spares_refused)


def check_design(design: str | type[Architecture]) -> str:
    from orderquake.sim.asked import check_design as known

    return known(design) if isinstance(design, str) else design.name


def check_cells(question: Question, cells: Sequence[Cell]) -> None:
    """Let the scenario look at the settings of each cell, before hours are spent on the others.

    raises   ScenarioError, which names the first cell that contradicts itself; and where a design refuses its store
    """
    designs = dict(zip(question.on, question.designs, strict=True))
    made: dict[str, Scenario] = {}
    for cell in cells:
        words = canonical(cell.settings)
        try:
            if words not in made:
                made[words] = with_settings(question.scenario, cell.settings)
            if text := refusal(made[words], designs[cell.on]):
                raise ScenarioError([Problem("", None, text)])
        except ScenarioError as error:
            where = f"cell {cell.number} of {len(question.cells)}, on {cell.on}:"
            raise ScenarioError(Problem(f"{where} {one.file}", one.spot, one.text) for one in error.problems) from None


def refusal(scenario: Scenario, design: str | type[Architecture]) -> str:
    """Why a design does not stand on the scenario's store; nothing where it does."""
    from orderquake.sim.run import design_of, policy_of, refuse_weak_store

    try:
        refuse_weak_store(scenario, design_of(design)(policy_of(scenario)))
    except ScenarioError as error:
        return "; ".join(problem.text for problem in error.problems)
    return ""


def as_json(question: Question) -> Mapping[str, Any]:
    """The question, for whoever reads a record of its answer."""
    header = question.header
    return {**header, "scenario": question.scenario.name, "paths": list(question.paths), "cells": len(question.cells)}
