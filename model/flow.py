"""How a protocol says what it wants: it awaits effects, and whoever performs it decides what world it lives in.

A flow is an `async` function that awaits effects and nothing else. An effect is data: what is wanted, and of which
service. There is no clock, no chance and no performer in this file, nor anywhere else in `model`.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator, Hashable, Mapping
from dataclasses import dataclass, field
from typing import (
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    Protocol,
    TypeAlias,
    TypeVar,
    dataclass_transform,
)

from orderquake.model.boundaries import ANYBODY, NOTHING, Data, Role

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)

Instant = NewType("Instant", int)
"""A moment that a store stamped, microseconds on its own clock. A flow may carry it to `Within`, never compare it."""

NEVER = Instant(-1)
"""The moment that has not been stamped yet."""


class Effect(Generic[A_co]):
    """Something a flow wants done. Awaiting it hands it to the performer and brings back the answer."""

    __slots__ = ()

    def __await__(self) -> Generator[Effect[Any], Any, A_co]:
        answer: A_co = yield self
        return answer


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def effect(kind: type[A]) -> type[A]:
    """A kind of effect: a dataclass that nobody changes. Type checkers see to that; at run time, a guard would cost as
    much again as to make one, and an order makes twenty."""
    return dataclass(slots=True, unsafe_hash=True)(kind)


Flow: TypeAlias = Coroutine[Effect[Any], Any, A]


class Ask(Effect[A_co]):
    """A question to one service. Subclasses are marked `effect` and named by imperative verbs.

    service   who is asked, as topologies and scenarios name it
    verb      how histories, faults and latencies name the ask
    carries   classes of data that it brings there, or back
    askers    roles that may ask it
    """

    __slots__ = ()
    service: ClassVar[str]
    verb: ClassVar[str]
    carries: ClassVar[frozenset[Data]] = NOTHING
    askers: ClassVar[frozenset[Role]] = ANYBODY

    def about(self) -> tuple[str, str]:
        """The order the ask concerns and the key under which it is the same ask again; "" where there is none."""
        return "", ""


def put_to(others: Mapping[type[Ask[Any]], type[Ask[Any]]], ask: Ask[A]) -> Ask[A]:
    """The same ask of somebody else: of whoever the table names for its kind, with the same fields."""
    kind = others.get(type(ask))
    return ask if kind is None else kind(*(getattr(ask, name) for name in kind.__match_args__))  # type: ignore[attr-defined]


@dataclass(slots=True, eq=False)
class Send(Effect[A_co]):
    """Send an ask and wait for the answer at most `timeout_us`.

    raises   NoReply where nothing came back in time (it may have happened), Refused where it certainly did not
    """

    ask: Ask[A_co]
    timeout_us: int
    attempt: int


@dataclass(slots=True, eq=False)
class Hedge(Send[A_co]):
    """Send an ask, and send it once more where nothing came back after `after_us`; the first answer counts.

    To whoever has no clock it is a Send: that an ask arrives twice is what faults are for.

    source   J. Dean and L. A. Barroso, "The Tail at Scale" (CACM 2013)
    """

    after_us: int


@effect
class Within(Effect[bool]):
    """Is it less than `limit_us` since that moment? (At exactly the limit: no.)"""

    since: Instant
    limit_us: int


BackoffKind: TypeAlias = Literal["none", "exponential", "equal", "full", "decorrelated"]
"""How long one waits between two tries: not at all; the bound itself; half of it and up to as much again; anything up
to it; or from the base to three times what one waited before."""


@effect
class Backoff(Effect[None]):
    """Wait before trying again: at most `base_us` doubled `attempt` times, and never above `cap_us`; jitter decides.

    source   "Exponential Backoff and Jitter" (github.com/aws-samples/aws-arch-backoff-simulator), for the kinds
    """

    base_us: int
    cap_us: int
    attempt: int
    kind: BackoffKind = "full"

    @property
    def longest_us(self) -> int:
        return min(self.cap_us, self.base_us << min(self.attempt, 40))


Permission: TypeAlias = Literal["go", "open", "spent"]
GO: Final = "go"
OPEN: Final = "open"
SPENT: Final = "spent"


@effect
class Permit(Effect[Permission]):
    """May this service be asked, for the how-manieth time? `open`: its breaker says no; `spent`: no credit is left for
    another try. Asked only where the policy has a breaker or a budget for the service."""

    service: str
    attempt: int


@effect
class Heard(Effect[None]):
    """How it went: for the breaker."""

    service: str
    is_answered: bool


@effect
class Reply(Effect[None]):
    """Answer the customer who called, and go on."""

    answer: str


class Silence(Exception):
    """The two ways in which an ask may fail to be answered; only patience catches them."""


class NoReply(Silence):
    """We do not know whether it happened. A server's 5xx counts as this."""


class Refused(Silence):
    """It certainly did not happen: throttled, queue full."""


class PatienceEnded(Exception):
    """A flow gave up on a silent service. It stops as if killed; recovery goes on from what is written."""


class Change(NamedTuple):
    """One thing that a service did, in the words of the history's vocabulary; whoever performs the ask writes it down.

    debit, credit   the account that receives and the account that gives the units or the money
    watermark       moment up to which a snapshot is complete
    deadline        when a hold lapses
    is_outside      an auditor of the real system would have this line, too
    """

    operation: str
    key: str = ""
    order: str = ""
    line: int = -1
    sku: str = ""
    units: int = 0
    amount: int = 0
    debit: str = ""
    credit: str = ""
    answer: str = ""
    is_new: bool = True
    from_state: str = ""
    to_state: str = ""
    version: int = -1
    watermark: int = -1
    deadline: int = -1
    is_outside: bool = False


class Store(Protocol):
    """What remembers. Pure: the same asks at the same moments always give the same answers.

    journal   what the last asks changed, oldest first; the performer empties it
    """

    journal: list[Change]

    def handle(self, ask: Any, now_us: int) -> Any:
        """Do what is asked, in one atomic step, and answer."""

    def snapshot(self) -> Hashable:
        """All that is remembered, as one hashable value."""

    def restore(self, snapshot: Any) -> None:
        """Remember what `snapshot` returned instead."""
