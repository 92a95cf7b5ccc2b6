"""The figures of a report, each a function from numbers to a drawing. How lines and time axes look is in `drawing.py`;
nothing is measured here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from orderquake.sim.report import words
from orderquake.sim.report.drawing import (
    BLUE,
    DASHES,
    GREY,
    HOUR,
    INK,
    MINUTE,
    MUTED,
    ORANGE,
    PETROFF,
    PURPLE,
    RED,
    Clock,
    Draw,
    Format,
    canvas_of,
    entitle,
    from_zero,
    from_zero_by_decades,
    is_lopsided,
    legend,
    panels_of,
    thin,
    ticks,
)
from orderquake.sim.study.measures import Asked, Gauges, Window

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

# ---------------------------------------------------------------- latency

_LATENCY_TICKS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 36_000.0, 86_400.0, 864_000.0)


def _latency_axis(panel: Axes, low: float, high: float, form: Format) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    panel.set_xscale("log")
    low, high = max(low, 1e-6) / 1.5, max(high, 2e-6) * 1.5
    shown = [tick for tick in _LATENCY_TICKS if low <= tick <= high]
    if not form.is_wide and len(shown) > 5:
        shown = shown[::2]
    panel.set_xlim(low, high)
    panel.xaxis.set_major_locator(FixedLocator(shown))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_xticklabels([words.duration(tick) for tick in shown])


_MARKS = (("p50_s", "o", "median"), ("p90_s", "s", "p90"), ("p99_s", "D", "p99"), ("p999_s", "^", "p99.9"))


def latency_bars(frame: pd.DataFrame) -> Draw:
    """A line a step, from the median to the highest quantile that is claimed, with a mark at each quantile."""

    def draw(form: Format) -> Canvas:
        rows = frame[frame["p50_s"].notna()]
        canvas = canvas_of(form, form.letter * 2.5 * len(rows) + 66)
        panel = canvas.subplots()
        panel.grid(visible=False, axis="y")
        for place, (_, row) in enumerate(rows.iterrows()):
            claimed = [row[name] for name, _, _ in _MARKS if not np.isnan(row[name])]
            colour = ORANGE if row.name in ("checkout", "decision") else BLUE
            panel.plot(
                [claimed[0], claimed[-1]], [place, place], color=colour, linewidth=3, alpha=0.35, solid_capstyle="round"
            )
            for name, marker, _ in _MARKS:
                if not np.isnan(row[name]):
                    panel.plot(
                        row[name], place, marker=marker, color=colour, markersize=6.5, markeredgecolor="white",
                        markeredgewidth=0.6,
                    )  # fmt: skip
        values = rows[[name for name, _, _ in _MARKS]].to_numpy(dtype=float)
        _latency_axis(panel, float(np.nanmin(values)), float(np.nanmax(values)), form)
        panel.set_yticks(range(len(rows)), [str(step) for step in rows.index])
        panel.set_ylim(len(rows) - 0.4, -0.6)
        panel.tick_params(axis="y", labelcolor=INK)
        for _, marker, label in _MARKS:
            panel.plot([], [], marker=marker, linestyle="", color=MUTED, markersize=5.5, label=label)
        legend(panel, 4)
        return canvas

    return draw


def still_waiting(steps: Mapping[str, Asked]) -> Draw:
    """The share of customers who were still without their answer after so long: tails at full length."""

    def draw(form: Format) -> Canvas:
        from matplotlib.ticker import FixedLocator, FuncFormatter

        canvas = canvas_of(form, 250 if form.is_wide else 215)
        panel = canvas.subplots()
        lowest, ends = 1.0, []
        for (step, asked), colour, dash in zip(steps.items(), (BLUE, ORANGE), DASHES, strict=False):
            ordered = np.maximum(np.sort(asked.latency_us) / 1e6, 1e-6)
            everyone = len(ordered) + asked.unanswered
            left = 1 - np.arange(1, len(ordered) + 1) / everyone
            pick = _ranks(len(ordered))
            shown = np.maximum(left[pick], 0.5 / everyone)
            panel.step(ordered[pick], shown, where="post", color=colour, linestyle=dash, linewidth=2, label=step)
            lowest = min(lowest, 1 / everyone)
            ends += [ordered[0], ordered[-1]]
        panel.set_yscale("log")
        _latency_axis(panel, min(ends), max(ends), form)
        panel.set_ylim(lowest * 0.7, 1.25)
        panel.yaxis.set_major_locator(
            FixedLocator([10.0**-power for power in range(7) if 10.0**-power >= lowest * 0.7])
        )
        panel.yaxis.set_major_formatter(FuncFormatter(lambda part, _: f"{100 * part:g}{words.THIN}%"))
        panel.minorticks_off()
        panel.set_xlabel("time since the customer arrived")
        legend(panel, 2)
        return canvas

    return draw


def _ranks(n: int, most: int = 400) -> np.ndarray:
    """Places in an ordered column that show its whole shape, dense towards its end."""
    if n <= most:
        return np.arange(n)
    body = np.linspace(0, n - 1, most // 2)
    tail = n - np.geomspace(1, n, most // 2)
    return np.unique(np.concatenate((body, tail)).astype(int))


# ---------------------------------------------------------------- over time


def drift_over_time(
    drift: pd.DataFrame, staleness: pd.DataFrame | None, clock: Clock, windows: Sequence[Window]
) -> Draw:
    """Drift of the whole shop and of its worst product, and below it how old the shop's picture of the stock is."""

    def draw(form: Format) -> Canvas:
        tall = 170.0 if form.is_wide else 140.0
        canvas, panels = panels_of(form, [tall] if staleness is None else [tall, tall * 0.6], clock, windows)
        time, total = drift["time_s"].to_numpy(), drift["drift_units"].to_numpy()
        largest = drift["largest_sku_units"].to_numpy()
        at, units = thin(time, total)
        panels[0].fill_between(clock.of(at), units, step="post", color=BLUE, alpha=0.18, linewidth=0)
        panels[0].step(clock.of(at), units, where="post", color=BLUE, linewidth=1.5, label="all products")
        headline = "drift, units"
        if is_lopsided(time, total):
            headline += ", by powers of ten"
            from_zero_by_decades(panels[0], float(total.max()))
        else:
            from_zero(panels[0], float(total.max(initial=0)))
        if (largest != total).any():
            at, units = thin(time, largest)
            panels[0].step(
                clock.of(at), units, where="post", color=RED, linewidth=1.1, linestyle=DASHES[1], label="worst product"
            )
            legend(panels[0], 2)
            headline += "\n"
        entitle(panels[0], headline)
        if staleness is not None:
            at = np.repeat(staleness["time_s"].to_numpy(), 2)
            age = np.column_stack((staleness["before_s"], staleness["after_s"])).ravel()
            at, age = thin(at, age)
            size, unit = _scale(float(age.max(initial=0)))
            panels[1].plot(clock.of(at), age / size, color=PURPLE, linewidth=1.3)
            panels[1].fill_between(clock.of(at), age / size, color=PURPLE, alpha=0.10, linewidth=0)
            entitle(panels[1], f"staleness, {unit}")
            from_zero(panels[1], float(age.max(initial=0)) / size)
        return canvas

    return draw


