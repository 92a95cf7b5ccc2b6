"""What a plan found: the value, its interval, the curve of all that was probed, and how it was done.

Results only: how they are found is in `planner.py`, how they look in `report/plan.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orderquake.sim.planning.judging import FIRST_LOOK, Point
from orderquake.sim.planning.knob import Knob
from orderquake.sim.planning.promise import Promise
from orderquake.sim.planning.search import Status

if TYPE_CHECKING:
    import pandas as pd


COLUMNS = (
    "what", "value", "orders_per_s", "side", "runs", "slo", "decides", "decides_low", "decides_high", "limit",
    "measured", "measured_low", "measured_high", "unit",
)  # fmt: skip
"""Of the frames: a row a value and promise."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """An edge of the answer, judged anew with seeds that took no part in the search."""

    edge: str
    confidence: float
    point: Point

    @property
    def is_confirmed(self) -> bool:
        return self.point.side == self.edge


@dataclass
class Plan:
    """The answer to "how much may it be?".

    status         found; at_least: kept wherever it was probed; unreachable: missed wherever; undecided
    kept, missed   the edges of the answer: surely kept, and surely missed
    estimate       where the promise is met exactly, between the edges; None where there are not two
    points         every value that was probed in the search, by value
    confirmations  with fresh seeds, in the order in which they were tried
    played         what was played at each value, where that is not the scenario itself
    reason         why there is no answer, or what limits it, in words
    """

    knob: Knob
    promises: tuple[Promise, ...]
    runs: int
    seed: int
    confidence: float
    resolution: float
    status: Status
    kept: Point | None
    missed: Point | None
    estimate: float | None
    points: list[Point] = field(repr=False)
    confirmations: list[Confirmation] = field(default_factory=list, repr=False)
    aside: list[tuple[str, Point]] = field(default_factory=list, repr=False)
    played: str = ""
    reason: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def is_confirmed(self) -> bool:
        """Do fresh seeds bear out both edges, or the one that there is?"""
        edges = [edge for edge, point in (("kept", self.kept), ("missed", self.missed)) if point is not None]
        last = {one.edge: one for one in self.confirmations}
        return bool(edges) and all(edge in last and last[edge].is_confirmed for edge in edges)

    def headline(self) -> str:
        """The answer in a sentence."""
        promised = " and ".join(map(str, self.promises))
        path, knob = self.knob.path, self.knob
        if self.status == "found" and self.kept is not None and self.missed is not None:
            most = "largest" if knob.want == "largest" else "smallest"
            edges = f"kept at {path} = {self._at(self.kept)}, missed at {self._at(self.missed)}"
            return f"{promised}: {edges}; the {most} that keeps it is between"
        if self.status == "at_least" and self.kept is not None:
            return f"{promised}: kept at every value up to {path} = {self._at(self.kept)}, the last that was probed"
        if self.status == "unreachable":
            return f"{promised}: missed at every value of {path} that was probed"
        return f"{promised}: undecided"

    def _at(self, point: Point) -> str:
        words = self.knob.in_words(point.value)
        return f"{words} ({point.orders_per_s:.3g} orders/s)" if self.knob.is_load else words

    def procedure(self) -> list[str]:
        """How it was done, a sentence each."""
        share = f"{100 * self.confidence:g} %"
        return [
            f"Each value is looked at after {FIRST_LOOK} runs and whenever they have doubled, at most {self.runs}, "
            f"with the same seeds at every value; all looks at a value together decide wrongly at most "
            f"{100 * (1 - self.confidence):.3g} times in a hundred (Bonferroni over looks and promises).",
            *dict.fromkeys(f"{promise}: {promise.decides_by}." for promise in self.promises),
            "The run is the unit of independence: intervals are over runs.",
            "A value where the interval holds the limit is undecided, and the search goes on at both sides of it.",
            f"Bisection ends when neighbours are within {100 * self.resolution:g} % of each other, or adjacent.",
            f"Both edges are then judged with fresh seeds; these intervals carry the claim, both together at {share}. "
            "An edge that is not borne out gives way to one farther out, at half the error that was left.",
        ]

    # -- for programs

    def as_record(self) -> dict[str, Any]:
        """Plain JSON: what --json prints, and plan.json keeps; null where a number is not claimed."""
        knob = self.knob
        return {
            "scenario": knob.asked.scenario.name,
            "architecture": knob.asked.on,
            "settings": dict(knob.asked.settings),
            "slo": [str(promise) for promise in self.promises],
            "find": knob.path,
            "want": knob.want,
            "unit": "us" if knob.is_duration else "",
            "status": self.status,
            "found": self.status == "found",
            "confirmed": self.is_confirmed,
            "answer": self.headline(),
            "reason": self.reason,
            "estimate": None if self.estimate is None else knob.written(self.estimate),
            "interval": {"kept": self._edge(self.kept), "missed": self._edge(self.missed)},
            "undecided": [knob.written(p.value) for p in self.points if p.side == "undecided" and self._is_between(p)],
            "played": self.played,
            "seed": self.seed,
            "runs": self.runs,
            "confidence": self.confidence,
            "resolution": self.resolution,
            "procedure": self.procedure(),
            "curve": [self._point(point) for point in self.points],
            "confirmations": [
                {
                    "edge": one.edge,
                    "confirmed": one.is_confirmed,
                    "confidence": one.confidence,
                    **self._point(one.point),
                }
                for one in self.confirmations
            ],
            "aside": [{"what": what, **self._point(point)} for what, point in self.aside],
            "notes": list(self.notes),
        }

    def _is_between(self, point: Point) -> bool:
        where = self.knob.hardness
        return (self.kept is None or where(point.value) > where(self.kept.value)) and (
            self.missed is None or where(point.value) < where(self.missed.value)
        )

    def _edge(self, point: Point | None) -> dict[str, Any] | None:
        if point is None:
            return None
        return {
            "value": self.knob.written(point.value),
            "orders_per_s": point.orders_per_s,
            "again": self.knob.command(point.value, self.seed),
        }

    def _point(self, point: Point) -> dict[str, Any]:
        return {
            "value": self.knob.written(point.value),
            "orders_per_s": point.orders_per_s,
            "side": point.side,
            "runs": point.runs,
            "seeds": list(point.seeds),
            "verdicts": point.verdicts(),
            "promises": [
                {
                    "slo": str(promise),
                    "side": judged.side,
                    "decides": {
                        "what": promise.decides_by,
                        "value": finite(judged.decides.value),
                        "low": finite(judged.decides.low),
                        "high": finite(judged.decides.high),
                        "limit": judged.limit,
                        "confidence": point.each,
                        "method": judged.decides.method,
                        "refusal": judged.decides.refusal,
                    },
                    "measured": {
                        "unit": promise.unit,
                        "mean": finite((seen := point.measured(place)).value),
                        "low": finite(seen.low),
                        "high": finite(seen.high),
                        "refusal": seen.refusal,
                    },
                }
                for place, (promise, judged) in enumerate(zip(point.promises, point.judged, strict=True))
            ],
        }

    # -- for notebooks

    def curve(self) -> pd.DataFrame:
        """Every probed value: a row a value and promise. Durations in microseconds where `find` is one; `measured` in
        the promise's unit (seconds, share, ...), a mean over runs with its 95 % interval."""
        return self._frame([("search", point) for point in self.points])

    def confirmed(self) -> pd.DataFrame:
        """The same of the edges, with fresh seeds."""
        return self._frame([(one.edge, one.point) for one in self.confirmations])

    def _frame(self, rows: list[tuple[str, Point]]) -> pd.DataFrame:
        import pandas as pd

        found = []
        for what, point in rows:
            for place, (promise, judged) in enumerate(zip(point.promises, point.judged, strict=True)):
                seen = point.measured(place)
                found.append(
                    {
                        "what": what,
                        "value": point.value,
                        "orders_per_s": point.orders_per_s,
                        "side": point.side,
                        "runs": point.runs,
                        "slo": str(promise),
                        "decides": judged.decides.value,
                        "decides_low": judged.decides.low,
                        "decides_high": judged.decides.high,
                        "limit": judged.limit,
                        "measured": seen.value,
                        "measured_low": seen.low,
                        "measured_high": seen.high,
                        "unit": promise.unit,
                    }
                )
        return pd.DataFrame(found, columns=COLUMNS)


def finite(value: float) -> float | None:
    """A number, or None where it is none."""
    return value if math.isfinite(value) else None
