"""How many operations a second does the judge of linearizability read from a history, and search?

A busy day of `record_offline`, its Order Cache and its Stock Cache; registers of which eight operations overlap, with
an order and, in the end, without one. Searched alone, where nothing else is said.

    python -m tests.benchmarks.linear [--rounds 7] [--json]
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from random import Random
from typing import Any

from tests.benchmarks.measure import Figure, Numbers, command, fresh, interleaved, median

REGISTERS = 50_000


def searched(operations: Sequence[Any], model: Any, is_linear: bool) -> float:
    """Operations a second."""
    from orderquake.sim.linear import check_operations

    began = time.process_time()
    found = check_operations(operations, model)
    took = time.process_time() - began
    assert found.status == ("valid" if is_linear else "invalid"), str(found)
    return len(operations) / took


def registers() -> list[Any]:
    """Ten keys. Each operation takes effect at a moment of its own, and is called and answered around it."""
    from orderquake.sim.linear.model import Operation
    from orderquake.sim.linear.register import DONE, Read, Write

    dice, values, made = Random(1), dict.fromkeys("abcdefghij", 0), []
    for number in range(REGISTERS):
        key, moment = dice.choice("abcdefghij"), 100 * number
        call, back = moment - dice.randrange(0, 4_000), moment + dice.randrange(1, 4_000)
        if dice.random() < 0.5:
            values[key] = number
            made.append(Operation(call, back, Write(key, number), DONE))
        else:
            made.append(Operation(call, back, Read(key), values[key]))
    return made


def run() -> Numbers:
    from orderquake.sim.linear import Operation, operations_of
    from orderquake.sim.linear.reading import model_of
    from orderquake.sim.linear.register import Read, Register
    from orderquake.sim.run import simulate

    history = simulate("record_offline").history
    found: Numbers = {}
    for service in ("order_cache", "stock"):
        list(operations_of(history, service))
        began = time.process_time()
        operations = list(operations_of(history, service))
        found[f"{service}_read"] = len(operations) / (time.process_time() - began)
        found[service] = searched(operations, model_of(history, service), True)
    made = registers()
    found["registers"] = searched(made, Register(0), True)
    last = 100 * REGISTERS + 10_000
    found["no_order"] = searched([*made, Operation(last, last + 1, Read("a"), -1)], Register(0), False)
    return found


def once(_round: int) -> Numbers:
    return fresh("tests.benchmarks.linear:run")


def bench(rounds: int) -> list[Figure]:
    found = interleaved(rounds, {"linear": once})["linear"]
    names = {
        "order_cache_read": "linear: Order Cache, read from a history",
        "order_cache": "linear: Order Cache",
        "stock_read": "linear: Stock Cache, read from a history",
        "stock": "linear: Stock Cache",
        "registers": "linear: registers",
        "no_order": "linear: registers without an order",
    }
    return [Figure(said, median(found, what), "operations/s") for what, said in names.items()]


if __name__ == "__main__":
    raise SystemExit(command(bench, "The judge of linearizability, operations a second."))
