"""What a small day of stress is like: circumstances that belong together, each a change of the day's tables.

What happens on it besides is in `stress_happenings.py`; which of them make a theme, in `stress_themes.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

from orderquake.sim.explore.swarm_luck import Luck, duration
from orderquake.sim.units import MS, SECOND, parse_duration

PLACES: Final = ("here", "there", "yonder")


def constant(us: float) -> dict[str, str]:
    return {"kind": "constant", "value": duration(us)}


def as_it_is(luck: Luck, tables: dict[str, Any]) -> None:
    """Nothing but what was drawn."""


def short_leases(luck: Luck, tables: dict[str, Any]) -> None:
    """Reservations that lapse while somebody sleeps, and a second customer right behind the first."""
    tables["policy"]["reservation_ttl"] = luck.time("ttl", 200 * MS, 1.2 * SECOND)
    orders = tables["workload"]["order"]
    if len(orders) == 1:
        orders.append({**orders[0], "number": 1, "card": "good"})
    for number, order in enumerate(orders):
        order["at"] = duration(SECOND + number * luck.decades(f"gap-{number}", 20 * MS, 1.5 * SECOND))
    tables["stock"]["units_per_sku"] = 1


def nothing_left(luck: Luck, tables: dict[str, Any]) -> None:
    """Too little on the shelf: money goes back; and sometimes a unit comes in after all."""
    tables["stock"]["units_per_sku"] = 1 if len(tables["workload"]["order"]) > 1 and luck.chance("one", 0.4) else 0
    if luck.chance("comes_in", 0.6):
        tables["stock"]["receipts"] = [{"at": luck.time("at", 2 * SECOND, 9 * SECOND), "sku": "sku-1", "units": 1}]
    if luck.chance("fails", 0.3):
        tables["workload"]["order"][0]["card"] = "refund_fails"


def busy_jobs(luck: Luck, tables: dict[str, Any]) -> None:
    """Jobs that run many times in the life of an order, and ways that take long beside them."""
    for job in ("inbound", "outbound"):
        tables["jobs"][job]["every"] = luck.time(job, 150 * MS, 800 * MS)
    tables["place"][0]["workers"] = luck.whole("workers", 2, 3)


def spread_out(luck: Luck, tables: dict[str, Any], most_us: float = 12 * SECOND) -> None:
    """Two or three customers, some before and some after whatever happens to the shop."""
    orders = tables["workload"]["order"]
    for number in range(len(orders), luck.whole("how_many", 2, 3)):
        orders.append({**orders[0], "number": number, "card": "good"})
    for number, order in enumerate(orders):
        order["at"] = duration(luck.decades(f"at-{number}", 300 * MS, most_us))
    orders.sort(key=lambda order: parse_duration(order["at"]))


def shelves_to_rebuild(luck: Luck, tables: dict[str, Any]) -> None:
    """The last units, posts that are soon on their way or wait, and a rebuild that begins at once."""
    spread_out(luck, tables)
    tables["stock"]["units_per_sku"] = luck.pick("units", (1, 1, 1, 2))
    tables["service"]["record"]["latency"] = constant(luck.decades("record", 50 * MS, 2 * SECOND))
    for job, low_us, high_us in (("rebuild", 300 * MS, 2 * SECOND), ("outbound", 500 * MS, 8 * SECOND)):
        tables["jobs"][job]["every"] = luck.time(job, low_us, high_us)


def many_snapshots(luck: Luck, tables: dict[str, Any]) -> None:
    """Pages that are read often, and one beside the other; goods that come in and are counted anew."""
    spread_out(luck, tables)
    jobs = tables["jobs"]
    for job in ("inbound", "outbound"):
        jobs[job]["every"] = luck.time(job, 300 * MS, 1.5 * SECOND)
    if luck.chance("one_beside_the_other", 0.5):
        jobs["inbound"]["doubles"] = 0.3
    skus = tables["stock"]["skus"] = max(tables["stock"]["skus"], luck.whole("skus", 1, 2))
    if skus == 2 and luck.chance("pages", 0.7):
        jobs["inbound"]["batch"] = 1
    tables["service"]["record"]["latency"] = constant(luck.decades("record", 50 * MS, 2 * SECOND))
    for key, units in (("receipts", 1), ("corrections", -1)):
        if luck.chance(key, 0.5):
            sku = f"sku-{luck.whole(f'{key}/sku', 1, skus)}"
            tables["stock"][key] = [{"at": luck.time(f"{key}/at", SECOND, 9 * SECOND), "sku": sku, "units": units}]


def few_snapshots(luck: Luck, tables: dict[str, Any]) -> None:
    """Goods come in, and are sold and posted before anybody reads of them; two more customers come later."""
    many_snapshots(luck, tables)
    orders = tables["workload"]["order"]
    while len(orders) < 3:
        orders.append({**orders[0], "number": len(orders), "card": "good"})
    for number, order in enumerate(orders):
        early, late = (300 * MS, 1.5 * SECOND) if number == 0 else (4 * SECOND, 12 * SECOND)
        order["at"] = duration(luck.decades(f"comes-{number}", early, late))
    orders.sort(key=lambda order: parse_duration(order["at"]))
    tables["stock"]["units_per_sku"] = 1
    tables["stock"]["receipts"] = [{"at": luck.time("in", 200 * MS, 2 * SECOND), "sku": "sku-1", "units": 1}]
    tables["service"]["payment"]["latency"] = constant(luck.decades("pays", 50 * MS, SECOND))
    tables["service"]["record"]["latency"] = constant(luck.decades("books", 50 * MS, 500 * MS))
    tables["jobs"]["outbound"]["every"] = luck.time("soon", 300 * MS, 1.2 * SECOND)
    tables["jobs"]["inbound"]["every"] = luck.time("slowly", 1.5 * SECOND, 6 * SECOND)


def late_reader(luck: Luck, tables: dict[str, Any]) -> None:
    """As before, and nobody reads at all until the first sale has been posted."""
    few_snapshots(luck, tables)
    tables["stock"]["receipts"][0]["at"] = luck.time("at once", 50 * MS, 600 * MS)
    tables["workload"]["order"][0]["at"] = luck.time("then", 700 * MS, 2 * SECOND)
    tables["jobs"]["inbound"]["every"] = luck.time("late", 3.5 * SECOND, 7 * SECOND)


def come(luck: Luck, tables: dict[str, Any], when: Sequence[tuple[float, float]]) -> None:
    """A customer in each span of time, all for one product."""
    like = {**tables["workload"]["order"][0], "wants": {"sku-1": 1}}
    tables["workload"]["order"] = orders = [
        {**like, "number": number, "card": "good", "at": duration(luck.decades(f"comes-{number}", early, late))}
        for number, (early, late) in enumerate(when)
    ]
    orders.sort(key=lambda order: parse_duration(order["at"]))


def asleep_at_the_loss(luck: Luck, tables: dict[str, Any]) -> None:
    """The last unit is on its way to a customer when the shelves are lost; the next one comes to a rebuilt shop."""
    shelves_to_rebuild(luck, tables)
    come(luck, tables, ((200 * MS, 1.5 * SECOND), (4 * SECOND, 14 * SECOND)))
    tables["stock"]["units_per_sku"] = 1
    tables["service"]["payment"]["latency"] = constant(luck.decades("pays", 50 * MS, SECOND))
    tables["jobs"]["rebuild"]["every"] = luck.time("rebuild", 200 * MS, 1.5 * SECOND)


def lost_in_its_sleep(luck: Luck, tables: dict[str, Any]) -> None:
    """As before, and the next one comes before whoever slept through the loss wakes."""
    asleep_at_the_loss(luck, tables)
    come(luck, tables, ((200 * MS, SECOND), (3 * SECOND, 8 * SECOND)))
    tables["service"]["payment"]["latency"] = constant(luck.decades("quickly", 50 * MS, 300 * MS))
    tables["service"]["record"]["latency"] = constant(luck.decades("reads", 20 * MS, 300 * MS))


def lost_after_a_post(luck: Luck, tables: dict[str, Any]) -> None:
    """As before, but the unit is sold and posted by then, and only a copy of the record can be read."""
    asleep_at_the_loss(luck, tables)
    tables["jobs"]["outbound"]["every"] = luck.time("outbound", 200 * MS, SECOND)
    tables["service"]["record"]["latency"] = constant(luck.decades("record", 20 * MS, 300 * MS))


def overtaken(luck: Luck, tables: dict[str, Any]) -> None:
    """Who reserved first is posted last, and a third customer comes in between."""
    come(luck, tables, ((300 * MS, 1.5 * SECOND), (300 * MS, 1.5 * SECOND), (2.5 * SECOND, 9 * SECOND)))
    tables["stock"]["units_per_sku"] = 2
    tables["place"][0]["workers"] = luck.whole("workers", 2, 3)
    tables["service"]["payment"]["latency"] = constant(luck.decades("pays", 50 * MS, SECOND))
    tables["service"]["record"]["latency"] = constant(luck.decades("record", 20 * MS, 500 * MS))
    for job in ("inbound", "outbound"):
        tables["jobs"][job]["every"] = luck.time(job, 200 * MS, 1.2 * SECOND)


def late_money(luck: Luck, tables: dict[str, Any]) -> None:
    """The shop reserves first, and the payment outlasts the reservation; somebody else would take the unit."""
    come(luck, tables, ((300 * MS, 1.5 * SECOND), (SECOND, 14 * SECOND)))
    tables["stock"]["units_per_sku"] = 1
    tables["policy"] |= {
        "order": luck.pick("order", ("reserve_first", "reserve_first", "authorise_reserve_capture")),
        "reservation_ttl": luck.time("ttl", 300 * MS, 2 * SECOND), "extends": luck.chance("extends", 0.7),
    }  # fmt: skip
    tables["service"]["payment"]["latency"] = constant(luck.decades("pays", 300 * MS, 3.5 * SECOND))


def refunds_fail(luck: Luck, tables: dict[str, Any]) -> None:
    """Nothing is left, refunds fail after they were believed, and calls tell of it: late, twice, or never."""
    nothing_left(luck, tables)
    tables["stock"]["units_per_sku"] = 0
    tables["workload"]["order"][0]["card"] = luck.pick("card", ("refund_fails", "refund_fails", "good"))
    payment, policy = tables["service"]["payment"], tables["policy"]
    payment |= {
        "latency": constant(luck.decades("pays", 50 * MS, SECOND)),
        "refund_delay": constant(luck.pick("delays", (0.0, luck.decades("refund_delay", 200 * MS, 5 * SECOND)))),
        "refund_fails_after": constant(luck.decades("refund_fails_after", 500 * MS, 8 * SECOND)),
    }  # fmt: skip
    if luck.chance("calls", 0.7):
        payment["webhooks"] = {
            "delay": constant(luck.decades("call", 100 * MS, 6 * SECOND)),
            "lost": luck.pick("lost", (0.0, 0.0, 0.5)), "twice": luck.pick("twice", (0.0, 1.0)),
        }  # fmt: skip
    policy["settle_after"] = luck.time("settle_after", 500 * MS, 4 * SECOND)
    policy["idle"] = luck.time("idle", SECOND, 2 * SECOND)
    tables["jobs"]["settlement"]["every"] = luck.time("settlement", 500 * MS, 3 * SECOND)


def refunds_fail_at_once(luck: Luck, tables: dict[str, Any]) -> None:
    """As before, but the ledger says so before whoever asked for the refund has looked again."""
    refunds_fail(luck, tables)
    tables["workload"]["order"][0]["card"] = "refund_fails"
    tables["service"]["payment"]["refund_delay"] = constant(0.0)
    tables["service"]["payment"]["refund_fails_after"] = constant(luck.decades("at_once", 50 * MS, SECOND))
    tables["policy"]["idle"] = luck.time("later", 2 * SECOND, 5 * SECOND)
    tables["jobs"]["settlement"]["every"] = luck.time("soon", 300 * MS, 1.2 * SECOND)


def apart(luck: Luck, tables: dict[str, Any], rivals: float = 0.7) -> None:
    """Two or three places, and slow word between them; one may be head office, where no personal data may be. There are
    often rivals, who come at the same time."""
    names = PLACES[: luck.whole("places", 2, 3)]
    tables["place"] = [{"name": name, "workers": luck.whole(name, 1, 2)} for name in names]
    impatient_us = min(parse_duration(patience["timeout"]) for patience in tables["policy"]["patience"].values())
    farthest_us = min(600 * MS, impatient_us / 4)  # there and back is less than anybody waits
    tables["link"] = [
        {"between": [one, other], "latency": constant(luck.decades(f"{one}-{other}", 20 * MS, farthest_us))}
        for number, one in enumerate(names)
        for other in names[number + 1 :]
    ]
    if luck.chance("rivals", rivals):
        at_us = luck.decades("rivals/at", 200 * MS, 3 * SECOND)
        spread_us = luck.pick("rivals/spread", (300 * MS, 1.5 * SECOND, 4 * SECOND))  # who is far away comes later
        come(luck, tables, [(at_us, at_us + spread_us)] * luck.whole("rivals/many", 2, 3))
        tables["stock"]["units_per_sku"] = luck.whole("units", 1, 2)
    for number, order in enumerate(tables["workload"]["order"]):
        order["place"] = names[(number + luck.whole("lives", 0, 2)) % len(names)]
    if luck.chance("laws", 0.3):
        far = names[-1]
        for place in tables["place"]:
            place["jurisdiction"] = "us" if place["name"] == far else "eu"
        tables["place"][-1] |= {"weight": 0.0, "workers": 0}
        for order in tables["workload"]["order"]:
            order["place"] = names[0]
        tables["residency"] = {"personal": ["eu"], "refuses": luck.chance("refuses", 0.5)}
        tables["service"]["record"]["place"] = far


def both_far(luck: Luck, tables: dict[str, Any]) -> None:
    """Two rivals for one unit, served in two places, neither of which has the orders."""
    apart(luck, tables, rivals=0.0)
    tables.pop("residency", None)
    tables["service"]["record"].pop("place", None)
    tables["place"] = [{"name": name, "workers": workers} for name, workers in zip(PLACES, (0, 1, 1), strict=True)]
    tables["link"] = [
        {"between": list(pair), "latency": constant(luck.decades("-".join(pair), 20 * MS, 120 * MS))}
        for pair in combinations(PLACES, 2)
    ]
    at_us = luck.decades("rivals/at", 200 * MS, 2 * SECOND)
    come(luck, tables, [(at_us, at_us + 500 * MS)] * 2)
    for order, place in zip(tables["workload"]["order"], PLACES[1:], strict=True):
        order["place"] = place
    tables["stock"]["units_per_sku"] = 1
    tables["service"]["payment"]["latency"] = constant(luck.decades("pays", 50 * MS, SECOND))


def refusals(luck: Luck, tables: dict[str, Any]) -> None:
    """A stock-take finds fewer than were sold, and the record books nothing below zero; what was refused, and a unit
    that comes in, are there when somebody else comes."""
    stock, jobs = tables["stock"], tables["jobs"]
    tables["service"]["record"] |= {
        "below_zero": "reject",
        "latency": constant(luck.decades("record", 20 * MS, SECOND)),
    }
    stock["units_per_sku"] = units = luck.pick("units", (1, 2, 2, 3))
    early = luck.whole("early", 1, min(units, 2))
    come(luck, tables, [(300 * MS, 1.5 * SECOND)] * early + [(5 * SECOND, 14 * SECOND)])
    stock["corrections"] = [
        {"at": luck.time("at", 300 * MS, 3 * SECOND), "sku": "sku-1", "units": -luck.whole("gone", 1, min(units, 2))}
    ]
    if luck.chance("comes_in", 0.6):
        stock["receipts"] = [{"at": luck.time("in", 4 * SECOND, 8 * SECOND), "sku": "sku-1", "units": 1}]
    jobs["outbound"]["every"] = luck.time("outbound", 1.5 * SECOND, 4 * SECOND)
    jobs["inbound"]["every"] = luck.time("inbound", 300 * MS, 2 * SECOND)


def missing_goods(luck: Luck, tables: dict[str, Any]) -> None:
    """A unit is sold; then a stock-take finds that others are not there, one comes in, and somebody else wants it."""
    stock, jobs = tables["stock"], tables["jobs"]
    stock["units_per_sku"] = units = luck.pick("units", (1, 2, 3, 3, 4))
    come(luck, tables, [(300 * MS, 1.5 * SECOND), (9 * SECOND, 16 * SECOND)])
    stock["corrections"] = [{"at": luck.time("at", 3 * SECOND, 6 * SECOND), "sku": "sku-1", "units": -units}]
    stock["receipts"] = [{"at": luck.time("in", 6 * SECOND, 9 * SECOND), "sku": "sku-1", "units": 1}]
    for job in ("inbound", "outbound"):
        jobs[job]["every"] = luck.time(job, 300 * MS, 2 * SECOND)


def second_thoughts(luck: Luck, tables: dict[str, Any]) -> None:
    """Everybody cancels, sooner or later than the shop decides, and somebody else would take the unit."""
    spread_out(luck, tables, 4 * SECOND)
    for number, order in enumerate(tables["workload"]["order"]):
        if number == 0 or luck.chance(f"cancels-{number}", 0.5):
            order["cancels_after"] = luck.time(f"after-{number}", 20 * MS, 4 * SECOND)
    tables["stock"]["units_per_sku"] = 1


def second_holds(luck: Luck, tables: dict[str, Any]) -> None:
    """Holds that lapse, are extended, and are made anew, while copies of old asks are on their way."""
    short_leases(luck, tables)
    tables["policy"]["extends"] = luck.chance("extends", 0.7)
    tables["policy"]["reservation_ttl"] = luck.time("ttl", 300 * MS, 4 * SECOND)
    tables["service"]["stock"]["latency"] = constant(
        luck.decades("stock", 20 * MS, 400 * MS)
    )  # below anybody's patience


def old_asks(luck: Luck, tables: dict[str, Any]) -> None:
    """One customer, who thinks better of it, and holds that are made anew, while old asks are on their way: a hold has
    lapsed before anybody asks a second time."""
    come(luck, tables, [(300 * MS, SECOND)])
    tables["workload"]["order"][0]["cancels_after"] = luck.time("cancels", 500 * MS, 5 * SECOND)
    tables["stock"]["units_per_sku"] = luck.whole("units", 1, 2)
    ttl_us = luck.decades("ttl", 300 * MS, 1.2 * SECOND)
    tables["policy"] |= {"reservation_ttl": duration(ttl_us), "extends": False}
    patience = tables["policy"]["patience"]
    patience["stock"] = patience["stock"] | {"timeout": duration(ttl_us + 50 * MS)}
    tables["service"]["payment"]["latency"] = constant(luck.decades("pays", 50 * MS, 500 * MS))
    tables["service"]["stock"]["latency"] = constant(luck.decades("stock", 20 * MS, 100 * MS))


def pages(luck: Luck, tables: dict[str, Any]) -> None:
    """Two products come in, one of them sometimes twice, and are read page by page, each of which takes its time."""
    many_snapshots(luck, tables)
    at_us = luck.decades("together", 1.5 * SECOND, 2.5 * SECOND)
    comes_in = ("sku-1", "sku-2", "sku-1")[: luck.pick("deliveries", (2, 3, 3))]
    tables["stock"] |= {"skus": 2, "receipts": []}
    for number, sku in enumerate(comes_in):
        tables["stock"]["receipts"].append({"at": duration(at_us), "sku": sku, "units": 1})
        at_us += luck.decades(f"gap-{number}", 50 * MS, 1.5 * SECOND)
    tables["jobs"]["inbound"] |= {"batch": 1, "every": luck.time("reads", 1.5 * SECOND, 4 * SECOND)}
    tables["service"]["record"]["latency"] = constant(luck.decades("turns", 400 * MS, 1.5 * SECOND))


LIFE_US: Final = 4 * SECOND
"""How long a message may live where memories are short."""
LATEST_US: Final = 3.97 * SECOND
"""By so much an ask may be late there."""


def short_memories(luck: Luck, tables: dict[str, Any]) -> None:
    """A provider that forgets keys as soon as it may, and workers that give up early."""
    deadline_us = 2 * SECOND
    horizon_us = luck.decades("horizon", deadline_us, 4 * SECOND)
    tables["policy"] |= {
        "message_life": duration(LIFE_US), "send_horizon": duration(horizon_us),
        "worker_deadline": duration(deadline_us), "lease": "2500 ms", "idle": "1 s",
    }  # fmt: skip
    patience = tables["policy"]["patience"]
    patience["payment"] = patience["payment"] | {"timeout": luck.time("timeout", 400 * MS, 900 * MS), "attempts": 3}
    tables["jobs"]["recovery"]["every"] = "500 ms"
    kept_us = LIFE_US + horizon_us + deadline_us + luck.decades("room", 20 * MS, 300 * MS)
    tables["service"]["payment"] |= {
        "key_retention": f"{1 + round(kept_us / MS)} ms", "latency": constant(luck.decades("pay", 20 * MS, 200 * MS)),
    }  # fmt: skip
    if luck.chance("nothing_left", 0.4):
        nothing_left(luck, tables)


def given_up(luck: Luck, tables: dict[str, Any]) -> None:
    """Workers are killed early, and a few deliveries are all that an order gets before it is a dead letter."""
    tables["policy"] |= {
        "max_deliveries": luck.whole("deliveries", 1, 3), "worker_deadline": "2 s", "lease": "2500 ms", "idle": "1 s",
    }  # fmt: skip
    for service, patience in tables["policy"]["patience"].items():
        us = luck.decades(service, 300 * MS, SECOND)
        tables["policy"]["patience"][service] = patience | {"timeout": duration(us), "attempts": 2}
    tables["service"]["payment"]["latency"] = constant(luck.decades("pays", 20 * MS, 200 * MS))
    tables["service"]["record"]["latency"] = constant(luck.decades("books", 20 * MS, 200 * MS))


def early_customers(luck: Luck, tables: dict[str, Any]) -> None:
    """All is sold and paid in the first moments, and there is a long day left for the books."""
    for number, order in enumerate(tables["workload"]["order"]):
        order["at"] = duration(
            luck.decades("first", 100 * MS, 500 * MS) + number * luck.decades("gap", 20 * MS, SECOND)
        )
        order["card"] = "good"
    tables["stock"]["units_per_sku"] = luck.whole("units", 1, 3)
    tables["service"]["payment"]["latency"] = constant(luck.decades("pays", 50 * MS, 500 * MS))
    tables["service"]["record"]["latency"] = constant(luck.decades("books", 20 * MS, 500 * MS))


def read_once(luck: Luck, tables: dict[str, Any]) -> None:
    """As `pages`, but nobody reads at all until all has come in, one product twice; see `copy_lags_at_the_second`."""
    pages(luck, tables)
    at_us = luck.decades("begins", 500 * MS, 1.5 * SECOND)
    tables["stock"]["receipts"] = receipts = []
    for number, sku in enumerate(("sku-1", "sku-2", "sku-1")):
        receipts.append({"at": duration(at_us), "sku": sku, "units": 1})
        at_us += luck.decades(f"then-{number}", 100 * MS, 700 * MS)
    tables["jobs"]["inbound"] |= {"every": duration(FIRST_READ_US), "phase": "0 s", "doubles": 0.0}
    tables["service"]["record"]["latency"] = constant(luck.decades("slowly", 500 * MS, 1.5 * SECOND))


FIRST_READ_US: Final = 3 * SECOND
