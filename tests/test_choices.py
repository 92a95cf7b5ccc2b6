"""A run can be had again from its log; whatever is not the same the second time is found, and named."""

from __future__ import annotations

import dataclasses
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.mutants import MUTANTS
from orderquake.model.order import Order
from orderquake.sim.choices import ChoiceLog, ChoiceLogError, record, record_failure, replay, twice
from orderquake.sim.differences import first_apart, in_words
from orderquake.sim.history import History, first_difference
from orderquake.sim.run import Run, simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.streams import BadDeviation, Deviation, Draw, Stream, Streams, TracedStreams


def small(**tables: Any) -> Scenario:
    """Forty orders in a minute, with a fault or two."""
    return Scenario.model_validate(
        {
            "name": "small",
            "schema_version": 1,
            "question": "Is it the same twice?",
            "horizon": "2 min",
            "must_exercise": ["every_order_ends"],
            "workload": {"kind": "flash_sale", "orders": 40, "over": "1 min"},
            "stock": {"skus": 3, "units_per_sku": 8},
            "fault": [
                {
                    "kind": "lose_answer",
                    "target": "payment",
                    "operation": "charge",
                    "probability": 0.1,
                    "must_be_seen": False,
                }
            ],
            **tables,
        }
    )


def played(scenario: Scenario, *deviations: Deviation, seed: int = 3) -> tuple[Run, TracedStreams]:
    luck = TracedStreams(seed, deviations)
    return simulate(scenario, seed=seed, luck=luck), luck


def labels(draws: list[Draw]) -> dict[tuple[str, int, int], Any]:
    return {draw[:3]: draw.value for draw in draws}


# -- one draw overruled


def test_a_deviation_changes_its_draw_and_nobody_elses() -> None:
    plain, bent = Streams(1), Streams(1, [Deviation("a", 1_500, 2, 0.125)])
    for name in ("a", "b"):
        for number in (0, 1_023, 1_499, 1_500, 1_501, 3_000):
            for attempt in (0, 1, 2, 3):
                one, other = (streams.uniform(name).draw(number, attempt) for streams in (plain, bent))
                assert (one != other) == ((name, number, attempt) == ("a", 1_500, 2))
    assert bent.uniform("a").draw(1_500, 2) == 0.125


def test_in_a_run_too_only_that_draw_changes_and_all_others_keep_their_luck() -> None:
    before, draws = played(small())
    which = next(draw for draw in draws.draws if draw.stream.startswith("fault/lose_answer-") and draw.value > 0.1)
    after, bent = played(small(), Deviation(*which[:3], 0.0))
    was, is_now = labels(draws.draws), labels(bent.draws)
    changed = {label for label in was.keys() & is_now.keys() if was[label] != is_now[label]}
    assert changed == {which[:3]}
    index = first_difference(before.history, after.history)
    assert index is not None
    assert which.row <= index


def test_a_latency_that_is_always_the_same_can_be_overruled_by_the_name_of_its_leg() -> None:
    leg = Deviation("customer/eu-west/leg", 0, 0, 7_000_000)
    assert small().local_latency.kind == "constant"
    before, _ = played(small(place=[{"name": "eu-west"}]))
    after, _ = played(small(place=[{"name": "eu-west"}]), leg)
    registered = [
        next(row.time for row in run.history if row.operation == "register" and row.order == order)
        for run in (before, after)
        for order in [next(row.order for row in run.history if row.key == "s0")]
    ]
    assert registered[1] - registered[0] == 7_000_000 - 250


@pytest.mark.parametrize(
    ("deviations", "text"),
    [
        ([Deviation("a", 0, 0, 0.1), Deviation("a", 0, 0, 0.2)], "overruled twice"),
        ([Deviation("a", -1, 0, 0.1)], "count from 0"),
        ([Deviation("a", 0, 0, 1.5)], "expected a number from 0 to 1"),
        ([Deviation("whole", 0, 0, 0.5)], "expected a whole number"),
        ([Deviation("real", 0, 0, float("nan"))], "expected a number, 0 or more"),
    ],
)
def test_a_deviation_that_cannot_be_is_refused(deviations: list[Deviation], text: str) -> None:
    class Law:
        def __init__(self, kind: type) -> None:
            self.kind = kind

        def sample(self, generator: np.random.Generator, n: int) -> Any:
            return np.ones(n, self.kind)

    with pytest.raises(BadDeviation, match=text):
        streams = Streams(1, deviations)
        for stream in (streams.uniform("a"), streams.of("whole", Law(np.int64)), streams.of("real", Law(np.float64))):
            stream.draw(0)


