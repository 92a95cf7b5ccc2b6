"""The results of a campaign on disk: a line a run, added in chunks; whoever is killed goes on where the file ends.

The first line says what is run and by which code; results of other code are no part of the campaign. A line that was
cut off in the middle is dropped, and its run made again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

FORMAT: Final = "orderquake campaign"


class StoreError(Exception):
    """Results that are of something else. The text says of what, and what to do."""


class Store:
    """The file of a campaign's results.

    outcomes   seed -> what came of it
    again      seed -> digest of its second run
    spent_s    seconds that all sessions have taken together
    rss        bytes of memory of a worker's process, after each chunk of the whole campaign, in order
    raises     StoreError where the file is of another campaign, or of other code
    """

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self.path = path
        self.outcomes: dict[int, dict[str, Any]] = {}
        self.again: dict[int, str] = {}
        self.spent_s = 0.0
        self.rss: list[int] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        wanted = {"format": FORMAT, **header}
        if path.exists() and path.stat().st_size:
            self._read(wanted)
        if not path.exists() or not path.stat().st_size:
            self._append([wanted])

    def _read(self, wanted: Mapping[str, Any]) -> None:
        whole = 0
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines):
                try:
                    entry = json.loads(line) if line.endswith(b"\n") else None
                except ValueError:
                    entry = None
                if number == 0 and entry != wanted:
                    self._refuse(entry, wanted, is_cut=not line.endswith(b"\n"))
                if entry is None:
                    break
                whole += len(line)
                if number:
                    self._take(entry)
        if whole < self.path.stat().st_size:
            with self.path.open("r+b") as file:
                file.truncate(whole)

    def _refuse(self, entry: Any, wanted: Mapping[str, Any], is_cut: bool) -> None:
        if is_cut and self.path.stat().st_size < 4096:
            return  # killed while it wrote the first line: nothing is lost
        if not isinstance(entry, dict) or entry.get("format") != FORMAT:
            raise StoreError(f"{self.path} holds no results of a campaign. Choose another --out")
        differ = ", ".join(sorted(key for key in wanted if entry.get(key) != wanted[key]))
        raise StoreError(f"{self.path} holds results of another campaign ({differ}). Use --anew, or another --out")

    def _take(self, entry: Mapping[str, Any]) -> None:
        if "run" in entry:
            self.outcomes.setdefault(entry["run"]["seed"], entry["run"])
        elif "again" in entry:
            self.again.setdefault(entry["again"], entry["digest"])
        elif "chunk_s" in entry:
            self.spent_s += entry["chunk_s"]
            self.rss.append(entry["rss"])

    def add(self, outcomes: Iterable[Mapping[str, Any]], again: Mapping[int, str], spent_s: float, rss: int) -> None:
        """Add a chunk; it is on the disk when this returns."""
        entries: list[dict[str, Any]] = [{"run": outcome} for outcome in outcomes]
        entries += [{"again": seed, "digest": digest} for seed, digest in again.items()]
        entries.append({"chunk_s": round(spent_s, 3), "rss": rss})
        self._append(entries)
        for entry in entries:
            self._take(entry)

    def _append(self, entries: Iterable[Mapping[str, Any]]) -> None:
        text = "".join(json.dumps(entry, separators=(",", ":"), ensure_ascii=False) + "\n" for entry in entries)
        with self.path.open("ab") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())


def code_fingerprint() -> str:
    """Sixteen digits that change with any source file of the model, the worlds, the checkers and the campaign."""
    import orderquake.model
    import orderquake.sim

    hashed = hashlib.blake2b(digest_size=8)
    for package in (orderquake.model, orderquake.sim):
        for root in map(Path, package.__path__):
            for path in sorted(root.rglob("*.py")):
                hashed.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return hashed.hexdigest()
