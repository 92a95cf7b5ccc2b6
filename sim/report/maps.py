"""Maps of a sweep: two things that were varied, and at each crossing a number in a field that is darker for more.

One hue from light to dark, so that no eye is asked to tell colours apart, and the number itself in every field. Along a
single path there are lines with their intervals instead. How figures look is in `drawing.py`; nothing is measured here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from orderquake.sim.report import words
from orderquake.sim.report.compare import in_words
from orderquake.sim.report.drawing import DASHES, INK, MUTED, PETROFF, Draw, Format, canvas_of, entitle, legend, ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

LIGHT, MIDDLE, DARK = "#f7f2e8", "#7f9fce", "#1d3461"
MOST_PANELS = 24
MOST_LINES = 6
MARKERS = ("o", "s", "D", "^", "v", "P")


class Value(NamedTuple):
    """What stands at a point: a number and its interval; `word` is written in the field, `more` below it.

    value   NaN where nothing is claimed
    """

    value: float
    low: float
    high: float
    word: str
    more: str = ""


class Panel(NamedTuple):
    """One map, or one line: what it is of, and a value for each point.

    at   (x, y) -> value; along a single path, y is 0. Places count from 0 where the axis has values, else they are
         places on it
    """

    title: str
    at: Mapping[tuple[float, float], Value]


class Scale(NamedTuple):
    """An axis: its name, and the labels of its values in their order; without any it is a stretch from low to high."""

    name: str
    labels: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    is_log: bool = False
    unit: str = ""

    @property
    def is_stretch(self) -> bool:
        return not self.labels


def maps(panels: Sequence[Panel], x: Scale, y: Scale, unit: str) -> Draw:
    """A map a panel, all in one scale of darkness."""

    def draw(form: Format) -> Canvas:
        shown = list(panels[:MOST_PANELS])
        across = min(len(shown), 1 if not form.is_wide or len(x.labels) > 6 else 3 if len(x.labels) <= 4 else 2)
        down = math.ceil(len(shown) / across)
        is_scatter = x.is_stretch or y.is_stretch
        high = 260.0 if is_scatter else form.letter * (_lines(shown) * len(y.labels) + 3)
        letters = int(form.width / across / form.letter * 1.4)
        lines_of_title = 1 + max(len(panel.title) for panel in shown) // letters
        canvas = canvas_of(form, down * (high + form.letter * (3 + 1.2 * lines_of_title)) + 20)
        grid = np.atleast_1d(canvas.subplots(down, across, sharex=True, sharey=True, squeeze=False)).ravel()
        colour = _shades([value.value for panel in shown for value in panel.at.values()], is_share=unit == "share")
        for place, panel in zip(grid, shown, strict=False):
            (_scatter if is_scatter else _fields)(place, panel, x, y, colour, form, across)
            entitle(place, fill(panel.title, letters))
        for place in grid[len(shown) :]:
            place.set_axis_off()
        canvas.supxlabel(x.name, color=MUTED, fontsize="medium")
        canvas.supylabel(y.name, color=MUTED, fontsize="medium")
        return canvas

    return draw


def _lines(panels: Sequence[Panel]) -> float:
    """How high a field is, in letters."""
    most = max((value.more.count("\n") for panel in panels for value in panel.at.values()), default=0)
    return 3.3 + 0.9 * most


def _shades(values: Sequence[float], *, is_share: bool) -> Callable[[float], tuple[str, str]]:
    """From a value to the colour of its field, and that of the letters in it."""
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    ramp = LinearSegmentedColormap.from_list("more", [LIGHT, MIDDLE, DARK])
    claimed = [value for value in values if not math.isnan(value)]
    low, high = (0.0 if is_share else min(claimed), max(claimed)) if claimed else (0.0, 1.0)

    def of(value: float) -> tuple[str, str]:
        if math.isnan(value):
            return "#ffffff", MUTED
        shade = ramp((value - low) / (high - low) if high > low else 0.0)
        # Black and white letters are equally clear on a ground of luminance 0.179: WCAG 2.1, success criterion 1.4.3.
        return to_hex(shade), "#ffffff" if _luminance(shade) < 0.179 else "#000000"

    return of


def _luminance(colour: Sequence[float]) -> float:
    """Relative luminance: WCAG 2.1, from sRGB."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _fields(
    panel: Axes, made: Panel, x: Scale, y: Scale, colour: Callable[[float], tuple[str, str]], form: Format, across: int
) -> None:
    from matplotlib.patches import Rectangle

    panel.grid(visible=False)
    narrow = form.width / across / max(len(x.labels), 1) < form.letter * 7
    for (column, row), value in made.at.items():
        shade, ink = colour(value.value)
        hatch = "///" if math.isnan(value.value) else None
        panel.add_patch(
            Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=shade, edgecolor="#fbfaf7", linewidth=1.5, hatch=hatch)
        )
        text = f"{value.word}\n{value.more}" if value.more and not narrow else value.word
        size = "x-small" if narrow or value.more else "small"
        panel.text(column, row, text, ha="center", va="center", color=ink, fontsize=size, linespacing=1.15)
    panel.set_xlim(-0.5, len(x.labels) - 0.5)
    panel.set_ylim(-0.5, len(y.labels) - 0.5)
    panel.set_xticks(range(len(x.labels)), x.labels)
    panel.set_yticks(range(len(y.labels)), y.labels)


