"""Faults of the services themselves: away, slow, half ill, short of hands, or with a memory that has gone wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import model_validator

from orderquake.model.assumptions import Assumption
from orderquake.sim.nemesis.base import AtService, Chancy, Fault, MayStay, Sudden
from orderquake.sim.nemesis.steps import READS, Spared, all_steps, only
from orderquake.sim.scenario_errors import unknown
from orderquake.sim.units import SECOND, Count, Duration, Positive, Probability, Rate, refused
from orderquake.sim.world.delays import Distribution

if TYPE_CHECKING:
    from orderquake.sim.scenario import Scenario

BATCHES: Mapping[str, str] = {
    "write_orders": "orders", "post": "bookings", "settle": "posts", "adopt": "orders", "enqueue": "order_ids",
}  # fmt: skip
"""Verbs that are many asks in one, each of which may be done without the others -> where those lie. The lines of an
order are all or nothing, and so is a page of a refresh."""

Forgetful: TypeAlias = Literal["order_cache", "stock", "record", "queue"]
LOST_WITH: Mapping[str, frozenset[Assumption]] = {
    "order_cache": frozenset({Assumption.ORDERS_KEEP_WRITES}),
    "stock": frozenset({Assumption.STOCK_KEEPS_WRITES, Assumption.LOSSES_ARE_ANNOUNCED}),
    "record": frozenset({Assumption.RECORD_KEEPS_COMMITS}),
    "queue": frozenset(),  # nobody may rely on a queue: whatever it forgets, recovery finds
}
"""Store -> what is no longer true when it loses acknowledged writes and tells nobody."""


class Down(AtService, MayStay):
    kind: Literal["down"] = "down"

    does = "the service answers nobody; what it remembers stays"
    breaks = frozenset({Assumption.SERVICES_STAY_UP})
    heals = "at the end of its window; never where it says so"
    witness = "a fault row at each edge, and an ask in the window that ended in info"
    example = '[[fault]]\nkind = "down"\ntarget = "record"\nfrom = "10 min"\nfor = "10 min"\n'
    excludes = "outage"


class Slow(AtService):
    """`factor` multiplies the service's latency, `add` adds to it; at least one of them."""

    kind: Literal["slow"] = "slow"
    operation: str | None = None
    factor: Positive | None = None
    add: Distribution | None = None

    does = "the service takes longer than usual"
    breaks = frozenset({Assumption.ANSWERS_IN_TIME})
    heals = "at the end of its window"
    witness = "a fault row at each edge, and an ask in the window that took longer"
    example = '[[fault]]\nkind = "slow"\ntarget = "stock"\nfactor = 20.0\nfrom = "5 min"\nfor = "5 min"\n'

    @model_validator(mode="after")
    def _check_slow(self) -> Slow:
        if self.factor is None and self.add is None:
            raise refused("a slow fault without factor or add; expected at least one of them")
        if self.factor is not None and self.factor <= 1 and self.add is None:
            raise refused(f"{self.factor:g}; expected more than 1", key="factor")
        return self


class Gray(AtService):
    """Of the asks a share is `lost`, and of the others a share is `slow`: they take `factor` times as long.

    Such failures are the ones that health checks do not see: Huang and others, "Gray failure: the Achilles' heel of
    cloud-scale systems", HotOS 2017.
    """

    kind: Literal["gray"] = "gray"
    lost: Probability = 0.1
    slow: Probability = 0.2
    factor: Positive = 50.0

    does = "the service is up and answers most asks as ever; some it never answers, and some take far too long"
    breaks = frozenset({Assumption.ASKS_ARRIVE, Assumption.ANSWERS_IN_TIME})
    heals = "at the end of its window; until then the caller asks again with the same key"
    witness = "a fault row at each edge, and an ask in the window that was lost or took longer"
    example = (
        '[[fault]]\nkind = "gray"\ntarget = "payment"\nlost = 0.1\nslow = 0.2\nfactor = 50.0\n'
        'from = "5 min"\nfor = "10 min"\n'
    )

    @model_validator(mode="after")
    def _check_effect(self) -> Gray:
        if self.lost == 0 and (self.slow == 0 or self.factor == 1):
            raise refused("a gray fault that loses and slows nothing; expected lost, or slow with a factor above 1")
        return self


class ReadOnly(AtService, MayStay):
    """`writes` says what becomes of them: they are refused, or nobody answers."""

    kind: Literal["read_only"] = "read_only"
    target: Literal["order_cache", "stock", "payment", "record"]
    writes: Literal["refused", "lost"] = "refused"

    does = "the service answers reads, and does not do what would change anything"
    breaks = frozenset({Assumption.SERVICES_STAY_UP})
    heals = "at the end of its window; never where it says so"
    witness = "a fault row at each edge, and a write in the window that was refused or never answered"
    spares = (*AtService.spares, Spared(READS, "reads are answered as ever"))
    example = '[[fault]]\nkind = "read_only"\ntarget = "order_cache"\nfrom = "5 min"\nfor = "2 min"\n'


