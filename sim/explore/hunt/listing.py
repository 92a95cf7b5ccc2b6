"""Any workload as a list of orders: who came when and wanted what, read off a run.

Everybody keeps the number that finds their luck, so a customer who is left out changes nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterator

from orderquake.sim.demand import Listed
from orderquake.sim.explore.hunt.changes import changed
from orderquake.sim.explore.hunt.found import Case, Failure
from orderquake.sim.history import History
from orderquake.sim.listed import ListedOrder
from orderquake.sim.run import Run
from orderquake.sim.scenario import Scenario, Trace
from orderquake.sim.shop import Stock


def listed(scenario: Scenario, history: History) -> Scenario | None:
    """The same day with these orders, one by one; None where it is one already, or nobody came.

    A trace's products become `sku-1` and so on, with the fewest units that any of them had: its returns stay away.
    """
    workload = scenario.workload
    if isinstance(workload, Listed):
        return None
    orders = orders_of(history)
    if not orders:
        return None
    stock = scenario.stock
    if isinstance(workload, Trace):
        names = sorted({sku for order in orders for sku in order.wants})
        units = {row.sku: row.units for row in history if row.operation == "opening"}
        stock = Stock(skus=len(names), units_per_sku=min(units[sku] for sku in names))
        renamed = dict(zip(names, stock.sku_names(), strict=True))
        orders = [
            order.model_copy(update={"wants": {renamed[sku]: n for sku, n in order.wants.items()}}) for order in orders
        ]
    manners = {
        name: getattr(workload, name) for name in ("clicks_twice", "retries", "cancels", "cancels_after", "walks_away")
    }
    made = Listed.model_construct(
        kind="orders", order=tuple(orders), **manners, price_pence=Listed.model_fields["price_pence"].default
    )
    return changed(scenario, workload=made, stock=stock)


def orders_of(history: History) -> list[ListedOrder]:
    """Everybody who came and whose order was written down, as the history tells it."""
    table = history.table()
    wants: dict[str, dict[str, int]] = {}
    for row in history.rows_at(table.at("state", "ordered")):
        wants.setdefault(row.order, {})[row.sku] = row.units
    found: dict[str, ListedOrder] = {}
    for row in history.rows_at(table.at("invoke", "submit")):
        if row.order in wants and row.order not in found:
            found[row.order] = ListedOrder.model_construct(
                at=row.time, wants=wants[row.order], number=int(row.key.removeprefix("s"))
            )
    return list(found.values())


LAST = (2, 4, 8, 16)
"""How many of the last who wanted the same are tried beside those whom the witness names."""
FEW = (1, 2)
"""Units of each product that are tried where so few customers come."""


def narrowed(case: Case, run: Run, failure: Failure) -> Iterator[Case]:
    """The same day with ever more of its customers: those whom the witness names; the last besides, before it broke,
    who wanted what they want; all of these; everybody who had come by then; everybody.

    Where few come, few goods are tried first: what runs out for a crowd would last for them.
    """
    scenario = listed(case.scenario, run.history)
    if scenario is None:
        return
    for few, orders in _crowds(scenario, run.history, failure):
        workload = scenario.workload.model_copy(update={"order": tuple(sorted(orders, key=lambda order: order.at))})
        stocks = [_scarcer(scenario.stock, units) for units in FEW] if few else []
        for stock in (*stocks, scenario.stock):
            yield case._replace(scenario=changed(scenario, workload=workload, stock=stock) or scenario)


def _crowds(scenario: Scenario, history: History, failure: Failure) -> Iterator[tuple[bool, list[ListedOrder]]]:
    """Is it a small one, and who is of it."""
    workload = scenario.workload
    assert isinstance(workload, Listed)
    rows = [history[index] for index in failure.witness]
    numbers = _numbers_of({row.order for row in rows}, history)
    named = [order for order in workload.order if order.number in numbers]
    wanted = {row.sku for row in rows if row.sku} | {sku for order in named for sku in order.wants}
    broke_us = max((row.time for row in rows), default=history[-1].time)
    come = [order for order in workload.order if order.at <= broke_us or order in named]
    rivals = [order for order in come if wanted & set(order.wants) and order not in named]
    crowds = [named, *(named + rivals[-last:] for last in LAST), named + rivals, come, list(workload.order)]
    told = {0}
    for place, crowd in enumerate(crowds):
        if len(crowd) not in told:
            told.add(len(crowd))
            yield place <= len(LAST), crowd


def _scarcer(stock: Stock, units: int) -> Stock:
    """So few units of each product, and one where more come in or go missing."""
    receipts = tuple(receipt.model_copy(update={"units": 1}) for receipt in stock.receipts)
    counted = tuple(one.model_copy(update={"units": min(1, max(-1, one.units))}) for one in stock.corrections)
    return stock.model_copy(
        update={"units_per_sku": units, "cover": None, "scarce": None, "receipts": receipts, "corrections": counted}
    )


def _numbers_of(orders: set[str], history: History) -> set[int]:
    """The numbers under which these orders were submitted."""
    submitted = history.rows_at(history.table().at("invoke", "submit"))
    return {int(row.key.removeprefix("s")) for row in submitted if row.order in orders}
