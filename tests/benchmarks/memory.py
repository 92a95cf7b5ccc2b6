"""Bytes: of a sleeper in stock SimPy and in orderquake's kernel, of an order in flight, and of what is kept of it.

A sleeper in SimPy is a process that waits for a timeout, and one row, a tuple; with us it is a call of the kernel
pending for a small slotted task, and one row in a History. Both know their order's name and number. Bytes are what
`tracemalloc` counts: what Python has allocated and not freed, without the allocator's own slack.

The product's own figures come from a flash sale. In flight: what the world has grown by since it was built, its
history apart, at the moment when most orders are under way, an order under way. Kept: the history in the end, an order,
its last block still unpacked, as a run leaves it. Three rounds do: the same is allocated every time.

    python -m tests.benchmarks.memory [--rounds 7] [--json]
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Generator
from functools import partial
from typing import Any

from tests.benchmarks.measure import Figure, Numbers, command, fresh, interleaved, median, ratio, tell

SLEEPERS = 100_000
ORDERS = 6_000
SECOND = 1_000_000


def allocated() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


# -- sleepers


def simpy_sleepers() -> Numbers:
    """Bytes a sleeping process with its row."""
    import simpy

    rows: list[tuple[Any, ...]] = []

    def sleeper(env: simpy.Environment, number: int) -> Generator[simpy.Event, Any, None]:
        order = f"o{number}"
        rows.append((env.now, "invoke", "submit", order, "customer", ""))
        yield env.timeout(1_000_000 + number)

    tracemalloc.start()
    env = simpy.Environment()
    before = allocated()
    for number in range(SLEEPERS):
        env.process(sleeper(env, number))
    env.run(until=1000)
    found = allocated() - before
    assert len(rows) == SLEEPERS, "all sleep"
    return {"bytes": found / SLEEPERS}


class Sleeper:
    """A task that will be called again."""

    __slots__ = ("about", "id", "number", "row")

    def __init__(self, number: int, row: int) -> None:
        self.number = number
        self.id = id = f"o{number}"
        self.about = (id, "")
        self.row = row


def our_sleepers() -> Numbers:
    """Bytes a pending call with its task and its row."""
    from orderquake.sim.history import History
    from orderquake.sim.recorder import Recorder
    from orderquake.sim.world.kernel import Kernel

    tracemalloc.start()
    kernel, recorder = Kernel(), Recorder(History())
    before = allocated()
    woken: list[Sleeper] = []
    submits = recorder.route("submit", "customer", "home", "outside")
    written, put_ask = recorder.written, recorder.put_ask

    def begin(number: int) -> None:
        written.rows = 1 + (row := written.rows)
        task = Sleeper(number, row)
        put_ask((row, kernel.now, submits, task.about, task.id, 0, 1, -1, -1))
        kernel.after(1_000_000 + number, woken.append, task)

    for number in range(SLEEPERS):
        kernel.after(0, begin, number)
    kernel.run(1000)
    found = allocated() - before
    kernel.run(2_000_000)
    assert len(recorder.history) == len(woken) == SLEEPERS
    return {"bytes": found / SLEEPERS}


# -- the product


def in_flight() -> Numbers:
    """Bytes of a world an order under way, its history apart, and how many there are."""
    trial = sale()
    moment_us, most = 0, 0
    for at_us in range(10 * SECOND, trial.scenario.horizon, 10 * SECOND):
        trial.kernel.run(at_us)
        if (now_under_way := under_way(trial.history)) > most:
            moment_us, most = at_us, now_under_way
    del trial

    tracemalloc.start()
    world = sale()
    built = allocated()
    world.kernel.run(moment_us)
    grown = allocated() - built
    history = world.history
    del world
    return {"bytes": (grown - allocated()) / most, "orders": most, "rows": len(history)}


def kept() -> Numbers:
    """Bytes of the history an order, when all is over."""
    tracemalloc.start()
    world = sale()
    world.run()
    history = world.history
    del world
    history.pack()
    return {"bytes": allocated() / ORDERS, "rows": len(history) / ORDERS}


def sale() -> Any:
    """The world of a flash sale."""
    from orderquake.sim.run import design_of, policy_of
    from orderquake.sim.scenario_file import load_scenario, set_by_path
    from orderquake.sim.world.world import World

    scenario = set_by_path(load_scenario("flash_sale"), "workload.orders", ORDERS)
    return World(scenario, design_of("hot_cold")(policy_of(scenario)), seed=1)


def under_way(history: Any) -> int:
    """Orders that are registered and whose customers do not know the end."""
    table = history.table()
    registered = set(table.order[table.at("state", "ordered")].tolist())
    return len(registered - set(table.order[table.at("state", "notice")].tolist()))


def bench(rounds: int) -> list[Figure]:
    """Bytes a sleeper, beside SimPy's; bytes an order of the product."""
    me = "tests.benchmarks.memory"
    names = {"stock SimPy": "simpy_sleepers", "ours": "our_sleepers"}
    rounds = min(rounds, 3)
    found = interleaved(rounds, {name: partial(once, f"{me}:{function}") for name, function in names.items()})
    for name, several in found.items():
        tell(f"a sleeper with one row, {name}: {median(several, 'bytes'):,.0f} bytes")
    flying, resting = fresh(f"{me}:in_flight"), fresh(f"{me}:kept")
    tell(f"flash sale of {ORDERS:,}: {flying['orders']:,.0f} in flight, {resting['rows']:.1f} rows an order in the end")
    return [
        Figure(
            "memory: a sleeper, times stock SimPy's", ratio(found["ours"], found["stock SimPy"], "bytes"), at_most=0.7
        ),
        Figure("memory: an order in flight, history apart", flying["bytes"], "bytes"),
        Figure("memory: history of a finished order", resting["bytes"], "bytes"),
    ]


def once(function: str, _round: int) -> Numbers:
    return fresh(function)


if __name__ == "__main__":
    raise SystemExit(command(bench, "Bytes of sleepers, orders in flight, and what is kept of them."))
