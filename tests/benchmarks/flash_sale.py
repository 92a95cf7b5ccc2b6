"""Orders a second of `flash_sale` with full history and all checkers, beside an idiomatic SimPy script of its path.

The script, in `idiomatic.py`, has no checkers, and keeps its rows as dictionaries, as its like do. `simulate` turns
Python's collector off while it runs, so the ratio that counts has it off for the script, too; the others leave the
script as anybody would run it, or take its rows away. Both sides play a small run first, which imports and caches what
they need.

    python -m tests.benchmarks.flash_sale [--rounds 7] [--json]
"""

from __future__ import annotations

from functools import partial

from tests.benchmarks.measure import Figure, Numbers, Stopwatch, command, fresh, interleaved, median, ratio, tell

ORDERS = 2_000


def ours() -> Numbers:
    """Microseconds and asks an order of the product."""
    import numpy as np

    from orderquake.sim.run import simulate
    from orderquake.sim.scenario_file import load_scenario, set_by_path

    simulate("last_unit")
    scenario = set_by_path(load_scenario("flash_sale"), "workload.orders", ORDERS)
    watch = Stopwatch()
    run = simulate(scenario)
    took = watch.read()
    assert run.verdict == "valid", run.verdict
    kinds, actors = run.history.column("kind"), run.history.column("actor")
    asks = int(np.sum((kinds == "invoke") & (actors != "customer")))
    return {"us": took / ORDERS * 1e6, "asks": asks / ORDERS}


def theirs(collects: bool, keeps_rows: bool = True) -> Numbers:
    """The same of the script."""
    from tests.benchmarks.idiomatic import play

    play(50, 1)
    watch = Stopwatch(collects)
    shop = play(ORDERS, 1, keeps_rows=keeps_rows)
    took = watch.read()
    assert shop.decided == ORDERS, shop.decided
    return {"us": took / ORDERS * 1e6, "asks": shop.asks / ORDERS}


def bench(rounds: int) -> list[Figure]:
    """Orders a second, and their ratio."""
    found = interleaved(
        rounds,
        {
            "orderquake": partial(once, "ours"),
            "script": partial(once, "theirs", collects=True),
            "script, no collector": partial(once, "theirs", collects=False),
            "and no rows": partial(once, "theirs", collects=False, keeps_rows=False),
        },
    )
    tell(f"flash sale of {ORDERS:,}")
    for name, several in found.items():
        us = median(several, "us")
        speed, asks = f"{us:4.0f} us an order {1e6 / us:>6,.0f} orders/s", median(several, "asks")
        tell(f"  {name:<20} {speed}, {asks:.1f} asks an order")
    times = ratio(found["orderquake"], found["script"], "asks")
    if not 0.97 < times < 1.03:
        raise SystemExit(f"the script and the product do not play the same: {times:.2f} times as many asks")
    ours = found["orderquake"]
    return [
        Figure(
            "flash_sale: times the script, no collector", ratio(found["script, no collector"], ours, "us"), at_least=1.0
        ),
        Figure("flash_sale: times the script as it is", ratio(found["script"], ours, "us")),
        Figure("flash_sale: times the script without rows, no collector", ratio(found["and no rows"], ours, "us")),
    ]


def once(function: str, _round: int, **given: bool) -> Numbers:
    return fresh(f"tests.benchmarks.flash_sale:{function}", **given)


if __name__ == "__main__":
    raise SystemExit(command(bench, "The product beside an idiomatic SimPy script of the same path."))
