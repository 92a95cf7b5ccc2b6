"""Places, services, the policy and the jobs of a drawn scenario.

Times are shorter than a shop's and keep their order: send horizon + worker deadline + message life < key retention, the
lease outlasts the worker, and nothing is ever later than a message may live.
"""

from __future__ import annotations

from typing import Any

from orderquake.sim.explore.swarm_luck import Luck, duration
from orderquake.sim.units import MINUTE, MS, SECOND

LATENCIES: dict[str, tuple[float, float, float]] = {
    "order_cache": (0.2 * MS, 20 * MS, 5 * SECOND),
    "stock": (0.2 * MS, 20 * MS, 5 * SECOND),
    "payment": (50 * MS, 2 * SECOND, 30 * SECOND),
    "record": (20 * MS, 3 * SECOND, 30 * SECOND),
    "notice": (5 * MS, 200 * MS, 10 * SECOND),
    "queue": (0.2 * MS, 20 * MS, 5 * SECOND),
}
"""Service -> the middle of its latency, at least and at most, and the longest that there is, microseconds."""


def drawn_places(luck: Luck) -> dict[str, Any]:
    """One place or two, and what lies between."""
    names = ["here", "there"][: luck.whole("how_many", 1, 2)]
    table: dict[str, Any] = {"place": [_place(luck.under(name), name) for name in names]}
    if len(names) == 2:
        table["link"] = [{"between": names, "latency": luck.law("link", 5 * MS, 150 * MS, 5 * SECOND)}]
    if luck.chance("has_local_latency", 0.5):
        table = {"local_latency": luck.law("local", 0.1 * MS, 5 * MS, SECOND)} | table
    return table


def _place(luck: Luck, name: str) -> dict[str, Any]:
    table: dict[str, Any] = {"name": name, "workers": luck.count("workers", 2, 16)}
    if luck.chance("weighs", 0.5):
        table["weight"] = luck.decades("weight", 0.2, 5.0)
    if luck.chance("has_front_bound", 0.25):
        table["front_bound"] = luck.count("front_bound", 4, 40)
    if luck.chance("is_cold", 0.3):
        table["cold_start"] = luck.law("cold", 50 * MS, 3 * SECOND, 20 * SECOND)
        table |= {
            "keep_warm": luck.time("warm", 5 * SECOND, 5 * MINUTE),
            "starts_cold": luck.chance("starts_cold", 0.5),
        }
    return table


def drawn_services(luck: Luck, places: list[str], retention_us: float) -> dict[str, Any]:
    """All services, each with latencies, hands and throttles of its own."""
    tables = {name: _service(luck.under(name), name, places) for name in LATENCIES}
    tables["payment"] |= _payment(luck.under("payment/moods")) | {"key_retention": duration(retention_us)}
    if luck.chance("record/rejects", 0.06):  # rarely: what is refused for good is never at rest, and takes all the time
        tables["record"]["below_zero"] = "reject"
    if luck.chance("queue/has_line_bound", 0.2):
        tables["queue"]["line_bound"] = luck.count("queue/line_bound", 8, 64)
    return tables


def _service(luck: Luck, name: str, places: list[str]) -> dict[str, Any]:
    low_us, high_us, most_us = LATENCIES[name]
    latency = luck.law("latency", low_us, high_us, most_us)
    table: dict[str, Any] = {"latency": latency}
    if luck.chance("has_rhythm", 0.15):
        table["latency"] = _spells(luck.under("rhythm"), latency)
    if luck.chance("is_elsewhere", 0.3):
        table["place"] = luck.pick("place", places)
    if luck.chance("has_capacity", 0.9 if name == "record" else 0.25):
        # Hands for at least one ask a second, whatever the latency.
        table["capacity"] = luck.count("capacity", 2 + round(4 * high_us / SECOND), 24)
        if luck.chance("has_queue_bound", 0.3):
            table["queue_bound"] = luck.count("queue_bound", 5, 60)
        if luck.chance("has_queue_patience", 0.2):
            table["queue_patience"] = luck.law("queue_patience", 100 * MS, 5 * SECOND, 30 * SECOND)
    if luck.chance("has_throttle", 0.6 if name == "payment" else 0.1):
        table["throttle"] = _throttle(luck.under("throttle"), 4 if name == "payment" else 15)
    elif name == "payment":
        table["throttle"] = {"per_s": 1000.0, "burst": 1000}
    if luck.chance("has_account_throttle", 0.2):
        of_all = _throttle(luck.under("account"), 25)
        if table.get("throttle", {"kind": "shaper"}).get("kind", "policer") == "policer":
            of_all = {key: value for key, value in of_all.items() if key != "queue_bound"} | {"kind": "policer"}
        table["account_throttle"] = of_all
    return table


def _spells(luck: Luck, latency: dict[str, Any]) -> dict[str, Any]:
    """Now and then all is slow for everybody."""
    every = {"kind": "exponential", "mean": luck.time("every", 20 * SECOND, 3 * MINUTE)}
    lasts = {"kind": "exponential", "mean": luck.time("lasts", SECOND, 15 * SECOND)}
    return {"kind": "spells", "of": latency, "factor": luck.real("factor", 2.0, 8.0), "every": every, "lasts": lasts}


