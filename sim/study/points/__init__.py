"""Sometimes-points: named rare moments that a sound design comes through, and where a broken one parts ways with it.

"Nothing invalid" means something only where these were met (Antithesis calls such claims `sometimes`). A point looks at
the history alone; what may not happen at all is for the checkers.

>>> len(points()) >= 60, len({point.name for point in points()}) == len(points())
(True, True)
"""

from __future__ import annotations

from functools import cache
from typing import Any

from orderquake.sim.history import History
from orderquake.sim.study.points import (
    charges,
    customers,
    losses,
    posts,
    refunds,
    reservations,
    services,
    shelves,
    snapshots,
    workers,
)
from orderquake.sim.study.points.look import Look
from orderquake.sim.study.points.point import POLICIES, Passed, Point

__all__ = ["FAMILIES", "POLICIES", "Passed", "Point", "listing", "passed", "point_names", "points"]

FAMILIES = (customers, workers, charges, refunds, reservations, shelves, snapshots, posts, losses, services)
"""The files of points, in the order in which they are told."""


@cache
def points() -> tuple[Point, ...]:
    """Every point, family by family."""
    return tuple(thing for module in FAMILIES for thing in vars(module).values() if isinstance(thing, Point))


def point_names() -> tuple[str, ...]:
    """Their names."""
    return tuple(point.name for point in points())


def listing() -> list[dict[str, Any]]:
    """What can be said of each point without a run, plain."""
    return [
        {"name": point.name, "says": point.says, "family": point.family, "policies": list(point.policies)}
        for point in points()
    ]


def passed(history: History) -> dict[str, Passed]:
    """How often a history passed each point, and the row at which it first did."""
    look = Look(history)
    return {point.name: point.passed(look) for point in points()}
