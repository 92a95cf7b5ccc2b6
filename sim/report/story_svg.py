"""A short story as a drawing: a lane an actor, time running down, faults marked, the breach shaded.

Below it runs a strip of what was on hand, in the cache, reserved and sold.

Plain SVG, the same bytes for the same story; whatever a colour says is said by a word, a dash or a number as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from orderquake.sim.history import History
from orderquake.sim.report.story_beats import Beat, lanes_of, window_of
from orderquake.sim.report.story_strip import strip_of

WIDE: Final = 170.0
"""Between two lanes."""
LEFT, TOP, RIGHT, ROW = 96.0, 92.0, 60.0, 30.0
INK, MUTED, RULE, SHADE, RED, BLUE, ORANGE = (
    "#22262b", "#59616b", "#d9d3c7", "#fae4e0", "#c01f2f", "#2f62c9", "#b5650a",
)  # fmt: skip
LETTER = 'font-family="DejaVu Sans, Verdana, sans-serif"'


def drawing_of(history: History, beats: Sequence[Beat], witness: Sequence[int], title: str) -> str:
    """The whole picture."""
    lanes = lanes_of(beats)
    at = {lane: LEFT + WIDE / 2 + WIDE * number for number, lane in enumerate(lanes)}
    width = max(LEFT + WIDE * len(lanes) + RIGHT, 760.0)
    bottom = TOP + ROW * (len(beats) + 0.6)
    strips = strip_of(history, beats, LEFT, width - RIGHT, bottom + 54)
    parts = [
        f'<rect width="{width:g}" height="{strips.bottom:g}" fill="#ffffff"/>',
        text(14, 26, title, size=15, weight="bold"),
        *_window(beats, witness, width),
        *_lanes(lanes, at, bottom),
    ]
    for place, beat in enumerate(beats):
        parts += _beat(beat, TOP + ROW * (place + 1), at)
    parts += strips.parts
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {strips.bottom:g}" '
    head += f'width="{width:g}" height="{strips.bottom:g}" role="img" aria-label="{escape(title, quote=True)}">'
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def text(
    x: float, y: float, said: str, *, size: float = 11, anchor: str = "start", fill: str = INK, weight: str = "normal"
) -> str:
    """A line of text, on a white ground where it crosses a lane."""
    shape = f'x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{anchor}" fill="{fill}" font-weight="{weight}"'
    halo = 'paint-order="stroke" stroke="#ffffff" stroke-width="3" stroke-linejoin="round"' if size < 14 else ""
    return f"<text {shape} {LETTER} {halo}>{escape(said)}</text>"


def line(x1: float, y1: float, x2: float, y2: float, colour: str, *, wide: float = 1.2, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    shape = f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
    return f'<line {shape} stroke="{colour}" stroke-width="{wide:g}"{dashed}/>'


def _window(beats: Sequence[Beat], witness: Sequence[int], width: float) -> list[str]:
    """The rows between the first and the last that show the breach."""
    first, last = window_of(beats, witness)
    top, bottom = TOP + ROW * (first + 0.35), TOP + ROW * (last + 1.4)
    shade = f'<rect x="6" y="{top:g}" width="{width - 12:g}" height="{bottom - top:g}" fill="{SHADE}" rx="4"/>'
    return [shade, text(width - 10, top + 13, "here it breaks", size=10, anchor="end", fill=RED)]


def _lanes(lanes: Sequence[str], at: dict[str, float], bottom: float) -> list[str]:
    parts = []
    for lane in lanes:
        x = at[lane]
        box = f'<rect x="{x - 58:g}" y="{TOP - 44:g}" width="116" height="26" rx="4" fill="#f4f1ea" stroke="{RULE}"/>'
        parts += [
            line(x, TOP - 18, x, bottom, RULE, dash="4 3"),
            box,
            text(x, TOP - 26.5, lane, size=12, anchor="middle", weight="bold"),
        ]
    return parts


def _beat(beat: Beat, y: float, at: dict[str, float]) -> list[str]:
    here, there = at[beat.here], at[beat.there]
    parts = [text(LEFT - 12, y + 4, f"{beat.time_us / 1e6:.3f} s", size=10, anchor="end", fill=MUTED)]
    if beat.number:
        parts.append(text(12, y + 4, str(beat.number), size=11, weight="bold"))
    if beat.kind == "fault":
        return [*parts, bolt(here, y), text(here + 14, y + 4, beat.text, fill=RED, weight="bold")]
    if here == there:
        mark = f'<circle cx="{here:g}" cy="{y:g}" r="4" fill="{ORANGE}"/>'
        return [*parts, mark, text(here + 10, y + 4, beat.text)]
    colour = BLUE if beat.kind == "ask" else MUTED
    parts += [line(here, y, there, y, colour, dash="" if beat.kind == "ask" else "5 3"), tip(there, y, here, colour)]
    middle = (here + there) / 2
    return [*parts, text(middle, y - 5, beat.text, anchor="middle")]


def tip(x: float, y: float, came_from: float, colour: str) -> str:
    """The head of an arrow."""
    back = x - 8 if came_from < x else x + 8
    return f'<polygon points="{x:g},{y:g} {back:g},{y - 4:g} {back:g},{y + 4:g}" fill="{colour}"/>'


def bolt(x: float, y: float) -> str:
    """The mark of a fault: a flash in a circle."""
    flash = f"M{x + 1.5:g},{y - 7:g} l-5,8 h4 l-2,7 l6,-9 h-4 z"
    return f'<circle cx="{x:g}" cy="{y:g}" r="10" fill="#fff3d6" stroke="{RED}"/><path d="{flash}" fill="{RED}"/>'
