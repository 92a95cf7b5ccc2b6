"""Does an order cost the same after many others? A steady load, nothing runs out, and only the horizon grows.

Each size is simulated and judged in fresh processes, in turns. What a run costs before its first order (imports, the
world, the quiet phase, judging next to nothing) is measured in the same process, by a run that is one second long: the
first such run tells what is imported and cached on the way, the second what every run costs again. That second cost
is told and subtracted; the figure with it stands beside. `simulate` turns Python's collector off while it runs.
Bytes are how much the process's peak has grown beyond that of the short runs, an order.

    python -m tests.benchmarks.flatness [--rounds 7] [--small] [--big] [--json] [--write]

--small   1,000 and 10,000 orders
--big     a million, too: minutes a run, and gigabytes
"""

from __future__ import annotations

import re
import resource
import sys
from functools import partial
from pathlib import Path

from tests.benchmarks.measure import Figure, Numbers, Stopwatch, command, fresh, interleaved, median, ratio, tell

STEADY = Path(__file__).with_name("steady.toml")
ORDERS_PER_S = 5
SIZES = (1_000, 10_000, 100_000, 1_000_000)


def run(orders: int) -> Numbers:
    """Microseconds and bytes an order of a run of about so many, and the costs that do not grow with them, in ms."""
    watch = Stopwatch()
    from orderquake.sim.run import simulate
    from orderquake.sim.scenario_file import load_scenario, set_by_path

    imports = watch.read()
    steady = load_scenario(STEADY)
    short, long = (set_by_path(steady, "horizon", f"{seconds} s") for seconds in (1, orders // ORDERS_PER_S))
    watch = Stopwatch()
    simulate(short)
    first = watch.read()
    watch = Stopwatch()
    simulate(short)
    again = watch.read()
    before = peak_bytes()
    watch = Stopwatch()
    what = simulate(long)
    took = watch.read()
    grown = peak_bytes() - before
    assert what.verdict == "valid", what.verdict
    submitted = what.outcomes()["submitted"]
    return {
        "us": (took - again) / submitted * 1e6,
        "with_fixed_us": took / submitted * 1e6,
        "bytes": grown / submitted,
        "imports_ms": imports * 1e3,
        "first_ms": first * 1e3,
        "fixed_ms": again * 1e3,
    }


def peak_bytes() -> int:
    """The most memory that this process has ever held at once."""
    status = Path("/proc/self/status")
    if status.exists():  # the other way, Linux would count what the parent held when it started us
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))[1]) * 1024  # type: ignore[index]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def bench(rounds: int, small: bool = False, big: bool = False) -> list[Figure]:
    """Microseconds and bytes an order at each size, and how the largest compares with the smallest."""
    sizes = SIZES[: 2 if small else 4 if big else 3]
    found = interleaved(rounds, {str(size): partial(once, size) for size in sizes})
    every = [numbers for several in found.values() for numbers in several]
    imports, first, fixed = (median(every, what) for what in ("imports_ms", "first_ms", "fixed_ms"))
    tell(
        f"steady load: imports {imports:.0f} ms, the first run {first:.0f} ms, any further run at least {fixed:.0f} ms"
    )
    figures = []
    for size, several in found.items():
        us, with_fixed_us, size_bytes = (median(several, what) for what in ("us", "with_fixed_us", "bytes"))
        tell(
            f"  {int(size):>9,} orders: {us:4.0f} us an order ({with_fixed_us:.0f} with that), {size_bytes:6,.0f} bytes"
        )
        figures.append(Figure(f"flatness: an order of {int(size):,}", us, "us"))
        figures.append(Figure(f"flatness: peak memory, an order of {int(size):,}", size_bytes, "bytes"))
    largest = found[str(sizes[-1])]
    for middle in sizes[1:-1]:
        times = ratio(largest, found[str(middle)], "us")
        figures.append(Figure(f"flatness: time at {sizes[-1]:,} over {middle:,}", times))
    smallest, names = found[str(sizes[0])], f"at {sizes[-1]:,} over {sizes[0]:,}"
    figures.append(Figure(f"flatness: time {names}", ratio(largest, smallest, "us"), at_most=1.15))
    figures.append(Figure(f"flatness: bytes {names}", ratio(largest, smallest, "bytes")))
    return figures


def once(size: int, _round: int) -> Numbers:
    return fresh("tests.benchmarks.flatness:run", orders=size)


if __name__ == "__main__":
    raise SystemExit(
        command(bench, "The cost of an order in longer and longer runs.", "small", "big", report="bench_flatness.json")
    )
