"""Plans and replications for notebooks and tests: scenarios by name, answers as frames with named columns.

The command line's way in is `sim/verbs/plan.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderquake.sim.asked import Asked, Mistake, check_design, check_trace
from orderquake.sim.planning.knob import Want
from orderquake.sim.planning.planned import Plan
from orderquake.sim.planning.planner import RESOLUTION, RUNS
from orderquake.sim.planning.planner import plan as planned
from orderquake.sim.planning.probe import PROCESSES, Probe, Probes, probes_of
from orderquake.sim.planning.promise import Promise, read_promise
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.settings import with_settings
from orderquake.sim.study.experiment import Signed
from orderquake.sim.study.stopping import runs_needed, two_stage

if TYPE_CHECKING:
    import pandas as pd


def plan(
    scenario: Scenario | str | Path,
    slo: str | Sequence[str],
    find: str = "",
    *,
    on: str = "hot_cold",
    settings: Mapping[str, Any] | None = None,
    want: Want | None = None,
    between: str = "",
    runs: int = RUNS,
    seed: int = 1,
    resolution: float = RESOLUTION,
    folder: Path | None = None,
    processes: int = PROCESSES,
    progress: Callable[[int], None] | None = None,
) -> Plan:
    """The largest load, or the smallest resource, at which a design keeps its promises; see `planner.plan`.

    slo        one promise or several: "checkout.p99 < 300ms"
    settings   dotted path -> value, set in the scenario first
    raises     Mistake, ScenarioError; OurFault where the harness failed in a run
    """
    slos = [slo] if isinstance(slo, str) else list(slo)
    return planned(
        _asked(scenario, on, settings), slos, find, want=want, between=between, runs=runs, seed=seed,
        resolution=resolution, folder=folder, processes=processes, progress=progress,
    )  # fmt: skip


@dataclass(frozen=True)
class Replicated:
    """Runs that were made until their mean was known as well as asked.

    mean     of the measure, with its interval; `refusal` where the runs that were allowed did not suffice
    unit     of the measure
    first    runs of the first stage, which decided how many there are
    """

    measure: str
    unit: str
    mean: Signed
    first: int
    probes: tuple[Probe, ...]

    def frame(self) -> pd.DataFrame:
        """A row a run: index `seed`; value (in `unit`), verdict, orders, digest."""
        import pandas as pd

        rows = [
            {"seed": p.seed, "value": p.seen[0].value, "verdict": p.verdict, "orders": p.orders, "digest": p.digest}
            for p in self.probes
        ]
        return pd.DataFrame(rows).set_index("seed")


def replicate_until(
    scenario: Scenario | str | Path,
    measure: str,
    *,
    on: str = "hot_cold",
    settings: Mapping[str, Any] | None = None,
    relative: float = 0.05,
    half_width: float | None = None,
    first: int = 10,
    at_most: int = 200,
    seed: int = 1,
    confidence: float = 0.95,
    folder: Path | None = None,
    processes: int = PROCESSES,
    progress: Callable[[int], None] | None = None,
) -> Replicated:
    """Replicate until the mean of a measure is known to a half-width, in two stages and without peeking (Stein, 1945).

    measure      as in a promise: "decision.p99", "drift", "refunded_share"
    relative     half-width as a share of the first stage's mean; `half_width` in the measure's unit instead
    first        runs of the first stage; the others are made at once, as many as it tells
    at_most      runs in all; where more are needed the answer says so and is refused
    raises       Mistake, ScenarioError, ValueError; OurFault where the harness failed in a run
    """
    if first < 2 or at_most < first:
        raise ValueError(f"expected a first stage of two runs or more, within at_most; found {first} and {at_most}")
    asked, promise = _asked(scenario, on, settings), _measure(measure)
    with probes_of(Probes(asked.on, [promise], folder, progress or (lambda _: None), processes)) as source:
        probes = source.at(asked.scenario, range(seed, seed + first), asked.failed)
        values = [probe.seen[0].value for probe in probes]
        lost = sum(map(math.isnan, values))
        wide = half_width if half_width is not None else relative * abs(sum(values) / first)
        if lost or not wide > 0:
            why = (
                f"{lost} of {first} runs cannot claim {measure}" if lost else f"{measure} is zero, relative to nothing"
            )
            nothing = Signed(math.nan, -math.inf, math.inf, first, confidence, "two stages (Stein)", why)
            return Replicated(measure, promise.unit, nothing, first, tuple(probes))
        needed = runs_needed(values, wide, confidence)
        probes += source.at(asked.scenario, range(seed + first, seed + min(needed, at_most)), asked.failed)
    mean, half, made = two_stage([probe.seen[0].value for probe in probes], first, confidence)
    refusal = f"a half-width of {wide:.3g} needs {needed:,} runs; {at_most:,} were allowed" if needed > at_most else ""
    signed = Signed(mean, mean - half, mean + half, made, confidence, "two stages (Stein)", refusal)
    return Replicated(measure, promise.unit, signed, first, tuple(probes))


def _measure(name: str) -> Promise:
    """A measure, as the left side of a promise."""
    try:
        return read_promise(f"{name} <= {'1 s' if '.' in name else '1'}")
    except Mistake as error:
        raise Mistake(f'"{name}" is no measure; {str(error).partition("; ")[2]}') from error


def _asked(scenario: Scenario | str | Path, on: str, settings: Mapping[str, Any] | None) -> Asked:
    loaded = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    made = with_settings(loaded, settings or {})
    check_trace(made)
    word = loaded.name if isinstance(scenario, Scenario) else str(scenario)
    return Asked(word, made, check_design(on), dict(settings or {}))
