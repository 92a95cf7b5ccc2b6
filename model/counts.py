"""Counts: a cache that holds a number for each product, and can do no more than read it and write it.

Two who read the same number write what they have made of it, one over the other; nothing here tells them apart. That is
what a store without compare-and-set is, however consistent its reads are.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from orderquake.model.flow import Ask, Change, Instant, effect
from orderquake.model.in_kv import InKv
from orderquake.model.kv import Kv, One


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


class Counts(InKv):
    """A number under each product's name.

    copied   what the record said last, as far as it was said to this member
    """

    writes = frozenset({WriteCount.verb, CopyCount.verb})

    def __init__(self, opening: Mapping[str, int], kv: Kv | None = None) -> None:
        super().__init__(One(0, 1, opening) if kv is None else kv, opening)
        self.copied = dict(opening)

    def over(self, kv: Kv) -> Counts:
        return Counts(self.opening, kv)

    def atp(self, sku: str) -> int:
        """Units that it would sell."""
        units: int = self.kv.get(sku) or 0
        return units

    def keys(self, ask: Any) -> tuple[str, ...]:
        return (ask.sku,) if isinstance(ask, ReadCount) else ()

    def answer(self, ask: Any, now_us: int) -> Any:
        match ask:
            case ReadCount(_, sku):
                return Counted(self.atp(sku))
            case WriteCount(order_id, sku, units):
                self.journal.append(Change("count", order=order_id, sku=sku, units=units))
                self.kv.put(sku, units, now_us)
                return Stored()
            case CopyCount(sku, units, version, as_of):
                self.journal.append(
                    Change("rebase", sku=sku, units=units - self.copied.get(sku, 0), debit="cache.available",
                           credit="cache.base", answer="applied", version=version, watermark=as_of)
                )  # fmt: skip
                self.copied[sku] = units
                self.kv.put(sku, units, now_us)
                return Stored()
        raise TypeError(f"a cache of counts does not know how to {type(ask).__name__}")

    def snapshot(self) -> Hashable:
        return super().snapshot(), tuple(self.copied.items())

    def restore(self, snapshot: Any) -> None:
        kept, copied = snapshot
        super().restore(kept)
        self.copied = dict(copied)
