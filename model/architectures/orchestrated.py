"""orchestrated: the workflow as public samples have it. On a good day it is `orchestrated_repaired`, step for step.

It forgets three things, each read in the code of a sample:

  1  A step catches the error that it expects, and nothing else. A task that times out ends its execution where it
     stands: charged and never refunded, reserved and never given back, and nobody is told
     (aws-samples/aws-step-functions-long-lived-transactions, statemachine/llt.asl.yaml; danilop/events-and-workflows,
     order-create.asl.json: a time-out after the reservation leaks it).
  2  A reservation is idempotent for as long as the database remembers its client token: ten minutes
     (amazon-dynamodb-developer-guide, transaction-apis.md). A late copy reserves again.
  3  Nobody looks into the provider's ledger for money that came late or twice, or went back and returned.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from orderquake.model.architecture import Job
from orderquake.model.architectures.orchestrated_repaired import OrchestratedRepaired
from orderquake.model.flow import Store
from orderquake.model.policy import MINUTE, SECOND
from orderquake.model.shelves import ReserveForGood, Shelves
from orderquake.model.workflow import WorkflowEngine

TASK_TIMEOUT_US = 10 * SECOND
TOKEN_LIFE_US = 10 * MINUTE


class Orchestrated(OrchestratedRepaired):
    """A durable workflow an order, as public samples have it: time-outs skip compensation."""

    name = "orchestrated"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        policy = self.policy
        return super().stores(opening) | {
            "workflow": WorkflowEngine(TASK_TIMEOUT_US),
            "record": ForgetfulShelves(opening, policy.below_zero, policy.safety_stock),
        }

    def jobs(self) -> tuple[Job, ...]:
        return (Job("recovery", "recover"),)

    def rests(self, stores: Mapping[str, Any], now_us: int) -> bool:
        """Nobody watches refunds, so nobody waits for them either."""
        return self.order_rows(stores).rests and not stores["queue"].has_work(now_us)


class ForgetfulShelves(Shelves):
    """After ten minutes it does not know a reservation's client token any more: the same ask is a new one."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.since: dict[str, int] = {}  # order id -> when its token was first used

    def handle(self, ask: Any, now_us: int) -> Any:
        if isinstance(ask, ReserveForGood) and self.is_forgotten(ask.order_id, now_us):
            self.over.pop(ask.order_id, None)
            self.held.pop(ask.order_id, None)  # the units stay off sale, and nobody knows for whom
        return super().handle(ask, now_us)

    def is_forgotten(self, order_id: str, now_us: int) -> bool:
        """Was the order's token first used so long ago? Then this use of it is the first again."""
        if now_us - self.since.setdefault(order_id, now_us) < TOKEN_LIFE_US:
            return False
        self.since[order_id] = now_us
        return True

    def snapshot(self) -> Hashable:
        return super().snapshot(), tuple(self.since.items()), tuple(self.held_of.items())

    def restore(self, snapshot: Any) -> None:
        shelves, since, held_of = snapshot
        super().restore(shelves)
        self.since, self.held_of = dict(since), dict(held_of)