def test_a_deviation_that_nobody_draws_is_told() -> None:
    log = record(played(small(), Deviation("fault/lose_anser-1/charge", 0, 0, 0.0))[0])
    assert [stranger.stream for stranger in replay(log).strangers] == ["fault/lose_anser-1/charge"]


def test_noting_every_draw_changes_nothing() -> None:
    noted, luck = played(small())
    assert noted.digest == simulate(small(), seed=3).digest
    assert len(luck.draws) > 500
    assert [draw.row for draw in luck.draws] == sorted(draw.row for draw in luck.draws)


# -- a log


def test_a_log_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    log = record(played(small(), Deviation("customer/card", 3, 0, 0.0))[0])
    path = log.write(tmp_path / "run.choices.json")
    assert ChoiceLog.read(path) == log
    assert [file.name for file in tmp_path.iterdir()] == ["run.choices.json"]
    assert log.rows == len(np.frombuffer(log.checks, "<u4"))
    assert log.day() == small()


def test_a_log_runs_on_its_own_and_strictly_to_the_same_end(tmp_path: Path) -> None:
    run = played(small(), Deviation("customer/card", 3, 0, 0.0))[0]
    again = replay(ChoiceLog.read(record(run).write(tmp_path / "run.json")))
    assert (again.digest, again.verdict, again.difference, again.exit_code) == (run.digest, "valid", None, 0)
    assert f"all {len(run.history)} rows are as they were" in str(again)


def test_a_strict_replay_stops_at_the_first_row_that_a_mutant_does_otherwise() -> None:
    scenario = small(fault=[{"kind": "lose_answer", "target": "payment", "operation": "charge", "probability": 0.9}])
    log = record(simulate(scenario, seed=3))
    mutant = simulate(scenario, on=MUTANTS["keys_each_attempt"], seed=3)
    again = replay(log, on=MUTANTS["keys_each_attempt"])
    assert again.difference is not None
    assert again.difference.row == first_difference(simulate(scenario, seed=3).history, mutant.history)
    assert in_words(mutant.history[again.difference.row]) == again.difference.ours
    assert again.difference.theirs.startswith("a row whose check is ")
    assert any(draw.stream.startswith("payment") or "/payment" in draw.stream for draw in again.difference.near)
    assert again.exit_code == 4
    assert json.loads(json.dumps(again.to_json()))["difference"]["row"] == again.difference.row


def test_a_lenient_replay_says_what_was_found_then_and_now() -> None:
    scenario = small(fault=[{"kind": "lose_answer", "target": "payment", "operation": "charge", "probability": 0.9}])
    log = record(simulate(scenario, on=MUTANTS["keys_each_attempt"], seed=3))
    again = replay(log, strict=False, on=HotCold)
    assert (log.verdict, again.verdict, again.difference, again.exit_code) == ("invalid", "valid", None, 0)
    assert "then invalid, now valid" in str(again)
    assert "charged_once: then invalid, now valid" in str(again)


def test_a_run_in_which_the_harness_fails_is_kept_and_fails_again(tmp_path: Path) -> None:
    class Fails(HotCold):
        name = "fails"

        async def charge(self, order: Order) -> Order:
            raise AssertionError("a mistake of ours")

    with pytest.raises(AssertionError) as failed:
        simulate(small(), on=Fails, seed=3)
    log = record_failure(small(), Fails, 3, failed.value)
    assert (log.verdict, log.digest, log.failure) == ("", "", "AssertionError: a mistake of ours")
    assert log.rows > 10
    again = replay(ChoiceLog.read(log.write(tmp_path / "failed.json")), on=Fails)
    assert (again.failure, again.difference, again.exit_code) == (log.failure, None, 4)
    healed = replay(log, on=HotCold)
    assert healed.difference is not None, "it goes on where the other ended"


def cut(text: str) -> str:
    return text[: len(text) // 2]


def tampered(text: str) -> str:
    return text.replace('"seed": 3', '"seed": 4')


def foreign(_: str) -> str:
    return json.dumps({"history": []})


def later(text: str) -> str:
    return text.replace('"schema_version": 1,\n "package"', '"schema_version": 9,\n "package"')


def listed(_: str) -> str:
    return "[1, 2]"


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (cut, "cut off"),
        (tampered, "changed"),
        (foreign, "something else"),
        (later, "schema_version 9"),
        (listed, "something"),
    ],
)
def test_a_spoilt_or_foreign_file_is_refused(spoil: Callable[[str], str], text: str, tmp_path: Path) -> None:
    path = record(simulate(small(), seed=3)).write(tmp_path / "run.json")
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ChoiceLogError, match=text) as refused:
        ChoiceLog.read(path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there_and_a_design_that_is_not_known_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ChoiceLogError, match="cannot be read"):
        ChoiceLog.read(tmp_path / "none.json")
    log = dataclasses.replace(record(simulate(small(), seed=3)), design="somebody_elses")
    with pytest.raises(ChoiceLogError, match="somebody_elses"):
        replay(log)


