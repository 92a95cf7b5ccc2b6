"""Drift against books kept by hand, against a second reckoning from scratch, and against a published formula."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from orderquake.sim.history import History
from orderquake.sim.study.drift import changes, drift, drift_by_sku, drift_summary
from tests.study.histories import S, ended, give_back, opened, pin, rebase, ship


def steps(history: History) -> list[tuple[float, int, int]]:
    return [tuple(row) for row in drift(history).itertuples(index=False, name=None)]


def test_an_order_on_its_way_through_a_healthy_system_drifts_nothing() -> None:
    history = opened()
    history.state(1 * S, "hold", order="a", sku="mug", units=2, debit="cache.held", credit="cache.available")
    pin(history, 2 * S, "a", units=2)
    ship(history, 3 * S, "a", units=2)
    rebase(history, 4 * S, -2)
    give_back(history, 4 * S, "a", units=2, operation="drop")
    ended(history, 5 * S)
    assert steps(history) == [(0.0, 0, 0), (5.0, 0, 0)]


def test_a_live_hold_and_its_lapse_are_no_drift() -> None:
    history = opened()
    history.state(1 * S, "hold", order="a", sku="mug", units=3, debit="cache.held", credit="cache.available")
    history.state(9 * S, "free", order="a", sku="mug", units=3, debit="cache.available", credit="cache.held")
    assert not len(drift_by_sku(history))


def test_another_channels_sales_drift_until_the_refresh() -> None:
    history = opened()
    history.state(10 * S, "foreign_sale", sku="mug", units=2, version=1)
    history.state(20 * S, "foreign_sale", sku="mug", units=1, version=2)
    rebase(history, 30 * S, -3)
    ended(history, 40 * S)
    assert steps(history) == [(0.0, 0, 0), (10.0, 2, 2), (20.0, 3, 3), (30.0, 0, 0), (40.0, 0, 0)]
    summary = drift_summary(history)
    assert summary.mean_units == pytest.approx((2 * 10 + 3 * 10) / 40)
    assert summary.variance == pytest.approx((4 * 10 + 9 * 10) / 40 - 1.25**2)
    assert summary.zero_share == pytest.approx(0.5)
    assert summary.largest_units == 3
    assert summary.before_refresh == (3,)
    assert summary.share_of_time == pytest.approx({0: 0.5, 2: 0.25, 3: 0.25})


def test_a_window_counts_only_what_lies_in_it() -> None:
    history = opened()
    history.state(10 * S, "foreign_sale", sku="mug", units=2, version=1)
    ended(history, 40 * S)
    assert drift_summary(history, since_us=5 * S, until_us=15 * S).mean_units == pytest.approx(1.0)
    assert drift_summary(history, since_us=20 * S, until_us=30 * S).zero_share == 0.0
    with pytest.raises(ValueError, match="empty"):
        drift_summary(history, since_us=5, until_us=5)


def test_products_that_drift_apart_in_both_directions_do_not_cancel() -> None:
    history = opened("mug", "tea")
    history.state(1 * S, "foreign_sale", sku="mug", units=3, version=1)
    history.state(2 * S, "receipt", sku="tea", units=2, version=1)
    history.state(3 * S, "correction", sku="tea", units=-1, version=2)
    history.state(4 * S, "return", sku="mug", units=1, version=2)
    assert steps(history) == [(0.0, 0, 0), (1.0, 3, 3), (2.0, 5, 3), (3.0, 4, 3), (4.0, 3, 2)]
    by_sku = drift_by_sku(history)
    assert list(by_sku.itertuples(index=False, name=None)) == [
        ("mug", 1.0, 3),
        ("mug", 4.0, 2),
        ("tea", 2.0, -2),
        ("tea", 3.0, -1),
    ]
    assert drift_summary(history, sku="tea", until_us=4 * S).mean_units == pytest.approx((2 + 1) / 4)


def test_what_lies_between_two_rows_of_one_instant_is_nobodys_drift() -> None:
    history = opened()
    pin(history, 1 * S, "a")
    ship(history, 2 * S, "a")
    rebase(history, 3 * S, -1)
    give_back(history, 3 * S, "a", operation="drop")
    assert drift_summary(history).largest_units == 0


def test_a_snapshot_that_was_ignored_moves_nothing() -> None:
    history = opened()
    rebase(history, 1 * S, -4, answer="ignored")
    assert drift(history)["drift_units"].max() == 0


def test_a_replayed_pin_moves_nothing() -> None:
    history = opened()
    pin(history, 1 * S, "a")
    history.state(2 * S, "pin", order="a", sku="mug", units=1, debit="cache.pinned", is_new=False)
    assert drift(history)["drift_units"].max() == 0


def test_a_pin_put_back_is_no_longer_sold() -> None:
    history = opened()
    pin(history, 1 * S, "a")
    give_back(history, 2 * S, "a")
    assert drift(history)["drift_units"].max() == 0


def test_a_second_pin_for_one_order_is_drift() -> None:
    history = opened()
    pin(history, 1 * S, "a")
    pin(history, 2 * S, "a")
    give_back(history, 3 * S, "a")
    assert [row[1] for row in steps(history)] == [0, 1, 0]


def test_goods_shipped_that_the_owner_never_pinned_are_drift() -> None:
    history = opened()
    ship(history, 1 * S, "a", units=2)
    assert drift_by_sku(history)["drift_units"].tolist() == [2]


def test_a_base_lowered_without_the_drop_is_drift() -> None:
    history = opened()
    pin(history, 1 * S, "a")
    ship(history, 2 * S, "a")
    rebase(history, 3 * S, -1)
    give_back(history, 5 * S, "a", operation="drop")
    assert steps(history) == [(0.0, 0, 0), (3.0, 1, 1), (5.0, 0, 0)]


def test_an_owner_without_memory_is_not_compared_until_it_opens_again() -> None:
    history = opened()
    pin(history, 1 * S, "a")
    pin(history, 1 * S, "b")
    history.state(2 * S, "foreign_sale", sku="mug", units=1, version=1)
    history.state(3 * S, "epoch", answer="lost", version=1)
    rebase(history, 4 * S, 9)  # nothing was left of the old base
    pin(history, 5 * S, "a", operation="adopt")
    pin(history, 5 * S, "b", operation="adopt")
    history.state(6 * S, "epoch", answer="open", version=1)
    assert steps(history) == [(0.0, 0, 0), (2.0, 1, 1), (3.0, 0, 0), (6.0, 0, 0)]


def test_an_order_that_lost_its_pin_and_is_refunded_is_no_longer_sold() -> None:
    history = opened()
    pin(history, 1 * S, "a")
    history.state(3 * S, "epoch", answer="lost", version=1)
    rebase(history, 4 * S, 10)
    history.state(6 * S, "epoch", answer="open", version=1)
    history.state(7 * S, "order", order="a", from_state="paid", to_state="refund_pending")
    assert [row[1] for row in steps(history)] == [0, 1, 0]


def test_a_history_without_rows_drifts_nothing() -> None:
    assert steps(History()) == [(0.0, 0, 0)]
    assert not len(drift_by_sku(History()))


def reckoned_from_scratch(history: History, until: int) -> dict[str, int]:
    """Drift a product, from sets of lines and whole sums instead of moves: the slow and obvious way."""
    rows = [row for row in history if row.time <= until and row.kind in ("state", "config") and row.is_new]
    drifts = {}
    for sku in {row.sku for row in rows if row.sku}:
        mine = [row for row in rows if row.sku == sku]

        def total(*operations: str, mine: list[Any] = mine) -> int:
            return sum(row.units for row in mine if row.operation in operations)

        base = total("opening") + sum(r.units for r in mine if r.operation == "rebase" and r.answer == "applied")
        pinned = total("pin", "adopt") - sum(
            row.units for row in mine if row.operation in ("free", "drop") and row.credit == "cache.pinned"
        )
        record = total("opening", "receipt", "return", "correction") - total("ship", "foreign_sale")
        unposted = 0
        for order in {row.order for row in mine}:
            line = [row for row in mine if row.order == order]
            pins = sum(row.operation in ("pin", "adopt") for row in line)
            freed = sum(row.operation == "free" and row.credit == "cache.pinned" for row in line)
            if pins > freed and not any(row.operation == "ship" for row in line):
                unposted += next(row.units for row in line if row.operation == "pin")
        drifts[sku] = (base - pinned) - (record - unposted)
    return drifts


def made_up(seed: int) -> History:
    """A random history that is legal line by line and wild as a whole."""
    dice = random.Random(seed)
    skus = ["mug", "tea", "cup"]
    history = opened(*skus)
    lines: dict[tuple[str, str], list[Any]] = {}  # (order, sku) -> [units, live pins, shipped]
    now = 0
    for serial in range(120):
        now += dice.choice([0, 0, 1, 3]) * S
        sku = dice.choice(skus)
        what = dice.choice(["pin", "pin", "free", "drop", "ship", "rebase", "receipt", "foreign_sale", "correction"])
        if what == "pin":
            order = f"o{dice.randrange(15)}"
            line = lines.setdefault((order, sku), [dice.randint(1, 3), 0, False])
            pin(history, now, order, sku, line[0])
            line[1] += 1
        elif what in ("free", "drop", "ship"):
            ready = [
                name
                for name, (_, pins, shipped) in lines.items()
                if (not shipped if what == "ship" else pins and (what == "free" or shipped))
            ]
            if ready:
                order, sku = dice.choice(ready)
                line = lines[order, sku]
                if what == "ship":
                    ship(history, now, order, sku, line[0])
                    line[2] = True
                else:
                    give_back(history, now, order, sku, line[0], operation=what)
                    line[1] -= 1
        elif what == "rebase":
            rebase(history, now, dice.randint(-3, 3), sku, dice.choice(["applied", "ignored"]))
        else:
            units = dice.randint(-2, 2) if what == "correction" else dice.randint(1, 3)
            history.state(now, what, sku=sku, units=units, version=serial)
    return ended(history, now + S)


@pytest.mark.parametrize("seed", range(25))
def test_moves_and_whole_sums_agree_on_random_histories(seed: int) -> None:
    history = made_up(seed)
    found = drift(history)
    moments = sorted({row.time for row in history})
    for moment in moments:
        truth = reckoned_from_scratch(history, moment)
        row = found[found["time_s"] <= moment / S].iloc[-1]
        assert row["drift_units"] == sum(map(abs, truth.values()))
        assert row["largest_sku_units"] == max(map(abs, truth.values()))
    last = dict.fromkeys(reckoned_from_scratch(history, moments[-1]), 0)
    by_sku = drift_by_sku(history)
    last |= dict(zip(by_sku["sku"], by_sku["drift_units"], strict=True))
    assert last == reckoned_from_scratch(history, moments[-1])
    areas = [
        sum(map(abs, reckoned_from_scratch(history, one).values())) * (other - one) for one, other in pairwise(moments)
    ]
    assert drift_summary(history).mean_units == pytest.approx(sum(areas) / moments[-1])


def test_sales_elsewhere_and_a_steady_refresh_give_the_published_drift() -> None:
    # m = 5 sales a cycle: mean m/2, variance m/2 + m²/12, P(D = 0), P(D > 5), P(D > 5 before a refresh).
    # 20,000 cycles: each gate is wider than five standard errors (false alarm below 1e-5 in all).
    dice = np.random.Generator(np.random.Philox(11))
    cycles, length = 20_000, 1000
    history = opened(units=10**9)
    for cycle in range(cycles):
        sales = np.sort(dice.integers(1, length, size=dice.poisson(5)))
        for moment in sales.tolist():
            history.state(cycle * length + moment, "foreign_sale", sku="mug", units=1)
        rebase(history, (cycle + 1) * length, -len(sales))
    summary = drift_summary(history)
    assert summary.mean_units == pytest.approx(2.5, abs=0.06)
    assert summary.variance == pytest.approx(4.583333, abs=0.25)
    assert summary.zero_share == pytest.approx(0.198652411, abs=0.01)
    assert sum(share for units, share in summary.share_of_time.items() if units > 5) == pytest.approx(
        0.0986595, abs=0.01
    )
    assert np.mean(np.array(summary.before_refresh) > 5) == pytest.approx(0.384039345, abs=0.02)


def test_a_drift_of_a_billion_units_takes_no_longer_than_one_of_two() -> None:
    history = opened("mug", "tea", units=10**10)
    history.state(1 * S, "foreign_sale", sku="mug", units=10**9)
    history.state(2 * S, "foreign_sale", sku="tea", units=2)
    rebase(history, 3 * S, -(10**9))
    assert steps(history) == [(0.0, 0, 0), (1.0, 10**9, 10**9), (2.0, 10**9 + 2, 10**9), (3.0, 2, 2)]


def test_changes_come_in_the_order_of_time() -> None:
    found = changes(made_up(3))
    assert (np.diff(found.time) >= 0).all()
