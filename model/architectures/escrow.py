"""escrow: the stock is split among the regions beforehand, so that each sells its part without asking anybody.

Orders, payments and posts are hot_cold's. Only the owner of the stock is another: there is one in each region, with the
rights to so many units, and no unit has two. A region that runs out asks the others for some of theirs. A cut between
regions strands units, and oversells none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderquake.model.architecture import Job
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.assumptions import Assumption
from orderquake.model.flow import Store
from orderquake.model.regional_stock import RegionalStock
from orderquake.model.spread import Spread


class Escrow(HotCold):
    """Rights to the stock, split by region, moved by letters, and never below zero."""

    name = "escrow"
    requires = HotCold.requires | {Assumption.STOCK_KEEPS_WRITES}
    lends = True

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        policy = self.policy

        def member(number: int, of: int) -> RegionalStock:
            return RegionalStock(number, of, opening, policy.safety_stock, policy.expires_on_look, self.lends)

        return super().stores(opening) | {"stock": Spread(member, of=2)}

    def jobs(self) -> tuple[Job, ...]:
        """A region's rights are known to nobody else, so there is nothing to build them from again."""
        return tuple(job for job in super().jobs() if job.name != "rebuild")

    def rests(self, stores: Mapping[str, Any], now_us: int) -> bool:
        members = stores["stock"].members
        promised = sum(len(member.by_token) for member in members)
        has_heard = all(member.base_v == members[0].base_v and not member.rights.sent for member in members)
        owed = len(self.order_rows(stores).unsynced.entries)  # what the record has refused stays promised
        is_current = members[0].cursor == stores["record"].head
        return self.orders_rest(stores, now_us) and is_current and promised <= owed and has_heard
