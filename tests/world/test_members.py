"""A service that stands in several places: its letters, its answers that wait, and what a cut between places does."""

from __future__ import annotations

import tomllib
from itertools import pairwise
from typing import Any

import pytest

from orderquake.model.architecture import Job
from orderquake.model.architectures.naive_cache import NaiveCache
from orderquake.model.counts import ReadCount, WriteCount
from orderquake.model.flow import Reply
from orderquake.model.order import Order
from orderquake.sim.run import Run, policy_of, simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.units import MS, SECOND
from orderquake.sim.world.world import World

DAY = """
schema_version = 1
question = "What does a store do that stands here and there?"
horizon = "1 min"
[workload]
kind = "rounds"
rounds = 5
buyers = 1
every = "10 s"
[stock]
skus = 5
units_per_sku = 9
[[place]]
name = "here"
[[place]]
name = "there"
[[link]]
between = ["here", "there"]
latency = { kind = "constant", value = "40 ms" }
[service.stock]
latency = { kind = "constant", value = "1 ms" }
"""


class Asks(NaiveCache):
    name = "asks"
    kv = "taubyte_nodes"

    def jobs(self) -> tuple[Job, ...]:
        return ()

    def rests(self, stores: Any, now_us: int) -> bool:
        return True


class Writes(Asks):
    async def register(self, order: Order) -> None:
        await self.patiently(WriteCount(order.id, order.id, 1))
        await Reply("written")


class Reads(Asks):
    async def register(self, order: Order) -> None:
        counted = await self.patiently(ReadCount(order.id, order.lines[0].sku))
        await Reply(str(counted.units))


def day(kv: str, more: str = "") -> Scenario:
    return Scenario.model_validate(tomllib.loads(DAY + f"[kv]\n{kv}\n{more}"))


def took_us(run: Run, verb: str) -> list[int]:
    asked = {row.op_id: row.time for row in run.history if row.kind == "invoke" and row.operation == verb}
    return [row.time - asked[row.op_id] for row in run.history if row.kind == "ok" and row.operation == verb]


LOCAL_US = MS + 2 * 250
"""Both ways within a place, and the work."""


def test_a_node_acknowledges_by_itself() -> None:
    assert set(took_us(simulate(day('strength = "taubyte_nodes"'), on=Writes), "put_count")) == {LOCAL_US}


def test_a_holder_acknowledges_when_the_other_has_it() -> None:
    run = simulate(day('strength = "taubyte_holders"\nmerge = { kind = "constant", value = "1 ms" }'), on=Writes)
    assert set(took_us(run, "put_count")) == {LOCAL_US + 2 * (40 + 1) * MS}


def test_a_holder_that_hears_nothing_pushes_again_and_in_the_end_acknowledges_alone() -> None:
    patience = '[policy.patience.stock]\ntimeout = "1 min"\nattempts = 1\n'
    run = simulate(day('strength = "taubyte_holders"\nlost = 1.0', patience), on=Writes)
    waits = took_us(run, "put_count")
    assert waits
    assert all(15 * SECOND <= wait <= 15 * SECOND + 201 * MS for wait in waits)


@pytest.mark.parametrize(("scan", "more_us"), [("0 s", 0), ("2 ms", 2 * MS)])
def test_adding_up_all_sizes_makes_each_write_slower_than_the_last(scan: str, more_us: int) -> None:
    times = took_us(simulate(day(f'strength = "taubyte_nodes"\nscan = "{scan}"'), on=Writes), "put_count")
    assert len(times) == 5
    assert times == [LOCAL_US + more_us * (5 + earlier) for earlier in range(5)]


def test_a_read_that_fails_says_that_nothing_is_there() -> None:
    run = simulate(day('strength = "taubyte_nodes"\nabsent = 1.0'), on=Reads)
    said = {row.answer for row in run.history if row.kind == "ok" and row.operation == "submit"}
    assert said == {"0"}
    assert {row.answer for row in simulate(day('strength = "taubyte_nodes"'), on=Reads).history
            if row.kind == "ok" and row.operation == "submit"} == {"9"}  # fmt: skip


CUT = '[[fault]]\nkind = "partition"\nbetween = ["here", "there"]\nfrom = "5 s"\nfor = "30 s"\n'


def test_a_cut_between_places_carries_no_letters_and_is_witnessed_by_that() -> None:
    run = simulate(day('strength = "taubyte_nodes"', CUT), on=Writes)
    witnessed = [row for row in run.history if row.kind == "fault" and row.answer == "witnessed"]
    assert witnessed
    assert all(5 * SECOND <= row.time < 35 * SECOND for row in witnessed)


AWAY = '[[fault]]\nkind = "down"\ntarget = "stock"\nfrom = "12 s"\nfor = "10 s"\n'
IMPATIENT = '[policy.patience.stock]\ntimeout = "2 s"\n'


@pytest.mark.parametrize("moves_on", [True, False])
def test_whoever_hears_nothing_from_a_holder_turns_to_the_next_and_does_not_come_back(moves_on: bool) -> None:
    """The way to the other place is longer, long after the nearest one is back."""
    text = (
        DAY.replace("rounds = 5", "rounds = 40")
        .replace('every = "10 s"', 'every = "1 s"')
        .replace("skus = 5", "skus = 40")
    )
    kv = f'[kv]\nstrength = "taubyte_holders"\nmoves_on = {str(moves_on).lower()}\n'
    run = simulate(Scenario.model_validate(tomllib.loads(text + kv + AWAY + IMPATIENT)), on=Writes)
    asked = {row.op_id: row for row in run.history if row.kind == "invoke" and row.operation == "put_count"}
    far = [
        row.time - asked[row.op_id].time > 120 * MS
        for row in run.history
        if row.kind == "ok" and row.operation == "put_count"
        and row.place == "here" and asked[row.op_id].time > 30 * SECOND
    ]  # fmt: skip
    assert far
    assert all(far) if moves_on else not any(far)


@pytest.mark.parametrize("jitter", [0.0, 0.3])
def test_announcements_come_every_five_seconds_give_or_take(jitter: float) -> None:
    run = simulate_world(day(f'strength = "taubyte_nodes"\njitter = {jitter}'))
    apart = [(later - earlier) / SECOND for earlier, later in pairwise(run)]
    assert len(apart) > 5
    if jitter:
        assert all(3.5 <= gap <= 6.5 for gap in apart)
        assert len(set(apart)) > 3
    else:
        assert set(apart) == {5.0}


def simulate_world(scenario: Scenario) -> list[int]:
    """When the first member of the stock announced what it has, all day."""
    world = World(scenario, Writes(policy_of(scenario)), 1)
    member = world.wire.replicas["stock"].store
    moments: list[int] = []
    tick = member.tick

    def heard(now_us: int) -> None:
        moments.append(now_us)
        tick(now_us)

    member.tick = heard  # type: ignore[attr-defined]
    world.run()
    return moments


def test_replicas_of_a_quorum_must_be_as_many_as_have_to_answer() -> None:
    with pytest.raises(ValueError, match="4 of 3 replicas; expected at most all of them"):
        day('strength = "quorum"\nreads = 4')


@pytest.mark.parametrize("strength", ["last_writer", "taubyte_nodes", "taubyte_holders", "quorum"])
def test_the_same_day_on_the_same_store_is_the_same_to_the_bit(strength: str) -> None:
    one, other = (simulate(day(f'strength = "{strength}"'), on="article", seed=3) for _ in range(2))
    assert one.digest == other.digest
