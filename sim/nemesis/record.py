"""Faults of the system of record and of the jobs that talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from orderquake.model.assumptions import Assumption
from orderquake.sim.demand import Trace
from orderquake.sim.nemesis.base import AtService, Fault, MayStay, Sudden
from orderquake.sim.nemesis.steps import all_steps, only
from orderquake.sim.scenario_errors import unknown
from orderquake.sim.units import Duration, Share, Signed, refused
from orderquake.sim.world.delays import Distribution, delay

if TYPE_CHECKING:
    from orderquake.sim.scenario import Scenario

Factor = Annotated[float, Field(strict=True, gt=1, allow_inf_nan=False)]


def unknown_product(sku: str | None, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """A trace brings products of its own, which are not looked up here."""
    if sku is not None and not isinstance(scenario.workload, Trace) and sku not in scenario.stock.sku_names():
        yield ("sku",), unknown(sku, scenario.stock.sku_names(), "product")


class Offline(AtService, MayStay):
    kind: Literal["offline"] = "offline"
    target: Literal["record"] = "record"

    does = "the record answers nobody; what it has booked stays"
    breaks = frozenset({Assumption.SERVICES_STAY_UP})
    heals = "at the end of its window; never where it says so"
    witness = "a fault row at each edge, and an ask in the window that ended in info"
    example = '[[fault]]\nkind = "offline"\nfrom = "5 min"\nfor = "10 min"\n'
    excludes = "outage"


class RecordSlow(AtService):
    """`factor` multiplies what the record takes; `operation` to slow only one of its verbs."""

    kind: Literal["record_slow"] = "record_slow"
    target: Literal["record"] = "record"
    operation: str | None = None
    factor: Factor = 10.0
    add: Distribution | None = None

    does = "the record takes longer than usual, as at a month's end"
    breaks = frozenset({Assumption.ANSWERS_IN_TIME})
    heals = "at the end of its window"
    witness = "a fault row at each edge, and an ask in the window that took longer"
    example = '[[fault]]\nkind = "record_slow"\nfactor = 10.0\nfrom = "5 min"\nfor = "10 min"\n'


class StaleReplica(AtService):
    """Changes are read from a copy of the record that is `lag` behind; posts still go to the record itself."""

    kind: Literal["stale_replica"] = "stale_replica"
    target: Literal["record"] = "record"
    lag: Duration = 120_000_000

    does = "changes are read from a replica that lags behind, so that an older snapshot is offered"
    breaks = frozenset({Assumption.READS_ARE_FRESH})
    heals = "at the end of its window, when reads go to the record again"
    witness = "a read of changes whose log ends before the record's own"
    spares = only(("read_changes",), "it is about the feed of changes")
    example = '[[fault]]\nkind = "stale_replica"\nlag = "2 min"\nfrom = "5 min"\nfor = "10 min"\n'

    @field_validator("lag")
    @classmethod
    def _behind(cls, value: int) -> int:
        if value == 0:
            raise refused('"0 s"; expected more than zero')
        return value


class OutOfOrderBatches(AtService):
    """A `share` of the pages that are offered to the Stock Cache comes `by` later than sent, after newer ones."""

    kind: Literal["out_of_order_batches"] = "out_of_order_batches"
    target: Literal["stock"] = "stock"
    share: Share = 0.5
    by: Distribution = delay(kind="exponential", mean="1 min")

    does = "pages of a snapshot are overtaken by others, and by those of the next refresh"
    breaks = frozenset({Assumption.PAGES_COME_IN_ORDER, Assumption.ANSWERS_IN_TIME})
    heals = "what was kept on the way comes; the next refresh reads again whatever was not applied"
    witness = "a refresh that is handled after one that was sent later"
    spares = only(("refresh",), "it is about pages of a snapshot")
    example = (
        '[[fault]]\nkind = "out_of_order_batches"\nshare = 0.5\nfrom = "5 min"\nfor = "10 min"\n'
        'by = { kind = "exponential", mean = "1 min" }\n'
    )


class StockTake(Sudden):
    """A stock-take finds `units` more of a product, or fewer; the most popular one where `sku` is absent."""

    kind: Literal["correction"] = "correction"
    target: Literal["record"] = "record"
    sku: str | None = None
    units: Signed

    does = "somebody counts the shelf, and corrects the record"
    breaks = frozenset({Assumption.ONLY_SALES_MOVE_STOCK})
    heals = "with the next refresh; units that were sold and are not there are a shortfall"
    witness = "a correction row of the record"
    spares = all_steps("it happens to goods on a shelf, and to no ask")
    example = '[[fault]]\nkind = "correction"\nunits = -5\nat = "10 min"\n'

    @field_validator("units")
    @classmethod
    def _some(cls, value: int) -> int:
        if value == 0:
            raise refused("0; expected more or fewer units")
        return value

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        return unknown_product(self.sku, scenario)


class ZeroFeed(AtService):
    kind: Literal["zero_feed"] = "zero_feed"
    target: Literal["record"] = "record"

    does = "the feed says that there is nothing of anything, while the log of changes beside it does not say so"
    breaks = frozenset({Assumption.FEED_TELLS_THE_BOOK})
    heals = "at the end of its window; what was refused is read again"
    witness = "a read of changes with a zero where the book has none, and rebase rows that say refused"
    spares = only(("read_changes",), "it is about the feed of changes")
    example = '[[fault]]\nkind = "zero_feed"\nfrom = "5 min"\nfor = "10 min"\n'


class Returns(AtService):
    """Of the orders that the record has shipped when the window opens, a `share` comes back within it, whole."""

    kind: Literal["returns"] = "returns"
    target: Literal["record"] = "record"
    share: Share = 0.3

    does = "a wave of returns: goods that were shipped are on the shelves again"
    breaks = frozenset({Assumption.ONLY_SALES_MOVE_STOCK})
    heals = "with the next refresh"
    witness = "a return row of the record"
    spares = all_steps("it happens to goods on a shelf, and to no ask")
    example = '[[fault]]\nkind = "returns"\nshare = 0.3\nfrom = "10 min"\nfor = "5 min"\n'


FAULTS: tuple[type[Fault], ...] = (
    Offline,
    RecordSlow,
    StaleReplica,
    OutOfOrderBatches,
    StockTake,
    ZeroFeed,
    Returns,
)
