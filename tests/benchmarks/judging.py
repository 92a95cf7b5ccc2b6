"""How much of a flash sale's run goes to checkers and measures?

A run is `simulate`, which plays the world and judges its history, and then latency, drift and outcomes. All but the
world is judging, packing what nobody had read yet included. Modules are imported by a tiny run before, measures too.
`simulate` leaves Python's collector off while it runs; here it is off throughout, so that nobody pays for another.

    python -m tests.benchmarks.judging [--rounds 7] [--json]
"""

from __future__ import annotations

import time

from tests.benchmarks.measure import Figure, Numbers, Stopwatch, command, fresh, interleaved, median, tell

ORDERS = 2_000


def run() -> Numbers:
    """Microseconds an order: of the world, of its judges, of the measures."""
    from orderquake.sim.run import simulate
    from orderquake.sim.scenario_file import load_scenario, set_by_path

    warm = simulate("last_unit")
    warm.latency(), warm.drift(), warm.outcomes()
    scenario = set_by_path(load_scenario("flash_sale"), "workload.orders", ORDERS)
    watch = Stopwatch(collects=False, clock=time.perf_counter)  # the clock that `wall_s` is read from
    what = simulate(scenario)
    simulated = watch.read()
    what.latency(), what.drift(), what.outcomes()
    took = watch.read()
    judging = simulated - what.wall_s
    return {
        "world_us": what.wall_s / ORDERS * 1e6,
        "judges_us": judging / ORDERS * 1e6,
        "measures_us": (took - simulated) / ORDERS * 1e6,
        "share": 1 - what.wall_s / took,
    }


def bench(rounds: int) -> list[Figure]:
    """The share of checkers and measures."""
    found = interleaved(rounds, {"flash_sale": once})["flash_sale"]
    world, judges, measures = (median(found, what) for what in ("world_us", "judges_us", "measures_us"))
    tell(f"flash sale of {ORDERS:,}: world {world:.0f} us an order, judges {judges:.0f}, measures {measures:.0f}")
    return [Figure("judging: share of a flash sale's run", median(found, "share"), at_most=0.15)]


def once(_round: int) -> Numbers:
    return fresh("tests.benchmarks.judging:run")


if __name__ == "__main__":
    raise SystemExit(command(bench, "The share of checkers and measures in a run."))
