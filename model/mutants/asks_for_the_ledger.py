"""Lets every worker read the provider's whole ledger, to see whether the one charge it is about is in it."""

from __future__ import annotations

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.charges import ListCaptures
from orderquake.model.order import Order


class AsksForTheLedger(HotCold):
    """Breaks: nobody asks for what is not theirs to ask. Found in the rules, not in a report: PCI DSS
    4, requirement 7. Caught by `asks_within_role` in `residency`."""

    name = "asks_for_the_ledger"

    async def consume(self, order: Order) -> Order:
        await self.patiently(ListCaptures(0, 0, 1))
        return await super().consume(order)
