"""Faults of those who do the work: they die, stand still, start cold, or run what was deployed the day before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from orderquake.model.assumptions import Assumption
from orderquake.sim.nemesis.base import Chancy, Fault, Lasting, Sudden
from orderquake.sim.nemesis.steps import TURNS, all_steps, only
from orderquake.sim.scenario_errors import unknown
from orderquake.sim.units import Flag
from orderquake.sim.world.delays import Distribution, delay

if TYPE_CHECKING:
    from orderquake.sim.scenario import Scenario


class Crash(Chancy):
    """`when` is seen from the service: before the ask was sent to it, or after it did what was asked."""

    kind: Literal["crash"] = "crash"
    when: Literal["before", "after"]

    does = "the worker that asks dies: just before the ask is sent, or just after the service did it"
    breaks = frozenset({Assumption.WORKERS_SURVIVE})
    heals = "the queue delivers the order again when the lease runs out; recovery finds the rest"
    witness = "a fault row, and no completion by that worker after it"
    example = '[[fault]]\nkind = "crash"\nwhen = "after"\ntarget = "payment"\noperation = "charge"\nnth = 3\n'


class Pause(Chancy):
    """`length` is how long the asker stands still before it goes on where it stood; `when` as for a crash.

    outlives_deadline   its deadline stands still, too, as when a machine is suspended; else it is killed in its sleep
    Stop-the-world pauses of minutes are known: martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html.
    """

    kind: Literal["pause"] = "pause"
    when: Literal["before", "after"]
    length: Distribution = delay(kind="uniform", low="1 min", high="3 min")
    outlives_deadline: Flag = False

    does = "the worker that asks stands still, just before the ask is sent or just after its answer came; then goes on"
    breaks = frozenset({Assumption.LEASES_EXCLUDE})
    heals = "it wakes; if its lease ran out meanwhile, two workers have the order, and the compare-and-set decides"
    witness = "a fault row, and marks `paused` and `woke`; no `woke` where it was killed in its sleep"
    example = (
        '[[fault]]\nkind = "pause"\nwhen = "before"\ntarget = "stock"\noperation = "consume"\nnth = 3\n'
        'length = { kind = "uniform", low = "1 min", high = "3 min" }\noutlives_deadline = true\n'
    )


class KilledAtDeadline(Chancy):
    """Only workers' turns have a deadline; customers' front doors and jobs are left alone. `when` as for a crash."""

    kind: Literal["killed_at_deadline"] = "killed_at_deadline"
    when: Literal["before", "after"] = "after"

    does = "the worker that asks gets so little done from then on that it is killed at the deadline of its turn"
    breaks = frozenset({Assumption.WORKERS_SURVIVE})
    heals = "the queue delivers the order again when the lease runs out"
    witness = "the kill: a mark `worker_killed_at_deadline` of a worker that was struck"
    spares = only(TURNS, "only workers' turns have a deadline, and none of them asks this")
    example = (
        '[[fault]]\nkind = "killed_at_deadline"\ntarget = "payment"\noperation = "charge"\nwhen = "after"\n'
        "probability = 0.05\n"
    )


class ColdStartStorm(Sudden):
    """Everywhere, or in the place that `target` names. `takes` is how long one cold start takes.

    Who is at work when it comes is cold at the next turn.
    """

    kind: Literal["cold_start_storm"] = "cold_start_storm"
    target: str | None = None
    takes: Distribution = delay(kind="preset", name="lambda_init_python")

    does = "all workers are cold at once, as after a deployment: each must start anew before its next turn"
    breaks = frozenset({Assumption.ANSWERS_IN_TIME})
    heals = "when each of them has started"
    witness = "a fault row, and a mark `cold_start` of a worker that would have been warm"
    spares = all_steps("it happens to workers between their turns, and to no ask")
    example = '[[fault]]\nkind = "cold_start_storm"\nat = "10 min"\n'

    def where(self) -> str:
        """The place, or all workers."""
        return self.target or "workers"

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        names = [place.name for place in scenario.place]
        if self.target is not None and self.target not in names:
            yield ("target",), unknown(self.target, names, "place")


class OldVersion(Lasting):
    """A `share` of the turns, everywhere or in the place that `target` names, runs `design` over the same stores.

    design   one that comes along, or is registered under the entry point group `orderquake.architectures`
    """

    kind: Literal["old_version"] = "old_version"
    target: str | None = None
    design: Annotated[str, Field(min_length=1)]
    share: Annotated[float, Field(strict=True, gt=0, le=1)] = 0.5

    does = "two versions are live at once: some turns are told by another design, over the same stores"
    breaks = frozenset()  # nothing but what that design itself would break
    heals = "at the end of its window; a turn that has begun ends as it began"
    witness = "a fault row at each edge, and a turn that the other version has begun"
    spares = all_steps("it happens to workers between their turns, and to no ask")
    example = '[[fault]]\nkind = "old_version"\ndesign = "hot_cold"\nshare = 0.5\nfrom = "5 min"\nfor = "10 min"\n'

    def where(self) -> str:
        """The place, or all workers."""
        return self.target or "workers"

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        from orderquake.model.architectures import ARCHITECTURES
        from orderquake.sim.run import design_of

        names = [place.name for place in scenario.place]
        if self.target is not None and self.target not in names:
            yield ("target",), unknown(self.target, names, "place")
        try:
            design_of(self.design)
        except KeyError:
            yield ("design",), unknown(self.design, ARCHITECTURES, "architecture", "orderquake architectures")


FAULTS: tuple[type[Fault], ...] = (Crash, Pause, KilledAtDeadline, ColdStartStorm, OldVersion)
