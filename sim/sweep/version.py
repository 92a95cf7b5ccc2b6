"""What makes an old result worthless: the digest of every source and library that could change a number of a run.

A cell that was played by other code is another cell. Pages, verbs and searches change no number, and are left out.
"""

from __future__ import annotations

import hashlib
import inspect
import platform
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import CodeType
from typing import Any, Final

from orderquake.model.architecture import Architecture

LIBRARIES: Final = ("numpy", "scipy", "pandas", "simpy", "pydantic")
"""Whose draws, sums and readings of a file stand between a scenario and a number."""

TELLING: Final = frozenset({"explore", "report", "verbs", "sweep"})
"""Rooms of `sim` that tell, look for something else, or choose and keep the cells."""
PLAYS: Final = "sweep/cell.py"


@cache
def model_version() -> str:
    """Sixteen digits that change with the model, the worlds, the checkers, the measures, Python, and its libraries."""
    import orderquake.model
    import orderquake.sim

    # Simplified: the processor is not looked at; matters when machines of a cluster, or of two halves of a sweep, round
    # a logarithm differently.
    hashed = hashlib.sha256(platform.python_version().encode())
    for library in LIBRARIES:
        hashed.update(f"{library} {version(library)}\n".encode())
    for package in (orderquake.model, orderquake.sim):
        for root in map(Path, package.__path__):
            for path in sorted(root.rglob("*")):
                name = path.relative_to(root).as_posix()
                if path.suffix in (".py", ".csv", ".gz") and not _tells(name):
                    hashed.update(f"{package.__name__}/{name}\0".encode() + path.read_bytes())
    return hashed.hexdigest()[:16]


def _tells(name: str) -> bool:
    return name.partition("/")[0] in TELLING and name != PLAYS


def design_version(on: str | type[Architecture]) -> str:
    """Nothing for a design that comes along, for its source is in `model_version`; else what tells its code from other:
    its module, and its own classes."""
    # Simplified: what a design of one's own calls in other files is not looked at; matters when those files change
    # while a sweep goes on.
    from orderquake.model.architectures import ARCHITECTURES
    from orderquake.sim.run import design_of

    design = design_of(on)
    if ARCHITECTURES.get(design.name) is design:
        return ""
    hashed = hashlib.sha256()
    for kind in design.__mro__:
        if kind.__module__.startswith("orderquake.model.") or kind is object:
            continue
        if (source := _source_of(kind)) is not None:
            hashed.update(source)
        for name, value in sorted(vars(kind).items()):
            hashed.update(f"{kind.__qualname__}.{name}\n".encode())
            for part in _code_of(value):
                hashed.update(part)
    return hashed.hexdigest()[:16]


def _source_of(kind: type) -> bytes | None:
    module = sys.modules.get(kind.__module__)
    path = getattr(module, "__file__", None)
    if path is None or kind.__module__ == "__main__":
        return None
    try:
        return Path(inspect.getsourcefile(kind) or path).read_bytes()
    except (OSError, TypeError):
        return None


def _code_of(value: Any) -> Iterator[bytes]:
    """What a method does, wherever it stands: instructions, names and constants."""
    function = getattr(value, "__func__", value)
    code = function if isinstance(function, CodeType) else getattr(function, "__code__", None)
    if isinstance(code, CodeType):
        yield code.co_code + repr(code.co_names).encode()
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from _code_of(constant)
            else:
                yield repr(constant).encode()
    elif isinstance(value, str | int | float | frozenset | tuple):
        yield repr(sorted(map(repr, value)) if isinstance(value, frozenset) else value).encode()
