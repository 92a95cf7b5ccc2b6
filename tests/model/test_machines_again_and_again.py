"""The machines of `test_machines.py` once more, with a store that is now and then replaced by one made from its
snapshot: the Stock Cache, a region that has all rights, the record beside it, the provider, and the queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, rule

from orderquake.model.commitments import PINNED
from orderquake.model.payment import PaymentProvider
from orderquake.model.record import SystemOfRecord
from orderquake.model.regional_stock import RegionalStock
from orderquake.model.stock import StockCache
from orderquake.model.work_queue import WorkQueue
from tests.model import test_machines
from tests.model.twins import case_of, is_noticed


def twinned(machine: type[RuleBasedStateMachine], attribute: str, make: Callable[[Any], Any]) -> Any:
    """The machine, whose store is now and then replaced by one made from its snapshot."""

    def forget_and_remember(self: Any) -> None:
        store = getattr(self, attribute)
        kept = store.snapshot()
        hash(kept)
        fresh = make(self)
        fresh.restore(kept)
        assert fresh.snapshot() == kept
        fresh.journal = store.journal  # what was written down is the performer's
        setattr(self, attribute, fresh)

    return type(f"{machine.__name__}AgainAndAgain", (machine,), {"forget_and_remember": rule()(forget_and_remember)})


class RegionAlone(test_machines.Stock):
    """One region that has all the rights is a Stock Cache."""

    made_of = staticmethod(lambda opening: RegionalStock(0, 1, opening))  # type: ignore[assignment]


TestStock = case_of(
    twinned(test_machines.Stock, "cache", lambda machine: StockCache(dict.fromkeys(test_machines.SKUS, 9)))
)
TestRecord = case_of(twinned(test_machines.Stock, "record", lambda machine: SystemOfRecord({})))
TestRegion = case_of(
    twinned(RegionAlone, "cache", lambda machine: RegionalStock(0, 1, dict.fromkeys(test_machines.SKUS, 9)))
)
TestProvider = case_of(
    twinned(test_machines.Provider, "provider", lambda machine: PaymentProvider(machine.window, refund_delay_us=5))
)
TestQueue = case_of(twinned(test_machines.Queue, "queue", lambda machine: WorkQueue()))


class ForgetsDeadlines(StockCache):
    """What was held when it was restored never lapses."""

    def restore(self, snapshot: Any) -> None:
        super().restore(snapshot)
        for held in self.by_token.values():
            held.until_us = PINNED


def test_the_oracle_notices_a_store_that_comes_back_otherwise() -> None:
    machine = twinned(
        test_machines.Stock, "cache", lambda machine: ForgetsDeadlines(dict.fromkeys(test_machines.SKUS, 9))
    )
    is_noticed(machine, StockCache)
