"""Two engines, one history: SimPy's own loop and ours."""

from __future__ import annotations

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.sim.history import first_difference
from orderquake.sim.run import policy_of
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.world.kernel import Kernel
from orderquake.sim.world.world import World


@pytest.mark.parametrize("name", ["last_unit", "lossy_payments", "slow_stock", "stale_refresh"])
def test_histories_are_equal_to_the_bit_on_both_engines(name: str) -> None:
    scenario = load_scenario(name)
    worlds = [World(scenario, HotCold(policy_of(scenario)), 5, engine) for engine in ("fast", "stock")]
    for world in worlds:
        world.run()
    fast, stock = (world.history for world in worlds)
    assert first_difference(fast, stock) is None
    assert fast.digest == stock.digest


@pytest.mark.parametrize("engine", ["fast", "stock"])
def test_simpy_processes_live_on_the_same_clock(engine: str) -> None:
    kernel = Kernel(engine)  # type: ignore[arg-type]
    heard: list[tuple[str, float]] = []

    def process() -> object:
        for _ in range(3):
            yield kernel.environment.timeout(10)
            heard.append(("process", kernel.environment.now))

    kernel.environment.process(process())  # type: ignore[arg-type]
    for moment in (5, 10, 25):
        kernel.after(moment, lambda _: heard.append(("call", kernel.now)))
    kernel.run(31)
    assert heard == [
        ("call", 5),
        ("call", 10),
        ("process", 10),
        ("process", 20),
        ("call", 25),
        ("process", 30),
    ]
