"""Too much load: each fault is seen, each heals, the sound design bears it, and some other does not."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.assumptions import is_promised
from orderquake.model.flow import Reply, Store
from orderquake.model.mutants import MUTANTS
from orderquake.model.order_cache import WriteOrder, Written
from orderquake.model.payment import Refund
from orderquake.model.work_queue import Empty, WorkQueue
from orderquake.sim.nemesis import FAULTS
from orderquake.sim.run import Run
from orderquake.sim.units import MINUTE, SECOND
from tests.test_scenario import GOOD, told
from tests.world.faults.days import POLICIES, convicts, life, rows, run, same_on_both_engines, shop, why

WINDOW = {"from": "1 min", "for": "3 min"}
HARSH: dict[str, dict[str, Any]] = {
    "flash_crowd": {"factor": 3.5},
    "hot_sku": {"share": 0.8},
    "retry_storm": {"patience": 0.05},
    "cancellation_race": {"share": 0.8},
    "poison_message": {"share": 0.1},
    "bot": {"per_s": 0.3, "units": 3, "waits": "30 s"},
}


def fault(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, **WINDOW, **HARSH[kind], **more}


@pytest.mark.parametrize("order", POLICIES)
@pytest.mark.parametrize("kind", HARSH)
def test_the_sound_design_bears_it(kind: str, order: str) -> None:
    assert is_promised(HotCold.requires, frozenset(FAULTS[kind].breaks))
    found = run(fault(kind), order=order)
    assert found.verdict == "valid", why(found)
    assert sorted(life(found, kind)) == ["injected", "recovered", "witnessed"]


@pytest.mark.parametrize("kind", HARSH)
def test_histories_are_equal_on_both_engines(kind: str) -> None:
    same_on_both_engines(fault(kind))


def customers(found: Run) -> dict[str, int]:
    """When each submission was first made."""
    first: dict[str, int] = {}
    for row in rows(found, "invoke", "submit"):
        first.setdefault(row.key, row.time)
    return first


def wishes(found: Run) -> dict[str, list[tuple[str, int]]]:
    """What each order names."""
    wanted: dict[str, list[tuple[str, int]]] = {}
    for row in rows(found, "state", "ordered"):
        wanted.setdefault(row.order, []).append((row.sku, row.units))
    return wanted


# -- a crowd, and what it wants


def test_a_crowd_comes_besides_those_who_come_anyway() -> None:
    plain, crowded = (customers(run(*faults)) for faults in ((), (fault("flash_crowd"),)))
    assert plain.items() <= crowded.items()
    usual = sum(MINUTE <= moment < 4 * MINUTE for moment in plain.values())
    company = [moment for name, moment in crowded.items() if name not in plain]
    assert all(MINUTE <= moment < 4 * MINUTE for moment in company)
    # Two for each, and a third for one in two: 2.5 give or take four standard deviations of a fair coin.
    assert abs(len(company) - 2.5 * usual) < 4 * (0.25 * usual) ** 0.5


@pytest.mark.parametrize(
    "workload", [{"kind": "rounds", "rounds": 12, "buyers": 3, "every": "20 s"}, {"kind": "trace"}]
)
def test_where_the_workload_says_who_wants_what_the_crowd_wants_the_same(workload: dict[str, Any]) -> None:
    tables: dict[str, Any] = {"workload": workload, "horizon": "6 min"}
    if workload["kind"] == "trace":
        tables |= {"stock": {"cover": 1.0}, "workload": {"kind": "trace", "speed_up": 600.0}}
    crowd = fault("flash_crowd", factor=2.0)
    found = run(crowd, **tables)
    assert found.verdict == "valid", why(found)
    assert set(map(str, wishes(found).values())) == set(map(str, wishes(run(**tables)).values()))


def test_the_demand_moves_to_one_product() -> None:
    plain, hot = (run(*faults) for faults in ((), (fault("hot_sku", sku="sku-12"),)))
    assert customers(plain) == customers(hot)
    moved = {order for order, wanted in wishes(hot).items() if wanted != wishes(plain)[order]}
    assert len(moved) > 80
    assert all(wishes(hot)[order][0][0] == "sku-12" for order in moved)


# -- people


def test_in_a_storm_nobody_waits_as_long_as_usual() -> None:
    found = run(fault("retry_storm"))
    asked = rows(found, "invoke", "charge")
    waits = {"before": [], "in it": [], "after": []}  # type: dict[str, list[int]]
    for row in asked:
        when = "before" if row.time < MINUTE else "in it" if row.time < 4 * MINUTE else "after"
        waits[when].append(row.deadline - row.time)
    assert {*waits["before"], *waits["after"]} == {8 * SECOND}
    assert set(waits["in it"]) == {8 * SECOND // 20}


def test_a_customer_who_hears_nothing_asks_again_sooner() -> None:
    slow = {"service": {"order_cache": {"latency": {"kind": "constant", "value": "300 ms"}}}}
    plain, hurried = (
        len(rows(run(*faults, **slow), "invoke", "submit")) for faults in ((), (fault("retry_storm", patience=0.02),))
    )
    assert hurried > plain + 50


def test_who_races_cancels_right_after_the_money_was_taken() -> None:
    found = run(fault("cancellation_race"), workload={"kind": "poisson", "rate_per_s": 0.8})
    taken = {row.order: row.time for row in rows(found, "state", "capture") if row.is_new}
    asked = {row.order: row.time for row in rows(found, "invoke", "cancel")}
    assert len(asked) > 50
    assert all(0 <= asked[order] - taken[order] < SECOND for order in asked)
    assert {row.answer for row in rows(found, "ok", "cancel")} == {"flagged", "too_late"}


class PaysBackAtTheDesk(HotCold):
    """Breaks: decide, then act. Two give the money back: the desk, and whoever finds the flag. Seen in
    KanishJebaMathewM/Truxify#3637."""

    async def cancel(self, order_id: str) -> None:
        order = await self.read(order_id)
        if order is None or order.is_final:
            await Reply("too_late")
            return
        if order.charge_id:
            await self.patiently(Refund(f"{order.id}/desk", order.id, order.charge_id, order.total))
        is_written = isinstance(await self.patiently(WriteOrder(order._replace(cancel_asked=True))), Written)
        await Reply("flagged" if is_written else "too_late")


