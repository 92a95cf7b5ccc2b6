"""Services that are away, slow, half ill or short of hands: it is seen, it heals, and the sound design bears it."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.assumptions import is_promised
from orderquake.model.mutants import MUTANTS
from orderquake.model.verbs import VERBS
from orderquake.sim.nemesis import FAULTS
from orderquake.sim.nemesis.services import BATCHES, READS
from orderquake.sim.units import MINUTE, SECOND
from tests.world.corner import LEG, MS, TRIP, WORK, Corner, constant, lapse, release
from tests.world.faults.days import POLICIES, bears, is_convicted, rows, run, same_on_both_engines
from tests.world.faults.naive import DedupsByBatch

WINDOW = {"from": "1 min", "for": "3 min"}
STRIKES: dict[str, dict[str, Any]] = {
    "down": {"target": "stock", **WINDOW},
    "slow": {"target": "stock", "factor": 2000.0, **WINDOW},
    "gray": {"target": "payment", **WINDOW},
    "read_only": {"target": "order_cache", **WINDOW},
    "throttled": {"target": "stock", "per_s": 0.5, **WINDOW},
    "capacity_cut": {"target": "payment", "to": 1, **WINDOW},
    "applied_but_answer_lost": {"target": "order_cache", "operation": "write_order", "nth": 3},
    "partial_batch": {"target": "record", "probability": 0.6},
}
"""Kind -> how it strikes the shop."""


def fault(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, **(more or STRIKES[kind])}


# -- all of them


def test_reads_and_batches_are_verbs_of_some_service() -> None:
    verbs = {verb for service in VERBS.values() for verb in service}
    assert verbs >= READS
    assert verbs >= set(BATCHES)


@pytest.mark.parametrize("kind", STRIKES)
@pytest.mark.parametrize(("order", "seed"), [*zip(POLICIES, (1, 2, 3), strict=True)])
def test_it_is_seen_heals_and_is_borne(kind: str, order: str, seed: int) -> None:
    assert is_promised(HotCold.requires, frozenset(FAULTS[kind].breaks))
    bears(fault(kind), order, seed)


@pytest.mark.parametrize("writes", ["refused", "lost"])
@pytest.mark.parametrize("target", ["order_cache", "stock", "payment", "record"])
def test_whoever_is_read_only_the_sound_design_waits(target: str, writes: str) -> None:
    bears({"kind": "read_only", "target": target, "writes": writes, **WINDOW}, "pay_first", 1)


@pytest.mark.parametrize("kind", ["gray", "read_only", "throttled", "capacity_cut", "partial_batch"])
def test_both_engines_tell_the_same_history(kind: str) -> None:
    same_on_both_engines(fault(kind))


SLOW_CARDS = {"payment": {"latency": constant(2 * SECOND), "declines": 0.0}}
PROMPT_RECORD = {"record": {"latency": constant(200 * MS)}}
KEYS, STUBBORN = MUTANTS["keys_each_attempt"], MUTANTS["never_gives_up"]


@pytest.mark.parametrize(
    ("design", "struck", "by", "seed", "service"),
    [
        (STUBBORN, fault("down", target="record", **WINDOW), "backpressure_bounded", 1, {}),
        (KEYS, fault("slow", target="payment", factor=10.0, **WINDOW), "charged_once", 1, {}),
        (KEYS, fault("gray"), "charged_once", 1, {}),
        (STUBBORN, fault("read_only"), "backpressure_bounded", 1, {}),
        (STUBBORN, fault("throttled", target="payment", per_s=0.2, **WINDOW), "backpressure_bounded", 1, {}),
        (KEYS, fault("capacity_cut"), "charged_once", 1, SLOW_CARDS),
        (KEYS, fault("applied_but_answer_lost", target="payment", operation="charge"), "charged_once", 1, {}),
        (DedupsByBatch, fault("partial_batch", target="record", operation="post", probability=0.5),
         "posted_once", 3, PROMPT_RECORD),
    ],
    ids=lambda what: what.name if isinstance(what, type) else what.get("kind", "-") if isinstance(what, dict) else None,
)  # fmt: skip
def test_a_design_that_does_not_reckon_with_it_is_convicted(
    design: type[Architecture], struck: dict[str, Any], by: str, seed: int, service: dict[str, Any]
) -> None:
    is_convicted(design, struck, by, seed, service=service)


# -- to the microsecond


def test_a_gray_service_answers_most_asks_as_ever() -> None:
    corner = Corner([{"kind": "gray", "lost": 0.1, "slow": 0.2, "factor": 10.0}])
    for number in range(500):
        corner.at(number * SECOND // 10, f"{number:03d}", timeout_us=500 * MS)
    corner.run(60 * SECOND)
    took = [at - int(who) * SECOND // 10 for at, who, said in corner.heard if said != "silence"]
    assert set(took) == {TRIP, LEG + 10 * WORK + LEG}
    # Of 500 asks 50 are lost and 90 of the rest slow; outside of five standard errors once in a million seeds or more.
    assert abs(500 - len(took) - 50) < 34
    assert abs(took.count(LEG + 10 * WORK + LEG) - 90) < 43


@pytest.mark.parametrize(("writes", "said"), [("refused", "refused"), ("lost", "silence")])
def test_writes_are_refused_or_never_answered_while_reads_are(writes: str, said: str) -> None:
    from orderquake.model.stock import AskStatus

    corner = Corner([{"kind": "read_only", "writes": writes, "for": "1 min"}])
    corner.at(0, "writer", timeout_us=100 * MS)
    corner.at(0, "reader", AskStatus())
    corner.at(2 * MINUTE, "later")
    corner.run(3 * MINUTE)
    assert {who: told for _, who, told in corner.heard} == {"writer": said, "reader": "answer 1", "later": "answer 2"}


def test_a_throttle_for_a_while_lets_its_burst_pass_and_then_one_a_second() -> None:
    corner = Corner([{"kind": "throttled", "per_s": 1.0, "burst": 2, "from": "1 s", "for": "10 s"}])
    for number in range(8):
        corner.at(1 * SECOND + number * SECOND // 4, str(number))
    corner.at(12 * SECOND, "after")
    corner.run(20 * SECOND)
    refused = [who for _, who, said in corner.heard if said == "refused"]
    assert refused == ["2", "3", "5", "6", "7"]


def test_a_throttle_may_be_for_one_operation() -> None:
    corner = Corner([{"kind": "throttled", "per_s": 0.001, "operation": "release"}])
    for who in ("first", "second"):
        corner.at(0, f"{who} release", release(who))
        corner.at(0, f"{who} lapse", lapse())
    corner.run()
    assert [who for _, who, said in corner.heard if said == "refused"] == ["second release"]


@pytest.mark.parametrize("capacity", [None, 4])
def test_a_service_with_fewer_hands_lets_the_others_wait_until_they_are_back(capacity: int | None) -> None:
    more = {} if capacity is None else {"capacity": capacity}
    corner = Corner([{"kind": "capacity_cut", "to": 1, "from": "5 ms", "for": "20 ms"}], **more)
    corner.at(0, "before")
    for who in "abc":
        corner.at(6 * MS, who)
    corner.run()
    # `before` works until 11 ms, a until 21 ms; at 25 ms all hands are back, b ends at 31 ms, and c then, too.
    assert [at for at, _, _ in corner.heard] == [12 * MS, 22 * MS, 32 * MS, 36 * MS]
    assert corner.replica.busy == 0


def test_the_answer_of_the_nth_write_is_lost_and_no_other() -> None:
    corner = Corner([{"kind": "applied_but_answer_lost", "operation": "reserve", "nth": 2}])
    for number in range(4):
        corner.at(number * SECOND, str(number), timeout_us=100 * MS)
    corner.run(10 * SECOND)
    assert [said for _, _, said in corner.heard] == ["answer 1", "silence", "answer 3", "answer 4"]


def test_a_partial_batch_is_done_in_part_and_then_in_whole() -> None:
    found = run({"kind": "partial_batch", "target": "record", "operation": "post", "nth": 2})
    silent = rows(found, "info", "post")
    (broken,) = [row for row in silent if any(post.cause == row.cause for post in rows(found, "state", "post"))]
    first = {post.key for post in rows(found, "state", "post") if post.cause == broken.cause}
    again = {post.key: post.answer for post in rows(found, "state", "post") if post.index > broken.index}
    assert first
    assert {again[key] for key in first} == {"duplicate"}
