"""Time: SimPy's heap and clock, and a bare callback on top of them; the only file that schedules anything.

SimPy's events carry a list of callbacks, a value, and a success or a failure each; nearly all that happens in an order
system is "after so long, do this with that". So an entry of the heap is a call, and that of an event of SimPy's lets it
happen; whoever extends the world may use SimPy's processes and resources on the same `environment`.

There are two engines with one order of events, `(time, priority, serial)`: `fast` runs the loop below; `stock` wraps
each call in an event and leaves the running to SimPy. Histories are equal to the bit on both, and a test keeps it so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any, Literal, Protocol

import simpy
from simpy.events import NORMAL

Engine = Literal["fast", "stock"]


class After(Protocol):
    """How something is scheduled."""

    def __call__(self, delay_us: int, run: Callable[[Any], None], argument: Any = None, /) -> None: ...


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


RANKS = 2**62
"""How far the serials of one priority lie from those of the next: an entry has one number for both."""
FIRST = -4 * RANKS
"""Before all that happens at a moment."""


class CallingEnvironment(simpy.Environment):
    """SimPy's environment on a heap of calls, `(time, rank, run, argument)`; it shares the kernel's clock."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        super().__init__(initial_time=0)

    @property
    def _now(self) -> int:
        return self.kernel.now

    @_now.setter
    def _now(self, now: int) -> None:
        self.kernel.now = now

    def schedule(self, event: simpy.Event, priority: Any = NORMAL, delay: Any = 0) -> None:
        rank = next(self._eid) + (priority - NORMAL) * RANKS
        heappush(self._queue, (self._now + delay, rank, self._happen, event))  # type: ignore[misc]

    def step(self) -> None:
        queue: list[Any] = self._queue
        if not queue:
            raise simpy.core.EmptySchedule
        self.kernel.now, _, run, argument = heappop(queue)
        run(argument)

    def _happen(self, event: simpy.Event) -> None:
        """SimPy's own step, which takes the event from the heap itself."""
        heappush(self._queue, (self._now, FIRST, None, event))  # type: ignore[misc]
        super().step()


class Over(Exception):
    """A run has come to its end."""


def _end(_: Any) -> None:
    raise Over


class Kernel:
    """Simulated time in integer microseconds, from 0.

    now    the present moment; read it, never write it
    after  `after(delay_us, run, argument=None)` calls `run(argument)` so many microseconds from now; calls of one
           moment run in the order of their making
    """

    __slots__ = ("after", "environment", "is_stock", "now", "queue", "serials")
    after: After
    environment: simpy.Environment

    def __init__(self, engine: Engine = "fast") -> None:
        self.is_stock = engine == "stock"
        self.environment = simpy.Environment(initial_time=0) if self.is_stock else CallingEnvironment(self)
        self.queue: list[Any] = self.environment._queue
        self.serials = self.environment._eid
        self.now = 0
        self.after = self._after_on_stock if self.is_stock else self._after_on_heap()

    def _after_on_stock(self, delay_us: int, run: Callable[[Any], None], argument: Any = None) -> None:
        self.environment.schedule(Call(self._stock_call, (run, argument)), delay=delay_us)  # type: ignore[arg-type]

    def _after_on_heap(self) -> After:
        # A function and not a method: it is called three times an ask, and looks nothing up.
        queue, serial = self.queue, self.serials.__next__

        def after(delay_us: int, run: Callable[[Any], None], argument: Any = None) -> None:
            heappush(queue, (self.now + delay_us, serial(), run, argument))

        return after

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

    def watch(self, until_us: int, look: Callable[[], bool]) -> bool:
        """Run all that happens before `until_us` as `run` does, and `look` after every event; stop for good where it
        says so, and tell whether it did."""
        queue, environment = self.queue, self.environment
        while queue and queue[0][0] < until_us:
            environment.step()
            self.now = environment._now  # type: ignore[assignment]  # as above
            if look():
                return True
        self.now = environment._now = until_us
        return False

    def _run_fast(self, until_us: int) -> None:
        """One call after the other; the last one ends it."""
        queue = self.queue
        end = (until_us, FIRST, _end, None)
        heappush(queue, end)
        try:
            while True:
                self.now, _, run, argument = heappop(queue)
                run(argument)
        except Over:
            return
        except BaseException:
            queue.remove(end)
            heapify(queue)
            raise


class Alarms:
    """Calls that are all due equally long after they were made, most of which turn out to be needless.

    They come due in the order of their making, so only the first stands on the heap, and those that are needless by
    the time they get there never do.

    is_needless   told an argument: is there nothing left to do for it?
    """

    __slots__ = ("delay_us", "is_needless", "kernel", "line", "run")

    def __init__(
        self, kernel: Kernel, delay_us: int, run: Callable[[Any], None], is_needless: Callable[[Any], bool]
    ) -> None:
        self.kernel = kernel
        self.delay_us = delay_us
        self.run = run
        self.is_needless = is_needless
        self.line: deque[tuple[int, Any]] = deque()

    def set(self, argument: Any) -> None:
        """One more."""
        self.line.append((self.kernel.now + self.delay_us, argument))
        if len(self.line) == 1:
            self.kernel.after(self.delay_us, self._ring)

    def _ring(self, _: Any) -> None:
        line, now = self.line, self.kernel.now
        while line and (line[0][0] <= now or self.is_needless(line[0][1])):
            if not self.is_needless(line[0][1]):
                self.run(line[0][1])
            line.popleft()  # not before: what runs may set the next one, and must find the line begun
        if line:
            self.kernel.after(line[0][0] - now, self._ring)
