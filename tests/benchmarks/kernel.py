"""The kernel on the neutral order workload, beside idiomatic SimPy and beside the fastest plain Python machine.

The workload stands in `neutral/workload.py`, the four implementations beside it. Before anything is timed, all of them
play one small run with one luck and must write the same rows; what the timed runs come to is compared again. What an
implementation is asked for is the rows as it writes them. Ours also tells what packing them costs, which happens when
somebody first reads. Python's collector runs for all; a second measurement leaves it off for all.

    python -m tests.benchmarks.kernel [--rounds 7] [--json]
"""

from __future__ import annotations

from functools import partial

from tests.benchmarks.measure import Figure, Numbers, Rounds, command, fresh, interleaved, median, ratio, tell
from tests.benchmarks.neutral.agreement import disagreements
from tests.benchmarks.neutral.workload import Outcome

ORDERS = 20_000
CONTESTANTS = {
    "idiomatic SimPy": ("tests.benchmarks.neutral.idiomatic:timed", {}),
    "bare heap machine": ("tests.benchmarks.neutral.bare:timed", {}),
    "ours": ("tests.benchmarks.neutral.ours:timed", {}),
    "ours, stock engine": ("tests.benchmarks.neutral.ours:timed", {"engine": "stock"}),
}
TARGETS = {"idiomatic SimPy": 4.5, "bare heap machine": 0.85}


def play(name: str, collects: bool, number: int) -> Numbers:
    function, given = CONTESTANTS[name]
    return fresh(function, orders=ORDERS, seed=number + 1, collects=collects, **given)


def check(found: Rounds) -> None:
    """The timed runs have played the same, and the two engines to the bit."""
    outcomes = {name: [Outcome(*numbers["outcome"]) for numbers in several] for name, several in found.items()}
    said = disagreements(outcomes)
    for fast, stock in zip(found["ours"], found["ours, stock engine"], strict=True):
        if fast["digest"] != stock["digest"]:
            said.append("the two engines write different histories")
    if said:
        raise SystemExit("the implementations do not play the same: " + "; ".join(said))


def bench(rounds: int) -> list[Figure]:
    """Ratios of orders a second."""
    if differ := fresh("tests.benchmarks.neutral.agreement:who_differs", orders=2000, seed=1)["names"]:
        raise SystemExit(f"with one luck, {', '.join(differ)}: not the rows that idiomatic SimPy writes")
    figures = []
    for collects in (True, False):
        found = interleaved(rounds, {name: partial(play, name, collects) for name in CONTESTANTS})
        check(found)
        how = "" if collects else ", no collector"
        tell(f"neutral workload, {ORDERS:,} orders{how or ', collector on'}; all play the same")
        for name, several in found.items():
            us = median(several, "us")
            tell(f"  {name:<20} {us:6.2f} us an order {1e6 / us:>9,.0f} orders/s")
        ours = found["ours"]
        tell(f"  {'ours, rows packed':<20} {median(ours, 'packed_us'):6.2f} us an order")
        packed = [{"us": numbers["packed_us"]} for numbers in ours]
        for other, target in TARGETS.items():
            name = f"kernel: times {other}{how}"
            figures.append(Figure(name, ratio(found[other], ours, "us"), at_least=target))
            figures.append(Figure(f"{name}, rows packed", ratio(found[other], packed, "us")))
        figures.append(Figure(f"kernel: times its stock engine{how}", ratio(found["ours, stock engine"], ours, "us")))
    return figures


if __name__ == "__main__":
    raise SystemExit(command(bench, "The kernel beside idiomatic SimPy and a bare heap machine."))
