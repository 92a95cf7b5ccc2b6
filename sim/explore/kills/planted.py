"""What a planted bug says of itself: its docstring has a fixed form, and here it is taken apart.

Nothing is run here.
"""

from __future__ import annotations

import inspect
import re
from typing import NamedTuple

from orderquake.model.architecture import Architecture
from orderquake.model.mutants import EQUIVALENT, MUTANTS, ONE_ROUTE

FORM = re.compile(
    r"Breaks: (?P<breaks>.+?) (?P<source>(?:Seen|Found|Argued)\b.+?)"
    r"(?: Caught by `(?P<checker>\w+)` in `(?P<day>\w+)`)?\.$"
)


class Planted(NamedTuple):
    """One planted bug.

    breaks       the rule that it breaks, and how
    source       where it was seen, or found
    checker      who catches it, and in which `day`; "" of what breaks no promise
    equivalent   why it breaks no promise, "" where it does
    one_route    why only one route can kill it, "" where two do
    """

    name: str
    kind: type[Architecture]
    breaks: str
    source: str
    checker: str
    day: str
    equivalent: str = ""
    one_route: str = ""

    @property
    def design(self) -> str:
        """The sound design that it is one breath away from."""
        from orderquake.model.architectures import ARCHITECTURES

        return next(name for base in self.kind.__mro__ for name, sound in ARCHITECTURES.items() if base is sound)


def planted(name: str) -> Planted:
    """What the mutant of a name says. raises   KeyError where there is none, ValueError where it does not say"""
    kind = MUTANTS[name]
    said = FORM.fullmatch(" ".join((inspect.getdoc(kind) or "").split()))
    if said is None:
        raise ValueError(
            f'{name} does not say what it is; expected a docstring of the form "Breaks: .... Seen in .... Caught by '
            '`checker` in `scenario`."'
        )
    return Planted(
        name,
        kind,
        said["breaks"],
        said["source"],
        said["checker"] or "",
        said["day"] or "",
        EQUIVALENT.get(name, ""),
        ONE_ROUTE.get(name, ""),
    )
