"""When others are slow or say no, does the shop stop pushing in time?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import gcd
from typing import Any, ClassVar, NamedTuple

import numpy as np

from orderquake.sim.checkers.finding import NOTHING, NOWHERE, Aside, Finding, Kinds, PartByPart, broken, kept
from orderquake.sim.checkers.fold import EVERY, Context
from orderquake.sim.checkers.groups import Ints
from orderquake.sim.checkers.shelves import limits_are_known
from orderquake.sim.history import History, Row

ONE_CALL = 10**12
"""A call, in the units of a bucket's level: millionths of a call a second, times microseconds."""


class Pressure(NamedTuple):
    """The calls of one operation. A part fills in either half: what was asked again, or what was admitted.

    level     how full the throttle's bucket was at `time`, in units of ONE_CALL
    tests     repeated asks under a limit, or admitted calls under a throttle
    """

    level: int = 0
    time: int = 0
    latest: Aside = NOWHERE
    tests: Aside = NOTHING


def stays_below_the_brim(time: Ints, throttle: Mapping[str, Any]) -> bool:
    """Whether a bucket surely takes all calls: it is as full as it stands above its lowest so far, had it no bottom.

    source   Lindley (1952), unfolded
    """
    rate = round(throttle["per_s"] * 1_000_000)
    unit = gcd(ONE_CALL, rate)
    call, leak = ONE_CALL // unit, rate // unit
    if call * len(time) + leak * int(np.abs(time).max(initial=0)) >= 2**62:
        return False
    bottomless = call * np.arange(len(time)) - leak * time
    above = bottomless - np.minimum(np.minimum.accumulate(bottomless), 0)
    fullest = (int(above.max(initial=0)) + call) * unit
    return bool(fullest <= throttle["burst"] * ONE_CALL)


class BackpressureBounded(PartByPart[Pressure]):
    """Nobody is asked too often. Hears: asks, and throttles that let calls pass (inside)."""

    # Simplified: an ask says itself which attempt it is; matters when an endless one calls each its first.

    name = "backpressure_bounded"
    hears: ClassVar[Kinds] = {"invoke": EVERY, "mark": frozenset({"admitted"})}
    echoed = frozenset({"admitted"})
    hears_first_attempts = False

    def part(self, row: Row) -> str:
        return row.operation if row.kind == "invoke" else f"{row.actor}\0{row.key}"

    def echoes(self, row: Row, parts: Mapping[str, Pressure | Finding]) -> Iterable[tuple[str, Row]]:
        """What passes the throttle of its verb counts for the whole account, too: a call of no verb in particular."""
        yield f"{row.actor}\0", row._replace(key="")

    def start(self) -> Pressure:
        return Pressure()

    def hear(self, state: Pressure, row: Row, context: Context) -> Pressure | Finding:
        if row.kind == "invoke":
            return self.asked(state, row, context) if row.attempt else state
        return self.admitted(state, row, context)

    def asked(self, state: Pressure, row: Row, context: Context) -> Pressure | Finding:
        """Attempts count from zero, so the last that is allowed is one less than the limit."""
        allowed = context.limits.get("max_attempts", {}).get(row.operation)
        if allowed is None:
            return state
        tests = Aside(state.tests + 1)
        if row.attempt >= allowed:
            whose = f"of order {row.order}" if row.order else "of no order"
            reason = f"{row.operation} {whose} was tried {row.attempt + 1} times, {allowed} allowed"
            return broken(tests, reason, row.index)
        return state._replace(tests=tests)

    def admitted(self, state: Pressure, row: Row, context: Context) -> Pressure | Finding:
        """In no window of length t more than burst + per_s * t: a bucket that leaks so never overflows."""
        throttle = context.limits.get("throttles" if row.key else "account_throttles", {}).get(row.actor)
        if throttle is None:
            return state
        tests = Aside(state.tests + 1)
        leaked = round(throttle["per_s"] * 1_000_000) * (row.time - state.time)
        level = max(0, state.level - leaked) + ONE_CALL
        if level > throttle["burst"] * ONE_CALL:
            reason = (
                f"{row.actor} let a {row.key or 'call'} of order {row.order} pass at {row.time} us, one more than "
                f"{throttle['per_s']} a second after a burst of {throttle['burst']}"
            )
            return broken(tests, reason, state.latest, row.index)
        return Pressure(level, row.time, Aside(row.index), tests)

    def settle(self, part: str, state: Pressure, context: Context) -> Finding:
        return kept(state.tests)

    def screen(self, history: History, context: Context) -> int | None:
        """Attempts stay below their limits, and throttles' buckets below the brim."""
        table = history.table()
        asks, calls = table.at("invoke"), table.at("mark", "admitted")
        asks = asks[table.attempt[asks] != 0]
        is_plain = limits_are_known(table, asks) and limits_are_known(table, calls) and table.key[calls].all()
        if not is_plain:
            return None
        tests = 0
        operation, attempt = table.operation[asks], table.attempt[asks]
        for code in np.unique(operation).tolist():
            allowed = context.limits.get("max_attempts", {}).get(table.text(code))
            if allowed is not None:
                mine = attempt[operation == code]
                if mine.max() >= allowed:
                    return None
                tests += len(mine)
        actor, key, time = table.actor[calls], table.key[calls], table.time[calls]
        for code in np.unique(actor).tolist():
            mine, name = actor == code, table.text(code)
            verbs = [mine & (key == verb) for verb in np.unique(key[mine]).tolist()]
            for limit, buckets in (("throttles", verbs), ("account_throttles", [mine])):
                throttle = context.limits.get(limit, {}).get(name)
                if throttle is not None:
                    if not all(stays_below_the_brim(time[bucket], throttle) for bucket in buckets):
                        return None
                    tests += int(mine.sum())
        return tests
