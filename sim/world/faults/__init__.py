"""The nemesis: carries out the faults that a scenario describes, and writes down what it did. One family a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from orderquake.sim.nemesis import SERVICES
from orderquake.sim.recorder import Recorder
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.faults import load, payment, record, services, time, wire, workers
from orderquake.sim.world.faults.injected import Injected, Site
from orderquake.sim.world.kernel import Kernel
from orderquake.sim.world.streams import Streams

if TYPE_CHECKING:
    from orderquake.sim.world.wire import Wire
    from orderquake.sim.world.world import World

__all__ = ["INJECTORS", "Injected", "Site", "inject"]

INJECTORS: Mapping[type, Callable[[Site], Injected]] = {
    **wire.INJECTORS,
    **services.INJECTORS,
    **workers.INJECTORS,
    **payment.INJECTORS,
    **record.INJECTORS,
    **time.INJECTORS,
    **load.INJECTORS,
}
"""A kind of fault as it is described -> who carries it out. Patterns are not here: they consist of others."""


def inject(
    scenario: Scenario, kernel: Kernel, streams: Streams, recorder: Recorder, wire: Wire, world: World | None = None
) -> list[Injected]:
    """Schedule every fault of the scenario; returns them so that a run can ask what was seen.

    world   whose workers, jobs and customers faults may strike; those that need none of them do without
    """
    injected: list[Injected] = []
    for label, fault in scenario.plain_faults():
        is_absent = fault.target in SERVICES and fault.target not in wire.replicas
        injector = Injected if is_absent else INJECTORS[type(fault)]  # a design has no such service: never to be seen
        made = injector(Site(label, fault, kernel, streams, recorder, wire, scenario, world))
        since_us, until_us = fault.window(scenario.horizon)
        kernel.after(since_us, made.begin)
        if getattr(fault, "is_healed", True):
            kernel.after(min(until_us, scenario.horizon), made.end)
        for other in injected:
            if other.is_before(made):
                other.behind.append(made)
        injected.append(made)
    return injected
