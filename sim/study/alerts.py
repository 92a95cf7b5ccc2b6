"""When the operator would have been called, how soon after a fault began, and how often for nothing.

Rules are held against the gauges and the customers' answers in simulated time, at every moment in which the gauges
were read; nobody knows more at a moment than was known then. Faults are those of the history's fault rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from orderquake.sim.history import History
from orderquake.sim.study.drift import drift
from orderquake.sim.study.faults import Window, faults
from orderquake.sim.study.grouping import NEVER, Bools, Ints
from orderquake.sim.study.latency import waits
from orderquake.sim.study.staleness import staleness

if TYPE_CHECKING:
    import pandas as pd

GRACE_US = 10 * 60 * 1_000_000
"""A fault is blamed for alerts that begin up to so long after it is over: a backlog outlives its reason."""
_SECOND = 1e6

Floats: TypeAlias = npt.NDArray[np.float64]
Gauges: TypeAlias = Mapping[str, tuple[Sequence[int], Sequence[float]]]


class Rule(Protocol):
    """A rule of any kind: "above" or "burn_rate"."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...


class Above(Rule, Protocol):
    """Fires while a gauge has stood above a value for `lasting` microseconds."""

    @property
    def gauge(self) -> str: ...
    @property
    def above(self) -> float: ...
    @property
    def lasting(self) -> int: ...


class BurnRate(Rule, Protocol):
    """Fires while, in windows of `long` and of `short` microseconds, the share of answers that were not there `within`
    so many is at least `factor` times what the objective leaves."""

    @property
    def step(self) -> str: ...
    @property
    def within(self) -> int: ...
    @property
    def objective(self) -> float: ...
    @property
    def factor(self) -> float: ...
    @property
    def long(self) -> int: ...
    @property
    def short(self) -> int: ...


class Firing(NamedTuple):
    """An alert that was on. until_us is None where it was on to the end; fault is the label of the fault that began
    last before it, "" where there was none: a false alarm."""

    rule: str
    from_us: int
    until_us: int | None
    fault: str

    @property
    def is_false(self) -> bool:
        return not self.fault


class Detection(NamedTuple):
    """A fault that struck, and the first rule that told of it, None where none did.

    delay_us   from the fault's beginning to the first alert that began after it, or was on already: then 0
    """

    kind: str
    target: str
    label: str
    from_us: int
    rule: str | None
    delay_us: int | None


class Watch(NamedTuple):
    """What the rules made of a run. `unheard` are rules whose gauge the run does not have."""

    firings: tuple[Firing, ...]
    detections: tuple[Detection, ...]
    unheard: tuple[str, ...]

    @property
    def false_alarms(self) -> int:
        return sum(firing.is_false for firing in self.firings)

    def as_record(self) -> dict[str, Any]:
        """Plain JSON, times in seconds."""
        return {
            "firings": [
                {"rule": rule, "from_s": since / _SECOND, "until_s": _seconds(until), "fault": fault or None}
                for rule, since, until, fault in self.firings
            ],
            "detections": [
                {
                    "kind": kind, "target": target, "label": label, "from_s": since / _SECOND, "rule": rule,
                    "delay_s": _seconds(delay),
                }
                for kind, target, label, since, rule, delay in self.detections
            ],
            "false_alarms": self.false_alarms,
            "unheard": list(self.unheard),
        }  # fmt: skip


def watch(history: History, gauges: Gauges, rules: Sequence[Rule]) -> Watch:
    """Hold the rules against a run."""
    moments = _moments(gauges)
    if not len(moments):
        return Watch((), _detections([], faults(history)), tuple(rule.name for rule in rules))
    windows = faults(history)
    firings, unheard = [], []
    for rule in rules:
        is_bad, lasting = _state_of(rule, history, gauges, moments)
        if is_bad is None:
            unheard.append(rule.name)
            continue
        for since, until in spells(moments, is_bad, lasting):
            firings.append(Firing(rule.name, since, until, _blamed(since, windows)))
    firings.sort(key=lambda firing: (firing.from_us, firing.rule))
    return Watch(tuple(firings), _detections(firings, windows), tuple(unheard))


def alerts(watched: Watch) -> pd.DataFrame:
    """Every firing: rule, from_s, until_s (NaN where it was on to the end), fault ("" for a false alarm)."""
    import pandas as pd

    rows = [(rule, since / _SECOND, _seconds(until), fault) for rule, since, until, fault in watched.firings]
    return pd.DataFrame(rows, columns=["rule", "from_s", "until_s", "fault"]).astype({"until_s": float})


