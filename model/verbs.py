"""Which asks each service understands, collected from the asks themselves."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

from orderquake.model import (
    claim_board,
    counts,
    notice,
    order_cache,
    order_table,
    payment,
    record,
    shelves,
    stock,
    work_queue,
    workflow,
)
from orderquake.model.flow import Ask, Store
from orderquake.model.spread import Spread


def _collect(*modules: ModuleType) -> dict[str, tuple[str, ...]]:
    verbs: dict[str, list[str]] = {}
    for module in modules:
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, Ask) and thing is not Ask:
                names = verbs.setdefault(thing.service, [])
                if thing.verb not in names:
                    names.append(thing.verb)
    return {service: tuple(names) for service, names in verbs.items()}


VERBS: Mapping[str, tuple[str, ...]] = _collect(order_cache, stock, payment, record, notice, work_queue)
"""Service -> its verbs, in the order in which the service's file tells them; as hot_cold asks them."""

EVERY_VERB: Mapping[str, tuple[str, ...]] = _collect(
    order_cache, stock, payment, record, notice, work_queue, counts, claim_board, shelves, order_table, workflow
)
"""The same, with what only some designs ask: a record may keep reservations and orders, and a
workflow service drive them."""


def kinds(stores: Mapping[str, Store]) -> dict[str, type[Ask[Any]]]:
    """Verb -> the kind of ask that it is, for the stores of a design."""
    found: dict[str, type[Ask[Any]]] = {}
    for service, verbs in understood(stores).items():
        store = stores[service]
        one = store.members[0] if isinstance(store, Spread) else store
        for home in type(one).__mro__:
            for thing in vars(sys.modules[home.__module__]).values():
                is_ask = isinstance(thing, type) and issubclass(thing, Ask) and thing is not Ask
                if is_ask and thing.service == service and thing.verb in verbs:
                    found.setdefault(thing.verb, thing)
    return found


def understood(stores: Mapping[str, Store]) -> dict[str, tuple[str, ...]]:
    """Service -> the verbs that a design's own store of that name understands: those told in the file of its class, and
    of the classes that it is made from. Services, and verbs, are in the order of `EVERY_VERB`."""
    found: dict[str, tuple[str, ...]] = {}
    for service, every in EVERY_VERB.items():
        if service in stores:
            store = stores[service]
            one = store.members[0] if isinstance(store, Spread) else store
            told = _told_for(type(one))
            found[service] = tuple(verb for verb in every if verb in told.get(service, ()))
    return found


@cache
def _told_for(store: type) -> Mapping[str, tuple[str, ...]]:
    """What is told in the file of a class, and of the classes that it is made from."""
    return _collect(*(sys.modules[kind.__module__] for kind in store.__mro__))
