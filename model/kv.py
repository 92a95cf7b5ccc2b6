"""kv: keys and values in a store that several places share, by the strength of what it promises.

A member can get, put, delete and list, and that is all that a function on such a platform can do. What two members
make of two writes of one key is the strength: `One` member stands alone; `LastWriter` believes the latest clock;
Taubyte's store, in `taubyte.py`, believes the longest history. None of them compares before it sets: who reads, changes
and writes back may overwrite what was written in between, whatever the reads promise.

Values are anything that can be hashed. Where two writes tie, the byte-wise larger text wins, as on the real platform.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from orderquake.model.spread import EVERYBODY, Letter

Id = tuple[int, int]
"""The member that made an entry, and its how-manieth it was."""
Rank = tuple[Any, ...]


class Entry(NamedTuple):
    """One write of one key.

    rank      the larger wins; of two alike, the larger text, then the larger id
    value     None for a delete
    removes   with a delete: the entries that the deleter saw. What it did not see, survives
    """

    id: Id
    rank: Rank
    key: str
    value: Any
    removes: tuple[Id, ...] = ()

    def beats(self) -> tuple[Any, ...]:
        """What the largest of has the last word."""
        return self.rank, as_text(self.value), self.id


def as_text(value: Any) -> bytes:
    """A value as a platform compares it: byte by byte. Of counts written as text, 9 is larger than 10.

    >>> max([10, 9], key=as_text)
    9
    """
    return str(value).encode()


OPENING: Id = (-1, 0)


class Kv(ABC):
    """One member: all entries that it has heard of, and for each key the one that has the last word.

    seen      of each member, how many of its entries have been heard of: they are heard of in order
    changed   keys whose value is another since somebody last looked
    """

    def __init__(self, number: int = 0, of: int = 1, opening: Mapping[str, Any] | None = None) -> None:
        self.number = number
        self.of = of
        self.outbox: list[Letter] = []
        self.done: list[Hashable] = []
        self.changed: list[str] = []
        self.entries: dict[str, dict[Id, Entry]] = {}
        self.removed: dict[Id, bool] = {}
        self.values: dict[str, Any] = {}
        self.by_member: list[list[Entry]] = [[] for _ in range(of)]
        self.top: Rank = (0,)
        for key, value in (opening or {}).items():
            self.take(Entry(OPENING, (0,), key, value))
        self.changed.clear()

    # -- what may be asked

    def get(self, key: str) -> Any:
        """None where there is nothing."""
        return self.values.get(key)

    def keys(self, prefix: str = "") -> tuple[str, ...]:
        """Keys, in byte order."""
        return tuple(sorted((key for key in self.values if key.startswith(prefix)), key=str.encode))

    def put(self, key: str, value: Any, now_us: int) -> None:
        self.make(key, value, (), now_us)

    def delete(self, key: str, now_us: int) -> None:
        self.make(key, None, tuple(self.entries.get(key, ())), now_us)

    # -- entries

    @abstractmethod
    def rank(self, now_us: int) -> Rank:
        """Of an entry that is made now."""

    @abstractmethod
    def tell(self, entry: Entry) -> None:
        """Let the others know of an entry of one's own."""

    def make(self, key: str, value: Any, removes: tuple[Id, ...], now_us: int) -> Entry:
        mine = self.by_member[self.number]
        entry = Entry((self.number, len(mine)), self.rank(now_us), key, value, removes)
        self.take(entry)
        self.tell(entry)
        return entry

    def take(self, entry: Entry) -> None:
        """Hear of an entry, one's own or another's, the first time."""
        if entry.id[0] >= 0:
            self.by_member[entry.id[0]].append(entry)
        self.top = max(self.top, entry.rank)
        of_key = self.entries.setdefault(entry.key, {})
        for gone in entry.removes:
            self.removed[gone] = True
            of_key.pop(gone, None)
        if entry.value is not None and entry.id not in self.removed:
            of_key[entry.id] = entry
        before = self.values.get(entry.key)
        if of_key:
            self.values[entry.key] = max(of_key.values(), key=Entry.beats).value
        else:  # nothing is left of the key, not even its place among the others
            self.values.pop(entry.key, None)
            del self.entries[entry.key]
        if self.values.get(entry.key) != before:
            self.changed.append(entry.key)

    @property
    def newest(self) -> dict[str, Entry]:
        """Key -> the entry that has the last word."""
        return {key: max(of_key.values(), key=Entry.beats) for key, of_key in self.entries.items() if of_key}

    @property
    def seen(self) -> tuple[int, ...]:
        return tuple(map(len, self.by_member))

    def beyond(self, seen: tuple[int, ...]) -> tuple[Entry, ...]:
        """Entries that somebody who has seen so much has not."""
        return tuple(entry for made, count in zip(self.by_member, seen, strict=True) for entry in made[count:])

    def take_all(self, entries: tuple[Entry, ...]) -> None:
        """Those that are new, and do not come before their time."""
        for entry in entries:
            if entry.id[1] == len(self.by_member[entry.id[0]]):
                self.take(entry)

    def forget(self) -> None:
        """Lose all that is known, but for how many entries of one's own there have been."""
        self.changed += list(self.values)
        self.entries.clear()
        self.removed.clear()
        self.values.clear()
        self.by_member = [made if number == self.number else [] for number, made in enumerate(self.by_member)]

    # -- letters

    @abstractmethod
    def hear(self, sender: int, says: Any, now_us: int) -> None:
        """A letter has come."""

    def tick(self, now_us: int) -> None:  # noqa: B027  # nothing is said twice where nothing is lost
        """Some time has passed."""

    # -- for whoever explores

    def snapshot(self) -> Hashable:
        return (
            tuple(map(tuple, self.by_member)),
            tuple((key, value) for key, value in self.values.items()),
            tuple(entry for of_key in self.entries.values() for entry in of_key.values()),
            tuple(self.removed),
            self.top,
        )

    def restore(self, snapshot: Any) -> None:
        by_member, values, entries, removed, self.top = snapshot
        self.by_member = [list(made) for made in by_member]
        self.values, self.removed = dict(values), dict.fromkeys(removed, True)
        self.entries = {}
        for entry in entries:
            self.entries.setdefault(entry.key, {})[entry.id] = entry
        self.outbox, self.done, self.changed = [], [], []


