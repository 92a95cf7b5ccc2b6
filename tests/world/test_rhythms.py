"""Latency that depends on when the work begins: windows, profiles, spells.

Statistical gates compare the mean of independent replications with a closed form at z = 4.5 (normal tail 6.8e-6,
with 40 replications a t tail of 6e-5); four such gates, so a sound sampler fails this file about twice in 10,000
seeds; the seeds are fixed. Everything else is exact.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from pydantic import ValidationError

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.sim.history import first_difference
from orderquake.sim.run import policy_of, simulate
from orderquake.sim.scenario import Scenario, canonical_json, scenario_json_schema
from orderquake.sim.scenario_file import ScenarioError, load_scenario
from orderquake.sim.units import DAY, HOUR, MS, SECOND
from orderquake.sim.world.delays import Latency, latency
from orderquake.sim.world.kernel import Kernel
from orderquake.sim.world.rhythms import Spells
from orderquake.sim.world.streams import Streams
from orderquake.sim.world.tempo import Source, in_spells, source_of, taken
from orderquake.sim.world.world import World
from tests.world.corner import LEG, TRIP, WORK, Corner, constant, scenario_of

Z = 4.5
EXPONENTIAL = {"kind": "exponential", "mean": "100 ms"}


def source(law: Latency, kernel: Kernel, seed: int = 1, name: str = "payment.charge", weather: str = "w") -> Source:
    return source_of(name, weather, law, Streams(seed), kernel)


def at(moments_us: list[int], law: dict[str, Any], number: int = 7, seed: int = 1) -> list[int]:
    """What the same ask would take at each of these moments."""
    kernel = Kernel()
    drawn = source(latency(**law), kernel, seed)
    found = []
    for moment_us in moments_us:
        kernel.run(moment_us)
        assert kernel.now == moment_us
        found.append(taken(drawn, number))
    return found


# -- windows


def windows(*given: dict[str, Any], of: dict[str, Any] = EXPONENTIAL) -> dict[str, Any]:
    return {"kind": "windows", "of": of, "windows": list(given)}


def test_a_window_holds_from_its_first_moment_until_just_before_its_end() -> None:
    law = windows({"from": "10 s", "for": "5 s", "factor": 3.0}, of=constant(WORK))
    edges = [10 * SECOND - 1, 10 * SECOND, 15 * SECOND - 1, 15 * SECOND]
    assert at(edges, law) == [WORK, 3 * WORK, 3 * WORK, WORK]


def test_windows_may_stand_in_any_order_and_touch() -> None:
    law = windows(
        {"from": "20 s", "for": "10 s", "factor": 2.0},
        {"from": "0 s", "for": "10 s", "factor": 5.0},
        {"from": "10 s", "for": "10 s", "of": constant(7)},
        of=constant(WORK),
    )
    assert at([0, 10 * SECOND, 20 * SECOND, 30 * SECOND], law) == [5 * WORK, 7, 2 * WORK, WORK]


def test_a_window_multiplies_an_order_s_own_luck_and_moves_nobody_s() -> None:
    plain, law = Kernel(), Kernel()
    with_window = source(latency(**windows({"from": "1 s", "for": "1 s", "factor": 4.0})), law)
    without = source(latency(**EXPONENTIAL), plain)
    calm = [taken(without, n, attempt) for n in range(50) for attempt in range(3)]
    assert [taken(with_window, n, attempt) for n in range(50) for attempt in range(3)] == calm
    law.run(SECOND)
    assert [taken(with_window, n, attempt) for n in range(50) for attempt in range(3)] == [4 * us for us in calm]


def test_a_window_s_own_law_has_its_own_stream() -> None:
    law = windows({"from": "1 s", "for": "1 s", "of": {"kind": "uniform", "low": "5 s", "high": "6 s"}})
    before, inside, after = at([0, SECOND, 2 * SECOND], law)
    assert before == after
    assert 5 * SECOND <= inside <= 6 * SECOND


# -- profiles


def test_a_profile_changes_on_the_hour_and_comes_round_every_day() -> None:
    factors = [float(hour + 1) for hour in range(24)]
    law = {"kind": "profile", "of": constant(WORK), "factors": factors}
    moments = [0, HOUR - 1, HOUR, 23 * HOUR, DAY - 1, DAY, DAY + 5 * HOUR]
    assert at(moments, law) == [WORK * n for n in (1, 1, 2, 24, 24, 1, 6)]


def test_a_profile_may_begin_in_the_middle_of_its_period() -> None:
    law = {"kind": "profile", "of": constant(10), "factors": [1, 2, 3], "period": "9 us", "phase": "4 us"}
    assert at(list(range(9)), law) == [20, 20, 30, 30, 30, 10, 10, 10, 20]


def test_rhythms_may_be_wrapped_in_each_other() -> None:
    inner = windows({"from": "2 s", "for": "2 s", "factor": 10.0}, of=constant(10))
    law = {"kind": "profile", "of": inner, "factors": [1.0, 2.0], "period": "2 s"}
    assert at([0, SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND], law) == [10, 20, 100, 200, 10]


# -- spells

EVERY_S, LASTS_S = 60.0, 20.0
SPELLS: dict[str, Any] = {
    "kind": "spells",
    "of": constant(WORK),
    "factor": 10.0,
    "every": {"kind": "exponential", "mean": "60 s"},
    "lasts": {"kind": "exponential", "mean": "20 s"},
}


def slow_at(moments_us: list[int], seed: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    streams, law = Streams(seed), latency(**SPELLS)
    assert isinstance(law, Spells)
    change = in_spells(streams.of("every", law.every), streams.of("lasts", law.lasts), 10.0)
    return np.array([change(moment_us) == 10.0 for moment_us in moments_us])


def gate(values: list[float], reference: float) -> None:
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    assert error < 0.02, "too noisy to mean anything"
    assert abs(np.mean(values) - reference) < Z * error


def test_the_share_of_slow_time_is_that_of_the_alternating_renewal_process() -> None:
    law = latency(**SPELLS)
    assert isinstance(law, Spells)
    assert law.slow_share == 0.25
    # Watched from 10 min on, when the calm beginning is forgotten (by e^-40), for about 700 spells a replication.
    moments = [600 * SECOND + n * 10 * SECOND for n in range(5_600)]
    gate([float(slow_at(moments, seed).mean()) for seed in range(40)], 0.25)


@pytest.mark.parametrize("lag_s", [5, 15, 45])
def test_neighbours_are_slow_together_as_two_states_of_a_markov_process(lag_s: int) -> None:
    rate = 1 / EVERY_S + 1 / LASTS_S
    found = []
    for seed in range(40):
        slow = slow_at([600 * SECOND + n * lag_s * SECOND for n in range(8_000)], 100 + seed).astype(float) - 0.25
        found.append(float((slow[1:] * slow[:-1]).mean()) / (0.25 * 0.75))  # against the known mean: no bias
    gate(found, math.exp(-rate * lag_s))


def test_spells_begin_calm_and_may_be_asked_for_in_any_order() -> None:
    moments = [n * SECOND for n in range(600)]
    forwards = slow_at(moments, 3)
    assert not forwards[0]
    assert list(slow_at(moments[::-1], 3)) == list(forwards[::-1])


def test_the_edges_of_a_spell_are_exact() -> None:
    law = SPELLS | {"every": constant(60 * SECOND), "lasts": constant(20 * SECOND)}
    moments = [60 * SECOND - 1, 60 * SECOND, 80 * SECOND - 1, 80 * SECOND, 140 * SECOND]
    assert at(moments, law) == [WORK, 10 * WORK, 10 * WORK, WORK, 10 * WORK]


def test_all_who_share_the_weather_are_slow_in_the_same_spells() -> None:
    kernel, streams = Kernel(), Streams(4)
    charge, refund, other = (
        source_of(name, weather, latency(**SPELLS), streams, kernel)
        for name, weather in (("charge", "payment"), ("refund", "payment"), ("reserve", "stock"))
    )
    seen = []
    for second in range(2_000):
        kernel.run(second * SECOND)
        seen.append((taken(charge, second), taken(refund, 3 * second), taken(other, second)))
    assert all(one == two for one, two, _ in seen)
    assert any(one != three for one, _, three in seen)


def test_a_slow_law_takes_the_place_of_the_usual_one_and_luck_stays_put() -> None:
    law = {key: value for key, value in SPELLS.items() if key != "factor"} | {
        "of": EXPONENTIAL,
        "slow": {"kind": "shifted", "by": "10 s", "of": EXPONENTIAL},
        "every": constant(SECOND),
        "lasts": constant(SECOND),
    }
    calm, slow, again = at([0, SECOND, 2 * SECOND], law)
    assert calm == again == at([0], EXPONENTIAL)[0]
    assert slow >= 10 * SECOND


def test_an_endless_calm_is_no_trouble() -> None:
    law = SPELLS | {"every": {"kind": "pareto", "shape": 0.1, "minimum": "400 days"}}
    assert at([0, 399 * DAY], law) == [WORK, WORK]


# -- at a service and on the way: the moment at which the work begins

LATE = windows({"from": "10 ms", "for": "20 ms", "factor": 3.0}, of=constant(WORK))


@pytest.mark.parametrize("sent_us", [0, 9 * MS - 1, 9 * MS, 29 * MS - 1, 29 * MS])
def test_it_counts_when_the_work_begins_not_when_the_ask_was_sent(sent_us: int) -> None:
    here = Corner(latency=LATE)
    here.at(sent_us, "a")
    here.run()
    begins = sent_us + LEG
    work = 3 * WORK if 10 * MS <= begins < 30 * MS else WORK
    assert here.store.handled == [(begins + work, "a")]
    assert here.heard == [(begins + work + LEG, "a", "answer 1")]


def test_who_waits_in_line_begins_later() -> None:
    here = Corner(latency=LATE, capacity=1)
    here.at(0, "a")
    here.at(0, "b")
    here.run()
    assert here.store.handled == [(LEG + WORK, "a"), (LEG + WORK + 3 * WORK, "b")]


def test_only_a_rhythm_makes_an_ask_more_than_one_wait() -> None:
    assert Corner().replica.is_open
    assert Corner(latency=EXPONENTIAL).replica.is_open
    assert not Corner(latency=LATE).replica.is_open
    assert not Corner(operations={"reserve": LATE}).replica.is_open


def on_the_way(law: dict[str, Any]) -> Corner:
    here = Corner()
    here.wire.scenario = scenario_of(local_latency=law)
    return here


def test_each_leg_is_as_the_way_is_when_it_sets_out() -> None:
    here = on_the_way(windows({"from": "5 ms", "for": "10 ms", "factor": 6.0}, of=constant(LEG)))
    for sent_us, who in ((0, "a"), (5 * MS - 1, "b"), (5 * MS, "c"), (15 * MS, "d")):
        here.at(sent_us, who)
    here.run()
    assert here.store.handled == [
        (LEG + WORK, "a"),
        (5 * MS - 1 + LEG + WORK, "b"),
        (5 * MS + 6 * LEG + WORK, "c"),
        (15 * MS + LEG + WORK, "d"),
    ]
    assert {who: us for us, who, _ in here.heard} == {
        "a": LEG + WORK + 6 * LEG,  # only the way back begins within the window
        "b": 5 * MS - 1 + LEG + WORK + LEG,
        "c": 5 * MS + 6 * LEG + WORK + LEG,  # only the way out
        "d": 15 * MS + LEG + WORK + LEG,
    }


@pytest.mark.parametrize(("timeout_us", "answer"), [(TRIP + 20 * LEG + 1, "answer 1"), (TRIP + 20 * LEG, "silence")])
def test_a_way_back_that_turns_slow_ends_in_silence_at_the_deadline(timeout_us: int, answer: str) -> None:
    here = on_the_way(windows({"from": "5 ms", "for": "1 s", "factor": 21.0}, of=constant(LEG)))
    here.at(0, "a", timeout_us=timeout_us)
    here.run()
    assert here.heard == [(TRIP + 20 * LEG, "a", answer)]
    assert len(here.completions()) == 1


def test_a_refusal_too_comes_back_on_the_way_as_it_is_then() -> None:
    law = windows({"from": "1 ms", "for": "1 s", "factor": 4.0}, of=constant(LEG))
    here = Corner(capacity=1, queue_bound=0)
    here.wire.scenario = scenario_of(local_latency=law)
    here.at(0, "a")
    here.at(0, "b")
    here.run()
    assert (LEG + 4 * LEG, "b", "refused") in here.heard


# -- in a scenario

HEAD = """schema_version = 1
question = "What if it is slow just then?"
horizon = "10 min"
must_exercise = ["never_oversold", "charged_once", "every_order_ends"]
[workload]
kind = "poisson"
rate_per_s = 0.5
[stock]
skus = 20
units_per_sku = 20
"""
LATENCIES: dict[str, str] = {
    "weibull": '{ kind = "weibull", shape = 0.8, mean = "300 ms" }',
    "pareto": '{ kind = "pareto", shape = 1.5, minimum = "100 ms" }',
    "erlang": '{ kind = "erlang", stages = 4, mean = "300 ms" }',
    "hyperexponential": '{ kind = "hyperexponential", mean = "300 ms", cv = 2.0 }',
    "hyperexponential by branch": (
        '{ kind = "hyperexponential", probabilities = [0.9, 0.1], means = ["100 ms", "2 s"] }'
    ),
    "shifted": '{ kind = "shifted", by = "100 ms", of = { kind = "exponential", mean = "200 ms" } }',
    "truncated": (
        '{ kind = "truncated", at_least = "50 ms", at_most = "5 s", '
        'of = { kind = "pareto", shape = 1.1, minimum = "40 ms" } }'
    ),
    "preset": '{ kind = "preset", name = "step_functions_hop" }',
    "windows": (
        '{ kind = "windows", of = { kind = "exponential", mean = "300 ms" }, windows = [\n'
        '    { from = "1 min", for = "1 min", factor = 5.0 },\n'
        '    { from = "5 min", for = "30 s", of = { kind = "constant", value = "4 s" } },\n] }'
    ),
    "profile": '{ kind = "profile", of = { kind = "exponential", mean = "300 ms" }, factors = [1.0, 3.0, 0.5] }',
    "spells": (
        '{ kind = "spells", of = { kind = "exponential", mean = "300 ms" }, factor = 10.0, '
        'every = { kind = "exponential", mean = "1 min" }, lasts = { kind = "erlang", stages = 2, mean = "10 s" } }'
    ),
}
RHYTHMS = ("windows", "profile", "spells")


def written(tmp_path: Path, text: str) -> Scenario:
    path = tmp_path / "day.toml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(path)


@pytest.mark.parametrize("name", LATENCIES)
def test_a_scenario_may_use_each_kind_and_runs_valid(tmp_path: Path, name: str) -> None:
    scenario = written(tmp_path, f"{HEAD}[service.payment]\nlatency = {LATENCIES[name]}\n")
    assert simulate(scenario).verdict == "valid"


@pytest.mark.parametrize("name", LATENCIES)
def test_each_kind_reads_back_what_it_writes_and_fits_the_schema(tmp_path: Path, name: str) -> None:
    law = LATENCIES[name]
    scenario = written(tmp_path, f"local_latency = {law}\n{HEAD}[service.payment]\nlatency = {law}\n")
    again = json.loads(canonical_json(scenario))
    assert Scenario.model_validate(again) == scenario
    jsonschema.validate({key: value for key, value in again.items() if key != "name"}, scenario_json_schema())


EVERYWHERE = "\n".join(
    [
        f"local_latency = {LATENCIES['profile'].replace('300 ms', '2 ms')}",
        HEAD,
        f"[service.payment]\nlatency = {LATENCIES['spells']}\nrefund_delay = {LATENCIES['windows']}",
        f"[service.stock]\nlatency = {LATENCIES['windows'].replace('300 ms', '2 ms')}",
        f"operations.reserve = {LATENCIES['spells'].replace('300 ms', '5 ms')}",
        '[[place]]\nname = "a"\n[[place]]\nname = "b"\n[[link]]\nbetween = ["a", "b"]',
        f"latency = {LATENCIES['spells'].replace('300 ms', '40 ms')}",
    ]
)


def test_histories_with_rhythms_everywhere_are_equal_to_the_bit_on_both_engines(tmp_path: Path) -> None:
    scenario = written(tmp_path, EVERYWHERE)
    worlds = [World(scenario, HotCold(policy_of(scenario)), 5, engine) for engine in ("fast", "stock")]
    for world in worlds:
        world.run()
    fast, stock = (world.history for world in worlds)
    assert first_difference(fast, stock) is None
    assert simulate(scenario).verdict == "valid"


def test_all_charges_in_a_spell_are_slow_together(tmp_path: Path) -> None:
    law = """{ kind = "spells",
        of = { kind = "constant", value = "100 ms" }, slow = { kind = "constant", value = "2 s" },
        every = { kind = "constant", value = "50 s" }, lasts = { kind = "constant", value = "10 s" } }"""
    text = f"{HEAD}[service.payment]\nlatency = {' '.join(law.split())}\n"
    scenario = written(tmp_path, text.replace("rate_per_s = 0.5", "rate_per_s = 2.0"))
    spells = scenario.service.payment.latency
    assert isinstance(spells, Spells)
    run = simulate(scenario)
    asked = {row.op_id: row.time for row in run.history if row.kind == "invoke" and row.operation == "charge"}
    took = [
        (asked[row.op_id], row.time - asked[row.op_id])
        for row in run.history
        if row.kind == "ok" and row.operation == "charge" and row.op_id in asked
    ]
    is_slow = [(sent_us, took_us >= 2 * SECOND) for sent_us, took_us in took]
    assert sum(slow for _, slow in is_slow) > 50
    for sent_us, slow in is_slow:
        into_us = sent_us % (60 * SECOND)  # 50 s calm, 10 s slow; a way takes up to a second
        if SECOND < into_us < 49 * SECOND:
            assert not slow
        if 50 * SECOND < into_us < 59 * SECOND:
            assert slow


# -- what is refused, and where

OF = 'of = { kind = "exponential", mean = "1 s" }'
BAD: list[tuple[str, str]] = [  # » stands where the finger must point
    ('»{ kind = "weibull", scale = "1 s" }', "service.payment.latency.shape is missing; expected a number"),
    ('{ kind = »"weibul", shape = 1.0, scale = "1 s" }', 'did you mean "weibull"?'),
    ('»{ kind = "weibull", shape = 1.0 }', "latency is a weibull with neither; expected one of scale and mean"),
    ('{ kind = "weibull", shape = »0.01, mean = "1 s" }', "latency.shape is 0.01; expected at least 0.1"),
    ('»{ kind = "pareto", shape = 1.5 }', "latency.minimum is missing; expected a duration in quotes"),
    ('{ kind = "pareto", shape = 1.5, minimum = »"0 s" }', 'latency.minimum is "0 s"; expected more than zero'),
    ('{ kind = "erlang", stages = »2.5, mean = "1 s" }', "latency.stages is 2.5; expected a whole number"),
    ('{ kind = "hyperexponential", mean = "1 s", cv = »0.5 }', "latency.cv is 0.5; expected at least 1"),
    (
        '{ kind = "hyperexponential", probabilities = »[0.5, 0.6], means = ["1 s", "2 s"] }',
        "latency.probabilities is 1.1 in all; expected probabilities that add up to 1",
    ),
    (
        '{ kind = "hyperexponential", probabilities = [0.5, 0.5], means = »["1 s"] }',
        "latency.means is 1 for 2 probabilities; expected one mean for each probability",
    ),
    (f'{{ kind = "shifted", by = »3, {OF} }}', 'did you mean "3 s"?'),
    ('{ kind = "shifted", by = "1 s", of = { kind = »"spells" } }', 'latency.of.kind is "spells"; expected one of'),
    (
        f'{{ kind = "truncated", {OF}, at_least = "2 s", at_most = »"1 s" }}',
        'latency.at_most is "1 s"; expected at least at_least, "2 s"',
    ),
    (f'»{{ kind = "truncated", {OF} }}', "latency is truncated nowhere; expected at_most, or at_least, or both"),
    (
        f'»{{ kind = "truncated", {OF}, at_least = "1 min" }}',
        "latency is a law that keeps nothing of what it truncates; expected limits that keep at least 0.1 %",
    ),
    ('{ kind = "preset", name = »"dynamodb_putt" }', 'did you mean "dynamodb_put"?'),
    (f'{{ kind = "windows", {OF}, windows = »[] }}', "latency.windows is empty; expected at least one window"),
    (
        f'{{ kind = "windows", {OF}, windows = [»{{ from = "1 s", for = "1 s" }}] }}',
        "latency.windows[0] is a window with neither factor nor of; expected one of the two",
    ),
    (
        f'{{ kind = "windows", {OF}, windows = [{{ from = "1 s", for = »"0 s", factor = 2 }}] }}',
        'latency.windows[0].for is "0 s"; expected a window longer than nothing',
    ),
    (
        f'{{ kind = "windows", {OF}, windows = [{{ »facter = 3, from = "1 s", for = "1 s", factor = 2 }}] }}',
        'latency.windows[0].facter is not a key here; expected one of from, for, factor, of; did you mean "factor"?',
    ),
    (
        f'{{ kind = "windows", {OF}, windows = »[{{ from = "1 s", for = "2 s", factor = 2 }}, '
        '{ from = "2 s", for = "2 s", factor = 3 }] }',
        "latency.windows is one from 2 s while that from 1 s still lasts; expected windows apart",
    ),
    (f'{{ kind = "profile", {OF}, factors = »[] }}', "latency.factors is empty; expected at least one factor"),
    (f'{{ kind = "profile", {OF}, factors = [1.0, »-2.0] }}', "latency.factors[1] is -2.0; expected more than 0"),
    (
        f'{{ kind = "profile", {OF}, factors = [1.0, 2.0], period = »"1 us" }}',
        'latency.period is "1 us"; expected at least a microsecond for each factor',
    ),
    (
        f'{{ kind = "spells", {OF}, every = {{ kind = "constant", value = "1 s" }}, '
        'lasts = »{ kind = "constant", value = "0 s" }, factor = 2.0 }',
        "latency.lasts is always zero; expected some time",
    ),
    (
        f'»{{ kind = "spells", {OF}, every = {{ kind = "constant", value = "1 s" }}, '
        'lasts = { kind = "constant", value = "1 s" } }',
        "latency is a law of spells with neither factor nor slow; expected one of the two",
    ),
]


@pytest.mark.parametrize(("law", "phrase"), BAD, ids=[phrase for _, phrase in BAD])
def test_a_mistake_is_named_with_its_place(tmp_path: Path, law: str, phrase: str) -> None:
    line = f"latency = {law}"
    with pytest.raises(ScenarioError) as error:
        written(tmp_path, f"{HEAD}[service.payment]\n{line.replace('»', '')}\n")
    (told,) = str(error.value).split("\n")
    assert told.removeprefix(f"{tmp_path}/").startswith(f"day.toml:12:{line.index('»') + 1} "), told
    assert phrase in told


@pytest.mark.parametrize("name", RHYTHMS)
def test_a_rhythm_is_refused_where_no_moment_is_known(tmp_path: Path, name: str) -> None:
    text = HEAD.replace("rate_per_s = 0.5\n", f"rate_per_s = 0.5\ncancels_after = {LATENCIES[name]}\n")
    with pytest.raises(ScenarioError, match=f'cancels_after.kind is "{name}"; expected one of'):
        written(tmp_path, text)
    with pytest.raises(ValidationError, match="expected tags"):
        latency(kind="shifted", by="1 s", of=latency(**SPELLS).model_dump(mode="json", exclude_none=True))
