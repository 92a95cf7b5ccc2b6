"""Wrong clocks and schedulers: each is seen, heals where it can; the sound design bears it, some other does not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.assumptions import is_promised
from orderquake.model.commitments import PINNED, Commitment
from orderquake.model.flow import Store, Within
from orderquake.model.order import Order
from orderquake.model.stock import Released, StockCache
from orderquake.sim.nemesis import FAULTS
from orderquake.sim.units import MINUTE
from tests.test_scenario import GOOD, told
from tests.world.corner import scenario_of
from tests.world.faults.days import POLICIES, convicts, life, rows, run, same_on_both_engines, why
from tests.world.faults.others import BooksWhoeverIsListed

WINDOW = {"from": "1 min", "for": "3 min"}
HARSH: dict[str, dict[str, Any]] = {
    "clock_skew": WINDOW | {"target": "stock", "by": "2 min"},
    "clock_jump": {"target": "stock", "by": "20 min", "direction": "behind", "at": "2 min"},
    "ticker_skipped": WINDOW,
    "ticker_doubled": WINDOW,
    "ticker_overlapping": WINDOW,
    "two_schedulers": WINDOW | {"jitter": "10 s"},
}
NEVER_HEALED = {"clock_jump"}


def fault(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, **HARSH[kind], **more}


@pytest.mark.parametrize("order", POLICIES)
@pytest.mark.parametrize("kind", HARSH)
def test_the_sound_design_bears_it(kind: str, order: str) -> None:
    assert is_promised(HotCold.requires, frozenset(FAULTS[kind].breaks))
    found = run(fault(kind), order=order)
    assert found.verdict == "valid", why(found)
    healed = [] if kind in NEVER_HEALED else ["recovered"]
    assert sorted(life(found, kind)) == ["injected", *healed, "witnessed"]


@pytest.mark.parametrize("kind", HARSH)
def test_histories_are_equal_on_both_engines(kind: str) -> None:
    same_on_both_engines(fault(kind))


# -- clocks

SLOW_CARDS = {"payment": {"latency": {"kind": "constant", "value": "6 s"}}}
"""Who reserves first holds goods for six seconds while the card is charged."""


@pytest.mark.parametrize("direction", ["ahead", "behind"])
@pytest.mark.parametrize("target", ["order_cache", "payment", "record", "queue", "eu-west", "us-east"])
def test_the_sound_design_bears_any_clock(target: str, direction: str) -> None:
    skew = fault("clock_skew", target=target, direction=direction, by="10 min")
    jump = fault("clock_jump", target="stock", direction=direction, by="1 min")
    found = run(skew, jump, order="reserve_first", service=SLOW_CARDS, quiet_limit="3 h")
    assert found.verdict == "valid", why(found)


def test_a_deadline_is_told_in_true_time() -> None:
    plain, skewed = (run(*faults, order="reserve_first") for faults in ((), (fault("clock_skew"),)))
    ttl_us = 40_000_000
    for found in (plain, skewed):
        before = [row for row in rows(found, "state", "hold") if row.time < 4 * MINUTE]
        assert {row.deadline - row.time for row in before} == {ttl_us}
    after = [row.deadline - row.time for row in rows(skewed, "state", "hold") if 4 * MINUTE < row.time < 5 * MINUTE]
    assert min(after) > ttl_us, "the store's clock never goes back: it stands until the truth has caught up"


def test_a_leap_forward_ends_what_is_held() -> None:
    jump = fault("clock_jump", direction="ahead")
    found = run(jump, order="reserve_first", service=SLOW_CARDS, stock={"skus": 12, "units_per_sku": 25})
    moved = rows(found, "state", "extend")
    assert moved
    assert all(row.time == 2 * MINUTE and row.deadline < 2 * MINUTE for row in moved)
    lapsed = {row.key for row in rows(found, "state", "free", "lapsed")}
    assert {row.key for row in moved} <= lapsed
    assert found.verdict == "valid", why(found)


class ForgetsNothing(StockCache):
    """Looks at the clock as it is, and removes nothing that has lapsed: lapsed is what the clock says is lapsed now."""

    def __init__(self, opening: Mapping[str, int]) -> None:
        super().__init__(opening)
        self.gone: set[str] = set()

    def handle(self, ask: Any, now_us: int) -> Any:
        self.clock_us = 0
        return super().handle(ask, now_us)

    def is_dead(self, held: Commitment) -> bool:
        return held.until_us != PINNED and self.clock_us >= held.until_us

    def live(self, token: str, now_us: int) -> Commitment | None:
        held = self.by_token.get(token)
        if held is None or not self.is_dead(held):
            return held
        if token not in self.gone:
            self.gone.add(token)
            for sku, (line, units) in held.lines.items():
                self.note("free", held, line, sku, units, "cache.available", "cache.held", answer="lapsed")
        return None

    def atp(self, sku: str) -> int:
        living = (held for held in self.by_token.values() if sku in held.lines and not self.is_dead(held))
        return self.base.get(sku, 0) - sum(held.lines[sku][1] for held in living)

    def release(self, token: str) -> Released:
        return Released() if token in self.gone else super().release(token)


class RaisesTheDead(HotCold):
    """Breaks: what has lapsed stays lapsed. Seen where expiry hangs on the wall clock: redis/redis-doc, expire.md."""

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {"stock": ForgetsNothing(opening)}


@pytest.mark.parametrize(
    "clock",
    [fault("clock_skew", **{"from": "2 min", "for": "3 s"}), fault("clock_jump")],
    ids=["clock_skew", "clock_jump"],
)
def test_a_clock_that_goes_back_raises_the_dead(clock: dict[str, Any]) -> None:
    """Reservations lapse while the card is charged; then the clock goes back, and they seem to live."""
    ttl = "40 s" if clock["kind"] == "clock_skew" else "5 s"
    tables = {
        "service": SLOW_CARDS,
        "policy": {"order": "reserve_first", "reservation_ttl": ttl},
        "quiet_limit": "8 min",
    }
    assert "reservation_hygiene" not in convicts(run(on=RaisesTheDead, **tables))
    assert "reservation_hygiene" in convicts(run(clock, on=RaisesTheDead, **tables))
    assert not convicts(run(clock, **tables))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('target = "stok"\nby = "2 min"', 'did you mean "stock"?'),
        ('target = "stock"\nby = "0 s"', "expected more than zero"),
        ('target = "stock"\nby = "2 days"', "which send_horizon leaves of key_retention"),
    ],
)
def test_a_clock_that_makes_no_sense_is_refused(tmp_path: Path, lines: str, said: str) -> None:
    (line,) = told(tmp_path, f'{GOOD}\n[[fault]]\nkind = "clock_skew"\n{lines}\n')
    assert said in line


@pytest.mark.parametrize(("target", "is_refused"), [("order_cache", True), ("here", True), ("stock", False)])
def test_who_stamps_orders_and_who_reads_the_stamps_are_so_near_that_a_worker_sends_in_time(
    target: str, is_refused: bool
) -> None:
    """Or nothing is ever young enough to be sent."""
    clock = {"kind": "clock_jump", "target": target, "by": "11 s", "direction": "behind", "at": "1 min"}
    tables = {"policy": {"send_horizon": "40 s", "worker_deadline": "30 s"}, "place": [{"name": "here"}]}
    if is_refused:
        with pytest.raises(ValidationError, match=r'expected no more than "10 s", which worker_deadline leaves'):
            scenario_of(fault=[clock], **tables)
    assert scenario_of(fault=[clock | ({"by": "10 s"} if is_refused else {})], **tables)


# -- schedulers


class LooksBackOnePeriod(HotCold):
    """Breaks: a job may not have run when it should have. What it misses once it never books."""

    async def freeze(self, orders: tuple[Order, ...]) -> tuple[Order, ...]:
        recent = [order for order in orders if await Within(order.registered_at, 2 * MINUTE)]
        return await super().freeze(tuple(recent))


STEADY: dict[str, Any] = {
    "service": {"record": {"latency": {"kind": "constant", "value": "500 ms"}}},
    "jobs": {"inbound": {"every": "20 s"}, "outbound": {"every": "20 s"}, "recovery": {"every": "15 s"}},
}
VICTIMS: dict[str, type[Architecture]] = {
    "ticker_skipped": LooksBackOnePeriod,
    "ticker_doubled": BooksWhoeverIsListed,
    "ticker_overlapping": BooksWhoeverIsListed,
    "two_schedulers": BooksWhoeverIsListed,
}


@pytest.mark.parametrize("kind", VICTIMS)
def test_another_design_does_not_bear_it(kind: str) -> None:
    victim = VICTIMS[kind]
    more = {"jitter": "1 s"} if kind == "two_schedulers" else {}
    assert "posted_once" not in convicts(run(on=victim, **STEADY)), "without the fault nobody notices"
    assert "posted_once" in convicts(run(fault(kind, target="outbound", **more), on=victim, **STEADY))


def runs_of(found: Any, job: str) -> dict[str, int]:
    """Runs of a job, and when each of them sent its first ask."""
    first: dict[str, int] = {}
    for row in rows(found, "invoke"):
        if row.actor == job:
            first.setdefault(row.op_id.partition("#")[0], row.time)
    return first


def test_a_skipped_tick_moves_nobody_elses() -> None:
    plain, struck = (runs_of(run(*faults), "inbound") for faults in ((), (fault("ticker_skipped", target="inbound"),)))
    missing = {name: moment for name, moment in plain.items() if struck.get(name) != moment and moment < 6 * MINUTE}
    assert missing
    assert all(MINUTE <= moment < 4 * MINUTE + 10_000_000 for moment in missing.values())
    assert not set(missing) & set(struck)


@pytest.mark.parametrize("kind", ["ticker_doubled", "ticker_overlapping", "two_schedulers"])
def test_the_second_run_has_a_name_of_its_own(kind: str) -> None:
    found = runs_of(run(fault(kind, target="outbound")), "outbound")
    besides = {name: moment for name, moment in found.items() if f"-{kind}-" in name}
    assert 8 <= len(besides) <= 10
    assert runs_of(run(), "outbound").items() <= found.items() or len(found) - len(besides) > 15
