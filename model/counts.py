"""Counts: a cache that holds a number for each product, and can do no more than read it and write it.

Two who read the same number write what they have made of it, one over the other; nothing here tells them apart. That is
what a store without compare-and-set is, however consistent its reads are.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from orderquake.model.flow import Ask, Change, Instant, effect


class Counted(NamedTuple):
    """What the cache says is left."""

    units: int


class Stored(NamedTuple):
    """The cache says so from now on."""


@effect
class ReadCount(Ask[Counted]):
    """How many are left? What was never written counts as nothing."""

    service = "stock"
    verb = "get_count"
    order_id: str
    sku: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.sku


@effect
class WriteCount(Ask[Stored]):
    """So many are left, whatever it said before."""

    service = "stock"
    verb = "put_count"
    order_id: str
    sku: str
    units: int

    def about(self) -> tuple[str, str]:
        return self.order_id, self.sku


@effect
class CopyCount(Ask[Stored]):
    """The same, as the record said it: `version` and `as_of` are only for the history, the cache keeps the number."""

    service = "stock"
    verb = "copy_count"
    sku: str
    units: int
    version: int
    as_of: Instant

    def about(self) -> tuple[str, str]:
        return "", self.sku


class CountCache:
    """Last writer wins, at once and for everybody: linearizable, and still no help."""

    def __init__(self, opening: Mapping[str, int]) -> None:
        self.journal: list[Change] = []
        self.units = dict(opening)
        self.copied = dict(opening)  # what the record said last

    def atp(self, sku: str) -> int:
        """Units that it would sell."""
        return self.units.get(sku, 0)

    def handle(self, ask: Any, _now_us: int) -> Any:
        match ask:
            case ReadCount(_, sku):
                return Counted(self.atp(sku))
            case WriteCount(order_id, sku, units):
                self.journal.append(Change("count", order=order_id, sku=sku, units=units))
                self.units[sku] = units
                return Stored()
            case CopyCount(sku, units, version, as_of):
                change = units - self.copied.get(sku, 0)
                self.units[sku] = self.copied[sku] = units
                self.journal.append(
                    Change("rebase", sku=sku, units=change, debit="cache.available", credit="cache.base",
                           answer="applied", version=version, watermark=as_of)
                )  # fmt: skip
                return Stored()
        raise TypeError(f"a cache of counts does not know how to {type(ask).__name__}")

    def snapshot(self) -> Hashable:
        return tuple(self.units.items()), tuple(self.copied.items())

    def restore(self, snapshot: Any) -> None:
        units, copied = snapshot
        self.units, self.copied = dict(units), dict(copied)
        self.journal.clear()
