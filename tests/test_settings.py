"""Settings: values put in the place of a scenario's own, from the command line to the line that plays it again."""

from __future__ import annotations

import html
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderquake.sim.cli import main
from orderquake.sim.run import simulate
from orderquake.sim.scenario import canonical_json
from orderquake.sim.scenario_file import ScenarioError, load_scenario
from orderquake.sim.settings import read_settings, tag_of, with_settings, write_settings

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXT | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.booleans(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXT, values, max_size=3),
    max_leaves=5,
)


# -- words


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("reserve_first", "reserve_first"),
        ("2 h", "2 h"),
        ("2h", "2h"),
        ('"2 h"', "2 h"),
        ("10", 10),
        ("0.3", 0.3),
        ("true", True),
        ("2011-12-05", "2011-12-05"),
        ("a=b", "a=b"),
        ("", ""),
        ("1\nother = 2", "1\nother = 2"),
        ('["a", "b"]', ["a", "b"]),
        ('[{ kind = "down", from = "1 min" }]', [{"kind": "down", "from": "1 min"}]),
    ],
)
def test_a_value_is_toml_or_else_a_plain_word(text: str, value: Any) -> None:
    assert read_settings([f"a.b={text}"]) == {"a.b": value}


@given(st.dictionaries(st.sampled_from(["a", "a.b", "fault.0.for", "c-d"]), VALUES))
def test_what_is_written_is_read_again(settings: dict[str, Any]) -> None:
    assert read_settings(write_settings(settings)) == settings


def test_the_tag_is_the_same_in_any_order_and_another_for_other_settings() -> None:
    tags = {
        tag_of(read_settings(words))
        for words in (["a=1", "b=2"], ["b=2", "a=1"], ["a=2", "b=1"], ["a=1"], ["a='1'", "b=2"], ["a[0]=1"], ["a.0=1"])
    }
    assert len(tags) == 5
    assert tag_of({}) == ""
    assert tag_of({"policy.order": "reserve_first"}) == "b2f67fd0", "folders of long ago keep their names"


@pytest.mark.parametrize(
    ("words", "phrases"),
    [
        (["horizon"], ['--set "horizon" has no value', "expected PATH=VALUE"]),
        (["=5"], ["has no path", "expected PATH=VALUE"]),
        (["a..b=5"], ["has no path"]),
        (["a=1", "b=1", "a=1"], ["sets a a second time", "expected every path once"]),
        (["fault[0].for=1 s", "fault.0.for=2 s"], ["sets fault.0.for a second time"]),
        (["a", "b"], ['"a" has no value', '"b" has no value']),
    ],
)
def test_a_word_that_is_no_setting_is_refused(words: list[str], phrases: list[str]) -> None:
    with pytest.raises(ScenarioError) as error:
        read_settings(words)
    assert all(phrase in str(error.value) for phrase in phrases)


# -- in a scenario


def test_settings_are_applied_at_once_so_that_only_the_outcome_must_hold_together() -> None:
    day = load_scenario("retail_day")
    moved = {"workload.first_day": "2011-12-06", "workload.last_day": "2011-12-06"}
    for order in (moved, dict(reversed(moved.items()))):
        assert canonical_json(with_settings(day, order)).count("2011-12-06") == 2
    with pytest.raises(ScenarioError, match="last_day is 2011-12-05, before first_day"):
        with_settings(day, {"workload.first_day": "2011-12-06"})


def test_what_lies_around_is_set_before_what_lies_inside() -> None:
    inside = {"fault.0.from": "2 min", "fault": [{"kind": "down", "target": "record", "for": "1 min"}]}
    (fault,) = with_settings(load_scenario("lossy_payments"), inside).fault
    assert fault.window(0) == (120_000_000, 180_000_000)


def test_no_settings_leave_the_scenario_alone() -> None:
    calm = load_scenario("calm_day")
    assert with_settings(calm, {}) is calm


@pytest.mark.parametrize(
    ("settings", "phrases"),
    [
        ({"policy.ordre": "x"}, ["policy.ordre=x", "policy.ordre is not a key here", 'did you mean "order"?']),
        ({"policy.order": "pay_frist"}, ['expected "pay_first"', 'did you mean "pay_first"?']),
        ({"servce.payment.errors": 0.5}, ["servce is not a key here", 'did you mean "service"?']),
        ({"service.payment.errors": 2}, ["service.payment.errors is 2; expected at most 1"]),
        ({"fault.9.probability": 0.5}, ["fault has no entry 9; expected a number from 0 to 3", "orderquake schema"]),
        ({"fault.first.probability": 0.5}, ["fault has no entry first"]),
        ({"policy.0": 1}, ["policy has no entry 0; expected one of order"]),
        ({"fault.0.since": "1 min"}, ["fault[0].since is not a key here"]),
        ({"horizon.x": 1}, ["horizon has no entry x; it is a single value"]),
        ({"name": "x"}, ["name is not a key here; expected one of schema_version"]),
        ({"policy.order": 1, "policy.lease": 1}, ["policy.order is 1", "policy.lease is 1"]),
        ({"workload.kind": "trace", "workload.name": "mine.csv"}, ["no file"]),
    ],
)
def test_a_setting_that_does_not_fit_is_refused(settings: dict[str, Any], phrases: list[str]) -> None:
    with pytest.raises(ScenarioError) as error:
        with_settings(load_scenario("lossy_payments"), settings)
    assert all(phrase in str(error.value) for phrase in phrases)


