"""Tickers: an outside clock that starts the jobs. It may be late, skip, strike twice, and mostly waits for no run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from orderquake.model.architecture import Job
from orderquake.sim.scenario import Job as Schedule
from orderquake.sim.world.performer import DONE, Task
from orderquake.sim.world.wire import Sender

if TYPE_CHECKING:
    from orderquake.sim.world.world import World


BESIDES = 1 << 40
"""Runs that no tick of the job's own clock has started have luck of their own, found from here on."""


class Ticker:
    """One job's clock. A run of the job tells one page after the other, each a flow of its own.

    going      runs that have not ended
    troubles   told the tick's number and after how long the job would be started, each time; and say it instead
    """

    def __init__(self, world: World, job: Job, schedule: Schedule) -> None:
        self.world = world
        self.job = job
        self.schedule = schedule
        self.sender = Sender(job.name, world.scenario.place[0].name, f"{job.name}/")
        self.ticks = 0
        self.runs = 0
        self.going = 0
        self.troubles: list[Trouble] = []
        self.besides: dict[str, int] = {}
        streams = world.streams
        self.late = streams.uniform(f"ticker/{job.name}/jitter")
        self.skips = streams.uniform(f"ticker/{job.name}/skips")
        self.doubles = streams.uniform(f"ticker/{job.name}/doubles")
        world.kernel.after(schedule.phase + schedule.every, self.tick)

    def tick(self, _: Any = None) -> None:
        schedule, number, kernel = self.schedule, self.ticks, self.world.kernel
        self.ticks += 1
        kernel.after(schedule.every, self.tick)
        if schedule.skips and self.skips.draw(number) < schedule.skips:
            return
        late_us = int(self.late.draw(number) * schedule.jitter)
        starts = [late_us]
        if schedule.doubles and self.doubles.draw(number) < schedule.doubles:
            starts.append(late_us)
        for trouble in self.troubles:
            starts = trouble(self, number, starts)
        for later_us in starts:
            kernel.after(later_us, self.run)

    def run(self, _: Any = None) -> None:
        self.runs += 1  # also where none begins: later runs keep their names and their luck
        if self.going and not self.schedule.overlaps:
            return
        self.going += 1
        self.page(f"{self.job.name}-{self.runs}", (), self.runs, {}, -1, 0)

    def run_besides(self, label: str, number: int) -> None:
        """A run that somebody else has started, at the tick of that number."""
        which = self.besides.setdefault(label, len(self.besides) + 1)
        self.going += 1
        self.page(f"{self.job.name}-{label}.{number}", (), which * BESIDES + number, {}, -1, 0)

    def page(
        self, run: str, arguments: tuple[Any, ...], number: int, visits: dict[str, int], cause: int, asks: int
    ) -> None:
        def ended(task: Task, how: str, following: Any) -> None:
            if how is DONE and following is not None:
                self.page(run, (following,), number, visits, task.cause, task.asks)
            else:
                self.going -= 1

        flow = self.world.design.start(self.job.flow, arguments)
        task = Task(flow, run, self.sender, number, visits, ended, cause=cause)
        task.asks = asks
        self.world.performer.start(task)


Trouble: TypeAlias = Callable[[Ticker, int, list[int]], list[int]]
"""A ticker, the number of its tick, after how long its job would be started, each time; and is started instead."""
