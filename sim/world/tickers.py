"""Tickers: an outside clock that starts the jobs. It may be late, skip, strike twice, and waits for no run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderquake.model.architecture import Job
from orderquake.sim.scenario import Job as Schedule
from orderquake.sim.world.performer import DONE, Task
from orderquake.sim.world.wire import Sender

if TYPE_CHECKING:
    from orderquake.sim.world.world import World


class Ticker:
    """One job's clock. A run of the job tells one page after the other, each a flow of its own."""

    def __init__(self, world: World, job: Job, schedule: Schedule) -> None:
        self.world = world
        self.job = job
        self.schedule = schedule
        self.sender = Sender(job.name, world.scenario.place[0].name, f"{job.name}/")
        self.ticks = 0
        self.runs = 0
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
        kernel.after(late_us, self.run)
        if schedule.doubles and self.doubles.draw(number) < schedule.doubles:
            kernel.after(late_us, self.run)

    def run(self, _: Any = None) -> None:
        self.runs += 1
        self.page(f"{self.job.name}-{self.runs}", (), self.runs, {}, -1, 0)

    def page(
        self, run: str, arguments: tuple[Any, ...], number: int, visits: dict[str, int], cause: int, asks: int
    ) -> None:
        def ended(task: Task, how: str, following: Any) -> None:
            if how is DONE and following is not None:
                self.page(run, (following,), number, visits, task.cause, task.asks)

        flow = self.world.design.start(self.job.flow, arguments)
        task = Task(flow, run, self.sender, number, visits, ended, cause=cause)
        task.asks = asks
        self.world.performer.start(task)
