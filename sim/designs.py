"""Designs by their names: those that come along, those that somebody has registered, one's own, and planted bugs.

Planted bugs are for those who hunt, and for their tests. So only they look here; who plays a day by its name (`run`)
finds sound designs and no others.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from difflib import get_close_matches

from orderquake.model.architecture import Architecture
from orderquake.sim.run import design_of


def planted() -> Mapping[str, type[Architecture]]:
    """The planted bugs by name; nobody who does not ask imports them."""
    found: Mapping[str, type[Architecture]] = importlib.import_module("orderquake.model.mutants").MUTANTS
    return found


def breaking() -> tuple[str, ...]:
    """Names of the planted bugs that break a promise; a few make no difference, and nobody can find those."""
    harmless: Mapping[str, str] = importlib.import_module("orderquake.model.mutants").EQUIVALENT
    return tuple(name for name in planted() if name not in harmless)


def design_named(name: str) -> type[Architecture]:
    """A design by its name, a planted bug by its own, or a class as "package.module:Class".

    raises   KeyError where there is none; its text names those that sound like it
    """
    if ":" in name:
        return _class_at(name)
    try:
        return design_of(name)
    except KeyError as error:
        mutants = planted()
        if name in mutants:
            return mutants[name]
        near = get_close_matches(name, mutants, 3)
        raise KeyError(
            str(error.args[0]) + (f"; planted bugs that sound like it: {', '.join(near)}" if near else "")
        ) from None


def _class_at(name: str) -> type[Architecture]:
    module, _, found = name.partition(":")
    try:
        design = getattr(importlib.import_module(module), found)
    except (ImportError, AttributeError) as error:
        raise KeyError(f"no architecture {name!r}: {error}") from error
    if not (isinstance(design, type) and issubclass(design, Architecture)):
        raise KeyError(f"{name!r} is no architecture")
    return design


def path_of(design: type[Architecture]) -> str:
    """How to find the class again: "package.module:Class"."""
    return f"{design.__module__}:{design.__qualname__}"
