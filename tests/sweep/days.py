"""Small sweeps for tests: days of a few milliseconds, and the words that ask for them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from orderquake.sim.sweep import Swept, sweep

SMALL: Final[Mapping[str, Any]] = {"workload.rounds": 2, "stock.skus": 2, "horizon": "20 s", "quiet_limit": "20 min"}
"""`last_unit`, for two units: some 30 ms a run."""

VARIED: Final = {"policy.reservation_ttl": ["2 s", "2 min"], "workload.buyers": [1, 2, 3]}
TABLES: Final = ("sweep.parquet", "sweep.csv", "runs.parquet")
ROOT: Final = Path(__file__).parents[2]


def made(out: Path, **options: Any) -> Swept:
    """Six cells of two runs, unless something else is said."""
    given: dict[str, Any] = {"vary": VARIED, "settings": SMALL, "runs": 2, "engine": "serial", **options}
    return sweep("last_unit", out=out, **given)


def tables(folder: Path) -> dict[str, bytes]:
    """What was put together, byte by byte."""
    return {name: (folder / name).read_bytes() for name in TABLES}


def words(out: Path | str, *more: str) -> list[str]:
    """The same question on the command line."""
    varied = [f"--vary={path}={','.join(map(str, values))}" for path, values in VARIED.items()]
    settings = [f"--set={path}={value}" for path, value in SMALL.items()]
    return ["sweep", "last_unit", *varied, *settings, "--runs=2", f"--out={out}", *more]


def begun(program: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A Python process of its own, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
