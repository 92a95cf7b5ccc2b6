"""What must be absent: imports across rooms, awaits where a kill would have to wait, rooms nobody ships."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
from importlinter import cli

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {"orderquake.model": ROOT / "model", "orderquake.sim": ROOT / "sim"}
SUSPECTS = (ast.Await, ast.AsyncFor, ast.AsyncWith)


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOMS, include_external_packages=True, cache_dir=None)


def sources(room: Path) -> list[Path]:
    return sorted(path for path in room.rglob("*.py") if "__pycache__" not in path.parts)


def guarded_awaits(tree: ast.AST) -> Iterator[int]:
    """Lines with an await that a killed flow would still have to run, or that an exception leads to."""
    for node in ast.walk(tree):
        guarded: list[ast.stmt] = []
        match node:
            case ast.Try() | ast.TryStar():
                guarded = [*node.finalbody, *node.handlers]  # type: ignore[list-item]
            case ast.With():
                guarded = node.body
            case ast.AsyncWith():
                yield node.lineno
                guarded = node.body
        for statement in guarded:
            yield from (inner.lineno for inner in ast.walk(statement) if isinstance(inner, SUSPECTS))


def test_the_import_contracts_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert cli.lint_imports(no_cache=True) == cli.EXIT_STATUS_SUCCESS, "the broken contracts are printed above"


def test_a_checker_imports_only_the_history_and_numpy(imports: grimp.ImportGraph) -> None:
    checkers = {"orderquake.sim.checkers"} | imports.find_descendants("orderquake.sim.checkers")
    allowed = checkers | {"orderquake.sim.history", "numpy"} | sys.stdlib_module_names
    strangers = {
        f"{checker} imports {imported}"
        for checker in checkers
        for imported in imports.find_modules_directly_imported_by(checker) - allowed
    }
    assert not strangers


@pytest.mark.parametrize("path", sources(ROOMS["orderquake.model"]), ids=lambda path: path.stem)
def test_no_effect_is_awaited_where_a_kill_would_have_to_wait(path: Path) -> None:
    lines = sorted(set(guarded_awaits(ast.parse(path.read_text(encoding="utf-8")))))
    assert not lines, f"{path.relative_to(ROOT)}: await under finally, with or except in lines {lines}"


@pytest.mark.parametrize(
    "body",
    [
        "try:\n  pass\n finally:\n  await ask",
        "try:\n  pass\n except OSError:\n  await ask",
        "with lock:\n  await ask",
        "async with lock:\n  pass",
        "try:\n  pass\n finally:\n  async for row in rows:\n   pass",
    ],
)
def test_a_guarded_await_is_seen(body: str) -> None:
    assert list(guarded_awaits(ast.parse(f"async def flow():\n {body}")))


def test_an_await_in_the_open_is_allowed() -> None:
    body = "try:\n  await ask\n except OSError:\n  pass\n else:\n  await ask\n with lock:\n  pass\n await ask"
    assert not list(guarded_awaits(ast.parse(f"async def flow():\n {body}")))


def test_every_room_on_disk_is_shipped() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    on_disk = {
        ".".join([name, *path.parent.relative_to(folder).parts])
        for name, folder in ROOMS.items()
        for path in sources(folder)
    }
    assert set(settings["packages"]) == on_disk
    assert settings["package-dir"] == {name: folder.name for name, folder in ROOMS.items()}


def test_every_room_opens_with_a_sentence() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for folder in ROOMS.values()
        for room in sorted({path.parent for path in sources(folder)})
        if not (path := room / "__init__.py").exists() or not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert not silent


def test_the_locks_hold_hashes_and_no_address() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / lock).read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert not [line for line in text.splitlines() if "://" in line or line.startswith("--")], lock
        assert "\nsetuptools==" in text, f"{lock}: the editable install builds without isolation"
