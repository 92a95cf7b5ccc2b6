"""Rhythms at work: how long something takes that begins now.

What is drawn from is a number, a stream, or a tempo, which looks at the clock and then asks one of the former. Where
no rhythm is described there is no tempo, and nobody looks at a clock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import TypeAlias

from orderquake.sim.world.delays import Constant, Latency
from orderquake.sim.world.kernel import Kernel
from orderquake.sim.world.rhythms import Profile, Rhythm, Spells, Windows
from orderquake.sim.world.shapes import FOREVER_US
from orderquake.sim.world.streams import Stream, Streams


class Tempo:
    """A law with an eye on the clock: drawn like a stream, at the moment when the work begins.

    law       what is drawn, whatever the moment: the order's own luck
    change    what a moment makes of it: a factor, or another source in its place
    """

    __slots__ = ("change", "kernel", "law")

    def __init__(self, kernel: Kernel, law: Source, change: Callable[[int], float | Source]) -> None:
        self.kernel = kernel
        self.law = law
        self.change = change

    def draw(self, number: int, attempt: int = 0) -> int:
        """The value for one order, the n-th time it asks, if it begins now."""
        change = self.change(self.kernel.now)
        if type(change) is float:
            return min(round(taken(self.law, number, attempt) * change), FOREVER_US)
        return taken(change, number, attempt)  # type: ignore[arg-type]  # no float: a source


Source: TypeAlias = int | Stream | Tempo


def taken(source: Source, number: int, attempt: int = 0) -> int:
    """What a source says for this order, the n-th time it asks."""
    if type(source) is int:
        return source
    drawn: int = source.draw(number, attempt)  # type: ignore[union-attr]  # no int
    return drawn


def source_of(name: str, weather: str, latency: Latency, streams: Streams, kernel: Kernel, depth: int = 0) -> Source:
    """What a scenario describes, ready to be drawn from.

    name      of the stream of luck; the same with a rhythm and without
    weather   under which slow spells are drawn: those who share it are slow together
    depth     how many rhythms are around it
    """
    if isinstance(latency, Constant) and not streams.is_overruled(name):
        return latency.value
    if not isinstance(latency, Rhythm):
        return streams.of(name, latency)

    def other(what: str, instead: Latency | None, factor: float | None) -> float | Source:
        if instead is None:
            assert factor is not None
            return float(factor)
        return source_of(f"{name}/{what}-{depth}", weather, instead, streams, kernel)

    law = source_of(name, weather, latency.of, streams, kernel, depth + 1)
    if isinstance(latency, Windows):
        ordered = sorted(latency.windows, key=lambda window: window.since)
        parts = [(w.since, w.until, other(f"window-{n}", w.of, w.factor)) for n, w in enumerate(ordered)]
        return Tempo(kernel, law, in_windows(parts))
    if isinstance(latency, Profile):
        return Tempo(kernel, law, by_the_hour(latency.factors, latency.period, latency.phase))
    assert isinstance(latency, Spells)
    every = streams.of(f"{weather}/calm-{depth}", latency.every)
    lasts = streams.of(f"{weather}/slow-{depth}", latency.lasts)
    return Tempo(kernel, law, in_spells(every, lasts, other("slow", latency.slow, latency.factor)))


def in_windows(windows: list[tuple[int, int, float | Source]]) -> Callable[[int], float | Source]:
    """The change of the window that a moment lies in, of windows (from, until, change) in order of time."""
    begins = [since for since, _, _ in windows]

    def change(now_us: int) -> float | Source:
        number = bisect_right(begins, now_us) - 1
        return windows[number][2] if number >= 0 and now_us < windows[number][1] else 1.0

    return change


def by_the_hour(factors: tuple[float, ...], period_us: int, phase_us: int) -> Callable[[int], float | Source]:
    """The factor of the part of the period that a moment lies in.

    >>> change = by_the_hour((1.0, 3.0), period_us=10, phase_us=4)
    >>> [change(now_us) for now_us in range(8)]
    [1.0, 3.0, 3.0, 3.0, 3.0, 3.0, 1.0, 1.0]
    """
    count = len(factors)
    return lambda now_us: float(factors[(now_us + phase_us) % period_us * count // period_us])


def in_spells(every: Stream, lasts: Stream, slow: float | Source) -> Callable[[int], float | Source]:
    """`slow` in the spells. Their edges are drawn in order, as far as somebody asks: the n-th under the number n.

    A spell, and a calm, lasts at least a microsecond, so that time goes on.
    """
    edges: list[int] = []  # calm until the first, slow until the second, and so on

    def change(now_us: int) -> float | Source:
        while not edges or edges[-1] <= now_us:
            number, is_slow = divmod(len(edges), 2)
            stay_us: int = (lasts if is_slow else every).draw(number)
            edges.append((edges[-1] if edges else 0) + max(1, stay_us))
        return slow if bisect_right(edges, now_us) % 2 else 1.0

    return change