class One(Kv):
    """A single member: linearizable, and read-change-write over it still loses what was written in between."""

    def rank(self, now_us: int) -> Rank:
        return (0,)

    def tell(self, entry: Entry) -> None:
        """There is nobody else."""

    def hear(self, sender: int, says: Any, now_us: int) -> None:
        raise AssertionError("nobody writes to the only member")

    def take(self, entry: Entry) -> None:
        """What has been overwritten is of no use to anybody."""
        of_key = self.entries.setdefault(entry.key, {})
        of_key.clear()
        self.removed.clear()
        super().take(entry)
        for made in self.by_member:
            made.clear()


class LastWriter(Kv):
    """The latest stamp wins, each member's by its own clock. Written here, said there a little later; what was lost on
    the way is said again."""

    def rank(self, now_us: int) -> Rank:
        return (now_us, self.number)

    def tell(self, entry: Entry) -> None:
        self.outbox.append(Letter(EVERYBODY, ("entries", (entry,))))

    def hear(self, sender: int, says: Any, now_us: int) -> None:
        what, said = says
        if what == "entries":
            self.take_all(said)
        elif what == "seen" and (missing := self.beyond(said)):
            self.outbox.append(Letter(sender, ("entries", missing)))

    def tick(self, now_us: int) -> None:
        if self.of > 1:
            self.outbox.append(Letter(EVERYBODY, ("seen", self.seen)))
