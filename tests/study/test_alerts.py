"""Alerts: when a rule fires, which fault is blamed, how soon a fault is told of, and what is a false alarm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from orderquake.sim.alerts import DEFAULTS, Alert
from orderquake.sim.history import History
from orderquake.sim.run import simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.study.alerts import GRACE_US, Watch, spells, watch

SECOND = 1_000_000
MINUTE = 60 * SECOND


def rule(**says: Any) -> Alert:
    made: Alert = TypeAdapter(Alert).validate_python({"name": "it", **says})
    return made


def gauge(*values: float) -> dict[str, tuple[list[int], list[float]]]:
    """A backlog that was read every minute, from the first on."""
    return {"backlog.unposted": ([number * MINUTE for number in range(1, len(values) + 1)], list(values))}


def fault(history: History, begins: int, ends: int | None, label: str = "down-1") -> None:
    row = {"kind": "fault", "actor": "record", "key": label}
    history.state(begins, "down", answer="injected", **row)
    history.state(begins, "down", answer="witnessed", **row)
    if ends is not None:
        history.state(ends, "down", answer="recovered", **row)


def backlog(lasting: str = "0 s") -> Alert:
    return rule(kind="above", gauge="backlog.unposted", above=10, lasting=lasting)


def spans(watched: Watch) -> list[tuple[int, int | None]]:
    return [(firing.from_us, firing.until_us) for firing in watched.firings]


def test_a_rule_fires_above_its_value_and_not_at_it() -> None:
    watched = watch(History(), gauge(10, 11, 10), [backlog()])
    assert spans(watched) == [(2 * MINUTE, 3 * MINUTE)]


def test_a_rule_waits_for_as_long_as_it_says_and_a_break_begins_it_anew() -> None:
    watched = watch(History(), gauge(11, 11, 0, 11, 11, 11, 11), [backlog("2 min")])
    assert spans(watched) == [(6 * MINUTE, None)]


@pytest.mark.parametrize("lasting", [0, 1, 2])
def test_a_spell_ends_where_the_trouble_ends(lasting: int) -> None:
    for bits in range(1 << 6):
        is_bad = np.array([bool(bits >> place & 1) for place in range(6)])
        on = np.zeros(6, bool)
        for since, until in spells(np.arange(6), is_bad, lasting):
            on[since : 6 if until is None else until] = True
        by_hand = [all(is_bad[max(0, at - lasting) : at + 1]) and at >= lasting for at in range(6)]
        assert on.tolist() == by_hand


def test_an_alert_is_put_down_to_a_fault_that_is_there_or_was_lately() -> None:
    history = History()
    fault(history, 2 * MINUTE, 3 * MINUTE)
    late = 3 + GRACE_US // MINUTE
    values = [0.0] * (late + 2)
    values[3] = values[late - 1] = values[late + 1] = 99
    watched = watch(history, gauge(*values), [backlog()])
    assert [firing.fault for firing in watched.firings] == ["down-1", "down-1", ""]
    assert watched.false_alarms == 1


def test_an_alert_before_any_fault_is_a_false_alarm_and_does_not_tell_of_it_later() -> None:
    history = History()
    fault(history, 5 * MINUTE, 6 * MINUTE)
    watched = watch(history, gauge(99, 0, 0, 0, 0, 0), [backlog()])
    assert watched.false_alarms == 1
    assert [(found.label, found.rule, found.delay_us) for found in watched.detections] == [("down-1", None, None)]


def test_the_delay_runs_from_the_beginning_of_the_fault_to_the_first_alert() -> None:
    history = History()
    fault(history, 90 * SECOND, None)
    watched = watch(
        history, gauge(0, 0, 0, 99, 99), [backlog("1 min"), rule(kind="above", gauge="dead_letters", above=0)]
    )
    assert [(found.rule, found.delay_us) for found in watched.detections] == [("it", 5 * MINUTE - 90 * SECOND)]
    assert watched.unheard == ("it",), "this run has no gauge for dead letters"


def test_a_fault_that_never_struck_needs_no_alert() -> None:
    history = History()
    history.state(MINUTE, "down", kind="fault", actor="record", key="down-1", answer="injected")
    assert watch(history, gauge(0, 0), [backlog()]).detections == ()


# -- the error budget


def served(history: History, order: str, at: int, told: int | None) -> None:
    history.state(at, "submit", kind="invoke", actor="customer", key=f"s{order}", order=order, witness="outside")
    if told is not None:
        history.state(told, "notice", order=order, to_state="fulfilled", witness="outside")


def burning(**says: Any) -> Alert:
    windows = {"within": "30 s", "long": "10 min", "short": "2 min", "objective": 0.9, "factor": 5.0}
    return rule(kind="burn_rate", **(windows | says))


def test_a_late_answer_counts_from_the_moment_it_is_late_not_from_when_it_came() -> None:
    history = History()
    served(history, "o-1", MINUTE, None)
    watched = watch(history, gauge(*[0] * 20), [burning()])
    # Due after 1 min 30 s: seen at the second reading, out of the short window at the fourth.
    assert spans(watched) == [(2 * MINUTE, 4 * MINUTE)]


def test_half_of_the_answers_late_is_enough_and_less_is_not() -> None:
    for good, fires in ((1, True), (2, False)):
        history = History()
        served(history, "o-0", 100 * SECOND, 140 * SECOND)
        for number in range(1, good + 1):
            served(history, f"o-{number}", 110 * SECOND, 115 * SECOND)
        assert bool(watch(history, gauge(*[0] * 5), [burning()]).firings) is fires


def test_both_windows_must_burn() -> None:
    history = History()
    for number in range(20):
        served(history, f"o-{number}", number * SECOND, number * SECOND + 1)
    served(history, "o-late", 5 * MINUTE, None)
    assert not watch(history, gauge(*[0] * 12), [burning()]).firings, "one late in twenty-one is no burning budget"
    assert watch(history, gauge(*[0] * 12), [burning(long="2 min")]).firings


# -- whole runs


def test_a_quiet_day_calls_nobody() -> None:
    run = simulate("calm_day")
    assert run.alerts().empty


def test_a_record_that_is_away_is_told_of_and_nothing_else_is() -> None:
    run = simulate("record_offline")
    frame = run.alerts()
    assert len(frame) >= 1
    assert {label.split("-")[0] for label in frame["fault"]} == {"down"}
    told = run.to_json()["alerts"]
    assert told["false_alarms"] == 0
    assert [found["kind"] for found in told["detections"]] == ["down"]
    assert told["detections"][0]["delay_s"] > 0


def test_rules_are_part_of_a_scenario() -> None:
    own = [{"kind": "above", "name": "any", "gauge": "backlog.open", "above": 0}]
    scenario = Scenario.model_validate(
        {"schema_version": 1, "question": "?", "horizon": "60 s", "alert": own,
         "workload": {"kind": "poisson", "rate_per_s": 1.0}, "stock": {"skus": 3}}
    )  # fmt: skip
    assert [each.name for each in scenario.alert] == ["any"]
    assert set(simulate(scenario).alerts()["rule"]) == {"any"}
    assert len(DEFAULTS) == len({each.name for each in DEFAULTS})


@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        ({"kind": "above", "gauge": "drifft", "above": 1}, "is no gauge; expected one of drift"),
        ({"kind": "above", "gauge": "drift", "above": -1}, "greater than or equal to 0"),
        ({"kind": "burn_rate", "factor": 200.0}, "no share of late answers reaches; expected below 100"),
        ({"kind": "burn_rate", "short": "2 h"}, "no longer than the long window"),
    ],
)
def test_a_rule_that_could_never_fire_is_refused(says: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        rule(**says)