VICTIMS: dict[str, tuple[type[Architecture], str, dict[str, Any]]] = {
    "flash_crowd": (
        MUTANTS["loser_releases"],
        "never_oversold",
        {"stock": {"skus": 12, "units_per_sku": 12}, "seed": 11},
    ),
    "hot_sku": (MUTANTS["loser_releases"], "never_oversold", {"stock": {"skus": 12, "units_per_sku": 12}}),
    "retry_storm": (MUTANTS["keys_each_attempt"], "charged_once", {}),
    "cancellation_race": (PaysBackAtTheDesk, "money_conserved", {"workload": {"kind": "poisson", "rate_per_s": 0.8}}),
}


@pytest.mark.parametrize("kind", VICTIMS)
def test_another_design_does_not_bear_it(kind: str) -> None:
    victim, checker, tables = VICTIMS[kind]
    assert checker not in convicts(run(on=victim, **tables)), "without the fault nobody notices"
    assert checker in convicts(run(fault(kind), on=victim, **tables))


# -- poison

FEW_WORKERS = {
    "place": [{"name": "here", "workers": 1}], "link": [],
    "policy": {"lease": "5 s", "worker_deadline": "4 s", "idle": "20 s", "max_deliveries": 3},
    "service": {"payment": {"latency": {"kind": "constant", "value": "100 ms"}}},
}  # fmt: skip


class Stubborn(WorkQueue):
    """One after the other: nobody gets an order while another is out, and one that comes back comes first again."""

    def take_back(self, now_us: int) -> None:
        waited = list(self.waiting)
        super().take_back(now_us)
        came_back = list(self.waiting)[len(waited) :]
        self.waiting = deque(came_back + waited)

    def lease(self, until_us: int, max_deliveries: int) -> Any:
        return Empty() if self.leases else super().lease(until_us, 1 << 30)

    def has_work(self, now_us: int) -> bool:
        return super().has_work(now_us) and not self.leases


