"""Workloads: how many come, when, and what they want. Where luck is judged, the gate is four standard errors.

A right number fails such a gate once in a thousand choices of seeds; these stand fixed, and nobody chose them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.sim.demand import Bursts, PoissonDemand, Profile, Renewal
from orderquake.sim.history import History
from orderquake.sim.rates import BY_HOUR, SHIPPED, Rates, count_trace, read_rates
from orderquake.sim.run import policy_of, simulate
from orderquake.sim.scenario import Scenario, canonical_json
from orderquake.sim.units import DAY, HOUR, MINUTE, SECOND
from orderquake.sim.world.streams import Streams
from orderquake.sim.world.trace import load_trace
from orderquake.sim.world.workload import Arrival, demand_of, moments_of
from orderquake.sim.world.world import World

SEEDS = range(1, 31)
CALM: dict[str, Any] = {
    "payment": {"throttle": {"per_s": 1e4, "burst": 1000}, "declines": 0.0},
    "queue": {"latency": {"kind": "constant", "value": "1 ms"}},
}
"""A shop in which nobody gets into anybody's way; a worker's turn at the queue is nobody's in particular."""


def scenario_of(
    workload: dict[str, Any], horizon: str = "20 min", folder: Path | None = None, **tables: Any
) -> Scenario:
    return Scenario.model_validate(
        {
            "schema_version": 1,
            "question": "Who comes?",
            "horizon": horizon,
            "workload": workload,
            "place": [{"name": "here", "workers": 200}],
            **tables,
        },
        context=None if folder is None else {"folder": str(folder)},
    )


def arrivals(scenario: Scenario, seed: int) -> list[Arrival]:
    return list(demand_of(scenario, Streams(seed)).arrivals)


