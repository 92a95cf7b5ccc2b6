"""A durable workflow service: one execution an order, and it remembers which step comes next.

It hands a step to whoever asks for work, and hears the result; what was handed out and never came back is handed out
again, so a task may be done more than once. An execution's memory is the order's row, behind the same compare-and-set
as in the Order Cache. Every step that an execution enters, and every time it enters one again, is billed.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from orderquake.model.boundaries import Data
from orderquake.model.flow import Ask, Change, effect
from orderquake.model.order import Order
from orderquake.model.order_cache import (
    AlreadyRegistered,
    Conflict,
    Found,
    ListIdle,
    MoveCursor,
    NotRegistered,
    OrderCache,
    ReadCursor,
    ReadOrder,
    ReadOrders,
    Register,
    Registered,
    WriteOrder,
    Written,
)


class Ended(NamedTuple):
    """Nothing is left to do, or ever will be: the execution has come to its end, or has failed."""


@effect
class StartExecution(Register):
    """Begin an order's execution; a second start under the same name is none."""

    service = "workflow"
    verb = "start_execution"
    carries = frozenset({Data.ORDER, Data.PERSONAL})


@effect
class NextStep(Ask[Found | NotRegistered | Ended]):
    """A task begins: which step is it, and what is known of the order?"""

    service = "workflow"
    verb = "next_step"
    carries = frozenset({Data.ORDER, Data.PERSONAL})
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, ""


@effect
class RecordResult(Ask[Written | Conflict | Ended]):
    """A task is over: the execution goes on with what it has decided. An order as it was: it is to wait."""

    service = "workflow"
    verb = "record_result"
    carries = frozenset({Data.ORDER, Data.PERSONAL})
    order: Order

    def about(self) -> tuple[str, str]:
        return self.order.id, ""


@effect
class DescribeExecution(ReadOrder):
    service = "workflow"
    verb = "describe_execution"
    carries = frozenset({Data.ORDER, Data.PERSONAL})


@effect
class DescribeExecutions(ReadOrders):
    service = "workflow"
    verb = "describe_executions"


@effect
class SignalExecution(WriteOrder):
    """Change what an execution knows from outside: the customer cancels, settlement has found money."""

    service = "workflow"
    verb = "signal_execution"


@effect
class ListIdleExecutions(ListIdle):
    service = "workflow"
    verb = "list_idle_executions"


@effect
class ReadCursorOfWorkflow(ReadCursor):
    service = "workflow"


@effect
class MoveCursorOfWorkflow(MoveCursor):
    service = "workflow"


IN_WORKFLOW: Mapping[type[Ask[Any]], type[Ask[Any]]] = {
    Register: StartExecution,
    ReadOrder: DescribeExecution,
    ReadOrders: DescribeExecutions,
    WriteOrder: SignalExecution,
    ListIdle: ListIdleExecutions,
    ReadCursor: ReadCursorOfWorkflow,
    MoveCursor: MoveCursorOfWorkflow,
}
"""What is asked of the Order Cache elsewhere -> the same, asked of the workflow service."""


class WorkflowEngine(OrderCache):
    """All executions. `task_timeout_us` after it was handed out, a task without a result ends its execution for good;
    None lets it be handed out again and again.

    handed    order id -> (version of the row, when the step was first handed out)
    failed    executions that have ended in the middle
    """

    # Simplified: executions, and their names, are kept for ever; matters when a name is used again after 90 days.
    # Simplified: no quota on starts and transitions; matters above 300 starts, or 1,500 transitions, a second.

    def __init__(self, task_timeout_us: int | None = None) -> None:
        super().__init__()
        self.task_timeout_us = task_timeout_us
        self.handed: dict[str, tuple[int, int]] = {}
        self.failed: dict[str, bool] = {}

    def handle(self, ask: Any, now_us: int) -> Any:
        match ask:
            case NextStep(order_id):
                return self.next_step(order_id, now_us)
            case RecordResult(order):
                return self.record_result(order, now_us)
        return super().handle(ask, now_us)

    def register(self, order: Order, now_us: int) -> Registered | AlreadyRegistered:
        answer = super().register(order, now_us)
        if isinstance(answer, Registered):
            self.enter(order.id, "", order.state.value, "started")
        return answer

    def next_step(self, order_id: str, now_us: int) -> Found | NotRegistered | Ended:
        row = self.rows.get(order_id)
        if row is None:
            return NotRegistered()
        if self.has_ended(row) or self.times_out(row, now_us):
            return Ended()
        version, _ = self.handed.get(order_id, (0, 0))
        if version == row.version:
            self.enter(order_id, row.state.value, row.state.value, "retried")
        else:
            self.handed[order_id] = (row.version, now_us)
        return Found(row)

    def record_result(self, order: Order, now_us: int) -> Written | Conflict | Ended:
        row = self.rows.get(order.id)
        if row is None or row.version != order.version:
            return Conflict()
        if self.has_ended(row) or self.times_out(row, now_us):
            return Ended()
        self.handed.pop(order.id, None)
        if order == row:
            self.enter(order.id, row.state.value, row.state.value, "waits")
            return Written(row)
        self.enter(order.id, row.state.value, order.state.value, "done")
        return self.write(order, now_us)

    def has_ended(self, row: Order) -> bool:
        return row.id in self.failed or (row.is_closed and row.is_synced)

    def times_out(self, row: Order, now_us: int) -> bool:
        """Has the present step been out for too long? Then the execution fails here, and nothing is undone."""
        version, since_us = self.handed.get(row.id, (0, 0))
        if self.task_timeout_us is None or version != row.version or now_us - since_us < self.task_timeout_us:
            return False
        self.failed[row.id] = True
        for queue in (self.open, self.unposted, self.unsynced):
            queue.entries.pop(row.id, None)
        self.enter(row.id, row.state.value, "failed", "timed_out")
        return True

    def list_again(self, order: Order, now_us: int) -> None:
        """An execution is open until the record has the order, too. One that has failed stays where it is."""
        super().list_again(order, now_us)
        if order.is_closed and not order.is_synced:
            self.open.put_last(order.id, now_us)
        if order.id in self.failed:
            for queue in (self.open, self.unposted, self.unsynced):
                queue.entries.pop(order.id, None)

    def enter(self, order_id: str, before: str, after: str, why: str) -> None:
        """One transition, for the bill."""
        self.journal.append(
            Change("transition", key=order_id, order=order_id, from_state=before, to_state=after, answer=why)
        )

    def snapshot(self) -> Hashable:
        return super().snapshot(), tuple(self.handed.items()), tuple(self.failed)

    def restore(self, snapshot: Any) -> None:
        rows, handed, failed = snapshot
        super().restore(rows)
        self.handed, self.failed = dict(handed), dict.fromkeys(failed, True)
