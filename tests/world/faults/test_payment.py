"""Bad moods of the payment provider: each is seen, each heals, the sound design bears it, and some other does not."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.assumptions import Assumption, is_promised
from orderquake.model.flow import PatienceEnded
from orderquake.model.mutants import MUTANTS
from orderquake.model.order import Order, State
from orderquake.model.order_cache import WriteOrder
from orderquake.model.work_queue import Enqueue
from orderquake.sim.nemesis import FAULTS
from orderquake.sim.run import Run
from orderquake.sim.study.measures import faults
from orderquake.sim.units import MINUTE
from tests.world.faults.days import POLICIES, convicts, life, rows, run, same_on_both_engines, why

WINDOW = {"from": "1 min", "for": "3 min"}
ENDS = 4 * MINUTE
JOBS = {
    "inbound": {"every": "40 s"}, "outbound": {"every": "20 s"}, "recovery": {"every": "15 s"},
    "settlement": {"every": "30 s"},
}  # fmt: skip


def constant(text: str) -> dict[str, Any]:
    return {"kind": "constant", "value": text}


HARSH: dict[str, dict[str, Any]] = {
    "decline": {"share": 0.5},
    "timeout_before_effect": {"probability": 0.3},
    "timeout_after_effect": {"probability": 0.3},
    "stored_500": {"share": 0.5},
    "partial_capture": {"share": 0.5},
    "refund_fails_late": {"share": 1.0, "after": constant("2 min")},
    "webhook_duplicated": {},
    "webhook_early": {},
    "webhook_late": {},
    "webhook_lost": {"share": 0.5},
    "webhook_out_of_order": {"waits": "10 s"},
}
WITHOUT_REFUNDS = {("refund_fails_late", "authorise_reserve_capture")}
"""Where nothing is ever paid back no refund can fail."""


def fault(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, **WINDOW, **HARSH.get(kind, {}), **more}


def a_day(
    *struck: dict[str, Any], on: str | type[Architecture] = "hot_cold", order: str = "pay_first", **more: Any
) -> Run:
    return run(*struck, on=on, order=order, jobs=JOBS, **more)


def strikes(found: Run, label: str) -> int:
    """How often a fault struck in its window."""
    (window,) = (one for one in faults(found.history) if one.label == label)
    return window.witnessed


@pytest.mark.parametrize("order", POLICIES)
@pytest.mark.parametrize("kind", HARSH)
def test_the_sound_design_bears_it(kind: str, order: str) -> None:
    assert is_promised(HotCold.requires, frozenset(FAULTS[kind].breaks))
    cancels = 1.0 if kind == "refund_fails_late" else 0.1  # a shop that reserves first pays back only who cancels
    workload = {"kind": "poisson", "rate_per_s": 0.8, "cancels": cancels, "cancels_after": constant("1 s")}
    found = a_day(fault(kind), order=order, workload=workload)
    if (kind, order) in WITHOUT_REFUNDS:
        assert found.notes
        return
    assert found.verdict == "valid", why(found)
    assert sorted(life(found, kind)) == ["injected", "recovered", "witnessed"]
    assert rows(found, "fault", kind, "recovered")[0].time == ENDS


@pytest.mark.parametrize("kind", [*HARSH, "key_pruned"])
def test_histories_are_equal_on_both_engines(kind: str) -> None:
    same_on_both_engines(fault(kind), fault("timeout_after_effect"), jobs=JOBS)


# -- who does not bear it


class TakesADeclineForAPayment(HotCold):
    """Breaks: who is declined has not paid. Seen in saleor/saleor#6428."""

    async def charge(self, order: Order) -> Order:
        decided = await super().charge(order)
        return self.move(order, State.PAID) if decided.state is State.DECLINED else decided


class TakesSilenceForSuccess(HotCold):
    """Breaks: silence proves nothing. The other way round in woocommerce/woocommerce#21083."""

    async def charge(self, order: Order) -> Order:
        try:
            return await super().charge(order)
        except PatienceEnded:
            return self.move(order, State.PAID)


class ChargesAnewAfterAnyError(HotCold):
    """Breaks: a new key needs evidence that nothing was taken under the old one."""

    async def look_into(self, order: Order) -> Order:
        return order._replace(generation=order.generation + 1)


