"""A swarm: scenarios whose every knob is drawn, small enough that a hundred thousand of them can be played.

Chance has two stages: first a run gets its character (which faults and moods there are at all, each with a chance of
its own), then they strike within it. So what is rare in general is common in some run, and absent in others, where it
cannot hide anything (Groce et al., "Swarm testing", 2012).

Retentions, horizons and periods are shortened, and keep their order: what must be longer than something else still is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from orderquake.model.architecture import Architecture
from orderquake.model.assumptions import Assumption
from orderquake.sim.explore.quiet import jobs_can_jam, quiet_bound, unjammed
from orderquake.sim.explore.swarm_demand import drawn_stock, drawn_workload
from orderquake.sim.explore.swarm_faults import CannotDraw, Day, drawn_fault, undrawable
from orderquake.sim.explore.swarm_file import to_toml
from orderquake.sim.explore.swarm_luck import Luck, duration
from orderquake.sim.explore.swarm_services import drawn_jobs, drawn_places, drawn_policy, drawn_services
from orderquake.sim.explore.swarm_themes import THEMES, theme_of
from orderquake.sim.nemesis import FAULTS, Fault
from orderquake.sim.scenario import FlashSale, Scenario
from orderquake.sim.units import HOUR, MINUTE, SECOND, parse_duration

QUESTION = "Drawn, not written: does the design keep its promises on a day that nobody has thought of?"
FEWEST, MOST = 20, 80
"""Orders a run."""


Kinds: TypeAlias = Mapping[str, type[Fault]]
KINDS: Kinds = {name: kind.model for name, kind in FAULTS.items()}
MOST_FAULTS = 10
SHUTS = frozenset({"down", "partition", "read_only"})
"""Kinds of fault through which no order gets."""
MOST_AWAY = 0.6
"""Share of the time in which customers come for which the Order Cache may be out of reach."""


class NothingBreaks(Exception):
    """No kind of fault takes away what the design requires: there is no outside of its contract. The text says so."""


@dataclass(frozen=True)
class Drawn:
    """A drawn scenario.

    tables     as a file writes it
    scenario   as it is read
    theme      which bias the day has, "" for none; see `swarm_themes`
    """

    seed: int
    tables: Mapping[str, Any]
    scenario: Scenario
    theme: str = ""

    def write(self, folder: Path) -> Path:
        """Write the file: `orderquake run` plays it on its own."""
        path = folder / f"{self.scenario.name}.toml"
        path.write_text(to_toml(self.tables, f"swarm, seed {self.seed}, {self.theme or 'no theme'}"), encoding="utf-8")
        return path


def drawn(seed: int, design: type[Architecture], is_outside: bool = False, kinds: Kinds | None = None) -> Drawn:
    """The scenario of a seed.

    design       whose contract counts: inside it, no fault takes away what the design `requires`
    is_outside   at least one does
    kinds        faults by name, instead of all that there are
    raises       NothingBreaks where the contract has no outside
    """
    luck = Luck(seed)
    theme = theme_of(luck.under("theme"))
    tables = drawn_day(luck, theme)
    name = f"swarm-{seed}" + ("-outside" if is_outside else "")
    calm = read({**tables, "quiet_limit": "1 min"}, name)
    if jobs_can_jam(calm):
        tables["jobs"] = {job: table | {"overlaps": False} for job, table in tables["jobs"].items()}
        calm = unjammed(calm)
    faults = drawn_faults(luck.under("fault"), Day.of(calm), design.requires, is_outside, kinds or KINDS, theme)
    while True:
        if faults:
            tables["fault"] = [table for table, _ in faults]
        try:
            tables["quiet_limit"] = duration(quiet_limit(read({**tables, "quiet_limit": "1 min"}, name)) + SECOND)
            return Drawn(seed, tables, read(tables, name), theme)
        except ValidationError as error:
            misfit = misfits(error)
            if not misfit:
                raise
            # Faults that stand in each other's way: the first of those that were complained of goes.
            del faults[max(misfit)]
            tables.pop("fault", None)


def quiet_limit(scenario: Scenario) -> int:
    """The bound, microseconds; or less where the record refuses posts for good, or something stays dead: what waits for
    that never rests, and to wait with it takes longer than a thousand other runs."""
    bound = quiet_bound(scenario)
    stays_dead = any(not getattr(fault, "is_healed", True) for fault in scenario.fault)
    if stays_dead or scenario.service.record.below_zero == "reject":
        return min(bound, scenario.service.payment.key_retention + scenario.policy.message_life + 20 * MINUTE)
    return bound


def read(tables: Mapping[str, Any], name: str) -> Scenario:
    return Scenario.model_validate({**tables, "name": name})


def misfits(error: ValidationError) -> set[int]:
    """Numbers of the faults that a scenario complains of."""
    found: set[int] = set()
    for problem in error.errors():
        paths = [path for path, _ in problem.get("ctx", {}).get("found", ())] or [problem["loc"]]
        found |= {path[1] for path in paths if path and path[0] == "fault" and len(path) > 1}
    return found


def drawn_day(luck: Luck, theme: str = "") -> dict[str, Any]:
    """All but the faults."""
    orders = luck.count("orders", FEWEST, MOST)
    long = THEMES[theme].sets.get("horizon") if theme else None
    horizon_us = parse_duration(long(luck.under("horizon")) if long else luck.time("horizon", MINUTE, 10 * MINUTE))
    places = drawn_places(luck.under("places"))
    retention_us = luck.decades("retention", 20 * MINUTE, 2 * HOUR)
    stock, workload = luck.under("stock"), luck.under("workload")
    skus = stock.count("skus", 1, 30)
    services = drawn_services(luck.under("service"), [place["name"] for place in places["place"]], retention_us)
    shopping = drawn_workload(workload, orders, horizon_us, skus)
    tables = {
        "schema_version": 1,
        "question": QUESTION,
        "horizon": duration(horizon_us),
        "gauge_every": "1 min",
        "must_exercise": ["every_order_ends"],
        "workload": shopping,
        "stock": drawn_stock(stock, orders, horizon_us, skus, shopping),
        **places,
        "service": services,
        "policy": drawn_policy(luck.under("policy"), retention_us, services),
        "jobs": drawn_jobs(luck.under("jobs")),
    }
    if theme:
        THEMES[theme].apply(luck.under("theme"), tables)
    return tables | {"horizon": duration(horizon_us)}


# -- faults

Asked: TypeAlias = tuple[dict[str, Any], Fault]
"""A fault as a file writes it, and as it is read."""


def drawn_faults(
    luck: Luck, day: Day, requires: frozenset[Assumption], is_outside: bool, kinds: Kinds, theme: str = ""
) -> list[Asked]:
    """Which kinds there are in this run, and what they do: first those that its theme asks for."""
    share = luck.pick("share", (0.0, 0.03, 0.07, 0.15))
    found = [first_outside(luck.under("outside"), day, requires, kinds)] if is_outside else []
    if theme:
        wished = THEMES[theme].faults(luck.under("theme"), day, kinds)
        found += [asked for asked in wished if is_outside or not broken_by(asked[1], day) & requires]
    # The luckiest first, so that no kind is left out for standing last in the table.
    lucky = sorted((luck.share(name), name) for name in kinds if luck.chance(name, share))
    for _, name in lucky[:MOST_FAULTS]:
        here = luck.under(name)
        for number in range(here.whole("how_many", 1, 2)):
            asked = _drawn(kinds[name], here.under(number), day)
            if asked is not None and (is_outside or not broken_by(asked[1], day) & requires):
                found.append(asked)
    return with_an_open_door(found[:MOST_FAULTS], day)


def with_an_open_door(faults: list[Asked], day: Day) -> list[Asked]:
    """Those that leave the Order Cache within reach for a good part of the time in which customers come.

    A day on which nobody gets in tests nothing, and its verdict is unknown.
    """
    first_us, last_us = customers_come(day)
    kept: list[Asked] = []
    away: list[tuple[int, int]] = []
    for asked in faults:
        windows = [
            part.window(day.scenario.horizon)
            for part in asked[1].parts(day.scenario)
            if part.kind in SHUTS and (part.where() == "order_cache" or getattr(part, "between", None) is not None)
        ]
        if not windows or covered(away + windows, first_us, last_us) <= MOST_AWAY * (last_us - first_us):
            kept.append(asked)
            away += windows
    return kept


def customers_come(day: Day) -> tuple[int, int]:
    """From when to when, microseconds."""
    workload, horizon_us = day.scenario.workload, day.scenario.horizon
    if isinstance(workload, FlashSale):
        lasts_us = workload.over // 2 if workload.shape == "decaying" else workload.over
        return workload.starts, min(workload.starts + lasts_us, horizon_us)
    return 0, horizon_us


def covered(windows: Iterable[tuple[int, int]], first: int, last: int) -> int:
    """How much of the time from `first` to `last` lies in any of the windows.

    >>> covered([(0, 4), (3, 6), (8, 20)], 2, 10)
    6
    """
    total, until = 0, first
    for begin, end in sorted(windows):
        total += max(0, min(end, last) - max(begin, until))
        until = max(until, min(end, last))
    return total


def first_outside(luck: Luck, day: Day, requires: frozenset[Assumption], kinds: Kinds) -> Asked:
    """A fault that takes away something that is required. raises   NothingBreaks"""
    names = breaking(requires, kinds)
    for attempt in range(40 if names else 0):
        here = luck.under(attempt)
        asked = _drawn(kinds[here.pick("kind", names)], here, day)
        if asked is not None and broken_by(asked[1], day) & requires:
            return asked
    required = ", ".join(sorted(requires)) or "nothing"
    raise NothingBreaks(f"no kind of fault takes away what the design requires ({required}); expected a run inside")


def breaking(requires: frozenset[Assumption], kinds: Kinds = KINDS) -> list[str]:
    """Kinds of fault that may take away something that is required."""
    return [name for name, kind in kinds.items() if kind.breaks & requires]


def broken_by(fault: Fault, day: Day) -> frozenset[Assumption]:
    """What a fault takes away, with all that it consists of."""
    return fault.broken().union(*(part.broken() for part in fault.parts(day.scenario)))


def _drawn(kind: type[Fault], luck: Luck, day: Day) -> Asked | None:
    try:
        return drawn_fault(kind, luck, day)
    except CannotDraw:  # told by `undrawable`, once, and not by every run
        return None


def not_drawn(kinds: Kinds | None = None) -> dict[str, str]:
    """Kinds of fault that no run has, and why: nothing of the kind fitted any of ten days."""
    missing: dict[str, str] | None = None
    for seed in range(2, 12):
        tables = drawn_day(Luck(seed))
        told = undrawable(kinds or KINDS, Day.of(read({**tables, "quiet_limit": "1 min"}, f"day-{seed}")))
        missing = told if missing is None else {kind: why for kind, why in missing.items() if kind in told}
        if not missing:
            return {}
    return missing or {}
