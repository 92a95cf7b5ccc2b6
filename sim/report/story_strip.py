"""The strip below a story's drawing: units on hand, in the record, in the cache, reserved and sold, beat by beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from orderquake.sim.history import History
from orderquake.sim.report.story_beats import Beat
from orderquake.sim.report.story_stock import Standing, standings

HIGH = 84.0
"""Of the strip of one product."""
SERIES = (
    ("on_hand", "truly on hand", "#22262b", ""),
    ("cache", "cache would promise", "#2f62c9", "6 3"),
    ("reserved", "reserved", "#b5650a", "2 2"),
    ("sold", "sold", "#c01f2f", "8 3 2 3"),
)
"""Count, its name, its colour and its dash."""


class Strip(NamedTuple):
    parts: list[str]
    bottom: float


def strip_of(history: History, beats: Sequence[Beat], left: float, right: float, top: float) -> Strip:
    """A strip for each product; each beat has the same width, and its number or time below."""
    from orderquake.sim.report.story_svg import MUTED, RULE, line, text

    moments = standings(history, beats)
    parts: list[str] = []
    step = (right - left) / len(moments)  # a step more than beats, so that the last jump is seen
    for sku in moments[-1].stock:
        values = [moment.stock.get(sku, Standing()) for moment in moments]
        shown = [getattr(value, name) for value in values for name, *_ in SERIES]
        low, high = min(0, *shown), max(1, *shown)
        unit = HIGH / (high - low)
        parts.append(text(14, top - 20, f"{sku}, units", size=12, weight="bold"))
        x = left + 60.0
        for _, told, colour, dash in SERIES:
            parts += [line(x, top - 24, x + 26, top - 24, colour, wide=2, dash=dash), text(x + 31, top - 20, told)]
            x += 31 + 8.2 * len(told) + 14
        for units in range(low, high + 1):
            y = top + HIGH - (units - low) * unit
            parts += [line(left, y, right, y, RULE, wide=0.7), text(left - 8, y + 4, str(units), size=10, anchor="end")]
        for number, (name, _, colour, dash) in enumerate(SERIES):
            shift = (number - 1.5) * 2.2  # so that equal counts stand side by side
            parts.append(
                _steps(
                    [getattr(value, name) for value in values], left, step, top + HIGH + shift, low, unit, colour, dash
                )
            )
        for place, beat in enumerate(beats, start=1):
            if beat.number:
                parts.append(text(left + step * place, top + HIGH + 16, str(beat.number), size=10, anchor="middle"))
        parts.append(text(right, top + HIGH + 30, "after step", size=10, anchor="end", fill=MUTED))
        top += HIGH + 72
    return Strip(parts, top - 30)


def _steps(
    values: Sequence[int], left: float, step: float, base: float, low: int, unit: float, colour: str, dash: str
) -> str:
    """A line that stays until it jumps."""
    y = [base - (value - low) * unit for value in values]
    path = f"M{left:g},{y[0]:g}"
    for place in range(1, len(values)):
        path += f" H{left + step * place:g} V{y[place]:g}"
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    path += f" H{left + step * len(values):g}"
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>'
