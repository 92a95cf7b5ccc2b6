"""One run: a design, a scenario, a seed; what happened, and what is to be said of it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from orderquake.model import policy as shop
from orderquake.model.architecture import Architecture
from orderquake.model.assumptions import Assumption
from orderquake.model.in_kv import InKv
from orderquake.sim.checkers import all_checkers
from orderquake.sim.checkers.columns import second_opinion
from orderquake.sim.checkers.fold import Verdict
from orderquake.sim.checkers.judge import judge, judge_fully
from orderquake.sim.checkers.verdicts import run_verdict
from orderquake.sim.history import History
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_errors import Problem, ScenarioError
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.shop import Patience

if TYPE_CHECKING:
    import pandas as pd

    from orderquake.sim.world.streams import Deviation, Streams


@dataclass
class Run:
    """What one run left behind. Frames have named columns; units stand in their names.

    digest    thirty-two hexadecimal digits of the history: the same code, scenario, design and seed give the same
    verdicts  checker -> verdict; `verdict` is the run's own, by the scenario's `must_exercise`
    gauges    name -> (moments in microseconds, values)
    wall_s    seconds that the run took, without judging and drawing
    deviations   single draws that were overruled
    """

    scenario: Scenario
    architecture: str
    seed: int
    history: History
    gauges: dict[str, tuple[list[int], list[float]]] = field(repr=False)
    wall_s: float
    verdicts: dict[str, Verdict]
    verdict: str
    notes: tuple[str, ...] = ()
    deviations: tuple[Deviation, ...] = ()

    @property
    def digest(self) -> str:
        return self.history.digest

    def latency(self) -> pd.DataFrame:
        """Step -> n, p50_s, p90_s, p99_s, p999_s."""
        from orderquake.sim.study.measures import latency

        return latency(self.history)

    def drift(self) -> pd.DataFrame:
        """Drift of the Stock Cache over time, units."""
        from orderquake.sim.study.drift import drift

        return drift(self.history)

    def alerts(self) -> pd.DataFrame:
        """When an operator would have been called, by the scenario's rules, and which fault is to blame."""
        from orderquake.sim.study.alerts import alerts, watch

        return alerts(watch(self.history, self.gauges, self.scenario.alert))

    def outcomes(self) -> dict[str, int]:
        """How the orders ended, counted."""
        from orderquake.sim.study.measures import outcomes

        return outcomes(self.history)

    def points(self) -> pd.DataFrame:
        """Sometimes-points: the rare moments of a sound design; how often each was passed, and where first."""
        from orderquake.sim.study.points.rates import frame

        return frame(self.history)

    def to_json(self) -> dict[str, Any]:
        """The run as one JSON object, without its history."""
        from orderquake.sim.study.summary import summary

        return summary(self)


def simulate(
    scenario: Scenario | str | Path,
    on: str | type[Architecture] = "hot_cold",
    seed: int = 1,
    progress: Callable[[float], None] | None = None,
    is_doubted: bool = False,
    luck: Streams | None = None,
) -> Run:
    """Run a scenario on a design, and judge what happened.

    scenario     a Scenario, the name of one that comes along, or a path to a TOML file
    on           name of a design, or a class of one's own
    progress     told the share of the scenario's horizon that has been played
    is_doubted   judge three ways and compare; see `judged`
    luck         fresh streams of the same seed, with single draws overruled or noted; see `choices`
    raises       ScenarioError where the scenario does not hold together, KeyError where there is no such design

    >>> run = simulate("last_unit", seed=3)
    >>> run.verdict
    'valid'
    """
    from orderquake.sim.world.world import World

    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    design = design_of(on)(policy_of(scenario))
    refuse_weak_store(scenario, design)
    began = time.perf_counter()
    with _without_collector():
        world = World(scenario, design, seed, luck=luck)
        world.run(progress)
        wall_s = time.perf_counter() - began
        history, series, unseen_faults = world.history, world.gauges.series(), unseen(world)
        deviations = world.streams.deviations
        world.take_apart()
        run = judged(scenario, design.name, seed, history, series, wall_s, unseen_faults, is_doubted)
        run.deviations = deviations
        return run


