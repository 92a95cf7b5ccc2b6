"""Two engines, one history: SimPy's own loop and ours."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from typing import Any

import pytest
from simpy.events import NORMAL

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.flow import Ask
from orderquake.sim.history import first_difference
from orderquake.sim.run import policy_of, simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.settings import with_settings
from orderquake.sim.world.kernel import Call, Kernel
from orderquake.sim.world.world import World
from tests.engines import Watch, watching


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


@pytest.mark.parametrize("engine", ["fast", "stock"])
def test_what_simpy_calls_urgent_comes_first_and_simpy_may_run_the_clock_itself(engine: str) -> None:
    kernel = Kernel(engine)  # type: ignore[arg-type]
    environment = kernel.environment
    heard: list[tuple[str, float]] = []

    def child() -> object:
        heard.append(("child", environment.now))
        yield environment.timeout(0)

    def process() -> object:
        kernel.after(10, lambda _: heard.append(("a call", environment.now)))
        yield environment.timeout(10)
        heard.append(("process", environment.now))
        environment.process(child())  # type: ignore[arg-type]

    environment.process(process())  # type: ignore[arg-type]
    kernel.after(0, lambda _: kernel.after(10, lambda _: heard.append(("another call", environment.now))))
    environment.run(until=31)
    assert heard == [("a call", 10), ("process", 10), ("child", 10), ("another call", 10)]
    assert environment.now == 31


@pytest.mark.parametrize("engine", ["fast", "stock"])
def test_an_error_in_a_simpy_process_ends_the_run_and_leaves_the_rest_on_the_heap(engine: str) -> None:
    kernel = Kernel(engine)  # type: ignore[arg-type]
    heard: list[int] = []

    def process() -> object:
        yield kernel.environment.timeout(10)
        raise RuntimeError("broken")

    kernel.environment.process(process())  # type: ignore[arg-type]
    for moment in (20, 35):
        kernel.after(moment, lambda _: heard.append(kernel.now))
    with pytest.raises(RuntimeError, match="broken"):
        kernel.run(31)
    assert heard == []
    if engine == "fast":  # SimPy keeps the end of a run that has failed on its heap, and stops there again
        kernel.run(40)
        assert heard == [20, 35]


# -- the watch over all other tests: `pytest -p tests.engines`


def rush() -> Scenario:
    """Three people want the same unit, forty times; and two jobs begin at the same moments, to the microsecond."""
    jobs = {"inbound": {"every": "30 s", "jitter": "0 s"}, "outbound": {"every": "30 s", "jitter": "0 s"}}
    return with_settings(load_scenario("last_unit"), {"workload.rounds": 40, "jobs": jobs})


def built() -> World:
    scenario = rush()
    return World(scenario, HotCold(policy_of(scenario)), 1)


def last_come_first_served(kernel: Kernel, delay_us: int, run: Callable[[Any], None], argument: Any = None) -> None:
    """The stock engine, but those of one moment run in the wrong order."""
    call = Call(kernel._stock_call, (run, argument))
    heappush(kernel.queue, (kernel.now + delay_us, NORMAL, -next(kernel.serials), call))


def test_a_world_that_is_played_under_the_watch_is_compared() -> None:
    watch = Watch()
    with watching(watch):
        run = simulate(rush())
    assert (watch.compared, watch.apart.total()) == (1, 0)
    assert run.digest == simulate(rush()).digest, "being watched changes nothing"


def test_an_engine_that_runs_ties_in_another_order_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kernel, "_after_on_stock", last_come_first_served)
    with (
        watching(Watch()),
        pytest.raises(AssertionError, match=r"last_unit on hot_cold with seed 1: row \d+ is") as error,
    ):
        simulate(rush())
    assert "fast: Row(" in str(error.value) and "stock: Row(" in str(error.value)


def test_a_world_that_is_stepped_by_hand_is_stepped_as_far_again(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    with watching(watch):
        built().kernel.run(60_000_000)
        watch.end_of_test()
        assert watch.compared == 1
        monkeypatch.setattr(Kernel, "_after_on_stock", last_come_first_served)
        built().kernel.run(60_000_000)
        with pytest.raises(AssertionError, match="the engines differ"):
            watch.end_of_test()


def test_a_world_that_breaks_has_to_break_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(world: World) -> bool:
        raise AssertionError(f"broken at {world.kernel.now}")

    watch = Watch()
    monkeypatch.setattr(World, "rests", breaks)
    with watching(watch), pytest.raises(AssertionError, match=r"^broken at"):
        simulate(rush())
    assert watch.compared == 1
    monkeypatch.setattr(World, "rests", lambda world: world.kernel.is_stock or breaks(world))
    with watching(watch), pytest.raises(AssertionError, match=r"(the first|one ended with .* None)"):
        simulate(rush())


@pytest.mark.parametrize(
    ("lay_hands_on", "where"),
    [
        (lambda world: setattr(world.customers, "arrivals", iter(())), "world.customers.arrivals"),
        (lambda world: world.kernel.after(5, lambda _: world.history.state(5, "receipt")), "the heap"),
    ],
)
def test_a_world_that_its_test_has_changed_is_named_where_it_differs(
    lay_hands_on: Callable[[World], None], where: str
) -> None:
    watch = Watch(test="this test")
    with watching(watch):
        world = built()
        lay_hands_on(world)
        world.run()
    assert watch.compared == 0
    assert dict(watch.apart) == {f"this test has changed {where}": 1}


def test_a_world_that_its_test_only_listens_to_is_compared() -> None:
    watch, heard = Watch(), list[object]()
    with watching(watch):
        world = built()
        stock = world.stores["stock"]
        handle = stock.handle

        def handled(ask: Ask[Any], now_us: int) -> Any:
            heard.append(ask)
            return handle(ask, now_us)

        stock.handle = handled  # type: ignore[method-assign]
        world.run()
    assert heard
    assert (watch.compared, watch.apart.total()) == (1, 0)
