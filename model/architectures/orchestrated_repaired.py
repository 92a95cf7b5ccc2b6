"""orchestrated_repaired: a durable workflow drives every order, and what it does may be done twice without harm.

One execution an order. The workflow service remembers the order and the step it stands at; a task asks for its step,
does it, and reports. The steps are those that `hot_cold` tells, with the stock in the record's table as in
`reserve_in_record`, and these are different:

  1  The execution is the order's row. Starting it is the registration; a second start under the same name is none.
  2  A task that was handed out and never reported is handed out again, as often as it takes, under the same keys. A
     time-out proves nothing, and undoes nothing. Only an answer leads to compensation.
  3  Compensation is a path of steps like any other: refund, give the units back, tell the customer. It cannot be
     skipped, because the execution stands in the middle of it until it is done.
  4  The record hears of the order in the last step of its execution, not from a job.
  5  Reservation and post are conditional on the order, for good; a token that is forgotten after ten minutes would
     let a late copy reserve again.

Every step costs a hop through the service (157 ms at the median, measured) and a transition on the bill.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, assert_never

from orderquake.model.architecture import Job
from orderquake.model.architectures.reserve_in_record import ReserveInRecord
from orderquake.model.assumptions import Assumption
from orderquake.model.flow import Ask, Flow, Store, put_to
from orderquake.model.notice import NoticeBoard
from orderquake.model.order import Order, State, Sync
from orderquake.model.order_cache import Conflict, Found, NotRegistered, Written
from orderquake.model.payment import PaymentProvider
from orderquake.model.record import Post
from orderquake.model.shelves import Shelves
from orderquake.model.work_queue import WorkQueue
from orderquake.model.workflow import IN_WORKFLOW, Ended, NextStep, RecordResult, WorkflowEngine

A = TypeVar("A")


class OrchestratedRepaired(ReserveInRecord):
    """A durable workflow an order, retried until it is answered, on conditions that hold for good."""

    # Simplified: the line in which tasks wait for a free hand is the work queue of the other designs; matters when the
    # service itself starts as many at once as it likes.

    name = "orchestrated_repaired"
    requires = frozenset({Assumption.RECORD_KEEPS_COMMITS, Assumption.KEYS_OUTLIVE_ASKS})

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        policy = self.policy
        return {
            "workflow": WorkflowEngine(),
            "payment": PaymentProvider(policy.key_retention_us, policy.refund_delay_us, renews_keys=policy.renews_keys),
            "record": Shelves(opening, policy.below_zero, policy.safety_stock),
            "notice": NoticeBoard(),
            "queue": WorkQueue(),
        }

    def order_rows(self, stores: Mapping[str, Any]) -> Any:
        return stores["workflow"]

    def jobs(self) -> tuple[Job, ...]:
        """The service's own timer, which hands out again what rests; and the one look into the provider's ledger."""
        return (Job("recovery", "recover"), Job("settlement", "settle"))

    def patiently(self, ask: Ask[A]) -> Flow[A]:
        """Whatever is asked of the orders is asked of their executions."""
        return super().patiently(put_to(IN_WORKFLOW, ask))

    # ---------------------------------------------------------------- a task

    async def advance(self, order_id: str) -> bool:
        """Ask which step it is, do it, report. True while there is more to do."""
        answer = await self.patiently(NextStep(order_id))
        match answer:
            case Found(order):
                decided = await self.step(order)
                return await self.report(order, decided)
            case NotRegistered() | Ended():
                return False
            case _:
                assert_never(answer)

    async def report(self, before: Order, after: Order) -> bool:
        """The execution goes on, or waits where nothing was decided. Somebody was faster: ask again."""
        answer = await self.patiently(RecordResult(after))
        match answer:
            case Written(order):
                return after != before and not (order.is_closed and order.is_synced)
            case Conflict():
                return True
            case Ended():
                return False
            case _:
                assert_never(answer)

    async def finish(self, order: Order) -> Order:
        """Let go of what is still held and tell the customer, as ever; then the last step, the book."""
        if not order.is_told or (order.token and order.state is not State.FULFILLED):
            return await super().finish(order)
        match order.sync:
            case Sync.UNPOSTED if not order.is_synced:
                return order._replace(sync=Sync.POSTING)
            case Sync.POSTING:
                (answer,) = await self.patiently(Post((self.booking(order),)))
                return self.synced(order, answer)
            case _:
                return order