class WaitsForTheOldest(HotCold):
    """Breaks: one bad order stops nobody else. Seen in frappe/ecommerce_integrations#338."""

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {"queue": Stubborn()}


def decided(found: Run, until_us: int) -> int:
    """Orders whose customers have the final answer by then."""
    return len([row for row in rows(found, "state", "notice") if row.is_new and row.time < until_us])


def test_a_poisonous_order_is_set_aside_and_stops_nobody() -> None:
    found = run(fault("poison_message"), **FEW_WORKERS)
    aside = {row.order for row in rows(found, "state", "dead_letter")}
    assert len(aside) > 5
    told_late = {row.order for row in rows(found, "state", "notice") if row.time > 4 * MINUTE}
    assert aside <= told_late, "and is decided when the workers are mended"
    assert decided(found, 4 * MINUTE) > 0.85 * decided(run(**FEW_WORKERS), 4 * MINUTE)


def test_a_queue_that_insists_on_the_oldest_stands_still() -> None:
    plain, struck = (
        decided(run(*faults, on=WaitsForTheOldest, **FEW_WORKERS), 4 * MINUTE)
        for faults in ((), (fault("poison_message"),))
    )
    assert struck < 0.6 * plain


# -- bots


def test_a_bot_keeps_goods_from_others_only_where_goods_come_first() -> None:
    scarce = {"stock": {"skus": 1, "units_per_sku": 80}, "workload": {"kind": "poisson", "rate_per_s": 0.5}}
    bot = fault("bot", per_s=0.3, units=5, waits="3 min")

    def in_time(*faults: dict[str, Any], order: str) -> int:
        policy = {"order": order, "reservation_ttl": "10 min"}
        sold = rows(run(*faults, policy=policy, **scarce), "state", "notice")
        return len([row for row in sold if row.to_state == "fulfilled" and row.time < 4 * MINUTE])

    assert in_time(bot, order="reserve_first") < 0.7 * in_time(order="reserve_first")
    assert in_time(bot, order="pay_first") == in_time(order="pay_first")


def test_a_bot_never_pays() -> None:
    found = run(fault("bot"), order="reserve_first", service={"payment": {"declines": 0.0}})
    usual = set(customers(run(order="reserve_first", service={"payment": {"declines": 0.0}})))
    bots = {row.order for row in rows(found, "invoke", "submit") if row.key not in usual}
    assert len(bots) > 30
    assert not bots & {row.order for row in rows(found, "state", "capture")}
    ends = {row.to_state for row in rows(found, "state", "notice") if row.order in bots}
    assert ends <= {"declined", "cancelled"}
    assert found.verdict == "valid", why(found)


@pytest.mark.parametrize("kind", ["flash_crowd", "bot"])
def test_a_closed_workload_has_its_customers(tmp_path: Path, kind: str) -> None:
    closed = 'kind = "closed"\ncustomers = 5\nthink = { kind = "constant", value = "10 s" }'
    text = GOOD.replace('kind = "poisson"', closed).replace("rate_per_s = 2.0\n", "")
    (line,) = told(tmp_path, f'{text}\n[[fault]]\nkind = "{kind}"\n')
    assert "the workload is closed" in line


def test_in_a_closed_workload_the_wishes_move_all_the_same() -> None:
    closed = {"kind": "closed", "customers": 10, "think": {"kind": "constant", "value": "10 s"}}
    found = run(fault("hot_sku", sku="sku-12", share=1.0), workload=closed)
    within = {row.order for row in rows(found, "invoke", "submit") if MINUTE < row.time < 4 * MINUTE}
    assert {wanted[0][0] for order, wanted in wishes(found).items() if order in within} == {"sku-12"}


def test_the_luck_of_those_who_come_anyway_is_their_own() -> None:
    """A bot, a crowd and a poison: who would have come comes, wants the same, and pays with the same card."""
    faults = (fault("flash_crowd"), fault("bot"), fault("poison_message"))
    plain, struck = run(), run(*faults)
    assert customers(plain).items() <= customers(struck).items()
    wanted = wishes(struck)
    assert all(wanted[order] == basket for order, basket in wishes(plain).items())
    assert len(shop(*faults).plain_faults()) == 3
