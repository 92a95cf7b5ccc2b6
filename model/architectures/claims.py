"""claims: nobody reserves anything; everybody claims, waits until all claims can be seen, and the first ones win.

What one can do with a store that merges and compares nothing: a key that is written once is safe there, whoever writes
beside it. An order puts its claim under a key of its own, waits for as long as word takes to get everywhere, and then
looks how it ranks among all claims for the product. Who lies within what there is, wins; everybody else gets the money
back. All who look after the wait see the same claims before theirs, and so agree.

Nobody is sold what is not there, as long as word gets around within the wait and clocks differ by less than that
leaves. The price is time: no order is decided before the wait is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from orderquake.model.architecture import Job
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.assumptions import Assumption
from orderquake.model.claim_board import ClaimBoard, GiveUpClaim, ListClaims, MakeClaim, Supply
from orderquake.model.flow import Store, Within
from orderquake.model.order import Order, State
from orderquake.model.policy import SECOND
from orderquake.model.record import Posted, ReadChanges
from orderquake.model.stock import NotReady, Reserved, SoldOut


class ClaimsDesign(HotCold):
    """One key for each claim, ranked alike by everybody after a wait; losers are paid back."""

    name = "claims"
    requires = HotCold.requires - {Assumption.STOCK_HAS_ONE_OWNER, Assumption.LOSSES_ARE_ANNOUNCED} | {
        Assumption.STOCK_KEEPS_WRITES,
        Assumption.CLOCKS_AGREE,
        Assumption.WORD_GETS_AROUND,
    }
    kv = "taubyte_nodes"
    waits_us: ClassVar[int] = 20 * SECOND
    """Three announcements may be lost, and clocks differ by a little."""

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {"stock": ClaimBoard(opening)}

    def rests(self, stores: Mapping[str, Any], now_us: int) -> bool:
        return self.orders_rest(stores, now_us) and stores["stock"].versions == stores["record"].version

    def jobs(self) -> tuple[Job, ...]:
        """A claim does not lapse, and nobody owns them all."""
        return tuple(job for job in super().jobs() if job.name not in ("sweep", "rebuild"))

    # ---------------------------------------------------------------- the hot path, where it differs

    async def claim(self, order: Order) -> Reserved | SoldOut | NotReady:
        """Nobody is refused yet."""
        await self.patiently(MakeClaim(order.id, order.lines))
        return Reserved(f"{order.id}/claim")

    async def extend(self, order: Order) -> None:
        """Nothing lapses."""

    async def consume(self, order: Order) -> Order:
        """When the wait is over, look who has won. Until then the order rests, and recovery comes back to it."""
        if order.cancel_asked:
            return self.undo(order)
        claimed = await self.patiently(MakeClaim(order.id, order.lines))  # made already: this asks when
        if await Within(claimed.made_at, self.waits_us):
            return order
        for sku, _, _ in order.lines:
            claims = await self.patiently(ListClaims(order.id, sku))
            if not claims.has(order.id):
                return self.undo(order)
        return self.move(order, State.CAPTURING if order.auth_id else State.FULFILLED)

    async def release(self, order: Order) -> Order:
        """Those behind it move up, as soon as they hear of it."""
        await self.patiently(GiveUpClaim(order.id, order.lines))
        return order._replace(token="")

    # ---------------------------------------------------------------- the cold path, where it differs

    async def refresh(self, after: int = 0) -> int | None:
        """What was delivered can be claimed."""
        changed = await self.patiently(ReadChanges(0, after, self.policy.batch_of("inbound")))
        await self.patiently(Supply(changed))
        return changed.upto if changed.more else None

    async def tell_owner(self, posted: tuple[Posted, ...]) -> bool:
        """There is nobody to tell."""
        return True
