"""A small day on which much can go wrong: a few orders for the last units, short periods, one or two faults.

Races that are rare in a shop are dense here: jobs run every second or so, reservations may be shorter than the way to
their owner, and nearly every number is a constant, so that what was found is easily told. The day keeps the order of
the protocol's numbers (lease above deadline, key above horizon), so whatever a sound design promises it promises here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from pydantic import ValidationError

from orderquake.model.architecture import Architecture
from orderquake.model.in_kv import InKv
from orderquake.model.policy import Policy
from orderquake.model.spread import Spread
from orderquake.sim.explore.hunt.changes import rested
from orderquake.sim.explore.hunt.stress_circumstances import apart, constant
from orderquake.sim.explore.hunt.stress_themes import LEASE_US, NO_THEME, Theme, at_an_ask, away, theme_of
from orderquake.sim.explore.swarm import KINDS, broken_by
from orderquake.sim.explore.swarm_faults import CannotDraw, Day, drawn_fault
from orderquake.sim.explore.swarm_luck import Luck, duration
from orderquake.sim.scenario import Scenario
from orderquake.sim.units import MS, SECOND, parse_duration

QUESTION: Final = "A few orders, short periods, little that goes wrong: is there a moment at which a promise breaks?"
HORIZON_S: Final = 24
"""At most; a day ends soon after the last that happens on it, for until the quiet phase is over jobs go on as ever."""
AFTERWARDS_US: Final = 5 * SECOND
POLICIES: Final = ("pay_first", "pay_first", "reserve_first", "authorise_reserve_capture")
ROUND_PENCE: Final = (1, 100, 128, 256, 512, 1_000, 65_536)
CARDS: Final = ("refund_fails", "declined", "stored_error", "stored_error_paid")


def stressed(seed: int, design: type[Architecture], like: Scenario | None = None, is_outside: bool = False) -> Scenario:
    """The small day of a seed.

    like         its policy's order of steps, where there is such a day
    is_outside   faults need not keep to the design's contract
    """
    luck = Luck(seed, "stress")
    tables = stress_tables(luck, like)
    theme = theme_of(luck.under("theme"))
    if theme is not None:
        theme.sets(luck.under("theme"), tables)
    if is_spread(design) and len(tables["place"]) == 1 and luck.chance("apart", 0.8):
        apart(luck.under("apart"), tables, 0.7 if theme is None else 0.3)
    if like is not None:
        tables["policy"]["order"] = like.policy.order
    for attempt in range(4):
        faults = stress_faults(luck.under(f"faults-{attempt}"), read(tables), design, is_outside, theme)
        try:
            return rested(read({**tables, "fault": faults, "horizon": duration(ends_us(tables, faults))}))
        except ValidationError:
            continue
    return rested(read(tables))


@cache
def is_spread(design: type[Architecture]) -> bool:
    """Has it a store that stands in several places at once?"""
    return any(isinstance(store, InKv | Spread) for store in design(Policy()).stores({}).values())


def read(tables: Mapping[str, Any]) -> Scenario:
    return Scenario.model_validate({**tables, "name": "stress", "quiet_limit": tables.get("quiet_limit", "1 min")})


def ends_us(tables: Mapping[str, Any], faults: Sequence[Mapping[str, Any]]) -> int:
    """When all has happened: customers have come and thought better of it, goods have moved, faults have healed."""
    stock = tables["stock"]
    spans = [(order["at"], order.get("cancels_after", "0 s")) for order in tables["workload"]["order"]]
    spans += [(moved["at"], "0 s") for moved in (*stock.get("receipts", ()), *stock.get("corrections", ()))]
    spans += [(fault.get("from", fault.get("at", "0 s")), fault.get("for", "0 s")) for fault in faults]
    last_us = max(parse_duration(begins) + parse_duration(lasts) for begins, lasts in spans)
    return min(last_us + AFTERWARDS_US, HORIZON_S * SECOND)


def stress_tables(luck: Luck, like: Scenario | None = None) -> dict[str, Any]:
    """All but the faults."""
    skus = 2 if luck.chance("two_products", 0.2) else 1
    policy = luck.pick("policy", POLICIES) if like is None else like.policy.order
    pay_us = luck.decades("pay", 50 * MS, 3 * SECOND)
    return {
        "schema_version": 1,
        "question": QUESTION,
        "horizon": f"{HORIZON_S} s",
        "gauge_every": "10 h",
        "alert": [],
        "workload": {"kind": "orders", "order": _orders(luck.under("orders"), skus)} | _prices(luck.under("prices")),
        "stock": _shelves(luck.under("shelves"), skus),
        "place": [{"name": "here", "workers": luck.whole("workers", 1, 3)}],
        "local_latency": constant(luck.decades("leg", 0.5 * MS, 20 * MS)),
        "service": _services(luck.under("service"), pay_us),
        "policy": _policy(luck.under("policy"), policy),
        "jobs": _jobs(luck.under("jobs")),
    }


def _orders(luck: Luck, skus: int) -> list[dict[str, Any]]:
    """One to three; the later ones come soon after the first, or much later."""
    orders = []
    at_us = luck.decades("first", 0.1 * SECOND, 3 * SECOND)
    for number in range(luck.pick("how_many", (1, 2, 2, 2, 3))):
        here = luck.under(number)
        wants = {f"sku-{here.whole('sku', 1, skus)}": 1}
        if skus > 1 and here.chance("both", 0.4):
            wants = {f"sku-{sku}": 1 for sku in range(1, skus + 1)}
        order: dict[str, Any] = {"at": duration(at_us), "wants": wants, "number": number, "card": "good"}
        if here.chance("odd_card", 0.25):
            order["card"] = here.pick("card", CARDS)
        if here.chance("clicks_twice", 0.15):
            order["clicks_twice"] = True
        if here.chance("cancels", 0.2):
            order["cancels_after"] = here.time("cancels_after", 50 * MS, 8 * SECOND)
        orders.append(order)
        at_us += here.decades("gap", 20 * MS, 8 * SECOND)
    return orders


def _prices(luck: Luck) -> dict[str, Any]:
    """Sometimes one that is round, in the eyes of people or machines: where sums are handled by rules, these differ."""
    if not luck.chance("is_round", 0.15):
        return {}
    pence = luck.pick("pence", ROUND_PENCE)
    return {"price_pence": {"low": pence, "high": pence}}


def _shelves(luck: Luck, skus: int) -> dict[str, Any]:
    """Mostly one unit; sometimes none, or one more that comes in later."""
    table: dict[str, Any] = {"skus": skus, "units_per_sku": luck.pick("units", (0, 1, 1, 1, 1, 1, 1, 2, 3))}
    if luck.chance("receipt", 0.2):
        table["receipts"] = [{"at": luck.time("at", SECOND, 12 * SECOND), "sku": "sku-1", "units": 1}]
    return table


def _services(luck: Luck, pay_us: float) -> dict[str, Any]:
    tables: dict[str, Any] = {
        name: {"latency": constant(luck.decades(name, low, high))}
        for name, low, high in (
            ("order_cache", 1 * MS, 20 * MS), ("stock", 1 * MS, 100 * MS), ("record", 10 * MS, 2 * SECOND),
            ("notice", 1 * MS, 50 * MS), ("queue", 1 * MS, 10 * MS),
        )
    }  # fmt: skip
    tables["payment"] = {
        "latency": constant(pay_us),
        "declines": 0.0,
        "key_retention": "4 min",
        "refund_delay": constant(luck.decades("refund_delay", SECOND, 6 * SECOND) if luck.chance("slow", 0.4) else 0.0),
        "refund_fails_after": constant(luck.decades("refund_fails_after", SECOND, 8 * SECOND)),
    }
    return tables


def _policy(luck: Luck, order: str) -> dict[str, Any]:
    short = luck.chance("short_ttl", 0.4)
    patience = {
        "timeout": duration(luck.decades("timeout", 4 * SECOND, 6 * SECOND)), "attempts": luck.whole("attempts", 2, 3),
        "base": "50 ms", "cap": "200 ms",
    }  # fmt: skip
    services = ("order_cache", "stock", "notice", "queue")
    quick = patience | {"timeout": luck.time("quick", 500 * MS, 2 * SECOND)}
    return {
        "order": order,
        "reservation_ttl": luck.time("ttl", 150 * MS, 3 * SECOND) if short else "20 s",
        "extends": luck.chance("extends", 0.2),
        "expiry": "sweep" if luck.chance("sweeps", 0.2) else "on_look",
        "decide_within": luck.time("decide", SECOND, 5 * SECOND) if luck.chance("decides_soon", 0.15) else "40 s",
        "send_horizon": luck.time("send_horizon", 8 * SECOND, 20 * SECOND)
        if luck.chance("sends_soon", 0.3)
        else "1 min",
        "message_life": "1 min",
        "worker_deadline": "8 s",
        "lease": duration(LEASE_US),
        "idle": luck.time("idle", SECOND, 4 * SECOND),
        "max_deliveries": luck.pick("max_deliveries", (8, 8, 3)),
        "settle_after": luck.time("settle_after", SECOND, 6 * SECOND),
        "patience": dict.fromkeys(services, quick) | {"payment": patience, "record": patience},
    }


def _jobs(luck: Luck) -> dict[str, Any]:
    spans = {
        "inbound": (0.3, 4.0), "outbound": (0.3, 4.0), "recovery": (1.0, 4.0), "settlement": (2.0, 6.0),
        "rebuild": (2.0, 6.0), "sweep": (1.0, 4.0),
    }  # fmt: skip
    return {
        name: {
            "every": duration(luck.decades(name, low * SECOND, high * SECOND)), "jitter": "0 s",
            "phase": duration(luck.share(f"{name}/phase") * SECOND),
        }
        for name, (low, high) in spans.items()
    }  # fmt: skip


# -- what goes wrong


def stress_faults(
    luck: Luck, calm: Scenario, design: type[Architecture], is_outside: bool = False, theme: Theme | None = None
) -> list[dict[str, Any]]:
    """None, one, or two; inside the contract of the design, unless anything goes."""
    day = Day.of(calm)
    holds = calm.policy.order == "authorise_reserve_capture"
    found: list[dict[str, Any]] = []
    for happening in theme.besides(luck) if theme is not None else ():
        add(found, happening, day, design, is_outside)
    how_many = (0, 0, 1, 1, 1, 2, 2) if theme is None else (1, 1, 1, 2) if theme.kinds or theme.is_away else (0,)
    for number in range(luck.pick("how_many", how_many)):
        here = luck.under(number)
        if theme is not None and theme.is_away:
            table: dict[str, Any] | None = away(here)
        elif theme is not None and (number == 0 or here.chance("again", 0.5)):
            table = at_an_ask(here, theme, holds)
        elif here.chance("at_an_ask", 0.75):
            table = at_an_ask(here, NO_THEME, holds)
        else:
            table = _drawn(here, day)
        if table is not None:
            add(found, table, day, design, is_outside)
    return found


def add(
    found: list[dict[str, Any]], table: dict[str, Any], day: Day, design: type[Architecture], is_outside: bool
) -> None:
    """Add a fault that fits the day and the contract."""
    try:
        fault = KINDS[table["kind"]].model_validate(table)
    except ValidationError:
        return
    is_inside = not broken_by(fault, day) & design.requires
    if fault.fits(day.scenario) and (is_inside or is_outside):
        found.append(table)


def _drawn(luck: Luck, day: Day) -> dict[str, Any] | None:
    """Any kind of fault that there is."""
    try:
        drawn = drawn_fault(KINDS[luck.pick("any", sorted(KINDS))], luck, day)
    except CannotDraw:
        return None
    return None if drawn is None else drawn[0]
