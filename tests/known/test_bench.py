"""What the bench leaves behind: nothing, so that hundreds of replications fit into a process."""

from __future__ import annotations

import gc

from orderquake.sim.world.performer import Task
from tests.known.bench import Pays, exponential, plays, poisson, shop


def tasks_alive() -> int:
    return sum(isinstance(each, Task) for each in gc.get_objects())


def test_a_replication_that_is_over_leaves_nobody_behind() -> None:
    """Without the collector, too: who has waited in line stays on the heap for as long as their patience would last."""
    day = shop(100.0, poisson(0.8), service={"payment": {"latency": exponential(1.0), "capacity": 1}})
    gc.collect()
    gc.disable()
    try:
        before = tasks_alive()
        assert all(len(made.orders) > 40 for made in plays(day, Pays, range(3)))
        after = tasks_alive()
    finally:
        gc.enable()
    assert after == before
