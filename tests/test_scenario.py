"""Scenario files: those that come along, and what is said about those that are wrong."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orderquake.model.architectures import ARCHITECTURES
from orderquake.sim.checkers import CHECKERS
from orderquake.sim.nemesis import FAULTS
from orderquake.sim.scenario import Scenario, canonical_json, scenario_json_schema
from orderquake.sim.scenario_file import SHIPPED, ScenarioError, load_scenario, scenario_names, set_by_path
from orderquake.sim.units import HOUR, MINUTE, SECOND

PROMISED = {
    "asked_again",
    "bad_provider",
    "black_friday",
    "calm_day",
    "flash_sale",
    "last_unit",
    "lossy_payments",
    "newsletter",
    "payment_hangs",
    "record_offline",
    "residency",
    "retail_day",
    "retail_peak",
    "shared_pool",
    "slow_stock",
    "stale_refresh",
    "zombies",
}
GOOD = """schema_version = 1
question = "Does it hold?"
horizon = "10 min"
must_exercise = ["charged_once"]
[workload]
kind = "poisson"
rate_per_s = 2.0
"""


def as_json(path: Path) -> Any:
    return json.loads(json.dumps(tomllib.loads(path.read_text(encoding="utf-8")), default=str))


def told(tmp_path: Path, text: str) -> list[str]:
    """What is said about a file with this text."""
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as error:
        load_scenario(path)
    return [line.removeprefix(f"{tmp_path}/") for line in str(error.value).split("\n")]


# -- those that come along


def test_every_promised_scenario_comes_along() -> None:
    assert set(scenario_names()) == PROMISED


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_a_shipped_scenario_loads_and_asks_a_question(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.question.endswith("?")
    assert set(scenario.must_exercise) <= set(CHECKERS)
    assert scenario.must_exercise, "a scenario that exercises nothing proves nothing"
    assert set(scenario.expect) <= set(ARCHITECTURES)
    assert scenario.expect["hot_cold"] == "valid"


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_the_json_schema_accepts_a_shipped_scenario(name: str) -> None:
    jsonschema.validate(as_json(SHIPPED / f"{name}.toml"), scenario_json_schema())


def test_the_json_schema_is_one_and_refuses_what_the_loader_refuses() -> None:
    schema = scenario_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    good = as_json(SHIPPED / "calm_day.toml")
    for change in ({"horizon": 40}, {"horizon": "40 mins"}, {"bogus": 1}, {"name": "x"}, {"schema_version": 2}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**good, **change}, schema)


def test_the_json_schema_accepts_measured_times_from_a_file() -> None:
    good = as_json(SHIPPED / "calm_day.toml")
    times = {"kind": "empirical", "file": "t.csv", "column": "took", "unit": "ms"}
    jsonschema.validate({**good, "local_latency": times}, scenario_json_schema())


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_the_example_of_a_fault_is_one(tmp_path: Path, name: str) -> None:
    path = tmp_path / "example.toml"
    path.write_text(GOOD.replace("10 min", "40 min") + FAULTS[name].example, encoding="utf-8")
    (fault,) = load_scenario(path).fault
    assert fault.kind == name
    assert type(fault) is FAULTS[name].model


def test_defaults_are_those_that_the_sources_name(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text(GOOD, encoding="utf-8")
    scenario = load_scenario(tmp_path / "good.toml")
    payment = scenario.service["payment"]
    assert payment is scenario.service.payment
    assert payment.throttle is not None
    assert payment.account_throttle is not None
    assert (payment.throttle.per_s, payment.account_throttle.per_s) == (25, 100)
    assert scenario.service.payment.declines == 0.04
    assert scenario.service.payment.key_retention == 24 * HOUR
    assert scenario.service.record.capacity == 15
    assert scenario.jobs.inbound.every == 5 * MINUTE
    assert scenario.policy.reservation_ttl == 15 * MINUTE
    assert [place.name for place in scenario.place] == ["eu-west", "us-east"]
    assert scenario.latency_between("us-east", "eu-west").mean_us == pytest.approx(40_600, rel=0.02)
    assert scenario.latency_between("us-east", "us-east") == scenario.local_latency
    assert scenario.place_of("record") == "eu-west"


def test_a_table_that_is_given_in_part_keeps_its_other_defaults(tmp_path: Path) -> None:
    text = GOOD + "[service.record]\ncapacity = 3\n[policy.patience.record]\nattempts = 7\n[jobs.outbound]\nbatch = 5\n"
    (tmp_path / "good.toml").write_text(text, encoding="utf-8")
    scenario = load_scenario(tmp_path / "good.toml")
    default = Scenario.model_validate({**tomllib.loads(GOOD), "name": "good"})
    assert scenario.service.record.capacity == 3
    assert scenario.service.record.latency == default.service.record.latency
    assert scenario.policy.patience.record.timeout == default.policy.patience.record.timeout
    assert scenario.jobs.outbound.every == default.jobs.outbound.every


def test_a_scenario_cannot_be_changed_and_can_be_compared() -> None:
    scenario = load_scenario("calm_day")
    with pytest.raises(Exception, match="frozen"):
        scenario.horizon = 1  # type: ignore[misc]
    assert scenario == load_scenario(SHIPPED / "calm_day.toml")


# -- provenance and variation


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_the_canonical_form_is_complete_and_stands_for_the_scenario(name: str) -> None:
    scenario = load_scenario(name)
    text = canonical_json(scenario)
    assert Scenario.model_validate(json.loads(text)) == scenario
    assert canonical_json(load_scenario(name)) == text
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("service.payment.throttle.per_s", 10, 10.0),
        ("policy.reservation_ttl", "30 s", 30 * SECOND),
        ("policy.patience.record.attempts", 9, 9),
        ("workload.rate_per_s", 0.5, 0.5),
        ("service.payment.latency.median", "2 s", 2 * SECOND),
        ("jobs.inbound.every", "1 min", MINUTE),
        ("place[1].weight", 3.0, 3.0),
        ("place.1.weight", 3.0, 3.0),
    ],
)
def test_any_value_may_be_varied_by_its_path(path: str, value: Any, expected: Any) -> None:
    calm = load_scenario("calm_day")
    here: Any = set_by_path(calm, path, value)
    for key in path.replace("[", ".").replace("]", "").split("."):
        here = here[int(key)] if key.isdigit() else getattr(here, key)
    assert here == expected
    assert calm == load_scenario("calm_day"), "the scenario itself stays as it was"


def test_setting_a_value_to_what_it_was_changes_nothing() -> None:
    for name in scenario_names():
        scenario = load_scenario(name)
        assert set_by_path(scenario, "quiet_limit", "60 min") == scenario


@pytest.mark.parametrize(
    ("path", "value", "phrases"),
    [
        ("service.payment.throtle.per_s", 10, ["service.payment.throtle is not a key", 'did you mean "throttle"?']),
        ("policy.reservation_ttl", 900, ['did you mean "900 s"?']),
        ("fault[3].for", "5 min", ["leads nowhere", "fault has no entry 3"]),
        ("horizon.x", 1, ["leads nowhere"]),
        ("stock.pool", "shared", ["nobody else sells"]),
    ],
)
def test_a_path_or_value_that_does_not_fit_is_refused(path: str, value: Any, phrases: list[str]) -> None:
    with pytest.raises(ScenarioError) as error:
        set_by_path(load_scenario("calm_day"), path, value)
    assert all(phrase in str(error.value) for phrase in [path, *phrases])


# -- bad input: file:line:column, what was found, what was expected, what next

BAD: list[tuple[str, str, list[str]]] = [
    # the file as a whole
    ("horizon = 40 min", "1:14", ["broken TOML", 'in quotes: "5 min"']),
    ("a = 1\na = 2\n", "2:6", ["broken TOML", "cannot overwrite"]),
    ('question = "no end', "1:19", ["broken TOML"]),
    (GOOD + "[stock\n", "8:7", ["broken TOML"]),
    (GOOD.replace("schema_version = 1\n", ""), "1:1", ["schema_version is missing", "expected 1"]),
    (GOOD.replace("schema_version = 1", "schema_version = 2"), "1:18", ["schema_version is 2; expected 1"]),
    ('name = "x"\n' + GOOD, "1:1", ["name is not a key here"]),
    (GOOD.replace("horizon =", "horizn ="), "3:1", ["horizn is not a key", 'did you mean "horizon"?']),
    (GOOD.replace('"10 min"', '"0 s"'), "3:11", ['horizon is "0 s"; expected more than zero']),
    # units
    (GOOD.replace('"10 min"', "600"), "3:11", ["horizon is 600", 'did you mean "600 s"?']),
    (GOOD.replace('"10 min"', '"10 mins"'), "3:11", ['unknown unit "mins"', 'did you mean "10 min"?']),
    (GOOD.replace("2.0", '"2.0"'), "7:14", ['workload.rate_per_s is "2.0"; expected a number']),
    (GOOD.replace("2.0", "-2.0"), "7:14", ["workload.rate_per_s is -2.0; expected more than 0"]),
    (GOOD + "clicks_twice = 2\n", "8:16", ["workload.clicks_twice is 2; expected at most 1"]),
    (GOOD + "[stock]\nskus = 2.5\n", "9:8", ["stock.skus is 2.5; expected a whole number"]),
    (GOOD + "[stock]\nskus = true\n", "9:8", ["stock.skus is true; expected a whole number"]),
    (GOOD + "price_pence = { low = 900, high = 100 }\n", "8:35", ["workload.price_pence.high is 100"]),
    # unknown names
    (GOOD.replace('["charged_once"]', '["charged_onec"]'), "4:18", ["no checker", 'did you mean "charged_once"?']),
    (GOOD.replace('["charged_once"]', '["charged_once", "charged_once"]'), "4:34", ["a second time"]),
    (GOOD.replace('"poisson"', '"poison"'), "6:8", ['workload.kind is "poison"', 'did you mean "poisson"?']),
    (GOOD.replace('kind = "poisson"\n', ""), "5:2", ["workload is without a kind", '"flash_sale"']),
    (
        GOOD + '[service.payment]\nlatency = { kind = "lognorm", median = "1 s", sigma = 0.5 }\n',
        "9:20",
        ['service.payment.latency.kind is "lognorm"', 'did you mean "lognormal"?'],
    ),
    (GOOD + "[service.paymnt]\nx = 1\n", "8:10", ["service.paymnt is not a key", 'did you mean "payment"?']),
    (
        GOOD + '[service.stock.operations]\nreserv = { kind = "constant", value = "1 s" }\n',
        "9:10",
        ["no operation of stock", 'did you mean "reserve"?'],
    ),
    (GOOD + '[service.record]\nplace = "mars"\n', "9:9", ['"mars", which is no place', "eu-west, us-east"]),
    (
        GOOD + '[[fault]]\nkind = "partiton"\ntarget = "record"\n',
        "9:8",
        ['fault[0].kind is "partiton"', "lose_ask", "See: orderquake faults"],
    ),
    (
        GOOD + '[[fault]]\nkind = "down"\ntarget = "stock"\n[[fault]]\nkind = "slwo"\ntarget = "stock"\n',
        "12:8",
        ['fault[1].kind is "slwo"', 'did you mean "slow"?'],
    ),
    (GOOD + '[[fault]]\nkind = "down"\ntarget = "recrod"\n', "10:10", ['did you mean "record"?']),
    (
        GOOD + '[[fault]]\nkind = "lose_ask"\ntarget = "payment"\noperation = "chrage"\nprobability = 0.5\n',
        "11:13",
        ["no operation of payment", 'did you mean "charge"?'],
    ),
    (GOOD + '[expect]\nhot_colt = "valid"\n', "9:12", ['did you mean "hot_cold"?', "orderquake architectures"]),
    (GOOD + '[expect]\nhot_cold = "vaild"\n', "9:12", ['did you mean "valid"?']),
    (
        GOOD + '[[stock.receipts]]\nat = "1 min"\nsku = "sku-1"\nunits = 3\n',
        "10:7",
        ["stock.receipts[0].sku", "no product"],
    ),
    # impossible values and contradictions
    (
        GOOD + '[local_latency]\nkind = "lognormal"\np50 = "60 ms"\np99 = "40 ms"\n',
        "11:7",
        ["local_latency.p99", 'expected more than p50, "60 ms"'],
    ),
    (GOOD + '[local_latency]\nkind = "lognormal"\nsigma = 1.0\n', "8:2", ["median and sigma, or p50 and p99"]),
    (GOOD + "[service.payment]\nthrottle = { per_s = 5 }\n", "9:12", ["throttle.burst is missing"]),
    (GOOD + "[policy]\norder = 'pay_frist'\n", "9:9", ['did you mean "pay_first"?']),
    (
        GOOD + '[policy]\nsend_horizon = "24 h"\n',
        "9:16",
        ["policy.send_horizon", "forgotten its key", "service.payment.key_retention"],
    ),
    (
        GOOD + '[policy]\nsend_horizon = "20 s"\n',
        "9:16",
        ["policy.send_horizon", "sure to have sent what it wrote down", 'at least worker_deadline, "30 s"'],
    ),
    (GOOD + '[policy]\nlease = "10 s"\n', "9:9", ["policy.lease", "expected more than worker_deadline"]),
    (GOOD + '[jobs.inbound]\nevery = "0 s"\n', "9:9", ["jobs.inbound.every", "expected more than zero"]),
    (GOOD + '[stock]\npool = "shared"\n', "9:8", ["nobody else sells", "foreign_sales"]),
    (GOOD + "[stock]\nforeign_sales = { per_s = 1.0 }\n", "9:17", ["ring_fenced"]),
    (GOOD + "[stock]\ncover = 0.9\n", "9:9", ["there is no trace"]),
    (
        GOOD.replace('kind = "poisson"\nrate_per_s = 2.0', 'kind = "trace"') + "[stock]\nskus = 5\n",
        "8:8",
        ["a trace brings its own products"],
    ),
    (
        GOOD.replace('kind = "poisson"\nrate_per_s = 2.0', 'kind = "trace"\nname = "online_retial"'),
        "7:8",
        ['did you mean "online_retail"?'],
    ),
    (
        GOOD.replace('kind = "poisson"\nrate_per_s = 2.0', 'kind = "trace"\nname = "mine.csv"'),
        "7:8",
        ["no file beside the scenario"],
    ),
    (
        GOOD.replace('kind = "poisson"\nrate_per_s = 2.0', 'kind = "flash_sale"\norders = 9\nover = "20 min"'),
        "8:8",
        ["workload.over", "after the horizon"],
    ),
    (
        GOOD.replace('kind = "poisson"\nrate_per_s = 2.0', 'kind = "rounds"\nrounds = 200\nbuyers = 2\nevery = "1 s"'),
        "7:10",
        ["stock.skus is 100"],
    ),
    # windows
    (
        GOOD + '[[fault]]\nkind = "down"\ntarget = "record"\nfrom = "5 min"\nuntil = "4 min"\n',
        "12:9",
        ["fault[0].until", 'not after from, "5 min"'],
    ),
    (
        GOOD + '[[fault]]\nkind = "down"\ntarget = "record"\nfor = "1 min"\nuntil = "4 min"\n',
        "12:9",
        ["expected one of the two"],
    ),
    (
        GOOD + '[[fault]]\nkind = "down"\ntarget = "record"\nfrom = "20 min"\n',
        "11:8",
        ["fault[0].from", "never reaches", 'the horizon, "10 min"'],
    ),
    (
        GOOD + '[[fault]]\nkind = "down"\ntarget = "record"\nfrom = "8 min"\nfor = "5 min"\n',
        "12:7",
        ["fault[0].for", "ends at 13 min, after the horizon"],
    ),
    (
        GOOD
        + '[[fault]]\nkind = "down"\ntarget = "record"\nfor = "5 min"\n'
        + '[[fault]]\nkind = "down"\ntarget = "record"\nfrom = "4 min"\nfor = "2 min"\n',
        "12:3",
        ["fault[1] is a second outage of record while fault[0] still lasts"],
    ),
    (GOOD + '[[fault]]\nkind = "wiped"\nat = "30 min"\n', "10:6", ["fault[0].at", "never reaches"]),
    (GOOD + '[[fault]]\nkind = "lose_ask"\ntarget = "stock"\n', "8:3", ["without probability or nth"]),
    (GOOD + '[[fault]]\nkind = "slow"\ntarget = "stock"\n', "8:3", ["without factor or add"]),
    (
        GOOD + '[[fault]]\nkind = "crash"\ntarget = "stock"\nnth = 2\n',
        "8:3",
        ["fault[0].when is missing", '"before" or "after"'],
    ),
    # places
    (GOOD + '[[place]]\nname = "a"\n[[place]]\nname = "b"\n', "10:3", ['nothing links "a" and "b"', "[[link]]"]),
    (
        GOOD
        + '[[place]]\nname = "a"\n[[place]]\nname = "b"\n'
        + '[[link]]\nbetween = ["a", "b"]\nlatency = { kind = "constant", value = "1 ms" }\n'
        + '[[link]]\nbetween = ["a", "c"]\nlatency = { kind = "constant", value = "1 ms" }\n',
        "16:17",
        ['"c", which is no place', "expected one of a, b"],
    ),
    (GOOD + '[[place]]\nname = "a"\n[[place]]\nname = "a"\n', "11:8", ["place[1].name", "a second time"]),
]


@pytest.mark.parametrize(("text", "spot", "phrases"), BAD, ids=[f"{phrases[0]} {spot}" for _, spot, phrases in BAD])
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, spot: str, phrases: list[str]) -> None:
    (line,) = told(tmp_path, text)
    assert line.startswith(f"bad.toml:{spot} ")
    assert all(phrase in line for phrase in phrases), line


def test_several_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = GOOD.replace('"10 min"', "600") + '[stock]\nskus = -1\n[[place]]\nname = "a"\nwieght = 2\n'
    lines = told(tmp_path, text)
    assert [line.split(" ")[0] for line in lines] == ["bad.toml:3:11", "bad.toml:9:8", "bad.toml:12:1"]


def test_columns_count_characters_not_bytes(tmp_path: Path) -> None:
    (line,) = told(tmp_path, GOOD + 'popularity = { kind = "zipf" }\n# é\nbasket = { "ß" = 1 }\n')
    assert line.startswith("bad.toml:10:12 workload.basket.ß is not a key here")


def test_a_file_that_is_no_text_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(b'a = 1\nb = "\xff"\n')
    with pytest.raises(ScenarioError, match=r"bad\.toml:2:6 not UTF-8"):
        load_scenario(path)


@pytest.mark.parametrize(
    ("name", "phrases"),
    [
        ("flash_sal", ['no scenario is called "flash_sal"', 'did you mean "flash_sale"?', "orderquake scenarios"]),
        ("nowhere/mine.toml", ["nowhere/mine.toml is not a file"]),
        ("nowhere/calm_dya.toml", ['did you mean the scenario "calm_day"?']),
    ],
)
def test_a_scenario_that_is_not_there_is_refused_with_the_next_move(name: str, phrases: list[str]) -> None:
    with pytest.raises(ScenarioError) as error:
        load_scenario(name)
    assert all(phrase in str(error.value) for phrase in phrases)


def test_a_null_that_says_something_is_kept_and_any_other_is_left_out() -> None:
    tables = {"service": {"payment": {"throttle": None}}}
    scenario = load_scenario("last_unit")
    scenario = Scenario.model_validate(scenario.tables() | tables)
    assert scenario.service.payment.throttle is None
    again = Scenario.model_validate(json.loads(canonical_json(scenario)))
    assert again.service.payment.throttle is None
    assert "null" in canonical_json(scenario)
    assert "throttle" not in scenario.tables()["service"]["stock"]
