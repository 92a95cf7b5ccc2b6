"""Sending again: how often an ask arrives, how often it takes effect, and for how long a key is remembered.

The sender is the product's `patiently`, the losses are the product's faults, the receiver is the payment provider, and
where a fresh key is needed for every try, it is the planted mutant that makes one.
Patience waits a fixed time and then a uniform one, so whoever asks again after exponential times waits for a slow look
at the orders in between.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from orderquake.model.flow import PatienceEnded
from orderquake.model.mutants.keys_each_attempt import KeysEachAttempt
from orderquake.model.order import Order
from orderquake.model.order_cache import ReadOrder
from orderquake.model.payment import Charge
from orderquake.sim.scenario import Scenario
from tests.known import formulas
from tests.known.bench import IS_NEW, ORDER, UNTIRING, Errand, Pays, Play, exponential, play, seconds, shop
from tests.known.conftest import SLOW, Agrees, Effort
from tests.known.table import known


class PaysWithFreshKeys(Pays, KeysEachAttempt):
    """The same errand, told by the mutant that makes a key for every try."""


def crowd(messages: int) -> dict[str, Any]:
    """So many senders, within a minute and a half."""
    return {
        "kind": "flash_sale",
        "orders": messages,
        "over": "90 s",
        "starts": "0 s",
        "shape": "uniform",
        "popularity": {"kind": "uniform"},
    }


def at_the_provider(chances: dict[str, float]) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "target": "payment", "operation": "charge", "probability": chance}
        for kind, chance in chances.items()
        if chance
    ]


def trying(tries: int, every_s: float) -> dict[str, Any]:
    """Waits so long for an answer, and then asks again at once."""
    return {"patience": {"payment": {"timeout": seconds(every_s), "attempts": tries, "base": "0 s", "cap": "0 s"}}}


def lossy(tries: int, ask_lost: float, answer_lost: float, messages: int) -> Scenario:
    return shop(
        100.0 + tries,
        crowd(messages),
        policy=trying(tries, 1.0),
        fault=at_the_provider({"lose_ask": ask_lost, "lose_answer": answer_lost}),
    )


def counted(made: Play) -> tuple[list[int], list[int], list[bool]]:
    """Of every sender: receipts, effects, and whether there ever was an answer."""
    captures = made.rows("capture")
    receipts, effects = Counter(row[ORDER] for row in captures), Counter(row[ORDER] for row in captures if row[IS_NEW])
    answered = {row[ORDER] for row in made.rows("charge", "ok")}
    everybody = made.orders
    return [receipts[o] for o in everybody], [effects[o] for o in everybody], [o in answered for o in everybody]


POINTS = [(5, 0.2, 0.1), (3, 0.4, 0.3), pytest.param(2, 0.0, 0.5, marks=SLOW)]


@known("receipts", 7, "How often does an ask arrive, if asks and answers are lost?", "sums over the tries")
@pytest.mark.parametrize(("tries", "ask_lost", "answer_lost"), POINTS)
def test_an_ask_arrives_as_often_as_known_and_takes_effect_once(
    effort: Effort, agrees: Agrees, tries: int, ask_lost: float, answer_lost: float
) -> None:
    scenario = lossy(tries, ask_lost, answer_lost, 1_000 * effort.longer)
    never, once, again, mean, gives_up = formulas.receipts(tries, ask_lost, answer_lost)
    found: dict[str, list[float]] = {}
    for seed in effort.seeds:
        receipts, effects, answered = counted(play(scenario, Pays, seed))
        assert max(effects) == 1, "one key, two effects"
        assert all(effect == min(1, receipt) for effect, receipt in zip(effects, receipts, strict=True))
        n = len(receipts)
        for name, value in (
            ("P(0 receipts)", receipts.count(0) / n),
            ("P(1 receipt)", receipts.count(1) / n),
            ("P(2 or more)", sum(receipt > 1 for receipt in receipts) / n),
            ("mean receipts", sum(receipts) / n),
            ("P(gives up)", answered.count(False) / n),
            ("P(applied though given up)", sum(e and not a for e, a in zip(effects, answered, strict=True)) / n),
        ):
            found.setdefault(name, []).append(value)
    applied = gives_up - never
    for (name, values), reference in zip(found.items(), (never, once, again, mean, gives_up, applied), strict=True):
        if reference:
            width = 0.02 * (formulas.spread(reference) if reference < 1 else 0.5)
            full = 4e-4 if name == "P(2 or more)" and (tries, ask_lost, answer_lost) == POINTS[0] else None
            agrees(f"{tries} tries, r {ask_lost:g}, a {answer_lost:g}: {name}", values, reference, width, full=full)
        else:
            agrees.never(
                f"{tries} tries, r {ask_lost:g}, a {answer_lost:g}: {name}", sum(map(bool, values)), len(values)
            )


@known("fresh_keys", 7, "How often is one charged, if every try has a key of its own?", "sums over the tries")
@pytest.mark.parametrize(("tries", "ask_lost", "answer_lost"), [POINTS[0], pytest.param(3, 0.4, 0.3, marks=SLOW)])
def test_with_a_key_for_every_try_every_receipt_is_an_effect(
    effort: Effort, agrees: Agrees, tries: int, ask_lost: float, answer_lost: float
) -> None:
    scenario = lossy(tries, ask_lost, answer_lost, 1_000 * effort.longer)
    twice, means = [], []
    for seed in effort.seeds:
        receipts, effects, _ = counted(play(scenario, PaysWithFreshKeys, seed))
        assert effects == receipts
        twice.append(sum(effect > 1 for effect in effects) / len(effects))
        means.append(sum(effects) / len(effects))
    _, _, again, mean, _ = formulas.receipts(tries, ask_lost, answer_lost)
    what = f"fresh keys, {tries} tries, r {ask_lost:g}, a {answer_lost:g}:"
    agrees(f"{what} P(charged twice)", twice, again, 0.02 * formulas.spread(again))
    agrees(f"{what} mean charges", means, mean, 0.01)


# -- for how long a key is remembered


def forgetful(window_s: float) -> dict[str, Any]:
    """A provider that remembers keys for so long; the scenario's own rule wants a horizon below it."""
    return {"payment": {"key_retention": seconds(window_s)}}