class TakesAPartForTheWhole(HotCold):
    """Breaks: paid is who has paid the price."""

    def return_part(self, order: Order, charge_id: str, amount: int) -> Order:
        return self.move(order, State.PAID, charge_id=charge_id)


PLENTY = {
    "workload": {"kind": "poisson", "rate_per_s": 0.5}, "stock": {"skus": 12, "units_per_sku": 100},
    "service": {"payment": {"declines": 0.0}},
}  # fmt: skip
"""Nobody is sold out, nobody cancels, and every card is good: nothing needs to be paid back."""

HASTY = {"policy": {"patience": {"payment": {"timeout": "3 s", "attempts": 2}}}}

VICTIMS: dict[str, tuple[type[Architecture], str, dict[str, Any]]] = {
    "decline": (TakesADeclineForAPayment, "money_conserved", PLENTY),
    "timeout_before_effect": (TakesSilenceForSuccess, "money_conserved", PLENTY | HASTY),
    "timeout_after_effect": (MUTANTS["keys_each_attempt"], "charged_once", {}),
    "stored_500": (ChargesAnewAfterAnyError, "charged_once", {}),
    "partial_capture": (TakesAPartForTheWhole, "money_conserved", PLENTY),
    "refund_fails_late": (MUTANTS["forgets_failed_refunds"], "money_conserved", {}),
}


@pytest.mark.parametrize("kind", VICTIMS)
def test_another_design_does_not_bear_it(kind: str) -> None:
    victim, checker, tables = VICTIMS[kind]
    assert a_day(on=victim, **tables).verdict == "valid", "without the fault nobody notices"
    more = {"probability": 0.9} if kind == "timeout_before_effect" else {}
    assert checker in convicts(a_day(fault(kind, **more), on=victim, **tables))


# -- what each of them leaves to see


def test_a_declined_card_is_good_again_afterwards() -> None:
    found = a_day(fault("decline", share=1.0), service={"payment": {"declines": 0.0}})
    declined = rows(found, "state", "decline")
    assert declined
    assert all(MINUTE <= row.time < ENDS for row in declined)
    assert not [row for row in rows(found, "state", "capture") if MINUTE + 5_000_000 < row.time < ENDS]
    assert [row for row in rows(found, "state", "capture") if row.time > ENDS]


@pytest.mark.parametrize(("kind", "has_moved"), [("timeout_before_effect", False), ("timeout_after_effect", True)])
def test_after_a_timeout_the_money_has_moved_or_not(kind: str, has_moved: bool) -> None:
    found = a_day(fault(kind, operation="charge", probability=1.0), service={"payment": {"declines": 0.0}})
    within = [row for row in rows(found, "state", "capture") if MINUTE + 5_000_000 < row.time < ENDS]
    assert bool(within) == has_moved
    assert not [row for row in rows(found, "ok", "charge") if MINUTE + 5_000_000 < row.time < ENDS]
    assert found.verdict == "valid", why(found)


