"""What can be left out of a case, or said more simply: a typed list of single reductions, the strongest first.

Each family looks at a case and offers smaller ones, a name each. Whether one still breaks the same promise is for
`shrinking.py` to find out. Demand and faults are here; the shop itself is in `reductions_shop.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from orderquake.sim.demand import Listed, Retries
from orderquake.sim.explore.hunt.changes import changed, constant, on_the_beat, rounder, with_part
from orderquake.sim.explore.hunt.found import Case
from orderquake.sim.explore.hunt.reductions_shop import SHOP, all_plain
from orderquake.sim.listed import ListedOrder
from orderquake.sim.nemesis import Fault
from orderquake.sim.scenario import Scenario
from orderquake.sim.units import SECOND, format_duration
from orderquake.sim.world.delays import Constant, Delay

T = TypeVar("T")


class Reduction(NamedTuple):
    """A smaller case, in which way, and how many equal parts at once it leaves out."""

    name: str
    case: Case
    parts: int = 1


Family: TypeAlias = Callable[[Case], Iterator[Reduction]]


def of_scenario(name: str, case: Case, scenario: Scenario | None, parts: int = 1) -> Iterator[Reduction]:
    if scenario is not None:
        yield Reduction(name, case._replace(scenario=scenario), parts)


def parts_left_out(entries: Sequence[T]) -> Iterator[tuple[str, tuple[T, ...]]]:
    """The entries without half of them, without a quarter, and so on down to without one.

    >>> [left for _, left in parts_left_out("abc")]
    [('c',), ('a', 'b'), ('b', 'c'), ('a', 'c'), ('a', 'b')]
    """
    size = (len(entries) + 1) // 2
    while size:
        for start in range(0, len(entries), size):
            end = min(start + size, len(entries))
            yield f"{start + 1} to {end} of {len(entries)}", (*entries[:start], *entries[end:])
        if size == 1:
            return
        size = (size + 1) // 2


# -- faults and deviations


def fewer_deviations(case: Case) -> Iterator[Reduction]:
    for which, left in parts_left_out(case.deviations):
        yield Reduction(f"without deviation {which}", case._replace(deviations=left))


def fewer_faults(case: Case) -> Iterator[Reduction]:
    for which, left in parts_left_out(case.scenario.fault):
        yield from of_scenario(f"without fault {which}", case, changed(case.scenario, fault=left))


def plainer_faults(case: Case) -> Iterator[Reduction]:
    """A pattern as its parts; chance as the first, the second ask; no window; round lengths."""
    faults = case.scenario.fault
    for place, fault in enumerate(faults):
        for name, instead in _plainer(fault, case.scenario):
            others = (*faults[:place], *instead, *faults[place + 1 :])
            yield from of_scenario(f"fault {place + 1} {name}", case, changed(case.scenario, fault=others))


def _plainer(fault: Fault, scenario: Scenario) -> Iterator[tuple[str, tuple[Fault, ...]]]:
    parts = fault.parts(scenario)
    if parts != (fault,):
        yield "as its parts", parts
        return
    for name, update in _plainer_values(fault):
        made = with_part(fault, **update)
        if made is not None and made != fault:
            yield name, (made,)


def _plainer_values(fault: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    fields = type(fault).model_fields
    if getattr(fault, "probability", None) is not None and "nth" in fields:
        for nth in (1, 2, 3):
            yield f"at ask {nth}", {"probability": None, "nth": nth, "at_most": None}
        if fault.probability != 1:
            yield "always", {"probability": 1.0}
    elif getattr(fault, "nth", None) is not None:
        for nth in range(1, min(fault.nth, 4)):
            yield f"at ask {nth}", {"nth": nth}
    for name in ("at_most", "operation", "until", "target"):
        if getattr(fault, name, None) is not None and not fields[name].is_required():
            yield f"without {name}", {name: None}
    if getattr(fault, "lasts", None) is not None:
        yield "with no end", {"lasts": None, "until": None}
    if getattr(fault, "since", 0):
        yield "from the start", {"since": 0}
    for name in fields:
        value = getattr(fault, name)
        if isinstance(value, Delay):
            if not isinstance(value, Constant):
                yield f"{name} constant", {name: constant(round(value.mean_us))}
            else:
                for us in rounder(value.value):
                    yield f"{name} {format_duration(us)}", {name: constant(us)}
        elif name in ("since", "lasts", "at", "until") and value:
            for us in on_the_beat(value):
                yield f"{name} {format_duration(us)}", {name: us}


def rounder_deviations(case: Case) -> Iterator[Reduction]:
    for place, deviation in enumerate(case.deviations):
        if isinstance(deviation.value, int):
            simpler: list[float] = [us for us in rounder(deviation.value) if us > 0]
        else:
            simpler = [value for value in (0.0, 0.5, 0.99) if value != deviation.value]
            if deviation.value in (0.0, 0.5, 0.99):
                simpler = []
        for value in simpler:
            others = (*case.deviations[:place], deviation._replace(value=value), *case.deviations[place + 1 :])
            yield Reduction(f"deviation {place + 1} {value}", case._replace(deviations=others))


# -- who comes


def fewer_orders(case: Case) -> Iterator[Reduction]:
    workload = case.scenario.workload
    if isinstance(workload, Listed):
        for which, left in parts_left_out(workload.order):
            if left:
                scenario = changed(case.scenario, workload=workload.model_copy(update={"order": left}))
                parts = len(workload.order) - len(left)
                yield from of_scenario(f"without order {which}", case, scenario, parts)


def sooner(case: Case) -> Iterator[Reduction]:
    """All orders earlier, at the same distances or closer together: what lies between them takes time to play."""
    workload = case.scenario.workload
    if not isinstance(workload, Listed):
        return
    first = min(order.at for order in workload.order)
    begin = min(first, SECOND)
    for name, divisor in (("at a tenth of their distances", 10), ("at half their distances", 2), ("from 1 s on", 1)):
        if divisor == 1 and first <= SECOND:
            continue
        moved = tuple(
            order.model_copy(update={"at": begin + (order.at - first) // divisor}) for order in workload.order
        )
        last = max(order.at for order in moved)
        update = {"workload": workload.model_copy(update={"order": moved})}
        if max(order.at for order in workload.order) - last > SECOND:
            shorter = min(case.scenario.horizon, last + 10 * SECOND)
            yield from of_scenario(
                f"orders {name}, a shorter day", case, changed(case.scenario, **update, horizon=shorter)
            )
            yield from of_scenario(f"orders {name}", case, changed(case.scenario, **update))


def plainer_manners(case: Case) -> Iterator[Reduction]:
    """Nobody cancels, clicks twice or walks away by chance; nobody asks again but as usual."""
    workload = case.scenario.workload
    calm: dict[str, Any] = {"clicks_twice": 0.0, "cancels": 0.0, "walks_away": 0.0, "retries": Retries()}
    calm["cancels_after"] = type(workload).model_fields["cancels_after"].default
    every = {name: value for name, value in calm.items() if getattr(workload, name) != value}
    for update in (every, *({name: value} for name, value in every.items() if len(every) > 1)):
        if update:
            made = changed(case.scenario, workload=workload.model_copy(update=update))
            yield from of_scenario(f"usual {', '.join(update)}", case, made)


def plainer_orders(case: Case) -> Iterator[Reduction]:
    workload = case.scenario.workload
    if isinstance(workload, Listed):
        for place, order in enumerate(workload.order):
            for name, update in _plainer_order(order, case.scenario):
                made = order.model_copy(update=update)
                others = (*workload.order[:place], made, *workload.order[place + 1 :])
                scenario = changed(case.scenario, workload=workload.model_copy(update={"order": others}))
                yield from of_scenario(f"order {place + 1} {name}", case, scenario)


def _plainer_order(order: ListedOrder, scenario: Scenario) -> Iterator[tuple[str, dict[str, Any]]]:
    if len(order.wants) > 1:
        for sku in order.wants:
            yield f"without {sku}", {"wants": {other: n for other, n in order.wants.items() if other != sku}}
    for sku, units in order.wants.items():
        if units > 1:
            yield f"one {sku}", {"wants": {**order.wants, sku: 1}}
        if units > 2:
            yield f"half the {sku}", {"wants": {**order.wants, sku: units // 2}}
    first = scenario.stock.sku_names()[0]
    if first not in order.wants and len(order.wants) == 1:
        yield f"of {first}", {"wants": {first: next(iter(order.wants.values()))}}
    if order.card != "good":
        yield "with a good card", {"card": "good"}
        if order.card is None:
            for card in ("refund_fails", "declined", "stored_error", "stored_error_paid"):
                yield f"with a card that is {card}", {"card": card}
    if order.clicks_twice is not False and (order.clicks_twice or scenario.workload.clicks_twice):
        yield "clicks once", {"clicks_twice": False}
        if order.clicks_twice is None:
            yield "clicks twice", {"clicks_twice": True}
    if order.cancels_after is not None:
        yield "does not cancel", {"cancels_after": None}
        for us in on_the_beat(order.cancels_after):
            yield f"cancels after {format_duration(us)}", {"cancels_after": us}
    if order.place is not None:
        yield "anywhere", {"place": None}
    for us in on_the_beat(order.at):
        yield f"at {format_duration(us)}", {"at": us}
    if order.at > 2 * SECOND:
        yield "at 1 s", {"at": SECOND}


FAMILIES: tuple[Family, ...] = (
    all_plain, fewer_faults, fewer_deviations, fewer_orders, sooner, plainer_manners, plainer_faults, *SHOP,
    plainer_orders, rounder_deviations,
)  # fmt: skip
"""Everything that is tried, in this order, again and again until nothing helps."""
