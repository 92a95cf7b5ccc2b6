"""Every example in a docstring is run. A walk of our own: pytest's would misname the rooms."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    ".".join(["orderquake", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__")
    for room in ("model", "sim")
    for path in (ROOT / room).rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert not failed, f"{failed} examples in {name} say something else; the differences are printed above"
