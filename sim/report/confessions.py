"""What the product admits to leave out: every `# Simplified: …` in the sources, collected when a report is written."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

_MARK = "# Simplified:"
_PACKAGES = ("orderquake.model", "orderquake.sim")


class Confession(NamedTuple):
    """where is the file, as a path below the product's name."""

    text: str
    where: str


def confessions(packages: tuple[str, ...] = _PACKAGES) -> list[Confession]:
    """Every confession in the packages, by file and place. A package that is not installed has nothing to say."""
    found: list[Confession] = []
    for package in packages:
        try:
            root = files(package)
        except ModuleNotFoundError:
            continue
        for where, source in _sources(root, package.rpartition(".")[2]):
            found.extend(Confession(text, where) for text in confessed(source))
    return found


def confessed(source: str) -> list[str]:
    """The confessions of one file; comment lines that follow directly belong to the sentence.

    >>> confessed("x = 1\\n# Simplified: one warehouse; matters when\\n# goods travel.\\ny = 2")
    ['one warehouse; matters when goods travel.']
    """
    found: list[str] = []
    is_open = False
    for line in map(str.strip, source.splitlines()):
        if line.startswith(_MARK):
            found.append(line.removeprefix(_MARK).strip())
            is_open = True
        elif is_open and line.startswith("# "):
            found[-1] += " " + line.removeprefix("# ").strip()
        else:
            is_open = False
    return [text.replace("`", "") for text in found]


def _sources(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _sources(entry, f"{path}/{entry.name}")
        elif entry.name.endswith(".py"):
            yield f"{path}/{entry.name}", entry.read_text(encoding="utf-8")
