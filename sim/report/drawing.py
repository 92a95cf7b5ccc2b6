"""How a report draws: matplotlib in, a scrap of SVG out that any page may hold.

Each figure is drawn twice, for a desk and for a pocket, and the page shows the one that fits. Same numbers, same bytes:
no date, no random ids. Colours are those of petroff6, and whatever a colour says is also said by a dash, a hatch, a
marker or a word. What the figures show is next door, in `figures.py`; nothing is measured here.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from orderquake.sim.report import words
from orderquake.sim.study.measures import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

BLUE, ORANGE, RED, PURPLE, GREY, VIOLET = "#5790fc", "#f89c20", "#e42536", "#964a8b", "#9c9ca1", "#7a21dd"
PETROFF = (BLUE, ORANGE, RED, PURPLE, GREY, VIOLET)
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)), (0, (9, 2)), (0, (3, 3)))
INK, MUTED, RULE, SHADE = "#22262b", "#59616b", "#d9d3c7", "#f3e6d3"
HOUR, MINUTE, DAY = 3600.0, 60.0, 86_400.0

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "orderquake",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#ebe6dc",
    "grid.linewidth": 0.8,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "ytick.major.size": 0,
    "xtick.major.size": 3,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "hatch.linewidth": 0.7,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


class Format(NamedTuple):
    """How wide a drawing is (points), and how large its letters."""

    name: str
    width: float
    letter: float

    @property
    def is_wide(self) -> bool:
        return self.name == "wide"


FORMATS = (Format("wide", 720.0, 10.5), Format("narrow", 276.0, 9.0))
Draw: TypeAlias = Callable[[Format], "Canvas"]


class Picture(NamedTuple):
    """One figure of the page. says is what it shows, in words, for those who do not see it."""

    name: str
    says: str
    svg: Mapping[str, str]


def picture(name: str, says: str, draw: Draw) -> Picture:
    """Draw one figure in every format."""
    import matplotlib as mpl

    drawn = {}
    for form in FORMATS:
        style: Any = {**_STYLE, "font.size": form.letter}
        with mpl.rc_context(style):
            drawn[form.name] = _scrap(draw(form), f"{name}-{form.name}", says)
    return Picture(name, says, drawn)


def canvas_of(form: Format, height: float) -> Canvas:
    from matplotlib.figure import Figure as Canvas

    return Canvas(figsize=(form.width / 72, height / 72), layout="constrained")


def _scrap(canvas: Canvas, name: str, says: str) -> str:
    """The drawing as one <svg> element: no prologue, no name spaces, and only those ids that it refers to itself."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    FigureCanvasSVG(canvas)
    pages = io.StringIO()
    canvas.savefig(pages, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = pages.getvalue()
    box = re.search(r'viewBox="([^"]+)"', text)
    assert box is not None, "matplotlib wrote an SVG without a viewBox"
    body = text[text.index(">", box.end()) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = body.replace("xlink:href", "href")
    # Ids are numbered anew: matplotlib names them by a hash over every last bit of a coordinate.
    order = dict.fromkeys(re.findall(r'(?:url\(#|href="#)([^)"]+)', body))
    new = {old: f"{name}-{number}" for number, old in enumerate(order)}
    body = re.sub(r' id="([^"]+)"', lambda found: f' id="{new[found[1]]}"' if found[1] in new else "", body)
    body = re.sub(r'(url\(#|href="#)([^)"]+)', lambda found: found[1] + new[found[2]], body)
    body = re.sub(r"font-family: [^;\"]+;? ?", "", body)
    body = re.sub(r"(-?\d+\.\d{2})\d+", r"\1", body)  # a hundredth of a point is finer than any screen
    body = re.sub(r"\s*\n\s*", " ", body)
    return f'<svg viewBox="{box[1]}" role="img" aria-label="{escape(says, quote=True)}">{body.strip()}'


# ---------------------------------------------------------------- time and faults


class Clock(NamedTuple):
    """The stretch of simulated time a figure shows, in the unit its axis counts in."""

    since_us: int
    until_us: int

    @property
    def unit(self) -> tuple[float, str]:
        length = (self.until_us - self.since_us) / 1e6
        if length <= 5 * MINUTE:
            return 1.0, "seconds"
        if length <= 4 * HOUR:
            return MINUTE, "minutes"
        return (HOUR, "hours") if length <= 4 * DAY else (DAY, "days")

    def of(self, seconds: Any) -> Any:
        """Seconds as a place on the axis."""
        return np.asarray(seconds, dtype=float) / self.unit[0]


def numbered(windows: Sequence[Window]) -> list[tuple[str, list[Window]]]:
    """Faults with the tag that figures and table share: one tag for all windows of the same kind, target and label."""
    groups: dict[tuple[str, str, str], list[Window]] = {}
    for window in windows:
        groups.setdefault(window[:3], []).append(window)
    return [(f"F{number}", group) for number, group in enumerate(groups.values(), start=1)]


def fault_name(window: Window) -> str:
    """
    >>> fault_name(Window("lose_answer", "payment", "", 0, 1, 1, 0))
    'payment: lose answer'
    """
    return f"{words.plain(window.target)}: {words.plain(window.kind)}" if window.target else words.plain(window.kind)


def panels_of(
    form: Format, heights: Sequence[float], clock: Clock, windows: Sequence[Window]
) -> tuple[Canvas, list[Axes]]:
    """Panels one above the other on one time axis, the faults as a strip on top and as shade behind."""
    groups = numbered(windows)
    lanes = groups[:6]
    lane = form.letter * 1.7
    strip = [lane * len(lanes)] if lanes else []
    canvas = canvas_of(form, sum(strip) + sum(heights) + 34)
    axes: list[Axes] = list(
        np.atleast_1d(canvas.subplots(len(strip) + len(heights), 1, sharex=True, height_ratios=[*strip, *heights]))
    )
    axes[-1].set_xlim(
        float(clock.of(clock.since_us / 1e6)), float(clock.of(max(clock.until_us, clock.since_us + 1) / 1e6))
    )
    axes[-1].set_xlabel(f"simulated time, {clock.unit[1]}")
    axes[-1].xaxis.set_major_locator(ticks(10 if form.is_wide else 5))
    if not lanes:
        return canvas, axes
    top, *panels = axes
    top.set_ylim(len(lanes) - 0.45, -0.55)
    top.set_axis_off()
    start, end = axes[-1].get_xlim()
    for row, (tag, group) in enumerate(lanes):
        spans = [_span(window, clock) for window in group]
        top.broken_barh(
            [(low, max(high - low, (end - start) / 300)) for low, high in spans],
            (row - 0.32, 0.64),
            facecolor=SHADE, edgecolor="#a6793c", linewidth=0.7, hatch="////" if form.is_wide else "///",
        )  # fmt: skip
        _name_lane(top, row, f"{tag} {fault_name(group[0])}", spans, (start, end))
        for low, high in spans:
            if high - low < 0.75 * (end - start):
                for panel in panels:
                    panel.axvspan(low, high, facecolor=SHADE, alpha=0.55, linewidth=0, zorder=0)
    return canvas, panels


def ticks(most: int) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(most, steps=[1, 2, 2.5, 5, 10])


def _span(window: Window, clock: Clock) -> tuple[float, float]:
    until = clock.until_us if window.until_us is None else window.until_us
    return float(clock.of(window.from_us / 1e6)), float(clock.of(until / 1e6))


def _name_lane(top: Axes, row: int, name: str, spans: Sequence[tuple[float, float]], ends: tuple[float, float]) -> None:
    """Write the fault's name beside its bars, on the roomier side; within them where they fill the lane."""
    start, end = ends
    first, last = min(low for low, _ in spans), max(high for _, high in spans)
    gap = (end - start) / 120
    place: dict[str, Any] = {"va": "center_baseline", "fontsize": "small", "color": INK}
    if max(end - last, first - start) < 0.25 * (end - start):
        place["bbox"] = {"facecolor": "#fbfaf7", "edgecolor": "none", "pad": 1.5}
        top.text((first + last) / 2, row, name, ha="center", **place)
    elif end - last >= first - start:
        top.text(last + gap, row, name, ha="left", **place)
    else:
        top.text(first - gap, row, name, ha="right", **place)


def entitle(panel: Axes, text: str) -> None:
    panel.set_title(text, loc="left", fontsize="medium", color=INK, pad=6)


def legend(panel: Axes, columns: int, above: float = 1.0) -> None:
    panel.legend(
        loc="lower left", bbox_to_anchor=(0, above), ncols=columns, fontsize="small", labelcolor=INK, borderaxespad=0.2,
        borderpad=0, handlelength=2.4, handletextpad=0.5, columnspacing=1.3,
    )  # fmt: skip


def from_zero(panel: Axes, highest: float, *, is_share: bool = False) -> None:
    from matplotlib.ticker import FuncFormatter

    panel.set_ylim(0, highest * 1.12 if highest else 1)
    panel.yaxis.set_major_locator(ticks(4))
    panel.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{100 * value:g}{words.THIN}%" if is_share else words.figures(value, 4))
    )


def from_zero_by_decades(panel: Axes, highest: float) -> None:
    """A scale on which one and a hundred thousand can both be seen: even up to one, by powers of ten above."""
    from matplotlib.ticker import FixedLocator, FuncFormatter

    panel.set_yscale("symlog", linthresh=1, linscale=0.5)
    decades = [10.0**power for power in range(int(np.log10(highest)) + 1)]
    panel.set_ylim(0, highest * 1.6)
    panel.yaxis.set_major_locator(FixedLocator([0.0, *decades[:: 1 + len(decades) // 5]]))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.figures(value)))
    panel.minorticks_off()


def is_lopsided(time: np.ndarray, value: np.ndarray) -> bool:
    """One short peak would flatten all the rest: it is fifty times what the line stays below nine tenths of its time
    above zero."""
    lasted = np.diff(time, append=time[-1])
    drifting = (value > 0) & (lasted > 0)
    if not drifting.any() or value.max() < 100:
        return False
    order = np.argsort(value[drifting])
    reached = np.cumsum(lasted[drifting][order])
    usual = value[drifting][order][np.searchsorted(reached, 0.9 * reached[-1])]
    return bool(value.max() > 50 * usual)


def thin(time: np.ndarray, value: np.ndarray, most: int = 900) -> tuple[np.ndarray, np.ndarray]:
    """Fewer points that draw the same step line: of each narrow slice of time the first, lowest, highest and last."""
    if len(time) <= most:
        return time, value
    slices = np.linspace(time[0], time[-1], most // 4 + 1)
    edges = np.unique(np.append(np.searchsorted(time, slices[:-1]), len(time)))
    keep: set[int] = set()
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = value[low:high]
        keep |= {low, high - 1, low + int(part.argmin()), low + int(part.argmax())}
    index = np.array(sorted(keep))
    return time[index], value[index]
