"""Stories become as small as they can be, stay of one role, and what is said of their smallness is true."""

from __future__ import annotations

from itertools import pairwise

import pytest

from orderquake.model.mutants import MUTANTS
from orderquake.sim.choices import canonical_json
from orderquake.sim.demand import Listed
from orderquake.sim.explore.hunt.brief import brief_tables
from orderquake.sim.explore.hunt.changes import changed, on_the_beat, rested
from orderquake.sim.explore.hunt.found import Case, Failure, Found, failures_in, play
from orderquake.sim.explore.hunt.listing import listed, narrowed
from orderquake.sim.explore.hunt.reductions import FAMILIES, parts_left_out
from orderquake.sim.explore.hunt.shrinking import shrunk
from orderquake.sim.run import Run, simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.world.streams import Deviation
from tests.explore.stories import NAMES, found_in, minute, story


@pytest.mark.parametrize("name", NAMES)
def test_a_story_of_the_corpus_is_short(name: str) -> None:
    found = found_in(name)
    small = story(name)
    assert small.is_short, str(small)
    assert small.is_minimal
    assert (small.checker, small.failure.role) == (found.checker, found.failure.role)


@pytest.mark.parametrize("name", ["overwrites_on_refresh", "forgets_dedup", "keys_each_attempt"])
def test_the_certificate_is_true(name: str) -> None:
    """Whatever single reduction there is, tried here once more and not by the shrinker, breaks that promise no more."""
    small = story(name)
    role = (small.checker, small.failure.role)
    tried = [reduction for family in FAMILIES for reduction in family(small.case)]
    for reduction in tried:
        case = reduction.case._replace(scenario=rested(reduction.case.scenario))
        as_told = {name: getattr(small.case.scenario, name) for name in ("must_exercise", "quiet_limit")}
        if case.scenario.model_copy(update=as_told) == small.case.scenario and case.deviations == small.case.deviations:
            continue  # only what is put to the test, or how long the quiet phase lasts, which hangs on all else
        found = [(one.checker, one.role) for one in failures_in(play(case, small.design).verdicts)]
        assert role not in found, reduction.name
    assert small.is_minimal


def test_a_needless_fault_order_and_late_event_go() -> None:
    found = found_in("overwrites_on_refresh")
    scenario = found.case.scenario
    workload = scenario.workload
    more = workload.model_copy(
        update={"order": (*workload.order, workload.order[0].model_copy(update={"at": 3_000_000, "number": 9}))}
    )
    fault = load_scenario("lossy_payments").fault[0].model_copy(update={"since": 0, "lasts": None, "until": None})
    bigger = changed(scenario, workload=more, fault=(fault,))
    assert bigger is not None
    case = Case(bigger, found.case.seed, (Deviation("here>here/payment.charge/out", 0, 0, 5_000),))
    failure = failures_in(play(case, found.design).verdicts)[0]
    small = shrunk(Found(found.design, failure, case, "test", 1, 0.0))
    assert len(small.case.scenario.workload.order) == 2
    assert small.case.scenario.fault == ()
    assert small.case.deviations == ()


def test_a_fault_without_which_nothing_breaks_stays() -> None:
    assert [fault.kind for fault in story("forgets_dedup").case.scenario.fault] == ["duplicate"]


def test_a_day_with_many_customers_becomes_a_list_of_the_few_that_matter() -> None:
    scenario = minute()
    design = MUTANTS["refunds_in_silence"]
    run = simulate(scenario, design, 1)
    failure = next(one for one in failures_in(run.verdicts) if one.checker == "notices_sent")
    small = shrunk(Found(design, failure, Case(scenario, 1), "test", 1, 0.0), budget_s=30.0)
    assert len(small.case.scenario.workload.order) == 1
    assert small.case.scenario.stock.skus == 1
    assert small.failure.checker == "notices_sent"


def test_a_list_tells_the_same_customers() -> None:
    scenario = minute()
    run = simulate(scenario, seed=2)
    as_list = listed(scenario, run.history)
    assert as_list is not None
    again = simulate(as_list, seed=2)

    def came(history: object) -> list[tuple[int, str, str]]:
        return [(row.time, row.order, row.key) for row in history if row.operation == "submit" and row.kind == "invoke"]  # type: ignore[attr-defined]

    assert came(run.history) == came(again.history)
    assert listed(as_list, again.history) is None


def test_a_day_is_narrowed_to_the_witness_first_and_then_to_ever_more_who_had_come() -> None:
    scenario = minute()
    run = simulate(scenario, seed=2)
    index, row = [(index, row) for index, row in enumerate(run.history) if row.operation == "reserve"][40]
    crowds, shelves = [], []
    for case in narrowed(Case(scenario, 2), run, Failure("never_oversold", "x", "x", (index,))):
        assert isinstance(case.scenario.workload, Listed)
        crowds.append(case.scenario.workload.order)
        shelves.append(case.scenario.stock.units_per_sku)
    (named,) = crowds[0]
    sizes = [len(crowd) for crowd in crowds]
    assert sizes == sorted(sizes)
    assert sizes[-1] == len(orders_in(run))
    assert all(named in crowd for crowd in crowds)
    assert all(order.at <= row.time for crowd in crowds[:-1] for order in crowd)
    assert all(list(crowd) == sorted(crowd, key=lambda order: order.at) for crowd in crowds)
    assert shelves[:3] == [1, 2, scenario.stock.units_per_sku], "for few customers few goods are tried first"
    assert shelves[-1] == scenario.stock.units_per_sku


def orders_in(run: Run) -> set[str]:
    return {row.order for row in run.history if (row.kind, row.operation) == ("state", "ordered")}


def test_what_is_left_out_is_each_part_once() -> None:
    left = [kept for _, kept in parts_left_out(range(8))]
    assert [len(kept) for kept in left] == [4] * 2 + [6] * 4 + [7] * 8
    assert all(before != after for before, after in pairwise(left))


def test_moments_become_rounder_and_not_other() -> None:
    assert list(on_the_beat(2_000_000)) == []
    assert all(abs(us - 1_234_567) <= 1_000_000 for us in on_the_beat(1_234_567))


@pytest.mark.parametrize("name", NAMES)
def test_a_brief_scenario_says_the_same(name: str) -> None:
    scenario = found_in(name).case.scenario
    brief = brief_tables(scenario)
    assert canonical_json(Scenario.model_validate({**brief, "name": scenario.name})) == canonical_json(scenario)
    assert len(str(brief)) < len(str(scenario.tables()))