NO_HORIZON = {"send_horizon": "1 s", "worker_deadline": "1 s", "lease": "2 s", "message_life": "0 s"}


@known("window", 7, "Which repetition is forgotten?", "the k-th with k v >= W: at v = W, it is")
@pytest.mark.parametrize(("window_s", "every_s"), [(300, 60), (300, 299), (300, 300), (300, 301), (300, 70), (100, 33)])
def test_a_key_counts_while_less_than_the_window_has_passed(agrees: Agrees, window_s: float, every_s: float) -> None:
    """No chance here. The k-th repetition comes k * v after the first ask, and is a second effect iff that is W or
    more: at v = W the key is forgotten, "<" and not "<="."""
    first_forgotten, wrong, tried = math.ceil(window_s / every_s), 0, 0
    for lost in range(1, 2 * first_forgotten + 2):
        scenario = shop(
            (lost + 2) * every_s,
            {"kind": "rounds", "rounds": 1, "buyers": 1, "within": "0 s"},
            service=forgetful(window_s),
            policy={**trying(lost + 1, every_s), **NO_HORIZON},
            fault=[{**at_the_provider({"lose_answer": 1.0})[0], "at_most": lost}],
        )
        receipts, effects, answered = counted(play(scenario, Pays, 1))
        assert (receipts, answered) == ([lost + 1], [True])
        wrong, tried = wrong + (effects != [1 + lost // first_forgotten]), tried + 1
    agrees.never(f"window {window_s:g}, again every {every_s:g}: other than known", wrong, tried)


@known(
    "sliding_window", 7, "Which repetition is forgotten, if every use renews the key?", "none if v < W; all if v >= W"
)
@pytest.mark.parametrize(("window_s", "every_s"), [(300, 60), (300, 299), (300, 300), (300, 301), (100, 33)])
def test_a_key_that_every_use_renews_counts_for_as_long_as_it_is_used(
    agrees: Agrees, window_s: float, every_s: float
) -> None:
    """No chance here. At v = W the key is forgotten, "<" and not "<=", and every repetition is a further effect."""
    lost = 3 * math.ceil(window_s / every_s)
    scenario = shop(
        (lost + 2) * every_s,
        {"kind": "rounds", "rounds": 1, "buyers": 1, "within": "0 s"},
        service={"payment": {**forgetful(window_s)["payment"], "key_renewal": "every_use"}},
        policy={**trying(lost + 1, every_s), **NO_HORIZON},
        fault=[{**at_the_provider({"lose_answer": 1.0})[0], "at_most": lost}],
    )
    receipts, effects, answered = counted(play(scenario, Pays, 1))
    assert (receipts, answered) == ([lost + 1], [True])
    known_effects = 1 if every_s < window_s else lost + 1
    agrees.exactly(f"window {window_s:g}, slid by a use every {every_s:g}: effects", effects[0], known_effects)


class AsksAtRandomMoments(Errand):
    """Asks for the money, under one key, and again whenever a slow look is over, until there is an answer."""

    async def run(self, order: Order, number: int) -> None:
        while True:
            try:
                await self.patiently(Charge(order.id, order.id, order.total, order.card))
                return
            except PatienceEnded:
                await self.patiently(ReadOrder(order.id))


@known("redelivery", 7, "How often does asking on at random moments take effect twice?", "a exp(-(1 - a) W / mean)")
@pytest.mark.parametrize(
    ("window_s", "mean_s", "lost"), [(300.0, 120.0, 0.5), pytest.param(100.0, 60.0, 0.3, marks=SLOW)]
)
def test_asking_on_at_random_moments_takes_effect_twice_as_often_as_known(
    effort: Effort, agrees: Agrees, window_s: float, mean_s: float, lost: float
) -> None:
    """Twice iff the first answer was lost, and so was that to every repetition within the window."""
    at_once = {"timeout": "1 us", "attempts": 1}
    scenario = shop(
        100.0 + 40 * mean_s,
        crowd(600 * effort.longer),
        service={**forgetful(window_s), "order_cache": {"latency": exponential(mean_s)}},
        policy={"patience": {"payment": at_once, "order_cache": UNTIRING}, **NO_HORIZON},
        fault=at_the_provider({"lose_answer": lost}),
    )
    twice = []
    for seed in effort.seeds:
        _, effects, answered = counted(play(scenario, AsksAtRandomMoments, seed))
        assert all(answered)
        twice.append(sum(effect > 1 for effect in effects) / len(effects))
    chance = lost * math.exp(-(1 - lost) * window_s / mean_s)
    agrees(
        f"window {window_s:g}, again after {mean_s:g} on average, a {lost:g}: P(two effects)",
        twice,
        chance,
        0.025 * formulas.spread(chance),
    )


@known("forgotten", 7, "How often does asking on take effect twice?", "a^ceil(W / v)")
@pytest.mark.parametrize(
    ("window_s", "every_s", "lost"),
    [
        (300, 60, 0.5),
        pytest.param(300, 299, 0.3, marks=SLOW),
        (300, 300, 0.3),
        pytest.param(300, 301, 0.3, marks=SLOW),
        pytest.param(300, 299, 0.1, marks=SLOW),
        pytest.param(300, 301, 0.1, marks=SLOW),
        pytest.param(120, 50, 0.4, marks=SLOW),
    ],
)
def test_asking_on_after_the_window_takes_effect_twice_as_often_as_known(
    effort: Effort, agrees: Agrees, window_s: float, every_s: float, lost: float
) -> None:
    tries = 16
    scenario = shop(
        100.0 + tries * every_s,
        crowd(600 * effort.longer),
        service=forgetful(window_s),
        policy={**trying(tries, every_s), **NO_HORIZON},
        fault=at_the_provider({"lose_answer": lost}),
    )
    twice = []
    for seed in effort.seeds:
        _, effects, _ = counted(play(scenario, Pays, seed))
        twice.append(sum(effect > 1 for effect in effects) / len(effects))
    chance = formulas.forgotten_meanwhile(window_s, every_s, lost)
    agrees(
        f"window {window_s:g}, again every {every_s:g}, a {lost:g}: P(two effects)",
        twice,
        chance,
        0.025 * formulas.spread(chance),
    )


@known("late_copy", 7, "How often does a late copy take effect?", "an exponential tail")
@pytest.mark.parametrize(("window_s", "late_s"), [(300.0, 120.0), pytest.param(60.0, 120.0, marks=SLOW)])
def test_a_late_copy_takes_effect_if_it_comes_after_the_window(
    effort: Effort, agrees: Agrees, window_s: float, late_s: float
) -> None:
    copied = 0.5
    scenario = shop(
        100.0,
        crowd(600 * effort.longer),
        service=forgetful(window_s),
        policy=NO_HORIZON,
        fault=[{**at_the_provider({"duplicate": copied})[0], "after": exponential(late_s)}],
    )
    twice = []
    for seed in effort.seeds:
        receipts, effects, _ = counted(play(scenario, Pays, seed, then_s=30 * late_s))
        assert set(receipts) == {1, 2}
        twice.append(sum(effect > 1 for effect in effects) / len(effects))
    chance = copied * math.exp(-window_s / late_s)
    agrees(
        f"window {window_s:g}, copies late by {late_s:g}: P(two effects)",
        twice,
        chance,
        0.025 * formulas.spread(chance),
    )
