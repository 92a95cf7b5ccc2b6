"""Days that are drawn hold together, run on their own, and stay on their side of the contract."""

from __future__ import annotations

import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import pytest
from pydantic import Field

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.assumptions import Assumption
from orderquake.sim.explore.quiet import longest, orders_of, quiet_bound, quiet_terms
from orderquake.sim.explore.swarm import Drawn, NothingBreaks, breaking, broken_by, drawn, not_drawn
from orderquake.sim.explore.swarm_faults import CannotDraw, Day, drawn_fault, undrawable
from orderquake.sim.explore.swarm_file import to_toml
from orderquake.sim.explore.swarm_luck import Luck
from orderquake.sim.nemesis import FAULTS, AtService, Fault, Lasting
from orderquake.sim.nemesis.base import Sudden
from orderquake.sim.run import simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario, scenario_names
from orderquake.sim.units import Count, Duration, Flag, Positive, Probability
from orderquake.sim.world.delays import Distribution, delay

SEEDS = range(60)


@cache
def day(seed: int, is_outside: bool = False) -> Drawn:
    return drawn(seed, HotCold, is_outside)


# -- luck


def test_a_knob_more_moves_no_other() -> None:
    luck = Luck(5)
    before = luck.share("orders")
    luck.under("new").share("x")
    assert luck.share("orders") == before == Luck(5).share("orders")
    assert len({Luck(5).share("a"), Luck(6).share("a"), Luck(5).share("b"), Luck(5).under("a").share("a")}) == 4


def test_values_stay_in_their_limits_and_reach_them() -> None:
    wholes = {Luck(seed).whole("n", 2, 4) for seed in range(60)}
    decades = [Luck(seed).decades("x", 0.01, 100.0) for seed in range(400)]
    assert wholes == {2, 3, 4}
    assert all(0.01 <= value <= 100.0 for value in decades)
    assert 0.35 < sum(value < 1.0 for value in decades) / 400 < 0.65, "each order of magnitude alike"


def test_no_law_lasts_longer_than_it_may() -> None:
    for seed in range(100):
        law = delay(**Luck(seed).law("latency", 1_000, 2_000_000, 30_000_000))
        assert law.sample(np.random.default_rng(seed), 20_000).max() <= 60_000_000


# -- days


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drawn_day_is_the_same_file_again_and_runs_on_its_own(seed: int, tmp_path: Path) -> None:
    found = day(seed)
    path = found.write(tmp_path)
    assert load_scenario(path) == found.scenario == drawn(seed, HotCold).scenario


def test_a_drawn_day_is_played_to_its_end_and_the_same_from_its_file(tmp_path: Path) -> None:
    found = day(3)
    run = simulate(found.scenario, seed=3)
    assert run.verdict == "valid"
    assert simulate(found.write(tmp_path), seed=3).digest == run.digest


def test_what_must_be_longer_is_longer_on_every_day() -> None:
    for seed in SEEDS:
        scenario = day(seed).scenario
        policy, payment = scenario.policy, scenario.service.payment
        assert policy.send_horizon + policy.worker_deadline + policy.message_life < payment.key_retention
        assert policy.lease > policy.worker_deadline
        assert policy.message_life > 4 * 60_000_000, "no fault delays anything by more than a minute"
        is_endless = scenario.service.record.below_zero == "reject" or any(
            not getattr(fault, "is_healed", True) for fault in scenario.fault
        )
        assert scenario.quiet_limit >= quiet_bound(scenario) or is_endless


def test_days_are_small_and_of_all_sorts() -> None:
    scenarios = [day(seed).scenario for seed in SEEDS]
    assert all(orders_of(scenario) < 400 for scenario in scenarios)
    assert len({scenario.workload.kind for scenario in scenarios}) == 7
    assert {scenario.policy.order for scenario in scenarios} == {
        "pay_first", "reserve_first", "authorise_reserve_capture",
    }  # fmt: skip
    assert {len(scenario.place) for scenario in scenarios} == {1, 2}
    assert {scenario.stock.pool for scenario in scenarios} == {"ring_fenced", "shared"}
    assert {scenario.policy.expiry for scenario in scenarios} == {"on_look", "sweep"}
    assert any(not scenario.fault for scenario in scenarios), "some days are calm"
    assert any(len(scenario.fault) >= 4 for scenario in scenarios)


def test_every_kind_of_fault_is_drawn() -> None:
    assert not_drawn() == {}
    some = Counter(fault.kind for seed in range(800) for fault in _faults_of(seed))
    inside = {name for name, kind in FAULTS.items() if not kind.model.breaks & HotCold.requires}
    assert inside - set(some) == set()


def _faults_of(seed: int) -> list[Fault]:
    from orderquake.sim.explore.swarm import KINDS, drawn_faults

    scenario = day(seed % 10).scenario.model_copy(update={"fault": ()})
    return [fault for _, fault in drawn_faults(Luck(seed), Day.of(scenario), HotCold.requires, False, KINDS)]


# -- the contract