def judged(
    scenario: Scenario,
    architecture: str,
    seed: int,
    history: History,
    gauges: dict[str, tuple[list[int], list[float]]],
    wall_s: float,
    unseen_faults: tuple[str, ...] = (),
    is_doubted: bool = False,
) -> Run:
    """A run with its verdicts: every checker, and the faults that had to be seen.

    is_doubted   let the checkers hear every row as well, ask for the second opinions, and compare
    raises       AssertionError where two ways to judge disagree, which is a mistake of the harness
    """
    verdicts = judge(history, all_checkers())
    if is_doubted and (disagreements := doubts(history, verdicts)):
        raise AssertionError(
            f"two implementations of one promise disagree on {scenario.name} with seed {seed}: {disagreements}"
        )
    from orderquake.sim.study.metastable import collapses_in_words, jam_in_words
    from orderquake.sim.study.points.rates import missing, why_unknown

    verdict = run_verdict(verdicts, scenario.must_exercise)
    missed = missing(history, scenario.must_see)
    if (unseen_faults or missed) and verdict == "valid":
        verdict = "unknown"
    notes = (
        *(f"fault {label} was never seen to strike" for label in unseen_faults),
        *why_unknown(missed),
        *collapses_in_words(history, scenario.horizon),
        *jam_in_words(history),
    )
    return Run(scenario, architecture, seed, history, gauges, wall_s, verdicts, verdict, notes)


def doubts(history: History, verdicts: Mapping[str, Verdict]) -> list[str]:
    """What the folds over every row and the second opinions say against these verdicts, a sentence each."""
    fully = judge_fully(history, all_checkers())
    differing = [
        f"{name}: {verdicts[name]} as judged, {verdict} by all rows"
        for name, verdict in fully.items()
        if verdicts[name] != verdict
    ]
    return differing + second_opinion(history, fully)


def design_of(on: str | type[Architecture]) -> type[Architecture]:
    """The class of a design: one's own, a shipped one, or one registered under `orderquake.architectures`."""
    if not isinstance(on, str):
        return on
    from importlib.metadata import entry_points

    from orderquake.model.architectures import ARCHITECTURES

    if on in ARCHITECTURES:
        return ARCHITECTURES[on]
    for entry in entry_points(group="orderquake.architectures", name=on):
        design: type[Architecture] = entry.load()
        return design
    raise KeyError(f"no architecture {on!r}; there are {', '.join(sorted(ARCHITECTURES))}")


def refuse_weak_store(scenario: Scenario, design: Architecture) -> None:
    """A design whose caches compare before they set cannot be moved to a store that does not. raises   ScenarioError"""
    kv = scenario.kv
    if kv is None or kv.compares or Assumption.ORDERS_COMPARE_AND_SET not in design.requires:
        return
    if not any(isinstance(store, InKv) for store in design.stores({}).values()):
        text = (
            f'[kv] has strength = "{scenario.tables()["kv"]["strength"]}", which does not compare before it sets, and '
            f'{design.name} relies on that; expected strength = "linearizable", or a design such as article or claims'
        )
        raise ScenarioError([Problem(scenario.name, None, text)])


def policy_of(scenario: Scenario) -> shop.Policy:
    """The scenario's policy in the protocol's own words."""
    policy = scenario.policy
    patience: Mapping[str, shop.Patience] = MappingProxyType(
        {
            service: shop.Patience(
                timeout_us=patience.timeout,
                attempts=patience.attempts,
                base_us=patience.base,
                cap_us=patience.cap,
                backoff=patience.backoff,
                breaker=breaker_of(patience),
                budget=budget_of(patience),
                hedge_after_us=patience.hedge_after,
            )
            for service, patience in policy.patience.items()
        }
    )
    return shop.Policy(
        order=policy.order,
        ttl_us=policy.reservation_ttl,
        extends=policy.extends,
        expires_on_look=policy.expiry == "on_look",
        safety_stock=scenario.stock.safety_stock,
        decide_within_us=policy.decide_within,
        send_horizon_us=policy.send_horizon,
        key_retention_us=scenario.service.payment.key_retention,
        renews_keys=scenario.service.payment.key_renewal == "every_use",
        worker_deadline_us=policy.worker_deadline,
        lease_us=policy.lease,
        idle_us=policy.idle,
        max_deliveries=policy.max_deliveries,
        settle_after_us=policy.settle_after,
        batches=MappingProxyType({name: job.batch for name, job in scenario.jobs.items()}),
        below_zero=scenario.service.record.below_zero,
        patience=patience,
    )


def breaker_of(patience: Patience) -> shop.BreakerPolicy | None:
    breaker = patience.breaker
    return None if breaker is None else shop.BreakerPolicy(breaker.failures, breaker.opens_for, breaker.probes)


def budget_of(patience: Patience) -> shop.BudgetPolicy | None:
    budget = patience.retry_budget
    return None if budget is None else shop.BudgetPolicy(round(1000 * budget.per_call), budget.burst)


def unseen(world: Any) -> tuple[str, ...]:
    """Faults that had to be seen and were not."""
    return tuple(made.label for made in world.faults if made.fault.must_be_seen and not made.strikes)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Rows are plain tuples that never form cycles; looking for some in millions of them costs a third of a run."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
