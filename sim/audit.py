"""The audit trail: what became of each order and its money, an entry after the other, each sealed over the one before.

A trail is taken from a history. Whoever changes, removes, adds or swaps an entry breaks the chain from there on, and
whoever cuts a chain short, or makes it anew with other seals, no longer meets the head that was published for it. That
every entry belongs to the trail, and nothing else, is a question for the history itself: `compare` asks it.

Which rows: every `state` row that names an order, whoever wrote it: order and sync states, holds and pins, captures
and refunds, posts and shipments, notices. Nothing here judges what an entry says.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from orderquake.sim.history import History, Row

FILE: Final = "audit.jsonl"
FORMAT: Final = "orderquake audit trail"
SCHEMA: Final = 1
BEGIN: Final = "0" * 32
"""What stands before the first entry of an order."""


class TrailError(Exception):
    """A file that is no trail. The text names it, the line, what was found, and what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to an order.

    number   1, 2, 3 ... within the order
    row      where it stands in the history
    time_us  when
    who      service or worker that did it, and `where` it stood
    what     the operation, in the words of the history's vocabulary, and what it `says`: the columns that it fills
    before   seal of the order's entry before this one, `BEGIN` for the first
    seal     32 hexadecimal digits over all of this
    """

    order: str
    number: int
    row: int
    time_us: int
    who: str
    where: str
    what: str
    says: Mapping[str, Any]
    before: str
    seal: str

    def computed(self) -> str:
        """The seal that the entry ought to bear."""
        said = {name: value for name, value in asdict(self).items() if name != "seal"}
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


Trail = Mapping[str, Sequence[Entry]]
"""Order -> its entries, oldest first."""
_APART: Final = frozenset({"index", "time", "kind", "operation", "order", "actor", "place"})
_ABSENT: Final[Mapping[str, Any]] = {"line": -1, "version": -1, "watermark": -1, "deadline": -1, "cause": -1}


def trail_of(history: History) -> dict[str, list[Entry]]:
    """The trail of every order that a history tells of, in the order of their first entries."""
    trail: dict[str, list[Entry]] = defaultdict(list)
    for row in rows_of(history):
        entries = trail[row.order]
        entries.append(sealed(row, len(entries) + 1, entries[-1].seal if entries else BEGIN))
    return dict(trail)


def rows_of(history: History) -> Iterator[Row]:
    """The rows that a trail is made of."""
    table = history.table()
    states = table.at("state")
    return history.rows_at(states[np.flatnonzero(table.order[states] != 0)])


def sealed(row: Row, number: int, before: str) -> Entry:
    """A row as the entry that comes after another."""
    says = {
        name: value
        for name, value in row._asdict().items()
        if name not in _APART and value != _ABSENT.get(name, "" if isinstance(value, str) else 0)
    }
    entry = Entry(row.order, number, row.index, row.time, row.actor, row.place, row.operation, says, before, "")
    return Entry(**{**_fields(entry), "seal": entry.computed()})


def heads_of(trail: Trail) -> dict[str, str]:
    """Order -> the seal of its last entry: what is published, so that nobody can cut a chain or make it anew."""
    return {order: entries[-1].seal for order, entries in trail.items()}


# -- is it whole?


def broken(trail: Trail, heads: Mapping[str, str] | None = None) -> list[str]:
    """What is wrong with a trail in itself and, where `heads` were published, beside them: a sentence each."""
    found = []
    for order, entries in trail.items():
        before = BEGIN
        for number, entry in enumerate(entries, start=1):
            why = _wrong(entry, order, number, before)
            if why:
                found.append(f"order {order}, entry {number} (row {entry.row}): {why}")
                break
            before = entry.seal
        else:
            if heads is not None and before != heads.get(order):
                head = heads.get(order)
                told = "no head was published for it" if head is None else "it ends elsewhere than its published head"
                found.append(f"order {order}: {told}; entries were cut off, added, or sealed anew")
    gone = (order for order in heads or () if order not in trail)
    return found + [f"order {order}: a head was published, and there is no entry" for order in gone]


def _wrong(entry: Entry, order: str, number: int, before: str) -> str:
    if (entry.order, entry.number) != (order, number):
        return f"it says that it is entry {entry.number} of order {entry.order}; entries were removed, added or swapped"
    if entry.before != before:
        return "it does not follow the entry before it; something between them was removed, added or changed"
    return "" if entry.seal == entry.computed() else "its seal does not fit what it says; it was changed"


def compare(trail: Trail, history: History) -> list[str]:
    """What a trail has more or less than the history, or says otherwise: a sentence each; none where it is complete."""
    ours = trail_of(history)
    found = [f"order {order}: the trail does not have it" for order in ours if order not in trail]
    for order, entries in trail.items():
        wanted = ours.get(order, ())
        rows, rows_wanted = {entry.row: entry for entry in entries}, {entry.row: entry for entry in wanted}
        if not wanted:
            found.append(f"order {order}: the history does not have it")
        elif missing := sorted(rows_wanted.keys() - rows.keys()):
            found.append(f"order {order}: row {missing[0]} of the history ({rows_wanted[missing[0]].what}) is missing")
        elif strange := sorted(rows.keys() - rows_wanted.keys()):
            found.append(f"order {order}: row {strange[0]} ({rows[strange[0]].what}) is not in the history")
        elif other := [row for row, entry in rows.items() if entry != rows_wanted[row]]:
            found.append(f"order {order}: row {other[0]} ({rows[other[0]].what}) says something else in the history")
    return found


# -- kept in a file


def write(trail: Trail, path: Path) -> Path:
    """A JSON object a line: first what the file is, with the published heads, then the entries, order by order."""
    first = {"format": FORMAT, "schema_version": SCHEMA, "heads": heads_of(trail)}
    with path.open("w", encoding="utf-8") as lines:
        for thing in (first, *(_fields(entry) for entries in trail.values() for entry in entries)):
            lines.write(json.dumps(thing, separators=(",", ":"), ensure_ascii=False) + "\n")
    return path


def read(path: Path) -> tuple[dict[str, list[Entry]], dict[str, str]]:
    """A trail, and the heads that were published. raises   TrailError where the file is something else"""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TrailError(f"{path} cannot be read ({error}); expected an audit trail") from error
    first, *others = _parsed(lines, path)
    if first.get("format") != FORMAT or not isinstance(first.get("heads"), dict):
        raise TrailError(f'{path} is something else; expected a file whose first line has the format "{FORMAT}"')
    if first.get("schema_version") != SCHEMA:
        raise TrailError(f"{path} has schema_version {first.get('schema_version')!r}; this version reads {SCHEMA}")
    trail: dict[str, list[Entry]] = defaultdict(list)
    for number, said in enumerate(others, start=2):
        try:
            entry = Entry(**said)
        except TypeError as error:
            raise TrailError(f"{path}, line {number}: no entry of a trail ({error})") from error
        trail[entry.order].append(entry)
    return dict(trail), first["heads"]


def _parsed(lines: Iterable[str], path: Path) -> list[dict[str, Any]]:
    parsed = []
    for number, line in enumerate(lines, start=1):
        try:
            said = json.loads(line)
        except ValueError as error:
            raise TrailError(f"{path}, line {number}: no JSON ({error}); was it cut off?") from error
        if not isinstance(said, dict):
            raise TrailError(f"{path}, line {number}: expected a JSON object")
        parsed.append(said)
    if not parsed:
        raise TrailError(f"{path} is empty; expected an audit trail")
    return parsed


def _fields(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in Entry.__slots__}
