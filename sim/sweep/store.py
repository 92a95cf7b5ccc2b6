"""Where the results of a sweep lie: a folder, in it a file for each finished cell, named after the cell.

A file is written beside its place and moved there in one step, so whoever kills a sweep finds whole files or none, and
the same sweep goes on with what is missing. Nothing is played or drawn here.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from orderquake.sim.asked import Mistake
from orderquake.sim.runs import OutError
from orderquake.sim.sweep.cell import MEASURES, Cell, Finished, Reading, canonical

FORMAT: Final = "orderquake sweep 1"
HEADER, CELLS, FAILED = "sweep.json", "cells", "failed"
_KEY: Final = b"orderquake"
_PARTIAL: Final = re.compile(r"\..+\.(\d+)\.partial")
"""What a process is writing, with its number."""
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_SCHEMA: Final = pa.schema(
    [
        ("seed", pa.int64()),
        ("digest", pa.string()),
        ("verdict", pa.string()),
        ("broken", pa.list_(pa.string())),
        ("notes", pa.list_(pa.string())),
        *((name, pa.float64()) for name in MEASURES),
    ]
)


class Stopped(Mistake):
    """The sweep could not go on. All finished cells are kept; the text says what to do before it is called again."""


class Store:
    """The folder of one sweep.

    header   what the sweep asks, as JSON
    raises   OutError where the folder holds something else
    """

    def __init__(self, folder: Path, header: Mapping[str, Any]) -> None:
        self.folder = folder
        self.header = {"format": FORMAT, **header}
        self.is_new = self._check()
        with self._room():
            for room in (CELLS, FAILED):
                (folder / room).mkdir(parents=True, exist_ok=True)
            self._tidy()
            if self.is_new:
                self.put(HEADER, (json.dumps(self.header, indent=1, ensure_ascii=False) + "\n").encode())

    def _check(self) -> bool:
        """Is nothing here yet?"""
        folder = self.folder
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise OutError(f"--out {folder} is not a folder; expected one that is absent, empty, or of this sweep")
        if folder.resolve() == Path.cwd():
            raise OutError(f"--out {folder} is the working directory; expected a folder of its own")
        names = [path.name for path in folder.iterdir() if not _PARTIAL.fullmatch(path.name)] if folder.exists() else []
        if not names:
            return True
        try:
            found = json.loads((folder / HEADER).read_bytes())
        except FileNotFoundError:
            # Killed between the making of the rooms and the header, or somebody else's folder.
            if set(names) <= {CELLS, FAILED}:
                return True
            found = f"--out {folder} holds no sweep; expected a folder that is absent, empty, or of this sweep"
            raise OutError(f"{found}. Choose another name") from None
        except (OSError, ValueError):
            found = None
        wanted = json.loads(json.dumps(self.header))
        if found != wanted:
            known = found if isinstance(found, dict) else {}
            differ = [key for key in sorted({*known, *wanted}) if known.get(key) != wanted.get(key)]
            told = ", ".join(differ) if known else f"its {HEADER} cannot be read"
            raise OutError(
                f"--out {folder} belongs to another sweep ({told}); expected a folder of this one. "
                "Choose another name, or give the command that it was made by"
            )
        return False

    def _tidy(self) -> None:
        """Take away what a killed process was writing."""
        for room in (self.folder, self.folder / CELLS, self.folder / FAILED):
            for path in room.iterdir():
                if (partial := _PARTIAL.fullmatch(path.name)) and not _is_alive(int(partial[1])):
                    path.unlink(missing_ok=True)

    # -- cells

    def path_of(self, identity: str) -> Path:
        return self.folder / CELLS / f"{identity}.parquet"

    def keep(self, finished: Finished, cell: Cell) -> None:
        """Write a finished cell; it is there, whole, when this returns. raises   Stopped where that is impossible"""
        if finished.failed:
            said = {"cell": cell.number, "on": cell.on, "settings": dict(cell.settings), "failed": finished.failed}
            text = json.dumps({**said, "how": finished.how}, indent=1, ensure_ascii=False)
            self.put(f"{FAILED}/{cell.identity}.json", f"{text}\n".encode())
            return
        about = {
            "identity": cell.identity, "on": cell.on, "settings": dict(cell.settings),
            "seeds": [cell.seeds.start, cell.seeds.stop],
        }  # fmt: skip
        self.put(f"{CELLS}/{cell.identity}.parquet", parquet(readings_table(finished.readings, about)))
        with contextlib.suppress(OSError):
            (self.folder / FAILED / f"{cell.identity}.json").unlink(missing_ok=True)

    def read(self, cell: Cell) -> tuple[Reading, ...] | None:
        """What a cell came to; None where it is not there, or its file is damaged and it must be played again."""
        path = self.path_of(cell.identity)
        try:
            table = pq.read_table(io.BytesIO(path.read_bytes()))
            about = json.loads((table.schema.metadata or {})[_KEY])
            readings = tuple(_reading(row) for row in table.to_pylist())
        except (OSError, ValueError, KeyError, pa.ArrowException):
            return None
        is_right = about["identity"] == cell.identity and [one.seed for one in readings] == list(cell.seeds)
        return readings if is_right else None

    def missing(self, cells: Iterable[Cell]) -> list[Cell]:
        """Cells that are still to be played, in their order."""
        return [cell for cell in cells if self.read(cell) is None]

    def failure(self, cell: Cell) -> str:
        """Why a cell could not be played, the last time that it was tried."""
        try:
            said = json.loads((self.folder / FAILED / f"{cell.identity}.json").read_bytes())
        except (OSError, ValueError):
            return ""
        return str(said["failed"])

    def others(self, cells: Iterable[Cell]) -> int:
        """Finished cells that are none of these: of other code, as a rule."""
        known = {cell.identity for cell in cells}
        return sum(path.stem not in known for path in (self.folder / CELLS).glob("*.parquet"))

    # -- files

    def put(self, name: str, data: bytes) -> Path:
        """A file that is whole or not there. raises   Stopped where it cannot be written"""
        place = self.folder / name
        beside = place.with_name(f".{place.name}.{os.getpid()}.partial")
        with self._room():
            try:
                beside.write_bytes(data)
                beside.replace(place)
            except BaseException:
                with contextlib.suppress(OSError):
                    beside.unlink(missing_ok=True)
                raise
        return place

    @contextlib.contextmanager
    def _room(self) -> Any:
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                found = f"there is no room left at {self.folder} ({error.strerror})"
                move = "make room"
            else:
                found = f"{error.filename or self.folder} cannot be written ({error.strerror})"
                move = "let it be written"
            raise Stopped(f"{found}; finished cells are kept. Then {move}, and give the same command again") from error


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return process != os.getpid()


def readings_table(readings: Iterable[Reading], about: Mapping[str, Any]) -> pa.Table:
    """A row a run."""
    rows = [
        {
            "seed": one.seed,
            "digest": one.digest,
            "verdict": one.verdict,
            "broken": list(one.broken),
            "notes": list(one.notes),
            **one.measures,
        }
        for one in readings
    ]
    return pa.Table.from_pylist(rows, _SCHEMA.with_metadata({_KEY: canonical(about)}))


def _reading(row: Mapping[str, Any]) -> Reading:
    measures = {name: float(row[name]) for name in MEASURES}
    return Reading(row["seed"], row["digest"], row["verdict"], tuple(row["broken"]), tuple(row["notes"]), measures)


def parquet(table: pa.Table) -> bytes:
    """The same bytes for the same table, whoever writes it."""
    pages = io.BytesIO()
    pq.write_table(table, pages, compression="zstd", store_schema=True)
    return pages.getvalue()
