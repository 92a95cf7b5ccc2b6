"""The stock split by region: each member sells what it has the rights to, and asks nobody.

A member is a Stock Cache that may promise no more than its rights. All rights together are what the record had at the
opening, and has had delivered since; goods that are shipped take their rights with them. Who runs out asks the others
for some of theirs; until they come, it is sold out there, whatever lies elsewhere.

What the record says goes to the first member; it tells the others what concerns them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from orderquake.model.bounded_counter import BoundedCounters
from orderquake.model.commitments import Commitment
from orderquake.model.flow import Instant
from orderquake.model.record import SkuChange
from orderquake.model.spread import EVERYBODY, Elsewhere, Letter
from orderquake.model.stock import (
    Consume,
    Extend,
    Lapse,
    Refresh,
    Release,
    Reserve,
    Reserved,
    Settle,
    SoldOut,
    StockCache,
)


def share_of(units: int, number: int, of: int) -> int:
    """What each of several members gets; the first ones get what is left over.

    >>> [share_of(8, number, 3) for number in range(3)]
    [3, 3, 2]
    """
    return units // of + (number < units % of)


class RegionalStock(StockCache):
    """One region's stock.

    lends       whoever has rights to spare lets others have half of them
    told        what all the others must hear of, in order
    confirmed   how far each of them has heard of it
    heard       how far we have heard of what each has told
    made_v      versions at which rights were made last; at the opening where there is none
    short       products of which we have promised, or paid, more than we have rights to
    """

    def __init__(
        self,
        number: int,
        of: int,
        opening: Mapping[str, int],
        safety_stock: int = 0,
        expires_on_look: bool = True,
        lends: bool = True,
    ) -> None:
        super().__init__(opening, 0, expires_on_look)
        self.number, self.of, self.lends = number, of, lends
        self.rights = BoundedCounters(
            number, {sku: share_of(max(0, units - safety_stock), number, of) for sku, units in opening.items()}
        )
        self.outbox: list[Letter] = []
        self.done: list[Hashable] = []
        self.serial = number
        self.told: list[Any] = []
        self.confirmed: dict[int, int] = {}
        self.heard: dict[int, int] = {}
        self.made_v: dict[str, int] = {}
        self.short: dict[str, bool] = {}

    def atp(self, sku: str) -> int:
        """Units that this region may still promise."""
        return self.rights.of(sku) - self.committed.get(sku, 0)

    # -- what may be asked

    def handle(self, ask: Any, now_us: int) -> Any:
        if isinstance(ask, Consume | Release | Extend) and (owner := self.owner_of(ask.token)) != self.number:
            return Elsewhere(owner)
        answer = super().handle(ask, now_us)
        if isinstance(ask, Refresh | Settle | Lapse):
            self.told.append(ask)
            self.tell()
        self.hand_over()
        return answer

    def tell(self) -> None:
        """Each of the others what it has not confirmed yet."""
        for other in range(self.of):
            known = self.confirmed.get(other, 0)
            if other != self.number and known < len(self.told):
                self.outbox.append(Letter(other, ("told", (known, tuple(self.told[known:])))))

    def hand_over(self) -> None:
        """Letters about rights go with the others."""
        self.outbox += self.rights.outbox
        self.rights.outbox = []

    def owner_of(self, token: str) -> int:
        """The member that has granted a token: serials go round."""
        return int(token.rpartition(".")[2]) % self.of

    def reserve(self, ask: Reserve, now_us: int) -> Reserved | SoldOut:
        self.serial += self.of - 1  # the next one is ours again
        answer = super().reserve(ask, now_us)
        if (
            not isinstance(answer, Reserved)
            or answer.token not in self.by_token
            or self.serial % self.of != self.number
        ):
            self.serial -= self.of - 1
        for sku, units, _ in ask.lines:
            if self.lends and self.atp(sku) < units:  # the next one like this would find too few
                self.outbox.append(Letter(EVERYBODY, ("wants", (sku, units))))
        return answer

    # -- what the record says

    def grounds(self, sku: str) -> int:
        """Rights are what a region sells on the strength of: what others have sold since does not concern it."""
        return self.made_v.get(sku, 0)

    def rebase(self, item: SkuChange, as_of: Instant) -> None:
        """Rights are made where deliveries are heard of first, and only there, and other channels are paid from there;
        what left for our own orders was paid for with rights already."""
        old_v = self.base_v.get(item.sku, 0)
        ours = {version for _, version in item.posts}
        moved = sum(units for version, units in item.moves or () if old_v < version and version not in ours)
        if moved > 0:
            self.made_v[item.sku] = item.version
        if self.number == 0:
            self.rights.add(item.sku, moved)
            if self.atp(item.sku) < 0:
                self.short[item.sku] = True
                self.call_in(item.sku)
        super().rebase(item, as_of)

    def call_in(self, sku: str) -> None:
        """More went missing than we have rights to: the others' spare ones must pay for it, before they are sold."""
        if self.atp(sku) < 0:
            self.outbox.append(Letter(EVERYBODY, ("wants", (sku, -self.atp(sku)))))
        else:
            del self.short[sku]

    def drop(self, held: Commitment, sku: str, version: int) -> None:
        self.rights.add(sku, -held.lines[sku][1])
        super().drop(held, sku, version)

    # -- letters

    def hear(self, sender: int, says: Any, now_us: int) -> None:
        what, said = says
        if what == "told":
            start, asks = said
            self.learn(sender, start, asks, now_us)
        elif what == "confirmed":
            self.confirmed[sender] = max(said, self.confirmed.get(sender, 0))
        elif what == "wants":
            sku, units = said
            if (spare := self.atp(sku)) > 0:
                self.rights.move(sku, max(min(units, spare), spare // 2), sender)
        else:
            self.rights.hear(sender, says)
        self.hand_over()

    def learn(self, sender: int, start: int, asks: tuple[Any, ...], now_us: int) -> None:
        """What another has been told, once and in order. The base has moved already, for all members."""
        noted = len(self.journal)
        for number, ask in enumerate(asks, start):
            if number == self.heard.get(sender, 0):
                self.heard[sender] = number + 1
                super().handle(ask, now_us)
        self.journal[noted:] = [change for change in self.journal[noted:] if change.operation != "rebase"]
        self.outbox.append(Letter(sender, ("confirmed", self.heard.get(sender, 0))))

    def tick(self, now_us: int) -> None:
        self.tell()
        for sku in tuple(self.short):
            self.call_in(sku)
        self.rights.tick()
        self.hand_over()

    def snapshot(self) -> Hashable:
        heard = tuple(self.told), *(tuple(each.items()) for each in (self.confirmed, self.heard, self.made_v))
        return super().snapshot(), self.rights.snapshot(), heard, tuple(self.short)

    def restore(self, snapshot: Any) -> None:
        stock, rights, (told, confirmed, heard, made_v), short = snapshot
        super().restore(stock)
        self.rights.restore(rights)
        self.told, self.confirmed, self.heard, self.made_v = list(told), dict(confirmed), dict(heard), dict(made_v)
        self.short = dict.fromkeys(short, True)
        self.outbox = []
