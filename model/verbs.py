"""Which asks each service understands, collected from the asks themselves."""

from __future__ import annotations

from collections.abc import Mapping

from orderquake.model import notice, order_cache, payment, record, stock, work_queue
from orderquake.model.flow import Ask


def _collect() -> dict[str, tuple[str, ...]]:
    verbs: dict[str, list[str]] = {}
    for module in (order_cache, stock, payment, record, notice, work_queue):
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, Ask) and thing is not Ask:
                verbs.setdefault(thing.service, []).append(thing.verb)
    return {service: tuple(names) for service, names in verbs.items()}


VERBS: Mapping[str, tuple[str, ...]] = _collect()
"""Service -> its verbs, in the order in which the service's file tells them."""
