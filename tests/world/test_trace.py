"""The trace conserves what the retailer recorded, and says where a file is wrong."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderquake.model.policy import OrderOfSteps
from orderquake.sim.run import simulate
from orderquake.sim.scenario_file import load_scenario, set_by_path
from orderquake.sim.units import HOUR
from orderquake.sim.world import trace
from orderquake.sim.world.streams import Streams
from orderquake.sim.world.trace import Trace, TraceOrder, demand, derive, load_trace, merge_lines
from orderquake.sim.world.workload import demand_of

HEADER = "placed_at,number,kind,sku,units,amount_pence\n"
RAW = """placed_at,invoice,kind,sku,units,price_pence,country
2011-11-14T08:10,576080,sale,22465,12,165,United Kingdom
2011-11-14T08:10,576080,sale,22178,6,195,United Kingdom
2011-11-14T08:11,576080,sale,22465,2,150,United Kingdom
2011-11-14T08:16,C576081,cancellation,21373,-12,75,France
"""
LINES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 99), st.integers(1, 9999)), max_size=12)


@pytest.fixture(scope="module")
def shipped() -> Trace:
    return load_trace()


def units(orders: tuple[TraceOrder, ...]) -> int:
    return sum(units for order in orders for _, units, _ in order.lines)


def pence(orders: tuple[TraceOrder, ...]) -> int:
    return sum(amount for order in orders for _, _, amount in order.lines)


def written(folder: Path, text: str) -> Path:
    path = folder / "shop.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_trace_has_every_order_and_product(shipped: Trace) -> None:
    assert len(shipped.sales) == 2_475
    assert len(shipped.cancellations) == 355
    assert len(shipped.skus) == 2_836
    assert sum(len(order.lines) for order in shipped.sales + shipped.cancellations) == 74_797


def test_the_shipped_trace_conserves_units_and_money(shipped: Trace) -> None:
    assert (units(shipped.sales), pence(shipped.sales)) == (743_248, 147_304_106)
    assert (units(shipped.cancellations), pence(shipped.cancellations)) == (90_155, 18_729_164)


def test_the_shipped_trace_has_its_longest_and_its_largest_order(shipped: Trace) -> None:
    assert max(len(order.lines) for order in shipped.sales) == 748
    assert max(units((order,)) for order in shipped.sales) == 80_995
    assert max(units((order,)) for order in shipped.cancellations) == 80_995


def test_the_shipped_trace_is_sorted_and_names_each_product_once_an_order(shipped: Trace) -> None:
    for orders in (shipped.sales, shipped.cancellations):
        assert [order.at_us for order in orders] == sorted(order.at_us for order in orders)
        assert all(len({sku for sku, _, _ in order.lines}) == len(order.lines) for order in orders)
    everything = shipped.sales + shipped.cancellations
    assert len({order.number for order in everything}) == len({order.at_us for order in everything}) == 2_830
    assert list(shipped.skus) == sorted(set(shipped.skus))


def test_the_clock_starts_at_the_first_midnight(shipped: Trace) -> None:
    assert shipped.sales[0].at_us == (8 * 60 + 10) * 60_000_000
    assert max(shipped.sales[-1].at_us, shipped.cancellations[-1].at_us) < 26 * 24 * 3_600_000_000


def test_the_shop_is_closed_on_saturdays(shipped: Trace) -> None:
    assert (shipped.days[0], shipped.days[-1]) == (date(2011, 11, 14), date(2011, 12, 9))
    assert not [day for day in shipped.days if day.strftime("%a") == "Sat"]


def test_one_monday_is_what_the_four_weeks_have_of_it(shipped: Trace) -> None:
    """The same orders at the same moments, but for the 42 hours before; so the bad hour finds them where it did."""
    whole, one = (demand_of(load_scenario(name), Streams(1)) for name in ("retail_peak", "retail_day"))
    before_us = 21 * 2 * HOUR
    expected = [
        (each.at_us - before_us, each.lines) for each in whole.arrivals if 0 <= each.at_us - before_us < 2 * HOUR
    ]
    assert [(each.at_us, each.lines) for each in one.arrivals] == expected
    assert len(expected) == 126
    returned = [(at_us - before_us, *what) for at_us, *what in whole.returns if 0 <= at_us - before_us < 2 * HOUR]
    assert [(at_us, *what) for at_us, *what in one.returns] == returned


@pytest.mark.parametrize("policy", get_args(OrderOfSteps))
def test_the_monday_has_its_bad_hour_under_every_policy(policy: str) -> None:
    run = simulate(set_by_path(load_scenario("retail_day"), "policy.order", policy))
    assert run.verdict == "valid"
    witnessed = {row.key for row in run.history if row.kind == "fault" and row.answer == "witnessed"}
    assert witnessed == {label for label, _ in run.scenario.plain_faults()}
    filled = run.outcomes()["fulfilled"] / run.outcomes()["accepted"]
    assert 0.5 < filled < 0.8, "the four weeks fill two orders of three"


def test_the_licence_ships_beside_the_trace() -> None:
    attribution = trace.SHIPPED.with_name("ATTRIBUTION.md").read_text(encoding="utf-8")
    assert "10.24432/C5BW33" in attribution
    assert "CC BY 4.0" in attribution


def test_demand_counts_sales_and_lists_every_product(shipped: Trace) -> None:
    wanted = demand(shipped)
    assert tuple(wanted) == shipped.skus
    assert sum(wanted.values()) == 743_248
    assert sum(not units for units in wanted.values()) == 10  # only ever sent back


def test_orders_of_one_minute_share_it_evenly_in_file_order(tmp_path: Path) -> None:
    rows = "".join(
        f"2011-11-14T00:02,{number},{kind},a,1,5\n" for number, kind in ((7, "sale"), (3, "cancellation"), (5, "sale"))
    )
    loaded = load_trace(written(tmp_path, HEADER + rows))
    assert [(order.number, order.at_us) for order in loaded.sales] == [(7, 120_000_000), (5, 160_000_000)]
    assert [(order.number, order.at_us) for order in loaded.cancellations] == [(3, 140_000_000)]


@given(LINES)
def test_merging_conserves_units_and_pence_of_every_product(lines: list[tuple[str, int, int]]) -> None:
    merged = merge_lines(lines)
    assert [sku for sku, _, _ in merged] == list(dict.fromkeys(sku for sku, _, _ in lines))
    for sku, merged_units, amount_pence in merged:
        assert merged_units == sum(units for name, units, _ in lines if name == sku)
        assert amount_pence == sum(amount for name, _, amount in lines if name == sku)


def test_a_product_at_two_prices_keeps_its_amount(tmp_path: Path) -> None:
    derive(written(tmp_path, RAW), tmp_path / "out.csv.gz")
    loaded = load_trace(tmp_path / "out.csv.gz")
    assert loaded.sales[0].lines == (("22465", 14, 12 * 165 + 2 * 150), ("22178", 6, 6 * 195))
    assert loaded.cancellations[0].lines == (("21373", 12, 900),)


def test_deriving_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    raw = written(tmp_path, RAW)
    derive(raw, tmp_path / "one.csv.gz")
    derive(raw, tmp_path / "two.csv.gz")
    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "two.csv.gz").read_bytes()


def test_the_shipped_trace_comes_out_of_the_loader_as_it_went_in() -> None:
    text = gzip.decompress(trace.SHIPPED.read_bytes()).decode()
    assert text.startswith(HEADER)
    assert text.count("\n") == 1 + 74_797


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("2011-11-14,1,sale,a,1", "shop.csv:2 has 5 fields; expected 6"),
        ("yesterday,1,sale,a,1,5", 'shop.csv:2 placed_at is "yesterday"; expected a time like'),
        ("2011-11-14T08:10:30,1,sale,a,1,5", "expected a local time in whole minutes"),
        ("2011-11-14T08:10,one,sale,a,1,5", 'shop.csv:2 number is "one"; expected a whole number'),
        ("2011-11-14T08:10,1,gift,a,1,5", 'shop.csv:2 kind is "gift"; expected sale or cancellation'),
        ("2011-11-14T08:10,1,sale,,1,5", "shop.csv:2 sku is empty"),
        ("2011-11-14T08:10,1,sale,a,0,5", 'shop.csv:2 units is "0"; expected a whole number, at least 1'),
        ("2011-11-14T08:10,1,sale,a,-3,5", 'shop.csv:2 units is "-3"'),
        ("2011-11-14T08:10,1,sale,a,1,2.50", 'shop.csv:2 amount_pence is "2.50"'),
        ('2011-11-14T08:10,1,sale,"a,1,5', "shop.csv:2 cannot be read on"),
        (
            "2011-11-14T08:10,1,sale,a,1,5\n2011-11-14T08:10,1,cancellation,b,1,5",
            'shop.csv:3 kind is "cancellation"; expected "sale"',
        ),
        (
            "2011-11-14T08:10,1,sale,a,1,5\n2011-11-14T08:09,2,sale,a,1,5",
            "shop.csv:3 placed_at is 2011-11-14T08:09, before the order above (2011-11-14T08:10)",
        ),
        (
            "2011-11-14T08:10,1,sale,a,1,5\n2011-11-14T08:10,2,sale,a,1,5\n2011-11-14T08:10,1,sale,b,1,5",
            "shop.csv:4 order 1 appears again",
        ),
        ("", "shop.csv:1 holds no orders"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, rows: str, complaint: str) -> None:
    with pytest.raises(ValueError) as refused:
        load_trace(written(tmp_path, HEADER + rows + "\n" * bool(rows)))
    assert complaint in str(refused.value)


def test_other_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"shop\.csv:1 columns are .*; expected placed_at,number,kind"):
        load_trace(written(tmp_path, RAW))


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(trace.SHIPPED.read_bytes()[:200_000])
    with pytest.raises(ValueError, match=r"cut\.csv\.gz:\d+ cannot be read on"):
        load_trace(path)
    path.write_bytes(b"no gzip at all")
    with pytest.raises(ValueError, match=r"cut\.csv\.gz:1 cannot be read on"):
        load_trace(path)


def test_a_bad_extract_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="units"):
        derive(written(tmp_path, RAW.replace("sale,22178,6", "sale,22178,-6")), tmp_path / "out.csv.gz")
    assert not (tmp_path / "out.csv.gz").exists()
