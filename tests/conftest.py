"""A working directory with a small scenario in it, for tests of the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from orderquake.sim.run import Run

TINY = """schema_version = 1
question = "Does a minute of trade add up?"
horizon = "60 s"
must_exercise = ["charged_once"]
[workload]
kind = "poisson"
rate_per_s = 0.5
[stock]
skus = 5
[jobs.outbound]
every = "20 s"
"""


def write_plainly(run: Run, out: Path, *_: Any, **__: Any) -> Path:
    """What `write_report` leaves, without the pictures, which take seconds."""
    (out / "index.html").write_text("<!doctype html>", encoding="utf-8")
    (out / "results.json").write_text(json.dumps(run.to_json()), encoding="utf-8")
    run.history.write_parquet(out / "history.parquet")
    return out / "index.html"


def summarise_plainly(_: Any, out: Path, *__: Any, **___: Any) -> Path:
    """What `write_summary` leaves, without the pictures."""
    (out / "index.html").write_text("<!doctype html>", encoding="utf-8")
    return out / "index.html"


@pytest.fixture
def with_pictures() -> bool:
    """Overridden by the tests that want the real reports."""
    return False


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_pictures: bool) -> Path:
    """The directory; in it `tiny.toml`, and reports without pictures but where a test wants them."""
    if not with_pictures:
        monkeypatch.setattr("orderquake.sim.report.page.write_report", write_plainly)
        monkeypatch.setattr("orderquake.sim.report.summary.write_summary", summarise_plainly)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORDERQUAKE_TRACEBACK", raising=False)
    (tmp_path / "tiny.toml").write_text(TINY, encoding="utf-8")
    return tmp_path