# -- twice the same


class Sequence(HotCold):
    """Keys of charges hang on something that is not the same twice."""

    name = "not_the_same_twice"

    def whim(self) -> object:
        raise NotImplementedError

    def charge_key(self, order: Order) -> str:
        return f"{order.id}/charge/{order.generation}/{self.whim()}"


class Dice(Sequence):
    def __init__(self, policy: Any) -> None:
        super().__init__(policy)
        self.roll = random.random()

    def whim(self) -> object:
        return self.roll


class WallClock(Sequence):
    def __init__(self, policy: Any) -> None:
        super().__init__(policy)
        self.began = time.perf_counter_ns()

    def whim(self) -> object:
        return self.began


class Addresses(Sequence):
    alive: ClassVar[list[object]] = []

    def __init__(self, policy: Any) -> None:
        super().__init__(policy)
        self.alive.append(self)

    def whim(self) -> object:
        return id(self)


class HashOrder(Sequence):
    """Takes whichever stands first in a set of things that hash by their address."""

    alive: ClassVar[list[object]] = []

    def __init__(self, policy: Any) -> None:
        super().__init__(policy)
        self.things = [type("Thing", (), {})() for _ in range(64)]
        self.alive.append(self.things)

    def whim(self) -> object:
        return self.things.index(next(iter(set(self.things))))


@pytest.mark.parametrize("design", [Dice, WallClock, Addresses])
def test_a_design_that_is_not_the_same_twice_is_found_and_its_first_row_named(design: type[Architecture]) -> None:
    found = twice(small(), design, 3)
    assert found.difference is not None
    assert found.digests[0] != found.digests[1]
    assert (found.difference.what, found.exit_code) == ("row", 4)
    assert "invoke charge" in found.difference.ours
    assert "invoke charge" in found.difference.theirs
    assert found.was_again


def test_the_order_of_a_set_is_found_out() -> None:
    found = next(found for _ in range(20) if (found := twice(small(), HashOrder, 3)).difference is not None)
    assert found.difference is not None
    assert "invoke charge" in found.difference.ours


def test_a_stream_with_a_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Luck that goes on where the last run stopped, instead of beginning anew."""
    memory = np.random.default_rng(0)
    plain = Stream._fill

    def forgetful(stream: Stream, block: int, attempt: int) -> memoryview:
        if stream.name == "payment.charge":
            return memoryview(memory.integers(1, 10**6, 1024))
        return plain(stream, block, attempt)

    monkeypatch.setattr(Stream, "_fill", forgetful)
    found = twice(small(), "hot_cold", 3)
    assert found.difference is not None
    assert (found.difference.what, found.difference.stream) == ("draw", "payment.charge")
    assert "payment.charge number" in found.difference.ours
    assert "payment.charge" in str(found)


def test_a_stream_that_is_drawn_once_more_in_one_run_is_named() -> None:
    """Nothing shows in the rows: only that somebody drew out of turn."""
    history = simulate(small(), seed=3).history
    draws = played(small())[1].draws
    extra = Draw("patience/jitter", 5, 0, 0.5, draws[100].time_us, draws[100].row)
    found = first_apart(history, draws, history, [*draws[:100], extra, *draws[100:]])
    assert found is not None
    assert (found.what, found.row) == ("draw", draws[100].row)
    assert "patience/jitter number 5" in found.theirs


def test_what_differs_once_and_not_again_is_told_by_the_rows_of_the_first_pair() -> None:
    class Once(Sequence):
        made = 0

        def __init__(self, policy: Any) -> None:
            super().__init__(policy)
            Once.made += 1
            self.mark = min(Once.made, 2)

        def whim(self) -> object:
            return self.mark

    found = twice(small(), Once, 3)
    assert found.difference is not None
    assert not found.was_again
    assert "did not show again" in str(found)


def test_the_sound_design_is_the_same_twice() -> None:
    found = twice(small(), "hot_cold", 3)
    assert (found.difference, found.exit_code) == (None, 0)


def test_histories_that_are_equal_and_draws_that_are_too_have_no_difference() -> None:
    assert first_apart(History(), [], History(), []) is None
