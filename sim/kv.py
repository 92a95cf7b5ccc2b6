"""The store in which a design keeps what it keeps by keys and values, and how strong it is: the `[kv]` table.

Only designs that name a strength of their own use it; a scenario that names another one moves them there. Where a
default was measured or read in a source, that stands beside it. Nothing is simulated here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from orderquake.model.in_kv import MakeKv
from orderquake.model.kv import LastWriter, One
from orderquake.model.taubyte import HOLDERS, EveryNode, Holder
from orderquake.sim.demand import Part
from orderquake.sim.units import MS, SECOND, Count, Duration, Flag, Probability, refused
from orderquake.sim.world.delays import Latency, delay

AT_ONCE: Latency = delay(kind="constant", value="0 s")


class Kv(Part):
    """A store of some strength.

    make   makes a member
    most   the most members that it has; there is one in each place
    """

    make: ClassVar[MakeKv]
    most: ClassVar[int | None] = None
    compares: ClassVar[bool] = False


class Linearizable(Kv):
    """One member, where the service stands."""

    strength: Literal["linearizable"] = "linearizable"
    make: ClassVar[MakeKv] = One
    most: ClassVar[int | None] = 1
    compares: ClassVar[bool] = True


class Spread(Kv):
    """A member in each place, and letters between them.

    letter    how long a letter is under way; the way between the two places where absent
    merge     how long a member needs to take in what has come
    lost      chance that a letter is lost
    every     how often a member writes again, give or take `jitter` of it
    """

    letter: Latency | None = None
    merge: Latency = AT_ONCE
    lost: Probability = 0.0
    every: Duration = SECOND
    jitter: Probability = 0.3


class LastWriterWins(Spread):
    """The latest clock wins: the default mode of DynamoDB's global tables, among others."""

    strength: Literal["last_writer"] = "last_writer"
    make: ClassVar[MakeKv] = LastWriter


class Taubyte(Spread):
    """Taubyte's store.

    scan      what a write costs for each key that its member holds: before it writes, a member adds up the sizes of all
    absent    chance that a read fails, which is answered as if nothing were there
    fetches   blocks of the history that a member fetches at once; the next ones take another round trip
    """

    # github.com/taubyte/tau, pkg/kvdb/consts.go: heads are announced every 5 s, give or take 30 %.
    every: Duration = 5 * SECOND
    # A fetched block is merged in 1 to 5 ms: an estimate from the mechanism, not measured.
    merge: Latency = delay(kind="uniform", low="1 ms", high="5 ms")
    fetches: Count = 5  # github.com/ipfs/go-ds-crdt, crdt.go: workers that walk the graph
    scan: Duration = 0
    absent: Probability = 0.0


class TaubyteNodes(Taubyte):
    """As it was run in January 2026: every node has a copy, and acknowledges by itself."""

    strength: Literal["taubyte_nodes"] = "taubyte_nodes"
    make: ClassVar[MakeKv] = EveryNode


class TaubyteHolders(Taubyte):
    """As it is run since July 2026: up to three holders; a write is acknowledged when a second one has it.

    again     how long a holder waits before it pushes a write again
    give_up   after so long it acknowledges a write that nobody else has
    moves_on  whoever hears nothing from a holder turns to the next, and does not come back
    """

    strength: Literal["taubyte_holders"] = "taubyte_holders"
    make: ClassVar[MakeKv] = Holder
    most: ClassVar[int | None] = HOLDERS
    # github.com/taubyte/tau, services/hoarder/kvdb.go: every 200 ms, for three times 5 s.
    again: Duration = 200 * MS
    give_up: Duration = 15 * SECOND
    # clients/p2p/hoarder/kvdb.go: sticky to one holder until a transport error. Simplified: its own four rounds with
    # pauses of 1.5 s are the policy's patience; matters when that is shorter.
    moves_on: Flag = True


class Quorum(Kv):
    """Written to all replicas, done when some have it; read from all, answered when some have answered.

    replicas             how many copies there are
    writes, reads        how many must have a write, and must have answered a read
    write, ack           how long a write takes to a replica, and its word to come back; the way between where absent
    read, reply          the same for a read
    """

    strength: Literal["quorum"] = "quorum"
    make: ClassVar[MakeKv] = LastWriter
    replicas: Count = 3
    writes: Count = 2
    reads: Count = 2
    write: Latency | None = None
    ack: Latency | None = None
    read: Latency | None = None
    reply: Latency | None = None

    @model_validator(mode="after")
    def _check(self) -> Quorum:
        for key in ("writes", "reads"):
            if getattr(self, key) > self.replicas:
                raise refused(
                    f"{getattr(self, key)} of {self.replicas} replicas; expected at most all of them", key=key
                )
        return self


AnyKv = Annotated[
    Linearizable | LastWriterWins | TaubyteNodes | TaubyteHolders | Quorum, Field(discriminator="strength")
]
STRENGTHS: Mapping[str, type[Kv]] = {
    kind.model_fields["strength"].default: kind
    for kind in (Linearizable, LastWriterWins, TaubyteNodes, TaubyteHolders, Quorum)
}
"""Every strength by its name."""


def kv_of(strength: str, **said: Any) -> Kv:
    """A store of that strength, as it is when a scenario says no more."""
    return STRENGTHS[strength](**said)
