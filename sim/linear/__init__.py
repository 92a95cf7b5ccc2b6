"""Did a service behave as if it were one, asked one thing at a time? Judges what a history says was asked and answered.

The front door. Give it a history and the name of a service, or operations and a model of your own:

>>> from orderquake.sim.linear.register import DONE, Read, Register, Write
>>> asked = [Operation(0, 3, Write("x", 1), DONE), Operation(1, 2, Read("x"), 1), Operation(4, 5, Read("x"), 0)]
>>> print(check_operations(asked, Register(0)))  # doctest: +ELLIPSIS
not linearizable: no order explains read x -> 0 (4 to 5)
...

Knows the history, and nothing else of this package's: no store, no design, no checker.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orderquake.sim.history import History
from orderquake.sim.linear.model import NOBODY_KNOWS as NOBODY_KNOWS
from orderquake.sim.linear.model import Model as Model
from orderquake.sim.linear.model import Operation as Operation
from orderquake.sim.linear.reading import model_of, operations_of
from orderquake.sim.linear.search import Found, Search
from orderquake.sim.linear.telling import Verdict as Verdict
from orderquake.sim.linear.telling import told

STEPS = 2_000_000
"""How often the model may be asked about one part, where nothing else is said: some seconds."""


def check(
    history: History,
    service: str = "stock",
    model: Model[Any] | None = None,
    believes_ledger: bool = True,
    steps: int = STEPS,
    seconds: float | None = None,
) -> Verdict:
    """Is what this service was asked and answered linearizable?

    service           as the history calls it: "stock", "order_cache", "record" where it keeps the stock
    model             what it is held to; that of the service where absent, see `reading.py`
    believes_ledger   let the service's own rows say what became of asks that were never answered
    steps, seconds    after so much the search of a part is given up, and the verdict is unknown; a limit in seconds
                      makes it hang on the machine
    raises            ValueError where there is no model of such a service
    """
    held_to = model_of(history, service) if model is None else model
    return check_operations(operations_of(history, service, believes_ledger), held_to, steps, seconds)


def check_operations(
    operations: Iterable[Operation], model: Model[Any], steps: int = STEPS, seconds: float | None = None
) -> Verdict:
    """Are these operations linearizable? Each part of the model is searched by itself, and may take so much."""
    parts: dict[str, list[Operation]] = {}
    for operation in operations:
        parts.setdefault(model.part(operation.asked), []).append(operation)
    found: dict[str, Found] = {}
    for part, some in parts.items():
        found[part] = Search(some, model, part, steps, seconds).run()
    return told(parts, found, model)
