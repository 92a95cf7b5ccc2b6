"""Taubyte's distributed store: a merge-everything set over a graph of writes, in the two ways in which it was run.

A write stands one higher than the highest write that its member knows of, of any key; the highest has the last word,
and of two alike the byte-wise larger value. So a quiet side of a partition loses to a busy one, whenever it wrote; a
count written as text ties upwards; and a delete removes only what the deleter has seen.

A member lets the others know that there is something new; they fetch it, the newest first. Announcements are repeated,
since they get lost. Whoever has lost its copy serves while it fetches the history, and answers what it has not yet as
if it were not there.

Source: github.com/taubyte/tau, pkg/kvdb and services/hoarder; github.com/ipfs/go-ds-crdt, set.go and crdt.go.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from orderquake.model.kv import Entry, Kv, Rank
from orderquake.model.spread import EVERYBODY, Letter


class EveryNode(Kv):
    """As it was run when the article was written: every compute node has a copy, writes are acknowledged there."""

    def rank(self, now_us: int) -> Rank:
        return (self.top[0] + 1,)

    def tell(self, entry: Entry) -> None:
        self.announce()

    def announce(self) -> None:
        if self.of > 1:
            self.outbox.append(Letter(EVERYBODY, ("heads", self.tells)))

    def hear(self, sender: int, says: Any, now_us: int) -> None:
        what, said = says
        if what == "heads":
            if any(theirs > self.seen.get(author, 0) for author, theirs in said):
                self.outbox.append(Letter(sender, ("fetch", self.tells)))
        elif what == "fetch":
            # From the heads of the graph down to its roots: the newest come first (go-ds-crdt, crdt.go).
            walk = sorted(self.beyond(said), key=lambda entry: (*entry.rank, *entry.id), reverse=True)
            self.outbox.append(Letter(sender, ("blocks", tuple(walk))))
        elif what == "blocks":
            self.take_all(said)

    def tick(self, now_us: int) -> None:
        self.announce()


HOLDERS = 3
"""The most holders that a database has: pkg/specs/hoarder/vars.go."""


class Holder(EveryNode):
    """As it is run since July 2026: up to three holders; a write is acknowledged when a second one has it.

    The second one takes it as a fresh write of its own, one higher than all that it knows. So what is pushed late, or
    again because an answer was lost, overwrites what was written in between.

    pushes   name -> the write that a second holder has not confirmed, and when it was first pushed
    """

    def __init__(self, number: int = 0, of: int = 1, opening: Mapping[str, Any] | None = None) -> None:
        super().__init__(number, of, opening)
        self.pushes: dict[Hashable, tuple[str, Any, int]] = {}

    def push(self, entry: Entry, now_us: int) -> Hashable | None:
        """Hand a write to the next holder; the name under which it will be heard to be done, None where nobody is."""
        if self.of < 2:
            return None
        self.pushes[entry.id] = (entry.key, entry.value, now_us)
        self.send(entry.id)
        return entry.id

    def send(self, name: Hashable) -> None:
        key, value, _ = self.pushes[name]
        self.outbox.append(Letter((self.number + 1) % self.of, ("push", (name, key, value))))

    def hear(self, sender: int, says: Any, now_us: int) -> None:
        what, said = says
        if what == "push":
            name, key, value = said
            if value is None:
                self.delete(key, now_us)
            else:
                self.put(key, value, now_us)
            self.outbox.append(Letter(sender, ("pushed", name)))
        elif what == "pushed":
            if self.pushes.pop(said, None) is not None:
                self.done.append(said)
        else:
            super().hear(sender, says, now_us)

    def push_again(self, now_us: int, give_up_us: int) -> None:
        """What is not confirmed is pushed again, or acknowledged all the same when that has gone on for too long."""
        for name, (_, _, since_us) in list(self.pushes.items()):
            if now_us - since_us >= give_up_us:
                del self.pushes[name]
                self.done.append(name)
            else:
                self.send(name)

    def snapshot(self) -> Hashable:
        return super().snapshot(), tuple(self.pushes.items())

    def restore(self, snapshot: Any) -> None:
        kept, pushes = snapshot
        super().restore(kept)
        self.pushes = dict(pushes)
