"""What matters: how much of what a measure does each varied number is responsible for.

The points and the indices are SALib's, which is an extra; here are only the question it is asked and its answer in our
words. Nothing is played here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from orderquake.sim.asked import Mistake
from orderquake.sim.sweep.axes import Axis, Stretch
from orderquake.sim.sweep.cell import MEASURES
from orderquake.sim.sweep.layout import at_shares

if TYPE_CHECKING:
    from orderquake.sim.sweep.swept import Swept

ANALYSES: Final[Mapping[str, str]] = {"sobol": "saltelli", "morris": "morris"}
"""Analysis -> the layout that it needs."""

LEVELS: Final = 4
"""Steps of a Morris trajectory on each path: Campolongo and others, Environ. Model. Softw. 22 (2007)."""


class Index(NamedTuple):
    """value ± half_width at 95 %; is_clear where zero is outside."""

    value: float
    half_width: float

    @property
    def is_clear(self) -> bool:
        return abs(self.value) > self.half_width


class Effect(NamedTuple):
    """What one path does to one measure on one design.

    indices   sobol: first_order (its own share of the variance) and total (with all that it does together with others);
              morris: mu_star (the mean size of an effect, in the measure's unit) and sigma (how much that varies)
    """

    on: str
    measure: str
    path: str
    indices: Mapping[str, Index]


def check_sensitivity(word: str, axes: Sequence[Axis], layout: str, cells: int | None) -> tuple[str, int]:
    """The layout and how many points it has, at most `cells`.

    raises   Mistake where SALib is absent, or what is varied does not fit the analysis
    """
    if word not in ANALYSES:
        raise Mistake(f'--sensitivity "{word}" is none; expected one of {", ".join(ANALYSES)}')
    salib("sample")
    if layout:
        raise Mistake(f"--sensitivity lays out points of its own; found --design {layout}. Leave one of them out")
    if not axes or not all(isinstance(axis, Stretch) for axis in axes):
        raise Mistake("--sensitivity needs a range for every path; expected --range PATH=LOW..HIGH, and no --vary")
    if cells is None:
        raise Mistake("--sensitivity does not say how many points; expected --cells N")
    block = len(axes) + (2 if word == "sobol" else 1)
    blocks = cells // block
    if word == "sobol":
        blocks = 2 ** int(math.log2(blocks)) if blocks else 0
    least = 8 if word == "sobol" else 4
    if blocks < least:
        raise Mistake(
            f"--cells {cells} is too few for --sensitivity {word} over {len(axes)} paths; expected at least "
            f"{least * block}, {least} times the {block} points that it moves together"
        )
    return ANALYSES[word], blocks * block


def salib(part: str) -> Any:
    """A part of SALib. raises   Mistake where that is absent"""
    try:
        return import_module(f"SALib.{part}")
    except ImportError:
        raise Mistake(
            "--sensitivity needs SALib, which is not installed; expected it beside orderquake: "
            "pip install 'orderquake[sensitivity]'"
        ) from None


def _problem(axes: Sequence[Axis]) -> dict[str, Any]:
    return {"num_vars": len(axes), "names": [axis.path for axis in axes], "bounds": [[0.0, 1.0]] * len(axes)}


def shares_for(layout: str, axes: int, points: int, seed: int, names: Sequence[str]) -> np.ndarray:
    """Points in the unit cube, in the order that the analysis wants them back."""
    problem = {"num_vars": axes, "names": list(names), "bounds": [[0.0, 1.0]] * axes}
    if layout == "morris":
        found: np.ndarray = salib("sample.morris").sample(problem, points // (axes + 1), num_levels=LEVELS, seed=seed)
        return found
    spread: np.ndarray = salib("sample.sobol").sample(problem, points // (axes + 2), calc_second_order=False, seed=seed)
    return spread


def settings_for(layout: str, axes: Sequence[Axis], points: int, seed: int) -> list[dict[str, Any]]:
    """The settings of every point."""
    return at_shares(axes, shares_for(layout, len(axes), points, seed, [axis.path for axis in axes]))


def effects(made: Swept) -> list[Effect]:
    """What every path does to every measure that all cells can claim and that is not everywhere the same.

    raises   Mistake where the sweep was not laid out for an analysis, or a cell failed
    """
    question = made.question
    if question.layout not in ANALYSES.values():
        raise Mistake(f"points in a {question.layout} cannot be analysed; expected --sensitivity sobol or morris")
    if made.failed:
        raise Mistake(
            f"{len(made.failed)} cells could not be played, and an analysis needs all of them; "
            "give the same command again, and they are tried once more"
        )
    found = []
    for on in question.on:
        cells = [cell for cell in made.cells if cell.on == on]
        columns = {
            "oversells": [share.hits / share.runs for cell in cells if (share := made.share(cell, "oversells"))],
            **{name: [one.mean for cell in cells if (one := made.mean(cell, name))] for name in MEASURES},
        }
        for measure, values in columns.items():
            if len(values) == len(cells) and max(values) > min(values):
                found += _effects(made, on, measure, np.array(values))
    return found


def _effects(made: Swept, on: str, measure: str, values: np.ndarray) -> list[Effect]:
    question = made.question
    problem = _problem(question.axes)
    if question.layout == "morris":
        points = shares_for("morris", len(question.axes), question.points, question.seed, question.paths)
        answer = salib("analyze.morris").analyze(problem, points, values, num_levels=LEVELS, seed=question.seed)
        return [
            Effect(
                on, measure, path,
                {"mu_star": Index(float(answer["mu_star"][place]), float(answer["mu_star_conf"][place])),
                 "sigma": Index(float(answer["sigma"][place]), math.nan)},
            )
            for place, path in enumerate(question.paths)
        ]  # fmt: skip
    answer = salib("analyze.sobol").analyze(problem, values, calc_second_order=False, seed=question.seed)
    return [
        Effect(
            on, measure, path,
            {"first_order": Index(float(answer["S1"][place]), float(answer["S1_conf"][place])),
             "total": Index(float(answer["ST"][place]), float(answer["ST_conf"][place]))},
        )
        for place, path in enumerate(question.paths)
    ]  # fmt: skip


def effects_record(found: Sequence[Effect]) -> list[dict[str, Any]]:
    """Plain, with each index in words."""
    return [
        {
            "on": one.on,
            "measure": one.measure,
            "path": one.path,
            "indices": {
                name: {"value": index.value, "half_width": _finite(index.half_width), "words": in_words(index)}
                for name, index in one.indices.items()
            },
        }
        for one in found
    ]


def in_words(index: Index) -> str:
    """
    >>> in_words(Index(0.512, 0.1)), in_words(Index(0.01, 0.2))
    ('0.51 ± 0.1', '(0.01 ± 0.2)')
    """
    if math.isnan(index.half_width):
        return f"{index.value:.2g}"
    text = f"{index.value:.2g} ± {index.half_width:.2g}"
    return text if index.is_clear else f"({text})"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
