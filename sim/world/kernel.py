"""Time. SimPy's heap, clock and `run`, and a bare callback on top of them; the only file that schedules anything.

SimPy's events carry a list of callbacks, a value and a triumph or a failure each; nearly all that happens in an order
system is "after so long, do this with that". `Call` is the smallest thing that SimPy's heap accepts. Whoever extends
the world may use processes and resources on the same `environment`.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from typing import Any

import simpy
from simpy.events import NORMAL


def _fire(call: Call) -> None:
    call.run(call.argument)


_FIRE = (_fire,)


class Call:
    """One call in the future, as SimPy's heap sees it."""

    __slots__ = ("argument", "callbacks", "run")
    _ok = True
    _value = None
    defused = True

    def __init__(self, run: Callable[[Any], None], argument: Any) -> None:
        self.callbacks: Any = _FIRE
        self.run = run
        self.argument = argument


class Kernel:
    """Simulated time in integer microseconds, from 0."""

    def __init__(self) -> None:
        self.environment = simpy.Environment(initial_time=0)
        self._queue = self.environment._queue
        self._serials = self.environment._eid

    @property
    def now(self) -> int:
        return self.environment._now  # type: ignore[return-value]  # SimPy types time as float; ours is int

    def after(self, delay_us: int, run: Callable[[Any], None], argument: Any = None) -> None:
        """Call `run(argument)` so many microseconds from now; calls of one moment run in the order of their making."""
        # The same entry as `environment.schedule(Call(...), delay=delay_us)` pushes, without two calls in between.
        entry: Any = (self.environment._now + delay_us, NORMAL, next(self._serials), Call(run, argument))
        heappush(self._queue, entry)

    def run(self, until_us: int) -> None:
        """Run all that happens before `until_us`, and move the clock there."""
        assert type(until_us) is int, "time is an int: a numpy integer would turn the clock into one"
        if until_us > self.now:
            self.environment.run(until=until_us)
