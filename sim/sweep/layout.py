"""Where the points of a sweep lie: on every crossing of the values, or spread evenly over the whole space.

From axes to settings, and from a seed: the same words give the same points. Nothing is played here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any, Final

import numpy as np

from orderquake.sim.asked import Mistake
from orderquake.sim.sweep.axes import Axis, Choice, Stretch

LAYOUTS: Final = ("grid", "lhs", "sobol")
"""Every crossing; a Latin hypercube (each axis in as many slices as there are points, each slice once); Sobol's
sequence, scrambled (Owen, 1995), which fills the space most evenly at powers of two."""

AT_MOST: Final = 2_000
"""Cells of a sweep, where no other limit is said."""


def check_layout(axes: Sequence[Axis], layout: str, points: int | None) -> str:
    """The layout's name; a grid where only values are given, a Latin hypercube where there is a range.

    raises   Mistake where there is nothing to vary, or axes and layout do not fit
    """
    if not axes:
        raise Mistake(
            "nothing is varied; expected --vary PATH=VALUE,VALUE or --range PATH=LOW..HIGH. See: sweep --help"
        )
    ranges = [axis.path for axis in axes if isinstance(axis, Stretch)]
    chosen = layout or ("lhs" if ranges else "grid")
    if chosen not in LAYOUTS:
        raise Mistake(f'--design "{layout}" is none; expected one of {", ".join(LAYOUTS)}')
    if chosen == "grid":
        if ranges:
            raise Mistake(f"--range {ranges[0]} has no values to cross; expected --vary, or --design lhs or sobol")
        if points is not None:
            raise Mistake("--cells says how many points a spread has; a grid has one for each crossing. Leave it out")
        return chosen
    if points is None:
        raise Mistake(f"--design {chosen} does not say how many points; expected --cells N")
    if chosen == "sobol" and points & (points - 1):
        below = 2 ** int(math.log2(points))
        raise Mistake(
            f"--cells {points} leaves Sobol's sequence uneven; expected a power of two, such as {below} or {2 * below}"
        )
    return chosen


def how_many(axes: Sequence[Axis], layout: str, points: int | None) -> int:
    """Points of a layout that has been checked."""
    if layout == "grid":
        return math.prod(len(axis.values) for axis in axes if isinstance(axis, Choice))
    assert points is not None
    return points


def check_size(axes: Sequence[Axis], points: int, designs: int, at_most: int) -> None:
    """raises   Mistake where a sweep has more cells than it may"""
    if points * designs <= at_most:
        return
    crossed = " x ".join(
        [f"{len(axis.values)} of {axis.path}" for axis in axes if isinstance(axis, Choice)]
        + ([f"{designs} designs"] if designs > 1 else [])
    )
    why = f" ({crossed})" if crossed else ""
    raise Mistake(
        f"the sweep has {points * designs:,} cells{why}; expected at most {at_most:,}. "
        f"Vary less, spread points with --design lhs --cells {max(at_most // designs, 1)}, or say --at-most "
        f"{points * designs}"
    )


def shares_of(layout: str, axes: int, points: int, seed: int) -> np.ndarray:
    """Points of a spread in the unit cube, a row each.

    >>> shares_of("lhs", 2, 4, seed=1).shape
    (4, 2)
    """
    from scipy.stats import qmc

    if layout == "lhs":
        made: np.ndarray = qmc.LatinHypercube(axes, seed=np.random.default_rng(seed)).random(points)
        return made
    spread: np.ndarray = qmc.Sobol(axes, seed=np.random.default_rng(seed)).random(points)
    return spread


def settings_of(axes: Sequence[Axis], layout: str, points: int, seed: int) -> list[dict[str, Any]]:
    """The settings of every point, in the order of the cells.

    >>> settings_of([Choice("a", (1, 2)), Choice("b", ("x",))], "grid", 2, seed=1)
    [{'a': 1, 'b': 'x'}, {'a': 2, 'b': 'x'}]
    """
    if layout == "grid":
        values = [axis.values for axis in axes if isinstance(axis, Choice)]
        return [dict(zip((axis.path for axis in axes), point, strict=True)) for point in product(*values)]
    return at_shares(axes, shares_of(layout, len(axes), points, seed))


def at_shares(axes: Sequence[Axis], shares: np.ndarray) -> list[dict[str, Any]]:
    """The settings of points in the unit cube."""
    return [
        {axis.path: axis.at(float(share)) for axis, share in zip(axes, point, strict=True)} for point in shares.tolist()
    ]