def _scatter(
    panel: Axes, made: Panel, x: Scale, y: Scale, colour: Callable[[float], tuple[str, str]], form: Format, across: int
) -> None:
    is_named = len(made.at) <= (40 if form.is_wide else 16)
    for (across_, up), value in made.at.items():
        panel.plot(
            across_,
            up,
            marker="o",
            markersize=9,
            color=colour(value.value)[0],
            markeredgecolor=INK,
            markeredgewidth=0.6,
        )
        if is_named:
            panel.annotate(
                value.word, (across_, up), xytext=(0, 7), textcoords="offset points", ha="center", fontsize="x-small",
                color=INK,
            )  # fmt: skip
    _stretch(panel, x, "x")
    _stretch(panel, y, "y")


def _stretch(panel: Axes, scale: Scale, which: str) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axis: Any = panel.xaxis if which == "x" else panel.yaxis
    limit: Any = panel.set_xlim if which == "x" else panel.set_ylim
    if not scale.is_stretch:
        limit(-0.5, len(scale.labels) - 0.5)
        axis.set_major_locator(FixedLocator(list(range(len(scale.labels)))))
        axis.set_ticklabels(scale.labels)
        return
    if scale.is_log:
        (panel.set_xscale if which == "x" else panel.set_yscale)("log")
        axis.set_major_locator(FixedLocator(list(np.geomspace(scale.low, scale.high, 4))))
        axis.set_minor_locator(NullLocator())
        limit(scale.low / 1.15, scale.high * 1.15)
    else:
        room = (scale.high - scale.low) * 0.06
        axis.set_major_locator(ticks(4))
        limit(scale.low - room, scale.high + room)
    axis.set_major_formatter(FuncFormatter(lambda value, _: in_words(value, scale.unit)))


def lines(panels: Sequence[Panel], x: Scale, unit: str) -> Draw:
    """A line a panel along one path, with the interval at each point; single points where the path is a stretch."""

    def draw(form: Format) -> Canvas:
        from matplotlib.ticker import FuncFormatter

        canvas = canvas_of(form, 260 if form.is_wide else 230)
        panel = canvas.subplots()
        shown = list(panels[:MOST_LINES])
        for number, (made, colour, dash, marker) in enumerate(zip(shown, PETROFF, DASHES, MARKERS, strict=False)):
            aside = 0.0 if x.is_stretch else 0.05 * (number - (len(shown) - 1) / 2)
            points = sorted((place, value) for (place, _), value in made.at.items() if not math.isnan(value.value))
            if not points:
                continue
            along = np.array([place + aside for place, _ in points])
            middle, low, high = (np.array([getattr(value, part) for _, value in points]) for part in Value._fields[:3])
            panel.errorbar(
                along, middle, yerr=(np.maximum(middle - low, 0), np.maximum(high - middle, 0)), color=colour,
                linestyle="" if x.is_stretch else dash, marker=marker, markersize=5.5, markeredgecolor="white",
                markeredgewidth=0.6, linewidth=1.8, elinewidth=1, capsize=3, label=made.title or None,
            )  # fmt: skip
        _stretch(panel, x, "x")
        panel.set_xlabel(x.name)
        lowest = min((value.low for made in shown for value in made.at.values() if value.low == value.low), default=0.0)
        if lowest >= 0:
            panel.set_ylim(bottom=0)
        panel.yaxis.set_major_locator(ticks(5))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: in_words(value, unit).replace("-", words.MINUS)))
        if any(made.title for made in shown):
            legend(panel, 3 if form.is_wide else 1)
        return canvas

    return draw