def test_of_a_charge_that_was_taken_in_part_all_goes_back() -> None:
    found = a_day(fault("partial_capture", share=1.0))
    totals = {row.order: row.amount for row in rows(found, "state", "order") if not row.from_state}
    part = {row.order: row.amount for row in rows(found, "state", "capture") if row.amount < totals[row.order]}
    assert len(part) > 20
    back = {row.order: row.amount for row in rows(found, "state", "refund") if row.is_new and row.order in part}
    assert back == part
    assert all(amount == (totals[order] + 1) // 2 for order, amount in part.items())


def test_a_refund_that_comes_back_is_made_once_more() -> None:
    found = a_day(fault("refund_fails_late"))
    failed = rows(found, "state", "refund_failed")
    assert len(failed) > 10
    anew = {row.order for row in rows(found, "state", "refund") if row.is_new and row.time > failed[0].time}
    assert {row.order for row in failed} <= anew


def test_hot_cold_promises_nothing_without_the_keys() -> None:
    assert FAULTS["key_pruned"].breaks == (Assumption.KEYS_OUTLIVE_ASKS,)
    assert not is_promised(HotCold.requires, frozenset(FAULTS["key_pruned"].breaks))


def test_demo_a_provider_that_forgets_its_keys_charges_twice() -> None:
    """Seed 1: three in ten charges are not answered, and whoever asks again is charged again."""
    lost = fault("timeout_after_effect", operation="charge")
    assert a_day(lost).verdict == "valid"
    found = a_day(fault("key_pruned"), lost)
    assert "charged_once" in convicts(found)
    assert life(found, "key_pruned") == ["injected", "witnessed", "recovered"]


def test_a_key_that_is_kept_long_enough_is_kept() -> None:
    found = a_day(fault("key_pruned", keeps="10 min", must_be_seen=False), fault("timeout_after_effect"))
    assert found.verdict == "valid", why(found)
    assert life(found, "key_pruned") == ["injected", "recovered"]


# -- the telephone


class TakesACallForTheRefund(HotCold):
    """Breaks: a call is only a reason to look. It proves nothing: it may be of yesterday, and come twice."""

    async def hear(self, order_id: str) -> None:
        order = await self.read(order_id)
        if order is not None and order.state is State.REFUND_PENDING and not order.refund_id and not order.token:
            await self.patiently(WriteOrder(self.move(order, State.REFUNDED, refund_id="as we were told")))
        await self.patiently(Enqueue((order_id,)))


CALLED = "good, as we were told"


class WaitsForTheCall(HotCold):
    """Breaks: nobody has to call. Seen in duncanmcclean/statamic-cargo#190: what came too early was lost."""

    async def hear(self, order_id: str) -> None:
        order = await self.read(order_id)
        if order is not None and order.state is State.PAID:
            await self.patiently(WriteOrder(order._replace(card=CALLED)))
            await self.patiently(Enqueue((order_id,)))

    async def reserve(self, order: Order) -> Order:
        return await super().reserve(order) if order.card == CALLED else order


AT_ONCE = {"service": {"payment": {"webhooks": {"delay": constant("0 s")}}}, "stock": {"skus": 12, "units_per_sku": 8}}
WITHIN_A_SECOND = {"kind": "uniform", "low": "100 ms", "high": "600 ms"}
SOON = {
    "service": {"payment": {"webhooks": {"delay": constant("2 s")}}},
    "workload": {"kind": "poisson", "rate_per_s": 0.5},
}


@pytest.mark.parametrize(
    ("kind", "more"),
    [("webhook_duplicated", {"after": WITHIN_A_SECOND}), ("webhook_late", {"by": WITHIN_A_SECOND})],
)
def test_a_call_that_is_believed_is_no_refund(kind: str, more: dict[str, Any]) -> None:
    """It comes when the refund is decided and not yet sent: some hundred milliseconds after the charge."""
    assert a_day(on=TakesACallForTheRefund, **AT_ONCE).verdict == "valid"
    assert "money_conserved" in convicts(a_day(fault(kind, **more), on=TakesACallForTheRefund, **AT_ONCE))


@pytest.mark.parametrize(
    ("kind", "more"),
    [("webhook_early", {}), ("webhook_lost", {}), ("webhook_out_of_order", {"waits": "5 h"})],
)
def test_who_waits_for_a_call_waits_in_vain(kind: str, more: dict[str, Any]) -> None:
    assert a_day(on=WaitsForTheCall, **SOON).verdict == "valid"
    found = a_day(fault(kind, must_be_seen=False, **more), on=WaitsForTheCall, **SOON)
    assert "every_order_ends" in convicts(found)


def test_calls_come_twice_or_never() -> None:
    plain = a_day(**AT_ONCE)
    twice, never = (a_day(fault(kind, share=1.0), **AT_ONCE) for kind in ("webhook_duplicated", "webhook_lost"))
    calls = [len(rows(found, "mark", "webhook")) for found in (never, plain, twice)]
    assert calls[0] < calls[1] < calls[2]


def test_a_later_event_is_told_first() -> None:
    found = a_day(fault("webhook_out_of_order", waits="5 min"), order="authorise_reserve_capture")
    told = [row for row in rows(found, "mark", "webhook") if ".kept" in row.op_id]
    before = {row.order for row in rows(found, "mark", "webhook") if ".webhook1." in row.op_id}
    assert len(told) >= strikes(found, found.scenario.fault[0].label()) > 20
    assert {row.order for row in told} & before
