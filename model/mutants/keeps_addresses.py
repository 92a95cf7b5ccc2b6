"""Keeps name and address in the Order Cache, where the order lies anyway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.boundaries import Data


class KeepsAddresses(HotCold):
    """Breaks: the Order Cache holds the least that an order needs. Found in the law, not in a report: GDPR,
    art. 5 (1) (c). Caught by `order_cache_holds_minimum` in `residency`."""

    name = "keeps_addresses"
    adds: ClassVar[Mapping[str, frozenset[Data]]] = {"register": frozenset({Data.PERSONAL})}
