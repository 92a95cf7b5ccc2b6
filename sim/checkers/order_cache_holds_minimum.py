"""Does the Order Cache get no more of an order than is needed to work on it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderquake.sim.checkers.boundaries import ORDER, Asked, count_of
from orderquake.sim.checkers.fold import Context
from orderquake.sim.history import History


class OrderCacheHoldsMinimum(Asked):
    """The Order Cache is told the least an order needs. Hears: asks, and the table of what they carry (inside)."""

    name = "order_cache_holds_minimum"

    def concerns(self, operation: str, known: Mapping[str, Any]) -> bool:
        return bool(known["service"][operation] == "order_cache" and known["carries"][operation])

    def wrong(self, operation: str, place: str, role: str, known: Mapping[str, Any]) -> str:
        more = [data for data in known["carries"][operation] if data != ORDER]
        return f"{operation} brings {' and '.join(more)} to the Order Cache" if more else ""

    def screen(self, history: History, context: Context) -> int | None:
        return count_of(self, history, context)