class Throttled(AtService):
    """So many asks a second, and so many at once, of all verbs together (or of one `operation`); more are refused."""

    kind: Literal["throttled"] = "throttled"
    operation: str | None = None
    per_s: Rate
    burst: Count = 1

    does = "the service takes fewer asks than usual, and refuses the rest"
    breaks = frozenset({Assumption.SERVICES_STAY_UP})
    heals = "at the end of its window"
    witness = "a fault row at each edge, and an ask in the window that was refused"
    example = '[[fault]]\nkind = "throttled"\ntarget = "payment"\nper_s = 2.0\nfrom = "5 min"\nfor = "5 min"\n'


class CapacityCut(AtService):
    """`to` is how many asks are worked on at once in the window."""

    kind: Literal["capacity_cut"] = "capacity_cut"
    to: Count

    does = "the service has fewer hands than usual; whoever finds none free waits"
    breaks = frozenset({Assumption.ANSWERS_IN_TIME})
    heals = "at the end of its window; then those who wait are taken on"
    witness = "a fault row at each edge, and an ask in the window that would not have had to wait without it"
    example = '[[fault]]\nkind = "capacity_cut"\ntarget = "record"\nto = 1\nfrom = "5 min"\nfor = "5 min"\n'
    excludes = "capacity_cut"

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        usual = scenario.service[self.target].capacity
        if usual is not None and self.to >= usual:
            yield ("to",), f"{self.to}, but service.{self.target}.capacity is {usual}; expected fewer"


class AppliedButAnswerLost(AtService):
    """The `nth` such ask in the window, counting from 1: a write."""

    kind: Literal["applied_but_answer_lost"] = "applied_but_answer_lost"
    operation: str
    nth: Count = 1

    does = "one write is done, and whoever asked for it never hears so"
    breaks = frozenset({Assumption.ANSWERS_ARRIVE})
    heals = "the caller asks again with the same key"
    witness = "a fault row, and an invoke that ends in info after a state row"
    spares = (*AtService.spares, Spared(READS, "it is about what was done, and a read does nothing"))
    example = '[[fault]]\nkind = "applied_but_answer_lost"\ntarget = "payment"\noperation = "charge"\n'

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        if self.operation in READS:
            yield ("operation",), f'"{self.operation}", which changes nothing; expected a write'


class PartialBatch(Chancy):
    """An ask that is many in one; how many of them are done, at least one and never all, is drawn."""

    kind: Literal["partial_batch"] = "partial_batch"
    target: Literal["order_cache", "stock", "record", "queue"]

    does = "the first part of a batch is done, then the service falls silent"
    breaks = frozenset({Assumption.ANSWERS_ARRIVE})
    heals = "the caller asks again with the same keys"
    witness = "a fault row, and a batch that ends in info after state rows for some of it"
    spares = only(BATCHES, "it is done as a whole or not at all")
    example = '[[fault]]\nkind = "partial_batch"\ntarget = "record"\noperation = "post"\nprobability = 0.2\n'

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        if self.operation is not None and self.operation not in BATCHES:
            yield ("operation",), unknown(self.operation, BATCHES, "batch")


# -- memories that have gone wrong


class Wiped(Sudden):
    """The store comes back empty at `at` and knows it: a new epoch, announced."""

    kind: Literal["wiped"] = "wiped"
    target: Literal["stock"] = "stock"

    does = "the Stock Cache loses all it holds, acknowledged or not, and begins a new epoch"
    breaks = frozenset({Assumption.STOCK_KEEPS_WRITES})
    heals = "the rebuild job fills it from the record and the orders, then opens it"
    witness = "an epoch row that says lost, and a later one that says open"
    spares = all_steps("it happens to a memory, at one moment, and to no ask")
    example = '[[fault]]\nkind = "wiped"\ntarget = "stock"\nat = "10 min"\n'


class WipedSilently(Sudden):
    """The store comes back empty at `at` and does not know it, nor does anybody else: the epoch stays."""

    kind: Literal["wiped_silently"] = "wiped_silently"
    target: Literal["stock"] = "stock"

    does = "the Stock Cache loses all it holds, and goes on as if nothing had happened"
    breaks = LOST_WITH["stock"]
    heals = "the next refresh brings the record's counts; what was promised and not posted stays forgotten"
    witness = "a fault row; no epoch row"
    spares = all_steps("it happens to a memory, at one moment, and to no ask")
    example = '[[fault]]\nkind = "wiped_silently"\ntarget = "stock"\nat = "10 min"\n'


class LosesUnflushed(Sudden):
    """`last` is how far back its writes are lost: an fsync each second loses up to a second of them."""

    kind: Literal["loses_unflushed"] = "loses_unflushed"
    target: Forgetful
    last: Duration = SECOND  # redis.io/docs/latest/operate/oss_and_stack/management/persistence: appendfsync everysec

    does = "the service restarts without the writes of the last moments, acknowledged or not, and tells nobody"
    breaks = frozenset().union(*LOST_WITH.values())
    heals = "at once, but for what is forgotten"
    witness = "a fault row, and a memory that is not what it was a moment before"
    spares = all_steps("it happens to a memory, at one moment, and to no ask")
    example = '[[fault]]\nkind = "loses_unflushed"\ntarget = "queue"\nat = "10 min"\nlast = "500 ms"\n'

    def broken(self) -> frozenset[Assumption]:
        """What that store no longer keeps."""
        return LOST_WITH[self.target]

    @model_validator(mode="after")
    def _check_last(self) -> LosesUnflushed:
        if self.last == 0:
            raise refused('"0 s"; expected more than zero', key="last")
        return self


