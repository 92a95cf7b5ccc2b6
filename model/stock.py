"""The Stock Cache: the single owner of what may still be sold.

It keeps, for each product, the last snapshot of the record (`base` units at version `base_v`) and every commitment that
this snapshot does not contain yet. What may be sold is the one less the others:

    atp = base - safety stock - units held, pinned, and posted but not yet in base

A reservation is one token over all lines of an order, all or nothing. It is live iff now < its deadline on this store's
own clock, which is the largest moment it has seen; one predicate serves everybody who asks. Units leave a commitment
for the record in one step only: when a snapshot is applied that contains their post.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from orderquake.model.commitments import PINNED, Commitments
from orderquake.model.flow import Ask, Change, Instant, effect
from orderquake.model.order import Line
from orderquake.model.record import Changed, SkuChange


class Reserved(NamedTuple):
    token: str


class SoldOut(NamedTuple):
    """At least this product is short; nothing was taken of any."""

    sku: str
    atp: int


class NotReady(NamedTuple):
    """The owner has lost its memory and is being rebuilt; it promises nothing until then."""


class Pinned(NamedTuple):
    """The reservation stands for good."""


class Lapsed(NamedTuple):
    """There is no such live reservation (any more)."""


class Released(NamedTuple):
    """The reservation is gone, now or before."""


class Extended(NamedTuple):
    """It lasts longer now."""


class Applied(NamedTuple):
    """The snapshot was looked at; what was older than ours was left out."""


class Unreconciled(NamedTuple):
    """The snapshot says of at least this product what its own log of changes does not; that was refused."""

    sku: str


class Settled(NamedTuple):
    """The owner knows at which version each post stands."""


class Status(NamedTuple):
    epoch: int
    is_open: bool
    cursor: int
    """How far in the record's log of changes the snapshots have come."""


@effect
class Reserve(Ask[Reserved | SoldOut | NotReady]):
    """Hold all lines for `ttl_us`; the same order gets the same token while it lives."""

    service = "stock"
    verb = "reserve"
    order_id: str
    lines: tuple[Line, ...]
    ttl_us: int

    def about(self) -> tuple[str, str]:
        return self.order_id, self.order_id


@effect
class Consume(Ask[Pinned | Lapsed | NotReady]):
    """Turn a live reservation into a pin, which never lapses."""

    service = "stock"
    verb = "consume"
    token: str
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.token


@effect
class Release(Ask[Released | NotReady]):
    """Put a reservation, held or pinned, back on sale. Only for orders whose refund is written down."""

    service = "stock"
    verb = "release"
    token: str
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.token


@effect
class Extend(Ask[Extended | Lapsed | NotReady]):
    """Let a live reservation last `ttl_us` from now; a dead one stays dead."""

    service = "stock"
    verb = "extend"
    token: str
    order_id: str
    ttl_us: int

    def about(self) -> tuple[str, str]:
        return self.order_id, self.token


@effect
class Refresh(Ask[Applied | Unreconciled | NotReady]):
    """Offer what has changed in the record, as read for this epoch."""

    service = "stock"
    verb = "refresh"
    epoch: int
    changed: Changed


@effect
class Settle(Ask[Settled | NotReady]):
    """Pass on the versions under which the record booked some orders: (order id, ((sku, version), ...))."""

    service = "stock"
    verb = "settle"
    posts: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]


@effect
class Lapse(Ask[Released]):
    """Sweep out what has lapsed; needed where expiry is by sweep, harmless elsewhere."""

    service = "stock"
    verb = "lapse"


@effect
class AskStatus(Ask[Status]):
    service = "stock"
    verb = "ask_status"


@effect
class Adopt(Ask[Settled | NotReady]):
    """Rebuild: pin again what some fulfilled, unsynced orders hold: (order id, token, lines)."""

    service = "stock"
    verb = "adopt"
    epoch: int
    orders: tuple[tuple[str, str, tuple[Line, ...]], ...]


@effect
class OpenAgain(Ask[Status]):
    """Rebuild: all pins are back and all snapshots are in; sell again."""

    service = "stock"
    verb = "open_again"
    epoch: int


BEFORE_THE_OPENING = -1
"""Version of a product that nothing is known of; its opening is version 0."""


