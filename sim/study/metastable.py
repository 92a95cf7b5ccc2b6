"""Does the shop get up again? What customers got before, during and after trouble, and whether it stayed down.

A system that is overloaded may stay so after the reason has gone: what gave up is asked again, and again, and there is
more to do than before. Here that is told from the customers' side alone: the share of them who were decided in good
time. Reads the columns of a history; no model and no engine in this file.
source   Bronson, Aghayev, Charapko and Zhu, "Metastable failures in distributed systems" (HotOS 2021)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from orderquake.sim.history import History
from orderquake.sim.study.faults import faults
from orderquake.sim.study.grouping import NEVER
from orderquake.sim.study.latency import waits
from orderquake.sim.units import format_seconds

STILL = 2.0
"""After so many times the trigger's length it should be over. Like the next two numbers a convention of ours."""
GOOD = 4.0
"""Decided in good time: within so many times what nineteen of twenty took before."""
LOST = 0.5
"""Collapsed: less than this part of the share that there was before."""
FEWEST = 20
"""Customers without whom nothing is said of a stretch of time."""
ASKED = 20
"""In the quiet phase, of one kind: fewer asks than that say nothing of a service."""
UNHEARD = 0.95
"""Jammed: at least this part of them ended in silence."""
_SECOND = 1e6


class Aftermath(NamedTuple):
    """What became of the shop around one trigger: faults whose windows overlap.

    from_s, until_s          the trigger
    looked_s                 from when on it should have been over, to the horizon
    in_time_s                what counted as good time
    before, during, after    share of the customers of that stretch who were decided in good time
    is_collapsed             it stayed down
    """

    from_s: float
    until_s: float
    looked_s: float
    in_time_s: float
    before: float
    during: float
    after: float
    is_collapsed: bool

    def __str__(self) -> str:
        return (
            f"metastable: of the customers before the trouble at {format_seconds(self.from_s)}, {self.before:.0%} were "
            f"decided within {format_seconds(self.in_time_s)}, in it {self.during:.0%}; it ended at "
            f"{format_seconds(self.until_s)}, and from {format_seconds(self.looked_s)} on it was still {self.after:.0%}"
        )

    def as_record(self) -> dict[str, Any]:
        return self._asdict()


def aftermaths(history: History, horizon_us: int, still: float = STILL) -> list[Aftermath]:
    """Every trigger that left enough time, and enough customers, to see whether the shop got up again."""
    if len(history.table().at("invoke", "submit")) < 3 * FEWEST:
        return []
    triggers = _triggers(history, horizon_us)
    if not triggers:
        return []
    came, decided = waits(history)["decision"]
    took = np.where(decided == NEVER, np.inf, decided - came)
    found = []
    for number, (since, until) in enumerate(triggers):
        looked = until + round(still * (until - since))
        following = triggers[number + 1][0] if number + 1 < len(triggers) else horizon_us
        calm = triggers[number - 1][1] if number else 0
        before = took[(came >= calm) & (came < since)]
        during = took[(came >= since) & (came < until)]
        after = took[(came >= looked) & (came < following)]
        if min(len(before), len(during), len(after)) < FEWEST:
            continue
        usual = float(np.quantile(before, 0.95, method="lower"))
        if not np.isfinite(usual):
            continue  # it was down already
        good = GOOD * usual
        served, in_it, at_last = (float((part <= good).mean()) for part in (before, during, after))
        moments = (since / _SECOND, until / _SECOND, looked / _SECOND, good / _SECOND)
        found.append(Aftermath(*moments, served, in_it, at_last, at_last < LOST * served))
    return found


def _triggers(history: History, horizon_us: int) -> list[tuple[int, int]]:
    """Windows of faults that healed before the horizon, put together where they overlap; moments in microseconds."""
    windows = [
        (each.from_us, horizon_us if each.until_us is None else min(each.until_us, horizon_us))
        for each in faults(history)
        if each.from_us < horizon_us
    ]
    merged: list[tuple[int, int]] = []
    for since, until in sorted(windows):
        if merged and since <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], until)
        else:
            merged.append((since, until))
    return [(since, until) for since, until in merged if until > since > 0 and until < horizon_us]


def collapses_in_words(history: History, horizon_us: int) -> tuple[str, ...]:
    """A sentence for every trigger after which the shop stayed down."""
    return tuple(str(each) for each in aftermaths(history, horizon_us) if each.is_collapsed)


def jam_in_words(history: History) -> tuple[str, ...]:
    """A sentence where a service still answers nobody in time after customers and faults have gone: its work is to be
    asked again. None where a fault is never over."""
    table = history.table()
    silences, quiet = table.at("info"), table.at("config", "quiet")
    if not len(quiet) or len(silences) < ASKED or silences[-ASKED] < quiet[0]:
        return ()
    if any(each.until_us is None for each in faults(history)):
        return ()
    verbs = table.texts(table.operation[silences[silences > quiet[0]]].tolist())
    jammed = {}
    for verb in sorted(set(verbs)):
        asked = int((table.at("invoke", verb) > quiet[0]).sum())
        if asked >= ASKED and verbs.count(verb) >= UNHEARD * asked:
            jammed[verb] = asked
    if not jammed:
        return ()
    told = ", ".join(f"{verb} was asked {asked:,} times" for verb, asked in jammed.items())
    return (
        f"jammed: long after the last fault {told}, and hardly an answer came in time. Jobs that begin anew before "
        "their last run has ended keep a service busy with what nobody waits for any more; see `overlaps` in [jobs.*]",
    )