def spells(moments: Ints, is_bad: Bools, lasting_us: int = 0) -> list[tuple[int, int | None]]:
    """From when to when an alert was on that waits until all has been bad for `lasting_us` without a break.

    >>> moments = np.arange(0, 60, 10)
    >>> spells(moments, np.array([False, True, True, True, False, True]), 20)
    [(30, 40)]
    >>> spells(moments, np.array([False, True, True, True, False, True]))
    [(10, 40), (50, None)]
    """
    edges = np.diff(np.concatenate(([0], is_bad.astype(np.int8), [0])))
    found: list[tuple[int, int | None]] = []
    for begin, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        on = begin + np.searchsorted(moments[begin:end], moments[begin] + lasting_us)
        if on < end:
            found.append((int(moments[on]), int(moments[end]) if end < len(moments) else None))
    return found


# -- the rules


def _state_of(rule: Rule, history: History, gauges: Gauges, moments: Ints) -> tuple[Bools | None, int]:
    """When what a rule watches was bad, None where nobody can say; and how long it must be so, microseconds."""
    match rule.kind:
        case "above":
            above = cast(Above, rule)
            return _above(above, history, gauges, moments), above.lasting
        case "burn_rate":
            return _burns(cast(BurnRate, rule), history, moments), 0
        case _:
            raise ValueError(f"a rule of kind {rule.kind!r}; expected above or burn_rate")


def _above(rule: Above, history: History, gauges: Gauges, moments: Ints) -> Bools | None:
    read = _OF_HISTORY.get(rule.gauge)
    if read is not None:
        values = read(history, moments)
    elif rule.gauge in gauges:
        at, said = gauges[rule.gauge]
        values = _held(np.asarray(at, np.int64), np.asarray(said, np.float64), moments)
    else:
        return None
    return values > rule.above


def _burns(rule: BurnRate, history: History, moments: Ints) -> Bools:
    began, ended = waits(history)[rule.step]
    due = began + rule.within
    is_late = (ended == NEVER) | (ended > due)
    known = np.sort(np.where(is_late, due, ended))  # a late answer counts from the moment it is late
    late = np.sort(due[is_late])
    limit = rule.factor * (1 - rule.objective)

    def burns(window_us: int) -> Bools:
        def count(of: Ints) -> Ints:
            return np.searchsorted(of, moments, "right") - np.searchsorted(of, moments - window_us, "right")

        several = count(known)
        return (several > 0) & (count(late) >= limit * several)

    return burns(rule.long) & burns(rule.short)


def _drift_at(history: History, moments: Ints) -> Floats:
    frame = drift(history)
    time = np.round(frame["time_s"].to_numpy() * _SECOND).astype(np.int64)
    return _held(time, frame["drift_units"].to_numpy(np.float64), moments)


def _staleness_at(history: History, moments: Ints) -> Floats:
    frame = staleness(history)
    time = np.round(frame["time_s"].to_numpy() * _SECOND).astype(np.int64)
    place = np.maximum(np.searchsorted(time, moments, "right") - 1, 0)
    return frame["after_s"].to_numpy(np.float64)[place] + (moments - time[place]) / _SECOND


_OF_HISTORY: Mapping[str, Callable[[History, Ints], Floats]] = {"drift": _drift_at, "staleness": _staleness_at}


def _held(time: Ints, values: Floats, moments: Ints) -> Floats:
    """A step function at some moments; before its first step it is 0."""
    place = np.searchsorted(time, moments, "right") - 1
    return np.where(place >= 0, values[np.maximum(place, 0)], 0.0)


def _moments(gauges: Gauges) -> Ints:
    """When the gauges were read."""
    return np.asarray(next((at for at, _ in gauges.values()), ()), np.int64)


# -- alerts beside faults


def _is_blamed(since: int, window: Window) -> bool:
    return window.from_us <= since and (window.until_us is None or since <= window.until_us + GRACE_US)


def _blamed(since: int, windows: Sequence[Window]) -> str:
    """The label of the fault that began last of those that an alert may be blamed on; its kind where it has none."""
    found = [window for window in windows if _is_blamed(since, window)]
    last = max(found, key=lambda window: window.from_us, default=None)
    return "" if last is None else last.label or last.kind


def _detections(firings: Sequence[Firing], windows: Sequence[Window]) -> tuple[Detection, ...]:
    """What became known of each fault that was seen to strike."""
    found = []
    for window in windows:
        if not window.witnessed:
            continue
        rule, delay_us = None, None
        for firing in firings:
            is_on = firing.from_us <= window.from_us and (firing.until_us is None or firing.until_us > window.from_us)
            if is_on or _is_blamed(firing.from_us, window):
                rule, delay_us = firing.rule, max(0, firing.from_us - window.from_us)
                break
        found.append(Detection(window.kind, window.target, window.label, window.from_us, rule, delay_us))
    return tuple(found)


def _seconds(moment_us: int | None) -> float | None:
    return None if moment_us is None else moment_us / _SECOND