def test_inside_the_contract_nothing_is_taken_away_that_the_design_requires() -> None:
    for seed in SEEDS:
        scenario = day(seed).scenario
        assert not any(broken_by(fault, Day.of(scenario)) & HotCold.requires for fault in scenario.fault)


class Demanding(HotCold):
    """Takes it for granted that every answer arrives."""

    name = "demanding"
    requires = HotCold.requires | {Assumption.ANSWERS_ARRIVE}


@pytest.mark.parametrize("design", [HotCold, Demanding])
def test_outside_at_least_one_thing_is(design: type[Architecture]) -> None:
    if not breaking(design.requires):
        pytest.skip("no kind of fault takes away what this design requires")
    for seed in range(10):
        scenario = drawn(seed, design, is_outside=True).scenario
        assert any(broken_by(fault, Day.of(scenario)) & design.requires for fault in scenario.fault)


def test_a_design_that_requires_nothing_has_no_outside() -> None:
    class Content(HotCold):
        name = "content"
        requires = frozenset()

    with pytest.raises(NothingBreaks, match="nothing"):
        drawn(1, Content, is_outside=True)


# -- kinds of fault that nobody has thought of yet


class Newfangled(AtService):
    """One key of every type."""

    kind: Literal["newfangled"] = "newfangled"
    operation: str | None = None
    share: Probability = 0.5
    often: Count
    factor: Annotated[float, Field(strict=True, ge=1, allow_inf_nan=False)]
    weight: Positive = 1.0
    by: Distribution
    maybe: Distribution | None = None
    lag: Duration = 2_000_000
    is_bad: Flag = False
    when: Literal["before", "after"]
    between: tuple[str, ...]

    does = heals = witness = example = ""


class Momentary(Sudden):
    kind: Literal["momentary"] = "momentary"
    target: Literal["record"] = "record"
    does = heals = witness = example = ""


class Choosy(Lasting):
    """Says itself how it is drawn."""

    kind: Literal["choosy"] = "choosy"
    target: str = "record"
    secret: bytes = b""
    wish: ClassVar[dict[str, object]] = {"kind": "choosy", "from": "1 s", "for": "2 s"}
    does = heals = witness = example = ""

    @classmethod
    def drawn(cls, luck: Luck, day: Day) -> dict[str, object]:
        return cls.wish


class Opaque(Sudden):
    kind: Literal["opaque"] = "opaque"
    target: str = "record"
    secret: bytes
    does = heals = witness = example = ""


def calm() -> Day:
    return Day.of(day(1).scenario.model_copy(update={"fault": ()}))


@pytest.mark.parametrize("kind", [Newfangled, Momentary])
def test_a_new_kind_is_drawn_from_the_types_of_its_keys(kind: type[Fault]) -> None:
    found = [drawn_fault(kind, Luck(seed), calm()) for seed in range(30)]
    assert all(asked is not None for asked in found)
    assert len({str(asked) for asked in found}) > 20
    for table, fault in (asked for asked in found if asked is not None):
        assert kind.model_validate(tomllib.loads(to_toml(table))) == fault
        assert not fault.must_be_seen


def test_a_kind_may_say_how_it_is_drawn() -> None:
    asked = drawn_fault(Choosy, Luck(1), calm())
    assert asked is not None
    assert asked[0] == Choosy.wish


def test_a_kind_that_cannot_be_drawn_is_told_with_the_reason() -> None:
    with pytest.raises(CannotDraw, match="secret"):
        drawn_fault(Opaque, Luck(1), calm())
    assert list(undrawable({"opaque": Opaque, "momentary": Momentary}, calm())) == ["opaque"]


# -- files


@pytest.mark.parametrize("name", [name for name in scenario_names() if name != "retail_peak"])
def test_any_scenario_can_be_written_as_a_file(name: str, tmp_path: Path) -> None:
    scenario = load_scenario(name)
    path = tmp_path / f"{name}.toml"
    path.write_text(to_toml(scenario.tables(), "what it is about"), encoding="utf-8")
    assert load_scenario(path) == scenario


# -- the bound


def test_each_term_of_the_bound_follows_what_it_speaks_of() -> None:
    def terms(**tables: object) -> dict[str, int]:
        plain = {
            "schema_version": 1, "question": "How long?", "horizon": "5 min", "name": "bound",
            "workload": {"kind": "flash_sale", "orders": 10, "over": "1 min"},
        }  # fmt: skip
        return quiet_terms(Scenario.model_validate(plain | tables))

    usual = terms()
    slower = terms(jobs={"inbound": {"every": "1 h"}})
    assert {cause for cause in usual if slower[cause] != usual[cause]} == {"two refreshes"}
    sleepy = terms(fault=[{"kind": "pause", "target": "stock", "when": "before", "nth": 1}])
    assert "whoever sleeps wakes, and late copies arrive" in {c for c in usual if sleepy[c] > usual[c]}
    assert longest(delay(kind="uniform", low="1 s", high="2 s")) > 2_000_000
    assert longest(delay(kind="pareto", shape=1.5, minimum="1 s")) > 10_000_000