def counts(scenario: Scenario, window_us: int) -> list[list[int]]:
    """Arrivals by window, a list a seed."""
    windows, workload = scenario.horizon // window_us, scenario.workload
    assert isinstance(workload, PoissonDemand | Bursts | Profile | Renewal)
    found = []
    for seed in SEEDS:
        by_window = Counter(at_us // window_us for at_us, _ in moments_of(scenario, workload, Streams(seed)))
        found.append([by_window[number] for number in range(windows)])
    return found


def agrees(values: Iterable[float], reference: float) -> None:
    found = np.array(list(values))
    error = found.std(ddof=1) / math.sqrt(len(found))
    assert abs(found.mean() - reference) <= 4 * error, (found.mean(), error, reference)
    assert error <= 0.05 * reference, "a noisy run would always agree"


OPEN: dict[str, dict[str, Any]] = {
    "poisson": {"kind": "poisson", "rate_per_s": 0.5},
    "bursts": {"kind": "bursts", "rate_per_s": 0.5, "size": 4.0, "within": "20 s"},
    "profile": {
        "kind": "profile",
        "steps": [{"from": "0 s", "rate_per_s": 0.2}, {"from": "5 min", "rate_per_s": 0.8}],
        "repeats": "10 min",
    },
    "renewal": {"kind": "renewal", "gap": {"kind": "gamma", "mean": "2 s", "cv": 0.5}},
}
HOT = {"popularity": {"kind": "hot", "share": 0.8, "skus": 5}, "basket": {"lines": {"kind": "geometric", "mean": 2.0}}}


# -- when they come


@pytest.mark.parametrize("kind", OPEN)
def test_as_many_come_as_the_workload_says(kind: str) -> None:
    scenario = scenario_of(OPEN[kind])
    agrees((sum(each) for each in counts(scenario, MINUTE)), 0.5 * 1200)


@pytest.mark.parametrize("kind", OPEN)
def test_they_come_in_order_before_the_horizon_each_under_a_number_of_its_own(kind: str) -> None:
    scenario = scenario_of(OPEN[kind])
    came = arrivals(scenario, 3)
    assert all(sooner.at_us <= later.at_us for sooner, later in pairwise(came))
    assert came[0].at_us >= 0
    assert came[-1].at_us <= scenario.horizon
    assert len({each.number for each in came}) == len(came)


@pytest.mark.parametrize("kind", OPEN)
def test_the_same_seed_brings_the_same_customers(kind: str) -> None:
    scenario = scenario_of({**OPEN[kind], **HOT})
    assert arrivals(scenario, 3) == arrivals(scenario, 3) != arrivals(scenario, 4)


def dispersion(found: list[list[int]]) -> list[float]:
    """Variance over mean of the counts, a value a seed; the mean is that of all, so that the ratio is hardly biased."""
    mean = float(np.mean(found))
    return [float(np.mean((np.array(each) - mean) ** 2)) / mean for each in found]


@pytest.mark.parametrize(
    "said", [{"size": 4.0}, {"dispersion": 7.0}, {"size": 1.0}], ids=["size", "dispersion", "no bursts"]
)
def test_bursts_are_as_uneven_as_they_say(said: dict[str, float]) -> None:
    """Of two of a burst the distance is triangular, so of the pairs a share within / (3 * window) is cut apart."""
    scenario = scenario_of({"kind": "bursts", "rate_per_s": 2.0, "within": "5 s", **said}, "200 min")
    size = said.get("size", (said.get("dispersion", 0.0) + 1) / 2)
    agrees(dispersion(counts(scenario, 100 * SECOND)), 1 + 2 * (size - 1) * (1 - 5 / 300))


def test_bursts_are_under_way_when_the_scenario_begins() -> None:
    scenario = scenario_of({"kind": "bursts", "rate_per_s": 20.0, "size": 3.0, "within": "60 s"}, "1 min")
    by_window = np.array(counts(scenario, 5 * SECOND), dtype=float)
    agrees(by_window[:, 0], 100.0)
    agrees(by_window[:, -1], 100.0)


def test_steady_gaps_are_steady() -> None:
    scenario = scenario_of({"kind": "renewal", "gap": {"kind": "constant", "value": "700 ms"}}, "7 s")
    assert [each.at_us for each in arrivals(scenario, 1)] == [700_000 * n for n in range(1, 10)]


def test_gaps_far_below_the_clocks_tick_still_add_up() -> None:
    scenario = scenario_of({"kind": "renewal", "gap": {"kind": "exponential", "mean": "3 us"}}, "30 ms")
    assert len(arrivals(scenario, 1)) == pytest.approx(10_000, abs=400)


# -- profiles


def test_the_shipped_hours_are_those_of_the_shipped_trace() -> None:
    counted = [f"{hour},{rate:.9f}" for hour, rate in count_trace()]
    assert SHIPPED.read_text(encoding="utf-8").split() == [",".join(BY_HOUR), *counted]


def test_a_week_of_the_retailers_hours_has_the_traces_orders() -> None:
    """Its record ends on a Friday at noon: what it does not reach is not taken for an hour without customers."""
    trace = load_trace()
    assert trace.first_day.weekday() == 0
    of_days = Counter(order.at_us // DAY for order in trace.sales)
    whole_weeks = sum(of_days[day] for day in range(21)) / 3
    rates = read_rates(SHIPPED)
    week = sum(rate for _, rate in rates.steps) * 3600
    assert rates.repeats_us == 7 * DAY
    assert week == pytest.approx(whole_weeks, rel=0.1)
    assert sum(rates.at(5 * DAY + hour * HOUR) for hour in range(24)) == 0.0, "closed on Saturdays"


def test_the_shares_of_the_hours_are_the_traces() -> None:
    scale = 50.0
    scenario = scenario_of({"kind": "profile", "of": "online_retail", "scale": scale}, "7 days")
    came = [each.at_us // HOUR for each in arrivals(scenario, 1)]
    by_hour = Counter(came)
    rates = read_rates(SHIPPED)
    expected = [rates.at(hour * HOUR) * 3600 * scale for hour in range(168)]
    assert len(came) == pytest.approx(sum(expected), abs=4 * math.sqrt(sum(expected)))
    chi_square = sum((by_hour[hour] - mean) ** 2 / mean for hour, mean in enumerate(expected) if mean)
    hours = sum(mean > 0 for mean in expected)
    assert abs(chi_square - hours) <= 4 * math.sqrt(2 * hours)
    assert not [hour for hour, mean in enumerate(expected) if not mean and by_hour[hour]]


def test_a_scenario_may_begin_in_the_middle_of_a_week() -> None:
    thursday = {"kind": "profile", "of": "online_retail", "begins": "3 days 8 h", "scale": 20.0}
    came = Counter(each.at_us // HOUR for each in arrivals(scenario_of(thursday, "2 days"), 1))
    assert came[0], "it opens at eight"
    assert not any(came[hour] for hour in range(13, 24)), "and closes before nine in the evening"


def test_a_busier_hour_adds_customers_to_that_hour_and_moves_nobody_else() -> None:
    def with_second(rate_per_s: float) -> list[Arrival]:
        steps = [("0 s", 2.0), ("5 min", rate_per_s), ("10 min", 1.0)]
        written = [{"from": since, "rate_per_s": rate} for since, rate in steps]
        return arrivals(scenario_of({"kind": "profile", "steps": written}), 5)

    quiet, busy = with_second(0.1), with_second(1.5)
    assert set(quiet) < set(busy)
    assert all(5 * MINUTE <= each.at_us <= 10 * MINUTE for each in set(busy) - set(quiet))


@pytest.mark.parametrize(
    ("text", "steps", "repeats_us"),
    [
        ("from_s,rate_per_s\n0,2\n90,0.5\n", ((0, 2.0), (90 * SECOND, 0.5)), None),
        ("hour,rate_per_s\n" + "".join(f"{h},{h / 10}\n" for h in range(24)), None, DAY),
        ("hour,rate_per_s\n" + "".join(f"{h},1\n" for h in range(168)), None, 7 * DAY),
    ],
    ids=["from_s", "day", "week"],
)
def test_rates_come_from_a_file_beside_the_scenario(
    tmp_path: Path, text: str, steps: tuple[tuple[int, float], ...] | None, repeats_us: int | None
) -> None:
    (tmp_path / "rates.csv").write_text(text, encoding="utf-8")
    scenario = scenario_of({"kind": "profile", "file": "rates.csv"}, folder=tmp_path)
    assert isinstance(scenario.workload, Profile)
    rates = scenario.workload.rates()
    assert rates.repeats_us == repeats_us
    if steps is not None:
        assert rates.steps == steps
    assert str(tmp_path) not in canonical_json(scenario)
    assert Scenario.model_validate_json(canonical_json(scenario)) == scenario, "complete in itself, without the file"


def test_the_last_step_lasts_where_nothing_repeats() -> None:
    rates = Rates(((0, 1.0), (10, 2.0)), None)
    assert [rates.at(moment) for moment in (0, 9, 10, 10**12)] == [1.0, 1.0, 2.0, 2.0]


# -- what they want


@pytest.mark.parametrize(
    "rest", [{"kind": "uniform"}, {"kind": "zipf", "exponent": 1.0}], ids=lambda rest: rest["kind"]
)
def test_the_hot_products_have_their_share(rest: dict[str, Any]) -> None:
    hot = {"kind": "hot", "share": 0.7, "skus": 3, "rest": rest}
    scenario = scenario_of({"kind": "poisson", "rate_per_s": 10.0, "popularity": hot})
    wanted = Counter(line.sku for each in arrivals(scenario, 1) for line in each.lines)
    total = sum(wanted.values())

    def within(units: int, share: float) -> bool:
        return abs(units - total * share) <= 4 * math.sqrt(total * share * (1 - share))

    names = scenario.stock.sku_names()
    assert all(within(wanted[sku], 0.7 / 3) for sku in names[:3])
    fourth = 0.3 / 97 if rest["kind"] == "uniform" else 0.3 / sum(1 / rank for rank in range(1, 98))
    assert within(wanted[names[3]], fourth)
    assert within(sum(wanted[sku] for sku in names[3:]), 0.3)


# -- luck


@pytest.mark.parametrize("kind", OPEN)
def test_a_customer_who_stays_away_moves_nobody_else(kind: str) -> None:
    """In a shop with room for all, everything else happens at the same moment, to the microsecond."""
    scenario = scenario_of({**OPEN[kind], **HOT}, "2 min", service=CALM, stock={"skus": 50, "units_per_sku": 10_000})
    everybody = World(scenario, HotCold(policy_of(scenario)), 3)
    everybody.run()
    came = arrivals(scenario, 3)
    gone = came[len(came) // 2].number
    without = World(scenario, HotCold(policy_of(scenario)), 3)
    following = next(each for each in without.demand.arrivals if each.number != gone)
    assert following == came[1], "the first is under way already"
    without.customers.arrivals = iter([each for each in came[1:] if each.number != gone])
    without.run()
    ours, theirs = told(everybody.history), told(without.history)
    del ours[f"s{gone}"]
    assert ours == theirs


def told(history: History) -> dict[str, tuple[int, int]]:
    """When each submission was sent, and when it was decided."""
    sent = {row.order: (row.key, row.time) for row in history if row.kind == "invoke" and row.operation == "submit"}
    ended = {row.order: row.time for row in history if row.operation == "notice" and row.kind == "state"}
    return {key: (time, ended[order]) for order, (key, time) in sent.items()}


# -- the closed loop

LOOP: dict[str, Any] = {"kind": "closed", "customers": 8, "think": {"kind": "exponential", "mean": "5 s"}}


def in_flight(history: History) -> list[tuple[int, int]]:
    """After every submission and every final answer: when, and how many orders are under way."""
    moves = [
        (row.time, +1 if row.operation == "submit" else -1)
        for row in history
        if (row.operation == "submit" and row.kind == "invoke") or (row.operation == "notice" and row.kind == "state")
    ]
    under_way, found = 0, []
    for time, move in moves:
        under_way += move
        found.append((time, under_way))
    return found


def test_never_more_orders_are_under_way_than_there_are_customers() -> None:
    slow = {"payment": {"latency": {"kind": "exponential", "mean": "8 s"}, "declines": 0.1}}
    policy = {
        "patience": {"payment": {"timeout": "200 s", "attempts": 1}},
        "worker_deadline": "300 s",
        "lease": "400 s",
    }
    run = simulate(scenario_of(LOOP, service=slow, policy=policy), seed=2)
    assert max(number for _, number in in_flight(run.history)) == 8
    assert not [verdict for verdict in run.verdicts.values() if verdict.status == "invalid"]


def test_each_customer_waits_thinks_and_orders_anew() -> None:
    history = simulate(scenario_of({**LOOP, "customers": 3}), seed=2).history
    spans = told(history)
    of_customer = [
        sorted((span for key, span in spans.items() if int(key[1:]) % 3 == customer)) for customer in range(3)
    ]
    assert all(len(visits) > 100 for visits in of_customer)
    assert all(later[0] > sooner[1] for visits in of_customer for sooner, later in pairwise(visits))
    thoughts = [later[0] - sooner[1] for visits in of_customer for sooner, later in pairwise(visits)]
    assert np.mean(thoughts) / SECOND == pytest.approx(5.0, abs=4 * 5.0 / math.sqrt(len(thoughts)))


@pytest.mark.parametrize("mean", ["200 ms", "3 s"], ids=["idle", "busy"])
def test_customers_times_throughput_is_thinking_plus_waiting(mean: str) -> None:
    """The law of interactive response times: N = X (R + Z). source   Denning and Buzen (1978)"""
    service = {"payment": {"latency": {"kind": "exponential", "mean": mean}, "capacity": 2}}
    scenario = scenario_of(LOOP, "20 min", service=service)
    spans = told(simulate(scenario, seed=3).history).values()
    response_s = float(np.mean([end - begin for begin, end in spans])) / SECOND
    throughput = len(spans) / (scenario.horizon / SECOND)
    assert throughput * (response_s + 5.0) == pytest.approx(8, rel=0.06)


def test_one_server_and_so_many_machines_are_busy_as_palm_said() -> None:
    """M/M/1//N, the repairman: what takes time is the payment and nothing else. source   Palm (1943)"""
    at_once = {"kind": "constant", "value": "0 s"}
    service: dict[str, Any] = {
        name: {"latency": at_once} for name in ("order_cache", "stock", "record", "notice", "queue")
    }
    service["payment"] = {"latency": {"kind": "exponential", "mean": "1 s"}, "capacity": 1}
    policy = {
        "patience": {"payment": {"timeout": "200 s", "attempts": 1}},
        "worker_deadline": "300 s",
        "lease": "400 s",
    }
    scenario = scenario_of(
        {**LOOP, "popularity": {"kind": "uniform"}}, "8 min", service=service, policy=policy, local_latency=at_once,
        stock={"skus": 10, "units_per_sku": 100_000}, jobs={"settlement": {"every": "400 h"}},
    )  # fmt: skip
    weights = [1.0]
    for inside in range(8):
        weights.append(weights[-1] * (8 - inside) / 5.0)
    busy = 1 - weights[0] / sum(weights)
    done = []
    for seed in range(1, 11):
        world = World(scenario, HotCold(policy_of(scenario)), seed)
        world.kernel.run(scenario.horizon)
        done.append(world.wire.replicas["payment"].utilisation_us() / scenario.horizon)
    agrees(done, busy)


def test_who_gives_up_thinks_on_and_the_order_ends_without_a_listener() -> None:
    slow = {"payment": {"latency": {"kind": "constant", "value": "20 s"}}}
    policy = {"patience": {"payment": {"timeout": "30 s"}}, "worker_deadline": "60 s", "lease": "90 s"}
    tired = {**LOOP, "customers": 2, "gives_up": "4 s", "think": {"kind": "constant", "value": "1 s"}}
    history = simulate(scenario_of(tired, "1 min", service=slow, policy=policy), seed=2).history
    sent = sorted(row.time for row in history if row.kind == "invoke" and row.operation == "submit")
    assert sent == sorted(2 * [SECOND + 5 * SECOND * n for n in range(12)])
    assert len(told(history)) == 24, "every order was decided all the same"


def test_who_walks_away_does_not_wait() -> None:
    away = {**LOOP, "customers": 1, "walks_away": 1.0, "think": {"kind": "constant", "value": "1 s"}}
    history = simulate(scenario_of(away, "10 s"), seed=2).history
    sent = [row.time for row in history if row.kind == "invoke" and row.operation == "submit"]
    assert sent == [SECOND * n for n in range(1, 10)]


def test_a_slow_shop_is_asked_less_often_and_an_open_one_is_not() -> None:
    """What a closed loop leaves out of its latencies: the customers who would have come meanwhile."""
    away = [{"kind": "down", "target": "order_cache", "from": "5 min", "for": "2 min", "must_be_seen": False}]
    closed = scenario_of({**LOOP, "retries": {"at_most": 100}}, "8 min", fault=away)
    opened = scenario_of({"kind": "poisson", "rate_per_s": 0.8}, "8 min", fault=away)

    def sent_meanwhile(scenario: Scenario) -> int:
        history = simulate(scenario, seed=4).history
        first = {row.order: row.time for row in reversed(list(history)) if row.operation == "submit"}
        return sum(5 * MINUTE <= time < 7 * MINUTE for time in first.values())

    assert sent_meanwhile(closed) <= 16
    assert sent_meanwhile(opened) >= 60


def test_a_closed_loop_is_the_same_again_under_the_same_seed() -> None:
    scenario = scenario_of({**LOOP, **HOT, "clicks_twice": 0.1, "cancels": 0.1}, "5 min")
    assert simulate(scenario, seed=9).digest == simulate(scenario, seed=9).digest
