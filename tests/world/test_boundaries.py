"""Where data may be, who may ask what, and what fails together."""

from __future__ import annotations

import pytest

from orderquake.model.mutants import MUTANTS
from orderquake.sim.nemesis.services import Down
from orderquake.sim.nemesis.wire import Partition
from orderquake.sim.run import Run, simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_errors import ScenarioError
from orderquake.sim.scenario_file import load_scenario, set_by_path
from orderquake.sim.settings import read_settings, with_settings

ABOUT_DATA = ("personal_data_stays_home", "payment_secrets_contained", "order_cache_holds_minimum", "asks_within_role")


def shorter(*settings: str) -> Scenario:
    words = ["horizon=3 min", "fault=[]", "must_exercise=[]", *settings]
    return with_settings(load_scenario("residency"), read_settings(words))


def said(run: Run) -> dict[str, str]:
    return {name: run.verdicts[name].status for name in ABOUT_DATA}


def test_where_no_boundary_is_drawn_nothing_is_promised() -> None:
    run = simulate("last_unit", seed=1)
    assert not any(run.verdicts[name].was_exercised for name in ABOUT_DATA)
    assert run.verdicts["asks_within_role"].reason == "not exercised"
    assert run.verdict == "valid"


def test_a_design_that_keeps_customers_in_a_record_abroad_sends_them_there() -> None:
    assert set(said(simulate(shorter(), seed=1)).values()) == {"valid"}
    run = simulate(shorter(), on="central", seed=1)
    assert said(run)["personal_data_stays_home"] == "invalid"
    allowed = simulate(shorter('residency.personal=["eu","us"]'), on="central", seed=1)
    assert said(allowed)["personal_data_stays_home"] == "valid"


def test_what_one_copy_is_told_counts_as_told_to_all() -> None:
    """One member of the article's Order Cache stands at head office: with addresses in it, they are, too."""
    from orderquake.model.architectures.article import Article
    from orderquake.model.boundaries import Data

    class KeepsAddressesEverywhere(Article):
        adds = {"register": frozenset({Data.PERSONAL})}  # noqa: RUF012

    assert said(simulate(shorter(), on="article", seed=1))["personal_data_stays_home"] == "valid"
    run = simulate(shorter(), on=KeepsAddressesEverywhere, seed=1)
    assert said(run)["personal_data_stays_home"] == "invalid"


def test_who_asks_outside_their_role_is_refused_and_that_is_written_down() -> None:
    ledger = MUTANTS["asks_for_the_ledger"]
    assert said(simulate(shorter(), on=ledger, seed=1))["asks_within_role"] == "invalid"
    run = simulate(shorter("residency.refuses=true"), on=ledger, seed=1)
    refused = [row for row in run.history if row.kind == "fail" and row.answer == "outside_role"]
    assert refused
    assert said(run)["asks_within_role"] == "valid"
    sound = simulate(shorter("residency.refuses=true"), seed=1)
    assert not [row for row in sound.history if row.answer == "outside_role"]


# -- domains


def faults_of(scenario: Scenario) -> list[object]:
    return [fault for _, fault in scenario.plain_faults()]


def test_a_domain_takes_its_places_and_services_with_it() -> None:
    operator = {"name": "operator", "places": ["eu-central", "head-office"], "services": ["payment"]}
    fault = {"kind": "regional_evacuation", "place": "operator", "from": "1 min"}
    day = with_settings(load_scenario("residency"), {"domain": [operator], "fault": [fault]})
    parts = faults_of(day)
    assert {part.target for part in parts if isinstance(part, Down)} == {"record", "payment"}
    assert {part.between for part in parts if isinstance(part, Partition)} == {
        ("eu-central", "eu-west"),
        ("head-office", "eu-west"),
    }


def test_nothing_is_asked_of_a_domain_while_it_is_away() -> None:
    run = simulate(load_scenario("residency"), seed=1)
    rows = run.history.frame()
    at_office = rows[(rows.place == "head-office") & (rows.kind == "state")]
    assert not at_office.time.between(365_000_000, 480_000_000).any()
    assert at_office.time.between(480_000_000, 720_000_000).any()


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("residency.personal", ["mars"], "mars"),
        ("place.0.jurisdiction", None, "expected one for each place"),
        ("domain.0.places", ["eu-wset"], "did you mean"),
        ("domain.0.name", "eu-west", "which is a place"),
        ("fault.0.place", "nowhere", "nowhere"),
    ],
)
def test_what_does_not_exist_is_refused(path: str, value: object, says: str) -> None:
    with pytest.raises((ScenarioError, ValueError), match=says):
        set_by_path(load_scenario("residency"), path, value)