class StockCache(Commitments):
    """The owner. `safety_stock` units of each product are never sold; expiry is `on_look` or by `sweep`."""

    def __init__(self, opening: Mapping[str, int], safety_stock: int = 0, expires_on_look: bool = True) -> None:
        super().__init__()
        self.safety_stock = safety_stock
        self.expires_on_look = expires_on_look
        self.base: dict[str, int] = dict(opening)
        self.base_v: dict[str, int] = dict.fromkeys(opening, 0)
        self.clock_us = 0
        self.epoch = 1
        self.is_open = True
        self.adopted: dict[str, bool] = {}  # tokens that were pinned again in this epoch
        self.cursor = len(opening)  # the opening is how the record's log of changes begins
        self.newest = self.cursor  # how far the newest copy of that log reached that any page came from

    # -- what may be asked

    def handle(self, ask: Any, now_us: int) -> Any:
        self.clock_us = now_us = max(self.clock_us, now_us)
        if self.expires_on_look:
            self.lapse(now_us)
        match ask:
            case Reserve():
                return self.reserve(ask, now_us) if self.is_open else NotReady()
            case Consume(token):
                return self.consume(token, now_us) if self.is_open else NotReady()
            case Release(token):
                return self.release(token) if self.is_open else NotReady()
            case Extend(token, _, ttl_us):
                return self.extend(token, now_us + ttl_us, now_us) if self.is_open else NotReady()
            case Refresh(epoch, changed):
                return self.refresh(changed) if epoch == self.epoch else NotReady()
            case Settle(posts):
                return self.settle(posts) if self.is_open else NotReady()
            case AskStatus():
                return Status(self.epoch, self.is_open, self.cursor)
            case Lapse():
                self.lapse(now_us)
                return Released()
            case Adopt(epoch, orders):
                return self.adopt(orders) if epoch == self.epoch and not self.is_open else NotReady()
            case OpenAgain(epoch):
                return self.open_again(epoch)
        raise TypeError(f"the Stock Cache does not know how to {type(ask).__name__}")

    def atp(self, sku: str) -> int:
        """Units that may be promised; negative where the record has shrunk below what is committed."""
        return self.base.get(sku, 0) - self.safety_stock - self.committed.get(sku, 0)

    def grounds(self, sku: str) -> int:
        return self.base_v.get(sku, 0)

    def reserve(self, ask: Reserve, now_us: int) -> Reserved | SoldOut:
        if (held := self.live_for(ask.order_id, now_us)) is not None:  # a retry: the same token stands
            return Reserved(held.token)
        for line in ask.lines:
            if self.atp(line.sku) < line.units:
                return SoldOut(line.sku, self.atp(line.sku))
        return Reserved(self.hold(ask.order_id, ask.lines, now_us + ask.ttl_us, self.epoch, self.base_v))

    def consume(self, token: str, now_us: int) -> Pinned | Lapsed:
        held = self.live(token, now_us)
        if held is None:
            return Lapsed()
        if held.until_us != PINNED:
            for sku, (line, units) in held.lines.items():
                self.note("pin", held, line, sku, units, "cache.pinned", "cache.held", deadline=held.until_us)
            held.until_us = PINNED
        return Pinned()

    def release(self, token: str) -> Released:
        held = self.by_token.get(token)
        if held is not None:
            self.free(held, "released")
        return Released()

    def extend(self, token: str, until_us: int, now_us: int) -> Extended | Lapsed:
        held = self.live(token, now_us)
        if held is None:
            return Lapsed()
        if held.until_us != PINNED and until_us > held.until_us:
            held.until_us = until_us
            heapq.heappush(self.deadlines, (until_us, token))
            for sku, (line, units) in held.lines.items():
                self.note("extend", held, line, sku, units, "", "", deadline=until_us)
        return Extended()

    def refresh(self, changed: Changed) -> Applied | Unreconciled:
        """Take each newer base, and drop exactly those commitments that it is known to contain, in one step.

        What does not add up is left out, and the cursor stays before it, so that it is read again. So it does where an
        older copy of the record has told the last page.
        """
        self.newest = max(self.newest, changed.head)
        refused = ""
        for item in changed.items:
            if self.adds_up(item):
                self.rebase(item, changed.as_of)
            else:
                self.refuse(item, changed.as_of)
                refused = refused or item.sku
        if refused:
            return Unreconciled(refused)
        if not changed.more and changed.since <= self.cursor and changed.head == self.newest:
            self.cursor = max(self.cursor, changed.upto)
        self.journal.append(Change("rebase", version=changed.upto, watermark=changed.as_of, answer="applied"))
        return Applied()

    def settle(self, posts: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]) -> Settled:
        for order_id, versions in posts:
            held = self.by_token.get(self.token_of.get(order_id, ""))
            if held is None:
                continue
            for sku, version in versions:
                if sku in held.lines:
                    if version <= self.base_v.get(sku, 0):
                        self.drop(held, sku, version)
                    else:
                        held.posted[sku] = version
                        self.awaited.setdefault(sku, {})[held.token] = version
        return Settled()

    # -- how it is kept

    def rebase(self, item: SkuChange, as_of: Instant) -> None:
        sku, on_hand, version, posts, _ = item
        old_v = self.base_v.get(sku, 0)
        if version < old_v:
            self.journal.append(
                Change("rebase", sku=sku, version=version, watermark=as_of, answer="ignored", is_new=False)
            )
            return
        self.journal.append(
            Change(
                "rebase",
                sku=sku,
                units=on_hand - self.base.get(sku, 0),
                version=version,
                watermark=as_of,
                answer="applied",
                debit="cache.available",
                credit="cache.base",
            )
        )
        self.base[sku], self.base_v[sku] = on_hand, version
        for token, posted_v in tuple(self.awaited.get(sku, {}).items()):
            if posted_v <= version:
                self.drop(self.by_token[token], sku, posted_v)
        for order_id, posted_v in posts:
            held = self.by_token.get(self.token_of.get(order_id, ""))
            if held is not None and sku in held.lines and posted_v <= version:
                self.drop(held, sku, posted_v)

    def adds_up(self, item: SkuChange) -> bool:
        """Is the new base the old one and all that has changed since? A feed that says zero, or forgets, is found out.

        What has no base, after a loss, is all that ever moved, the opening included; what is older than ours will be
        ignored.
        """
        sku, on_hand, version, _, moves = item
        old_v = self.base_v.get(sku, BEFORE_THE_OPENING)
        if moves is None or version < old_v:
            return True
        return on_hand == self.base.get(sku, 0) + sum(units for moved_v, units in moves if moved_v > old_v)

    def refuse(self, item: SkuChange, as_of: Instant) -> None:
        sku, on_hand, version, _, _ = item
        units = on_hand - self.base.get(sku, 0)
        self.journal.append(
            Change("rebase", sku=sku, units=units, version=version, watermark=as_of, answer="refused", is_new=False)
        )

    # -- losing everything, and coming back

    def lose_everything(self) -> None:
        """The owner restarts empty under a new epoch: absent means not ready, never zero."""
        self.epoch += 1
        self.is_open = False
        self.cursor = self.newest = 0
        self.base.clear()
        self.base_v.clear()
        self.adopted.clear()
        self.forget_all()
        self.journal.append(Change("epoch", version=self.epoch, answer="lost"))

    def adopt(self, orders: tuple[tuple[str, str, tuple[Line, ...]], ...]) -> Settled:
        for order_id, token, lines in orders:
            if token in self.adopted:  # another rebuild was here; what it adopted may be with the record by now
                continue
            self.adopted[token] = True
            held = self.commit(token, order_id, lines, PINNED)
            for sku, (line, units) in held.lines.items():
                self.note("adopt", held, line, sku, units, "cache.pinned", "cache.available")
        return Settled()

    def open_again(self, epoch: int) -> Status:
        if epoch == self.epoch and not self.is_open:
            self.is_open = True
            self.journal.append(Change("epoch", version=self.epoch, answer="open"))
        return Status(self.epoch, self.is_open, self.cursor)

    # -- for the explorer

    def snapshot(self) -> Hashable:
        return (
            tuple(sorted(self.base.items())),
            tuple(sorted(self.base_v.items())),
            self.snapshot_commitments(),
            tuple(self.adopted),
            (self.clock_us, self.epoch, self.is_open, self.cursor, self.newest),
        )

    def restore(self, snapshot: Any) -> None:
        base, base_v, commitments, adopted, place = snapshot
        self.clock_us, self.epoch, self.is_open, self.cursor, self.newest = place
        self.base, self.base_v = dict(base), dict(base_v)
        self.restore_commitments(commitments)
        self.adopted = dict.fromkeys(adopted, True)
        self.journal.clear()
