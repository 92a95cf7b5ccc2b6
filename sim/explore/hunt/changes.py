"""A scenario with something changed: valid like every other, or not there at all. Rounding, and plain values.

What a change makes of the rest is looked after here: the quiet phase stays as long as the bound asks for, and whatever
the rules of scenarios forbid does not come about.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from orderquake.sim.explore.quiet import quiet_bound, unjammed
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_rules import contradictions
from orderquake.sim.units import MS, SECOND
from orderquake.sim.world.delays import Delay, delay


def changed(scenario: Scenario, **update: Any) -> Scenario | None:
    """The scenario with these parts instead of its own; None where they contradict the others, or nothing changes."""
    made = scenario.model_copy(update=update)
    if made == scenario:
        return None
    try:
        if contradictions(made):
            return None
    except (KeyError, ValueError):
        return None
    return made


def rested(scenario: Scenario) -> Scenario:
    """As long a quiet phase as everything that is promised for the end may take, and no jobs that could prevent it."""
    calm = unjammed(scenario)
    return calm.model_copy(update={"quiet_limit": quiet_bound(calm) + SECOND})


def is_rested(scenario: Scenario) -> bool:
    """Does its quiet phase last as long as the bound? If not, what is unfinished at the end says little."""
    return scenario.quiet_limit >= quiet_bound(scenario)


def with_part(part: BaseModel, **update: Any) -> Any:
    """A part with other values, checked as if it had been read; None where it does not hold together."""
    said = part.model_copy(update=update).model_dump(mode="json", by_alias=True, exclude_none=True)
    try:
        return type(part).model_validate(said)
    except ValidationError:
        return None


def constant(us: int) -> Delay:
    return delay(kind="constant", value=f"{max(0, us)} us")


def rounder(us: int) -> Iterator[int]:
    """Lengths of time near this one with fewer digits, the roundest first; none for what is round.

    >>> list(rounder(1_234_567)), list(rounder(20_000)), list(rounder(0))
    ([1000000, 1200000], [], [])
    """
    digits = len(str(us)) - 1
    for kept in (0, 1):
        unit = 10 ** max(0, digits - kept)
        near = round(us / unit) * unit
        if near != us:
            yield near


MOMENTS = (SECOND, SECOND // 2, 100 * MS, 10 * MS)


def on_the_beat(us: int) -> Iterator[int]:
    """Moments near this one that are multiples of something round, the roundest first.

    >>> list(on_the_beat(1_730_000))
    [2000000, 1000000, 1500000, 1700000]
    """
    seen = {us}
    if us % SECOND == 0:
        return
    for beat in MOMENTS:
        if us % beat == 0:
            return
        for near in (round(us / beat) * beat, us // beat * beat):
            if near not in seen:
                seen.add(near)
                yield near
