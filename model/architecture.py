"""What an architecture is: stores, a front door, a hot path, and jobs. One story a file lies in `architectures/`.

A flow is named by the method that tells it and its arguments; it is one step long, and the performer starts the next.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from orderquake.model.assumptions import Assumption
from orderquake.model.boundaries import Data
from orderquake.model.flow import Ask, Flow, Store
from orderquake.model.order import Order, State
from orderquake.model.patience import guardedly, patiently
from orderquake.model.policy import Patience, Policy
from orderquake.model.work_queue import Ack, Empty, Lease, Leased

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Job:
    """Something a ticker starts again and again.

    name   how scenarios name its schedule, under `jobs`
    flow   the method that tells one page of it: it takes where the page begins, and returns where the next one does
    """

    name: str
    flow: str


class Architecture(ABC):
    """A design. Subclass it, tell its flows, say what it requires.

    requires   assumptions without which its promises are off, in the words of the faults' `breaks`
    kv         how strong the store is in which it keeps what it keeps by keys and values, where a scenario says nothing
    adds       verb -> data that this design puts into such asks, beyond what their kind carries
    """

    name: ClassVar[str]
    requires: ClassVar[frozenset[Assumption]]
    kv: ClassVar[str] = "linearizable"
    adds: ClassVar[Mapping[str, frozenset[Data]]] = {}

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.patience = _Patience(policy)

    # -- what the performer starts

    @abstractmethod
    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        """Fresh stores by service name, for shelves that hold so many units of each product."""

    @abstractmethod
    def register(self, order: Order) -> Flow[None]:
        """The front door: the customer has submitted an order."""

    @abstractmethod
    def cancel(self, order_id: str) -> Flow[None]:
        """The customer no longer wants it."""

    @abstractmethod
    def advance(self, order_id: str) -> Flow[bool]:
        """One step of an order; True while there is more to do at once."""

    @abstractmethod
    def jobs(self) -> tuple[Job, ...]:
        """The cold path."""

    @abstractmethod
    def rests(self, stores: Mapping[str, Any], now_us: int) -> bool:
        """For whoever waits for the end: is nothing left to do, and do the books agree?"""

    def order_rows(self, stores: Mapping[str, Any]) -> Any:
        """The store that keeps the orders' rows; for dashboards, and for whoever waits for the end."""
        return stores["order_cache"]

    async def take(self) -> Leased | Empty:
        """A worker takes the next order from the queue."""
        return await self.patiently(Lease(self.policy.lease_us, self.policy.max_deliveries))

    async def hand_back(self, leased: Leased) -> None:
        """The order rests; the worker is free."""
        await self.patiently(Ack(leased.order_id, leased.delivery))

    # -- what every story uses

    def start(self, flow: str, arguments: tuple[Any, ...]) -> Flow[Any]:
        """The coroutine of a flow, named by its method."""
        coroutine: Flow[Any] = getattr(self, flow)(*arguments)
        return coroutine

    def patiently(self, ask: Ask[A]) -> Flow[A]:
        """Ask with the patience that the policy has with this service; to be awaited."""
        asks, patience = self.patience[ask.service]
        return asks(ask, patience)

    def move(self, order: Order, to: State, **columns: Any) -> Order:
        """The order in its next state. A move that the table does not have is a mistake of ours."""
        assert to in self.policy.states[order.state], f"{order.id}: {order.state} may not become {to}"
        return order._replace(state=to, **columns)


class _Patience(dict[str, tuple[Callable[[Ask[Any], Patience], Flow[Any]], Patience]]):
    """A policy's patience with each service, and who has it; looked up once."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __missing__(self, service: str) -> tuple[Callable[[Ask[Any], Patience], Flow[Any]], Patience]:
        patience = self.policy.patience_with(service)
        found = self[service] = (guardedly if patience.is_guarded else patiently, patience)
        return found
