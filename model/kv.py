"""kv: keys and values in a store that several places share, by the strength of what it promises.

A member can get, put, delete and list, and that is all that a function on such a platform can do. What two members
make of two writes of one key is the strength: `One` member stands alone; `LastWriter` believes the latest clock;
Taubyte's store, in `taubyte.py`, believes the longest history. None of them compares before it sets: who reads, changes
and writes back may overwrite what was written in between, whatever the reads promise.

Values are anything that can be hashed. Where two writes tie, the byte-wise larger text wins, as on the real platform.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

from orderquake.model.spread import EVERYBODY, Letter

Id = tuple[int, int]
"""Who made an entry, and the how-manieth of theirs it was."""
Rank = tuple[Any, ...]
Seen = tuple[tuple[int, int], ...]
"""Author and how many of theirs, each."""


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


def newest_of(entries: Iterable[Entry]) -> Entry:
    """The one that has the last word; texts are compared only where ranks tie, which is seldom."""
    newest, *others = entries
    for entry in others:
        if entry.rank > newest.rank or (entry.rank == newest.rank and entry.beats() > newest.beats()):
            newest = entry
    return newest


def as_text(value: Any) -> bytes:
    """A value as a platform compares it: byte by byte. Of counts written as text, 9 is larger than 10.

    >>> max([10, 9], key=as_text)
    9
    """
    return str(value).encode()


OPENING = -1
"""The author of what is there when the day begins: history like any other, to whoever has it not."""


class Kv(ABC):
    """One member: all entries that it has heard of, and for each key the one that has the last word.

    author     under this number it makes entries: its own, and another one after it has forgotten everything
    made       how many it has made under that number
    by_author  all entries that it has heard of
    seen       of each author, how many entries have been heard of without a gap
    last       of each author, the number of the latest entry heard of
    changed    keys whose value is another since somebody last looked
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
        self.author = number
        self.made = 0
        self.by_author: dict[int, dict[int, Entry]] = {}
        self.seen: dict[int, int] = {}
        self.last: dict[int, int] = {}
        self.top: Rank = (0,)
        for count, (key, value) in enumerate((opening or {}).items()):
            self.take(Entry((OPENING, count), (0,), key, value))
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
        entry = Entry((self.author, self.made), self.rank(now_us), key, value, removes)
        self.made += 1
        self.take(entry)
        self.tell(entry)
        return entry

    def take(self, entry: Entry) -> None:
        """Hear of an entry, one's own or another's, the first time."""
        author, number = entry.id
        known = self.by_author.setdefault(author, {})
        known[number] = entry
        self.last[author] = max(number, self.last.get(author, 0))
        count = self.seen.get(author, 0)
        while count in known:
            count += 1
        self.seen[author] = count
        self.top = max(self.top, entry.rank)
        of_key = self.entries.setdefault(entry.key, {})
        for gone in entry.removes:
            self.removed[gone] = True
            of_key.pop(gone, None)
        if entry.value is not None and entry.id not in self.removed:
            of_key[entry.id] = entry
        before = self.values.get(entry.key)
        if of_key:
            self.values[entry.key] = newest_of(of_key.values()).value
        else:  # nothing is left of the key, not even its place among the others
            self.values.pop(entry.key, None)
            del self.entries[entry.key]
        if self.values.get(entry.key) != before:
            self.changed.append(entry.key)

    @property
    def newest(self) -> dict[str, Entry]:
        """Key -> the entry that has the last word."""
        return {key: newest_of(of_key.values()) for key, of_key in self.entries.items() if of_key}

    def made_since(self, made: int) -> list[Entry]:
        """Its own entries but for the first so many."""
        known = self.by_author.get(self.author, {})
        return [known[number] for number in range(made, self.made)]

    @property
    def tells(self) -> Seen:
        """How far it has heard of everybody, for a letter."""
        return tuple(sorted(self.seen.items()))

    def beyond(self, seen: Seen) -> tuple[Entry, ...]:
        """Entries that somebody who has seen so much has not."""
        told = dict(seen)
        return tuple(
            known[number]
            for author, known in self.by_author.items()
            for number in range(told.get(author, 0), self.last[author] + 1)
            if number in known
        )

    def take_all(self, entries: tuple[Entry, ...]) -> None:
        """Those that are new."""
        for entry in entries:
            author, number = entry.id
            if number not in self.by_author.get(author, ()):
                self.take(entry)

    def forget(self) -> None:
        """Lose everything, and be a fresh member from then on, under a number that nobody has had. What was written
        here before, the others may still have; until they have told, whoever asks hears that nothing is there."""
        self.changed += list(self.values)
        self.entries.clear()
        self.removed.clear()
        self.values.clear()
        self.by_author.clear()
        self.seen.clear()
        self.last.clear()
        self.top = (0,)
        self.author += self.of
        self.made = 0

    # -- letters

    @abstractmethod
    def hear(self, sender: int, says: Any, now_us: int) -> None:
        """A letter has come."""

    def tick(self, now_us: int) -> None:  # noqa: B027  # nothing is said twice where nothing is lost
        """Some time has passed."""

    # -- for whoever explores

    def snapshot(self) -> Hashable:
        return (
            (self.author, self.made),
            tuple(entry for known in self.by_author.values() for entry in known.values()),
            tuple((key, value) for key, value in self.values.items()),
            tuple(entry for of_key in self.entries.values() for entry in of_key.values()),
            tuple(self.removed),
            self.top,
        )

    def restore(self, snapshot: Any) -> None:
        (self.author, self.made), heard, values, entries, removed, self.top = snapshot
        self.by_author, self.seen, self.last = {}, {}, {}
        for entry in heard:
            self.by_author.setdefault(entry.id[0], {})[entry.id[1]] = entry
        for author, known in self.by_author.items():
            self.last[author] = max(known)
            self.seen[author] = next(count for count in range(len(known) + 1) if count not in known)
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
        self.by_author.clear()
        self.seen.clear()
        self.last.clear()
        self.made = 0


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
            self.outbox.append(Letter(EVERYBODY, ("seen", self.tells)))
