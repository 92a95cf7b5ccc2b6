"""How often points were passed in many runs, and what a scenario insists on having met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from orderquake.sim.history import History
from orderquake.sim.study.intervals import share_interval
from orderquake.sim.study.points import Passed, Point, passed, points

if TYPE_CHECKING:
    import pandas as pd


def frame(history: History) -> pd.DataFrame:
    """Every point: family, policies, times, first_row (-1 where it was never passed), first_s, says."""
    import pandas as pd

    found, time = passed(history), history.table().time
    told = [(point, found[point.name]) for point in points()]
    return pd.DataFrame(
        {
            "family": [point.family for point, _ in told],
            "policies": [", ".join(point.policies) for point, _ in told],
            "times": [was.times for _, was in told],
            "first_row": [was.first_row for _, was in told],
            "first_s": [float(time[was.first_row]) / 1e6 if was.times else float("nan") for _, was in told],
            "says": [point.says for point, _ in told],
        },
        index=pd.Index([point.name for point, _ in told], name="point"),
    )


def missing(history: History, must_see: Iterable[str]) -> tuple[str, ...]:
    """Points that had to be seen and were not.

    raises   KeyError where there is no such point
    """
    wanted = tuple(must_see)
    if not wanted:
        return ()
    found = passed(history)
    return tuple(name for name in wanted if not found[name].times)


def why_unknown(missed: Iterable[str]) -> tuple[str, ...]:
    """What is said of a run that missed points which it had to see, a sentence each."""
    return tuple(f"point {name} was never passed" for name in missed)


class PointRates:
    """Points over many runs: in how many each was passed, and how often in all.

    >>> rates = PointRates()
    >>> rates.add({point.name: Passed(0, -1) for point in points()}, "pay_first")
    >>> rates.runs, len(rates.never_hit()) > 60
    (1, True)
    """

    def __init__(self) -> None:
        self.runs = 0
        self.runs_under: dict[str, int] = {}
        self.hits: dict[str, int] = {point.name: 0 for point in points()}
        self.times: dict[str, int] = dict.fromkeys(self.hits, 0)

    def add(self, found: Mapping[str, Passed], policy: str) -> None:
        """One more run under a policy; a point of other policies was not at stake in it."""
        self.runs += 1
        self.runs_under[policy] = self.runs_under.get(policy, 0) + 1
        for name, was in found.items():
            self.hits[name] += was.times > 0
            self.times[name] += was.times

    def runs_of(self, point: Point) -> int:
        """Runs in which the point could have been passed at all."""
        return sum(self.runs_under.get(policy, 0) for policy in point.policies)

    def never_hit(self) -> tuple[str, ...]:
        """Points that no run has passed."""
        return tuple(name for name, hits in self.hits.items() if not hits)

    def frame(self, confidence: float = 0.95) -> pd.DataFrame:
        """Every point: family, hits, runs (in which it could be passed), rate with its Clopper-Pearson interval
        (rate_low, rate_high; from 0 to 1 where there was no run), and times in all."""
        import pandas as pd

        rows = []
        for point in points():
            runs, hits = self.runs_of(point), self.hits[point.name]
            low, high = share_interval(min(hits, runs), runs, confidence) if runs else (0.0, 1.0)
            rate = hits / runs if runs else float("nan")
            rows.append((point.name, point.family, hits, runs, rate, low, high, self.times[point.name]))
        columns = ["point", "family", "hits", "runs", "rate", "rate_low", "rate_high", "times"]
        return pd.DataFrame(rows, columns=columns).set_index("point")
