"""The customers and the shelves of a drawn scenario."""

from __future__ import annotations

from typing import Any

from orderquake.sim.explore.swarm_luck import Luck, duration, three_digits
from orderquake.sim.units import MINUTE, SECOND

KINDS = ("poisson", "bursts", "profile", "renewal", "flash_sale", "rounds", "closed")
"""All but the trace, which brings more orders than a small run can bear."""


def drawn_workload(luck: Luck, orders: int, horizon_us: int, skus: int) -> dict[str, Any]:
    """About so many orders before the horizon."""
    kind = luck.pick("kind", KINDS)
    table: dict[str, Any] = {"kind": kind} | _manners(luck.under("manners"))
    if kind == "rounds":
        rounds = min(skus, max(1, orders // 4))
        every_us = horizon_us / rounds * 0.8
        table |= {"rounds": rounds, "buyers": max(2, round(orders / rounds)), "every": duration(every_us)}
        return table | {"within": luck.time("within", min(SECOND, every_us / 4), every_us / 2)}
    rate = three_digits(orders / (horizon_us / SECOND))
    table |= _shopping(luck.under("shopping"), skus)
    if kind == "poisson":
        table |= {"rate_per_s": rate}
    elif kind == "bursts":
        table |= {"rate_per_s": rate, "size": luck.real("size", 1.5, max(2.0, orders / 8))}
        table |= {"within": luck.time("within", SECOND, 30 * SECOND)}
    elif kind == "profile":
        parts = luck.whole("parts", 2, 4)
        shares = [luck.real(f"part-{part}", 0.1, 3.0) for part in range(parts)]
        rates = [three_digits(rate * share * parts / sum(shares)) for share in shares]
        since = ["0 s", *(duration(horizon_us * part / parts) for part in range(1, parts))]
        table |= {"steps": [{"from": at, "rate_per_s": rate} for at, rate in zip(since, rates, strict=True)]}
    elif kind == "renewal":
        table |= {"gap": luck.law("gap", 0.7 * horizon_us / orders, 1.3 * horizon_us / orders, horizon_us)}
    elif kind == "flash_sale":
        over_us = luck.decades("over", min(5 * SECOND, horizon_us / 4), 0.8 * horizon_us)
        table |= {"orders": orders, "over": duration(over_us), "shape": luck.pick("shape", ("decaying", "uniform"))}
        table |= {"starts": luck.time("starts", SECOND, 0.15 * horizon_us)}
    else:
        customers = luck.count("customers", 2, max(3, orders // 3))
        think_us = horizon_us * customers / orders
        table |= {"customers": customers, "think": {"kind": "exponential", "mean": duration(think_us)}}
        table |= {"gives_up": luck.time("gives_up", 10 * SECOND, 2 * MINUTE)}
    return table


def _manners(luck: Luck) -> dict[str, Any]:
    """How customers misbehave; each of them only in some runs."""
    table: dict[str, Any] = {
        what: luck.decades(f"{what}/share", 0.01, most)
        for what, most in (("clicks_twice", 0.5), ("cancels", 0.5), ("walks_away", 0.4))
        if luck.chance(what, 0.4)
    }
    if luck.chance("cancels_after", 0.5):
        table["cancels_after"] = luck.law("after", 0.2 * SECOND, MINUTE, 10 * MINUTE)
    if luck.chance("retries", 0.5):
        table["retries"] = {
            "after": luck.time("again", 2 * SECOND, 30 * SECOND),
            "at_most": luck.whole("at_most", 0, 5),
        }
    return table


def _shopping(luck: Luck, skus: int) -> dict[str, Any]:
    popularity: dict[str, Any] = {"kind": "uniform"}
    if luck.chance("zipf", 0.5):
        popularity = {"kind": "zipf", "exponent": luck.real("exponent", 0.3, 2.0)}
    elif skus > 1 and luck.chance("hot", 0.6):
        hot = luck.whole("hot_skus", 1, max(1, skus // 4))
        popularity = {"kind": "hot", "share": luck.real("hot_share", 0.3, 0.95), "skus": min(hot, skus - 1)}
    lines: dict[str, Any] = {"kind": "fixed", "value": luck.whole("lines", 1, min(4, skus))}
    if skus > 4 and luck.chance("lines_vary", 0.5):
        lines = {"kind": "geometric", "mean": luck.real("lines_mean", 1.0, 4.0)}
    units: dict[str, Any] = {"kind": "fixed", "value": luck.whole("units", 1, 3)}
    if luck.chance("units_vary", 0.5):
        units = {"kind": "geometric", "mean": luck.real("units_mean", 1.0, 3.0)}
    return {"popularity": popularity, "basket": {"lines": lines, "units": units}}


def drawn_stock(luck: Luck, orders: int, horizon_us: int, skus: int, workload: dict[str, Any]) -> dict[str, Any]:
    """Shelves from nearly empty to more than anybody wants."""
    basket = workload.get("basket", {})
    wanted = orders / skus
    for part in ("lines", "units"):
        wanted *= basket.get(part, {}).get("value") or basket.get(part, {}).get("mean") or 1
    table: dict[str, Any] = {"skus": skus, "units_per_sku": round(wanted * luck.decades("cover", 0.1, 3.0))}
    if luck.chance("has_safety_stock", 0.25):
        table["safety_stock"] = luck.whole("safety_stock", 1, 4)
    if luck.chance("is_shared", 0.15):
        sales = luck.count("foreign", 2, 40)
        per_s = three_digits(sales / skus / (horizon_us / SECOND))
        table |= {"pool": "shared", "foreign_sales": {"per_s": per_s, "units": luck.whole("foreign_units", 1, 3)}}
    width = len(str(skus))

    def event(what: str, number: int, units: int) -> dict[str, Any]:
        here = luck.under(f"{what}-{number}")
        sku = f"sku-{here.whole('sku', 1, skus):0{width}d}"
        return {"at": here.time("at", SECOND, 0.95 * horizon_us), "sku": sku, "units": units}

    if luck.chance("has_receipts", 0.3):
        most = range(luck.whole("receipts", 1, 3))
        table["receipts"] = [event("receipt", n, luck.whole(f"receipt-{n}/units", 1, 20)) for n in most]
    if luck.chance("has_corrections", 0.3):
        most = range(luck.whole("corrections", 1, 3))
        signs = [-1 if luck.chance(f"correction-{n}/is_loss", 0.5) else 1 for n in most]
        table["corrections"] = [
            event("correction", n, signs[n] * luck.whole(f"correction-{n}/units", 1, 5)) for n in most
        ]
    return table
