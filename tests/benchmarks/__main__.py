"""All benchmarks and one table. Flatness stays small here; `make bench-flatness` does the rest.

python -m tests.benchmarks [--rounds 7] [--json] [--write]
"""

from __future__ import annotations

from functools import partial

from tests.benchmarks import flash_sale, flatness, history, judging, kernel, memory
from tests.benchmarks.measure import Figure, command

BENCHES = (
    kernel.bench,
    history.bench,
    memory.bench,
    partial(flatness.bench, small=True),
    judging.bench,
    flash_sale.bench,
)


def bench(rounds: int) -> list[Figure]:
    """Every figure."""
    return [figure for each in BENCHES for figure in each(rounds)]


if __name__ == "__main__":
    raise SystemExit(command(bench, "All benchmarks, and what is asked of them.", report="bench.json"))