def _scale(highest_s: float) -> tuple[float, str]:
    """The unit in which so long a time reads best."""
    for size, unit in ((HOUR, "hours"), (MINUTE, "minutes")):
        if highest_s > 2 * size:
            return size, unit
    return 1.0, "seconds"


GAUGE_FAMILIES: Mapping[str, str] = {
    "queue": "waiting in line",
    "utilisation": "busy share of each service",
    "backlog": "orders unfinished",
    "dead_letters": "dead letters",
}


def gauge_families(gauges: Gauges) -> dict[str, list[str]]:
    """Gauges that ever left zero, grouped by the first word of their name."""
    families: dict[str, list[str]] = {}
    for name, (_, values) in gauges.items():
        if len(values) and np.any(np.asarray(values) != 0):
            families.setdefault(name.partition(".")[0], []).append(name)
    order = list(GAUGE_FAMILIES)
    return dict(sorted(families.items(), key=lambda item: (order.index(item[0]) if item[0] in order else 99, item[0])))


def gauges_over_time(gauges: Gauges, clock: Clock, windows: Sequence[Window]) -> Draw:
    """A panel a family of gauges; the busiest six of a family are drawn."""

    def draw(form: Format) -> Canvas:
        families = gauge_families(gauges)
        canvas, panels = panels_of(form, [110.0 if form.is_wide else 104.0] * len(families), clock, windows)
        for panel, (family, names) in zip(panels, families.items(), strict=True):
            highest = 0.0
            busiest = sorted(names, key=lambda name: (-float(np.max(gauges[name][1])), name))[: len(PETROFF)]
            for name, colour, dash in zip(busiest, PETROFF, DASHES, strict=False):
                time, value = np.asarray(gauges[name][0], dtype=float) / 1e6, np.asarray(gauges[name][1], dtype=float)
                at, drawn = thin(time, value)
                label = words.plain(name.partition(".")[2] or name)
                panel.step(clock.of(at), drawn, where="post", color=colour, linestyle=dash, linewidth=1.4, label=label)
                highest = max(highest, float(value.max()))
            title = GAUGE_FAMILIES.get(family, words.plain(family))
            columns = 6 if form.is_wide else 3
            if len(busiest) > 1 or "." in busiest[0]:
                legend(panel, columns)
                title += "\n" * -(-len(busiest) // columns)
            entitle(panel, title)
            from_zero(panel, highest, is_share=family == "utilisation")
        return canvas

    return draw


def orders_over_time(arrived_s: np.ndarray, decided_s: np.ndarray, clock: Clock, windows: Sequence[Window]) -> Draw:
    """How many orders came in and how many were settled, slice by slice."""

    def draw(form: Format) -> Canvas:
        canvas, (panel,) = panels_of(form, [150.0 if form.is_wide else 130.0], clock, windows)
        slices = 120 if form.is_wide else 50
        edges = np.linspace(clock.since_us / 1e6, max(clock.until_us, clock.since_us + 1) / 1e6, slices + 1)
        highest = 0
        for times, colour, dash, label in ((arrived_s, GREY, "-", "arrived"), (decided_s, BLUE, DASHES[1], "decided")):
            heights, _ = np.histogram(times, edges)
            panel.stairs(heights, clock.of(edges), color=colour, linewidth=1.6, linestyle=dash, label=label,
                         fill=False)  # fmt: skip
            highest = max(highest, int(heights.max(initial=0)))
        legend(panel, 2)
        entitle(panel, f"orders in each {words.duration(float(edges[1] - edges[0]))}\n")
        from_zero(panel, highest)
        return canvas

    return draw


OUTCOMES: Mapping[str, tuple[str, str]] = {
    "fulfilled": (BLUE, ""),
    "declined": (GREY, "..."),
    "refunded": (ORANGE, "///"),
    "cancelled": (PURPLE, "\\\\\\"),
    "pending": (RED, "xxx"),
}


def outcome_bar(outcomes: Mapping[str, int]) -> Draw:
    """One bar, all accepted orders, by how they ended."""

    def draw(form: Format) -> Canvas:
        present = {name: outcomes.get(name, 0) for name in OUTCOMES if outcomes.get(name, 0)}
        columns = 5 if form.is_wide else 2
        canvas = canvas_of(form, 34 + form.letter * 2.1 * -(-len(present) // columns))
        panel = canvas.subplots()
        panel.set_axis_off()
        left, whole = 0, sum(present.values())
        for name, orders in present.items():
            colour, hatch = OUTCOMES[name]
            panel.barh(0, orders, left=left, color=colour, hatch=hatch, edgecolor="white", linewidth=1,
                       label=f"{name} {words.share(orders, whole)}")  # fmt: skip
            left += orders
        panel.set_xlim(0, whole)
        panel.set_ylim(-0.42, 0.42)
        legend(panel, columns)
        return canvas

    return draw


def verdict_counts(rows: Iterable[tuple[str, int, int, int]]) -> Draw:
    """A bar a promise: in how many runs it held, could not be judged, or was broken."""

    def draw(form: Format) -> Canvas:
        table = list(rows)
        canvas = canvas_of(form, form.letter * 2.2 * len(table) + 56)
        panel = canvas.subplots()
        panel.grid(visible=False, axis="y")
        left = np.zeros(len(table))
        for column, (label, colour, hatch) in enumerate(
            (("valid", BLUE, ""), ("unknown", GREY, "..."), ("invalid", RED, "xxx")), start=1
        ):
            runs = np.array([row[column] for row in table], dtype=float)
            panel.barh(
                range(len(table)), runs, left=left, color=colour, hatch=hatch, edgecolor="white", linewidth=0.8,
                height=0.62, label=label,
            )  # fmt: skip
            left += runs
        panel.set_yticks(range(len(table)), [words.plain(row[0]) for row in table])
        panel.tick_params(axis="y", labelcolor=INK)
        panel.set_ylim(len(table) - 0.4, -0.6)
        panel.set_xlabel("runs")
        panel.xaxis.set_major_locator(ticks(6 if form.is_wide else 3))
        legend(panel, 3)
        return canvas

    return draw