# -- on the command line

SETTINGS = ["--set", "policy.order=reserve_first", "--set", "horizon=2 min", "--set", "jobs.inbound.every='30 s'"]


def test_a_run_with_settings_is_that_of_a_scenario_that_says_so(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (shop / "tiny.toml").read_text(encoding="utf-8").replace('"60 s"', '"2 min"')
    policy = '[policy]\norder = "reserve_first"\n[jobs.inbound]\nevery = "30 s"\n'
    (shop / "said.toml").write_text(text + policy, encoding="utf-8")
    assert main(["run", "tiny.toml", "--json", *SETTINGS]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == simulate("said.toml").digest


@pytest.mark.parametrize("many", [[], ["--runs", "2"]])
def test_settings_stand_in_the_result_and_in_what_people_read(
    shop: Path, capsys: pytest.CaptureFixture[str], many: list[str]
) -> None:
    assert main(["run", "tiny.toml", "--json", *SETTINGS, *many]) == 0
    assert json.loads(capsys.readouterr().out)["settings"] == {
        "policy.order": "reserve_first",
        "horizon": "2 min",
        "jobs.inbound.every": "30 s",
    }
    assert main(["run", "tiny.toml", *SETTINGS, *many]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[2:5] == ["set: horizon=2 min", "set: jobs.inbound.every=30 s", "set: policy.order=reserve_first"]
    assert main(["run", "tiny.toml", "--json", *many]) == 0
    assert json.loads(capsys.readouterr().out)["settings"] == {}


def test_the_line_that_plays_it_again_carries_the_settings(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing can be posted within a second, so the runs are unknown, and people are told how to see one."""
    unknown = ["--set", 'must_exercise=["posted_once"]', "--set", "horizon=1 s", "--set", "quiet_limit=1 s"]
    assert main(["run", "tiny.toml", "--runs", "2", *unknown]) == 2
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("see the first of them: "))
    words = shlex.split(line.removeprefix("see the first of them: orderquake "))
    assert sorted(words[words.index("--set") :]) == sorted(unknown)
    assert main(words) == 2
    assert "set: horizon=1 s" in capsys.readouterr().out


@pytest.mark.parametrize("with_pictures", [True])
@pytest.mark.parametrize("many", [[], ["--runs", "2"]])
def test_the_page_and_the_results_beside_it_carry_the_settings(
    shop: Path, capsys: pytest.CaptureFixture[str], many: list[str]
) -> None:
    assert main(["run", "tiny.toml", "--quiet", *SETTINGS, *many]) == 0
    page = Path(capsys.readouterr().out.split()[-1])
    text = html.unescape(page.read_text(encoding="utf-8"))
    assert "<code>policy.order=reserve_first</code>" in text
    again = "--set 'horizon=2 min' --set 'jobs.inbound.every=30 s' --set policy.order=reserve_first"
    assert f"orderquake run tiny.toml --on hot_cold --seed 1 {again}" in text
    results = json.loads(page.with_name("results.json").read_text(encoding="utf-8"))
    assert results["settings"]["policy.order"] == "reserve_first"


def test_variations_of_one_scenario_are_kept_apart(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    orders = ("pay_first", "reserve_first", "reserve_first")
    for order in orders:
        assert main(["run", "tiny.toml", "--quiet", "--set", f"policy.order={order}"]) == 0
    assert main(["run", "tiny.toml", "--quiet"]) == 0
    first, second, again, plain = (line.split(" ")[-1] for line in capsys.readouterr().out.splitlines())
    assert second == again
    assert len({first, second, plain}) == 3
    assert plain == "reports/runs/tiny-hot_cold-1/index.html"
    assert all(Path(page).is_file() for page in (first, second, plain))


@pytest.mark.parametrize(
    ("word", "phrase"),
    [
        ("policy.ordre=x", 'did you mean "order"?'),
        ("policy.order=x", 'policy.order is "x"; expected "pay_first"'),
        ("policy.order", "has no value"),
        ("horizon=2", 'did you mean "2 s"?'),
    ],
)
def test_a_setting_that_is_a_mistake_exits_3_and_leaves_nothing(
    shop: Path, capsys: pytest.CaptureFixture[str], word: str, phrase: str
) -> None:
    assert main(["run", "tiny.toml", "--set", word]) == 3
    told = capsys.readouterr()
    assert phrase in told.err
    assert told.out == ""
    assert [path.name for path in shop.iterdir()] == ["tiny.toml"]


@pytest.mark.parametrize("day", ["2011-12-03", "2012-01-01"])
def test_a_day_on_which_nobody_orders_is_a_mistake(shop: Path, capsys: pytest.CaptureFixture[str], day: str) -> None:
    assert main(["run", "retail_day", "--set", f"workload.first_day={day}", "--set", f"workload.last_day={day}"]) == 3
    assert "expected days of the trace, which has orders from 2011-11-14 to 2011-12-09" in capsys.readouterr().err


def test_a_mistake_is_told_for_every_scenario_that_it_does_not_fit(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "tiny.toml", "last_unit", "--set", "workload.rounds=3"]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tiny with workload.rounds=3: workload.rounds is not a key here")