class FailingOver(AtService):
    """Down for its window; whoever answers then is a copy that had fallen `behind` by so much when it began."""

    kind: Literal["failing_over"] = "failing_over"
    target: Forgetful
    behind: Duration = SECOND

    does = "the service goes away for a moment, and a copy takes over that has not heard the latest writes"
    breaks = frozenset().union(*LOST_WITH.values()) | {Assumption.SERVICES_STAY_UP}
    heals = "at the end of its window, but for what is forgotten"
    witness = "a fault row at each edge, and a memory that is not what it was before the first"
    spares = all_steps("its witness is the memory that comes back, and no ask")
    example = '[[fault]]\nkind = "failing_over"\ntarget = "queue"\nfrom = "10 min"\nfor = "5 s"\nbehind = "1 s"\n'
    excludes = "outage"

    def broken(self) -> frozenset[Assumption]:
        """What that store no longer keeps; and it was away."""
        return LOST_WITH[self.target] | {Assumption.SERVICES_STAY_UP}


class SplitBrain(AtService):
    """A `share` of the orders is looked after by a second owner, which began with what the first one knew."""

    kind: Literal["split_brain"] = "split_brain"
    target: Literal["stock"] = "stock"
    share: Probability = 0.5

    does = "a copy of the Stock Cache takes over while the old owner goes on answering: nobody has fenced it off"
    breaks = frozenset({Assumption.STOCK_HAS_ONE_OWNER})
    heals = "at the end of its window the copy goes, and what it alone has promised is forgotten"
    witness = "a fault row at each edge, and an ask in the window that the copy answered"
    spares = only(("reserve", "consume", "release", "extend"), "jobs go on asking the old owner")
    example = '[[fault]]\nkind = "split_brain"\ntarget = "stock"\nfrom = "5 min"\nfor = "1 min"\n'
    excludes = "split_brain"

    @model_validator(mode="after")
    def _check_share(self) -> SplitBrain:
        if self.share == 0:
            raise refused("0; expected more than zero, or no such fault at all", key="share")
        return self


class StaleReads(AtService):
    """A `share` of the reads is answered by a copy that is `behind` by so much; writes go where they always went."""

    kind: Literal["stale_reads"] = "stale_reads"
    target: Literal["order_cache", "record"]
    behind: Duration = 5 * SECOND
    share: Probability = 1.0

    does = "reads are answered as they would have been some time ago"
    breaks = frozenset({Assumption.ORDERS_ARE_READ_FRESH, Assumption.READS_ARE_FRESH})
    heals = "at the end of its window"
    witness = "a fault row at each edge, and a read in the window whose answer was not the present one"
    spares = only(READS, "writes go where they always went")
    example = '[[fault]]\nkind = "stale_reads"\ntarget = "record"\nbehind = "30 s"\nfrom = "5 min"\nfor = "10 min"\n'
    excludes = "stale_reads"

    def broken(self) -> frozenset[Assumption]:
        """Whose reads are no longer fresh."""
        return self.broken_at(self.target)

    @classmethod
    def broken_at(cls, service: str) -> frozenset[Assumption]:
        """Reads of the record and reads of the orders are two things."""
        is_record = service == "record"
        return frozenset({Assumption.READS_ARE_FRESH if is_record else Assumption.ORDERS_ARE_READ_FRESH})

    @model_validator(mode="after")
    def _check_effect(self) -> StaleReads:
        for key in ("behind", "share"):
            if getattr(self, key) == 0:
                raise refused("0; expected more than zero, or no such fault at all", key=key)
        return self


class EvictsKey(Sudden):
    """`keys` of them, drawn among those that are there: an order's row, a reservation, an order in line."""

    kind: Literal["evicts_key"] = "evicts_key"
    target: Literal["order_cache", "stock", "queue"]
    keys: Count = 1

    does = "single entries vanish from a store that is taken for one that keeps them"
    breaks = LOST_WITH["order_cache"] | LOST_WITH["stock"]
    heals = "not at all; what is gone is gone"
    witness = "a fault row, and a key that was there"
    spares = all_steps("it happens to a memory, at one moment, and to no ask")
    example = '[[fault]]\nkind = "evicts_key"\ntarget = "queue"\nat = "10 min"\n'

    def broken(self) -> frozenset[Assumption]:
        """What that store no longer keeps."""
        return LOST_WITH[self.target]


FAULTS: tuple[type[Fault], ...] = (
    Down, Slow, Gray, ReadOnly, Throttled, CapacityCut, AppliedButAnswerLost, PartialBatch,
    Wiped, WipedSilently, LosesUnflushed, FailingOver, SplitBrain, StaleReads, EvictsKey,
)  # fmt: skip
