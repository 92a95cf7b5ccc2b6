"""What the tables of a scenario must agree on: names that have to exist, moments that have to come in order.

Each rule reads a scenario and yields where it is contradicted, and how. A table's own limits stand with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from orderquake.model.verbs import EVERY_VERB
from orderquake.sim.demand import FlashSale, Hot, Listed, Rounds, Shoppers, Trace, Traced
from orderquake.sim.nemesis import Lasting, Pause, Sudden
from orderquake.sim.scenario_errors import suggestion, unknown, with_next_move
from orderquake.sim.units import format_duration

if TYPE_CHECKING:
    from orderquake.sim.scenario import Scenario
    from orderquake.sim.shop import Correction, Receipt, Stock

Path: TypeAlias = tuple[str | int, ...]
Contradiction: TypeAlias = tuple[Path, str]
"""Where, and what; the text reads on after "<where> is"."""


def contradictions(scenario: Scenario) -> list[Contradiction]:
    """Everything that does not fit together, in the order of the rules."""
    return [found for rule in RULES for found in rule(scenario)]


def places_are_linked(scenario: Scenario) -> Iterator[Contradiction]:
    names = [place.name for place in scenario.place]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield ("place", number, "name"), f'"{name}", a second time; expected every place once'
    seen: set[frozenset[str]] = set()
    for number, link in enumerate(scenario.link):
        for end, name in enumerate(link.between):
            if name not in names:
                yield ("link", number, "between", end), unknown(name, names, "place")
        if link.between[0] == link.between[1]:
            yield (
                ("link", number, "between"),
                f'"{link.between[0]}" twice; expected two places (see local_latency)',
            )
        elif frozenset(link.between) in seen:
            yield (
                ("link", number, "between"),
                "a pair that has a link already; expected one link for each pair",
            )
        seen.add(frozenset(link.between))
    for one, other in combinations(dict.fromkeys(names), 2):
        if frozenset((one, other)) not in seen:
            where: Path = ("link",) if scenario.link else ("place", names.index(other))
            text = f'cut off: nothing links "{one}" and "{other}"; expected one [[link]] for each pair of places'
            yield where, text


def customers_are_somewhere(scenario: Scenario) -> Iterator[Contradiction]:
    if isinstance(scenario.workload, Listed):
        names = [place.name for place in scenario.place]
        for number, order in enumerate(scenario.workload.order):
            if order.place is not None and order.place not in names:
                yield ("workload", "order", number, "place"), unknown(order.place, names, "place")


def services_exist_somewhere(scenario: Scenario) -> Iterator[Contradiction]:
    names = [place.name for place in scenario.place]
    for name, service in scenario.service.items():
        if service.place is not None and service.place not in names:
            yield ("service", name, "place"), unknown(service.place, names, "place")
        verbs = operations_of(name)
        for verb in service.operations:
            if verb not in verbs:
                yield ("service", name, "operations", verb), unknown(verb, verbs, f"operation of {name}")


def somebody_is_somewhere(scenario: Scenario) -> Iterator[Contradiction]:
    for key, what in (("weight", "customers"), ("workers", "workers")):
        if not any(getattr(place, key) for place in scenario.place):
            yield ("place", 0, key), f"0, as everywhere; expected a place with {what}"


def domains_name_what_there_is(scenario: Scenario) -> Iterator[Contradiction]:
    places, services = [place.name for place in scenario.place], scenario.service.names()
    for number, domain in enumerate(scenario.domain or ()):
        for key, known, what in (("places", places, "place"), ("services", services, "service")):
            for at, name in enumerate(getattr(domain, key)):
                if name not in known:
                    yield ("domain", number, key, at), unknown(name, known, what)
        if domain.name in places:
            yield ("domain", number, "name"), f'"{domain.name}", which is a place; expected a name of its own'
        if not domain.places and not domain.services:
            yield ("domain", number, "places"), "empty, and services, too; expected what fails together"


def boundaries_are_drawn(scenario: Scenario) -> Iterator[Contradiction]:
    if scenario.residency is None:
        return
    known = [place.jurisdiction for place in scenario.place if place.jurisdiction is not None]
    for number, place in enumerate(scenario.place):
        if place.jurisdiction is None:
            yield ("place", number, "jurisdiction"), "absent; expected one for each place beside [residency]"
    for at, name in enumerate(scenario.residency.personal):
        if name not in known:
            yield ("residency", "personal", at), unknown(name, known, "jurisdiction")


def lines_have_an_end(scenario: Scenario) -> Iterator[Contradiction]:
    for name, service in scenario.service.items():
        if service.queue_patience is not None and service.capacity is None:
            text = "given, but the service has no capacity, so nobody waits; expected capacity beside it"
            yield ("service", name, "queue_patience"), text
        own, shared = service.throttle, service.account_throttle
        if own and shared and own.kind == "policer" and shared.kind == "shaper":
            # What waits for the account could pass in a heap that the policer has seen come one by one.
            text = '"shaper", but the throttle of each verb is a policer; expected both, or only the verb\'s, to shape'
            yield ("service", name, "account_throttle", "kind"), text


def faults_can_strike(scenario: Scenario) -> Iterator[Contradiction]:
    horizon = scenario.horizon
    for number, fault in enumerate(scenario.fault):
        begin, end = fault.window(horizon)
        if begin >= horizon:
            key = "at" if isinstance(fault, Sudden) else "from"
            yield ("fault", number, key), f"{_late(begin, horizon)}"
        elif isinstance(fault, Lasting) and end > horizon:
            key = "until" if fault.until is not None else "for"
            found = fault.until if fault.until is not None else fault.lasts
            text = f'"{format_duration(found or 0)}", which ends at {format_duration(end)}, after the horizon'
            yield ("fault", number, key), f'{text}, "{format_duration(horizon)}"; expected a window within it'
        operation = getattr(fault, "operation", None)
        if operation is not None:
            verbs = operations_of(fault.where())
            if operation not in verbs:
                yield ("fault", number, "operation"), unknown(operation, verbs, f"operation of {fault.where()}")
        for path, text in fault.misfits(scenario):
            yield ("fault", number, *path), text


def faults_leave_each_other_room(scenario: Scenario) -> Iterator[Contradiction]:
    """Two outages of one service at a time would be one that ends when the first does."""
    horizon = scenario.horizon
    exclusive = [
        (number, part)
        for number, fault in enumerate(scenario.fault)
        for part in (fault.parts(scenario) if fault.fits(scenario) else ())
        if part.excludes
    ]
    told: set[tuple[int, int]] = set()
    for (first, one), (second, other) in combinations(exclusive, 2):
        (begin, end), (start, stop) = one.window(horizon), other.window(horizon)
        is_same = (one.excludes, one.where()) == (other.excludes, other.where())
        if is_same and begin < stop and start < end and (first, second) not in told:
            told.add((first, second))
            while_ = f"fault[{first}] still lasts" if first != second else "its own first one still lasts"
            text = f"a second {other.excludes} of {other.where()} while {while_}; expected windows apart"
            yield ("fault", second), text


def pools_have_channels(scenario: Scenario) -> Iterator[Contradiction]:
    stock = scenario.stock
    if stock.pool == "shared" and stock.foreign_sales is None:
        text = '"shared", but nobody else sells; expected foreign_sales = { per_s = ..., units = 1 } beside it'
        yield ("stock", "pool"), f'{text}, or pool = "ring_fenced"'
    if stock.pool == "ring_fenced" and stock.foreign_sales is not None:
        yield (
            ("stock", "foreign_sales"),
            'given, but the pool is ring_fenced; expected pool = "shared" beside it',
        )


def shelves_fit_the_workload(scenario: Scenario) -> Iterator[Contradiction]:
    stock, workload = scenario.stock, scenario.workload
    if isinstance(workload, Trace):
        for key in ("skus", "units_per_sku"):
            if key in stock.model_fields_set:
                text = "given, but a trace brings its own products; expected cover, a share of what it wants"
                yield ("stock", key), text
        return
    for key in ("cover", "scarce"):
        if getattr(stock, key) is not None:
            yield ("stock", key), "given, but there is no trace; expected skus and units_per_sku instead"
    names = stock.sku_names()
    for kind, number, event in _deliveries(stock):
        if event.sku not in names:
            yield ("stock", kind, number, "sku"), unknown(event.sku, names, "product")
    if isinstance(workload, Rounds) and workload.rounds > stock.skus:
        text = f"{workload.rounds}, but stock.skus is {stock.skus}; expected at most one round for each product"
        yield ("workload", "rounds"), text
    if isinstance(workload, Listed):
        for number, order in enumerate(workload.order):
            for sku in order.wants:
                if sku not in names:
                    yield ("workload", "order", number, "wants"), unknown(sku, names, "product")
    if isinstance(workload, Shoppers) and workload.basket.lines.expected > stock.skus:
        text = f"larger than the shop, which has {stock.skus} products; expected fewer lines, or more products"
        yield ("workload", "basket", "lines"), text
    if isinstance(workload, Shoppers) and isinstance(workload.popularity, Traced):
        yield ("workload", "popularity"), '"traced", but there is no trace; expected zipf, uniform or hot'
    hot = workload.popularity if isinstance(workload, Shoppers) else None
    if isinstance(hot, Hot) and hot.skus >= stock.skus:
        text = f"{hot.skus}, but stock.skus is {stock.skus}; expected fewer, so that there is a rest"
        yield ("workload", "popularity", "skus"), text


def events_come_in_time(scenario: Scenario) -> Iterator[Contradiction]:
    horizon, workload = scenario.horizon, scenario.workload
    for kind, number, event in _deliveries(scenario.stock):
        if event.at >= horizon:
            yield ("stock", kind, number, "at"), _late(event.at, horizon)
    if isinstance(workload, FlashSale) and workload.starts + workload.over > horizon:
        end = format_duration(workload.starts + workload.over)
        text = f'"{format_duration(workload.over)}", so the sale ends at {end}, after the horizon'
        yield ("workload", "over"), f'{text}, "{format_duration(horizon)}"; expected it to end before'
    if isinstance(workload, Listed):
        for number, order in enumerate(workload.order):
            if order.at >= horizon:
                yield ("workload", "order", number, "at"), _late(order.at, horizon)
    if isinstance(workload, Rounds):
        end_us = (workload.rounds - 1) * workload.every + workload.within
        if end_us > horizon:
            text = f"{workload.rounds}, so the last round ends at {format_duration(end_us)}, after the horizon"
            yield ("workload", "rounds"), f'{text}, "{format_duration(horizon)}"; expected it to end before'


def keys_outlive_asks(scenario: Scenario) -> Iterator[Contradiction]:
    policy = scenario.policy
    kept = scenario.service.payment.key_retention
    longest = policy.send_horizon + policy.worker_deadline + policy.message_life
    if longest >= kept:
        text = (
            f'"{format_duration(policy.send_horizon)}"; with worker_deadline and message_life, a charge may '
            f"arrive {format_duration(longest)} after the first, when the provider has forgotten its key; "
            f"expected a sum below "
            f'service.payment.key_retention, "{format_duration(kept)}"'
        )
        yield ("policy", "send_horizon"), text
    if policy.send_horizon < policy.worker_deadline:
        text = f'"{format_duration(policy.send_horizon)}", over before a worker is sure to have sent what it wrote down'
        shown = format_duration(policy.worker_deadline)
        yield ("policy", "send_horizon"), f'{text}; expected at least worker_deadline, "{shown}"'
    if policy.lease <= policy.worker_deadline:
        text = f'"{format_duration(policy.lease)}"; expected more than worker_deadline'
        yield ("policy", "lease"), f'{text}, "{format_duration(policy.worker_deadline)}"'


def pauses_are_shorter_than_keys(scenario: Scenario) -> Iterator[Contradiction]:
    """A sleeper may send on waking what it decided to send before: within the send horizon, then a pause later."""
    policy = scenario.policy
    room = scenario.service.payment.key_retention - policy.send_horizon - policy.worker_deadline - policy.message_life
    for number, fault in enumerate(scenario.fault):
        # Nearly all pauses: the mean and ten standard deviations.
        if isinstance(fault, Pause) and not fault.length.mean_us + 10 * fault.length.variance**0.5 < room:
            text = "so long that a key may be sent when the provider has forgotten it; expected nearly all below"
            yield ("fault", number, "length"), f'{text} "{format_duration(max(room, 0))}", which send_horizon leaves'


def cold_starts_take_time(scenario: Scenario) -> Iterator[Contradiction]:
    for number, place in enumerate(scenario.place):
        if place.starts_cold and not place.cold_start.mean_us:
            text = "true, but a cold start takes no time; expected cold_start beside it"
            yield ("place", number, "starts_cold"), text


def names_are_known(scenario: Scenario) -> Iterator[Contradiction]:
    checkers = checker_names()
    for number, name in enumerate(scenario.must_exercise):
        if name not in checkers:
            yield ("must_exercise", number), unknown(name, checkers, "checker", "orderquake checkers")
        elif name in scenario.must_exercise[:number]:
            yield ("must_exercise", number), f'"{name}", a second time; expected every checker once'
    points = point_names() if scenario.must_see else ()
    for number, name in enumerate(scenario.must_see):
        if name not in points:
            yield ("must_see", number), unknown(name, points, "point", "orderquake points")
        elif name in scenario.must_see[:number]:
            yield ("must_see", number), f'"{name}", a second time; expected every point once'
    # An architecture may be somebody's own, so only what looks like a misspelling is refused.
    known = architecture_names()
    for name in scenario.expect:
        near = suggestion(name, known, "; did you mean {}?")
        if name not in known and near:
            yield ("expect", name), with_next_move(f"not an architecture{near}", "orderquake architectures")


RULES: tuple[Callable[[Scenario], Iterable[Contradiction]], ...] = (
    names_are_known,
    places_are_linked,
    services_exist_somewhere,
    customers_are_somewhere,
    somebody_is_somewhere,
    domains_name_what_there_is,
    boundaries_are_drawn,
    lines_have_an_end,
    shelves_fit_the_workload,
    pools_have_channels,
    events_come_in_time,
    faults_can_strike,
    faults_leave_each_other_room,
    keys_outlive_asks,
    pauses_are_shorter_than_keys,
    cold_starts_take_time,
)


def _deliveries(stock: Stock) -> Iterator[tuple[str, int, Receipt | Correction]]:
    yield from (("receipts", number, receipt) for number, receipt in enumerate(stock.receipts))
    yield from (("corrections", number, correction) for number, correction in enumerate(stock.corrections))


def _late(moment_us: int, horizon_us: int) -> str:
    late, horizon = format_duration(moment_us), format_duration(horizon_us)
    return f'"{late}", which the scenario never reaches; expected a moment before the horizon, "{horizon}"'


def operations_of(service: str) -> tuple[str, ...]:
    """Verbs that a service understands."""
    return EVERY_VERB.get(service, ())


def checker_names() -> tuple[str, ...]:
    """Names of all checkers."""
    from orderquake.sim.checkers import CHECKERS

    return tuple(CHECKERS)


def point_names() -> tuple[str, ...]:
    """Names of all sometimes-points."""
    from orderquake.sim.study import points

    return points.point_names()


def architecture_names() -> tuple[str, ...]:
    """Names of all architectures that come along."""
    from orderquake.model.architectures import ARCHITECTURES

    return tuple(ARCHITECTURES)
