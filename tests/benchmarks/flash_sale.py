"""Orders a second of `flash_sale` with full history and all checkers, beside an idiomatic SimPy script of its path.

Each figure is the median of interleaved runs in fresh processes; only the ratio means anything on a noisy machine.

    python -m tests.benchmarks.flash_sale [--runs 7] [--orders 2000]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

OURS = """
import sys, time
from orderquake.sim.run import simulate
from orderquake.sim.scenario_file import set_by_path
from orderquake.sim.scenario_file import load_scenario
scenario = set_by_path(load_scenario("flash_sale"), "workload.orders", int(sys.argv[1]))
simulate("last_unit")  # imports and caches
began = time.perf_counter()
run = simulate(scenario)
took = time.perf_counter() - began
asks = sum(1 for row in run.history.raw() if row[1] == "invoke" and row[6] != "customer")
print(int(sys.argv[1]) / took, asks / int(sys.argv[1]), run.wall_s / took)
"""
THEIRS = """
import sys, time
from tests.benchmarks.idiomatic import play
play(50, 1)
began = time.perf_counter()
shop = play(int(sys.argv[1]), 1)
took = time.perf_counter() - began
assert shop.decided == int(sys.argv[1]), shop.decided
print(int(sys.argv[1]) / took, shop.asks / int(sys.argv[1]), 1.0)
"""


def measure(script: str, orders: int) -> tuple[float, float, float]:
    """Orders a second, asks an order, and the share of the time that was not judging, in a fresh process."""
    done = subprocess.run([sys.executable, "-c", script, str(orders)], capture_output=True, text=True, check=True)
    speed, asks, share = map(float, done.stdout.split())
    return speed, asks, share


def main() -> int:
    """Print the figures; 1 where the product is slower than half of the script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--orders", type=int, default=2000)
    given = parser.parse_args()
    pairs = [(measure(OURS, given.orders), measure(THEIRS, given.orders)) for _ in range(given.runs)]
    ours = statistics.median(pair[0][0] for pair in pairs)
    theirs = statistics.median(pair[1][0] for pair in pairs)
    ratio = statistics.median(pair[0][0] / pair[1][0] for pair in pairs)
    share = statistics.median(pair[0][2] for pair in pairs)
    print(f"orderquake, history and all checkers: {ours:,.0f} orders/s, {pairs[0][0][1]:.1f} asks an order")
    print(f"  of which running the world takes {share:.0%}")
    print(f"idiomatic SimPy, neither of them:     {theirs:,.0f} orders/s, {pairs[0][1][1]:.1f} asks an order")
    print(f"ratio {ratio:.2f} (median of {given.runs} interleaved pairs of fresh processes); at least 0.50 is promised")
    return 0 if ratio >= 0.5 else 1


if __name__ == "__main__":
    raise SystemExit(main())
