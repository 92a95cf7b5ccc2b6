"""Time: SimPy's heap and clock, and a bare callback on top of them; the only file that schedules anything.

SimPy's events carry a list of callbacks, a value, and a success or a failure each; nearly all that happens in an order
system is "after so long, do this with that". So an entry of the heap may be a call instead of an event, and one loop
serves both; whoever extends the world may use SimPy's processes and resources on the same `environment`.

There are two engines with one order of events, `(time, priority, serial)`: `fast` runs the loop below; `stock` wraps
each call in an event and leaves the running to SimPy. Histories are equal to the bit on both, and a test keeps it so.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Literal

import simpy
from simpy.events import NORMAL

Engine = Literal["fast", "stock"]


def _fire(call: Call) -> None:
    call.run(call.argument)


_FIRE = (_fire,)


class Call:
    """One call in the future, as SimPy's own loop sees it: the smallest thing that its heap accepts."""

    __slots__ = ("argument", "callbacks", "run")
    _ok = True
    _value = None
    defused = True

    def __init__(self, run: Callable[[Any], None], argument: Any) -> None:
        self.callbacks: Any = _FIRE
        self.run = run
        self.argument = argument


class Kernel:
    """Simulated time in integer microseconds, from 0.

    now    the present moment; read it, never write it
    """

    __slots__ = ("environment", "is_stock", "now", "queue", "serials")

    def __init__(self, engine: Engine = "fast") -> None:
        self.environment = simpy.Environment(initial_time=0)
        self.is_stock = engine == "stock"
        self.queue: list[Any] = self.environment._queue
        self.serials = self.environment._eid
        self.now = 0

    def after(self, delay_us: int, run: Callable[[Any], None], argument: Any = None) -> None:
        """Call `run(argument)` so many microseconds from now; calls of one moment run in the order of their making."""
        if self.is_stock:
            self.environment.schedule(Call(self._stock_call, (run, argument)), delay=delay_us)  # type: ignore[arg-type]
        else:
            heappush(self.queue, (self.now + delay_us, NORMAL, next(self.serials), run, argument))

    def _stock_call(self, what: tuple[Callable[[Any], None], Any]) -> None:
        self.now = self.environment._now  # type: ignore[assignment]  # SimPy types time as float; ours is int
        what[0](what[1])

    def run(self, until_us: int) -> None:
        """Run all that happens before `until_us`, and move the clock there."""
        assert type(until_us) is int, "time is an int: a numpy integer would turn the clock into one"
        if until_us <= self.now:
            return
        if self.is_stock:
            self.environment.run(until=until_us)
        else:
            self._run_fast(until_us)
        self.now = until_us

    def _run_fast(self, until_us: int) -> None:
        """SimPy's `step` in one loop; a call is run, an event goes SimPy's own way."""
        queue, environment = self.queue, self.environment
        while queue:
            entry = heappop(queue)
            at_us = entry[0]
            if at_us >= until_us:
                heappush(queue, entry)
                break
            self.now = environment._now = at_us
            if len(entry) == 5:
                entry[3](entry[4])
            else:
                heappush(queue, entry)
                environment.step()
        environment._now = until_us