def _throttle(luck: Luck, low: float) -> dict[str, Any]:
    kind = luck.pick("kind", ("policer", "shaper"))
    table: dict[str, Any] = {
        "per_s": luck.decades("per_s", low, 10 * low),
        "burst": luck.count("burst", 5, 30),
        "kind": kind,
    }
    if kind == "shaper" and luck.chance("has_bound", 0.5):
        table["queue_bound"] = luck.count("bound", 5, 50)
    return table


def _payment(luck: Luck) -> dict[str, Any]:
    """The provider's moods, each of them only in some runs."""
    table: dict[str, Any] = {
        mood: luck.decades(f"{mood}/share", 0.01, most)
        for mood, most in (("declines", 0.4), ("errors", 0.3), ("stored_errors", 0.3), ("refund_failures", 0.3))
        if luck.chance(mood, 0.35)
    }
    if luck.chance("refund_delay", 0.3):
        table["refund_delay"] = luck.law("delay", SECOND, MINUTE, 5 * MINUTE)
    table["refund_fails_after"] = luck.law("fails_after", 5 * SECOND, 3 * MINUTE, 10 * MINUTE)
    table["refund_cap"] = luck.chance("refund_cap", 0.2)
    if luck.chance("webhooks", 0.4):
        hooks: dict[str, Any] = {"delay": luck.law("hook", 50 * MS, 20 * SECOND, 2 * MINUTE)}
        hooks |= {
            what: luck.decades(what, 0.02, 0.6) for what in ("lost", "twice") if luck.chance(f"{what}/is_on", 0.5)
        }
        table["webhooks"] = hooks
    return table


def may_refuse(service: dict[str, Any]) -> bool:
    """Does it turn asks away that come too many at a time?"""
    doors = (service, *(service[key] for key in ("throttle", "account_throttle") if key in service))
    return any({"queue_bound", "queue_patience", "line_bound"} & door.keys() for door in doors) or any(
        door.get("kind", "policer") == "policer" for door in doors[1:]
    )


def drawn_policy(luck: Luck, retention_us: float, services: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The order of steps, and the protocol's numbers."""
    deadline_us = luck.decades("worker_deadline", 10 * SECOND, 40 * SECOND)
    patience = {
        name: _patience(luck.under(f"patience/{name}"), name, may_refuse(tables)) for name, tables in services.items()
    }
    return {
        "order": luck.pick("order", ("pay_first", "reserve_first", "authorise_reserve_capture")),
        "reservation_ttl": luck.time("ttl", 10 * SECOND, 15 * MINUTE),
        "extends": luck.chance("extends", 0.3),
        "expiry": "sweep" if luck.chance("sweeps", 0.3) else "on_look",
        "decide_within": luck.time("decide_within", 30 * SECOND, 30 * MINUTE),
        "send_horizon": duration(max(deadline_us, retention_us * luck.decades("send_horizon", 0.02, 0.5))),
        "message_life": duration(retention_us * luck.real("message_life", 0.25, 0.4)),
        "worker_deadline": duration(deadline_us),
        "lease": duration(deadline_us * luck.real("lease", 1.1, 2.0) + SECOND),
        "idle": luck.time("idle", 5 * SECOND, MINUTE),
        "settle_after": luck.time("settle_after", 5 * SECOND, 5 * MINUTE),
        "max_deliveries": luck.whole("max_deliveries", 2, 10),
        "patience": patience,
    }


def _patience(luck: Luck, name: str, is_refused: bool) -> dict[str, Any]:
    """Long enough for a usual answer; and where one may be refused, to ask again some time later.

    Who does not is refused for ever by a door that lets in fewer than recovery sends: it puts all in line at a time.
    """
    usual_us = 3 * LATENCIES[name][1]
    return {
        "timeout": duration(max(usual_us, luck.decades("timeout", 500 * MS, 10 * SECOND))),
        "attempts": luck.whole("attempts", 4 if is_refused else 1, 6),
        "base": luck.time("base", 300 * MS if is_refused else 20 * MS, 600 * MS),
        "cap": luck.time("cap", 2 * SECOND if is_refused else 600 * MS, 5 * SECOND),
    }


def drawn_jobs(luck: Luck) -> dict[str, Any]:
    """When each job runs, and how badly its clock keeps time."""
    periods = {
        "inbound": (5 * SECOND, 3 * MINUTE),
        "outbound": (5 * SECOND, 2 * MINUTE),
        "recovery": (5 * SECOND, MINUTE),
        "settlement": (15 * SECOND, 3 * MINUTE),
        "rebuild": (2 * SECOND, 20 * SECOND),
        "sweep": (5 * SECOND, MINUTE),
    }
    return {name: _job(luck.under(name), low, high) for name, (low, high) in periods.items()}


def _job(luck: Luck, low_us: float, high_us: float) -> dict[str, Any]:
    every_us = luck.decades("every", low_us, high_us)
    table: dict[str, Any] = {"every": duration(every_us)}
    if luck.chance("has_jitter", 0.6):
        table["jitter"] = duration(every_us * luck.real("jitter", 0.01, 0.6))
    if luck.chance("has_phase", 0.6):
        table["phase"] = duration(every_us * luck.real("phase", 0.01, 1.0))
    table |= {
        what: luck.decades(what, 0.02, 0.25) for what in ("skips", "doubles") if luck.chance(f"{what}/is_on", 0.25)
    }
    if luck.chance("has_batch", 0.4):
        table["batch"] = luck.count("batch", 1, 50)
    return table
